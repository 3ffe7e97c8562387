"""Everything wired: settings, inventory, journal, signer, equipment, operations, engine.

Each part is made when it is first asked for, so that a command pays for what it uses only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import UsageError, VerificationFailedError
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.people import FILE as PEOPLE_FILE
from dsi_automation.inventory.people import load_people
from dsi_automation.inventory.policy import FILE as POLICY_FILE
from dsi_automation.inventory.policy import load_policy
from dsi_automation.inventory.settings import Settings, load_settings

if TYPE_CHECKING:
    from dsi_automation.composition.equipment import Equipment
    from dsi_automation.composition.telling import Teller
    from dsi_automation.engine.engine import GatedEngine
    from dsi_automation.engine.model import Acceptance
    from dsi_automation.engine.operation import AnyOperation, AnyReadOnly, TargetKind
    from dsi_automation.engine.parts import Parts
    from dsi_automation.inventory.model import ApprovalPolicy, Person, PersonKey
    from dsi_automation.inventory.schedule_model import Schedule
    from dsi_automation.journal.findings import Verification
    from dsi_automation.journal.model import Entry, Kind, Lease, Signed, Transaction
    from dsi_automation.journal.signatures import AllowedSigner
    from dsi_automation.journal.signing import AgentKey, KeySource
    from dsi_automation.journal.store import SqlJournal
    from dsi_automation.operations.applications.announcing import Announcement
    from dsi_automation.operations.backups.catalogue import Noted
    from dsi_automation.operations.network.record import Decided


class Toolkit:
    """Everything, wired for one call of a command or of a playbook."""

    def __init__(
        self,
        *,
        inventory: str | None = None,
        key: str | None = None,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Remember the choices; nothing is read yet.

        Args:
            inventory: `--inventory`, a file or a folder.
            key: `--key`, the SSH key of the person at the keyboard.
            environ: the environment variables; by default the process's.
            directory: the current directory, by default the process's.
            clock: by default the machine's.
        """
        self._inventory_option = None if inventory is None else Path(inventory)
        self._key_option = None if key is None else Path(key)
        self._environ = os.environ if environ is None else environ
        self._directory = directory
        self.clock = clock or SystemClock()

    @cached_property
    def settings(self) -> Settings:
        """Return the settings in force.

        Raises:
            UsageError: no inventory is found, or dsi.yml is wrong.
        """
        directory = self._directory or Path.cwd()
        return load_settings(self._environ, directory, inventory=self._inventory_option, key=self._key_option)

    @property
    def language(self) -> str:
        """Return the language the settings ask for."""
        return self.settings.language.value

    @cached_property
    def inventory(self) -> Inventory:
        """Return the inventory."""
        return Inventory.open(self.settings, self._environ)

    @property
    def policy(self) -> ApprovalPolicy:
        """Return who decides on what."""
        return self.inventory.policy

    @cached_property
    def operations(self) -> Mapping[str, AnyOperation | AnyReadOnly]:
        """Return the operations by name; needs no inventory."""
        from dsi_automation.operations.registry import operations

        return operations()

    def select(self, operation: str, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return the targets that words choose for an operation: hosts by Ansible patterns, others by their names.

        Raises:
            UsageError: a host is unknown, or nothing is chosen.
        """
        from dsi_automation.engine.operation import TargetKind

        known = self.operations.get(operation)
        if not patterns or (known is not None and known.target_kind is not TargetKind.HOST):
            return tuple(dict.fromkeys(patterns))
        return self.inventory.select(patterns)

    @cached_property
    def journal(self) -> SqlJournal:
        """Return the journal; it is made the first time.

        Raises:
            StorageError, TamperedError, SigningError: see `open_journal`.
        """
        from dsi_automation.journal.opening import open_journal

        return open_journal(self.settings.database_url.value, self.settings.state_dir.value)

    def schedules(self) -> Mapping[str, Schedule]:
        """Return the schedules as the file has them now: the scheduler sees an edited one.

        Raises:
            UsageError: the file cannot be read, or is not right.
        """
        from dsi_automation.inventory.schedules import FILE, load_schedules

        return load_schedules(self.settings.home / FILE)

    @property
    def journal_exists(self) -> bool:
        """Tell whether there is a journal to read: looking must not make one."""
        url = self.settings.database_url.value
        return not url.startswith("sqlite") or Path(url.partition(":///")[2]).exists()

    @cached_property
    def equipment(self) -> Equipment:
        """Return the two halves of the connectors."""
        from dsi_automation.composition.accounts import Records
        from dsi_automation.composition.equipment import Equipment

        records = Records(
            self.settings.state_dir.value,
            self._announced,
            self._notes,
            self._medium_places,
            self._acceptances,
            self._announce,
            self._decided,
        )
        return Equipment(self.inventory, self.clock, self.settings.workers.value, records)

    def kept_connections(self) -> AbstractContextManager[None]:
        """Keep connections to servers open until the block ends: a run uses each of them several times."""
        return self.equipment.look().shells.kept()

    @cached_property
    def engine(self) -> GatedEngine:
        """Return the engine; the ends of backup runs are told of."""
        from dsi_automation.composition.telling import TellingEngine

        return TellingEngine(self)

    @cached_property
    def teller(self) -> Teller:
        """Return what makes reports and mails of backup runs."""
        from dsi_automation.composition.telling import Teller

        return Teller(self)

    @cached_property
    def parts(self) -> Parts:
        """Return what the engine is built from."""
        from dsi_automation.engine.parts import Parts
        from dsi_automation.journal.owner import this_process
        from dsi_automation.journal.signatures import check

        return Parts(
            operations=self.operations,
            tools=self.equipment,
            journal=LateJournal(self),
            people=self._people_now,
            policy=lambda: load_policy(self.settings.home / POLICY_FILE),
            signer=LateSigner(self),
            verify=check,
            targets=environments(self),
            clock=self.clock,
            owner=this_process(),
            workers=self.settings.workers.value,
            sources=lambda: self.inventory.sources,
        )

    @cached_property
    def signer(self) -> KeySource | AgentKey:
        """Return the key of the person at the keyboard.

        Raises:
            UsageError: none was named, and there is no agent.
        """
        from dsi_automation.journal.signing import AgentKey, KeySource

        path = self.settings.key.value
        if path is not None:
            return KeySource(path)
        if not self._environ.get("SSH_AUTH_SOCK"):
            raise UsageError(
                T("No key to sign with: neither --key, nor DSI_KEY, nor an SSH agent."),
                next_step=T(
                    "If you have none, make one (ssh-keygen -t ed25519) and have its public half, the .pub file, put "
                    "in people.yml by whoever keeps the inventory; then name it with --key or DSI_KEY."
                ),
            )
        return AgentKey([key.key for person in self.inventory.people for key in person.keys])

    def signer_name(self) -> str:
        """Return who the key at hand belongs to, for `dsi doctor`.

        Raises:
            UsageError: there is no key, or it is nobody's.
        """
        person = self.inventory.people.by_key(self.signer.public_key, self.clock.now())
        if person is None:
            raise UsageError(
                T("Your key belongs to nobody in people.yml, or its period is over."),
                next_step=T("Have its public half, the .pub file, put there by whoever keeps the inventory."),
            )
        return f"{person.name} ({person.id}: {', '.join(person.roles)})"

    def prepare(self) -> Text:
        """Make the state folder, the controller's key and the journal, unless they are there; say where.

        Raises:
            StorageError, TamperedError, SigningError: see `open_journal`.
        """
        head, place = self.journal.head(), self.settings.state_dir.value
        return TN("journal: {place}, {n} entry", "journal: {place}, {n} entries", head.seq, place=place)

    def inventory_checks(self) -> Sequence[Check]:
        """Return everything there is to say about the inventory, for `dsi doctor`."""
        from dsi_automation.inventory.doctor import inventory_checks

        return inventory_checks(self.inventory, self.settings, self.clock.now())

    def journal_summary(self) -> str:
        """Return where the journal is and how long it is, for `dsi doctor`."""
        from dsi_automation.journal.database import Database

        place = Database(self.settings.database_url.value).place
        if not self.journal_exists:
            return str(T("none yet: it will be made at the first request ({url})", url=place))
        return str(TN("{n} entry ({url})", "{n} entries ({url})", self.journal.head().seq, url=place))

    def journal_head(self) -> tuple[int, str]:
        """Return the number and the hash of the last entry."""
        head = self.journal.head()
        return head.seq, head.hash

    def verify_journal(self, external: Path | None) -> Verification:
        """Verify the whole journal, also against a copy of the checkpoints kept elsewhere.

        Raises:
            VerificationFailedError: there is no journal left in which an entry could be named.
        """
        from dsi_automation.journal.errors import DamagedError, TamperedError
        from dsi_automation.journal.verify import read_external, verify_journal

        kept_elsewhere = [] if external is None else read_external(external)
        try:
            return verify_journal(self._journal_as_it_is(), self.checkpoints, self.allowed_signers(), kept_elsewhere)
        except (DamagedError, TamperedError) as error:
            raise VerificationFailedError(
                error.what, meaning=error.meaning, next_step=error.next_step, detail=error.detail
            ) from error

    def export_journal(self, path: Path, *, folder: bool = False) -> int:
        """Export the journal, to an archive or to a folder; returns how many entries."""
        from dsi_automation.journal.export import export

        # A journal that was tampered with is exported too: it is the evidence.
        return export(self._journal_as_it_is(), path, self.checkpoints, self.allowed_signers(), folder=folder).entries

    @property
    def checkpoints(self) -> Path:
        """Return the controller's file of checkpoints."""
        from dsi_automation.journal.checkpoints import NAME

        return self.settings.state_dir.value / NAME

    def allowed_signers(self) -> list[AllowedSigner]:
        """Return the keys of the people of the inventory, as signatures are held against them."""
        return [_allowed(person, key) for person in self.inventory.people for key in person.keys]

    def _people_now(self) -> Iterable[Person]:
        # Read anew each time: the gate must see an edited or missing file.
        return load_people(self.settings.home / PEOPLE_FILE)

    def _announced(self) -> Iterable[Mapping[str, Any]]:
        from dsi_automation.journal.model import Kind

        return [entry.body for entry in self.journal.read(kinds=[Kind.ABOUT_TO])] if self.journal_exists else []

    def _notes(self) -> Iterable[Noted]:
        from dsi_automation.engine.fold import note
        from dsi_automation.journal.model import Kind
        from dsi_automation.operations.backups.catalogue import Noted

        if not self.journal_exists:
            return []
        told = ((entry.subject, note(entry)) for entry in self.journal.read(kinds=[Kind.NOTED]))
        return [Noted(run, item.target, item.name, item.at, item.data) for run, item in told]

    def _medium_places(self) -> Mapping[str, str]:
        if not self.journal_exists:
            return {}
        from dsi_automation.engine.media_custody import places

        return {name: str(move.order.state) for name, move in places(self.engine.medium_moves()).items()}

    def _acceptances(self) -> Iterable[Acceptance]:
        return self.engine.acceptances() if self.journal_exists else ()

    def _decided(self) -> Mapping[str, Decided]:
        from dsi_automation.journal.model import Kind
        from dsi_automation.operations.network.record import Decided

        requesters: dict[str, str] = {}
        approvers: dict[str, list[str]] = {}
        found: dict[str, str] = {}
        for entry in self.journal.read(kinds=[Kind.REQUESTED, Kind.APPROVED, Kind.RUN_STARTED]):
            if entry.kind is Kind.REQUESTED:
                requesters[entry.subject] = entry.actor
            elif entry.kind is Kind.APPROVED:
                approvers.setdefault(entry.subject, []).append(entry.actor)
            else:
                found[entry.subject] = entry.body["request"]
        return {run: Decided(requesters[one], tuple(approvers.get(one, ()))) for run, one in found.items()}

    def _announce(self, run: str, announcement: Announcement) -> None:
        self.teller.announce(run, announcement)

    def _journal_as_it_is(self) -> SqlJournal:
        """Return the journal without holding it against its checkpoints: `verify` tells more than a refusal."""
        from dsi_automation.journal.database import Database
        from dsi_automation.journal.migrate import is_empty
        from dsi_automation.journal.store import SqlJournal

        database = Database(self.settings.database_url.value)
        if not self.journal_exists or is_empty(database):
            return self.journal  # which sees whether there should be one
        return SqlJournal(database)


class LateJournal:
    """The journal, opened when it is first used: looking at machines does not need it."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's journal."""
        self._toolkit = toolkit

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a serialised transaction."""
        return self._toolkit.journal.transaction()

    def read(self, *, subject: str | None = None, kinds: Iterable[Kind] | None = None) -> Sequence[Entry]:
        """Return entries without holding writers up."""
        return self._toolkit.journal.read(subject=subject, kinds=kinds)

    def holders(self) -> Sequence[Lease]:
        """Return the leases held at this moment."""
        return self._toolkit.journal.holders()


class LateSigner:
    """The person's key, found when it is first used: looking needs none."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's signer."""
        self._toolkit = toolkit

    @property
    def public_key(self) -> str:
        """Return the public half."""
        return self._toolkit.signer.public_key

    def sign(self, document: str, namespace: str) -> Signed:
        """Sign a document."""
        return self._toolkit.signer.sign(document, namespace)


class _Environments(Mapping[str, str]):
    """What targets of one kind are for, looked up when it is asked for."""

    def __init__(self, names: Callable[[], Iterable[str]], environment: Callable[[str], str]) -> None:
        self._find = names
        self._environment = environment

    @cached_property
    def _names(self) -> dict[str, None]:
        return dict.fromkeys(self._find())

    def __contains__(self, target: object) -> bool:
        return target in self._names

    def __getitem__(self, target: str) -> str:
        if target not in self:
            raise KeyError(target)
        return self._environment(target)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _AnyName(_Environments):
    """Targets that no file lists: any name that can be printed is one."""

    def __contains__(self, target: object) -> bool:
        return isinstance(target, str) and target.strip() == target and target.isprintable() and 0 < len(target) <= 256


def environments(toolkit: Toolkit) -> Mapping[TargetKind, Mapping[str, str]]:
    """Return, for each kind of target, what each is for."""
    from dsi_automation.engine.operation import TargetKind

    inventory = toolkit.inventory
    return {
        TargetKind.HOST: _Environments(
            lambda: inventory.select(["all"]), lambda name: inventory.target(name).environment.value
        ),
        TargetKind.ACCOUNT: _AnyName(tuple, lambda _: inventory.accounts.environment.value),
        TargetKind.SITE: _Environments(lambda: inventory.sites, lambda _: inventory.accounts.environment.value),
        TargetKind.BACKUP: _Environments(
            lambda: inventory.backup_plan.backups, lambda name: inventory.backup_plan.backups[name].environment.value
        ),
        TargetKind.APPLICATION: _Environments(
            lambda: inventory.applications, lambda name: inventory.applications[name].environment.value
        ),
        TargetKind.LOGIN: _AnyName(
            tuple, lambda name: inventory.applications[name.rpartition("@")[2]].environment.value
        ),
    }


def _allowed(person: Person, key: PersonKey) -> AllowedSigner:
    from dsi_automation.journal.signatures import AllowedSigner

    return AllowedSigner(
        person.id,
        key.key,
        None if key.valid_from is None else datetime.combine(date.fromisoformat(key.valid_from), time.min, UTC),
        None if key.valid_until is None else datetime.combine(date.fromisoformat(key.valid_until), time.max, UTC),
    )
