"""The controller killed, stopped or cut off at every step of a change of real routers: no branch stays half-changed.

Whatever was not confirmed goes back by the routers' own timers; `dsi resume` finishes what was approved.
"""

import threading

from waiting import PATIENCE, wait_for

SPY, ABJ = PAIR = ("rtr-spy", "rtr-abj")
NEAR, FAR = "10.64.3.2/30", "10.64.3.1/30"


def addressed(office, *routers):
    """Return which of two routers have their address of the circuit in the kernel."""
    ends = {SPY: FAR, ABJ: NEAR}
    return {name for name in routers if ends[name] in office.network.run(name, "ip", "-4", "-o", "addr", "show")}


def kept(office, router):
    """Tell whether a router starts with its end of the circuit: seen in its file, from outside."""
    file = office.network.routed.router(router).files.folder / "etc" / "frr" / "frr.conf"
    return {SPY: FAR, ABJ: NEAR}[router] in file.read_text()


def test_four_routers_whose_controller_dies_all_go_back_and_one_resume_configures_them_all(factory):
    names = factory.network.names
    before = factory.all_as_they_are()
    request = factory.agreed("router", "configure", "--reason", "Ouverture")
    factory.killed(lambda last: factory.reached("router.pushed", *names, after=last), "run", request)
    assert factory.all_as_they_are() != before
    factory.time_is_over()
    assert factory.all_as_they_are() == before
    assert all("going back, by timer" in factory.helper_log(name) for name in names)
    said = factory.dsi("resume", factory.runs()[-1], "--json")
    assert said.code == 0, said
    assert factory.dsi("router", "check", "--json").code == 0
    assert factory.dsi("router", "configure", "--json").json["actions"] == []
    factory.assert_whole()


def test_a_change_killed_at_every_step_leaves_both_ends_as_they_were_and_is_finished_by_resume(factory):
    before = factory.all_as_they_are()
    request = factory.agreed("router", "configure", SPY, "--reason", "Ouverture")
    words = ("run", request)

    def noted(name, *routers):
        return lambda last: factory.reached(name, *routers, after=last)

    moments = {
        "a snapshot is there": noted("router.snapshot"),
        "one timer is armed": noted("router.armed"),
        "one end is half pushed": lambda _: addressed(factory, *PAIR),
        "both ends are pushed": noted("router.pushed", *PAIR),
    }
    for step, moment in moments.items():
        factory.killed(moment, *words)
        factory.time_is_over()
        assert factory.all_as_they_are() == before, step
        words = ("resume", factory.runs()[-1])
    # Proven at both ends, and neither of them hears that it may stay.
    last = factory.last
    holds = [Hold(factory, name, lambda name=name: factory.reached("router.pushed", name, after=last)) for name in PAIR]
    factory.killed(noted("router.verified", *PAIR), *words)
    for hold in holds:
        hold.until_over()
    factory.quiet()
    assert factory.all_as_they_are() == before
    said = factory.dsi(*words, "--json")
    assert said.code == 0, said
    assert addressed(factory, *PAIR) == set(PAIR)
    assert all(kept(factory, name) for name in PAIR)
    factory.assert_whole()


def test_killed_between_the_confirmations_of_both_ends_and_while_saving_it_is_finished_by_resume(factory):
    request = factory.agreed("router", "configure", SPY, "--reason", "Ouverture")
    words = ("run", request)
    # Headquarters hears nothing of its confirmation before its timer is over.
    hold = Hold(factory, ABJ, lambda: factory.reached("router.pushed", ABJ))
    factory.killed(lambda last: factory.reached("router.confirmed", SPY, after=last), *words)
    assert not factory.reached("router.confirmed", ABJ)
    hold.until_over()
    factory.quiet(ABJ)
    assert addressed(factory, *PAIR) == {SPY}
    assert not any(kept(factory, name) for name in PAIR)

    words = ("resume", factory.runs()[-1])
    factory.killed(lambda last: factory.reached("router.confirmed", ABJ, after=last), *words)
    assert addressed(factory, *PAIR) == set(PAIR)
    factory.killed(lambda _: any(kept(factory, name) for name in PAIR), *words)
    said = factory.dsi(*words, "--json")
    assert said.code == 0, said
    assert all(kept(factory, name) for name in PAIR)
    assert factory.dsi("router", "check", SPY, "--json").code == 0


class Hold:
    """Holds a router's `dsi-cc` from a moment on until its timer is over."""

    def __init__(self, office, router, moment):
        self.office, self.router, self.over = office, router, threading.Event()
        self.thread = threading.Thread(target=self._hold, args=(moment,))
        self.thread.start()

    def _hold(self, moment):
        wait_for(moment, every=0.005)
        with self.office.held(self.router):
            self.over.wait(PATIENCE)

    def until_over(self):
        self.over.set()
        self.thread.join()


def test_a_controller_that_stands_still_until_the_timer_is_over_sends_nothing_any_more(factory):
    # By the controller's clock as well: this one is waited for.
    factory.rollout(timer="15s", verify_within="5s")
    before = factory.all_as_they_are()
    request = factory.agreed("router", "configure", SPY, "--reason", "Ouverture")

    def until_both_are_back():
        wait_for(lambda: all("going back, by timer" in factory.helper_log(name) for name in PAIR), every=0.2)
        factory.quiet(*PAIR)

    armed = lambda last: factory.reached("router.armed", *PAIR, after=last)  # noqa: E731
    said = factory.during(armed, until_both_are_back, "run", request)
    assert said.code == 6, said
    assert factory.all_as_they_are() == before


def test_an_end_that_is_cut_off_while_the_other_is_confirmed_brings_both_back(factory):
    before = factory.all_as_they_are()
    request = factory.agreed("router", "configure", SPY, "--reason", "Ouverture")
    hold = Hold(factory, ABJ, lambda: factory.reached("router.pushed", ABJ))
    process = factory.start("run", request, "--json")
    wait_for(lambda: factory.reached("router.confirmed", SPY), every=0.1)
    hold.until_over()
    said = factory.finish(process)
    assert said.code == 6, said
    assert factory.reached("router.confirmed", SPY)
    assert {name: one["same"] for name, one in factory.reverted().items()} == dict.fromkeys(PAIR, True)
    factory.quiet()
    assert factory.all_as_they_are() == before
