"""What the engine is built from: everything it needs is handed in, and it makes none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from dsi_automation.core.clock import Clock
from dsi_automation.engine.operation import AnyOperation, AnyReadOnly, TargetKind, Tools
from dsi_automation.inventory.model import ApprovalPolicy, Person
from dsi_automation.inventory.source_model import Sources
from dsi_automation.journal.model import Entry, Journal, Signed


def nothing_elsewhere(_entries: Sequence[Entry]) -> None:
    """Have no copy of the journal's head elsewhere to compare with."""


class Signer(Protocol):
    """The key of the person at the keyboard."""

    @property
    def public_key(self) -> str:
        """Return the public half, `ssh-ed25519 AAAA...`.

        Raises:
            UsageError: no key was named, or it cannot be read.
        """
        ...

    def sign(self, document: str, namespace: str) -> Signed:
        """Sign the exact bytes of `document` (UTF-8), as `ssh-keygen -Y sign -n NAMESPACE` does.

        Raises:
            DsiError: the key cannot be used (absent, wrong passphrase, agent refused).
        """
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The engine's surroundings.

    Attributes:
        operations: by name; the engine knows none by itself.
        people, policy: read the files anew at each call, so that an edited or missing one is seen at the gate.
        verify: raises a `DsiError` when a signature does not match its document, namespace or key.
        targets: for each kind of target, the environment of each one by name; a kind whose targets are not in the
            inventory (accounts) holds any name.
        owner: this process, as leases name it: `host/pid/start time`.
        lease_ttl: how long a lease lives without a heartbeat.
        heartbeat: time between two renewals; at most a third of `lease_ttl`.
        workers: targets worked on at once.
        audit: raises a `DsiError` when the journal contradicts something kept elsewhere (a copy of a checkpoint);
            it is given every entry in order, their chain already checked. The SQL journal compares itself with
            its own last checkpoint in each transaction, so that nothing is needed here for that.
        sources: the lines of sources by name: who may accept a release at each stage.
    """

    operations: Mapping[str, AnyOperation | AnyReadOnly]
    tools: Tools[Any, Any]
    journal: Journal
    people: Callable[[], Iterable[Person]]
    policy: Callable[[], ApprovalPolicy]
    signer: Signer
    verify: Callable[[Signed], object]
    targets: Mapping[TargetKind, Mapping[str, str]]
    clock: Clock
    owner: str
    lease_ttl: timedelta = timedelta(seconds=60)
    heartbeat: timedelta = timedelta(seconds=15)
    workers: int = 16
    audit: Callable[[Sequence[Entry]], object] = nothing_elsewhere
    sources: Callable[[], Mapping[str, Sources]] = dict
