"""A tenant in memory with the habits of the real one that operations must live with.

For tests and rehearsals: what is created shows later, a location set just now is not believed at once, licences become
active and mailboxes ready after a while, seats run out, deleted users hold their address, synchronised users are
mastered by their directory. Delays are counted in seconds of a clock, in reads, or in both.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.directory.client import WritePermit
from dsi_automation.connectors.m365 import memory_rules as rules
from dsi_automation.connectors.m365.memory_rules import Delays, Later, Record
from dsi_automation.connectors.m365.port import (
    CloudUser,
    Exchanges,
    Grant,
    HolderKind,
    Letter,
    LicenceState,
    MailboxState,
    NewCloudUser,
    Sku,
    Tenant,
    TenantEndpoint,
    TenantHolder,
)
from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret

ENDPOINT: Final = TenantEndpoint(
    tenant_id="11111111-2222-3333-4444-555555555555",
    client_id="66666666-7777-8888-9999-000000000000",
    base_url="https://graph.microsoft.com/v1.0",
    authority="https://login.microsoftonline.com",
    scope="https://graph.microsoft.com/.default",
    managed_identity=True,
)


@dataclass
class MemoryTenant:
    """What the tenant holds. Make it, fill it, then read and write through the two halves below.

    Attributes:
        bought: the subscribed licences; `used` of each counts the seats of users who are not in here.
        held: addresses of groups and contacts, and who they are.
        directory: the accounts the synchronisation sees; None for a tenant of the cloud alone.
        cycle: seconds between two synchronisations; None for none by itself (`synchronise` makes one).
        on_demand: whether `provision_now` has a job to ask.
        licence_errors: by address, what assigning a licence ends in instead of `Active`: `CountViolation`, ...
        passwords: by user id, every temporary password ever set.
        fault: called with the name and the subject of each call before it; an error it returns is raised instead.
        after: called with the same once a write has had its effect, to lose the answer or to die there.
        writes: every write that had an effect: its name and its subject.
    """

    domain: str = "douanes.lab"
    initial_domain: str = "douaneslab.onmicrosoft.com"
    clock: Clock = field(default_factory=SystemClock)
    delays: Delays = field(default_factory=Delays)
    bought: dict[str, Sku] = field(default_factory=dict)
    held: dict[str, TenantHolder] = field(default_factory=dict)
    directory: Callable[[], Iterable[Account]] | None = None
    cycle: float | None = None
    on_demand: bool = False
    licence_errors: dict[str, str] = field(default_factory=dict)
    mails: list[Letter] = field(default_factory=list)
    passwords: dict[str, list[Secret]] = field(default_factory=dict)
    fault: Callable[[str, str], DsiError | None] | None = None
    after: Callable[[str, str], None] | None = None
    writes: list[tuple[str, str]] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    deleted: dict[str, CloudUser] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    organisation: Tenant = field(init=False)
    _next_cycle: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.organisation = Tenant(
            id=ENDPOINT.tenant_id,
            name="Douanes",
            domains=(self.domain, self.initial_domain),
            initial_domain=self.initial_domain,
            hybrid=self.directory is not None,
            last_sync=None if self.directory is None else self.clock.now(),
        )
        self._next_cycle = self.clock.monotonic() + (self.cycle or 0)

    def add_sku(self, part_number: str, seats: int, *, plans: Sequence[str] = ("EXCHANGE_S_STANDARD",)) -> Sku:
        """Buy seats of a licence."""
        sku = Sku(
            str(uuid.uuid5(uuid.NAMESPACE_URL, part_number)),
            part_number,
            enabled=True,
            total=seats,
            used=0,
            service_plans=tuple(plans),
        )
        self.bought[sku.id] = sku
        return sku

    def add_user(self, user: CloudUser, *, ready: bool = False) -> CloudUser:
        """Add a user that was there before; `ready` gives it the mailbox its licences bring."""
        with self.lock:
            record = Record(user, self.delayed())
            self.records[user.id] = record
            if ready:
                record.user = replace(
                    user,
                    licence_states=tuple(self.state_of(sku, "Active", "None") for sku in user.licences),
                    plans=(rules.exchange_plan(self.clock.now()),),
                )
                record.mailbox = True
            return record.user

    def delete(self, user_id: str) -> None:
        """Delete a user: it keeps its licence, its mailbox and its address for 30 days."""
        with self.lock:
            self.deleted[user_id] = self.records.pop(user_id).user

    def synchronise(self) -> None:
        """Bring every account of the directory in, as one cycle of the synchronisation does."""
        with self.lock:
            seen = list(self.directory() if self.directory is not None else ())
            for account in seen:
                self.bring_in(account)
            gone = {one.immutable_id for one in seen}
            for record in [r for r in self.records.values() if r.user.synced and r.user.immutable_id not in gone]:
                self.delete(record.user.id)
            self.organisation = replace(self.organisation, last_sync=self.clock.now())

    def bring_in(self, account: Account) -> None:
        """Bring one account in: linked by its immutable id, else by its address, else created."""
        addresses = rules.account_addresses(account)
        every = list(self.records.values())
        record = next((r for r in every if r.user.immutable_id == account.immutable_id), None) or next(
            (r for r in every if r.user.immutable_id is None and addresses & rules.user_addresses(r.user)), None
        )
        base = record.user if record is not None else rules.blank(str(uuid.uuid4()), self.clock.now())
        taken = {a: u.id for u in self._everybody() if u.id != base.id for a in rules.user_addresses(u)}
        user = rules.synced(base, account, self.organisation, taken)
        if record is not None:
            record.user = user
        else:
            self.records[user.id] = Record(user, self.delayed(self.delays.create))

    def skus(self) -> list[Sku]:
        """Return the licences with the seats in use now; a deleted user's seat is one of them."""
        everybody = list(self._everybody())
        return [
            replace(sku, used=sku.used + sum(sku.id in user.licences for user in everybody))
            for sku in self.bought.values()
        ]

    def visible(self) -> list[Record]:
        """Return the users that reads show by now, each as it is by now."""
        if self.directory is not None and self.cycle is not None and self.clock.monotonic() >= self._next_cycle:
            self._next_cycle = self.clock.monotonic() + self.cycle
            self.synchronise()
        now = self.clock.monotonic()
        for record in self.records.values():
            record.arrive(now)
        return [record for record in self.records.values() if record.shown]

    def reader(self) -> MemoryTenantReader:
        """Return the read half."""
        return MemoryTenantReader(self)

    def writer(self, permit: WritePermit) -> MemoryTenantWriter:
        """Return the write half."""
        return MemoryTenantWriter(self, permit)

    def later(self, record: Record, change: Callable[[Record], None], *delays: rules.Delay) -> None:
        """Have a change show after the sum of some delays."""
        record.pending.append((self.delayed(*delays), change))

    def delayed(self, *delays: rules.Delay) -> Later:
        """Return the moment after the sum of some delays."""
        seconds = sum(delay.seconds for delay in delays)
        return Later(self.clock.monotonic() + seconds, sum(delay.reads for delay in delays))

    def state_of(self, sku_id: str, state: str, error: str) -> LicenceState:
        """Return a direct licence's state as of now."""
        return LicenceState(sku_id, state, error, None, self.clock.now())

    def _everybody(self) -> Iterable[CloudUser]:
        return itertools.chain((record.user for record in self.records.values()), self.deleted.values())


