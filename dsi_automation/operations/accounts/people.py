"""Who an account is asked for: the references of procedure E, as typed or as rows of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs
from dsi_automation.inventory.problems import WrongValueError

LONGEST: Final = 256
MOST_ROWS: Final = 2000


class PersonRow(BaseModel):
    """One person as asked for: strings as somebody typed them, checked when the plan is made.

    A row that is wrong is a blocker of its own target, never the end of the batch; so nothing is refused here but
    what is not text at all.

    Attributes:
        matricule: the staff number.
        contact: telephone number or personal mail address.
        address: the address the person has already, or is to have; by default it is planned by the naming rule.
        manager: staff number, login or address of the manager.
        line: where it stands in the file, for messages; 0 when typed. No part of the inputs' data: the same people in
            another order are the same request.
        problem: a key of `ROW_PROBLEMS` where the line of the file could not be taken apart; its fields are empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, coerce_numbers_to_str=True)

    matricule: str = ""
    last_name: str = ""
    first_names: str = ""
    contact: str = ""
    site: str = ""
    department: str = ""
    licence: str = ""
    manager: str = ""
    address: str = ""
    line: int = Field(default=0, exclude=True)
    problem: str = ""


FIELDS: Final = tuple(name for name in PersonRow.model_fields if name not in {"line", "problem"})
ROW_PROBLEMS: Final = {
    "too_few_fields": T("The line has fewer fields than the header line."),
    "too_many_fields": T("The line has more fields than the header line."),
    "quotes": T("A field of the line begins with a quotation mark and does not end with one."),
}
"""Why the line of a file could not be taken apart: the blocker of its target, `line-N`."""


class MailboxInputs(Inputs):
    """Inputs of `mailbox.create`: one person, or `people` for many."""

    matricule: str = Field(
        default="", description=T("Staff number of one person, whom the next eight describe.").template
    )
    last_name: str = Field(default="", description=T("Last name, as in the register of staff.").template)
    first_names: str = Field(default="", description=T("First names, the usual one first.").template)
    contact: str = Field(default="", description=T("Telephone number or personal mail address.").template)
    site: str = Field(
        default="", description=T("Code of the site, as in dsi_sites; by default that of the department.").template
    )
    department: str = Field(default="", description=T("Department.").template)
    licence: str = Field(
        default="", description=T("Licence, a name of dsi_accounts; by default the one set there.").template
    )
    manager: str = Field(
        default="", description=T("Staff number, login or address of the manager, who gets a mail.").template
    )
    address: str = Field(
        default="", description=T("An address the person has already, or is to have; else it is planned.").template
    )
    people: tuple[PersonRow, ...] = Field(
        default=(), description=T("Many persons: @FILE.csv with a header line, or a YAML or JSON list.").template
    )
    without_seat: bool = Field(
        default=False, description=T("Create the accounts for which no licence seat is left, without one.").template
    )
    reset: bool = Field(
        default=False, description=T("Give existing accounts a new temporary password as well.").template
    )
    in_cloud: bool = Field(
        default=False,
        description=T("Create the user in the cloud although the tenant is synchronised from a directory.").template,
    )

    @field_validator("people", mode="before")
    @classmethod
    def _numbered(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        if len(value) > MOST_ROWS:
            raise WrongValueError(T("at most {n} persons at once; make several files.", n=MOST_ROWS))
        return [
            {"line": number, **row} if isinstance(row, Mapping) and "line" not in row else row
            for number, row in enumerate(value, 1)
        ]

    @field_validator("people", mode="after")
    @classmethod
    def _in_order(cls, value: tuple[PersonRow, ...]) -> tuple[PersonRow, ...]:
        # The digest of a plan covers its inputs: the order of the rows must not be in them.
        return tuple(sorted(value, key=lambda row: (row.matricule.upper(), row.model_dump_json(), row.line)))

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> MailboxInputs:
        if self.people and any(getattr(self, name) for name in FIELDS):
            raise WrongValueError(T("several persons and the references of one exclude each other."), "people")
        return self

    def rows(self) -> Mapping[str, tuple[PersonRow, ...]]:
        """Return the rows by target: the staff number, or the line where it is missing or cannot be a name.

        Several rows for one target are a mistake of the file, told as its blocker unless they are the same.
        """
        found: dict[str, list[PersonRow]] = {}
        typed = PersonRow(**{name: getattr(self, name) for name in FIELDS})
        for row in self.people or ((typed,) if any(getattr(typed, name) for name in FIELDS) else ()):
            found.setdefault(target_of(row), []).append(row)
        return {target: tuple(rows) for target, rows in found.items()}

    def targets(self) -> tuple[str, ...]:
        """Return the targets, by staff number, so that the order of the rows changes nothing."""
        return tuple(sorted(self.rows()))


def target_of(row: PersonRow) -> str:
    """Return the name of a row's target."""
    name = row.matricule.upper()
    usable = name.isprintable() and 0 < len(name) <= 64 and name.isascii()
    return name if usable else f"line-{row.line}"
