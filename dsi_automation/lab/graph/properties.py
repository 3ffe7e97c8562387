"""The properties of the resources: what may be written, by whom, what filters serve it, what is told unasked.

Source: Microsoft Graph v1.0 reference, "user resource type", "group resource type", "orgContact resource type".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

EQ: Final = frozenset({"eq", "in"})
TEXT: Final = frozenset({"eq", "in", "ge", "le", "startswith"})
NONE: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Property:
    """One property.

    Attributes:
        kind: str, bool, list (of text), date, or object for anything nested.
        filters: operators that `$filter` takes without advanced query parameters.
        advanced: the property can be filtered only with `ConsistencyLevel: eventual` and `$count=true`.
        written: whether POST and PATCH take it.
        cloud: whether PATCH takes it for a user that an Active Directory masters.
        longest: characters.
        nullable: whether PATCH may clear it.
    """

    kind: str = "str"
    filters: frozenset[str] = NONE
    advanced: bool = False
    written: bool = True
    cloud: bool = False
    longest: int | None = None
    nullable: bool = True


def _text(longest: int, filters: frozenset[str] = NONE, *, cloud: bool = False, nullable: bool = True) -> Property:
    return Property(filters=filters, longest=longest, cloud=cloud, nullable=nullable)


def _read(kind: str = "object", filters: frozenset[str] = NONE, *, advanced: bool = False) -> Property:
    return Property(kind, filters, advanced, written=False)


USER: Final[dict[str, Property]] = {
    "id": _read("str", EQ),
    "accountEnabled": Property("bool", EQ, nullable=False),
    "ageGroup": _text(32, EQ, cloud=True),
    "assignedLicenses": _read("object", frozenset({"any"})),
    "assignedPlans": _read("object", frozenset({"any"}), advanced=True),
    "businessPhones": Property("list", frozenset({"any"})),
    "city": _text(128, TEXT),
    "companyName": _text(64, TEXT),
    "consentProvidedForMinor": _text(32, EQ, cloud=True),
    "country": _text(128, TEXT),
    "createdDateTime": _read("date", frozenset({"eq", "in", "ge", "le"})),
    "creationType": _read("str", EQ),
    "deletedDateTime": _read("date", frozenset({"eq", "ge", "le"})),
    "department": _text(64, TEXT),
    "displayName": _text(256, TEXT, nullable=False),
    "employeeHireDate": Property("date"),
    "employeeId": _text(16, TEXT),
    "employeeType": Property(filters=TEXT),
    "faxNumber": Property(filters=TEXT),
    "givenName": _text(64, TEXT),
    "identities": Property("object"),
    "imAddresses": _read("list", frozenset({"any"})),
    "jobTitle": _text(128, TEXT),
    "lastPasswordChangeDateTime": _read("date"),
    "licenseAssignmentStates": _read(),
    "mail": Property(filters=TEXT),
    "mailNickname": _text(64, TEXT, nullable=False),
    "mobilePhone": _text(64, TEXT),
    "officeLocation": _text(128, TEXT),
    "onPremisesDistinguishedName": _read("str"),
    "onPremisesDomainName": _read("str"),
    "onPremisesImmutableId": Property(filters=frozenset({"eq", "in", "ge", "le"})),
    "onPremisesLastSyncDateTime": _read("date", frozenset({"eq", "in", "ge", "le"})),
    "onPremisesProvisioningErrors": _read(),
    "onPremisesSamAccountName": _read("str", TEXT, advanced=True),
    "onPremisesSecurityIdentifier": _read("str", EQ),
    "onPremisesSyncEnabled": _read("bool", EQ),
    "onPremisesUserPrincipalName": _read("str", TEXT, advanced=True),
    "otherMails": Property("list", frozenset({"any"}), cloud=True),
    "passwordPolicies": Property(cloud=True),
    "passwordProfile": Property("object"),
    "postalCode": _text(40, TEXT),
    "preferredLanguage": Property(filters=TEXT),
    "provisionedPlans": _read(),
    "proxyAddresses": _read("list", frozenset({"any"})),
    "refreshTokensValidFromDateTime": _read("date"),
    "serviceProvisioningErrors": _read(),
    "showInAddressList": Property("bool"),
    "signInSessionsValidFromDateTime": _read("date"),
    "state": _text(128, TEXT),
    "streetAddress": _text(1024),
    "surname": _text(64, TEXT),
    "usageLocation": _text(2, TEXT, cloud=True, nullable=False),
    "userPrincipalName": _text(113, TEXT, nullable=False),
    "userType": Property(filters=EQ),
}
USER_DEFAULT: Final = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip
"""What GET /users tells without $select."""

GROUP: Final[dict[str, Property]] = {
    "id": _read("str", EQ),
    "createdDateTime": _read("date", EQ),
    "deletedDateTime": _read("date"),
    "description": _read("str", TEXT),
    "displayName": _read("str", TEXT),
    "groupTypes": _read("list", frozenset({"any"})),
    "mail": _read("str", TEXT),
    "mailEnabled": _read("bool", EQ),
    "mailNickname": _read("str", TEXT),
    "onPremisesSyncEnabled": _read("bool", EQ),
    "proxyAddresses": _read("list", frozenset({"any"})),
    "securityEnabled": _read("bool", EQ),
    "visibility": _read("str"),
}
CONTACT: Final[dict[str, Property]] = {
    "id": _read("str", EQ),
    "companyName": _read("str", TEXT),
    "deletedDateTime": _read("date"),
    "department": _read("str", TEXT),
    "displayName": _read("str", TEXT),
    "givenName": _read("str", TEXT),
    "jobTitle": _read("str", TEXT),
    "mail": _read("str", TEXT),
    "mailNickname": _read("str", TEXT),
    "onPremisesSyncEnabled": _read("bool", EQ),
    "proxyAddresses": _read("list", frozenset({"any"})),
    "surname": _read("str", TEXT),
}
ORGANIZATION: Final = (
    "id", "deletedDateTime", "businessPhones", "city", "country", "countryLetterCode", "createdDateTime", "displayName",
    "marketingNotificationEmails", "onPremisesLastSyncDateTime", "onPremisesLastPasswordSyncDateTime",
    "onPremisesSyncEnabled", "partnerTenantType", "postalCode", "preferredLanguage",
    "securityComplianceNotificationMails", "securityComplianceNotificationPhones", "state", "street",
    "technicalNotificationMails", "tenantType", "assignedPlans", "provisionedPlans", "verifiedDomains",
    "privacyProfile",
)  # fmt: skip
SKU: Final = (
    "accountId", "accountName", "appliesTo", "capabilityStatus", "consumedUnits", "id", "skuId", "skuPartNumber",
    "subscriptionIds", "prepaidUnits", "servicePlans",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resource:
    """A collection: its entity type, its set in the metadata, its properties and those told unasked."""

    entity: str
    entity_set: str
    properties: dict[str, Property]
    default: tuple[str, ...]


USERS: Final = Resource("user", "users", USER, USER_DEFAULT)
GROUPS: Final = Resource("group", "groups", GROUP, tuple(GROUP))
CONTACTS: Final = Resource("orgContact", "contacts", CONTACT, tuple(CONTACT))
DELETED: Final = Resource("user", "directoryObjects/microsoft.graph.user", USER, (*USER_DEFAULT, "deletedDateTime"))


def empty(prop: Property) -> Any:
    """Return what is told of a property that has no value."""
    return [] if prop.kind == "list" else None
