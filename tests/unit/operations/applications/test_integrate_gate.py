"""A release goes to a stage when the one before passed, was signed, and production has its backup; else it says why."""

from datetime import timedelta

import pytest
from apphouse import kinds, left
from sourcehouse import TEXTS, SourceOffice, digest

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.core.errors import UnreachableError, UsageError, WorldChangedError
from dsi_automation.core.text import T
from dsi_automation.engine.model import Verdict


@pytest.fixture
def office(tmp_path):
    made = SourceOffice(tmp_path, "sydam-test", "sydam")
    yield made
    made.house.journal.close()


@pytest.fixture
def single(tmp_path):
    made = SourceOffice(tmp_path)
    yield made
    made.house.journal.close()


def blocked(office, target="sydam", release="1.5.0", **inputs):
    plan = office.planned(target, release, **inputs)
    assert kinds(plan) == []
    (blocker,) = plan.blockers
    return blocker.reason.render("en"), blocker.next_step.render("en"), int(blocker.exit_code)


def test_production_waits_for_the_test_stage_its_word_and_this_very_archive(office):
    what, following, code = blocked(office)
    assert "not integrated and tested in test" in what
    assert following.endswith("dsi sources integrate sydam-test 1.5.0")
    assert code == 5
    run = office.integrate("sydam-test")
    assert run.exit_code == 0
    what, following, _ = blocked(office)
    assert "Nobody has signed that release 1.5.0 passed test" in what
    assert "dsi sources accept 1.5.0 test --comment TEXT" in following
    office.accept(run, verdict=Verdict.REJECTED)
    assert "y.traore rejected release 1.5.0 in test: Vu" in blocked(office)[0]
    office.accept(run)
    assert office.planned().blockers == ()
    office.releases.add("1.5.0", salt="other")
    assert "another archive" in blocked(office)[0]


def test_what_was_rejected_after_the_approval_is_not_integrated(office):
    run = office.integrate("sydam-test")
    office.accept(run)
    request = office.approved()
    office.accept(run, verdict=Verdict.REJECTED)
    refused = office.run(request)
    assert refused.exit_code == 5
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}
    assert all(set(server.whole) == {"1.4.0"} for server in office.servers.values())


def test_a_release_that_went_back_in_test_does_not_go_on(office):
    office.all_servers["sydam-test"]["app1"].broken = {"1.5.0"}
    assert office.integrate("sydam-test").exit_code == 6
    assert "not integrated and tested in test" in blocked(office)[0]


def test_production_needs_a_verified_backup_that_is_new_enough(tmp_path):
    office = SourceOffice(tmp_path, needs_backup="12h")
    what, following, code = blocked(office)
    assert ("no verified backup" in what, following, code) == (
        True, "Make one and have it verified: dsi backup run sydam-db", 5,
    )  # fmt: skip
    office.catalogue.sets["SET-1"] = office.clock.now() - timedelta(hours=13)
    assert "SET-1, is older than" in blocked(office)[0]
    office.catalogue.sets["SET-2"] = office.clock.now() - timedelta(hours=11)
    request = office.approved()
    office.clock.forward(hours=2)
    assert office.run(request).exit_code == 5
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}


def test_a_release_that_nobody_answers_for_is_not_integrated(single):
    single.releases.problem = ReleaseError(T("No signature."), next_step=T("Have it signed."))
    assert blocked(single) == ("No signature.", "Have it signed.", 5)
    single.releases.problem = UnreachableError(T("No answer."))
    assert blocked(single)[2] == 3
    single.releases.problem = None
    assert "There is no release 9.9.9" in blocked(single, release="9.9.9")[0]


def test_an_archive_that_was_exchanged_after_the_approval_is_not_integrated(single):
    request = single.approved()
    single.releases.add("1.5.0", salt="other")
    with pytest.raises(WorldChangedError):
        single.run(request)
    assert all(set(server.whole) == {"1.4.0"} for server in single.servers.values())


