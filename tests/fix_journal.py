"""Journals and people's keys for the tests."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.opening import open_journal
from dsi_automation.journal.signatures import AllowedSigner
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.store import SqlJournal


@dataclass
class SetClock:
    """A clock that stands where it is put."""

    moment: datetime = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


@dataclass
class Place:
    """Where one journal is; opening it twice is two controllers' processes at one journal."""

    url: str
    state: Path
    clock: SetClock
    opened: list[SqlJournal] = field(default_factory=list)

    def open(self, *, clock: bool = True, state: Path | None = None, wait: float = 10) -> SqlJournal:
        journal = open_journal(
            self.url, state or self.state, self.clock if clock else None, wait=timedelta(seconds=wait)
        )
        self.opened.append(journal)
        return journal

    @property
    def checkpoints(self) -> Path:
        return self.state / "checkpoints.jsonl"

    @property
    def database(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))


def _place(url: str, folder: Path) -> Place:
    return Place(url, folder / "state", SetClock())


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A journal's place on each engine."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'journal.db'}"
    else:
        url = request.getfixturevalue("new_postgres_database")()
    made = _place(url, tmp_path)
    yield made
    for journal in made.opened:
        journal.close()


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Iterator[Place]:
    """A journal's place on SQLite."""
    made = _place(f"sqlite:///{tmp_path / 'journal.db'}", tmp_path)
    yield made
    for journal in made.opened:
        journal.close()


@pytest.fixture(scope="session")
def new_key(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that makes an SSH key pair with `ssh-keygen`."""

    def make(name: str = "key", kind: str = "ed25519", passphrase: str = "", bits: int = 0) -> Path:
        path = tmp_path_factory.mktemp("keys") / name
        size = ["-b", str(bits)] if bits else []
        subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", passphrase, "-C", name, "-f", path], check=True)
        return path

    return make


@pytest.fixture(scope="session")
def awa(new_key: Callable[..., Path]) -> KeySource:
    """The key of the person `awa`."""
    return KeySource(new_key("awa"))


@pytest.fixture(scope="session")
def yao(new_key: Callable[..., Path]) -> KeySource:
    """The key of the person `yao`."""
    return KeySource(new_key("yao"))


@pytest.fixture(scope="session")
def signers(awa: KeySource, yao: KeySource) -> list[AllowedSigner]:
    """Whose keys count."""
    return [AllowedSigner("awa", awa.public_key), AllowedSigner("yao", yao.public_key)]


def note(number: int = 0, subject: str = "R-1") -> Draft:
    """Return an entry that nobody signs."""
    return Draft(Kind.ABOUT_TO, subject, "controller", {"number": number, "text": 'é "quoted" \\ \u2028'})


def word(kind: Kind, person: str, key: KeySource, subject: str = "R-1", **more: object) -> Draft:
    """Return an entry that is somebody's signed word."""
    document = {
        "format": "test/1",
        "request": subject,
        "person": person,
        "window": {"not_after": None, "not_before": None},
        "note": 'say "yes" \\ é\n',
        **more,
    }
    namespace = "dsi-request" if kind is Kind.REQUESTED else "dsi-decision"
    signed = key.sign(canonical_bytes(json.loads(json.dumps(document))).decode(), namespace)
    return Draft(kind, subject, person, {"note": document["note"], "extra": [1, 2]}, signed)


@pytest.fixture
def story(sqlite_place: Place, awa: KeySource, yao: KeySource) -> Place:
    """A small journal with two signed words among ten entries, the last of them checkpointed."""
    journal = sqlite_place.open()
    for draft in [
        word(Kind.REQUESTED, "awa", awa),
        word(Kind.APPROVED, "yao", yao),
        *(note(number) for number in range(6)),
        Draft(Kind.RUN_ENDED, "R-1", "awa", {"exit_code": 0}),
    ]:
        sqlite_place.clock.moment += timedelta(seconds=1)
        with journal.transaction() as transaction:
            transaction.append(draft)
    return sqlite_place
