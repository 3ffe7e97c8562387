"""What `router.configure` plans: exact lines and the way back, who changes with whom, what is left out and why."""

import pytest
from nethouse import ALL, Office, kinds, unit, wave

from dsi_automation.connectors.routers.config import Config
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.text import T


def said(plan, target, kind):
    return [one.reason.render("en") for one in plan.non_actions if (one.target, one.kind) == (target, kind)]


def test_a_plan_has_the_exact_lines_and_those_that_undo_them(tmp_path):
    office = Office(tmp_path, right=("rtr-abj", "rtr-bke", "rtr-man"))
    action = next(one for one in office.plan().actions if one.id == "rtr-spy/configure")
    lines = action.args["lines"]
    assert lines[lines.index("interface wan0") :][:4] == [
        "interface wan0",
        " description lnk-spy to rtr-abj (abj), operator oci, circuit LL-2041",
        " ip address 10.64.9.1/30",
        "exit",
    ]
    assert "ip route 10.64.0.0/12 10.64.9.2" in lines
    device = office.device("rtr-spy")
    there = device.dialect.apply(device.config, action.args["lines"])
    assert there.digest == action.args["after"]
    assert device.dialect.apply(there, action.args["undo"]).digest == action.args["running"]


def test_what_is_right_already_is_left_alone_with_its_reason(tmp_path):
    office = Office(tmp_path, right="*")
    plan = office.plan()
    assert kinds(plan) == []
    assert said(plan, "rtr-spy", "configure") == ["Already as the inventory wants it."]