def test_going_back_to_an_older_release_must_be_said(single):
    single.integrate()
    single.releases.add("1.4.1", {})
    what, following, _ = blocked(single, release="1.4.1")
    assert "older than 1.5.0" in what
    assert "--downgrade" in following
    plan = single.planned(release="1.4.1", downgrade=True)
    assert "scripts of newer releases stay" in left(plan)["downgrade"]
    assert single.integrate(release="1.4.1", downgrade=True).exit_code == 0
    assert single.links() == {"1.4.1"}


def test_a_script_that_was_changed_after_it_was_applied_is_refused(single):
    single.integrate()
    changed = {**TEXTS, "sql/020.sql": "SELECT 1;\n"}
    single.releases.add("1.5.0", changed, salt="other")
    what, following, _ = blocked(single)
    assert "another script sql/020.sql of release 1.5.0" in what
    assert "another version" in following


def test_a_script_that_ends_the_transaction_is_seen_before_anybody_is_disturbed(single):
    single.releases.add("1.5.0", {**TEXTS, "sql/020.sql": "SELECT 1;\nCOMMIT;\n"})
    what = blocked(single)[0]
    assert "sql/020.sql" in what
    assert "2" in what


def test_scripts_that_the_database_has_are_not_run_again(single):
    single.integrate()
    single.releases.add("1.6.0", {})
    single.integrate(release="1.6.0")
    plan = single.planned(downgrade=True)
    assert not [kind for kind in kinds(plan) if kind.startswith("script.")]
    assert "since RUN-" in left(plan)["script.001"]
    single.servers["app1"].broken = {"1.5.0"}
    assert single.integrate(downgrade=True).exit_code == 6
    # They were there before this run: going back leaves them.
    assert single.database.scripts() == ["sql/010.sql", "sql/020.sql"]
    assert single.links() == {"1.6.0"}


def test_a_database_that_does_not_answer_blocks_a_release_with_scripts(single):
    single.database.problem = UnreachableError(T("No answer."))
    reasons = [blocker.reason.render("en") for blocker in single.planned().blockers]
    assert "No answer." in reasons


def test_without_a_deployment_nothing_is_integrated(single):
    single.applications["sydam"] = single.application.model_copy(update={"deployment": None})
    assert "no `deployment`" in blocked(single)[0]


def test_the_line_is_found_from_the_application_and_asked_for_when_there_are_two(single):
    assert "No line of sources" in blocked(single, "sydam-test")[0]
    single.lines["other"] = single.lines["sydam-world"]
    assert "several lines" in blocked(single)[0]
    assert single.planned(source="sydam-world").blockers == ()
    assert "dsi_sources has no" in blocked(single, source="none")[0]


@pytest.mark.parametrize("wrong", [{"release": "../x"}, {"notice": "soon"}, {"planned": True, "end_sessions": [7]}])
def test_inputs_that_are_not_right_are_refused(single, wrong):
    with pytest.raises(UsageError):
        single.planned(**wrong)


def test_a_server_with_the_release_of_an_unfinished_run_goes_back_to_what_was_before_that(single):
    single.servers["app1"].release, single.servers["app1"].whole = "1.5.0", {"1.5.0": digest("1.5.0"), "1.4.0": "x"}
    plan = single.planned()
    assert "already" in left(plan)["switch.app1"]


def test_a_script_that_a_former_release_brought_is_not_run_again_and_not_undone(single):
    single.integrate()
    single.releases.add("1.6.0", {**TEXTS})
    plan = single.planned(release="1.6.0")
    assert not [kind for kind in kinds(plan) if kind.startswith("script.")]
    assert "from release 1.5.0" in left(plan)["script.001"]
    single.servers["app1"].broken = {"1.6.0"}
    assert single.integrate(release="1.6.0").exit_code == 6
    assert single.database.scripts() == ["sql/010.sql", "sql/020.sql"]
    assert single.links() == {"1.5.0"}
