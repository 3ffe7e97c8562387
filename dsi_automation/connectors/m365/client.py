"""The tenant over Microsoft Graph: the read half. One event loop carries what any number of threads ask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from dsi_automation.connectors.m365 import records
from dsi_automation.connectors.m365.asks import Answer, Ask
from dsi_automation.connectors.m365.courier import Courier, Reply
from dsi_automation.connectors.m365.loop import process_loop
from dsi_automation.connectors.m365.port import (
    CloudUser,
    Exchanges,
    Grant,
    MailboxState,
    Sku,
    Tenant,
    TenantEndpoint,
    TenantHolder,
)
from dsi_automation.connectors.m365.queries import Queries, advanced, next_page
from dsi_automation.connectors.m365.refusals import not_yet_there, refusal
from dsi_automation.connectors.m365.sign_in import certificate_ends, roles
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError

if TYPE_CHECKING:
    from dsi_automation.connectors.m365.sdk import Sdk


class Connection:
    """The SDK, the courier and what this process did to the tenant; shared by a writer and those made of it.

    Args:
        endpoint: where, and how to prove who asks.
        clock: for deadlines.
        pause: waits on the event loop.
    """

    def __init__(
        self, endpoint: TenantEndpoint, clock: Clock, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self._pause = pause
        self._lock = threading.RLock()
        self._reading_tenant = threading.Lock()
        self._opened: tuple[Sdk, Courier, Queries] | None = None
        self._tenant: Tenant | None = None
        self.created: dict[str, str] = {}
        """Ids of the users created here, by staff number and by address, lower case: other reads may lag behind."""
        self.located: dict[str, str] = {}
        """Country by id of user, as set here."""

    @property
    def sdk(self) -> Sdk:
        """Return the SDK's client, imported and made at the first use."""
        return self._open()[0]

    @property
    def queries(self) -> Queries:
        """Return what makes the requests that read."""
        return self._open()[2]

    def exchanges(self) -> Exchanges:
        """Return how much was exchanged; opens nothing."""
        if self._opened is None:
            return Exchanges()
        sdk, courier, _ = self._opened
        return Exchanges(http=sdk.http, inner=sdk.inner, retries=courier.retries)

    def ask_all(self, asks: Sequence[Ask]) -> Sequence[Reply]:
        """Return the reply to each request, in their order."""
        courier = self._open()[1]
        return process_loop().run(courier.ask_all(asks)) if asks else []

    def ask(self, ask: Ask) -> Answer:
        """Return the answer to one request, a refusal too.

        Raises:
            UnreachableError, UnknownOutcomeError, SignInRefusedError: there is none.
        """
        return answered(self.ask_all([ask])[0])

    def get(self, ask: Ask) -> Answer:
        """Return the answer to one request.

        Raises:
            RefusedError: it is a refusal.
        """
        return accepted(ask, self.ask(ask))

    def pages(self, asks: Sequence[Ask]) -> Sequence[Sequence[records.Json]]:
        """Return the elements of each list asked for, all its pages; the pages of several lists travel together."""
        found: list[list[records.Json]] = [[] for _ in asks]
        pending = list(enumerate(asks))
        while pending:
            replies = self.ask_all([ask for _, ask in pending])
            following: list[tuple[int, Ask]] = []
            for (place, ask), reply in zip(pending, replies, strict=True):
                answer = answered(reply)
                if (other := advanced(ask, answer)) is not None:
                    following.append((place, other))
                    continue
                values = accepted(ask, answer).data.get("value")
                found[place] += [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
                if (page := next_page(ask, answer, self.sdk.base_url)) is not None:
                    following.append((place, page))
            pending = following
        return found

    def tenant(self, *, anew: bool = False) -> Tenant:
        """Return the organisation, read once unless asked for anew."""
        # A lock of its own: other threads go on asking meanwhile.
        with self._reading_tenant:
            if self._tenant is None or anew:
                (found,) = self.pages([self.queries.organisation()])
                self._tenant = records.tenant(found[0] if found else {})
            return self._tenant

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            process_loop().run(opened[0].close())

    def _open(self) -> tuple[Sdk, Courier, Queries]:
        with self._lock:
            if self._opened is None:
                from dsi_automation.connectors.m365.sdk import Sdk

                sdk = Sdk(self.endpoint, self.clock)
                courier = Courier(
                    sdk.send,
                    self.clock,
                    self._pause,
                    deadline=self.endpoint.deadline,
                    server=self.endpoint.base_url,
                )
                self._opened = (sdk, courier, Queries(sdk))
            return self._opened


class GraphReader:
    """Reads over Microsoft Graph. May be used from several threads; nothing is imported or sent before it is asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def endpoint(self) -> TenantEndpoint:
        """Return where it reads."""
        return self._connection.endpoint

    @property
    def exchanges(self) -> Exchanges:
        """Return how much was exchanged so far."""
        return self._connection.exchanges()

    def tenant(self, *, anew: bool = False) -> Tenant:
        """Return the organisation; asked once per reader, unless `anew`.

        Raises:
            UnreachableError: no answer before the deadline. RefusedError: the tenant said no, its reason as a sentence.
        """
        return self._connection.tenant(anew=anew)

    def skus(self) -> Sequence[Sku]:
        """Return the subscribed licences that users can have, read anew at each call."""
        (found,) = self._connection.pages([self._queries.skus()])
        return [records.sku(one) for one in found if one.get("appliesTo", "User") == "User"]

    def grant(self) -> Grant:
        """Return what the application may do, and how long its certificate is good for."""
        sdk = self._connection.sdk
        # The organisation is asked first: its request has the layer of retry that fetching a token has not by itself.
        self._connection.ask(self._queries.organisation())
        token = process_loop().run(sdk.token())
        return Grant(roles(token.token), certificate_ends(self.endpoint.certificate))

    def user(self, user_id: str) -> CloudUser | None:
        """Return a user by its id, or None; one created here is waited for until the tenant knows it everywhere."""
        again = not_yet_there if user_id in self._connection.created.values() else None
        ask = self._queries.user(user_id, again=again)
        answer = self._connection.ask(ask)
        return None if answer.status == 404 else records.user(accepted(ask, answer).data)

    def users(self) -> Sequence[CloudUser]:
        """Return every user, however many pages that takes."""
        (found,) = self._connection.pages([self._queries.users()])
        return [records.user(one) for one in found]

    def users_by_staff_number(self, numbers: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each employeeId, compared without regard to case; every number asked is a key."""
        wanted = list(dict.fromkeys(numbers))
        found = self._found(self._queries.users_by("employeeId", wanted))
        return self._assigned(wanted, found, lambda one: [(one.staff_number or "").lower()])

    def users_by_immutable_id(self, immutable_ids: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each onPremisesImmutableId; every one asked is a key."""
        wanted = list(dict.fromkeys(immutable_ids))
        found = self._found(self._queries.users_by("onPremisesImmutableId", wanted))
        return {value: [one for one in found.values() if one.immutable_id == value] for value in wanted}

    def users_by_address(self, addresses: Sequence[str]) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users with each address as UPN, mail or proxy address; every one asked is a key."""
        wanted = list(dict.fromkeys(addresses))
        found = self._found(self._queries.users_by_address(list({address.lower(): None for address in wanted})))
        return self._assigned(wanted, found, _addresses)

    def holders(self, addresses: Sequence[str]) -> Mapping[str, Sequence[TenantHolder]]:
        """Return who holds each address: users, groups, contacts and deleted users; every one asked is a key."""
        wanted = list(dict.fromkeys(addresses))
        if not wanted:
            return {}
        asked = list(self._queries.holders(list({address.lower(): None for address in wanted})))
        lists = self._connection.pages([ask for _, ask in asked])
        by_address: dict[str, dict[tuple[str, str], TenantHolder]] = {}
        for (kind, _), found in zip(asked, lists, strict=True):
            for data in found:
                holder = records.holder(kind, data)
                for address in records.addresses(data):
                    by_address.setdefault(address, {})[kind, holder.id] = holder
        return {address: list(by_address.get(address.lower(), {}).values()) for address in wanted}

    def mailboxes(self, user_ids: Sequence[str]) -> Mapping[str, MailboxState]:
        """Return whether the mailbox of each user answers."""
        wanted = list(dict.fromkeys(user_ids))
        asks = [self._queries.mailbox(user_id) for user_id in wanted]
        replies = self._connection.ask_all(asks)
        return {one: _mailbox(ask, answered(reply)) for one, ask, reply in zip(wanted, asks, replies, strict=True)}

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint.base_url}, {self.endpoint.tenant_id})"

    @property
    def _queries(self) -> Queries:
        return self._connection.queries

    def _found(self, asks: Iterable[Ask]) -> dict[str, CloudUser]:
        lists = self._connection.pages(list(asks))
        return {str(one.get("id")): records.user(one) for found in lists for one in found}

    def _assigned(
        self, wanted: Sequence[str], found: Mapping[str, CloudUser], keys: Callable[[CloudUser], Iterable[str]]
    ) -> Mapping[str, Sequence[CloudUser]]:
        """Return the users by what was asked for; one created here that no search shows yet is read by its id."""
        by_key: dict[str, list[CloudUser]] = {}
        for one in found.values():
            for key in set(keys(one)):
                by_key.setdefault(key, []).append(one)
        for value in wanted:
            own = self._connection.created.get(value.lower())
            if own is not None and value.lower() not in by_key and (new := self.user(own)) is not None:
                by_key[value.lower()] = [new]
        return {value: by_key.get(value.lower(), []) for value in wanted}


def answered(reply: Reply) -> Answer:
    """Return the answer, or raise what the request was given up with."""
    if isinstance(reply, DsiError):
        raise reply
    return reply


def accepted(ask: Ask, answer: Answer) -> Answer:
    """Return the answer, or raise the refusal it is."""
    if not answer.ok:
        raise refusal(ask, answer)
    return answer


def _addresses(user: CloudUser) -> Iterable[str]:
    data = {"userPrincipalName": user.upn, "mail": user.mail, "proxyAddresses": user.proxy_addresses}
    return records.addresses(data)


def _mailbox(ask: Ask, answer: Answer) -> MailboxState:
    if answer.ok:
        return MailboxState(ready=True)
    if answer.status == 404:
        fault = answer.fault
        return MailboxState(ready=False, code=fault.code or None, message=fault.message or None)
    raise refusal(ask, answer)
