"""What the driver makes of a Cisco router that refuses, is busy, goes back by itself or falls silent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fix_ios import ADDRESS, LINES, WAN, Emulated
from waiting import wait_for

from dsi_automation.connectors.routers.ios import IosRouter
from dsi_automation.connectors.routers.port import NothingPendingError, TimerState
from dsi_automation.connectors.routers.session import RouterSession
from dsi_automation.connectors.routers.session_errors import QuestionError
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.lab.ios.texts import say

CUT = ("interface GigabitEthernet0/0", " shutdown", "exit")


def test_a_push_that_cuts_the_management_succeeds_once_the_router_went_back_and_is_not_confirmed(
    emulated: Emulated,
) -> None:
    router = emulated.driver()
    before = router.running()
    emulated.device.faults.cut_by = "shutdown"
    router.arm(600.0)
    with ThreadPoolExecutor(1) as thread:
        pushed = thread.submit(router.push, CUT)
        wait_for(lambda: not emulated.device.passable.is_set())
        assert not pushed.done()
        emulated.device.fire()
        # The terminal only stalled: the answers come now, and success says nothing.
        assert pushed.result() is None
    with pytest.raises(NothingPendingError):
        router.confirm()
    assert router.running() == before


def test_a_router_goes_back_by_itself_when_its_time_is_over(emulate: Callable[..., Emulated]) -> None:
    emulated = emulate(minute=0.05)
    router = emulated.driver()
    before = router.running()
    router.arm(120.0)
    wait_for(lambda: emulated.device.pending is None)
    with pytest.raises(NothingPendingError):
        router.confirm()
    assert router.running() == before
    with pytest.raises(RefusedError):
        router.push(LINES)


def test_a_push_nobody_answers_has_an_unknown_outcome(emulated: Emulated) -> None:
    emulated.driver().arm(600.0)
    emulated.device.faults.cut_by = "shutdown"
    router = emulated.driver(read_timeout=4.0)
    with pytest.raises(UnknownOutcomeError):
        router.push(CUT)
    emulated.device.fire()
    with pytest.raises(NothingPendingError):
        emulated.driver().confirm()


def test_a_router_that_falls_silent_once_it_is_armed_may_be_armed(emulated: Emulated) -> None:
    router = emulated.driver()
    emulated.device.faults.breaks_on = "terminal width 511"
    with pytest.raises(UnreachableError):
        router.ready()
    emulated.device.faults.breaks_on = "end"
    with pytest.raises(UnknownOutcomeError):
        emulated.driver().arm(600.0)


def test_a_connection_that_breaks_in_an_answer_is_an_unknown_outcome_of_a_write_only(emulated: Emulated) -> None:
    router = emulated.driver()
    emulated.device.faults.breaks_on = "write memory"
    with pytest.raises(UnknownOutcomeError):
        router.save()
    emulated.device.faults.breaks_on = "show running-config"
    with pytest.raises(UnreachableError) as broken:
        router.running()
    assert not isinstance(broken.value, UnknownOutcomeError)
    emulated.device.faults.breaks_on = None
    assert router.running() == router.startup()


def test_a_device_that_hangs_is_given_up_in_time(emulated: Emulated) -> None:
    emulated.device.faults.hangs_on = "show running-config"
    with pytest.raises(UnreachableError, match="show running-config"):
        emulated.driver(read_timeout=4.0).running()


def test_what_the_device_says_by_itself_is_not_taken_for_an_answer(emulated: Emulated) -> None:
    quiet = emulated.driver().running()
    emulated.device.faults.chatter = say("one_minute")
    router = emulated.driver()
    router.ready()
    assert router.arm(120.0) == quiet
    router.push(LINES)
    router.close()
    assert router.running() == router.dialect.apply(quiet, LINES)
    router.confirm()
    router.save()


def test_a_message_nobody_knows_behind_the_prompt_does_not_hide_it(emulated: Emulated) -> None:
    emulated.device.faults.chatter = "\nNo manual mentions this.\n"
    assert emulated.driver().timer().state is TimerState.NONE


def test_an_announcement_at_once_does_not_hide_the_prompt(emulated: Emulated) -> None:
    router = emulated.driver()
    router.arm(60.0)
    assert router.timer().state is TimerState.ARMED


def no_archive(emulated: Emulated) -> None:
    del emulated.device.running.sections["archive"]


def locked(emulated: Emulated) -> None:
    emulated.device.faults.lock = "jdupont"


def full(emulated: Emulated) -> None:
    emulated.device.faults.free = 4096


def unprivileged(emulated: Emulated) -> None:
    emulated.device.faults.privilege = 5


def armed(emulated: Emulated) -> None:
    emulated.driver().arm(600.0)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(no_archive, "flash:dsi-"), (locked, "jdupont"), (full, "4096"), (unprivileged, "15"), (armed, "netadmin")],
)
def test_a_router_that_could_not_go_back_is_not_ready_and_says_why(
    emulated: Emulated, trouble: Callable[[Emulated], None], said: str
) -> None:
    router = emulated.driver()
    router.ready()
    router.close()
    trouble(emulated)
    with pytest.raises(RefusedError, match=said):
        router.ready()


@pytest.mark.parametrize("trouble", [no_archive, locked])
def test_a_timer_that_cannot_be_armed_is_not_taken_for_one(
    emulated: Emulated, trouble: Callable[[Emulated], None]
) -> None:
    router = emulated.driver()
    trouble(emulated)
    with pytest.raises(RefusedError):
        router.arm(60.0)
    assert emulated.device.pending is None


def test_a_busy_startup_configuration_is_saved_once_it_is_free(emulated: Emulated) -> None:
    emulated.device.faults.busy_saves = 1
    emulated.device.running.top.append("ip route 10.0.0.0 255.0.0.0 198.18.40.2")
    router = emulated.driver()
    router.save()
    assert emulated.clock.waits == [2.0]
    assert router.startup() == router.running()


def test_a_startup_configuration_that_stays_busy_is_an_error(emulated: Emulated) -> None:
    emulated.device.faults.busy_saves = 99
    with pytest.raises(RefusedError, match="Device or resource busy"):
        emulated.driver().save()
    assert emulated.device.log.count("write memory") == 5


def test_what_another_version_wrote_is_overwritten(emulated: Emulated) -> None:
    emulated.device.faults.other_version = True
    emulated.device.running.top.append("ip route 10.0.0.0 255.0.0.0 198.18.40.2")
    router = emulated.driver()
    router.save()
    assert router.startup() == router.running()


def test_a_configuration_is_never_cut_off_to_fit(emulated: Emulated) -> None:
    emulated.device.faults.nvram_too_small = True
    emulated.device.running.top.append("ip route 10.0.0.0 255.0.0.0 198.18.40.2")
    router = emulated.driver()
    with pytest.raises(RefusedError, match="too large"):
        router.save()
    assert router.startup() != router.running()


def test_a_question_nobody_foresaw_is_told_and_not_answered(emulated: Emulated) -> None:
    session = RouterSession(replace(emulated.endpoint, read_timeout=4.0), SystemClock())
    with contextlib.closing(session), pytest.raises(QuestionError, match=r"Destination filename \[x\.cfg\]\?"):
        session.run("copy running-config flash:x.cfg")
    assert not session.connected
    assert emulated.device.files == {}


def test_a_snapshot_is_left_as_it_is_and_never_replaced_by_another(emulated: Emulated) -> None:
    router = emulated.driver()
    router.snapshot("run1")
    router.snapshot("run1")
    assert sum(line.startswith("copy") for line in emulated.device.log) == 1
    emulated.device.running.top.append("ip route 10.0.0.0 255.0.0.0 198.18.40.2")
    with pytest.raises(RefusedError, match=r"flash:dsi-run1\.cfg"):
        router.snapshot("run1")


@pytest.mark.parametrize("name", ["", "a b", "a\nreload", "../x", "x" * 49])
def test_a_snapshot_has_a_plain_name(emulated: Emulated, name: str) -> None:
    with pytest.raises(ValueError, match=r"instantané|snapshot"):
        emulated.driver().snapshot(name)


def confirmed(router: IosRouter) -> None:
    router.snapshot("run1")
    router.arm(120.0)
    router.push(LINES)
    router.confirm()


def test_what_was_confirmed_is_taken_back_from_its_snapshot(emulated: Emulated) -> None:
    router = emulated.driver()
    before = router.running()
    confirmed(router)
    assert router.running() != before
    router.restore("run1")
    assert router.running() == before


def test_a_replace_that_gives_up_is_no_success(emulated: Emulated) -> None:
    router = emulated.driver()
    confirmed(router)
    emulated.device.faults.replace_aborts = True
    with pytest.raises(RefusedError, match="Rollback aborted after 5 passes"):
        router.restore("run1")
    with pytest.raises(RefusedError, match="No such file"):
        router.restore("never-taken")


def test_reverting_goes_back_at_once_and_disarms(emulated: Emulated) -> None:
    router = emulated.driver()
    before = router.running()
    router.arm(600.0)
    router.push([WAN, ADDRESS, "exit"])
    router.revert()
    assert router.timer().state is TimerState.NONE
    assert router.running() == before
    with pytest.raises(NothingPendingError):
        router.revert()


def test_rests_of_a_bad_rollback_are_seen(emulated: Emulated) -> None:
    router = emulated.driver()
    before = router.arm(600.0)
    emulated.device.faults.reverts_badly = "ip route 10.0.0.0 255.0.0.0 198.18.40.9"
    router.revert()
    assert router.running() != before
