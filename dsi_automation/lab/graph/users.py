"""The rules of a user's properties: what POST and PATCH take, refuse, and check against the rest of the tenant.

Sources: Microsoft Graph, "Create user", "Update user", "user resource type"; Microsoft Entra, "Password policies" (UPN
characters, complexity); refusals as quoted in microsoft-graph-docs issue 1508, microsoft-graph-docs-contrib issue
8421, CIPP issue 4038.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import uuid4

from dsi_automation.lab.graph.errors import bad, conflict, invalid_value, required
from dsi_automation.lab.graph.properties import USER, Property
from dsi_automation.lab.graph.store import Entry, Store, stamp

REQUIRED: Final = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")
MASTERED: Final = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently "
    "undergoing migration."
)
_UPN: Final = re.compile(r"[A-Za-z0-9'.\-_!#^~]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
_NICKNAME: Final = re.compile(r"[!-~]+")
_PROFILE: Final = frozenset(
    {"password", "forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa", "@odata.type"}
)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.IGNORECASE)


def check(body: Mapping[str, Any], *, create: bool) -> dict[str, Any]:
    """Return the properties of a body that are well formed, `@odata.type` left out.

    Raises:
        GraphError: one is unknown, read-only, of the wrong type, too long or missing.
    """
    values = {name: value for name, value in body.items() if name != "@odata.type"}
    if body.get("@odata.type", "#microsoft.graph.user") != "#microsoft.graph.user":
        raise bad("The type of the resource in the request payload is not 'microsoft.graph.user'.", code="BadRequest")
    for name, value in values.items():
        prop = USER.get(name)
        if prop is None:
            raise bad(f"Property '{name}' does not exist as a declared property or extension property.")
        if not prop.written:
            raise bad(f"Property '{name}' is read-only and cannot be set.")
        _check_value(name, prop, value, create=create)
    if create:
        for name in REQUIRED:
            if values.get(name) in (None, ""):
                raise required(name)
        if isinstance(values["passwordProfile"], dict) and not values["passwordProfile"].get("password"):
            raise required("password")
    if "passwordProfile" in values:
        _check_profile(values["passwordProfile"], values.get("userPrincipalName", ""))
    return values


def _check_value(name: str, prop: Property, value: Any, *, create: bool) -> None:
    if value is None:
        if not prop.nullable and not create:
            raise invalid_value(name)
        return
    if not _right_type(prop, value):
        kind = {"bool": "Edm.Boolean", "list": "Collection(Edm.String)", "object": "an object"}.get(
            prop.kind, "Edm.String"
        )
        raise bad(f"Cannot convert the literal of property '{name}' to the expected type '{kind}'.", code="BadRequest")
    rules = {
        "usageLocation": _COUNTRY,
        "mailNickname": _NICKNAME,
        "userPrincipalName": _UPN,
    }
    rule = rules.get(name)
    wrong = (
        (prop.longest is not None and len(value) > prop.longest)
        or (isinstance(value, str) and (value == "" or any(ord(sign) < 32 for sign in value)))
        or (rule is not None and not rule.fullmatch(value))
        or (name == "userPrincipalName" and _dots(value))
        or (name == "mailNickname" and (any(sign in '@()\\[]";:<>, ' for sign in value) or value.startswith(".")))
        or (name == "onPremisesImmutableId" and any(sign in "$_" for sign in value))
        or (name == "businessPhones" and len(value) > 1)
    )
    if wrong:
        raise invalid_value(name)


def _dots(upn: str) -> bool:
    local = upn.partition("@")[0]
    return local.startswith(".") or local.endswith(".") or ".." in local


def _right_type(prop: Property, value: Any) -> bool:
    match prop.kind:
        case "bool":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "object":
            return isinstance(value, dict | list)
        case _:
            return isinstance(value, str)


def _check_profile(profile: Any, upn: str) -> None:
    if not isinstance(profile, dict) or set(profile) - _PROFILE:
        raise bad("Property 'passwordProfile' does not have the members of 'microsoft.graph.passwordProfile'.")
    if not isinstance(profile.get("forceChangePasswordNextSignIn"), bool | None):
        raise bad("Cannot convert the literal of property 'forceChangePasswordNextSignIn' to 'Edm.Boolean'.")
    password = profile.get("password")
    if password is None:
        return
    name = upn.partition("@")[0].lower()
    if not isinstance(password, str) or not strong(password) or (len(name) > 3 and name in password.lower()):
        message = (
            "The specified password does not comply with password complexity requirements. "
            "Please provide a different password."
        )
        raise bad(message, {"code": "InvalidPassword", "target": "password", "message": message})


def strong(password: str) -> bool:
    """Tell whether a password satisfies Entra's policy: 8 to 256 characters, three of four classes."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    found = sum(any(sign in kind for sign in password) for kind in classes)
    found += any(not sign.isalnum() for sign in password)
    return 8 <= len(password) <= 256 and found >= 3


