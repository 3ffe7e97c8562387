"""Bytes of real routers, cut anywhere, are read as the answers they are.

The recording: a Cisco CSR1000v with IOS-XE 16.12.3, published with scrapli_cfg (MIT licence) in
tests/integration/platform/scrapli_replay_sessions; shortened. The announcements of the rollback timer: Byteworks,
"Reload in X? There Is a Better Way", and the device's own messages as printed there.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.routers import ios_answers
from dsi_automation.connectors.routers.reading import Reading, greeted, uninterrupted

RECORDED = {
    "show version | i Version": (
        "\nCisco IOS XE Software, Version 16.12.03\nCisco IOS Software [Gibraltar], Virtual XE Software "
        "(X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 16.12.3, RELEASE SOFTWARE (fc5)\nlicensed under the GNU General "
        'Public License ("GPL") Version 2.0.  The\nFor more details, see the\ncsr1000v#'
    ),
    "dir flash: | i bytes": "\n6286540800 bytes total (5490249728 bytes free)\ncsr1000v#",
    "show archive config differences system:running-config flash:__SCRAPLI_CFG_SESSION_NAME__": (
        "\n!Contextual Config Diffs:\n+license udi pid CSR1000V sn 9MVVU09YZFH\n"
        "-license udi pid CSR1000V sn 9FK0UZW73QE\n\ncsr1000v#"
    ),
    "show running-config": (
        "\nBuilding configuration...\n\nCurrent configuration : 4818 bytes\n!\n! Last configuration change at 00:20:19 "
        "UTC Sat Nov 20 2021 by boxen\n!\nversion 16.12\nservice timestamps debug datetime msec\n!\nhostname csr1000v\n"
        "!\ninterface GigabitEthernet1\n ip address 10.0.0.15 255.255.255.0\n!\nend\n\ncsr1000v#"
    ),
    "configure replace flash:__SCRAPLI_CFG_SESSION_NAME__ force": (
        "\nThe rollback configlet from the last pass is listed below:\n********\n!List of Rollback Commands:\n"
        "no license udi pid CSR1000V sn 9FK0UZW73QE\nlicense udi pid CSR1000V sn 9MVVU09YZFH\nend\n********\n\n\n"
        "Rollback aborted after 5 passes\nThe following commands are failed to apply to the IOS image.\n********\n"
        "license udi pid CSR1000V sn 9MVVU09YZFH\n********\n\n\ncsr1000v#"
    ),
    "terminal width 512": "\ncsr1000v#",
}
ANNOUNCED = (
    "Rollback Confirmed Change: Rollback will begin in one minute.\n"
    "Enter “configure confirm” if you wish to keep what you’ve configured\n\n"
    "*Feb 15 15:56:41.528: %ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_BACKUP: Backing up current running config to "
    "flash:archive-Feb-15-15-56-38.517-1\n"
    "*Feb 15 15:56:41.529: %ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_START_ABSTIMER: User: console(Priv: 15, View: 0): "
    "Scheduled to rollback to config flash:archive-Feb-15-15-56-38.517-1 in 1 minutes\n"
)
ROLLED = (
    "Rollback Confirmed Change: rolling to:flash:archive-Feb-15-15-56-38.517-1\n\n"
    "*Feb 15 15:57:41.535: %ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_ROLLBACK_START: Start rolling to: "
    "flash:archive-Feb-15-15-56-38.517-1\n*Feb 15 15:57:41.560: Rollback:Acquired Configuration lock.\n!Pass 1\n"
    "!List of Rollback Commands:\ninterface GigabitEthernet0/0\nno ip address 2.2.2.2 255.255.255.0\n"
    "interface GigabitEthernet0/0\nip address 1.1.1.1 255.255.255.0\nend\n\n"
    "Total number of passes: 1\nRollback Done\n\n"
)
CHUNKS = st.lists(st.integers(1, 40), min_size=1, max_size=20)


def fed(reading: Reading, said: str, sizes: list[int], *, end: str = "\r\n") -> list[int]:
    """Feed it in chunks of these sizes, again and again; return after how many bytes a prompt stood at the end."""
    raw = said.replace("\n", end).encode()
    prompts, start, turn = [], 0, 0
    while start < len(raw):
        size = sizes[turn % len(sizes)]
        reading.add(raw[start : start + size])
        start, turn = min(start + size, len(raw)), turn + 1
        if reading.mode is not None:
            prompts.append(start)
    return [len(raw) - there for there in prompts]


@given(st.sampled_from(sorted(RECORDED)), CHUNKS, st.sampled_from(["\n", "\r\n", "\r\r\n"]))
def test_a_recorded_answer_is_the_same_however_it_is_cut(command: str, sizes: list[int], end: str) -> None:
    reading = Reading(command, "csr1000v")
    assert fed(reading, command + RECORDED[command], sizes, end=end) == [0]
    said = RECORDED[command].removeprefix("\n").removesuffix("csr1000v#").strip("\n")
    assert reading.answer().strip("\n") == said
    assert reading.mode == ""


@given(CHUNKS)
def test_a_recorded_question_is_recognised_answered_and_the_answer_read_on(sizes: list[int]) -> None:
    command = "copy running-config startup-config"
    reading = Reading(command, "csr1000v")
    assert fed(reading, f"{command}\nDestination filename [startup-config]? ", sizes) == []
    assert reading.question == "Destination filename [startup-config]?"
    assert reading.asks(r"Destination filename \[[^\]]*\]\?")
    reading.replied()
    assert not reading.asks(r"Destination filename \[[^\]]*\]\?")
    assert fed(reading, "\n\nBuilding configuration...\n[OK]\ncsr1000v#", sizes) == [0]
    assert ios_answers.SAVED.search(reading.answer())


@given(CHUNKS, st.sampled_from([ANNOUNCED, ROLLED]))
def test_a_message_behind_the_prompt_does_not_hide_it(sizes: list[int], message: str) -> None:
    reading = Reading("interface GigabitEthernet0/0", "Router")
    fed(reading, f"interface GigabitEthernet0/0\nRouter(config-if)#{message}", sizes)
    assert reading.mode == "(config-if)"
    assert reading.answer() == ""


@given(CHUNKS)
def test_something_unknown_behind_the_prompt_leaves_it_a_prompt_once_nothing_more_comes(sizes: list[int]) -> None:
    reading = Reading("show clock", "Router")
    fed(reading, "show clock\n10:00:00.000 UTC Sun Nov 22 2026\nRouter#No manual mentions this.\n", sizes)
    assert reading.mode is None
    assert reading.settled()
    assert reading.prompted == ""


def test_the_prompt_that_stands_before_the_echo_is_not_that_of_the_answer() -> None:
    reading = Reading("show clock", "Router")
    fed(reading, "Router#show clock\n10:00:00.000", [9])
    assert not reading.settled()


@given(CHUNKS, st.sampled_from([ANNOUNCED, ROLLED]))
def test_a_message_that_came_before_is_not_the_answer(sizes: list[int], message: str) -> None:
    reading = Reading("show privilege", "Router")
    fed(reading, f"{message}\nRouter#\nRouter#show privilege\nCurrent privilege level is 15\nRouter#", sizes)
    assert reading.answer() == "Current privilege level is 15\n"


@given(st.integers(0, 20), CHUNKS)
def test_a_message_that_breaks_into_what_is_typed_changes_nothing(place: int, sizes: list[int]) -> None:
    command = "ip route 10.0.0.0 255.0.0.0 198.18.40.2"
    message = "\n*Feb 15 15:56:41.528: %SYS-5-CONFIG_I: Configured from console by x on vty0 (198.18.0.1)\n"
    reading = Reading(command, "Router")
    fed(reading, f"{command[:place]}{message}{command[place:]}\nRouter(config)#", sizes)
    assert reading.mode == "(config)"
    assert reading.answer() == ""


@pytest.mark.parametrize("message", [ANNOUNCED, ROLLED])
def test_nothing_is_left_of_a_message(message: str) -> None:
    assert uninterrupted(message).strip() == ""


def test_what_an_answer_says_about_the_timer_is_kept() -> None:
    said = "Rollback Confirmed Change: Backing up current running config to flash:dsi-Nov-22-1\n\nEnter configuration\n"
    assert uninterrupted(said) == said


@pytest.mark.parametrize("banner", ["*** no access ###\n", "##########\n#  DSI   #\n", "C\nWelcome to rtr#\n"])
def test_a_greeting_is_no_prompt(banner: str) -> None:
    assert not greeted(banner.replace("\n", "\r\n").encode())
    assert greeted((banner + "\nrtr-spy#").encode())


def test_a_name_that_configuration_mode_cuts_short_is_the_same_router() -> None:
    name = "a-very-long-router-name-of-bouake"
    reading = Reading("configure terminal", name)
    fed(reading, f"configure terminal\nEnter configuration commands\n{name[:20]}(config)#", [7])
    assert reading.mode == "(config)"


def test_the_name_is_what_stands_before_the_echo() -> None:
    reading = Reading("terminal length 0", None)
    fed(reading, "Authorised users only#\nrtr-spy#terminal length 0\nrtr-spy#", [5])
    assert (reading.name, reading.mode) == ("rtr-spy", "")
