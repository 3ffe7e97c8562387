"""Promise: what a Windows server sent is held against its manifest on the controller, and no secret is in an argument.

The shell is played, and restic of Linux stands in for restic.exe: see docs/explanation on what that cannot prove.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fix_powershell import PlayedShell
from fix_restic import hasten

from dsi_automation.connectors.backups.errors import BackupFailedError, DamagedBackupError, WrongKeyError
from dsi_automation.connectors.backups.port import BackupWriter, Depth, RestoreOrder, StoredSet
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings
from dsi_automation.connectors.backups.windows.opening import in_repository, open_windows_files
from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.connectors.windows.transport import Answer
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.backups.orphans import orphans

PASSWORD = "une phrase de passe du laboratoire"
SERVER = WindowsEndpoint(
    "fichiers1", "198.18.9.9", 5986, "https", Transport.BASIC, user="Administrateur", password=Secret("Abidjan-2026!")
)


class Allowed:
    run_id = "RUN-20261122-0201-7F3K"

    def check(self, target: str) -> None:
        assert target == "fichiers-abj"


def silent(_what: Text, _done: int | None, _of: int | None) -> None:
    pass


@dataclass
class Server:
    """A Windows server whose drives are folders, behind a played shell."""

    drives: Path
    shell: PlayedShell = field(default_factory=lambda: PlayedShell(b""))
    spoil: Callable[[dict[str, Any]], None] = lambda _found: None
    to: str = PlayedShell.to

    def open(self, *, fresh: bool = False) -> None:
        self.shell.open(fresh=fresh)

    def close(self) -> None:
        self.shell.close()

    def exchange(self, data: bytes, timeout: float) -> Answer:
        if b"shell/Send<" in data:
            given = b"".join(base64.b64decode(part) for part in re.findall(rb"<rsp:Stream[^>]*>([^<]*)<", data))
            script, values = (base64.b64decode(line) for line in given.split())
            assert b"backup" in script
            found = self.act(json.loads(values))
            self.spoil(found)
            told = base64.b64encode(json.dumps({"ok": True, "result": found}).encode()).decode()
            self.shell.output = f"DSI-BEGIN{told}DSI-END\r\n".encode()
        return self.shell.exchange(data, timeout)

    def act(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["action"] == "look":
            states = ["ok" if self.place(path).exists() else "missing" for path in given["paths"]]
            version = subprocess.run([given["restic"], "version"], capture_output=True, text=True, check=True)
            return {"version": version.stdout, "clock": SystemClock().now().timestamp(), "paths": states}
        if given["action"] == "initialise":
            done = self.restic(given, "init", *given["options"])
            return {"status": done.returncode, "said": done.stderr}
        words = [word for word in given["words"] if word != "--use-fs-snapshot"]
        paths = [str(self.place(path).relative_to(self.drives)) for path in given["paths"]]
        done = self.restic(given, "backup", *given["options"], *words, "--", *paths)
        answer = {"status": done.returncode, "said": done.stderr, "summary": "", "manifest": None}
        if done.returncode == 0:
            answer["summary"] = done.stdout.splitlines()[-1]
            answer["manifest"] = self.manifest(given, json.loads(answer["summary"])["snapshot_id"])
        return answer

    def place(self, path: str) -> Path:
        return self.drives / in_repository(path).lstrip("/")

    def restic(self, given: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
        environment = {"RESTIC_REPOSITORY": given["repository"], "RESTIC_PASSWORD": given["password"]}
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        command = [given["restic"], "--no-cache", *words]
        return subprocess.run(command, cwd=self.drives, env=environment, capture_output=True, text=True, check=False)

    def manifest(self, given: dict[str, Any], snapshot: str) -> str:
        lines = []
        for line in self.restic(given, "ls", "--json", snapshot).stdout.splitlines():
            node = json.loads(line)
            if node["struct_type"] != "node":
                continue
            entry = {"path": node["path"], "type": node["type"], "mode": 0, "mtime_ns": 0, "size": 0}
            if node["type"] == "file":
                content = (self.drives / node["path"].lstrip("/")).read_bytes()
                entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            lines.append(json.dumps(entry))
        return base64.b64encode(gzip.compress("\n".join(lines).encode())).decode()


@dataclass
class House:
    folder: Path
    server: Server
    common: JobSettings
    files: FilesSettings
    repository: RepositorySettings

    def engine(self, permit: Allowed | None = None, **changes: Any) -> BackupWriter:
        files = replace(self.files, **changes)
        return open_windows_files(
            self.common, files, SERVER, self.repository, SystemClock(), permit or Allowed(), channel=self.server
        )

    def make(self, engine: BackupWriter, previous: StoredSet | None = None) -> StoredSet:
        made = engine.back_up(Allowed.run_id, previous, silent)
        return StoredSet("SET-20261122-0201-AAAA", "fichiers-abj", Allowed.run_id, "files", made)


@pytest.fixture
def house(tmp_path: Path, put_repository: Callable[[Path, str], Path]) -> House:
    data = tmp_path / "drives" / "C" / "Donnees"
    (data / "Recettes 2026").mkdir(parents=True)
    (data / "Recettes 2026" / "Été.txt").write_text("recettes de juillet")
    (data / "declarations.csv").write_bytes(bytes(range(256)) * 400)
    url = str(put_repository(tmp_path / "repository", PASSWORD))
    return House(
        tmp_path,
        Server(tmp_path / "drives"),
        JobSettings("fichiers-abj", "Fichiers", tmp_path / "m", tmp_path / "s", timeout=timedelta(minutes=2)),
        FilesSettings(("C:\\Donnees",)),
        RepositorySettings("serveurs", url, url, Secret(PASSWORD)),
    )


def failed(checks: Any) -> list[str]:
    return [check.name for check in checks if not check.ok]


def test_a_set_is_made_proven_and_brought_back_by_names_of_windows(house: House) -> None:
    engine = house.engine()
    assert engine.source().problems == ()
    (house.folder / "repository").rename(house.folder / "of another test")
    identity = engine.initialise()
    hasten(house.folder / "repository", PASSWORD)
    assert engine.initialise() == identity
    stored = house.make(engine)
    assert (stored.made.files, stored.made.repository) == (2, identity)
    proven = engine.verify(stored, Depth.FULL, silent)
    assert (proven.level, proven.restored_files, failed(proven.checks)) == (3, 2, [])
    listed = engine.contents(stored, "C:\\Donnees\\Recettes 2026")
    assert [one.path for one in listed] == ["/C/Donnees/Recettes 2026/Été.txt"]
    order = RestoreOrder(("C:\\Donnees\\Recettes 2026",), str(house.folder / "back"))
    restored = engine.restore(stored, order, silent)
    assert failed(restored.checks) == []
    assert (house.folder / "back/C/Donnees/Recettes 2026/Été.txt").read_text() == "recettes de juillet"
    with pytest.raises(UsageError):
        engine.restore(stored, RestoreOrder(), silent)


def test_the_password_is_in_no_command_line(house: House) -> None:
    house.engine().source()
    house.make(house.engine())
    commands = [data for action, data in house.server.shell.sent if action == "Command"]
    assert commands
    assert not any(PASSWORD.encode() in data for data in commands)


def _other_snapshot(found: dict[str, Any]) -> None:
    if found.get("summary"):
        found["summary"] = found["summary"].replace('"snapshot_id":"', '"snapshot_id":"0000')


def _no_manifest(found: dict[str, Any]) -> None:
    if "manifest" in found:
        found["manifest"] = None


@pytest.mark.parametrize("spoil", [_other_snapshot, _no_manifest])
def test_what_the_server_says_alone_makes_no_set(house: House, spoil: Callable[[dict[str, Any]], None]) -> None:
    engine = house.engine()
    house.server.spoil = spoil
    with pytest.raises(BackupFailedError):
        house.make(engine)


def _garbled_manifest(found: dict[str, Any]) -> None:
    if found.get("manifest"):
        found["manifest"] = base64.b64encode(b"no archive").decode()


@pytest.mark.parametrize("spoil", [_no_manifest, _garbled_manifest])
def test_a_snapshot_that_nothing_proves_is_removed_by_a_later_run_and_no_other_is(
    house: House, spoil: Callable[[dict[str, Any]], None]
) -> None:
    engine = house.engine()
    stored = house.make(engine)
    house.server.spoil = spoil
    with pytest.raises(DsiError):
        house.make(engine)
    catalogue = Catalogue({stored.id: stored}, frozenset(), (), (), (), {})
    held = engine.repository().snapshots
    left = orphans("fichiers-abj", {Allowed.run_id}, held, catalogue)
    assert (len(held), len(left)) == (2, 1)
    engine.drop([one.id for one in left])
    assert [one.id for one in engine.repository().snapshots] == [stored.made.snapshot]
    assert [path.name for path in house.common.manifests.glob("*.gz")] == [stored.made.manifest_file]
    assert failed(engine.verify(stored, Depth.FULL, silent).checks) == []


def test_a_manifest_that_was_changed_on_the_way_fails_the_proof(house: House) -> None:
    engine = house.engine()

    def lie(found: dict[str, Any]) -> None:
        if found.get("manifest"):
            text = gzip.decompress(base64.b64decode(found["manifest"])).decode()
            wrong = re.sub('"sha256": "[0-9a-f]', '"sha256": "g', text)
            found["manifest"] = base64.b64encode(gzip.compress(wrong.encode())).decode()

    house.server.spoil = lie
    assert failed(engine.verify(house.make(engine), Depth.FULL, silent).checks) == ["content"]


def test_a_path_that_is_missing_and_a_set_much_too_small_do_not_count(house: House) -> None:
    engine = house.engine()
    stored = house.make(engine)
    with pytest.raises(BackupFailedError):
        house.make(house.engine(paths=("C:\\Donnees", "D:\\Absent")))
    bigger = replace(stored, made=replace(stored.made, files=100))
    with pytest.raises(BackupFailedError):
        house.make(engine, bigger)
    assert [one.id for one in engine.repository().snapshots] == [stored.made.snapshot]


def test_a_wrong_key_and_a_repository_that_is_gone_are_told_as_such(house: House) -> None:
    house.repository = replace(house.repository, password=Secret("une tout autre phrase"))
    with pytest.raises(WrongKeyError):
        house.make(house.engine())
    (house.folder / "repository").rename(house.folder / "away")
    with pytest.raises(BackupFailedError) as caught:
        house.make(house.engine())
    assert type(caught.value) is not DamagedBackupError


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ("C:\\Donnees\\a", "/C/Donnees/a"),
        ("d:/Partage/", "/D/Partage"),
        ("C:\\", "/C"),
        ("/C/Donnees", "/C/Donnees"),
    ],
)
def test_a_path_of_windows_has_one_name_in_the_repository(windows: str, expected: str) -> None:
    assert in_repository(windows) == expected


def test_a_value_that_could_end_an_argument_is_refused(house: House) -> None:
    with pytest.raises(UsageError):
        house.engine(exclude=('*.tmp" --password-command "calc',))
