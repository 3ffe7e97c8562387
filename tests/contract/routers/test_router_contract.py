"""What every router promises who is changed under a timer: a real FRRouting, and the one in memory."""

import pytest
from routerbench import CUT, FAR, NEAR

from dsi_automation.connectors.routers.port import LineRefusedError, NothingPendingError, TimerState
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError

CIRCUIT = [
    "interface wan0",
    " description LL-1 ABJ",
    " ip address 10.64.3.1/30",
    "exit",
    "ip route 10.64.0.0/12 10.64.3.2",
]
OTHER_END = ["interface wan0", " ip address 10.64.3.2/30", "exit"]
FILTER = [
    "filter DSI-LAN-IN",
    " inside lan0",
    " lan 10.64.2.0/24",
    " management 198.18.0.1/32",
    " internal 10.64.0.0/12",
    " deny any tcp/23",
    " rule ac-k7m2qx 10.64.2.8/29 10.64.0.20/32 tcp/8443 until 2036-12-31T23:59:59Z",
    "exit",
]


def test_what_was_pushed_runs_and_nothing_of_it_is_saved_before_it_is_asked(bench):
    with bench.open() as router:
        before = router.running()
        router.snapshot("ch-1")
        assert router.arm(60) == before
        router.push([*FILTER, *CIRCUIT])
        router.close()
        after = router.running()
        assert after == router.dialect.apply(before, [*FILTER, *CIRCUIT])
        assert router.startup() == before
        router.confirm()
        assert router.startup() == before
        router.save()
        assert router.startup() == router.running() == after
        assert router.timer().state is TimerState.NONE
        assert router.timer().last.startswith("confirmed")


def test_one_answer_says_what_each_question_does(bench):
    with bench.open() as router:
        printed = router.snapshot("ch-1")
        router.arm(60)
        router.push([*FILTER, *CIRCUIT])
        router.close()
        seen = router.seen()
        assert (seen.running, seen.startup, seen.timer) == (router.running(), router.startup(), router.timer())
        assert seen.timer.state is TimerState.ARMED
        assert {"lan0", "wan0", "mgmt0"} <= set(seen.interfaces)
        assert seen.running == router.printed().running != seen.startup
        assert seen.text == router.printed().text == router.text()
        router.revert()
        assert router.text() == printed != seen.text


def test_both_ends_see_each_other_once_both_are_changed(bench):
    with bench.open() as far, bench.open(NEAR) as near:
        for router, lines in ((far, CIRCUIT), (near, OTHER_END)):
            router.arm(60)
            router.push(lines)
            router.close()
        assert far.interface("wan0").addresses == ("10.64.3.1/30",)
        assert (far.interface("wan0").up, far.interface("wan0").line_protocol) == (True, True)
        assert far.interface("wan9") is None
        assert far.route("10.64.0.0/12") == ("10.64.3.2",)
        assert far.route("10.0.0.0/8") == ()
        assert far.ping("10.64.3.2", count=2).received == 2
        assert far.ping("10.64.3.6", count=2).received == 0
        wan0, running = far.interface("wan0"), far.running()
        proof = far.proof(["wan0", "wan9"], ["10.64.0.0/12", "10.0.0.0/8"], ["10.64.3.2", "10.64.3.6"], 2)
        assert (proof.running, proof.interfaces) == (running, {"wan0": wan0, "wan9": None})
        assert proof.routes == {"10.64.0.0/12": ("10.64.3.2",), "10.0.0.0/8": ()}
        assert {address: one.received for address, one in proof.pings.items()} == {"10.64.3.2": 2, "10.64.3.6": 0}
        far.revert()
        near.revert()


def test_a_timer_that_runs_out_takes_everything_back_although_the_controller_is_cut_off(bench):
    with bench.open() as router:
        before = router.running()
        router.arm(10)
        with pytest.raises(UnknownOutcomeError):
            router.push([*FILTER, *CIRCUIT, *CUT])
        router.close()
        bench.run_out(router, 10)
        router.close()
        assert router.running() == before
        assert router.timer().last.startswith("reverted remaining=0")
        with pytest.raises(NothingPendingError):
            router.confirm()


