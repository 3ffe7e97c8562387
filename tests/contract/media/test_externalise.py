"""backup.externalise under the real gate and journal, on real disks: only what was read back counts."""

import dataclasses
import sys
from datetime import timedelta
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2] / "unit" / "operations" / "backups"))
sys.path.insert(0, str(HERE.parents[2] / "engine_house"))

from vault import MemoryHands, MemoryLook, Vault, plan_of  # noqa: E402

from dsi_automation.connectors.backups.memory import MemoryBackup  # noqa: E402
from dsi_automation.connectors.backups.port import Copied  # noqa: E402
from dsi_automation.connectors.media.opening import open_medium  # noqa: E402
from dsi_automation.connectors.media.port import MediumSettings  # noqa: E402
from dsi_automation.core.events import Silent  # noqa: E402
from dsi_automation.core.secrets import Secret  # noqa: E402
from dsi_automation.engine.media_custody import places  # noqa: E402
from dsi_automation.engine.model import MediumOrder, MediumState, Window  # noqa: E402
from dsi_automation.inventory.backup_model import MediaSettings  # noqa: E402
from dsi_automation.operations.backups.externalise import BackupExternalise  # noqa: E402
from dsi_automation.operations.backups.rule32110 import rule_of  # noqa: E402


class FolderBackup(MemoryBackup):
    """Copies into a real folder, as restic does."""

    def copy(self, of, folder, password, progress):
        self._write("copy")
        for name, content in self._held(of).items():
            place = Path(folder, name.lstrip("/"))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        self._step("after copy")
        return Copied(of.made.snapshot, of.made.size, of.made.size)

    def verify_copy(self, of, copied, folder, password):
        self._step("verify_copy")
        found = {f"/{p.relative_to(folder)}": p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}
        return (self._compared(of, found),)


class Safe(Vault):
    """The vault of the operations' tests, with a rotation of disks."""

    OPERATIONS = (*Vault.OPERATIONS, BackupExternalise())

    def __init__(self, root, disks, **rotation):
        super().__init__(root)
        self.root, self.disks = root, disks
        media = {
            name: {"kind": "disk", "title": name.upper(), "uuid": disk.uuid, "label": disk.label}
            for name, disk in disks.items()
        }
        turn = {"title": "Externe", "media": list(disks), "password": {"env": "SECRET"}, **rotation}
        plan = plan_of()
        settings = MediaSettings.model_validate({"media": media, "rotations": {"externe": turn}})
        job = plan.backups["srv1"].model_copy(update={"media": "externe"})
        self.backup_plan = plan.model_copy(update={"media": settings, "backups": {"srv1": job}})

    def look(self):
        return SafeLook(self)

    def hands(self, permit):
        return SafeHands(self.look(), permit, self)

    def opened(self, name, permit=None):
        disk, plan = self.disks[name], self.backup_plan.media
        return open_medium(
            MediumSettings(
                name=name,
                title=name.upper(),
                kind="disk",
                uuid=disk.uuid,
                label=disk.label,
                serial=None,
                device=None,
                mount_point=disk.mount_point,
                capacity=None,
                scratch=self.root / "scratch" / name,
                copies=plan.rotations["externe"].copies,
                rotation="externe",
                password=lambda: Secret("mot-de-passe-de-la-rotation"),
                restic="/nonexistent/restic",
            ),
            "srv1",
            self.clock,
            permit,
            patience=0,
        )

    def carried(self, **inputs):
        return self.run(self.once("backup.externalise", **inputs))

    def verified(self):
        self.backed_up()
        assert self.run(self.once("backup.verify")).exit_code == 0
        return self.catalogue().of("srv1")[-1]

    def moved(self, who, name, state, **more):
        return self.engine(who).move_medium(MediumOrder(name, name.upper(), state, **more))


class SafeLook(MemoryLook):
    def backup(self, target):
        return _closing(FolderBackup(target, self._bench.store, self.clock))

    def medium(self, name):
        return self._bench.opened(name)

    def medium_places(self):
        moves = self._bench.engine().medium_moves()
        return {name: str(move.order.state) for name, move in places(moves).items()}


