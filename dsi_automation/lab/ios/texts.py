"""Every text the emulator prints, with the public page it was seen on, or `INVENTED`.

Texts are shortened to what the driver reads; `{...}` is filled in. What is invented is what nobody published, or what
was found in nothing better than another emulator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INVENTED: Final = "INVENTED"
_BYTEWORKS: Final = "https://www.byteworks.com/resources/blog/reload-in-x-there-is-a-better-way/"
_GIST: Final = "https://gist.github.com/ryankearney/8920941"
_NAPALM: Final = "https://github.com/napalm-automation/napalm/issues/135"
_NAPALM_TESTS: Final = "https://github.com/ktbyers/napalm_custom_test"
_SCRAPLI: Final = "https://github.com/scrapli/scrapli_cfg/tree/main/tests/integration/platform/scrapli_replay_sessions"
_NTC: Final = "https://github.com/networktocode/ntc-templates/tree/master/tests/cisco_ios/"
_GENIE: Final = "https://github.com/CiscoTestAutomation/genieparser/tree/master/src/genie/libs/parser/"
_NETSPOC: Final = "https://github.com/hknutzen/Netspoc-Approve"
_UNICON: Final = "https://github.com/CiscoTestAutomation/unicon.plugins"
_CATALYST: Final = "https://manualshive.com/en/manual/cisco/catalyst-2960-series/66776?page=1261"
_COMMANDS: Final = "Cisco IOS Configuration Fundamentals Command Reference, show archive config rollback timer"


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and the page it was seen on."""

    text: str
    source: str


