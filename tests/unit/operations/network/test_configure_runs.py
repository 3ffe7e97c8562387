"""A change of routers stays only where a new connection proved it; else all of its unit are back as they were."""

import itertools
import threading

import pytest
from nethouse import Office, outcomes

from dsi_automation.connectors.routers.port import NothingPendingError
from dsi_automation.core.errors import DsiError, StoppedError, UnknownOutcomeError, UnreachableError, WorldChangedError
from dsi_automation.core.text import T
from dsi_automation.operations.network.rollout import Rollout

STEPS = ("snapshot", "arm", "push", "confirm", "save")
PAIR = ("rtr-abj", "rtr-spy")


def pair(tmp_path, **settings):
    """Return a network in which the circuit between headquarters and San-Pédro is to be put up, and nothing else."""
    office = Office(tmp_path, right="*", **settings)
    for name, address in (("rtr-spy", "10.64.9.1/30"), ("rtr-abj", "10.64.9.2/30")):
        device = office.device(name)
        device.by_hand("interface wan0", f" no ip address {address}", "exit")
        device.start = device.config
    office.before = {name: office.device(name).config for name in office.names}
    return office


def lan_only(tmp_path, more=0, **settings):
    """Return a network in which the LAN's description is to be set on every router: each is a unit by itself."""
    office = Office(tmp_path, more=more, right="*", **settings)
    for name in office.names:
        device = office.device(name)
        device.by_hand("interface lan0", " no description", "exit")
        device.start = device.config
    office.before = {name: office.device(name).config for name in office.names}
    return office


def untouched(office, name):
    device = office.device(name)
    return device.config == office.before[name] == device.start and not device.armed and not device.pushed


def back(office, name):
    device = office.device(name)
    return device.config == office.before[name] == device.start and not device.armed and bool(device.pushed)


def kinds(office, name):
    return [event.split()[0] for event in office.device(name).events]


def error(run, name):
    return " ".join(str(run.errors[name][key]) for key in ("what", "meaning", "next_step"))


def broken(tmp_path, fault):
    office = pair(tmp_path)
    fault(office)
    return office, office.configure(*PAIR)


def test_a_new_network_is_set_up_proven_and_saved(tmp_path):
    office = Office(tmp_path)
    run = office.configure()
    assert run.exit_code == 0
    assert all(office.right(name) for name in office.names)
    assert {check.name for check in run.evidence if check.target == "rtr-spy"} >= {
        "configuration", "startup", "timer", "interface.wan0", "route.10.64.0.0/12", "ping.10.64.9.2",
    }  # fmt: skip
    assert all(check.ok for check in run.evidence)


def test_each_step_is_done_on_all_routers_of_a_unit_before_the_next_one(tmp_path):
    office = pair(tmp_path)
    office.configure(*PAIR)
    order = [point.split()[2] for point in office.points if point.split()[1] == "before" and "note" not in point]
    assert [step for step in order if step in STEPS] == [step for step in STEPS for _ in PAIR]


def test_what_was_done_is_in_the_record(tmp_path):
    office = pair(tmp_path)
    run = office.configure(*PAIR)
    names = [one.name.removeprefix("router.") for one in run.notes if one.target == "rtr-spy"]
    assert names == ["snapshot", "armed", "pushed", "verified", "confirmed", "saved", "copied"]
    assert office.kept[0][0] == "routers"
    assert "10.64.9.1" in office.copies.texts["rtr-spy"]


def test_twice_changes_nothing(tmp_path):
    office = Office(tmp_path)
    office.configure()
    done = {name: list(office.device(name).events) for name in office.names}
    assert office.plan().actions == ()
    assert {name: office.device(name).events for name in office.names} == done


def test_a_change_that_cuts_the_management_goes_back_by_itself_and_the_run_says_so(tmp_path):
    office, run = broken(tmp_path, lambda office: setattr(office.device("rtr-spy").faults, "cut", "10.64.9.1/30"))
    assert run.exit_code == 6
    assert back(office, "rtr-spy")
    assert back(office, "rtr-abj")
    assert "by itself, by its timer" in error(run, "rtr-spy") or "minuterie" in error(run, "rtr-spy")
    (note,) = office.stepped("reverted", "rtr-spy")
    assert (note["by"], note["same"]) == ("timer", True)
    assert "save" not in kinds(office, "rtr-spy")


def test_a_wrong_address_is_found_by_ping_and_taken_back_at_once(tmp_path):
    office, run = broken(tmp_path, lambda office: office.device("rtr-spy").faults.ping.add("10.64.9.2"))
    assert run.exit_code == 6
    assert back(office, "rtr-spy")
    assert back(office, "rtr-abj")
    assert [note["by"] for note in office.stepped("reverted")] == ["controller", "controller"]
    assert (office.clock.now() - run.started_at).total_seconds() < 120