def test_what_runs_and_is_not_saved_is_saved_alone(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-spy").start = Config({"interface mgmt0": ("ip address 198.18.0.12/24",)})
    assert kinds(office.plan()) == ["rtr-spy/save"]


def test_unsaved_lines_of_somebody_else_are_named(tmp_path):
    office = Office(tmp_path, right=("rtr-abj", "rtr-bke", "rtr-man"))
    office.device("rtr-spy").by_hand("ip route 192.0.2.0/24 198.18.0.9")
    (why,) = said(office.plan(), "rtr-spy", "unsaved")
    assert "saved with it" in why
    assert "ip route 192.0.2.0/24 198.18.0.9" in why


def test_unsaved_lines_of_somebody_else_alone_are_not_saved(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-spy").by_hand("ip route 192.0.2.0/24 198.18.0.9")
    plan = office.plan()
    assert kinds(plan) == []
    assert "left so" in said(plan, "rtr-spy", "unsaved")[0]


def test_both_ends_of_a_circuit_that_changes_are_one_unit(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-spy").by_hand("interface wan0", " no ip address 10.64.9.1/30", "exit")
    office.device("rtr-abj").by_hand("no ip route 10.64.8.0/23 10.64.9.1")
    plan = office.plan()
    assert unit(plan, "rtr-spy") == unit(plan, "rtr-abj") == ["rtr-abj", "rtr-spy"]


def test_routers_whose_routes_alone_change_do_not_wait_for_each_other(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-abj").by_hand("no ip route 10.64.24.0/23 10.64.17.1")
    office.device("rtr-bke").by_hand("no ip route 10.64.24.0/23 10.64.25.1")
    plan = office.plan()
    assert (unit(plan, "rtr-abj"), unit(plan, "rtr-bke")) == (["rtr-abj"], ["rtr-bke"])


def test_a_circuit_whose_other_end_is_not_asked_is_left_out_and_named(tmp_path):
    plan = Office(tmp_path).plan("rtr-spy")
    (action,) = [one for one in plan.actions if one.kind == "configure"]
    assert action.args["lines"] == ["interface lan0", " description LAN spy", " ip address 10.64.8.1/24", "exit"]
    (why,) = said(plan, "rtr-spy", "circuit.lnk-spy")
    assert "rtr-abj" in why


def test_a_circuit_about_which_nothing_changes_is_not_told(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-spy").by_hand("interface lan0", " no description", "exit")
    plan = office.plan("rtr-spy")
    assert kinds(plan) == ["rtr-spy/configure", "rtr-spy/save"]
    assert said(plan, "rtr-spy", "circuit.lnk-spy") == []


def test_a_router_of_which_all_that_remains_is_left_out_is_not_said_to_be_as_wanted(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-spy").by_hand("interface wan0", " no ip address 10.64.9.1/30", "exit")
    plan = office.plan("rtr-spy")
    assert kinds(plan) == []
    assert said(plan, "rtr-spy", "configure") == ["What is left of it to change is left out."]


def test_a_circuit_to_a_router_that_does_not_answer_is_left_out(tmp_path):
    office = Office(tmp_path)
    office.device("rtr-abj").faults.unreachable = UnreachableError(T("Silent."), on="rtr-abj")
    plan = office.plan("rtr-abj", "rtr-spy")
    assert plan.targets == ("rtr-spy",)
    assert [one.target for one in plan.blockers] == ["rtr-abj"]
    assert said(plan, "rtr-spy", "circuit.lnk-spy")


def test_a_router_whose_change_could_not_be_taken_back_is_blocked(tmp_path):
    office = Office(tmp_path)
    office.device("rtr-man").faults.unready = T("Archive feature not enabled.")
    plan = office.plan()
    (blocker,) = plan.blockers
    assert (blocker.target, blocker.reason.render("en")) == ("rtr-man", "Archive feature not enabled.")
    assert said(plan, "rtr-bke", "circuit.lnk-man")


def test_a_router_that_needs_nothing_is_not_asked_whether_it_could_go_back(tmp_path):
    office = Office(tmp_path, right="*")
    office.device("rtr-man").faults.unready = T("Archive feature not enabled.")
    assert office.plan().blockers == ()


def test_an_interface_a_router_does_not_have_is_found_by_the_plan_which_names_those_it_has(tmp_path):
    office = Office(tmp_path)
    office.device("rtr-man").ports.discard("wan0")
    plan = office.plan()
    (blocker,) = plan.blockers
    assert (blocker.target, blocker.reason.render("en")) == (
        "rtr-man", "rtr-man has no interface wan0, only: lan0, mgmt0.",
    )  # fmt: skip
    assert said(plan, "rtr-bke", "circuit.lnk-man")


def test_lines_that_are_not_ours_and_go_are_named_with_the_action(tmp_path):
    office = Office(tmp_path, right="*", filtered=True)
    device = office.device("rtr-spy")
    filtering = device.config.sections["filter DSI-LAN-IN"]
    by_hand = (*filtering, "unexpected chain by_hand")
    device.config = Config({**device.config.sections, "filter DSI-LAN-IN": by_hand})
    device.by_hand("interface wan7", " ip address 10.64.9.5/30", "exit")
    (action,) = [one for one in office.plan().actions if one.kind == "configure"]
    named = "interface wan7: ip address 10.64.9.5/30; filter DSI-LAN-IN: unexpected chain by_hand"
    assert named in action.reason.render("en")
    assert " no ip address 10.64.9.5/30" in action.args["lines"]


def test_a_router_that_somebody_changes_at_this_moment_is_blocked(tmp_path):
    office = Office(tmp_path)
    office.devices.open("rtr-man").arm(300)
    (blocker,) = office.plan().blockers
    assert blocker.target == "rtr-man"
    assert "netadmin" in blocker.reason.render("en")


def test_waves_follow_the_canary_and_units_are_not_cut(tmp_path):
    office = Office(tmp_path, more=4, right="*", wave=2)
    for number in range(4):
        office.device(f"rtr-x{number}").by_hand("interface lan0", " no description", "exit")
    office.device("rtr-spy").by_hand("interface lan0", " no description", "exit")
    plan = office.plan(canary="rtr-x2")
    assert {name: wave(plan, name) for name in ("rtr-x2", "rtr-spy", "rtr-x0", "rtr-x1", "rtr-x3")} == {
        "rtr-x2": 0, "rtr-spy": 1, "rtr-x0": 1, "rtr-x1": 2, "rtr-x3": 2,
    }  # fmt: skip


def test_a_new_star_says_that_no_canary_goes_first_and_how_one_site_is_tried_out(tmp_path):
    office = Office(tmp_path)
    plan = office.plan()
    (sentence,) = said(plan, "rtr-abj", "together")
    assert "4 routers change together" in sentence
    assert sentence.endswith("dsi router configure rtr-spy rtr-abj --only")
    assert all("(first, 4 together)" in one.title.render("en") for one in plan.actions if one.kind == "configure")
    tried = office.plan("rtr-spy", "rtr-abj")
    assert unit(tried, "rtr-abj") == ["rtr-spy", "rtr-abj"]
    assert not said(tried, "rtr-abj", "together")


def test_routers_that_change_with_many_others_are_told_how_many(tmp_path):
    office = Office(tmp_path, more=2)
    action = next(one for one in office.plan().actions if one.id == "rtr-spy/configure")
    assert "It changes together with 5 other routers" in action.reason.render("en")


def test_the_same_world_makes_the_same_plan(tmp_path):
    office = Office(tmp_path)
    assert office.plan().digest == office.plan().digest


@pytest.mark.parametrize(("inputs", "targets"), [({"canary": "rtr-man"}, ALL[:2]), ({"timer_seconds": 60}, ALL)])
def test_inputs_that_do_not_fit_are_refused(tmp_path, inputs, targets):
    with pytest.raises(UsageError):
        Office(tmp_path).plan(*targets, **inputs)


def test_a_host_that_is_no_router_is_refused(tmp_path):
    office = Office(tmp_path)
    office.strangers = ("pc-1",)
    with pytest.raises(UsageError, match="pc-1"):
        office.plan("pc-1")