class MemoryTenantReader:
    """The read half on a tenant in memory."""

    def __init__(self, tenant: MemoryTenant) -> None:
        self._tenant = tenant
        self._http = 0
        self._inner = 0

    @property
    def endpoint(self) -> TenantEndpoint:
        """Return where it reads."""
        return ENDPOINT

    @property
    def exchanges(self) -> Exchanges:
        """Return how much was exchanged so far: reads of several things are batches of 20."""
        return Exchanges(self._http, self._inner)

    def tenant(self, *, anew: bool = False) -> Tenant:  # noqa: ARG002
        """Return the organisation, which is always read anew here."""
        self._ask("tenant", "")
        return self._tenant.organisation

    def skus(self) -> Sequence[Sku]:
        """Return the subscribed licences."""
        self._ask("skus", "")
        with self._tenant.lock:
            return self._tenant.skus()

    def grant(self) -> Grant:
        """Return every role the operations need."""
        self._ask("grant", "")
        return Grant(roles=frozenset({"User.ReadWrite.All", "LicenseAssignment.ReadWrite.All", "Mail.Send"}))

    def user(self, user_id: str) -> CloudUser | None:
        """Return a user by its id, or None."""
        return next((one for one in self._users("user", (user_id,)) if one.id == user_id), None)

    def users(self) -> Sequence[CloudUser]:
        """Return every user."""
        return self._users("users", ("",))

    def users_by_staff_number(self, numbers: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each employeeId."""
        users = self._users("users_by_staff_number", numbers)
        return {key: [u for u in users if (u.staff_number or "").lower() == key.lower()] for key in numbers}

    def users_by_immutable_id(self, immutable_ids: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each onPremisesImmutableId."""
        users = self._users("users_by_immutable_id", immutable_ids)
        return {key: [user for user in users if user.immutable_id == key] for key in immutable_ids}

    def users_by_address(self, addresses: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each address."""
        users = self._users("users_by_address", addresses)
        return {key: [user for user in users if key.lower() in rules.user_addresses(user)] for key in addresses}

    def holders(self, addresses: Sequence[str]) -> Mapping[str, Sequence[TenantHolder]]:
        """Return who holds each address."""
        users = self._users("holders", addresses)
        with self._tenant.lock:
            known = [(HolderKind.USER, user) for user in users]
            known += [(HolderKind.DELETED_USER, user) for user in self._tenant.deleted.values()]
            found: dict[str, Sequence[TenantHolder]] = {}
            for key in addresses:
                other = self._tenant.held.get(key.lower())
                found[key] = [
                    *(rules.holder(kind, user) for kind, user in known if key.lower() in rules.user_addresses(user)),
                    *([other] if other is not None else []),
                ]
            return found

    def mailboxes(self, user_ids: Sequence[str]) -> Mapping[str, MailboxState]:
        """Return whether the mailbox of each user answers."""
        self._ask_each("mailboxes", user_ids)
        with self._tenant.lock:
            ready = {record.user.id for record in self._tenant.visible() if record.mailbox}
        return {key: MailboxState(ready=True) if key in ready else rules.NO_MAILBOX for key in user_ids}

    def _users(self, name: str, subjects: Sequence[str]) -> list[CloudUser]:
        self._ask_each(name, subjects)
        with self._tenant.lock:
            return [record.user for record in self._tenant.visible()]

    def _ask_each(self, name: str, subjects: Sequence[str]) -> None:
        for start in range(0, len(subjects), 20):
            self._ask(name, ",".join(subjects[start : start + 20]))
        self._inner += len(subjects)

    def _ask(self, name: str, subject: str) -> None:
        self._http += 1
        if self._tenant.fault is not None and (error := self._tenant.fault(name, subject)) is not None:
            raise error


class MemoryTenantWriter(MemoryTenantReader):
    """The write half on a tenant in memory."""

    def __init__(
        self,
        tenant: MemoryTenant,
        permit: WritePermit,
        *,
        target: str | None = None,
        made: dict[str, CloudUser] | None = None,
    ) -> None:
        super().__init__(tenant)
        self._permit, self._target = permit, target
        self._made = {} if made is None else made

    def for_target(self, target: str) -> MemoryTenantWriter:
        """Return a writer on behalf of one target, that knows what this one created."""
        return MemoryTenantWriter(self._tenant, self._permit, target=target, made=self._made)

    def user(self, user_id: str) -> CloudUser | None:
        """Return a user by its id; one that was created here is there, whether reads show it or not."""
        return super().user(user_id) or self._made.get(user_id)

    def create_user(self, user: NewCloudUser, password: Secret) -> CloudUser:
        """Create a user, or return the one that an answer lost before has made."""
        self._begin("create_user", user.upn)
        tenant = self._tenant
        with tenant.lock:
            records = [r.user for r in tenant.records.values() if user.upn.lower() in rules.user_addresses(r.user)]
            if records and records[0].staff_number == user.staff_number:
                return records[0]
            known = (r.user for r in tenant.records.values() if r.user.staff_number)
            same = next((u for u in known if (u.staff_number or "").lower() == user.staff_number.lower()), None)
            if same is not None:
                raise rules.number_taken(user.staff_number, same)
            deleted = any(user.upn.lower() in rules.user_addresses(gone) for gone in tenant.deleted.values())
            if records or deleted or user.upn.lower() in tenant.held:
                raise rules.address_taken(user.upn)
            made = rules.created(str(uuid.uuid4()), user, tenant.clock.now())
            tenant.records[made.id] = Record(made, tenant.delayed(tenant.delays.create))
            tenant.passwords.setdefault(made.id, []).append(password)
            self._made[made.id] = made
        self._end("create_user", user.upn)
        return made

    def set_usage_location(self, user_id: str, country: str) -> None:
        """Set usageLocation; licences are refused for a while after."""
        self._begin("set_usage_location", user_id)
        with self._tenant.lock:
            record = self._record(user_id)
            record.user = replace(record.user, usage_location=country)
            record.located_at = self._tenant.clock.monotonic()
        self._end("set_usage_location", user_id)

    def change_licences(self, user_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Assign and remove licences; waits for a usage location set just now."""
        self._begin("change_licences", user_id)
        tenant = self._tenant
        with tenant.lock:
            record = self._record(user_id)
            if (at := record.located_at) is not None:
                left = at + tenant.delays.location.seconds - tenant.clock.monotonic()
                if left > 0:
                    tenant.clock.sleep(left)
            rules.refuse_licences(record.user, add, remove, {sku.id: sku for sku in tenant.skus()})
            for sku_id in remove:
                record.user = rules.without_licence(record.user, sku_id)
                record.mailbox = record.mailbox and self._brings_mailbox(record.user.licences)
            for sku_id in add:
                self._assign(record, sku_id)
        self._end("change_licences", user_id)

    def set_enabled(self, user_id: str, *, enabled: bool) -> None:
        """Allow or forbid signing in."""
        self._begin("set_enabled", user_id)
        with self._tenant.lock:
            record = self._own(user_id)
            record.user = replace(record.user, enabled=enabled)
        self._end("set_enabled", user_id)

    def reset_password(self, user_id: str, password: Secret) -> None:
        """Set a temporary password."""
        self._begin("reset_password", user_id)
        with self._tenant.lock:
            record = self._own(user_id)
            record.user = replace(record.user, must_change=True)
            self._tenant.passwords.setdefault(record.user.id, []).append(password)
        self._end("reset_password", user_id)

    def revoke_sessions(self, user_id: str) -> None:
        """End every session of a user."""
        self._begin("revoke_sessions", user_id)
        with self._tenant.lock:
            record = self._record(user_id)
            record.user = replace(record.user, sessions_valid_from=self._tenant.clock.now())
        self._end("revoke_sessions", user_id)

    def send_mail(self, letter: Letter) -> None:
        """Keep a mail."""
        self._begin("send_mail", letter.to)
        with self._tenant.lock:
            self._tenant.mails.append(letter)
        self._end("send_mail", letter.to)

    def provision_now(self, directory_dn: str) -> bool:
        """Bring one account in now, where there is a job for that."""
        self._begin("provision_now", directory_dn)
        if not self._tenant.on_demand or self._tenant.directory is None:
            return False
        with self._tenant.lock:
            for account in self._tenant.directory():
                if account.dn.lower() == directory_dn.lower():
                    self._tenant.bring_in(account)
        self._end("provision_now", directory_dn)
        return True

    def _assign(self, record: Record, sku_id: str) -> None:
        tenant = self._tenant
        if sku_id in record.user.licences:
            return
        record.user = replace(record.user, licences=(*record.user.licences, sku_id))
        error = next(
            (tenant.licence_errors[a] for a in rules.user_addresses(record.user) & set(tenant.licence_errors)), None
        )
        state = tenant.state_of(sku_id, "Error" if error else "Active", error or "None")
        tenant.later(record, lambda one: rules.add_state(one, state), tenant.delays.licence)
        if error is None and tenant.bought[sku_id].has_mailbox:
            moment = tenant.clock.now()
            tenant.later(
                record,
                lambda one: rules.give_mailbox(one, sku_id, moment),
                tenant.delays.licence,
                tenant.delays.mailbox,
            )

    def _brings_mailbox(self, licences: Sequence[str]) -> bool:
        return any(self._tenant.bought[one].has_mailbox for one in licences if one in self._tenant.bought)

    def _record(self, user_id: str) -> Record:
        record = self._tenant.records.get(user_id)
        if record is None:
            raise rules.no_user(user_id)
        return record

    def _own(self, user_id: str) -> Record:
        record = self._record(user_id)
        if record.user.synced:
            raise rules.mastered_elsewhere(record.user)
        return record

    def _begin(self, name: str, subject: str) -> None:
        self._permit.check(self._target or subject)
        self._ask(name, subject)

    def _end(self, name: str, subject: str) -> None:
        self._tenant.writes.append((name, subject))
        if self._tenant.after is not None:
            self._tenant.after(name, subject)