def test_a_line_that_is_refused_half_way_is_named_and_both_ends_are_back(tmp_path):
    office, run = broken(tmp_path, lambda office: office.device("rtr-spy").faults.refuse.update({"ip address": "% No"}))
    assert run.exit_code == 6
    assert back(office, "rtr-abj")
    assert office.device("rtr-spy").config == office.before["rtr-spy"]
    assert "ip address 10.64.9.1/30" in error(run, "rtr-spy")
    assert "rtr-spy" in error(run, "rtr-abj")


def test_one_that_went_back_by_itself_takes_the_confirmed_one_back(tmp_path):
    office = pair(tmp_path)
    confirmed = threading.Event()

    def point(event):
        if event == "after confirm":
            confirmed.set()

    def late(event):
        if event == "before confirm":
            assert confirmed.wait(30)
            office.device("rtr-spy").go_back("timer")

    office.device("rtr-abj").point, office.device("rtr-spy").point = point, late
    run = office.configure(*PAIR)
    assert run.exit_code == 6
    assert back(office, "rtr-spy")
    assert back(office, "rtr-abj")
    assert kinds(office, "rtr-abj")[-2:] == ["confirm", "restore"]


def test_a_confirmation_whose_answer_is_lost_is_found_out(tmp_path):
    lost = UnknownOutcomeError(T("No answer."), on="rtr-spy")
    office, run = broken(tmp_path, lambda office: office.device("rtr-spy").faults.fails.update(confirm=[lost]))
    assert run.exit_code == 0
    assert office.right("rtr-spy")


def test_a_push_whose_answer_is_lost_is_proven_by_the_new_connection(tmp_path):
    office = pair(tmp_path)
    lost = UnknownOutcomeError(T("No answer."), on="rtr-spy")

    def point(event):
        if event == "after push":
            raise lost

    office.device("rtr-spy").point = point
    assert office.configure(*PAIR).exit_code == 0
    assert office.right("rtr-spy")


def test_a_router_changed_by_hand_since_the_approval_is_not_touched(tmp_path):
    office = pair(tmp_path)
    request = office.approved(*PAIR)
    office.device("rtr-spy").by_hand("ip route 192.0.2.0/24 198.18.0.9")
    with pytest.raises(WorldChangedError, match=r"192\.0\.2\.0/24"):
        office.run(request)
    assert all(office.device(name).events == [] for name in PAIR)


def test_a_router_changed_by_hand_just_before_it_is_armed_is_not_sent_anything(tmp_path):
    office = pair(tmp_path)
    device, hand = office.device("rtr-spy"), "ip route 192.0.2.0/24 198.18.0.9"

    def point(event):
        if event == "before arm":
            device.by_hand(hand)

    device.point = point
    run = office.configure(*PAIR)
    assert run.exit_code == 7
    assert device.pushed == office.device("rtr-abj").pushed == []
    assert not device.armed
    assert hand in device.config.lines()


def test_lines_that_reach_a_router_once_its_timer_is_over_are_taken_back_from_the_snapshot(tmp_path):
    office = Office(tmp_path)
    before, device = office.device("rtr-spy").config, office.device("rtr-spy")

    def point(event):
        if event == "before push":
            office.clock.forward(minutes=10)
            office.devices.settle()

    device.point = point
    run = office.configure(*PAIR)
    assert run.exit_code == 6
    assert device.config == before
    (note,) = office.stepped("reverted", "rtr-spy")
    assert (note["by"], note["same"]) == ("timer", True)


def test_a_router_that_does_not_come_back_whole_is_told_line_by_line(tmp_path):
    def fault(office):
        office.device("rtr-spy").faults.ping.add("10.64.9.2")
        office.device("rtr-spy").faults.stuck = ("ip route 192.0.2.0/24 198.18.0.9",)

    office, run = broken(tmp_path, fault)
    assert run.exit_code == 6
    assert "192.0.2.0/24" in error(run, "rtr-spy")
    assert [note["same"] for note in office.stepped("reverted", "rtr-spy")] == [False]


def test_a_router_that_never_answers_again_is_not_called_back(tmp_path):
    office = pair(tmp_path)
    device = office.device("rtr-spy")

    def point(event):
        if event == "after push":
            device.faults.unreachable = UnreachableError(T("Silent."), on="rtr-spy")

    device.point = point
    run = office.configure(*PAIR)
    assert outcomes(run)["rtr-spy"] == "unknown"
    assert back(office, "rtr-abj")


def test_a_journal_that_refuses_leaves_no_router_changed(tmp_path):
    office = pair(tmp_path)
    inner = office.hands

    def hands(permit):
        made = inner(permit)
        note = made.note

        def refusing(target, name, data):
            if name == "router.pushed":
                raise DsiError(T("The disk is full."))
            note(target, name, data)

        made.note = refusing
        return made

    office.hands = hands
    assert office.configure(*PAIR).exit_code == 6
    assert back(office, "rtr-spy")
    assert back(office, "rtr-abj")


