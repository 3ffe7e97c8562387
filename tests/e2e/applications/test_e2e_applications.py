"""SYDAM World as its people operate it: what is refused, what is agreed to, and what everybody is told."""

from canary import Processes, files_below, shapes
from fix_office import DIRECTOR, SECTION_HEAD, TECHNICIAN
from fix_vault_office import AUTOMATE
from fix_world_office import PRODUCTION, TEST, TRAINING

LINE = ("sources", "accept", "1.5.0")
DOCUMENTS = "lettre=n° 12; fiche=n° 13; affectation=n° 14; identite=CNI 15"
LOGIN = "aka.y@sydam"


def blocked(office, target, *words):
    """Return why a release cannot go to a stage, in the words of the plan."""
    said = office.plan(target, "-i", "release=1.5.0", operation="sources.integrate")
    assert said.code == 5, said
    reasons = [one["reason"] for one in said.json["blockers"]]
    assert len(reasons) == len(words), reasons
    assert all(word in reason for word, reason in zip(words, reasons, strict=True)), reasons
    refused = office.dsi("request", "sources.integrate", target, "-i", "release=1.5.0", "--reason", "x", "--json")
    assert refused.code == 5, refused


def test_what_is_refused_touches_nothing_and_is_put_off(sydam):
    before, starts = sydam.pids(), sydam.starts()
    asked = sydam.dsi("application", "restart", PRODUCTION, "--reason", "Lenteurs", "--json").json["id"]
    assert "à décider" in sydam.told("bamba")[-1]
    wrong = sydam.dsi("approve", asked, "--comment", "vu", person=SECTION_HEAD)
    assert wrong.code == 4, wrong
    refused = sydam.dsi("refuse", asked, "--comment", "après la clôture", person=DIRECTOR)
    assert refused.code == 0, refused
    assert "refusé, différé" in sydam.told("kouadio")[-1]
    assert "L’opération est différée" in sydam.last_mail("kouadio")
    said = sydam.run(asked)
    assert said.code == 4, said
    assert (sydam.pids(), sydam.starts(), sydam.told()) == (before, starts, [])
    assert "run.started" not in sydam.kinds()


def test_a_release_goes_from_test_to_production_when_each_stage_is_signed_and_the_database_is_safe(sydam):
    blocked(sydam, TRAINING, "test")
    assert sydam.run(sydam.integration(TEST, "1.5.0")).code == 0
    blocked(sydam, TRAINING, "test")
    own = sydam.dsi(*LINE, "test", "--comment", "bon", person=TECHNICIAN)
    assert own.code == 4, own
    assert sydam.dsi(*LINE, "test", "--comment", "Recette faite", person=SECTION_HEAD).code == 0
    assert sydam.run(sydam.integration(TRAINING, "1.5.0")).code == 0
    blocked(sydam, PRODUCTION, "formation", "sauvegarde")
    assert sydam.dsi(*LINE, "formation", "--comment", "Agents formés", person=SECTION_HEAD).code == 0
    blocked(sydam, PRODUCTION, "sauvegarde")
    sydam.standing("sydam")
    saved = sydam.backup("sydam")
    assert saved.code == 0, saved
    said = sydam.run(sydam.integration(PRODUCTION, "1.5.0"))
    assert said.code == 0, said
    assert {sydam.server(name).release for name in ("app1", "app2")} == sydam.versions() == {"1.5.0"}
    assert sydam.sql("SELECT count(*) FROM declarations WHERE observation = 'Reprise'") == "10"
    assert "1.5.0" in [mail for mail in sydam.mails() if "utilisateurs" in str(mail["To"])][-1].get_content()
    assert "] disponible" in sydam.told("bamba")[-1]
    status = sydam.dsi("sources", "status", "--check", "--json")
    assert status.code == 0, status
    stages = {one["stage"]: one for one in status.json["stages"]}
    assert [(name, one["release"], one["before"]) for name, one in stages.items()] == [
        (name, "1.5.0", "1.4.0") for name in ("test", "formation", "production")
    ]
    assert all(one["person"] == TECHNICIAN and one["tested"]["conclusive"] for one in stages.values())
    accepted = [one["accepted"] and one["accepted"]["person"] for one in stages.values()]
    assert accepted == [SECTION_HEAD, SECTION_HEAD, None]
    assert [one["person"] for one in stages["production"]["approvals"]] == [DIRECTOR]
    sydam.assert_whole()


def test_a_restart_ends_the_sessions_of_its_approved_plan_and_no_other(sydam):
    with sydam.person(1) as idle, sydam.person(2, works=True) as works, sydam.person(3, works=True) as named:
        sydam.idle_for(idle, 2)
        asked = sydam.restart("--end-session", named.info.backend_pid, "--notice", "none")
        with sydam.person(4) as later:
            sydam.idle_for(later, 2)
            said = sydam.run(asked)
            assert said.code == 0, said
            assert sydam.alive(idle, works, named, later) == [works, later]
            numbers = {idle.info.backend_pid: False, named.info.backend_pid: True}
    ended = {data["pid"]: data["working"] for name, data in sydam.noted() if name == "application.ended"}
    assert ended == numbers


