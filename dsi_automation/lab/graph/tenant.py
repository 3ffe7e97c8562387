"""The tenant: its objects, rules, licences, synchronisation and mails in one place, and what time does to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import uuid4

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.graph.faults import Fault, Faults
from dsi_automation.lab.graph.licences import Licences
from dsi_automation.lab.graph.properties import CONTACT, GROUP, USER, Property, empty
from dsi_automation.lab.graph.settings import Delays, GraphSettings
from dsi_automation.lab.graph.store import Entry, Kind, Licence, Store, stamp
from dsi_automation.lab.graph.sync import AdUser, Counts, Synchroniser
from dsi_automation.lab.graph.users import UserRules

_SCHEMAS: Final[dict[Kind, dict[str, Property]]] = {"user": USER, "group": GROUP, "contact": CONTACT}
_KINDS: Final[dict[str, Kind]] = {
    "users": "user",
    "deleted_users": "user",
    "groups": "group",
    "contacts": "contact",
}
_RETRY: Final = 0.2
"""Seconds after which a mailbox that a fault held back is looked at again."""


class Tenant:
    """A tenant and everything in it. Not for several threads: the server's loop owns it."""

    def __init__(self, settings: GraphSettings, clock: Clock) -> None:
        self.settings = settings
        self.faults = Faults()
        self.store = Store(clock)
        self.delays = settings.delays.model_copy()
        self.domains = [*settings.domains, settings.initial_domain]
        self.mails: list[dict[str, Any]] = []
        self.roles: list[str] = list(settings.app.roles)
        self.tokens_valid_from = 0.0
        self.signing_key: str | None = None
        self.hybrid = settings.hybrid.enabled
        self.every = settings.hybrid.every
        self.last_sync: float | None = None
        self.rules = UserRules(self.store, self.domains, self.delays.create, self.delays.location)
        self.licences = Licences(self.store, settings.skus, self.delays, self.faults)
        self.synchroniser = Synchroniser(self.store, self.rules, self.domains, settings.initial_domain)

    def fill(self) -> None:
        """Put the seeds in."""
        seeds = self.settings.seeds
        for kind, rows in (
            ("users", seeds.users),
            ("groups", seeds.groups),
            ("contacts", seeds.contacts),
            ("deleted_users", seeds.deleted_users),
        ):
            for row in rows:
                self.seed(kind, row)

    def reset(self) -> None:
        """Go back to the settings and the seeds."""
        self.store.clear()
        self.faults.clear()
        self.mails.clear()
        self.set_delays(self.settings.delays.model_dump())
        self.roles = list(self.settings.app.roles)
        self.tokens_valid_from = 0.0
        self.hybrid, self.every = self.settings.hybrid.enabled, self.settings.hybrid.every
        self.last_sync = None
        self.licences.skus.update({sku.id.lower(): sku.model_copy(deep=True) for sku in self.settings.skus})
        self.fill()

    def set_delays(self, seconds: Mapping[str, float]) -> None:
        """Change delays; those not named stay.

        Raises:
            ValueError: a delay is unknown or negative.
        """
        checked = Delays.model_validate({**self.delays.model_dump(), **seconds})
        for name, value in checked:
            setattr(self.delays, name, value)
        self.rules.create_delay, self.rules.location_delay = self.delays.create, self.delays.location

    def settle(self) -> None:
        """Let happen what is due: mailboxes get ready, their addresses appear."""
        for entry in self.store.mailboxes_due():
            if self.faults.background(Fault.MAILBOX_NEVER_READY, entry.upn) is not None:
                entry.mailbox_at = self.store.now() + _RETRY
            else:
                self._provision(entry)

    def user(self, key: str, *, deleted: bool = False) -> Entry | None:
        """Return a user that reads find, by id or UPN."""
        found = self.store.entries.get(key.lower())
        if found is None:
            named = [entry for entry in self.store.find("userPrincipalName", key) if entry.deleted_at is None]
            found = named[0] if named else None
        if found is None or found.kind != "user" or (found.deleted_at is not None) is not deleted:
            return None
        return found if self.visible(found) else None

    def visible(self, entry: Entry) -> bool:
        """Tell whether reads find an object already."""
        return entry.visible_at <= self.store.now()

    def row(self, entry: Entry) -> dict[str, Any]:
        """Return every property of an object."""
        schema = _SCHEMAS[entry.kind]
        row = {name: entry.props.get(name, empty(prop)) for name, prop in schema.items()}
        if entry.kind == "user":
            row.update(self.licences.told(entry))
            row["passwordProfile"] = _profile(entry)
            for name in ("onPremisesProvisioningErrors", "serviceProvisioningErrors"):
                row[name] = entry.props.get(name, [])
        return row

    def seed(self, kind: str, properties: Mapping[str, Any]) -> Entry:
        """Add an object at once, whatever the rules: as an administrator or Microsoft would.

        Raises:
            UsageError: a property does not exist.
        """
        values = dict(properties)
        part_numbers = values.pop("licences", [])
        ready = values.pop("mailboxReady", False)
        password = values.pop("password", None)
        schema = _SCHEMAS[_KINDS[kind]]
        self._known(values, schema)
        identifier = str(values.pop("id", None) or uuid4()).lower()
        if _KINDS[kind] == "user":
            born = {"accountEnabled": True, "userType": "Member", "createdDateTime": stamp(self.store.now())}
            values = {**born, **values}
            if part_numbers or ready:
                values.setdefault("usageLocation", "CI")
        entry = self.store.add(_KINDS[kind], identifier, values)
        if password is not None:
            entry.set_password(password, must_change=False)
        if part_numbers:
            self.license(entry, part_numbers)
        if ready:
            self._provision(entry)
        if kind == "deleted_users":
            self.rules.delete(entry)
        return entry

    def change(self, entry: Entry, properties: Mapping[str, Any]) -> None:
        """Change an object at once, whatever the rules; None clears a property; `licences` sets the licences."""
        values = dict(properties)
        if "licences" in values:
            self.license(entry, values.pop("licences"))
        self._known(values, _SCHEMAS[entry.kind])
        for name, value in values.items():
            if value is None:
                entry.props.pop(name, None)
            else:
                entry.props[name] = value
        self.store.update(entry)

    def license(self, entry: Entry, part_numbers: Iterable[str]) -> None:
        """Set a user's licences by part number, seats or not."""
        chosen = []
        for name in part_numbers:
            sku = self.licences.by_part_number(name)
            if sku is None:
                raise UsageError(T("The simulated tenant has no licence {name}.", name=name))
            chosen.append(Licence(sku.id.lower(), self.store.now()))
        self.licences.give(entry, chosen)

    def synchronise(self, users: Iterable[AdUser], there: set[str] | None, *, gone: Iterable[str] = ()) -> Counts:
        """Apply a reading of the directory.

        Args:
            users: accounts that are new or changed.
            there: immutable ids of everybody in scope; None when nobody went.
            gone: immutable ids of accounts known to be gone.
        """
        counts = Counts()
        for entry in self.synchroniser.apply(users, counts):
            login = str(entry.props.get("onPremisesSamAccountName", ""))
            part_number = self.settings.hybrid.licensed.get(login)
            if part_number is not None:
                entry.props["usageLocation"] = "CI"
                self.license(entry, [part_number])
                self._provision(entry)
        if there is not None:
            self.synchroniser.remove_others(there, counts)
        self.synchroniser.remove(gone, counts)
        self.spoke()
        return counts

    def spoke(self) -> None:
        """Note that the synchronisation gave a sign of life."""
        self.last_sync = self.store.now()
        self.store.changed = True

    def dump(self) -> dict[str, Any]:
        """Return what a restart keeps."""
        return {
            "entries": self.store.dump(),
            "mails": self.mails,
            "roles": self.roles,
            "signing_key": self.signing_key,
            "hybrid": self.hybrid,
            "every": self.every,
            "last_sync": self.last_sync,
            "delays": self.delays.model_dump(),
            "seats": {sku.part_number: [sku.seats, sku.status] for sku in self.licences.skus.values()},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take what a restart kept."""
        self.store.load(state["entries"])
        self.mails = list(state["mails"])
        self.roles = list(state["roles"])
        self.signing_key = state["signing_key"]
        self.hybrid, self.every, self.last_sync = state["hybrid"], state["every"], state["last_sync"]
        self.set_delays(state["delays"])
        for name, (seats, status) in state["seats"].items():
            self.set_seats(name, seats, status)

    def set_seats(self, part_number: str, total: int, status: str) -> None:
        """Set how many seats of a licence were bought.

        Raises:
            UsageError: there is no such licence.
        """
        sku = self.licences.by_part_number(part_number)
        if sku is None:
            raise UsageError(T("The simulated tenant has no licence {name}.", name=part_number))
        sku.seats, sku.status = total, status
        self.store.changed = True

    def organization(self) -> dict[str, Any]:
        """Return the organisation, every property (Microsoft Graph, "organization resource type")."""
        capabilities = "Email, OfficeCommunicationsOnline"
        domains = [
            {
                "capabilities": capabilities,
                "isDefault": name == self.domains[0],
                "isInitial": name == self.settings.initial_domain,
                "name": name,
                "type": "Managed",
            }
            for name in self.domains
        ]
        spoken = stamp(self.last_sync) if self.hybrid and self.last_sync is not None else None
        return {
            "id": self.settings.tenant_id,
            "displayName": self.settings.tenant_name,
            "countryLetterCode": "CI",
            "preferredLanguage": "fr",
            "tenantType": "AAD",
            "createdDateTime": "2024-01-15T08:00:00Z",
            "verifiedDomains": domains,
            "onPremisesSyncEnabled": True if self.hybrid else None,
            "onPremisesLastSyncDateTime": spoken,
        }

    def _provision(self, entry: Entry) -> None:
        """Make a user's mailbox ready: its addresses appear, unless somebody else has them.

        Source: Microsoft Entra, "How the proxyAddresses attribute is populated": the UPN becomes the primary address
        where there is none, and an address in the initial domain is added.
        """
        proxies = list(entry.props.get("proxyAddresses", ()))
        if not any(proxy.startswith("SMTP:") for proxy in proxies):
            proxies.insert(0, f"SMTP:{entry.props.get('mail') or entry.upn}")
        nickname = entry.props.get("mailNickname") or entry.upn.partition("@")[0]
        routing = f"smtp:{nickname}@{self.settings.initial_domain}"
        held = {proxy.lower() for proxy in proxies}
        if routing.lower() not in held and not self.store.holders(routing[5:]):
            proxies.append(routing)
        taken = [
            proxy
            for proxy in proxies
            if any(other is not entry for other in self.store.holders(proxy.partition(":")[2]))
        ]
        if taken:
            entry.mailbox = "failed"
            entry.props["serviceProvisioningErrors"] = [self._provisioning_error(taken[0])]
        else:
            entry.mailbox = "ready"
            entry.props["proxyAddresses"] = proxies
            entry.props["mail"] = next(proxy[5:] for proxy in proxies if proxy.startswith("SMTP:"))
            entry.props.pop("serviceProvisioningErrors", None)
        self.store.update(entry)

    def _provisioning_error(self, proxy: str) -> dict[str, Any]:
        return {
            "@odata.type": "#microsoft.graph.serviceProvisioningXmlError",
            "createdDateTime": stamp(self.store.now()),
            "isResolved": False,
            "serviceInstance": "exchange/lab",
            "errorDetail": f"<ServiceInstance><ObjectErrors>The proxy address {proxy} is already being used."
            "</ObjectErrors></ServiceInstance>",
        }

    def _known(self, values: Mapping[str, Any], schema: Mapping[str, Property]) -> None:
        unknown = sorted(set(values) - set(schema))
        if unknown:
            raise UsageError(T("Graph has no property {name}.", name=", ".join(unknown)))


def _profile(entry: Entry) -> dict[str, bool] | None:
    """Return passwordProfile as reads tell it: never the password, nothing once it need not be changed.

    Source: microsoft-graph-docs issue 13208.
    """
    if not entry.must_change:
        return None
    return {"forceChangePasswordNextSignIn": True, "forceChangePasswordNextSignInWithMfa": False}
