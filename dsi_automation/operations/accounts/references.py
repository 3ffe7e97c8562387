"""The references of procedure E, checked: what a row must hold before anybody is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.plan import Blocker
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.account_model import AccountPolicy
from dsi_automation.inventory.model import Site
from dsi_automation.operations.accounts.contacts import Contact, mail_address, read_contact
from dsi_automation.operations.accounts.names import Name, natural_forms, read_name, refuse_unfit, tidy
from dsi_automation.operations.accounts.people import ROW_PROBLEMS, PersonRow

LOGIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,18}[a-z0-9])?")
"""A sAMAccountName that is safe everywhere: at most 20 characters (MS-SAMR 2.2.2.3), ASCII."""
LONGEST_DEPARTMENT: Final = 64
"""Characters of `department` (rangeUpper in the schema of Active Directory)."""
LONGEST_MANAGER: Final = 254
_LOCAL_PART: Final = re.compile(r"[a-z0-9_'-]+(?:\.[a-z0-9_'-]+)*")


@dataclass(frozen=True, slots=True)
class References:
    """A person as asked for, every reference right in itself.

    Attributes:
        target: the staff number.
        licence: the name of the licence in the inventory.
        part_number: that licence's in the tenant.
        chosen: whether the request names the licence, instead of leaving it to the inventory.
        manager: as typed; empty for none.
        address: the address asked for, lower case; empty when it is to be planned.
    """

    target: str
    name: Name
    contact: Contact
    site: Site
    ou: str
    department: str | None
    licence: str
    part_number: str
    chosen: bool
    manager: str
    address: str

    @property
    def login(self) -> str:
        """Return the login of an account made for this person."""
        return self.target.lower()

    def natural_addresses(self, domain: str) -> tuple[str, ...]:
        """Return the addresses this person may have already, or be given first."""
        return (self.address,) if self.address else tuple(f"{part}@{domain}" for part in natural_forms(self.name))


@dataclass(slots=True)
class Problems:
    """What is wrong with one target, all of it."""

    target: str
    found: list[Blocker] = field(default_factory=list)

    def add(self, reason: Text, next_step: Text) -> None:
        """Note one thing."""
        self.found.append(Blocker(self.target, reason, next_step))

    def add_error(self, error: UsageError) -> None:
        """Note what an error says."""
        reason = T("{what} {meaning}", what=error.what, meaning=error.meaning) if error.meaning else error.what
        self.add(reason, error.next_step or T("Correct the row."))


def read_references(
    target: str, rows: Sequence[PersonRow], policy: AccountPolicy, sites: Mapping[str, Site]
) -> tuple[References | None, list[Blocker]]:
    """Return the person of a target's rows, or everything that is wrong with them, told at once."""
    problems = Problems(target)
    row = _one_row(rows, problems)
    if row is None:
        return None, problems.found
    _check_number(row, policy, problems)
    name = _name(row, problems)
    contact = _contact(row, problems)
    site = _site(row, policy, sites, problems)
    _check_department(row, problems)
    part_number = policy.licences.get(row.licence or policy.licence)
    if part_number is None:
        names = ", ".join(sorted(policy.licences))
        problems.add(
            T("The licence “{name}” is not one of the inventory.", name=row.licence),
            T("Choose one of: {names}.", names=names),
        )
    if len(row.manager) > LONGEST_MANAGER or not row.manager.isprintable():
        problems.add(
            T("The manager cannot be looked up by that."), T("Give the manager's staff number, login or address.")
        )
    address = _address(row, problems)
    if problems.found or name is None or contact is None or site is None or part_number is None:
        return None, problems.found
    ou = site.user_ou or ""
    department = tidy(row.department) or None
    licence = row.licence or policy.licence
    chosen = bool(row.licence)
    return (
        References(
            target, name, contact, site, ou, department, licence, part_number, chosen, row.manager, address
        ),
        [],
    )  # fmt: skip


def _one_row(rows: Sequence[PersonRow], problems: Problems) -> PersonRow | None:
    different = {row.model_copy(update={"line": 0}) for row in rows}
    if not rows:
        problems.add(T("The request has no references for this person."), T("Give a row with this staff number."))
        return None
    if len(different) > 1:
        lines = ", ".join(str(line) for line in sorted(row.line for row in rows))
        problems.add(
            T("The staff number is in several lines that differ: {lines}.", lines=lines),
            T("Keep the right one."),
        )
        return None
    row = rows[0]
    if row.problem:
        known = ROW_PROBLEMS.get(row.problem, T("The line of the file cannot be taken apart."))
        problems.add(known, T("Correct line {line} of the file.", line=row.line))
        return None
    return row


def _check_number(row: PersonRow, policy: AccountPolicy, problems: Problems) -> None:
    number = row.matricule.upper()
    if not number:
        problems.add(T("The staff number is missing."), T("Give the matricule, as the register of staff writes it."))
    elif not re.fullmatch(policy.staff_number, number) or not LOGIN.fullmatch(number.lower()):
        problems.add(
            T("“{number}” is not a staff number.", number=ascii(number[:80])[1:-1]),
            T("Correct it: the inventory's rule is {rule}, and it is at most 20 letters and digits.",
              rule=policy.staff_number),
        )  # fmt: skip


def _name(row: PersonRow, problems: Problems) -> Name | None:
    wrong = False
    for part in (row.last_name, row.first_names):
        try:
            refuse_unfit(tidy(part))
        except UsageError as error:
            problems.add_error(error)
            wrong = True
    if wrong:
        return None
    try:
        return read_name(row.last_name, row.first_names)
    except UsageError as error:
        problems.add_error(error)
        return None


def _contact(row: PersonRow, problems: Problems) -> Contact | None:
    try:
        return read_contact(row.contact)
    except UsageError as error:
        problems.add_error(error)
        return None


def _site(row: PersonRow, policy: AccountPolicy, sites: Mapping[str, Site], problems: Problems) -> Site | None:
    names = ", ".join(sorted(sites))
    of_department = {tidy(name).casefold(): code for name, code in policy.departments.items()}
    wanted = row.site or of_department.get(tidy(row.department).casefold(), "")
    if not wanted:
        problems.add(
            T("The site is missing."),
            T("Choose one of: {names}. Or have dsi_accounts.departments say where the department is.", names=names),
        )
        return None
    site = sites.get(wanted) or sites.get(wanted.upper())
    if site is None:
        problems.add(
            T("The site “{name}” is not one of the inventory.", name=ascii(wanted[:80])[1:-1]),
            T("Choose one of: {names}.", names=names),
        )
    elif site.user_ou is None:
        problems.add(
            T("No accounts are made at site {code}: the inventory names no OU for its people.", code=site.code),
            T("Add user_ou to the site, or choose another one."),
        )
    return site


def _check_department(row: PersonRow, problems: Problems) -> None:
    department = tidy(row.department)
    if len(department) > LONGEST_DEPARTMENT or not department.isprintable():
        problems.add(
            T("The department does not fit into the directory."),
            T("Give at most {most} characters, without any that cannot be seen.", most=LONGEST_DEPARTMENT),
        )


def _address(row: PersonRow, problems: Problems) -> str:
    if not row.address:
        return ""
    address = row.address.lower()
    try:
        mail_address(address)
    except UsageError as error:
        problems.add_error(error)
        return ""
    if not _LOCAL_PART.fullmatch(address.partition("@")[0]):
        problems.add(
            T("“{address}” cannot be an address of the tenant.", address=address),
            T("Before the @: letters without accents, digits, and between them dots, hyphens, _ or '."),
        )
        return ""
    return address