class SafeHands(MemoryHands):
    def backup(self, target):
        self._permit.check(target)
        return _closing(FolderBackup(target, self._bench.store, self.look.clock, self._permit))

    def medium(self, name, target):
        return self._bench.opened(name, self._permit)

    def medium_password(self, rotation):
        return Secret("mot-de-passe-de-la-rotation")


class _closing:  # noqa: N801  # reads as contextlib's
    def __init__(self, engine):
        self._engine = engine

    def __enter__(self):
        return self._engine

    def __exit__(self, *_):
        return None


@pytest.fixture
def safe(tmp_path, new_disk):
    disks = {f"disque-0{n}": new_disk(f"d{n}") for n in (1, 2, 3)}
    disks["disque-01"].plug_in()
    root = tmp_path / "house"
    root.mkdir()
    return Safe(root, disks)


def reasons(plan):
    return " ".join(str(blocker.reason) for blocker in plan.blockers)


def told(plan):
    return " ".join(str(item.reason) for item in plan.non_actions)


def test_a_standing_approval_needs_no_medium_that_day_and_covers_each_blank_disk_of_the_rotation(safe):
    safe.disks["disque-01"].take_out()
    request = safe.standing("backup.externalise")
    safe.verified()
    assert safe.run(request).exit_code == 5
    for name in ("disque-01", "disque-02"):
        safe.disks[name].plug_in()
        safe.verified()
        run = safe.run(request)
        assert run.exit_code == 0, run.errors
        assert len(safe.catalogue().on_medium[name]) == 1
        safe.disks[name].take_out()


def test_a_blank_disk_is_registered_as_the_plan_says_and_the_copy_is_read_back(safe):
    stored = safe.verified()
    plan = safe.plan("backup.externalise", medium="disque-01")
    assert [action.kind for action in plan.actions] == ["register", "copy"]
    assert plan.actions[0].args["identity"] == safe.disks["disque-01"].uuid
    run = safe.carried()
    assert run.exit_code == 0, run.errors
    assert safe.catalogue().on_medium == {"disque-01": (stored.id,)}
    assert [note.name for note in run.notes] == ["backup.copy"]
    assert {check.name for check in run.evidence} == {"record", "table_of_contents"}
    assert [action.kind for action in safe.plan("backup.externalise").actions] == ["copy"]


def test_only_a_verified_set_leaves_the_house(safe):
    (stored,) = safe.backed_up()
    run = safe.carried()
    assert run.exit_code == 5
    assert safe.catalogue().copies == ()
    assert stored.id in reasons(safe.plan("backup.externalise", set=stored.id))


def test_a_set_that_is_on_a_medium_is_not_copied_again(safe):
    safe.verified()
    for _ in range(2):
        assert safe.carried().exit_code == 0
    assert len(safe.catalogue().copies) == 1


def test_a_copy_that_does_not_hold_is_recorded_and_counts_for_nothing(safe):
    stored = safe.verified()
    real = FolderBackup._compared
    try:
        FolderBackup._compared = lambda self, of, files: dataclasses.replace(real(self, of, files), ok=False)
        run = safe.carried()
    finally:
        FolderBackup._compared = real
    assert run.exit_code == 6
    assert safe.catalogue().on_medium == {}
    assert not safe.catalogue().copies[0].ok
    assert safe.carried().exit_code == 0
    assert safe.catalogue().on_medium == {"disque-01": (stored.id,)}


def test_a_disk_pulled_out_while_it_is_written_is_told_and_the_next_run_copies_anew(safe):
    safe.verified()
    disk = safe.disks["disque-01"]
    safe.store.point = lambda name: disk.pull() if name == "after copy" else None
    run = safe.carried()
    assert run.exit_code == 3
    assert safe.catalogue().copies == ()
    safe.store.point = lambda _: None
    disk.wait_until_let_go()
    disk.plug_in()
    assert safe.carried().exit_code == 0


