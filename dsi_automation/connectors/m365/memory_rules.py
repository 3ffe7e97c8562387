"""What the tenant in memory does with a user: pure changes, and the refusals in Microsoft's own cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.errors import (
    AbsentError,
    AddressTakenError,
    DirectoryMasteredError,
    LicenceConflictError,
    NoSeatError,
    StaffNumberTakenError,
    UnknownLicenceError,
    UsageLocationError,
)
from dsi_automation.connectors.m365.port import (
    AssignedPlan,
    CloudUser,
    HolderKind,
    LicenceState,
    MailboxState,
    NewCloudUser,
    Sku,
    Tenant,
    TenantHolder,
)
from dsi_automation.core.text import T

NO_MAILBOX: Final = MailboxState(
    ready=False,
    code="MailboxNotEnabledForRESTAPI",
    message="The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
)


@dataclass(frozen=True, slots=True)
class Delay:
    """How long something takes to show: seconds of the clock, and so many reads that do not see it."""

    seconds: float = 0.0
    reads: int = 0


@dataclass(frozen=True, slots=True)
class Delays:
    """How long each thing takes to show.

    Attributes:
        create: from the creation or synchronisation of a user until reads find it.
        location: from a usage location set until a licence is accepted; seconds only.
        licence: from an assignment until its state is there.
        mailbox: from then until the plan, the address and the mailbox are.
    """

    create: Delay = Delay()
    location: Delay = Delay()
    licence: Delay = Delay()
    mailbox: Delay = Delay()


@dataclass
class Later:
    """A moment not come yet: of the monotonic clock, and after some more reads."""

    at: float
    reads: int

    def due(self, now: float) -> bool:
        """Tell whether it has come; each question counts as a read."""
        if self.reads > 0:
            self.reads -= 1
            return False
        return now >= self.at


@dataclass
class Record:
    """A user and what is still to happen to it."""

    user: CloudUser
    shows: Later | None = None
    shown: bool = True
    mailbox: bool = False
    located_at: float | None = None
    pending: list[tuple[Later, Callable[[Record], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.shows is not None:
            self.shown = False
            self.pending.append((self.shows, show))

    def arrive(self, now: float) -> None:
        """Let what is due happen."""
        due = [(later, change) for later, change in self.pending if later.due(now)]
        self.pending = [item for item in self.pending if item not in due]
        for _, change in due:
            change(self)


def show(record: Record) -> None:
    """Have reads find a user from now on."""
    record.shown = True


def add_state(record: Record, state: LicenceState) -> None:
    """Give a licence its state, unless it was taken back meanwhile."""
    if state.sku_id in record.user.licences:
        record.user = replace(record.user, licence_states=(*record.user.licence_states, state))


def give_mailbox(record: Record, sku_id: str, moment: datetime) -> None:
    """Give a user the mailbox its licence brings: plan, address, and an answer."""
    user = record.user
    if sku_id not in user.licences:
        return
    mail = user.mail or user.upn
    proxies = user.proxy_addresses or (f"SMTP:{mail}",)
    record.user = replace(user, plans=(exchange_plan(moment),), mail=mail, proxy_addresses=proxies)
    record.mailbox = True


def without_licence(user: CloudUser, sku_id: str) -> CloudUser:
    """Return a user without a licence and what it brought."""
    return replace(
        user,
        licences=tuple(one for one in user.licences if one != sku_id),
        licence_states=tuple(one for one in user.licence_states if one.sku_id != sku_id),
        plans=(),
    )


def exchange_plan(moment: datetime) -> AssignedPlan:
    """Return the plan of a mailbox."""
    return AssignedPlan("exchange", "Enabled", moment)


def user_addresses(user: CloudUser) -> set[str]:
    """Return every address of a user, lower case."""
    every = {user.upn, user.mail or "", *(one.partition(":")[2] for one in user.proxy_addresses)}
    return {one.lower() for one in every if one}


def account_addresses(account: Account) -> set[str]:
    """Return every address of an account, lower case."""
    every = {account.upn or "", account.mail or "", *(one.partition(":")[2] for one in account.proxy_addresses)}
    return {one.lower() for one in every if one}


def holder(kind: HolderKind, user: CloudUser) -> TenantHolder:
    """Return a user as the holder of an address."""
    return TenantHolder(kind, user.id, user.display_name or user.upn, user.staff_number, user.surname)


def blank(user_id: str, moment: datetime) -> CloudUser:
    """Return a user nothing is known of yet."""
    return CloudUser(
        id=user_id, upn="", mail=None, display_name=None, surname=None, given_name=None, staff_number=None,
        enabled=False, usage_location=None, synced=False, immutable_id=None, created_at=moment,
    )  # fmt: skip


def created(user_id: str, new: NewCloudUser, moment: datetime) -> CloudUser:
    """Return the user a creation makes."""
    return replace(
        blank(user_id, moment),
        upn=new.upn,
        display_name=new.display_name,
        surname=new.surname,
        given_name=new.given_name,
        staff_number=new.staff_number,
        enabled=True,
        usage_location=new.usage_location,
        must_change=True,
    )


def synced(base: CloudUser, account: Account, tenant: Tenant, taken: Mapping[str, str]) -> CloudUser:
    """Return what the synchronisation makes of an account.

    A suffix the tenant has not verified becomes its initial domain; an address somebody else has becomes a
    made-up one with an error (“duplicate attribute resiliency”).
    """
    nick, _, suffix = (account.upn or account.login).partition("@")
    upn = f"{nick}@{suffix if suffix.lower() in tenant.domains else tenant.initial_domain}"
    proxies, problems = account.proxy_addresses, base.provisioning_errors
    conflicts = sorted(account_addresses(account) & set(taken))
    if conflicts:
        upn, proxies = f"{nick}1234@{tenant.initial_domain}", ()
        problems = (f"PropertyConflict: {', '.join(conflicts)}",)
    return replace(
        base,
        upn=upn,
        mail=None if conflicts else account.mail,
        proxy_addresses=proxies,
        display_name=account.display_name,
        surname=account.surname,
        given_name=account.given_name,
        staff_number=account.staff_number,
        enabled=account.enabled,
        synced=True,
        immutable_id=account.immutable_id,
        provisioning_errors=problems,
    )


def refuse_licences(user: CloudUser, add: Sequence[str], remove: Sequence[str], skus: Mapping[str, Sku]) -> None:
    """Refuse a change of licences that Microsoft would refuse.

    Raises:
        UnknownLicenceError, UsageLocationError, LicenceConflictError, NoSeatError: as each says.
    """
    for sku_id in [one for one in add if one not in user.licences]:
        sku = skus.get(sku_id)
        if sku is None:
            raise UnknownLicenceError(T("The tenant has no licence {licence}.", licence=sku_id), on=user.upn)
        if user.usage_location is None:
            raise UsageLocationError(T("{address} has no usage location, which a licence needs.", address=user.upn))
        if sku.free < 1:
            raise NoSeatError(
                T("No seat of {licence} is left.", licence=sku.part_number),
                on=user.upn,
                next_step=T("Buy seats or free some, then run: dsi resume RUN."),
            )
        kept = [skus[one] for one in user.licences if one not in remove and one in skus]
        if sku.has_mailbox and any(one.has_mailbox for one in kept):
            raise LicenceConflictError(
                T(
                    "{licence} and a licence that {address} has exclude each other.",
                    licence=sku.part_number,
                    address=user.upn,
                ),
                on=user.upn,
                next_step=T("Remove the other licence first."),
            )


def address_taken(address: str) -> AddressTakenError:
    """Return the error for an address that another object of the tenant has."""
    return AddressTakenError(
        T("{address} is taken in the tenant.", address=address), on=address, next_step=T("Make a new plan.")
    )


def number_taken(number: str, holder: CloudUser) -> StaffNumberTakenError:
    """Return the error for a person who is a user already, under another address."""
    return StaffNumberTakenError(
        T("{number} is a user of the tenant already: {upn}.", number=number, upn=holder.upn), on=number
    )


def no_user(user_id: str) -> AbsentError:
    """Return the error for a user the tenant does not have."""
    return AbsentError(T("The tenant has no user {user}.", user=user_id), on=user_id)


def mastered_elsewhere(user: CloudUser) -> DirectoryMasteredError:
    """Return the error for a change that only the directory may make."""
    return DirectoryMasteredError(
        T("{address} is synchronised: its Active Directory decides about it.", address=user.upn), on=user.upn
    )
