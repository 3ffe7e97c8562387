"""SYDAM World with everything that goes wrong: its controller killed at every step, servers that lie, a late database.

However it went, the application is up in the end, tested, restarted once, and people were told once.
"""

from fix_office import TECHNICIAN
from fix_vault_office import action
from fix_world_office import TEST, note
from waiting import wait_for

from dsi_automation.lab.tomcat import ServerFault

STEPS_OF_A_RESTART = (
    note("application.warned"),
    note("application.stopping", "app2"),
    note("application.stopped", "app1"),
    action("caches.app1"),
    note("application.starting", "app1"),
    note("application.started", "app2"),
    action("test"),
    note("application.tested"),
    action("back"),
)
STEPS_OF_AN_INTEGRATION = (
    note("release.begun"),
    note("release.put"),
    note("application.stopping"),
    note("application.stopped"),
    note("release.script"),
    note("release.switched"),
    note("application.starting"),
    note("application.started"),
    note("release.deployed"),
)
STEPS_BACK = (
    note("release.switched"),
    note("release.rolling_back"),
    note("application.stopped"),
    note("release.switched"),
    note("release.script"),
    note("application.starting"),
    note("application.tested"),
    note("release.rolled_back"),
)


def test_a_restart_killed_at_every_step_restarts_each_server_once_and_tells_each_once(sydam):
    before, starts = sydam.pids(), sydam.starts()
    said, struck = sydam.killed_at(STEPS_OF_A_RESTART, "run", sydam.restart())
    assert said.code == 0, said
    assert struck >= len(STEPS_OF_A_RESTART) - 1
    assert sydam.starts() == {name: count + 1 for name, count in starts.items()}
    now = sydam.pids()
    assert all(len(now[name]) == 1 and now[name] != before[name] for name in before)
    stopped, back = sydam.told()
    assert ("arrêt non programmé" in stopped, "de nouveau disponible" in back) == (True, True)
    assert [" disponible" in subject for subject in sydam.told("bamba")[-1:]] == [True]
    assert sum("] disponible" in subject for subject in sydam.told("bamba")) == 1
    (interruption,) = sydam.interruptions()
    assert (interruption["planned"], interruption["ended_at"] is not None) == (False, True)
    assert sydam.sql("SELECT count(*) FROM avis") == "0"
    assert sydam.dsi("application", "check", "sydam").code == 0
    sydam.assert_whole()


def test_an_integration_killed_at_every_step_brings_the_release_once(sydam):
    starts = sydam.starts("apptest")
    said, struck = sydam.killed_at(STEPS_OF_AN_INTEGRATION, "run", sydam.integration(TEST, "1.5.0"))
    assert said.code == 0, said
    assert struck >= len(STEPS_OF_AN_INTEGRATION) - 1
    assert (sydam.server("apptest").release, sydam.versions("apptest")) == ("1.5.0", {"1.5.0"})
    assert sydam.sql("SELECT release || file FROM versions_schema", "sydam_test") == "1.5.0sql/010_observation.sql"
    assert sydam.starts("apptest")["apptest"] == starts["apptest"] + 1
    assert len(sydam.told()) == 2
    assert len(sydam.interruptions(TEST)) == 1
    sydam.assert_whole()


def test_an_integration_killed_at_every_step_of_its_way_back_leaves_what_was_before(sydam):
    sydam.describe(TEST, servers={"start_within": "12s"})
    said, struck = sydam.killed_at(STEPS_BACK, "run", sydam.integration(TEST, "1.5.1"))
    assert said.code == 6, said
    assert struck >= len(STEPS_BACK) - 1
    assert (sydam.server("apptest").release, sydam.versions("apptest")) == ("1.4.0", {"1.4.0"})
    assert sydam.sql("SELECT count(*) FROM versions_schema", "sydam_test") == "0"
    assert "observation" not in sydam.sql("SELECT column_name FROM information_schema.columns", "sydam_test").split()
    assert len(sydam.told()) == 2
    for person in ("bamba", "kouadio"):
        assert "retour à la version précédente" in sydam.told(person)[-1]
        assert "NoSuchMethodError" in sydam.last_mail(person)
    assert sydam.dsi("application", "check", TEST).code == 0
    sydam.assert_whole()


def test_servers_that_do_not_stop_are_ended_and_that_is_told(sydam):
    sydam.describe(servers={"stop_within": "1s"})
    before = sydam.pids()
    sydam.server("app1").fault(ServerFault.HANGS_ON_STOP)
    sydam.server("app2").fault(ServerFault.LIES_ON_STOP)
    said = sydam.run(sydam.restart("--notice", "none"))
    assert said.code == 0, said
    stopped = {data["server"]: data["killed"]["pid"] for name, data in sydam.noted() if name == "application.stopped"}
    assert stopped == {name: pid for name, (pid,) in before.items()}
    assert all(len(pids) == 1 for pids in sydam.pids().values())
    assert len(sydam.told()) == 2


