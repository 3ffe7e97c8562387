"""Backups as their people live them: asked for, signed, run in the night's name, proven, told, brought back."""

import pypdf
from canary import Watcher, files_below, shapes
from fix_office import DIRECTOR, SECTION_HEAD
from fix_vault_office import AUTOMATE, FILES


def passwords(office):
    """Return the shapes of what opens the repositories, the media and the database."""
    values = [office.secret(name).read_text() for name in ("depot-serveurs", "depot-bases", "rotation")]
    values.append(office.lab.passwords.get("dsi_backup").reveal())
    return set().union(*map(shapes, values))


def test_a_plan_that_nobody_signed_runs_nothing_and_says_how_to_ask(vaults):
    said = vaults.backup("srv1")
    (step,) = said.json["steps"]
    assert (said.code, step["run"], step["exit_code"]) == (4, None, 4), said
    assert "dsi backup ask srv1" in step["error"]["next_step"]
    assert not vaults.repository().exists()


def test_the_controllers_key_runs_and_signs_nothing(vaults):
    asked = vaults.asked("srv1")
    assert set(asked) == {"server.backup", "backup.verify", "backup.externalise"}
    refused = vaults.dsi("approve", asked["server.backup"], "--comment", "moi", "--json", person=AUTOMATE)
    assert (refused.code, refused.error["code"]) == (4, "gate_closed"), refused
    for request in asked.values():
        assert vaults.dsi("approve", request, "--comment", "vu", person=SECTION_HEAD).code == 0
    vaults.asks = asked


def test_srv1_is_saved_proven_copied_and_told(vaults):
    vaults.signed()
    vaults.parts.disks.insert("disque-01")
    with Watcher(passwords(vaults)) as watcher:
        said = vaults.backup("srv1", "--debug")
    assert watcher.samples > 5
    # A process's environment is read by its owner alone; its command line by everybody.
    assert [line for name, line in watcher.seen if name == "cmdline"] == []
    assert said.code == 0, said
    steps = {step["operation"]: step for step in said.json["steps"]}
    assert list(steps) == ["server.backup", "backup.verify", "backup.externalise"]
    (made,) = vaults.sets()
    assert (made["files"], made["verified"], made["media"]) == (FILES, True, ["disque-01"])
    assert made["proof"]["depth"] == "full"
    run = vaults.dsi("show", steps["server.backup"]["run"]["id"]).out
    assert made["set"] in run
    health = vaults.health()
    assert (health["state"], health["alarming"]) == ("verified", False)
    (subject,) = vaults.subjects()
    assert "RÉUSSI" in subject.upper() or "SUCC" in subject.upper() or "OK" in subject, subject
    assert "srv1" in subject
    assert len(vaults.mails()) == 2
    (attached,) = [part.get_filename() for part in vaults.mails()[0].iter_attachments()]
    assert attached.endswith(".pdf")
    report = vaults.report("srv1")
    assert (report.code, report.json["report"]["ok"]) == (0, True)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(report.json["pdf"]).pages)
    assert made["set"] in text
    assert vaults.gauge("dsi_backup_last_verified_timestamp_seconds") is not None, sorted(vaults.gauges())


def test_the_same_again_adds_next_to_nothing_and_ends_well(vaults):
    vaults.ready()
    said = vaults.backup("srv1")
    assert said.code == 0, said
    second, first, *_ = vaults.sets()
    assert second["added_bytes"] < first["added_bytes"] / 10
    assert vaults.subjects()[-1].startswith("[DSI lab]")
    vaults.parts.disks.remove()


def test_one_file_comes_back_elsewhere_and_what_was_approved_is_what_comes(vaults):
    vaults.ready()
    wanted, place = vaults.data / "fiche-07.txt", vaults.folder / "rapporté"
    before = wanted.read_bytes()
    wanted.unlink()
    words = ["srv1", "-i", f"destination={place}", "-i", f"paths={wanted}"]
    asked = vaults.request(*words, operation="backup.restore")
    assert vaults.dsi("approve", asked["id"], "--comment", "vu", person=DIRECTOR).code == 0
    said = vaults.run(asked["id"])
    assert said.code == 0, said
    (found,) = [path for path in place.rglob("*") if path.is_file()]
    assert found.read_bytes() == before
    wanted.write_bytes(before)


def test_a_plan_that_changed_is_outside_what_was_signed(vaults):
    vaults.ready()
    path, sets = vaults.inventory / "group_vars/all.yml", vaults.sets()
    right = path.read_text()
    path.write_text(right.replace("minimum_files: 10", "minimum_files: 11", 1))
    said = vaults.backup("srv1")
    path.write_text(right)
    assert said.code == 7, said
    assert vaults.sets() == sets


def test_an_approval_whose_last_day_is_over_runs_nothing(vaults):
    vaults.ready()
    said = vaults.backup("srv1", faketime="+40d")
    (step,) = said.json["steps"]
    assert said.code == 4, said
    assert "dsi backup ask srv1" in step["error"]["next_step"]


def test_sydam_is_proven_by_a_server_that_answers_and_comes_back_to_a_moment(vaults):
    vaults.standing("sydam")
    said = vaults.backup("sydam")
    assert said.code == 0, said
    assert [step["operation"] for step in said.json["steps"]] == ["database.backup", "backup.verify"]
    (made,) = vaults.sets("sydam")
    assert (made["verified"], made["proof"]["level"]) == (True, 4)
    assert vaults.health("sydam")["state"] == "verified"
    assert "sydam" in vaults.subjects()[-1]


def test_oracle_is_saved_and_validated(vaults):
    vaults.standing("sydam-oracle")
    said = vaults.backup("sydam-oracle")
    assert said.code == 0, said
    (made,) = vaults.sets("sydam-oracle")
    assert made["verified"]
    assert vaults.health("sydam-oracle")["state"] == "verified"


def test_no_password_is_in_the_journal_a_report_a_mail_a_manifest_or_a_log(vaults):
    vaults.ready()
    wanted = passwords(vaults)
    kept = files_below(vaults.state, vaults.parts.mail.layout.mail_dir, vaults.lab.layout.log_dir)
    assert {".db", ".pdf", ".eml", ".gz"} <= {path.suffix for path in kept}
    assert [path for path in kept for shape in wanted if shape in path.read_bytes()] == []
    spoken = "".join(vaults.said).encode()
    assert [shape for shape in wanted if shape in spoken] == []


def test_the_record_of_all_this_verifies(vaults):
    vaults.ready()
    vaults.assert_whole()
    assert vaults.quiet() == {}
    assert vaults.locks() == vaults.locks("bases") == []
