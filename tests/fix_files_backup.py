"""A backup of real files: a server behind a real sshd, a real repository, the files engine."""

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dsi_automation.connectors.backups.files.opening import FilesEngine, open_files
from dsi_automation.connectors.backups.port import MadeSet, StoredSet
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret

PASSWORD = "mot de passe du dépôt 7F3K2Q1"


@dataclass
class OpenPermit:
    """A permit that is in force, and remembers what it was asked."""

    run_id: str = "RUN-1"
    asked: list[str] = field(default_factory=list)

    def check(self, target: str) -> None:
        self.asked.append(target)


@dataclass
class FilesHouse:
    """The folders of one backup, and its engine."""

    folder: Path
    shell: Shell
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def job(self) -> str:
        """A name that no other test has: what makes the next backup quicker is kept by name on the machine."""
        return f"srv1-{zlib.crc32(os.fsencode(self.folder)):08x}"

    @property
    def data(self) -> Path:
        return self.folder / "srv" / "sydam"

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def settings(self) -> RepositorySettings:
        url = str(self.repository)
        return RepositorySettings("serveurs", url, url, Secret(PASSWORD))

    def engine(self, permit: OpenPermit | None = None, **changes: Any) -> FilesEngine:
        given = self.changes | changes
        repository = replace(self.settings, **given.pop("repository", {}))
        files = FilesSettings(given.pop("paths", (str(self.data),)), given.pop("exclude", ()), **given.pop("files", {}))
        common = JobSettings(self.job, "Serveur", self.folder / "manifests", self.scratch, **given)
        engine = open_files(common, files, self.shell, repository, SystemClock(), permit or OpenPermit())
        assert isinstance(engine, FilesEngine)
        return engine

    def stored(self, made: MadeSet, number: int = 1) -> StoredSet:
        return StoredSet(f"SET-{number}", self.job, f"RUN-{number}", "files", made)

    def back_up(self, number: int = 1, previous: StoredSet | None = None, **changes: Any) -> StoredSet:
        return self.stored(self.engine(**changes).back_up(f"RUN-{number}", previous, silent), number)

    def packs(self) -> list[Path]:
        return sorted(
            (item for item in (self.repository / "data").rglob("*") if item.is_file()), key=lambda it: it.stat().st_size
        )


def silent(*_: object) -> None:
    """Take progress and say nothing."""


@pytest.fixture
def files_house(
    tmp_path: Path, ssh_shell: Shell, put_repository: Callable[[Path, str], Path]
) -> Iterator[Callable[[], FilesHouse]]:
    """Return a function that makes data and an empty repository."""
    house = FilesHouse(tmp_path, ssh_shell)

    def make() -> FilesHouse:
        (house.data / "d").mkdir(parents=True)
        for number in range(12):
            (house.data / f"f{number}").write_bytes(os.urandom(50_000))
        (house.data / "d" / "[x] * ?.txt").write_text("accentué")
        (house.data / "empty").touch()
        (house.data / "link").symlink_to("f0")
        Path(os.fsdecode(os.fsencode(house.data) + b"/caf\xe9")).write_bytes(b"latin-1")
        put_repository(house.repository, PASSWORD)
        return house

    yield make
    Path("/var/cache/dsi-automation", f"{house.job}.hashes.gz").unlink(missing_ok=True)