def test_the_evening_restart_runs_by_its_schedule_and_tells_everybody(sydam):
    refused = sydam.dsi("schedule", "run", "sydam-soir", "--json", person=AUTOMATE)
    assert refused.code == 4, refused
    words = ("--until", sydam.in_a_month(), "--hours", "00:00-23:59", "--reason", "Plan validé")
    sydam.agreed("application", "ask", PRODUCTION, *words)
    told, starts = len(sydam.told("bamba")), sydam.starts()
    with sydam.person(1) as idle, sydam.person(2, works=True) as works:
        number = idle.info.backend_pid
        sydam.idle_for(idle, 2)
        said = sydam.dsi("schedule", "run", "sydam-soir", "--json", person=AUTOMATE)
        assert said.code == 0, said
        assert sydam.alive(idle, works) == [works]
        ended = [data["pid"] for name, data in sydam.noted() if name == "application.ended"]
        assert ended == [number]
    stopped, back = sydam.told()
    assert ("arrêt programmé" in stopped, "de nouveau disponible" in back) == (True, True)
    assert ["] disponible" in subject for subject in sydam.told("bamba")[told:]] == [True]
    assert sydam.starts() == {name: count + 1 for name, count in starts.items()}
    assert [one["planned"] for one in sydam.interruptions()] == [True]
    again = sydam.dsi("application", "restart", PRODUCTION, "--planned", "--json", person=AUTOMATE)
    assert again.code == 0, again
    assert len(sydam.told()) == 4


def test_a_tariff_is_loaded_put_back_and_refused_where_the_table_is_another_by_then(sydam):
    (position,) = sydam.sql("SELECT position FROM tarif WHERE dd < 35 ORDER BY position LIMIT 1").split()
    was = sydam.duty(position)
    assert sydam.run(sydam.tariff({position: "12.50"})).code == 0
    assert sydam.duty(position) == ["12.50"]
    assert "fait" in sydam.told("kouadio")[-1]
    stale = sydam.tariff({position: "13"})
    words = ("-i", "rules=tarif", "-i", "back=true", "--reason", "Erreur")
    assert sydam.run(sydam.agreed("request", "rules.update", PRODUCTION, *words)).code == 0
    assert sydam.duty(position) == was
    said = sydam.run(stale)
    assert said.code == 7, said
    assert sydam.duty(position) == was
    history = sydam.dsi("rules", "history", "tarif", "--json").json["updates"]
    assert len(history) == 2


def test_a_new_login_has_a_password_that_nobody_saw_and_must_change_it_first(sydam):
    words = ["-i", "case=create", "-i", "name=AKA Yvonne", "-i", "profile=AGENT", "-i", "office=CIAB1"]
    lacking = sydam.plan(LOGIN, *words, "-i", "documents=lettre=n° 12", operation="application.account")
    assert lacking.code == 5, lacking
    assert "Pièce d’identité" in str(lacking.json["blockers"])
    words += ["-i", f"documents={DOCUMENTS}", "-i", "requester=Chef Bureau <chef.bureau@douanes.lab>"]
    asked = sydam.agreed("request", "application.account", LOGIN, *words, "--reason", "Affectation", by=SECTION_HEAD)
    try:
        with Processes() as processes:
            said = sydam.run(asked)
            assert said.code == 0, said
            shown = sydam.dsi("application", "handover", LOGIN, "--json")
        assert shown.code == 0, shown
        password = shown.json["logins"][0]["password"]
        with sydam.browser("app1") as person:
            page = person.log_in("aka.y", password)
            assert page.url.endswith("/mot-de-passe"), page.text
            assert person.session.get(f"{person.url}/tarif").url.endswith("/mot-de-passe")
            page = person.post("/mot-de-passe", page, nouveau="Cacao-2026-Abidjan", confirmation="Cacao-2026-Abidjan")
            assert "Bienvenue, AKA Yvonne" in page.text
        with sydam.browser("app2") as person:
            assert "mot de passe incorrect" in person.log_in("aka.y", password).text
            assert "Bienvenue" in person.log_in("aka.y", "Cacao-2026-Abidjan").text
        assert "aka.y" in sydam.last_mail("chef.bureau")
        secret = shapes(password)
        mails, layout = b"".join(bytes(mail) for mail in sydam.mails()), sydam.lab.layout
        spoken = "".join(text for text in sydam.said if text != shown.out + shown.err).encode()
        kept = files_below(
            sydam.folder, layout.log_dir, *(server.folder / "logs" for server in sydam.application.servers)
        )
        assert any(path.name == "journal.db" for path in kept)
        places = {str(path): path.read_bytes() for path in kept} | {"mails": mails, "said": spoken}
        places |= {f"process {number}": text for number, text in enumerate(processes.seen)}
        assert [place for place, content in places.items() for shape in secret if shape in content] == []
        again = sydam.dsi("application", "handover", LOGIN)
        assert password not in again.out
    finally:
        sydam.sql("DELETE FROM utilisateurs WHERE login = 'aka.y'")
