"""SIGKILL at each stage of a night's backup: the next run finishes it, harms no set and leaves nothing behind."""

from fix_vault_office import action, program

from dsi_automation.journal.model import Kind


def ended(operation):
    """Return a moment to kill at: a run of this operation ended, and its report is not made yet."""
    kind = Kind.RUN_ENDED.value
    return lambda office, last: any(one.startswith(f"{kind} ") for one in office.announced(last))


def test_a_night_killed_at_every_stage_is_finished_by_the_next_runs(vaults):
    good = vaults.ready()
    vaults.parts.disks.insert("disque-01")
    (vaults.data / "fiche-new.bin").write_bytes(bytes(range(256)) * 40000)
    stages = {
        "while restic reads and sends": program("restic", "backup"),
        "before sets are forgotten": action("retain"),
        "while files are brought back": program("restic", "restore"),
        "while the medium is written": action("copy"),
    }
    for stage, when in stages.items():
        vaults.killed("backup", "run", "srv1", when=when)
        shown = {one["set"]: one for one in vaults.sets()}
        assert shown[good["set"]]["verified"], stage
        assert shown[good["set"]]["media"] == ["disque-01"], stage
    said = vaults.backup("srv1")
    assert said.code == 0, said
    newest = vaults.sets()[0]
    assert (newest["verified"], newest["media"]) == (True, ["disque-01"])
    assert vaults.quiet() == {}
    assert vaults.locks() == []
    assert [path for path in vaults.scratch.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
    vaults.assert_whole()


def test_a_report_that_a_kill_prevented_is_made_up_for_once(vaults):
    vaults.ready()
    told, mails = len(vaults.reports()), len(vaults.mails())
    vaults.killed("run", vaults.asks["backup.verify"], when=ended("backup.verify"))
    for _ in range(2):
        vaults.dsi("backup", "report", "--json")
        vaults.dsi("mail", "flush")
    assert len(vaults.reports()) == told + 1
    assert len(vaults.mails()) == mails + 2


def test_two_at_once_one_works_and_the_other_says_who(vaults):
    vaults.ready()
    first = vaults.start("backup", "run", "srv1", "--json")
    second = vaults.start("backup", "run", "srv1", "--json")
    ends = [vaults.finish(process) for process in (first, second)]
    assert sorted(end.code for end in ends) == [0, 4], ends
    refused = next(end for end in ends if end.code == 4)
    assert "kouadio" in str(refused.json["steps"][-1]["error"]).lower(), refused


def test_two_backups_into_one_repository_at_once_both_count(vaults):
    vaults.ready()
    vaults.parts.disks.remove()
    words = ["--reason", "un essai", "--json"]
    first = vaults.start("emergency", "server.backup", "voisin", *words)
    second = vaults.start("emergency", "server.backup", "srv1", *words)
    ends = [vaults.finish(process) for process in (first, second)]
    assert [end.code for end in ends] == [0, 0], ends
    assert len(vaults.sets("voisin")) == 1
