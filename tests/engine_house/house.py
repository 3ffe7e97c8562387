"""A small real world for the engine: targets are folders, an action appends one line to a file in one.

Everything else is real: the SQL journal, SSH keys and signatures, the gate. A file with two lines was written
twice, which is how a repeated action shows.
"""

from __future__ import annotations

import dataclasses
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.events import Event, Silent
from dsi_automation.core.plan import Action, Blocker, NonAction, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.api import Engine
from dsi_automation.engine.engine import GatedEngine
from dsi_automation.engine.operation import Inputs, Observed, Operation, Permit, ReadOnlyOperation, Report, TargetKind
from dsi_automation.engine.parts import Parts
from dsi_automation.inventory.model import ApprovalPolicy, Person, PersonKey
from dsi_automation.journal import sshsig
from dsi_automation.journal.database import WAIT, Database
from dsi_automation.journal.migrate import migrate
from dsi_automation.journal.model import Signed
from dsi_automation.journal.opening import open_journal
from dsi_automation.journal.owner import this_process
from dsi_automation.journal.signatures import check

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class HandClock:
    """A clock that a test sets; its monotonic half goes on by itself."""

    def __init__(self, now: datetime = START) -> None:
        self.moment = now
        self._real = SystemClock()

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self._real.monotonic()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def forward(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


class MemoryKey:
    """An ed25519 key in this process, signing as `ssh-keygen -Y sign` does."""

    def __init__(self, seed: str) -> None:
        import hashlib

        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self.public_key = self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, document: str, namespace: str) -> Signed:
        return Signed(document, sshsig.make(self._key, document.encode(), namespace), namespace, self.public_key)


class FillInputs(Inputs):
    files: tuple[str, ...] = ("a", "b", "c")
    copies: int = 1


class Folders:
    """The read half: what is in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self, target: str) -> dict[str, str]:
        folder = self.root / target
        if not folder.is_dir():
            raise UnreachableError(T("{name} does not answer.", name=target), on=target)
        return {path.name: path.read_text() for path in folder.iterdir()}


class Pens:
    """The write half: asks its permit before every write."""

    def __init__(self, root: Path, permit: Permit) -> None:
        self.root, self.permit = root, permit

    def write(self, target: str, name: str) -> None:
        self.permit.check(target)
        with (self.root / target / name).open("a") as file:
            file.write("written\n")


class FolderTools:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.permits: list[Permit] = []

    def look(self) -> Folders:
        return Folders(self.root)

    def hands(self, permit: Permit) -> Pens:
        self.permits.append(permit)
        return Pens(self.root, permit)


class Fill(Operation[FillInputs, dict[str, str], None, Folders, Pens]):
    """Makes sure that files exist. `faults` maps `target/file` to what goes wrong there, once each."""

    name: ClassVar[str] = "folder.fill"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A"
    summary: ClassVar[Any] = T("Fill")
    risk: ClassVar[Risk] = Risk.LOW
    inputs_model: ClassVar[type[Inputs]] = FillInputs

    def __init__(self, point: Callable[[str], None] = lambda _name: None) -> None:
        self.faults: dict[str, list[Any]] = {}
        self.point = point
        self.verify_lies = False

    def observe(self, targets: Sequence[str], inputs: Any, look: Folders, observer: Any) -> Any:
        self.point("observe")
        facts: dict[str, dict[str, str]] = {}
        failures: dict[str, DsiError] = {}
        for target in targets:
            try:
                facts[target] = look.files(target)
            except DsiError as error:
                failures[target] = error
        return Observed(facts, failures, None)

    def plan(self, targets: Sequence[str], inputs: Any, observed: Any) -> Plan:
        actions, done, blocked = [], [], []
        for target in targets:
            if target in observed.failures:
                error = observed.failures[target]
                blocked.append(Blocker(target, error.what, T("Switch it on."), error.exit_code))
                continue
            for name in inputs.files:
                if name in observed.facts[target]:
                    done.append(NonAction(target, f"create-{name}", T("There already.")))
                else:
                    actions.append(
                        Action(target, f"create-{name}", {"file": name}, T("Create {name}", name=name), T("Absent."))
                    )
        kept = tuple(target for target in targets if target not in observed.failures)
        dumped = inputs.model_dump(mode="json")
        return Plan(self.name, self.version, kept, dumped, tuple(actions), tuple(done), tuple(blocked))

    def act(self, action: Action, inputs: Any, hands: Pens, observer: Any) -> None:
        name = str(action.args["file"])
        fault = self._fault(action)
        self.point(f"before {action.id}")
        if fault == "lost before":
            raise UnknownOutcomeError(T("No answer."), on=action.target)
        if isinstance(fault, DsiError):
            raise fault
        hands.write(action.target, name)
        self.point(f"after {action.id}")
        if callable(fault):
            fault()
        if fault == "lost after":
            raise UnknownOutcomeError(T("No answer."), on=action.target)
        if fault == "defect":
            raise ZeroDivisionError

    def settle(self, action: Action, inputs: Any, look: Folders, observer: Any) -> None:
        self.point("settle")
        look.files(action.target)

    def verify(self, plan: Plan, inputs: Any, look: Folders, observer: Any) -> Sequence[Check]:
        self.point("verify")
        checks = []
        for target in plan.targets:
            for name in inputs.files:
                text = look.files(target).get(name, "") if not self.verify_lies else ""
                checks.append(
                    Check(target, name, T("File {name}", name=name), "written", text.strip(), bool(text), "disk")
                )
        return checks

    def _fault(self, action: Action) -> Any:
        planned = self.faults.get(f"{action.target}/{action.args['file']}", [])
        return planned.pop(0) if planned else None


class Count(ReadOnlyOperation[FillInputs, Folders]):
    """Only looks."""

    name: ClassVar[str] = "folder.count"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A"
    summary: ClassVar[Any] = T("Count")
    inputs_model: ClassVar[type[Inputs]] = FillInputs

    def check(self, targets: Sequence[str], inputs: Any, look: Folders, observer: Any) -> Report:
        found = tuple(
            Check(t, "count", T("Files"), "3", str(len(look.files(t))), len(look.files(t)) == 3, "disk")
            for t in targets
        )
        return Report(tuple(targets), found, {})


class Listener:
    """Remembers every event."""

    def __init__(self, point: Callable[[str], None] = lambda _name: None) -> None:
        self.events: list[Event] = []
        self.point = point

    def notify(self, event: Event) -> None:
        self.events.append(event)
        self.point(f"event {event.kind}")


POLICY: Mapping[str, Any] = {
    "version": 1,
    "operations": {
        "folder.fill": {
            "production": {
                "requesters": ["technician"],
                "approvers": ["section_head", "director"],
                "approvals": 1,
                "valid_for": timedelta(days=2),
                "standing": {"allowed": True, "longest": timedelta(days=92)},
                "emergency": {
                    "roles": ["technician"],
                    "ratifiers": ["director"],
                    "ratify_within": timedelta(hours=48),
                },
            }
        }
    },
}


def person(id_: str, role: str, number: str, **more: Any) -> Person:
    keys = more.pop("keys", (PersonKey(key=MemoryKey(id_).public_key),))
    return Person(id=id_, name=id_, staff_number=number, roles=(role,), keys=keys, **more)


@lru_cache
def _empty_journal() -> bytes:
    """Return a database that has the journal's tables and no entry: making them takes half of what a house costs."""
    with tempfile.TemporaryDirectory() as folder:
        made = Database(f"sqlite:///{folder}/journal.db", wait=WAIT)
        migrate(made)
        made.close()
        return Path(folder, "journal.db").read_bytes()


