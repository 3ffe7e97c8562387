"""A desk to try operations on accounts at: `Look` and `Hands` over a directory, a tenant and envelopes in memory.

::

    desk = Desk()                      # hybrid; Desk(hybrid=False) for a tenant of the cloud alone
    desk.directory.add_account(...)    # MemoryAccounts
    desk.tenant_.add_user(...)         # MemoryTenant
    desk.look, desk.hands              # what operations are handed
    desk.kill_after(3)                 # raises Killed right after the effect of the third write from now
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dsi_automation.connectors.directory.accounts import Account as AdAccount
from dsi_automation.connectors.directory.memory_accounts import MemoryAccountReader, MemoryAccounts, MemoryAccountWriter
from dsi_automation.connectors.directory.port import DirectoryReader, DirectoryWriter
from dsi_automation.connectors.m365.memory import MemoryTenant, MemoryTenantReader, MemoryTenantWriter
from dsi_automation.connectors.m365.memory_rules import Delay, Delays
from dsi_automation.connectors.m365.port import CloudUser
from dsi_automation.connectors.windows.port import WindowsReader, WindowsScripts, WindowsWriter
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.inventory.account_model import AccountPolicy, HelpDesk, TenantSettings
from dsi_automation.inventory.model import DirectorySettings, NamingRule, Site, WorkstationPolicy
from dsi_automation.operations.envelopes import Envelope
from dsi_automation.operations.tools import Account

BASE = "DC=ad,DC=douanes,DC=lab"
USERS = f"OU=Utilisateurs,OU=ABJ,OU=Sites,{BASE}"
LEAVERS = f"OU=Partis,{BASE}"
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LICENCES = {"bureau": "STANDARDPACK", "guichet": "DESKLESSPACK", "cadre": "ENTERPRISEPACK"}


class Killed(BaseException):
    """The process died here: nothing but the test may catch it."""


class StepClock:
    """A clock that goes on only when somebody sleeps, or by a hair at each question."""

    def __init__(self) -> None:
        self.moment = START
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def notify(self, event: Event) -> None:
        self.events.append(event)

    def said(self, kind: str = "wait") -> list[str]:
        return [str(event.text) for event in self.events if event.kind == kind]


class FreePermit:
    """A permit that allows everything and remembers what for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def run_id(self) -> str:
        return "E-2026-0001"

    def check(self, target: str) -> None:
        self.asked.append(target)


class MemoryEnvelopes:
    """Envelopes with the promises of the real ones, and without a disk."""

    def __init__(self, clock: StepClock, wrote: Any) -> None:
        self.clock, self._wrote = clock, wrote
        self.kept: dict[str, Envelope] = {}
        self.secrets: dict[str, Secret] = {}
        self.ever: dict[str, list[Secret]] = {}

    def find(self, target: str) -> Envelope | None:
        return self.kept.get(target)

    def peek(self, target: str) -> Secret | None:
        return self.secrets.get(target)

    def prepare(self, target: str) -> Envelope:
        known = self.kept.get(target)
        if known is None or known.delivered_at is not None:
            self.kept[target] = Envelope(target, sealed=target in self.secrets)
            self._wrote("envelope.prepare", target)
        return self.kept[target]

    def seal(self, target: str, password: Secret) -> Secret:
        if target not in self.secrets:
            self.secrets[target] = password
            self.ever.setdefault(target, []).append(password)
            known = self.kept.get(target, Envelope(target, sealed=False))
            self.kept[target] = replace(known, sealed=True, opened_at=None)
            self._wrote("envelope.seal", target)
        return self.secrets[target]

    def discard_password(self, target: str) -> None:
        self.secrets.pop(target, None)
        if target in self.kept:
            self.kept[target] = replace(self.kept[target], sealed=False)
        self._wrote("envelope.discard", target)

    def delivered(self, target: str) -> None:
        self.kept[target] = replace(self.kept[target], delivered_at=self.clock.now())
        self._wrote("envelope.delivered", target)

    def open(self, target: str) -> Secret | None:
        """Open it, as `dsi mailbox handover` does."""
        secret = self.secrets.pop(target, None)
        self.kept[target] = replace(self.kept[target], sealed=False, opened_at=self.clock.now())
        return secret


