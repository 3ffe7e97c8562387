"""An office where an operation that does nothing is asked for, approved and run: everything real but the work."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.events import Observer, Silent
from dsi_automation.core.plan import Action, NonAction, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.engine import GatedEngine
from dsi_automation.engine.model import Window
from dsi_automation.engine.operation import Inputs, Observed, Operation, Permit, TargetKind
from dsi_automation.engine.parts import Parts, Signer
from dsi_automation.inventory.model import ApprovalPolicy, Person, PersonKey
from dsi_automation.journal import sshsig
from dsi_automation.journal.model import Signed
from dsi_automation.journal.opening import open_journal
from dsi_automation.journal.owner import this_process
from dsi_automation.journal.signatures import check
from dsi_automation.journal.signing import KeySource

TARGET = "pc1"
NAME = "bench.nothing"


class NothingInputs(Inputs):
    """How many actions that do nothing."""

    actions: int = 1


class Nothing(Operation[NothingInputs, int, None, list[str], "Hand"]):
    """Notes in a list in memory that an action was done: what is left is the toolkit's own cost."""

    name: ClassVar[str] = NAME
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A"
    summary: ClassVar[Text] = T("Nothing")
    risk: ClassVar[Risk] = Risk.LOW
    inputs_model: ClassVar[type[Inputs]] = NothingInputs

    # The engine hands each step more than nothing needs.
    # ruff: noqa: ARG002
    def observe(
        self, targets: Sequence[str], inputs: NothingInputs, look: list[str], observer: Observer
    ) -> Observed[int, None]:
        """Count what was done."""
        return Observed({target: len(look) for target in targets}, {}, None)

    def plan(self, targets: Sequence[str], inputs: NothingInputs, observed: Observed[int, None]) -> Plan:
        """Plan what is not done yet."""
        done = observed.facts[targets[0]]
        wanted = [(target, number) for target in targets for number in range(inputs.actions)]
        actions = tuple(_action(target, number) for target, number in wanted if number >= done)
        skipped = tuple(NonAction(target, f"a{number}", T("Done.")) for target, number in wanted if number < done)
        return Plan(self.name, self.version, tuple(targets), inputs.model_dump(mode="json"), actions, skipped, ())

    def act(self, action: Action, inputs: NothingInputs, hands: Hand, observer: Observer) -> None:
        """Note it."""
        hands.note(action.target)

    def settle(self, action: Action, inputs: NothingInputs, look: list[str], observer: Observer) -> None:
        """Wait for nothing."""

    def verify(self, plan: Plan, inputs: NothingInputs, look: list[str], observer: Observer) -> Sequence[Check]:
        """Count again."""
        count = str(len(look))
        wanted = str(inputs.actions)
        return [Check(name, "count", T("Count"), wanted, count, count == wanted, "memory") for name in plan.targets]


class Hand:
    """The write half: asks its permit, then notes."""

    def __init__(self, notes: list[str], permit: Permit | None) -> None:
        self._notes, self._permit = notes, permit

    def note(self, target: str) -> None:
        """Note that something was done."""
        if self._permit is not None:
            self._permit.check(target)
        self._notes.append(target)


class Notes:
    """Both halves of nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def look(self) -> list[str]:
        """Return the read half."""
        return self.notes

    def hands(self, permit: Permit | None) -> Hand:
        """Return the write half."""
        return Hand(self.notes, permit)


class MemoryKey:
    """A key in this process, which signs in 0.1 ms what `ssh-keygen` signs in a process of its own."""

    def __init__(self, name: str) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        self.public_key = self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, document: str, namespace: str) -> Signed:
        """Sign the document."""
        return Signed(document, sshsig.make(self._key, document.encode(), namespace), namespace, self.public_key)


class Office:
    """A technician, a section head, a journal.

    Args:
        state: folder of the journal and of its checkpoints.
        url: the database; None for SQLite in `state`.
        ssh_keygen: whether people sign by `ssh-keygen`, as they do in life, or in memory.
    """

    def __init__(self, state: Path, url: str | None = None, *, ssh_keygen: bool = True) -> None:
        self.journal = open_journal(url, state)
        self.tools = Notes()
        self.state = state
        self._keys: dict[str, Signer] = {
            name: KeySource(_key_file(state / name)) if ssh_keygen else MemoryKey(name)
            for name in ("technician", "section_head")
        }
        self._people = [
            Person(id=name, name=name, staff_number=str(number), roles=(name,), keys=(PersonKey(key=key.public_key),))
            for number, (name, key) in enumerate(self._keys.items(), start=100)
        ]
        rule = {
            "requesters": ["technician"],
            "approvers": ["section_head"],
            "approvals": 1,
            "valid_for": timedelta(days=2),
        }
        self._policy = ApprovalPolicy.model_validate({"version": 1, "operations": {NAME: {"production": rule}}})

    def engine(self, name: str) -> GatedEngine:
        """Return the engine of whoever signs."""
        parts = Parts(
            operations={NAME: Nothing()},
            tools=self.tools,
            journal=self.journal,
            people=lambda: self._people,
            policy=lambda: self._policy,
            signer=self._keys[name],
            verify=check,
            targets={TargetKind.HOST: {TARGET: "production"}},
            clock=SystemClock(),
            owner=this_process(),
        )
        return GatedEngine(parts)

    def ask(self, actions: int) -> str:
        """Plan and request, as the technician."""
        self.tools.notes.clear()
        technician = self.engine("technician")
        plan = technician.plan(NAME, [TARGET], {"actions": actions}, Silent())
        return technician.request(plan, "Because", Window()).id

    def approve(self, request: str) -> None:
        """Approve, as the section head."""
        self.engine("section_head").approve(request, "Fine")

    def run(self, request: str) -> None:
        """Run, as the technician.

        Raises:
            RuntimeError: it did not succeed.
        """
        if self.engine("technician").run(request, Silent()).exit_code != 0:
            raise RuntimeError(request)


def directly(actions: int) -> Callable[[], None]:
    """Return the same look, plan, acts and check without gate and journal."""

    def work() -> None:
        operation, tools, inputs = Nothing(), Notes(), NothingInputs(actions=actions)
        plan = operation.plan([TARGET], inputs, operation.observe([TARGET], inputs, tools.look(), Silent()))
        for action in plan.actions:
            operation.act(action, inputs, tools.hands(None), Silent())
        if not all(item.ok for item in operation.verify(plan, inputs, tools.look(), Silent())):
            raise RuntimeError("not verified")

    return work


def _action(target: str, number: int) -> Action:
    return Action(target, f"a{number}", {"number": number}, T("Do nothing"), T("Not done."))


def _key_file(path: Path) -> Path:
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path