TEXTS: Final = {
    "invalid": Said("{caret}^\n% Invalid input detected at '^' marker.\n\n", _GENIE + "iosxe/tests/AcmMerge"),
    "privilege": Said("Current privilege level is {level}\n", _GENIE + "iosxe/tests/ShowPrivilege"),
    "running_head": Said("Building configuration...\n\nCurrent configuration : {size} bytes\n!\n", _SCRAPLI),
    "last_change": Said("! Last configuration change at {at} by {user}\n!\n", _SCRAPLI),
    "no_startup": Said("startup-config is not present\n", INVENTED),
    "archive": Said(
        "The maximum archive configurations allowed is 10.\n"
        "There are currently {count} archive configurations saved.\n"
        "The next archive file will be named {path}-<timestamp>-{next}\n Archive #  Name\n",
        _GIST,
    ),
    "no_archive": Said(" Archive feature not enabled\n", _NTC + "show_archive/cisco_ios_show_archive.raw"),
    "timer": Said(
        "Time configured(or reconfigured): {at}\nTimer type: absolute timer\nTimer value: {minutes} min\n"
        "User: {user}\n",
        _COMMANDS,
    ),
    "no_timer": Said("%No Rollback Confirmed Change pending\n", _NAPALM_TESTS),
    "lock_free": Said(
        "Parser Configure Lock\n---------------------\nOwner PID : -1\nUser : unknown\nTTY : -1\nType : NO LOCK\n"
        "State : FREE\nClass : unknown\nCount : 0\nPending Requests : 0\nUser debug info :\n",
        _GENIE + "ios/tests/ShowConfigurationLock",
    ),
    "lock_held": Said(
        "Parser Configure Lock\n---------------------\nOwner PID : 261\nUser : {user}\nTTY : 1\nType : EXCLUSIVE\n"
        "State : LOCKED\nClass : EXPOSED\nCount : 1\nPending Requests : 0\nUser debug info : configure terminal lock\n",
        "https://www.booches.nl/2008/09/configuration-locking/",
    ),
    "locked": Said(
        "Configuration mode is locked by process '484' user '{user}' from terminal '64'. Please try later.\n", _UNICON
    ),
    "dir": Said(
        "Directory of {system}/\n\n   12  -rw-               46  Apr 22 2016 12:36:24 +00:00  .CsrLxc_LastInstall\n\n"
        "{total} bytes total ({free} bytes free)\n",
        _NTC + "dir/cisco_ios_dir.raw",
    ),
    "no_file": Said("%Error opening {file} (No such file or directory)\n", INVENTED),
    "copy_question": Said("Destination filename [{name}]? ", _SCRAPLI),
    "copied": Said("{size} bytes copied in 0.433 secs (6940 bytes/sec)\n", _BYTEWORKS),
    "config_mode": Said("Enter configuration commands, one per line.  End with CNTL/Z.\n", _BYTEWORKS),
    "armed": Said("Rollback Confirmed Change: Backing up current running config to {file}\n\n", _BYTEWORKS),
    "arming_without_archive": Said("%Turn config archive on before using Rollback Confirmed Change\n", INVENTED),
    "armed_already": Said("%A Rollback Confirmed Change is already pending\n", INVENTED),
    "one_minute": Said(
        "Rollback Confirmed Change: Rollback will begin in one minute.\n"
        'Enter "configure confirm" if you wish to keep what you\'ve configured\n\n',
        _BYTEWORKS,
    ),
    "log_armed": Said(
        "*{stamp}: %ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_START_ABSTIMER: User: {user}(Priv: 15, View: 0): "
        "Scheduled to rollback to config {file} in {minutes} minutes\n",
        _BYTEWORKS,
    ),
    "log_config": Said("*{stamp}: %SYS-5-CONFIG_I: Configured from console by {user} on vty0\n", _BYTEWORKS),
    "rolling": Said(
        "Rollback Confirmed Change: rolling to:{file}\n\n!Pass 1\n!List of Rollback Commands:\nend\n\n\n"
        "Total number of passes: 1\nRollback Done\n\n",
        _BYTEWORKS,
    ),
    "confirmed": Said("", INVENTED),
    "not_owner": Said("%Only the user who configured the timer may confirm\n", INVENTED),
    "replaced": Said("Total number of passes: 1\nRollback Done\n\n", _NAPALM),
    "replace_aborted": Said(
        "The rollback configlet from the last pass is listed below:\n********\n!List of Rollback Commands:\n"
        "no license udi pid CSR1000V sn 9FK0UZW73QE\nend\n********\n\n\nRollback aborted after 5 passes\n"
        "The following commands are failed to apply to the IOS image.\n********\n"
        "no license udi pid CSR1000V sn 9FK0UZW73QE\n********\n",
        _SCRAPLI,
    ),
    "saved": Said("Building configuration...\n[OK]\n", _SCRAPLI),
    "save_busy": Said("startup-config file open failed (Device or resource busy)\n", _NETSPOC),
    "save_other_version": Said(
        "Warning: Attempting to overwrite an NVRAM configuration previously written\n"
        "by a different version of the system image.\nOverwrite the previous NVRAM configuration?[confirm]",
        _NETSPOC,
    ),
    "save_too_large": Said(
        "Compressed configuration is too large for nvram \n%Error: Truncate config?? [no]: ", INVENTED
    ),
    "duplicate_number": Said("% Duplicate sequence number\n", _CATALYST),
    "duplicate_entry": Said("% Duplicate access list entry\n", INVENTED),
    "no_entry": Said("%Entry not found\n", INVENTED),
    "no_route_to_delete": Said("%No matching route to delete\n", INVENTED),
    "interface": Said(
        "{name} is {state}, line protocol is {protocol}\n  Hardware is iGbE, address is fa16.3e57.336f "
        "(bia fa16.3e57.336f)\n{address}  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,\n",
        _NTC + "show_interfaces/cisco_ios_show_interfaces.raw",
    ),
    "internet_address": Said("  Internet address is {address}\n", _NTC + "show_interfaces"),
    "route": Said(
        "Routing entry for {prefix}\n  Known via \"static\", distance 1, metric 0\n  Routing Descriptor Blocks:\n"
        "  * {hop}\n      Route metric is 0, traffic share count is 1\n",
        _GENIE + "iosxe/tests/ShowIpRouteWord",
    ),
    "no_route": Said("% Subnet not in table\n", INVENTED),
    "ping": Said(
        "Type escape sequence to abort.\nSending {count}, 100-byte ICMP Echos to {address}, timeout is 1 seconds:\n"
        "{marks}\nSuccess rate is {percent} percent ({received}/{count})\n",
        _NTC + "ping/cisco_ios_ping_fail.raw",
    ),
    "list_head": Said(
        "Extended IP access list {name}\n", _NTC + "show_ip_access-lists/cisco_ios_show_ip_access-lists.raw"
    ),
    "list_entry": Said(
        "    {number} {text} (20 matches)\n", _NTC + "show_ip_access-lists/cisco_ios_show_ip_access-lists.raw"
    ),
}  # fmt: skip


def say(key: str, **values: object) -> str:
    """Return a text, filled in."""
    return TEXTS[key].text.format(**values)


def invented() -> tuple[str, ...]:
    """Return which texts nobody published."""
    return tuple(sorted(key for key, said in TEXTS.items() if said.source == INVENTED))
