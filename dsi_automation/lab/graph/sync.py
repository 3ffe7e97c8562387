"""The synchronisation: accounts of an Active Directory become users of the tenant, follow it, and go with it.

Sources: Microsoft Entra Connect, "Design concepts" (the objectGUID as the anchor), "UserPrincipalName population" (a
suffix that is not verified becomes the initial domain), "How the proxyAddresses attribute is populated", "Duplicate
attribute resiliency"; Microsoft Graph, "onPremisesProvisioningError resource type". Passwords do not travel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from dsi_automation.lab.graph.store import Entry, Store, stamp
from dsi_automation.lab.graph.users import UserRules


class AdUser(BaseModel):
    """An account of the directory, as the synchronisation reads it.

    Attributes:
        immutable_id: base64 of the bytes of its objectGUID.
        addresses: proxyAddresses, with their prefixes.
    """

    model_config = ConfigDict(extra="forbid")

    immutable_id: str
    dn: str
    login: str
    enabled: bool
    upn: str | None = None
    mail: str | None = None
    addresses: list[str] = []
    staff_number: str | None = None
    display_name: str | None = None
    surname: str | None = None
    given_name: str | None = None
    department: str | None = None
    phone: str | None = None
    sid: str | None = None
    mail_nickname: str | None = None


@dataclass(slots=True)
class Counts:
    """What a cycle did."""

    added: int = 0
    changed: int = 0
    removed: int = 0


_MASTERED: Final = (
    "accountEnabled", "userPrincipalName", "displayName", "surname", "givenName", "department", "businessPhones",
    "employeeId", "mail", "proxyAddresses", "mailNickname", "onPremisesDistinguishedName", "onPremisesSamAccountName",
    "onPremisesUserPrincipalName", "onPremisesDomainName", "onPremisesSecurityIdentifier",
    "onPremisesProvisioningErrors",
)  # fmt: skip


class Synchroniser:
    """Applies what was read of a directory to the tenant."""

    def __init__(self, store: Store, rules: UserRules, domains: Iterable[str], initial_domain: str) -> None:
        self._store = store
        self._rules = rules
        self._domains = frozenset(domain.lower() for domain in domains)
        self._initial = initial_domain

    def apply(self, rows: Iterable[AdUser], counts: Counts) -> list[Entry]:
        """Create or update the users of these accounts; return those that are new."""
        new = []
        for row in rows:
            entry, fresh = self._entry(row)
            wanted = self._wanted(row, entry)
            if any(entry.props.get(name) != wanted.get(name) for name in _MASTERED):
                for name in _MASTERED:
                    if wanted.get(name) is None:
                        entry.props.pop(name, None)
                    else:
                        entry.props[name] = wanted[name]
                entry.props["onPremisesLastSyncDateTime"] = stamp(self._store.now())
                self._store.update(entry)
                counts.changed += not fresh
            if fresh:
                counts.added += 1
                new.append(entry)
        return new

    def remove_others(self, there: set[str], counts: Counts) -> None:
        """Delete the synchronised users whose account is not among these any more."""
        for entry in list(self._store.live("user")):
            if entry.synced and entry.props.get("onPremisesImmutableId") not in there:
                self._rules.delete(entry)
                counts.removed += 1

    def remove(self, gone: Iterable[str], counts: Counts) -> None:
        """Delete the users of these accounts, by immutable id."""
        for immutable in gone:
            for entry in self._store.find("onPremisesImmutableId", immutable):
                if entry.deleted_at is None and entry.synced:
                    self._rules.delete(entry)
                    counts.removed += 1

    def _entry(self, row: AdUser) -> tuple[Entry, bool]:
        """Return the user of an account: the same one, one that came back, a cloud user it takes over, or a new one."""
        same = [one for one in self._store.find("onPremisesImmutableId", row.immutable_id) if one.kind == "user"]
        if same:
            entry = same[0]
            if entry.deleted_at is not None:
                self._rules.restore(entry)
            entry.props["onPremisesSyncEnabled"] = True
            return entry, False
        matched = self._soft_match(row)
        if matched is not None:
            matched.props.update(onPremisesImmutableId=row.immutable_id, onPremisesSyncEnabled=True)
            return matched, False
        now = stamp(self._store.now())
        born = {
            "onPremisesImmutableId": row.immutable_id,
            "onPremisesSyncEnabled": True,
            "createdDateTime": now,
            "signInSessionsValidFromDateTime": now,
            "userType": "Member",
        }
        return self._store.add("user", str(uuid4()), born), True

    def _soft_match(self, row: AdUser) -> Entry | None:
        """Return a cloud user with this account's UPN or primary address, as Entra Connect takes it over."""
        names = [value for value in (row.upn, row.mail) if value]
        for name in names:
            for entry in [*self._store.find("userPrincipalName", name), *self._store.holders(name)]:
                free = not entry.synced and not entry.props.get("onPremisesImmutableId")
                if entry.kind == "user" and entry.deleted_at is None and free:
                    return entry
        return None

    def _wanted(self, row: AdUser, entry: Entry) -> dict[str, Any]:
        local = (row.upn or row.login).partition("@")[0]
        upn = row.upn or f"{row.login}@{self._initial}"
        if upn.partition("@")[2].lower() not in self._domains:
            upn = f"{local}@{self._initial}"
        problems: list[dict[str, Any]] = []
        if any(other is not entry for other in self._store.find("userPrincipalName", upn)):
            problems.append(self._problem("UserPrincipalName", upn, entry))
            upn = f"{local}{entry.id[:4]}@{self._initial}"
        proxies = self._proxies(row, entry, problems)
        primary = next((proxy[5:] for proxy in proxies if proxy.startswith("SMTP:")), None)
        domain = ",".join(part for part in row.dn.split(",") if part.upper().startswith("DC="))
        return {
            "accountEnabled": row.enabled,
            "userPrincipalName": upn,
            "displayName": row.display_name or row.login,
            "surname": row.surname,
            "givenName": row.given_name,
            "department": row.department,
            "businessPhones": [row.phone] if row.phone else None,
            "employeeId": row.staff_number,
            "mail": primary or row.mail,
            "proxyAddresses": proxies or None,
            "mailNickname": row.mail_nickname or local,
            "onPremisesDistinguishedName": row.dn,
            "onPremisesSamAccountName": row.login,
            "onPremisesUserPrincipalName": row.upn,
            "onPremisesDomainName": domain.lower().replace("dc=", "").replace(",", ".") or None,
            "onPremisesSecurityIdentifier": row.sid,
            "onPremisesProvisioningErrors": problems or None,
        }

    def _proxies(self, row: AdUser, entry: Entry, problems: list[dict[str, Any]]) -> list[str]:
        wanted = list(row.addresses)
        if row.mail and not any(proxy.startswith("SMTP:") for proxy in wanted):
            wanted = [proxy for proxy in wanted if proxy.lower() != f"smtp:{row.mail.lower()}"]
            wanted.insert(0, f"SMTP:{row.mail}")
        # what Exchange Online added when it made the mailbox stays
        given = [proxy for proxy in entry.props.get("proxyAddresses", ()) if proxy.endswith(f"@{self._initial}")]
        known = {proxy.lower() for proxy in wanted}
        kept: list[str] = []
        for proxy in [*wanted, *(proxy for proxy in given if proxy.lower() not in known)]:
            address = proxy.partition(":")[2]
            if address.partition("@")[2].lower() not in self._domains and entry.mailbox == "ready":
                continue
            if any(other is not entry for other in self._store.holders(address)):
                problems.append(self._problem("ProxyAddresses", proxy, entry))
            else:
                primary = any(other.startswith("SMTP:") for other in kept)
                kept.append(proxy.replace("SMTP:", "smtp:", 1) if primary else proxy)
        return kept

    def _problem(self, attribute: str, value: str, entry: Entry) -> dict[str, Any]:
        """Return an onPremisesProvisioningError; the moment stays that of the first time."""
        for known in entry.props.get("onPremisesProvisioningErrors", ()):
            if (known["propertyCausingError"], known["value"]) == (attribute, value):
                return dict(known)
        return {
            "category": "PropertyConflict",
            "occurredDateTime": stamp(self._store.now()),
            "propertyCausingError": attribute,
            "value": value,
        }