def test_the_medium_whose_turn_it_is_must_be_in(safe):
    safe.verified()
    safe.disks["disque-01"].take_out()
    assert "DISQUE-01" in told(safe.plan("backup.externalise"))
    run = safe.carried()
    assert (run.exit_code, safe.catalogue().copies) == (5, ())
    assert "DISQUE-01" in str(run.errors["srv1"]["what"])
    safe.disks["disque-02"].plug_in()
    assert safe.carried().exit_code == 0
    assert list(safe.catalogue().on_medium) == ["disque-02"]
    assert "DISQUE-01" in reasons(safe.plan("backup.externalise", medium="disque-01"))
    assert "disque-09" in reasons(safe.plan("backup.externalise", medium="disque-09"))


def test_a_medium_that_is_off_site_by_the_record_is_not_written_though_it_is_in(safe):
    safe.verified()
    safe.moved("m.kouadio", "disque-01", MediumState.COURIER, to="y.traore")
    assert "DISQUE-01" in reasons(safe.plan("backup.externalise", medium="disque-01"))
    safe.moved("y.traore", "disque-01", MediumState.VAULT, place="Coffre")
    plan = safe.plan("backup.externalise")
    assert "dsi media return disque-01" in " ".join(str(blocker.next_step) for blocker in plan.blockers)


def test_a_full_medium_is_written_over_only_after_what_it_holds_need_not_be_kept(tmp_path, new_disk):
    disk = new_disk("d1").plug_in()
    root = tmp_path / "house"
    root.mkdir()
    safe = Safe(root, {"disque-01": disk}, copies=1, keep=timedelta(days=28))
    first = safe.verified()
    assert safe.carried().exit_code == 0
    safe.clock.forward(hours=24)
    second = safe.verified()
    assert "DISQUE-01" in reasons(safe.plan("backup.externalise"))
    safe.clock.forward(hours=24 * 29)
    run = safe.carried()
    assert run.exit_code == 0, run.errors
    assert [note.name for note in run.notes] == ["medium.cleared", "backup.copy"]
    assert safe.catalogue().on_medium == {"disque-01": (second.id,)}
    assert safe.opened("disque-01").look().holds == (second.id,)
    assert first.id != second.id


def test_a_disk_that_lacks_what_the_record_says_is_refused(safe):
    safe.verified()
    run = safe.carried()
    assert run.exit_code == 0, run.errors
    disk = safe.disks["disque-01"]
    (disk.mount_point / "SETS.json").write_text('{"format":"dsi.sets/1","sets":[]}')
    stored = safe.catalogue().of("srv1")[0]
    assert stored.id in reasons(safe.plan("backup.externalise", medium="disque-01"))


def test_a_change_of_the_rotation_is_outside_a_standing_approval(safe):
    safe.verified()
    assert safe.carried().exit_code == 0
    request = safe.standing("backup.externalise")
    assert safe.run(request).exit_code == 0
    media = safe.backup_plan.media
    kept = media.rotations["externe"].model_copy(update={"keep": timedelta(days=1)})
    changed = media.model_copy(update={"rotations": {"externe": kept}})
    safe.backup_plan = safe.backup_plan.model_copy(update={"media": changed})
    with pytest.raises(Exception, match=r".") as caught:
        safe.run(request)
    assert type(caught.value).__name__ == "WorldChangedError"


def test_the_rule_3_2_1_1_0_says_which_digit_is_missing(safe):
    stored = safe.verified()
    media = safe.backup_plan.media
    assert rule_of(stored.id, safe.catalogue(), media, {}).missing == ("copies", "kinds", "off_site", "offline")
    assert safe.carried().exit_code == 0
    assert rule_of(stored.id, safe.catalogue(), media, {}).missing == ("off_site", "offline")
    away = {"disque-01": "vault"}
    assert rule_of(stored.id, safe.catalogue(), media, away).missing == ()


def test_two_runs_of_one_request_do_not_write_twice(safe):
    safe.verified()
    asked = safe.engine().request(safe.plan("backup.externalise"), "Today", Window())
    safe.engine("y.traore").approve(asked.id, "Fine")
    assert safe.engine().run(asked.id, Silent()).exit_code == 0
    assert len(safe.catalogue().copies) == 1
