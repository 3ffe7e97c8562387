"""A set of the real engine goes to a real disk and is proven from it, restic's own locks and check included."""

import pytest

from dsi_automation.connectors.backups.files.opening import open_files
from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings
from dsi_automation.connectors.media.errors import MediumDamagedError
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret
from dsi_automation.operations.backups.externalise_act import about, needed

PASSWORD = Secret("mot-de-passe-de-la-rotation")


def quiet(*_):
    """Nobody looks."""


@pytest.fixture
def engine(tmp_path, leave, put_repository):
    data = tmp_path / "data"
    data.mkdir()
    for number in range(20):
        (data / f"f{number}").write_bytes(bytes([number]) * 30_000)
    common = JobSettings("srv1", "Serveur 1", tmp_path / "manifests", tmp_path / "scratch-srv1")
    depot = str(put_repository(tmp_path / "depot", "mot-de-passe-du-depot"))
    repository = RepositorySettings("serveurs", depot, depot, Secret("mot-de-passe-du-depot"))
    made = open_files(common, FilesSettings((str(data),)), LocalShell(), repository, SystemClock(), leave)
    yield made
    made.close()


def test_a_set_is_copied_proven_from_the_disk_and_damage_is_found(engine, new_disk, opened):
    made = engine.back_up("RUN-20261122-0001", None, quiet)
    stored = StoredSet("SET-20261122-0200-7F3K", "srv1", "RUN-20261122-0001", "files", made)
    disk = new_disk(megabytes=128).plug_in()
    medium = opened(disk)
    medium.register(made.ended_at - made.started_at)
    folder = medium.begin(stored.id, needed(stored))
    copied = engine.copy(stored, folder, PASSWORD, quiet)
    medium.finish(stored.id, about(stored, copied), quiet)
    for _ in range(2):
        with medium.read_back(stored.id, quiet) as back:
            checks = engine.verify_copy(stored, copied, back, PASSWORD)
        assert checks
        assert all(check.ok for check in checks), checks
    place = disk.mount_point / "sets" / stored.id / "restic"
    pack = max((path for path in (place / "data").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    held, content = bytearray(disk.image.read_bytes()), pack.read_bytes()
    at = held.rindex(content[:64]) + 20
    with disk.image.open("r+b") as image:
        image.seek(at)
        image.write(bytes([held[at] ^ 1]))
    with pytest.raises(MediumDamagedError), medium.read_back(stored.id, quiet):
        pytest.fail("a damaged copy was given out")