def site(code: str = "ABJ") -> Site:
    return Site(
        code=code,
        name="Abidjan",
        workstation_ou=f"OU=Postes,OU={code},OU=Sites,{BASE}",
        naming=NamingRule(template=code + "-PC-{number:04}"),
        user_ou=f"OU=Utilisateurs,OU={code},OU=Sites,{BASE}",
    )


def policy(**changes: Any) -> AccountPolicy:
    values: dict[str, Any] = {
        "environment": "training",
        "domain": "douanes.lab",
        "write_credential": "directory_accounts",
        "licence": "bureau",
        "licences": LICENCES,
        "leavers_ou": LEAVERS,
        "leaver_licence": "free",
        "help_desk": HelpDesk(name="Hotline DSI", phone="+225 27 20 25 15 15", mail="hotline@douanes.lab"),
    }
    return AccountPolicy(**{**values, **changes})


def settings(**changes: Any) -> TenantSettings:
    values: dict[str, Any] = {
        "tenant_id": "t",
        "client_id": "c",
        "managed_identity": True,
        "sender": "dsi@douanes.lab",
        "sync_deadline": timedelta(seconds=60),
        "ready_deadline": timedelta(seconds=60),
        "poll": timedelta(seconds=1),
    }
    return TenantSettings(**{**values, **changes})


@dataclass
class Desk:
    """Both directories, the envelopes, the letters, and the two halves over them."""

    hybrid: bool = True
    has_tenant: bool = True
    clock: StepClock = field(default_factory=StepClock)
    policy: AccountPolicy = field(default_factory=policy)
    settings: TenantSettings = field(default_factory=settings)
    issued: dict[str, str] = field(default_factory=dict)
    letters: dict[str, list[MailboxLetter]] = field(default_factory=dict)
    wrote: list[tuple[str, str]] = field(default_factory=list)
    listener: Listener = field(default_factory=Listener)
    permit: FreePermit = field(default_factory=FreePermit)

    def __post_init__(self) -> None:
        self._left: int | None = None
        self._lost: DsiError | None = None
        self.directory = MemoryAccounts(clock=self.clock)
        self.directory.lose = self._ad_wrote
        for code in ("ABJ", "SPY", "BKE"):
            self.directory.add_ou(f"OU=Utilisateurs,OU={code},OU=Sites,{BASE}")
        self.directory.add_ou(LEAVERS)
        self.tenant_ = MemoryTenant(
            clock=self.clock,
            delays=Delays(create=Delay(0.5), location=Delay(0.5), licence=Delay(0.5), mailbox=Delay(1)),
            directory=self._accounts if self.hybrid else None,
            cycle=5 if self.hybrid else None,
            after=self.note,
        )
        self.skus = {
            name: self.tenant_.add_sku(part, seats, plans=plans)
            for name, part, seats, plans in (
                ("bureau", "STANDARDPACK", 300, ("EXCHANGE_S_STANDARD",)),
                ("guichet", "DESKLESSPACK", 50, ("EXCHANGE_S_DESKLESS",)),
                ("cadre", "ENTERPRISEPACK", 10, ("EXCHANGE_S_ENTERPRISE",)),
            )
        }
        self.envelopes = MemoryEnvelopes(self.clock, self.note)

    @property
    def look(self) -> DeskLook:
        """A read half as a new process has it."""
        return DeskLook(self)

    @property
    def hands(self) -> DeskHands:
        """A write half as a new run has it."""
        return DeskHands(self)

    def kill_after(self, writes: int | None) -> None:
        """Die right after the effect of that write from now on (1 is the next); None never."""
        self._left = writes

    def lose_next(self, error: DsiError) -> None:
        """Have the next write to a directory or the tenant take effect, and its answer lost."""
        self._lost = error

    def note(self, name: str, subject: str) -> None:
        """Note a write, and die there if it is time."""
        self.wrote.append((name, subject))
        if self._lost is not None and not name.startswith("envelope."):
            lost, self._lost = self._lost, None
            raise lost
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._left = None
                raise Killed(f"{name} {subject}")

    def _accounts(self) -> list[AdAccount]:
        return list(self.directory.accounts.values())

    def _ad_wrote(self, doing: Text) -> bool:
        self.note("ad", doing.render("en"))
        return False

    def add_ready(
        self, number: str, address: str, *, licence: str = "bureau", **known: Any
    ) -> tuple[AdAccount, CloudUser]:
        """Add somebody whose mailbox was ready before: an account, its synchronised user, a licence."""
        ou = known.pop("ou", USERS)
        account = self.directory.add_account(
            number.lower(), ou, upn=address, mail=address, staff_number=number, proxy_addresses=(f"SMTP:{address}",),
            **known,
        )  # fmt: skip
        user = CloudUser(
            id=f"id-{number}", upn=address, mail=address, display_name=account.display_name, surname=account.surname,
            given_name=account.given_name, staff_number=number, enabled=True, usage_location="CI", synced=self.hybrid,
            immutable_id=account.immutable_id if self.hybrid else None, proxy_addresses=(f"SMTP:{address}",),
            licences=(self.skus[licence].id,), created_at=START - timedelta(days=30),
        )  # fmt: skip
        ready = self.tenant_.add_user(user, ready=True)
        return account, ready