class House:
    """One inventory, one journal, and an engine for whoever signs."""

    def __init__(
        self,
        root: Path,
        *,
        targets: Sequence[str] = ("t1",),
        url: str | None = None,
        clock: Any = None,
        wait: timedelta | None = None,
    ):
        self.root = root
        self.clock = clock or HandClock()
        self.state = root / "state"
        for target in targets:
            (root / "targets" / target).mkdir(parents=True, exist_ok=True)
        self.targets = dict.fromkeys(targets, "production")
        self.people: list[Person] = [
            person("m.kouadio", "technician", "100"),
            person("k.brou", "technician", "101"),
            person("y.traore", "section_head", "200"),
            person("a.bamba", "director", "300"),
        ]
        self.policy: dict[str, Any] = dict(POLICY)
        self.fill = Fill()
        self.tools = FolderTools(root / "targets")
        self.url = url
        if url is None and not self.database.exists():
            self.state.mkdir(parents=True, exist_ok=True)
            self.database.write_bytes(_empty_journal())
        self.journal = open_journal(url, self.state, clock=self.clock, wait=wait)
        self.listener = Listener()
        self.options: dict[str, Any] = {}

    @property
    def database(self) -> Path:
        return self.state / "journal.db"

    def parts(self, who: str | Any, **changes: Any) -> Parts:
        made = Parts(
            operations={"folder.fill": self.fill, "folder.count": Count()},
            tools=self.tools,
            journal=self.journal,
            people=lambda: list(self.people),
            policy=lambda: ApprovalPolicy.model_validate(self.policy),
            signer=MemoryKey(who) if isinstance(who, str) else who,
            verify=check,
            targets={TargetKind.HOST: self.targets},
            clock=self.clock,
            owner=this_process(),
        )
        return dataclasses.replace(made, **{**self.options, **changes})

    def engine(self, who: str | Any = "m.kouadio", **changes: Any) -> Engine:
        return GatedEngine(self.parts(who, **changes))

    def plan(self, *targets: str, **inputs: Any) -> Plan:
        return self.engine().plan("folder.fill", targets or tuple(self.targets), inputs, Silent())

    def requested(self, *targets: str, who: str = "m.kouadio", **inputs: Any) -> str:
        from dsi_automation.engine.model import Window

        return self.engine(who).request(self.plan(*targets, **inputs), "Because", Window()).id

    def approved(self, *targets: str, **inputs: Any) -> str:
        request_id = self.requested(*targets, **inputs)
        self.engine("y.traore").approve(request_id, "Fine")
        return request_id

    def written(self, target: str = "t1") -> dict[str, int]:
        """Return how often each file of a target was written."""
        return {p.name: len(p.read_text().splitlines()) for p in sorted((self.root / "targets" / target).iterdir())}


def refused(why: str = "Wrong password.") -> RefusedError:
    return RefusedError(T("{why}", why=why))


def keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