class UserRules:
    """What is checked against the tenant, and done."""

    def __init__(self, store: Store, domains: Iterable[str], create_delay: float, location_delay: float) -> None:
        self._store = store
        self._domains = frozenset(domain.lower() for domain in domains)
        self.create_delay = create_delay
        self.location_delay = location_delay

    def create(self, body: Mapping[str, Any]) -> Entry:
        """Create a cloud user; reads find it after a while.

        Raises:
            GraphError: as Microsoft refuses it.
        """
        values = check(body, create=True)
        self._check_unique(values, None)
        profile = values.pop("passwordProfile")
        now = self._store.now()
        told = {name: value for name, value in values.items() if value is not None}
        entry = self._store.add("user", str(uuid4()), {**_born(now), **told})
        entry.visible_at = now + self.create_delay
        entry.located_at = now + self.location_delay
        entry.set_password(profile["password"], must_change=profile.get("forceChangePasswordNextSignIn", True))
        return entry

    def change(self, entry: Entry, body: Mapping[str, Any]) -> None:
        """Carry out a PATCH: everything or nothing.

        Raises:
            GraphError: as Microsoft refuses it.
        """
        values = check(body, create=False)
        if entry.synced and any(not USER[name].cloud for name in values):
            raise bad(MASTERED)
        self._check_unique(values, entry)
        now = self._store.now()
        profile = values.pop("passwordProfile", None)
        if profile is not None:
            must = profile.get("forceChangePasswordNextSignIn")
            if profile.get("password"):
                entry.set_password(profile["password"], must_change=True if must is None else must)
                entry.props["lastPasswordChangeDateTime"] = stamp(now)
            elif must is not None:
                entry.must_change = must
        if "usageLocation" in values and values["usageLocation"] != entry.props.get("usageLocation"):
            entry.located_at = now + self.location_delay
        for name, value in values.items():
            if value is None:
                entry.props.pop(name, None)
            else:
                entry.props[name] = value
        if values.get("mail"):
            _set_primary(entry, values["mail"])
        self._store.update(entry)

    def delete(self, entry: Entry) -> None:
        """Move a user to the deleted items: its UPN is free again, its addresses are not.

        Source: Microsoft Graph, "Delete a user": the UPN of a deleted user is prefixed with its id.
        """
        entry.deleted_at = self._store.now()
        entry.props["deletedDateTime"] = stamp(entry.deleted_at)
        entry.props["userPrincipalName"] = entry.id.replace("-", "") + entry.upn
        self._store.update(entry)

    def restore(self, entry: Entry) -> None:
        """Bring a deleted user back."""
        entry.deleted_at = None
        entry.props.pop("deletedDateTime", None)
        entry.props["userPrincipalName"] = entry.upn.removeprefix(entry.id.replace("-", ""))
        self._store.update(entry)

    def revoke(self, entry: Entry) -> None:
        """End every session."""
        now = stamp(self._store.now())
        entry.props["signInSessionsValidFromDateTime"] = now
        entry.props["refreshTokensValidFromDateTime"] = now
        self._store.update(entry)

    def _check_unique(self, values: Mapping[str, Any], mine: Entry | None) -> None:
        upn = values.get("userPrincipalName")
        if upn:
            if upn.partition("@")[2].lower() not in self._domains:
                raise bad(
                    "The domain portion of the userPrincipalName property is invalid. You must use one of the verified "
                    "domain names in your organization.",
                    {"code": "InvalidValue", "target": "userPrincipalName", "message": "The domain is not verified."},
                )
            if any(other is not mine for other in self._store.find("userPrincipalName", upn)):
                raise conflict("userPrincipalName")
            self._check_address(upn, mine)
        if values.get("mail"):
            self._check_address(values["mail"], mine)
        immutable = values.get("onPremisesImmutableId")
        if immutable and any(other is not mine for other in self._store.find("onPremisesImmutableId", immutable)):
            raise conflict("onPremisesImmutableId")

    def _check_address(self, address: str, mine: Entry | None) -> None:
        for other in self._store.holders(address):
            if other is not mine:
                raise conflict("proxyAddresses", f"{other.kind.capitalize()}_{other.id}")


def _born(now: float) -> dict[str, Any]:
    return {
        "createdDateTime": stamp(now),
        "signInSessionsValidFromDateTime": stamp(now),
        "refreshTokensValidFromDateTime": stamp(now),
        "lastPasswordChangeDateTime": stamp(now),
        "userType": "Member",
    }


def _set_primary(entry: Entry, address: str) -> None:
    """Make an address the primary one: "Changes to this property update the user's proxyAddresses collection"."""
    others = [
        proxy.replace("SMTP:", "smtp:", 1)
        for proxy in entry.props.get("proxyAddresses", ())
        if proxy.lower() != f"smtp:{address.lower()}"
    ]
    entry.props["proxyAddresses"] = [f"SMTP:{address}", *others]