class DeskLook:
    """The read half."""

    workers = 4
    deadline = 30.0
    sites: Mapping[str, Site] = {}
    workstation_policy = WorkstationPolicy()
    directory_settings = DirectorySettings(
        domain="ad.douanes.lab", netbios="DOUANES", server="dc1.ad.douanes.lab",
        read_credential="reader", join_credential="joiner",
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tenant = desk.tenant_.reader()

    @property
    def clock(self) -> StepClock:
        return self._desk.clock

    @property
    def site_codes(self) -> Mapping[str, Site]:
        return {code: site(code) for code in ("ABJ", "SPY", "BKE")}

    @property
    def account_policy(self) -> AccountPolicy:
        return self._desk.policy

    @property
    def has_tenant(self) -> bool:
        return self._desk.has_tenant

    @property
    def tenant_settings(self) -> TenantSettings:
        assert self._desk.has_tenant
        return self._desk.settings

    @property
    def issued_addresses(self) -> Mapping[str, str]:
        return self._desk.issued

    def accounts(self) -> MemoryAccountReader:
        return self._desk.directory.reader()

    def tenant(self) -> MemoryTenantReader:
        assert self._desk.has_tenant
        return self._tenant

    def envelopes(self) -> MemoryEnvelopes:
        return self._desk.envelopes

    def windows(self, target: str) -> AbstractContextManager[WindowsReader]:
        raise AssertionError(target)

    def directory(self) -> DirectoryReader:
        raise AssertionError("no workstation here")


class DeskHands:
    """The write half."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._look = desk.look
        self._tenant = desk.tenant_.writer(desk.permit)

    @property
    def look(self) -> DeskLook:
        return self._look

    def accounts(self) -> MemoryAccountWriter:
        return self._desk.directory.writer(self._desk.permit)

    def tenant(self) -> MemoryTenantWriter:
        return self._tenant

    def envelopes(self) -> MemoryEnvelopes:
        return self._desk.envelopes

    def write_letter(self, target: str, letter: MailboxLetter) -> str:
        self._desk.letters.setdefault(target, []).append(letter)
        self._desk.note("letter", target)
        return f"letters/{target}.pdf"

    def windows(self, target: str) -> AbstractContextManager[WindowsWriter]:
        raise AssertionError(target)

    def scripts(self, target: str) -> AbstractContextManager[WindowsScripts]:
        raise AssertionError(target)

    def directory(self) -> DirectoryWriter:
        raise AssertionError("no workstation here")

    def join_account(self) -> Account:
        raise AssertionError("no workstation here")