def test_a_test_that_fails_says_which_step_and_why_until_it_passes(sydam):
    sydam.describe(servers={"start_within": "12s"}, when_not_conclusive={"tries": 1, "then": "person"})
    sydam.server("app1").fault(ServerFault.WRONG_PASSWORD)
    said = sydam.run(sydam.restart("--notice", "none"))
    assert said.code == 6, said
    error = said.json["errors"]["sydam"]
    assert "app1" in error["what"]
    assert f"dsi resume {said.json['id']}" in error["next_step"]
    for person in ("bamba", "kouadio"):
        assert "indisponible" in sydam.told(person)[-1]
        assert "app1" in sydam.last_mail(person)
        assert "password authentication failed" in sydam.last_mail(person)
    assert ["de nouveau" in subject for subject in sydam.told()] == [False]
    sydam.server("app1").clear_faults()
    starts = sydam.starts()
    again = sydam.dsi("resume", said.json["id"], "--json")
    assert again.code == 0, again
    assert sydam.starts() == starts
    assert "de nouveau disponible" in sydam.told()[-1]
    assert "] disponible" in sydam.told("bamba")[-1]
    assert len(sydam.interruptions()) == 1


def test_a_start_that_dies_after_a_moment_is_no_start(sydam):
    sydam.describe(stable_for="8s", when_not_conclusive={"tries": 1, "then": "stop"})
    sydam.server("app2").fault(ServerFault.DIES_AFTER_START, 4)
    said = sydam.run(sydam.restart("--notice", "none"))
    assert said.code == 6, said
    assert "app2" in said.json["errors"]["sydam"]["what"]
    assert sydam.pids() == {"app1": [], "app2": []}
    assert "indisponible" in sydam.told("bamba")[-1]
    sydam.server("app2").clear_faults()
    again = sydam.dsi("resume", said.json["id"], "--json")
    assert again.code == 0, again
    assert sydam.versions() == {"1.4.0"}
    assert len(sydam.told()) == 2


def test_a_database_that_comes_up_after_the_application_is_waited_for(sydam):
    database, log = sydam.parts.database, sydam.server("app1").log
    process = sydam.start("run", sydam.restart("--notice", "none"), "--json", person=TECHNICIAN)
    wait_for(lambda: any(name == "application.down" for name, _ in sydam.noted()) or process.poll() is not None)
    shown = log.stat().st_size
    database.stop()
    try:
        # The application has answered that there is none: the test met that.
        wait_for(lambda: "/connexion : " in log.read_bytes()[shown:].decode() or process.poll() is not None)
    finally:
        database.start(sydam.lab.authority, sydam.lab.passwords)
    said = sydam.finish(process)
    assert said.code == 0, said
    assert [data["conclusive"] for name, data in sydam.noted() if name == "application.tested"] == [True]
    assert "de nouveau disponible" in sydam.told()[-1]


def test_of_two_technicians_one_waits_and_then_does_its_own(sydam):
    starts, other = sydam.starts(), sydam.hire("k.aka")
    asked = [sydam.restart("--notice", "none"), sydam.restart("--notice", "none", person=other)]
    first = sydam.start("run", asked[0], "--json")
    wait_for(lambda: "run.started" in sydam.kinds())
    second = sydam.start("run", asked[1], "--json", person=other)
    ends = [sydam.finish(process) for process in (first, second)]
    assert [end.code for end in ends] == [0, 0], ends
    assert sydam.starts() == {name: count + 2 for name, count in starts.items()}
    one, following = sydam.interruptions()
    assert one["ended_at"] <= following["began_at"]
    assert len(sydam.told()) == 4


def test_a_rule_set_whose_loading_is_killed_is_loaded_whole_by_resume_or_not_at_all(sydam):
    positions = sydam.sql("SELECT position FROM tarif ORDER BY position LIMIT 2").split()
    was, asked = sydam.duty(*positions), sydam.tariff(dict.fromkeys(positions, "7.00"))
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%tarif%'"
    with sydam.person(1) as link:
        # The first row is changed by then, and somebody has the second one.
        link.execute("SELECT * FROM tarif WHERE position = %s FOR UPDATE", (positions[1],))
        assert sydam.killed_once(lambda *_: sydam.sql(waits), "run", asked)
    assert sydam.duty(*positions) == was
    said = sydam.dsi("resume", sydam.runs()[-1], "--json")
    assert said.code == 0, said
    assert sydam.duty(*positions) == ["7.00", "7.00"]
    words = ("-i", "rules=tarif", "-i", "back=true", "--reason", "Retour")
    assert sydam.run(sydam.agreed("request", "rules.update", "sydam", *words)).code == 0
    assert sydam.duty(*positions) == was
