"""What IOS prints is read for what it means; the texts are from ntc-templates and genieparser (Apache-2.0)."""

from datetime import UTC, datetime

import pytest

from dsi_automation.connectors.routers import ios_answers as answers
from dsi_automation.connectors.routers.port import Interface, Ping, Timer, TimerState

TIMER = "Time configured(or reconfigured): 22:50:48 {zone} Sat Feb 21 2009\nTimer type: absolute timer\n"
ROUTE = (
    'Routing entry for 192.168.234.0/24\n  Known via "eigrp 1", distance 90, metric 3072, type internal\n'
    "  Last update from 192.168.9.2 on GigabitEthernet0/2.4, 3d04h ago\n  Routing Descriptor Blocks:\n"
    "  * 192.168.9.2, from 192.168.9.2, 3d04h ago, via GigabitEthernet0/2.4\n"
    "      Route metric is 3072, traffic share count is 1\n"
    "    192.168.9.6, from 192.168.9.6, 3d04h ago, via GigabitEthernet0/3\n"
)
CONNECTED = (
    "Routing entry for 10.13.115.1/32\nKnown via \"connected\", distance 0, metric 0 (connected)\n"
    "Routing Descriptor Blocks:\n* directly connected, via GigabitEthernet3.115\n    Route metric is 0\n"
)  # fmt: skip
LOCK = (
    "Parser Configure Lock\n---------------------\nOwner PID : {pid}\nUser : {user}\nTTY : 1\nType : {kind}\n"
    "State : {state}\nClass : EXPOSED\n"
)
RESET = (
    "GigabitEthernet0/0 is {state}, line protocol is {line}\n  Hardware is iGbE\n  Internet address is 10.1.50.1/24\n"
)


def test_a_timer_in_universal_time_tells_when_it_fires() -> None:
    text = TIMER.format(zone="UTC") + "Timer value: 2 min\nUser: console\n"
    until = datetime(2009, 2, 21, 22, 52, 48, tzinfo=UTC)
    assert answers.timer(text) == Timer(TimerState.ARMED, until=until, user="console")


def test_a_timer_in_a_local_time_is_armed_all_the_same() -> None:
    text = TIMER.format(zone="DST") + "Timer value: 2 min\nUser: console\n"
    assert answers.timer(text) == Timer(TimerState.ARMED, until=None, user="console")


def test_no_timer_is_none() -> None:
    assert answers.timer("%No Rollback Confirmed Change pending\n") == Timer(TimerState.NONE)


@pytest.mark.parametrize(
    ("prefix", "text", "hops"),
    [
        ("192.168.234.0/24", ROUTE, ("192.168.9.2", "192.168.9.6")),
        ("192.168.234.0/25", ROUTE, ()),
        ("10.13.115.1/32", CONNECTED, ("GigabitEthernet3.115",)),
        ("10.9.0.0/24", "% Subnet not in table\n", ()),
    ],
)
def test_next_hops_are_those_of_exactly_this_network(prefix: str, text: str, hops: tuple[str, ...]) -> None:
    assert answers.next_hops(prefix, text) == hops


@pytest.mark.parametrize(
    ("state", "line", "up", "protocol"),
    [
        ("up", "up", True, True),
        ("up", "up (connected)", True, True),
        ("down", "down (notconnect)", True, False),
        ("administratively down", "down", False, False),
        ("reset", "down (notconnect)", True, False),
    ],
)
def test_an_interface_is_up_unless_somebody_shut_it(state: str, line: str, *, up: bool, protocol: bool) -> None:
    found = answers.interface("Gi0/0", RESET.format(state=state, line=line))
    assert found == Interface("Gi0/0", up=up, line_protocol=protocol, addresses=("10.1.50.1/24",))


def test_an_interface_that_is_not_there_is_none() -> None:
    assert answers.interface("Gi9/9", "                     ^\n% Invalid input detected at '^' marker.\n") is None


@pytest.mark.parametrize(
    ("text", "holder"),
    [
        (LOCK.format(pid=-1, user="unknown", kind="NO LOCK", state="FREE"), None),
        (LOCK.format(pid=261, user="booches", kind="EXCLUSIVE", state="LOCKED"), "booches"),
        ("% Invalid input detected at '^' marker.\n", None),
    ],
)
def test_who_holds_the_lock_is_named(text: str, holder: str | None) -> None:
    assert answers.lock_held_by(text) == holder


@pytest.mark.parametrize(
    "text",
    [
        "Rollback aborted after 5 passes\n",
        "Failed to apply command adfjasdfadfa\nAborting Rollback.\n",
        "Rollback failed.Reverting back to the original configuration: flash:x ...\nRollback Done\n",
        "%Error opening flash:x.cfg (No such file or directory)\n",
        "Command authorization failed.\n",
    ],
)
def test_a_failure_is_never_taken_for_a_rollback(text: str) -> None:
    assert answers.FAILED.search(text)


def test_a_rollback_that_was_done_is_no_failure() -> None:
    text = "Total number of passes: 1\nRollback Done\n\n"
    assert answers.ROLLED_BACK.search(text)
    assert not answers.FAILED.search(text)


def test_a_ping_tells_what_came_back() -> None:
    text = "!!.!!\nSuccess rate is 80 percent (4/5), round-trip min/avg/max = 1/2/10 ms\n"
    assert answers.ping(text) == Ping(sent=5, received=4)
    assert answers.ping("% Unrecognized host or address\n") is None


def test_free_space_is_in_the_last_line_of_dir() -> None:
    assert answers.free_bytes("7835619328 bytes total (6612774912 bytes free)") == 6612774912
    assert answers.free_bytes("%Error\n") is None


@pytest.mark.parametrize(("entry", "bare"), [(" 10 permit ip any any", False), (" permit ip any any", True)])
def test_a_configuration_without_numbers_is_noticed(entry: str, bare: bool) -> None:
    assert answers.bare(f"!\nip access-list extended A\n remark x\n{entry}\n!\nend\n") is bare


def test_what_changes_at_each_look_is_left_out() -> None:
    text = (
        "Building configuration...\n\nCurrent configuration : 12 bytes\n!\n! Last configuration change at x\n!\nend\n"
    )
    assert answers.quiet(text) == "!\n!\nend\n"
