"""What is asked of a login: the case, what it is to be, and the documents that came with the request (procedure L)."""

from __future__ import annotations

import json
import re
from email.utils import parseaddr
from enum import StrEnum
from typing import Final

from pydantic import Field, field_validator

from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs
from dsi_automation.inventory.application_model import ApplicationAccounts, RequiredDocument
from dsi_automation.inventory.problems import WrongValueError

LOGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Case(StrEnum):
    """What is done to a login."""

    CREATE = "create"
    CHANGE = "change"
    DISABLE = "disable"


class AccountInputs(Inputs):
    """Inputs of `application.account`."""

    case: Case = Field(description=T("What is done to the login: create, change or disable.").template)
    name: str | None = Field(default=None, description=T("Name of the person; on a change, as it is to be.").template)
    profile: str | None = Field(default=None, description=T("Profile, one of those of dsi_applications.").template)
    office: str | None = Field(default=None, description=T("Office the person works at.").template)
    external: bool = Field(
        default=False, description=T("Not a customs officer: declarant, consignee; one more document.").template
    )
    documents: dict[str, str] = Field(
        default={},
        description=T("Documents that came with the request, with their references: lettre=n° 123; fiche=...").template,
    )
    requester: str | None = Field(
        default=None,
        description=T("Who asked, by hierarchy, and is told of the end: Name <address>.").template,
    )

    @field_validator("documents", mode="before")
    @classmethod
    def _as_typed(cls, value: object) -> object:
        """Take `name=reference; name=reference` or a JSON object as it is typed."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("{"):
            try:
                return json.loads(value)
            except json.JSONDecodeError:
                raise WrongValueError(T("a JSON object is expected: each document with its reference.")) from None
        parts = [part.partition("=") for part in re.split(r"[;\n]", value) if part.strip()]
        if not all(equals and name.strip() and reference.strip() for name, equals, reference in parts):
            raise WrongValueError(T("name=reference is expected for each document, as in lettre=n° 123."))
        return {name.strip(): reference.strip() for name, _, reference in parts}

    @field_validator("documents")
    @classmethod
    def _with_reference(cls, documents: dict[str, str]) -> dict[str, str]:
        if empty := [name for name, reference in documents.items() if not reference.strip()]:
            raise WrongValueError(T("no reference is given for: {names}.", names=", ".join(empty)))
        return documents

    @field_validator("requester")
    @classmethod
    def _with_address(cls, requester: str | None) -> str | None:
        if requester is None or address_of(requester) is not None:
            return requester
        raise WrongValueError(T("a name and an address are expected, as in Yao Kouassi <y.kouassi@douanes.example>."))


def address_of(requester: str) -> str | None:
    """Return the mail address in `Name <address>` (RFC 5322); None when there is none."""
    address = parseaddr(requester)[1]
    local, at, domain = address.rpartition("@")
    return address if at and local and "." in domain and " " not in address and address.isprintable() else None


def required(case: Case, accounts: ApplicationAccounts, *, external: bool) -> tuple[RequiredDocument, ...]:
    """Return the documents a case requires (procedure L, 1)."""
    documents: tuple[RequiredDocument, ...] = getattr(accounts.documents, case.value)
    return tuple(document for document in documents if external or not document.unless_staff)


def missing(inputs: AccountInputs, accounts: ApplicationAccounts) -> tuple[RequiredDocument, ...]:
    """Return the documents that a request lacks."""
    needed = required(inputs.case, accounts, external=inputs.external)
    return tuple(document for document in needed if document.name not in inputs.documents)


def parts_of(target: str) -> tuple[str, str]:
    """Return login and application of `kone.a@sydam`; without an application, an empty one."""
    login, at, application = target.rpartition("@")
    return (login, application) if at else (target, "")