def test_a_refused_line_is_named_and_those_before_it_are_in_force(bench):
    with bench.open() as router:
        before = router.running()
        router.arm(60)
        with pytest.raises(LineRefusedError) as refused:
            router.push([*CIRCUIT[:3], " ip adress 10.64.3.5/30", "exit", CIRCUIT[-1]])
        assert refused.value.line.strip() == "ip adress 10.64.3.5/30"
        running = router.running()
        assert running.sections["interface wan0"] == ("description LL-1 ABJ", "ip address 10.64.3.1/30")
        assert CIRCUIT[-1] not in running.sections[""]
        router.revert()
        assert router.running() == before


def test_a_refused_line_of_the_filter_is_named(bench):
    with bench.open() as router:
        router.arm(60)
        with pytest.raises(LineRefusedError) as refused:
            router.push([*CIRCUIT, *FILTER[:-1], " no rule ac-zzzzzz", "exit"])
        assert refused.value.line.strip() == "no rule ac-zzzzzz"
        assert router.running().sections["interface wan0"] == ("description LL-1 ABJ", "ip address 10.64.3.1/30")
        router.revert()


def test_only_one_timer_at_a_time_and_nothing_is_saved_under_it(bench):
    with bench.open() as router:
        armed = router.arm(60)
        assert router.timer().state is TimerState.ARMED
        assert router.timer().until is not None
        for forbidden in (lambda: router.arm(60), router.save, lambda: router.restore("ch-1")):
            with pytest.raises(RefusedError):
                forbidden()
        assert router.startup() == armed
        router.revert()
        assert router.timer().last.startswith("reverted remaining=0")


def test_going_back_on_request_is_at_once_and_complete(bench):
    with bench.open() as router:
        before = router.running()
        router.arm(600)
        router.push([*FILTER, *CIRCUIT])
        router.revert()
        assert router.running() == before
        assert router.interface("wan0").addresses == ()
        router.close()
        with pytest.raises(NothingPendingError):
            router.confirm()


def test_what_was_confirmed_is_taken_back_from_its_snapshot(bench):
    with bench.open() as router:
        before = router.running()
        router.snapshot("ch-2")
        router.arm(60)
        router.push([*FILTER, *CIRCUIT])
        router.close()
        router.confirm()
        router.restore("ch-2")
        assert router.running() == before
        with pytest.raises(RefusedError):
            router.restore("ch-3")


def test_a_snapshot_keeps_its_content(bench):
    with bench.open() as router:
        router.snapshot("ch-4")
        router.snapshot("ch-4")
        bench.by_hand("interface wan0", " description by hand")
        with pytest.raises(RefusedError):
            router.snapshot("ch-4")


def test_nothing_is_pending_where_nothing_was_armed(bench):
    with bench.open() as router:
        assert router.timer().state is TimerState.NONE
        with pytest.raises(NothingPendingError):
            router.confirm()
        with pytest.raises(NothingPendingError):
            router.revert()


def test_a_dangerous_line_is_refused_and_nothing_was_sent(bench):
    with bench.open() as router:
        before = router.arm(60)
        with pytest.raises(RefusedError):
            router.push([*CIRCUIT, "username intruder privilege 15"])
        assert router.running() == before
        router.revert()


def test_every_write_asks_the_permit_first(bench):
    with bench.open() as router:
        before = router.running()
        bench.permit.allowed = False
        writes = (lambda: router.snapshot("ch-5"), lambda: router.arm(60), lambda: router.push(CIRCUIT), router.confirm,
                  router.save, router.revert, lambda: router.restore("ch-5"))  # fmt: skip
        for write in writes:
            with pytest.raises(DsiError, match="taken away"):
                write()
        assert bench.permit.asked == [FAR] * len(writes)
        assert router.running() == before
        assert router.timer().state is TimerState.NONE
        assert router.timer().last is None


def test_the_text_is_the_configuration_and_ready_says_nothing(bench):
    with bench.open(permit=False) as router:
        router.ready()
        assert router.dialect.parse(router.text()) == router.running()
