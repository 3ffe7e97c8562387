"""Workstation names by a site's rule: whether one conforms, and which is the next free one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory import template
from dsi_automation.inventory.model import NamingRule


class NamesExhaustedError(UsageError):
    """Every number the rule has room for is taken."""


def name_for(rule: NamingRule, number: int) -> str:
    """Return the name with that number.

    Raises:
        NamesExhaustedError: the rule has no room for it.
    """
    parsed = template.parse(rule.template)
    if not rule.first <= number <= parsed.highest:
        raise _exhausted(rule, parsed)
    return parsed.name(number)


def number_of(rule: NamingRule, name: str) -> int | None:
    """Return the number in a name, or None when the name does not follow the rule. Case does not count."""
    parsed = template.parse(rule.template)
    upper = name.upper()
    digits = upper[len(parsed.before) : len(upper) - len(parsed.after)]
    if not digits.isdecimal() or not digits.isascii():
        return None
    number = int(digits)
    if not rule.first <= number <= parsed.highest:
        return None
    # Writing it again settles the rest: prefix, suffix, width and leading zeros.
    return number if parsed.name(number) == upper else None


def matches(rule: NamingRule, name: str) -> bool:
    """Tell whether a name follows the rule."""
    return number_of(rule, name) is not None


def next_free(rule: NamingRule, taken: Iterable[str]) -> str:
    """Return the lowest name of the rule that is not among `taken` (names that do not follow the rule are ignored).

    Raises:
        NamesExhaustedError: all are taken.
    """
    parsed = template.parse(rule.template)
    numbers = {number_of(rule, name) for name in taken}
    number = rule.first
    while number in numbers:
        number += 1
    if number > parsed.highest:
        raise _exhausted(rule, parsed)
    return parsed.name(number)


def _exhausted(rule: NamingRule, parsed: template.Template) -> NamesExhaustedError:
    return NamesExhaustedError(
        T(
            "No name is left by the rule {rule}: its numbers run from {first} to {highest}.",
            rule=rule.template,
            first=rule.first,
            highest=parsed.highest,
        ),
        next_step=T("Widen the number in the site's naming rule (dsi_sites), or free the names no longer in use."),
    )
