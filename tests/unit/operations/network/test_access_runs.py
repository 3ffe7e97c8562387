"""An access is opened under the router's timer, proven by a connection, kept or taken back; then closed again."""

import pytest
from accesshouse import ASKED, Office, blocked, states

from dsi_automation.core.errors import DsiError, UnreachableError, WorldChangedError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.operations.network.access_evidence import evidence

PLATFORMS = pytest.mark.parametrize("platform", ["frr", "ios"])


@PLATFORMS
def test_an_access_is_opened_proven_saved_and_recorded(tmp_path, platform):
    office = Office(tmp_path, platform)
    run = office.done()
    assert (run.exit_code, run.outcome) == (0, Outcome.DONE)
    (rule,) = office.rules()
    assert rule.key == ("10.64.4.8/29", "10.64.0.5/32", "tcp", 8443, 8443)
    assert office.device().start.digest == office.device().config.digest
    (access,) = office.record().standing("rtr-spy")
    assert (access.why, access.reference, access.beneficiary) == tuple(
        ASKED[name] for name in ("why", "reference", "beneficiary")
    )
    assert access.rule.until.isoformat() == "2026-12-31T23:59:59+00:00"
    assert access.rule.sequence == (None if platform == "frr" else 1000)
    assert [one.split()[0] for one in office.device().events] == ["snapshot", "arm", "push", "confirm", "save"]


