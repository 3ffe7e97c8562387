"""A release is put beside the others, its scripts run once, its links switched, tested; or the former one is back."""

import pytest
from apphouse import kinds, left
from sourcehouse import TEXTS, SourceOffice, digest

from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.text import T
from dsi_automation.operations.applications.integrate_table import forget


@pytest.fixture
def office(tmp_path):
    made = SourceOffice(tmp_path)
    yield made
    made.house.journal.close()


def error_of(run):
    return run.errors["sydam"]


def test_the_plan_puts_before_it_disturbs_and_tests_before_it_tells(office):
    plan = office.planned()
    assert plan.blockers == ()
    assert kinds(plan) == [
        "put.app1", "put.app2", "warn", "stop.app2", "stop.app1", "script.001", "script.002",
        "switch.app1", "switch.app2", "caches.app2", "caches.app1", "start.app1", "start.app2", "test", "back",
    ]  # fmt: skip
    (script,) = [one for one in plan.actions if one.kind == "script.001"]
    assert (script.args["file"], script.args["sha256"]) == ("sql/010.sql", digest(TEXTS["sql/010.sql"]))
    (test,) = [one for one in plan.actions if one.kind == "test"]
    assert test.args["then"] == "former"


def test_a_release_that_passes_is_in_use_recorded_and_told(office):
    run = office.integrate()
    assert run.exit_code == 0, run.errors
    assert office.links() == {"1.5.0"}
    assert office.database.scripts() == ["sql/010.sql", "sql/020.sql"]
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    (deployed,) = office.record().deployed
    assert (deployed.release, deployed.stage, deployed.before) == ("1.5.0", "production", "1.4.0")
    assert deployed.sha256 == office.releases.known["1.5.0"].sha256
    assert office.told() == ["before", "back"]
    assert next(mail for mail in office.mails.values() if str(mail.kind) == "back").release == "1.5.0"
    (interruption,) = office.record().interruptions
    assert interruption.ended_at is not None
    assert all(set(server.whole) == {"1.4.0", "1.5.0"} for server in office.servers.values())


def test_a_release_that_is_in_use_and_whole_is_left(office):
    office.integrate()
    plan = office.planned()
    assert (kinds(plan), plan.blockers) == ([], ())
    assert "in use on every server" in left(plan)["release"]


def test_old_releases_go_and_the_former_one_stays(office):
    for name in ("1.6.0", "1.7.0"):
        office.releases.add(name, {})
    for name in ("1.5.0", "1.6.0", "1.7.0"):
        assert office.integrate(release=name).exit_code == 0
    assert all(set(server.whole) == {"1.6.0", "1.7.0"} for server in office.servers.values())


def test_a_test_that_fails_puts_the_former_release_and_its_database_back(office):
    office.servers["app2"].broken = {"1.5.0"}
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    assert office.links() == {"1.4.0"}
    assert office.database.scripts() == []
    assert "circuit" not in office.database.tables()
    assert all(server.running for server in office.servers.values())
    assert office.noted("tested")[-1]["conclusive"]
    assert office.record().deployed == ()
    (done,) = office.released("rolled_back")
    assert (done["scripts"], done["by_hand"]) == (["sql/020.sql", "sql/010.sql"], [])
    assert "1.4.0" in error_of(run)["meaning"]
    assert office.told() == ["before", "back"]
    assert next(mail for mail in office.mails.values() if str(mail.kind) == "back").release == "1.4.0"
    assert office.record().open_interruption("sydam") is None


def test_a_script_that_fails_is_rolled_back_and_its_file_and_line_are_said(office):
    broken = "INSERT INTO circuit VALUES ('bleu');\nINSERT INTO nowhere VALUES (1);\n"
    office.releases.add("1.5.0", {**TEXTS, "sql/030.sql": broken})
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    assert "sql/030.sql" in error_of(run)["what"]
    assert "2" in error_of(run)["what"]
    assert office.links() == {"1.4.0"}
    assert office.database.scripts() == []
    assert all(server.switches == [] and server.running for server in office.servers.values())


def test_what_nothing_undoes_is_left_and_said_with_the_command_that_brings_it_back(office):
    office.catalogue.sets["SET-20261122-0200-7F3K"] = office.clock.now()
    office.releases.add("1.5.0", undo=False)
    office.servers["app1"].broken = {"1.5.0"}
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    assert office.links() == {"1.4.0"}
    assert office.database.scripts() == ["sql/010.sql", "sql/020.sql"]
    (done,) = office.released("rolled_back")
    assert [sentence.split()[0] for sentence in done["by_hand"]] == ["sql/020.sql", "sql/010.sql"]
    command = "dsi backup restore sydam-db --set SET-20261122-0200-7F3K --database sydam --until 2026-11-22T"
    assert all(command in sentence for sentence in done["by_hand"])
    assert all("DELETE FROM versions_schema WHERE" in sentence for sentence in done["by_hand"])
    told = error_of(run)["next_step"]
    # The archive has the logs up to that moment once a newer backup was made, and nobody works meanwhile.
    order = [
        "dsi application stop sydam",
        "dsi backup run sydam-db",
        command,
        "--in-place",
        "dsi application start sydam",
    ]
    places = [told.index(word) for word in order]
    assert places == sorted(places)


