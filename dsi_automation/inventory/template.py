"""The template of a naming rule, taken apart: `ABJ-PC-{number:04}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.text import T
from dsi_automation.inventory.problems import WrongValueError

LONGEST: Final = 15
"""Characters of a NetBIOS computer name (MS-NBTE 2.2.1: 16 bytes, the last one being the service type)."""

_FIELD: Final = re.compile(r"\{number(?::0?([1-9]\d?))?\}")
_LETTERS: Final = re.compile(r"[A-Z0-9-]*")


@dataclass(frozen=True, slots=True)
class Template:
    """What stands before and after the number, and how many digits it has.

    Attributes:
        width: digits, padded with zeros; 0 for as many as it takes, unpadded.
    """

    before: str
    after: str
    width: int

    @property
    def highest(self) -> int:
        """Return the highest number that fits: in the width, or in the room a NetBIOS name leaves."""
        return int(10 ** (self.width or LONGEST - len(self.before) - len(self.after))) - 1

    def name(self, number: int) -> str:
        """Return the name with that number in it."""
        return (
            f"{self.before}{number:0{self.width}}{self.after}" if self.width else f"{self.before}{number}{self.after}"
        )


def parse(template: str) -> Template:
    """Take a template apart.

    Raises:
        WrongValueError: it has not exactly one `{number}`, or names made from it would not be NetBIOS computer names.
    """
    fields = list(_FIELD.finditer(template))
    if len(fields) != 1 or template.count("{") != 1 or template.count("}") != 1:
        raise WrongValueError(T("exactly one {number} is expected, as in ABJ-PC-{number:04}."))
    (field,) = fields
    parsed = Template(template[: field.start()], template[field.end() :], int(field[1] or 0))
    around = parsed.before + parsed.after
    if not _LETTERS.fullmatch(around):
        raise WrongValueError(T("only capital letters A-Z, digits and hyphens are allowed in a computer name."))
    if len(around) + (parsed.width or 1) > LONGEST:
        raise WrongValueError(T("names made from it are longer than {longest} characters.", longest=LONGEST))
    if not re.search(r"[A-Z]", around):
        raise WrongValueError(T("a computer name made of digits alone is refused by Windows: add letters."))
    if parsed.before.startswith("-") or parsed.after.endswith("-"):
        raise WrongValueError(T("a computer name neither begins nor ends with a hyphen."))
    return parsed