@PLATFORMS
def test_asking_twice_changes_nothing(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done()
    before = office.device().config
    plan = office.plan()
    assert plan.actions == ()
    assert "already" in plan.non_actions[0].reason.render("en")
    assert office.device().config == before


@PLATFORMS
def test_a_later_end_prolongs_the_same_access_and_keeps_its_name(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done()
    first = office.record().standing()[0]
    assert office.done(until="2027-02-28").exit_code == 0
    (rule,) = office.rules()
    (access,) = office.record().standing()
    assert (access.rule.id, access.rule.until.isoformat()) == (first.rule.id, "2027-02-28T23:59:59+00:00")
    assert rule.until == (access.rule.until if platform == "frr" else None)
    assert [one.revoked_why for one in office.record().accesses] == ["prolonged", None]
    assert states(office.listed()) == {access.rule.id: "open"}


def test_on_ios_a_prolongation_changes_the_record_alone(tmp_path):
    office = Office(tmp_path, "ios")
    office.done()
    before = list(office.device().events)
    office.done(until="2027-02-28")
    assert office.device().events == before


@PLATFORMS
def test_an_access_that_was_named_is_closed_and_proven_closed(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done()
    (access,) = office.record().standing()
    base = {line for lines in office.device().config.sections.values() for line in lines}
    run = office.done("access.revoke", ids=[access.rule.id])
    assert run.exit_code == 0
    assert office.rules() == ()
    gone = base - {line for lines in office.device().config.sections.values() for line in lines}
    assert len(gone) == 1
    assert office.noted("access.revoked") == [
        {"id": access.rule.id, "why": "asked", "key": ["10.64.4.8/29", "10.64.0.5/32", "tcp", 8443, 8443]}
    ]
    assert office.noted("access.tried")[-1]["found"] == "blocked"
    assert office.plan("access.revoke", ids=[access.rule.id]).actions == ()


@PLATFORMS
def test_what_is_over_is_taken_away_by_the_schedule_and_nothing_else(tmp_path, platform):
    office = Office(tmp_path, platform)
    request = office.standing()
    assert office.run(request).outcome is Outcome.UNCHANGED
    office.done(until="2026-11-22T12:00:00+00:00")
    office.done(service="tcp/443", until="2026-12-24")
    office.clock.forward(hours=4)
    ids = [access.rule.id for access in office.record().standing()]
    assert states(office.listed()) == {ids[0]: "expired", ids[1]: "open"}
    assert office.run(request).exit_code == 0
    assert [rule.first_port for rule in office.rules()] == [443]
    assert [one["why"] for one in office.noted("access.revoked")] == ["expired"]
    assert office.run(request).outcome is Outcome.UNCHANGED


def test_an_access_that_ends_while_its_router_is_looked_at_is_over_and_not_missing(tmp_path, monkeypatch):
    office = Office(tmp_path, "frr")
    office.done(until="2026-11-22T12:00:00+00:00")
    (access,) = office.record().standing()
    office.device().by_hand("filter DSI-LAN-IN", f" no rule {access.rule.id}", "exit")
    assert states(office.listed()) == {access.rule.id: "missing"}
    monkeypatch.setattr(office.device(), "tick", lambda: office.clock.forward(hours=4))
    report = office.listed()
    assert states(report) == {access.rule.id: "over"}


@pytest.mark.parametrize(("hours", "good"), [(0, False), (4, True)])
def test_an_access_that_ends_while_it_is_verified_fails_no_run_and_one_that_is_missing_does(
    tmp_path, monkeypatch, hours, good
):
    office = Office(tmp_path, "frr")
    plan = office.plan(until="2026-11-22T12:00:00+00:00")
    office.run(office.agreed(plan))
    (access,) = office.record().standing()
    office.device().by_hand("filter DSI-LAN-IN", f" no rule {access.rule.id}", "exit")
    monkeypatch.setattr(office.device(), "tick", lambda: office.clock.forward(hours=hours))
    checks = [one for one in evidence(plan, office.look(), Silent()) if one.name == f"access.{access.rule.id}"]
    assert [one.ok for one in checks] == [good]


def test_what_a_linux_router_took_away_itself_is_recorded_as_over(tmp_path):
    office = Office(tmp_path, "frr")
    request = office.standing()
    office.done(until="2026-11-22T12:00:00+00:00")
    (access,) = office.record().standing()
    office.clock.forward(hours=4)
    office.device().by_hand("filter DSI-LAN-IN", f" no rule {access.rule.id}", "exit")
    assert states(office.listed()) == {access.rule.id: "over"}
    pushed = list(office.device().pushed)
    assert office.run(request).exit_code == 0
    assert office.device().pushed == pushed
    assert office.device().start == office.device().config
    assert office.record().standing() == ()
    assert office.run(request).outcome is Outcome.UNCHANGED
    assert office.record().accesses[0].revoked_why == "expired"


@PLATFORMS
def test_a_connection_that_should_pass_and_does_not_takes_the_router_back_at_once(tmp_path, platform):
    office = Office(tmp_path, platform)
    before = office.device().config
    request = office.approved()
    office.probe.never = {8443}
    run = office.run(request)
    assert run.exit_code == 6
    assert "back as it was" in str(run.errors["rtr-spy"]) or "revenu" in str(run.errors["rtr-spy"])
    assert office.device().config == before
    assert office.device().start == before
    assert office.record().standing() == ()
    assert office.noted("access.tried")[-2]["found"] == "blocked"
    assert office.noted("router.reverted")[0]["same"] is True


@PLATFORMS
def test_a_connection_that_passes_and_should_not_takes_the_router_back_at_once(tmp_path, platform):
    office = Office(tmp_path, platform)
    before = office.device().config
    request = office.approved()
    # Wide open for other machines as soon as something is pushed.
    office.device().point = lambda name: office.probe.always.add(8443) if name == "after push" else None
    run = office.run(request)
    assert run.exit_code == 6
    assert office.device().config == before
    assert office.record().standing() == ()


@PLATFORMS
def test_a_connection_that_passes_before_anything_was_opened_proves_nothing_and_nothing_is_sent(tmp_path, platform):
    office = Office(tmp_path, platform)
    request = office.approved()
    office.probe.always = {8443}
    run = office.run(request)
    assert run.exit_code == 6
    assert office.device().events == []


@PLATFORMS
def test_a_revocation_that_leaves_the_way_open_is_taken_back_too(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done()
    before = office.device().config
    request = office.approved("access.revoke", ids=[office.record().standing()[0].rule.id])
    office.probe.always = {8443}
    run = office.run(request)
    assert run.exit_code == 6
    assert office.device().config == before
    assert len(office.record().standing()) == 1


@PLATFORMS
def test_a_router_changed_by_hand_since_the_approval_gets_nothing(tmp_path, platform):
    office = Office(tmp_path, platform)
    request = office.approved()
    heading = next(name for name in office.device().config.sections if name.startswith("interface ") and
                   name.endswith(("lan0", "0/1")))  # fmt: skip
    office.device().by_hand(heading, " description changed", "exit")
    with pytest.raises(WorldChangedError):
        office.run(request)
    assert office.device().events == []


@PLATFORMS
def test_a_line_that_is_refused_takes_the_router_back(tmp_path, platform):
    office = Office(tmp_path, platform)
    before = office.device().config
    request = office.approved()
    office.device().faults.refuse = {"8443": "% Invalid input detected"}
    run = office.run(request)
    assert run.exit_code == 6
    assert "8443" in str(run.errors["rtr-spy"])
    assert office.device().config == before


def test_an_address_of_the_lan_that_somebody_has_is_left_alone_and_the_next_one_is_borrowed(tmp_path):
    office = Office(tmp_path)
    request = office.approved()
    office.probe.taken = {"10.64.4.254"}
    assert office.run(request).exit_code == 0
    assert {source for source, _, _ in office.probe.tries} == {"10.64.4.9", "10.64.4.253"}


def test_a_probe_that_does_not_answer_stops_the_run_before_anything_is_sent(tmp_path):
    office = Office(tmp_path)
    request = office.approved()
    office.probe.silent = True
    assert office.run(request).exit_code == 3
    assert office.device().events == []


@PLATFORMS
def test_a_device_that_lost_an_access_is_given_it_again(tmp_path, platform):
    office = Office(tmp_path, platform)
    base = office.device().config
    office.done()
    office.device().config = base
    (access,) = office.record().standing()
    assert states(office.listed()) == {access.rule.id: "missing"}
    assert office.done().exit_code == 0
    assert len(office.rules()) == 1
    assert states(office.listed()) == {access.rule.id: "open"}


@PLATFORMS
def test_what_no_request_opened_is_shown_and_can_be_taken_away(tmp_path, platform):
    office = Office(tmp_path, platform)
    line = " rule ac-aaaaaa 10.64.4.32/32 10.64.0.9/32 tcp/22" if platform == "frr" else (
        " 1010 permit tcp host 10.64.4.32 host 10.64.0.9 eq 22")  # fmt: skip
    heading = next(name for name in office.device().config.sections if "DSI-LAN-IN" in name)
    office.device().by_hand(heading, line, "exit")
    report = office.listed()
    ((strange, state),) = states(report).items()
    assert state == "unknown"
    assert [check.ok for check in report.checks if check.name == f"access.{strange}"] == [False]
    assert office.done("access.revoke", ids=[strange]).exit_code == 0
    assert office.rules() == ()
    assert office.noted("access.revoked")[0]["why"] == "drift"


def test_an_access_that_ends_soon_is_told(tmp_path):
    office = Office(tmp_path)
    office.done(until="2026-11-26")
    report = office.listed()
    assert list(states(report).values()) == ["ending"]
    assert [check.warning for check in report.checks if check.target == "rtr-spy"] == [True]


@PLATFORMS
def test_the_management_band_and_the_binding_are_never_touched(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done()
    office.done("access.revoke", ids=[office.record().standing()[0].rule.id])
    touched = [line.strip() for line in office.device().pushed if line.startswith(" ")]
    assert len(touched) == 2
    assert all("198.18.0.1" not in line and "access-group" not in line for line in touched)
    assert all(line.startswith(("rule ac-", "no rule ac-", "1000 permit ", "no 1000")) for line in touched)


def test_an_access_nothing_can_prove_is_opened_only_where_that_is_accepted(tmp_path):
    office = Office(tmp_path)
    assert "Nothing could prove it" in blocked(office.plan(service="dns"))[0]
    plan = office.plan(service="dns", unproven=True)
    assert plan.actions[0].args["unproven"] is True
    assert "NOT PROVEN" in plan.actions[0].reason.render("en")
    assert office.done(service="dns", unproven=True).exit_code == 0


ALLOWING = ("after snapshot", "after arm", "after note router.armed", "after push", "after note router.verified",
            "after confirm", "before note access.tried", "before note access.allowed", "after note access.allowed",
            "after save", "after note router.saved")  # fmt: skip
REVOKING = ("after push", "after confirm", "before note access.revoked", "after note access.revoked", "after save")
KILLS = (
    *(("frr", "access.allow", point) for point in ALLOWING),
    *(("ios", "access.allow", point) for point in ("after push", "after confirm", "before note access.allowed")),
    *(("frr", "access.revoke", point) for point in REVOKING),
    *(("ios", "access.revoke", point) for point in ("after push", "after confirm", "before note access.revoked")),
)


@pytest.mark.parametrize(("platform", "operation", "point"), KILLS)
def test_killed_anywhere_a_run_is_finished_by_resume_and_recorded_once(tmp_path, platform, operation, point):
    office = Office(tmp_path, platform)
    if operation == "access.revoke":
        office.done()
        request = office.approved(operation, ids=[office.record().standing()[0].rule.id])
    else:
        request = office.approved()
    office.kill_at = point
    with pytest.raises(DsiError):
        office.run(request)
    assert office.killed == [point]
    office.clock.forward(minutes=10)
    run = office.resume()
    assert run.exit_code == 0
    opened = operation == "access.allow"
    assert len(office.rules()) == opened
    assert len(office.record().standing()) == opened
    assert office.device().start.digest == office.device().config.digest
    assert len(office.noted("access.allowed")) == 1
    assert len(office.noted("access.revoked")) == (not opened)


def test_an_evening_cleaning_that_was_killed_is_finished_and_recorded_once(tmp_path):
    office = Office(tmp_path, "ios")
    request = office.standing()
    office.done(until="2026-11-22T12:00:00+00:00")
    office.clock.forward(hours=4)
    office.kill_at = "before note access.revoked"
    with pytest.raises(DsiError):
        office.run(request)
    office.clock.forward(minutes=10)
    assert office.resume().exit_code == 0
    assert office.rules() == ()
    assert [one["why"] for one in office.noted("access.revoked")] == ["expired"]


def test_a_silent_router_is_a_failure_and_its_record_is_shown_all_the_same(tmp_path):
    office = Office(tmp_path)
    office.done()
    office.device().faults.unreachable = UnreachableError(T("No answer."), on="rtr-spy")
    report = office.listed()
    assert set(report.failures) == {"rtr-spy"}
    assert list(states(report).values()) == ["unseen"]


@PLATFORMS
def test_what_else_would_be_saved_is_said_in_the_plan_and_never_saved_by_itself(tmp_path, platform):
    office = Office(tmp_path, platform)
    heading = next(name for name in office.device().config.sections if name.endswith(("lan0", "0/1")))
    office.device().by_hand(heading, " description changed by hand", "exit")
    save = office.plan().actions[1]
    assert "description changed by hand" in save.reason.render("en")
    office.done()
    office.device().by_hand(heading, " description changed again", "exit")
    assert office.plan().actions == ()
    assert office.device().start != office.device().config


@PLATFORMS
def test_no_access_is_planned_on_a_router_that_could_not_be_taken_back(tmp_path, platform):
    office = Office(tmp_path, platform)
    office.done()
    office.device().faults.unready = T("Archive feature not enabled.")
    assert office.plan().blockers == ()  # nothing is to be changed: it is open already
    (blocker,) = office.plan(service="tcp/8444").blockers
    assert blocker.reason.render("en") == "Archive feature not enabled."