def test_a_canary_that_fails_leaves_all_others_as_they_are(tmp_path):
    office = lan_only(tmp_path, stop_after=9)
    office.device("rtr-bke").faults.refuse["description"] = "% No"
    run = office.configure(canary="rtr-bke")
    assert run.exit_code == 6
    assert all(untouched(office, name) for name in ("rtr-abj", "rtr-spy", "rtr-man"))
    assert set(outcomes(run).values()) == {"failed", "interrupted"}


def test_waves_come_one_after_the_other_saving_included(tmp_path):
    office = lan_only(tmp_path, more=4, wave=3)
    assert office.configure(canary="rtr-x0").exit_code == 0
    waves = [{"rtr-x0"}, {"rtr-abj", "rtr-spy", "rtr-bke"}, {"rtr-man", "rtr-x1", "rtr-x2"}, {"rtr-x3"}]
    for wave, following in itertools.pairwise(waves):
        saved = max(office.points.index(f"{name} after save") for name in wave)
        assert saved < min(office.points.index(f"{name} before arm") for name in following)


def test_no_more_routers_than_a_wave_are_changed_at_once(tmp_path):
    office = lan_only(tmp_path, more=8)
    assert office.configure(wave=2).exit_code == 0
    open_now, most = 0, 0
    for point in office.points:
        open_now += {"before arm": 1, "after save": -1}.get(point.partition(" ")[2], 0)
        most = max(most, open_now)
    assert most <= 2


def test_after_as_many_failures_as_agreed_the_rest_is_left_as_it_is(tmp_path):
    office = lan_only(tmp_path, more=6)
    for name in ("rtr-spy", "rtr-bke"):
        office.device(name).faults.refuse["description"] = "% No"
    run = office.configure(wave=1, stop_after=2)
    assert run.exit_code == 6
    ends = outcomes(run)
    assert ends["rtr-abj"] == "done"
    assert {name for name, end in ends.items() if end == "failed"} == {"rtr-spy", "rtr-bke"}
    assert all(untouched(office, name) for name, end in ends.items() if end == "interrupted")
    assert [end for end in ends.values() if end == "interrupted"] == ["interrupted"] * 7


def test_fewer_failures_than_agreed_do_not_stop_the_rest(tmp_path):
    office = lan_only(tmp_path, more=2)
    office.device("rtr-spy").faults.refuse["description"] = "% No"
    ends = outcomes(office.configure(wave=1, stop_after=2))
    assert [name for name, end in ends.items() if end != "done"] == ["rtr-spy"]


def test_a_stop_asked_for_before_anything_is_sent_leaves_all_as_it_was(tmp_path):
    office = pair(tmp_path)
    office.interrupted = lambda: any("after arm" in point for point in office.points)
    run = office.configure(*PAIR)
    assert all(untouched(office, name) for name in PAIR)
    assert set(outcomes(run).values()) == {"interrupted"}
    office.interrupted = lambda: False
    assert office.resume().exit_code == 0
    assert all(office.right(name) for name in PAIR)


def test_a_router_whose_partner_does_not_come_is_left_as_it_is(tmp_path):
    office = pair(tmp_path)
    plan = office.plan(*PAIR)

    class Hands:
        interrupted = False

    rollout = Rollout(plan, Hands(), stop_after=1, within=30.0)
    rollout.left("rtr-abj")
    with pytest.raises(StoppedError, match="rtr-abj"):
        rollout.configure(plan.actions_for("rtr-spy")[0], office)
    assert office.device("rtr-spy").events == []


def test_a_partner_that_stopped_answering_since_the_approval_keeps_both_ends_as_they_are(tmp_path):
    office = pair(tmp_path)
    request = office.approved(*PAIR)
    office.device("rtr-abj").faults.unreachable = UnreachableError(T("Silent."), on="rtr-abj")
    run = office.run(request)
    assert run.exit_code == 3
    assert untouched(office, "rtr-spy")
    assert "rtr-abj" in error(run, "rtr-spy")


def test_a_router_changed_between_confirming_and_saving_is_not_saved(tmp_path):
    office = pair(tmp_path)
    device, seen = office.device("rtr-spy"), office.notify

    def notify(event):
        seen(event)
        if event.kind == "router.confirmed" and event.target == "rtr-spy":
            device.by_hand("ip route 192.0.2.0/24 198.18.0.9")

    office.notify = notify
    run = office.configure(*PAIR)
    assert run.exit_code == 7
    assert device.start == office.before["rtr-spy"]


def test_nothing_pending_is_a_failure_and_never_a_success(tmp_path):
    office, run = broken(tmp_path, lambda office: setattr(office.device("rtr-spy").faults, "early", True))
    assert run.exit_code == 6
    assert back(office, "rtr-spy")
    assert back(office, "rtr-abj")
    assert NothingPendingError("rtr-spy").exit_code == 1