def test_the_line_of_a_script_is_taken_away_by_the_statement_that_a_person_reads():
    file = "sql/l'an.sql"
    assert forget("sydam-world", file) == (
        "DELETE FROM versions_schema WHERE source = 'sydam-world' AND file = 'sql/l''an.sql';"
    )


def test_an_undo_script_that_fails_is_left_to_a_person(office):
    office.releases.add("1.5.0", {**TEXTS, "sql/020.undo.sql": "DELETE FROM nowhere;\n"})
    office.servers["app1"].broken = {"1.5.0"}
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    (done,) = office.released("rolled_back")
    assert done["scripts"] == ["sql/010.sql"]
    assert done["by_hand"][0].startswith("sql/020.sql")
    assert office.database.scripts() == ["sql/020.sql"]


def test_when_going_back_fails_too_every_server_and_script_is_said_and_resume_goes_on_going_back(office):
    office.servers["app1"].broken = {"1.5.0"}
    office.servers["app2"].start_faults = [False, False, True, True, True]
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    states = error_of(run)["detail"]["states"]
    assert len(states) == 4
    assert "1.4.0" in states[0]
    assert "1.4.0" in states[1]
    assert office.released("rolled_back") == []
    office.servers["app2"].start_faults = []
    office.servers["app1"].broken = set()
    again = office.resume(run)
    assert again.exit_code == 6
    assert office.links() == {"1.4.0"}
    assert all(server.running for server in office.servers.values())
    assert len(office.released("rolled_back")) == 1
    assert office.resume(run).exit_code == 6
    assert len(office.released("rolled_back")) == 1


@pytest.mark.parametrize("lost", [[True], [True, True], [False, True]])
def test_a_commit_whose_answer_is_lost_is_looked_up_and_never_run_twice(office, lost):
    office.database.lost = list(lost)
    run = office.integrate()
    if run.exit_code != 0:
        run = office.resume(run)
    assert run.exit_code == 0, run.errors
    assert office.database.all("SELECT code FROM circuit ORDER BY code") == [("rouge",), ("vert",)]
    assert office.database.scripts() == ["sql/010.sql", "sql/020.sql"]


def test_a_server_that_does_not_answer_blocks_the_plan(office):
    office.servers["app2"].unreachable = UnreachableError(T("No answer."), on="app2")
    (blocker,) = office.planned().blockers
    assert blocker.exit_code == 3


def test_a_failure_before_anybody_is_disturbed_disturbs_nobody(office):
    request = office.approved()
    office.servers["app2"].point = lambda name: fail() if name == "before put_release app2" else None

    def fail():
        raise UnreachableError(T("No answer."), on="app2")

    run = office.run(request)
    assert run.exit_code == 3
    assert office.turns() == {"app1": (0, 0), "app2": (0, 0)}
    assert (office.told(), office.released("rolling_back")) == ([], [])


def test_another_run_that_changed_it_since_ends_a_resume(office):
    office.releases.add("1.6.0", {})
    request = office.approved()
    office.kill_at = "after use_release app1"
    with pytest.raises(DsiError):
        office.run(request)
    office.clock.forward(minutes=2)
    assert "unfinished" in left(office.planned(release="1.6.0"))
    cut = office.engine().runs()[0]
    assert office.integrate(release="1.6.0").exit_code == 0
    run = office.resume(cut)
    assert run.exit_code != 0
    assert office.links() == {"1.6.0"}


def test_a_new_run_after_one_that_was_left_goes_back_to_what_was_before_both(office):
    request = office.approved()
    office.kill_at = "after use_release app1"
    with pytest.raises(DsiError):
        office.run(request)
    office.clock.forward(minutes=2)
    office.servers["app2"].broken = {"1.5.0"}
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    assert office.links() == {"1.4.0"}
    assert (office.database.scripts(), "circuit" in office.database.tables()) == ([], False)
    assert all(server.running for server in office.servers.values())
    assert office.released("rolled_back")[-1]["scripts"] == ["sql/020.sql", "sql/010.sql"]


def test_a_first_release_that_does_not_pass_stays_stopped_and_is_said(office):
    for server in office.servers.values():
        server.release, server.broken = None, {"1.5.0"}
    run = office.integrate()
    assert run.exit_code == 6, run.errors
    assert not any(server.running for server in office.servers.values())
    assert office.database.scripts() == []
    assert "app1, app2" in error_of(run)["what"]
    assert office.record().open_interruption("sydam") is not None


def test_what_a_run_has_begun_it_finishes_whatever_becomes_of_the_conditions(tmp_path):
    office = SourceOffice(tmp_path, needs_backup="1d")
    office.catalogue.sets["SET-1"] = office.clock.now()
    request = office.approved()
    office.kill_at = "after stop app1"
    with pytest.raises(DsiError):
        office.run(request)
    office.clock.forward(hours=20)
    office.catalogue.sets.clear()
    office.releases.problem = UnreachableError(T("No answer."))
    run = office.resume()
    assert run.exit_code == 0, run.errors
    assert office.links() == {"1.5.0"}
