"""Named parameters (`:name`) as psycopg takes them, and secrets revealed at the moment they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dsi_automation.connectors.databases.lexing import Kind, tokens
from dsi_automation.connectors.databases.port import Parameters, Value
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, translated.

    Attributes:
        text: with `%(name)s` for each parameter and every other `%` doubled; as it was where it has none.
        names: of its parameters.
    """

    text: str
    names: frozenset[str]

    def values(self, given: Parameters | None) -> Mapping[str, Value] | None:
        """Return what is sent with it, secrets revealed: what it does not use is not sent.

        Raises:
            UsageError: a parameter it uses is not given.
        """
        if not self.names:
            return None
        given = given or {}
        if missing := sorted(self.names - set(given)):
            raise UsageError(
                T(
                    "The SQL uses parameters that are not there: {names}.",
                    names=", ".join(f":{one}" for one in missing),
                ),
                next_step=T("Known here: {names}.", names=", ".join(f":{one}" for one in sorted(given)) or "–"),
            )
        return {name: _revealed(given[name]) for name in self.names}


def translated(statement: str) -> Statement:
    """Return one statement as psycopg takes it.

    `:name` in constants, quoted identifiers and comments is left, and so is `::type` and `name := value`. A slice of an
    array with a column as its upper bound is written `a[1 : b]`.

    Raises:
        UsageError: it is empty, several statements, or not closed somewhere.
    """
    found = list(tokens(statement))
    while found and (found[-1].kind in {Kind.SPACE, Kind.COMMENT} or found[-1].text == ";"):
        found.pop()
    if all(token.kind in {Kind.SPACE, Kind.COMMENT} for token in found) or any(token.text == ";" for token in found):
        raise UsageError(T("One SQL statement is needed here, neither none nor several."))
    names = frozenset(token.text[1:] for token in found if token.kind is Kind.PARAMETER)
    if not names:
        # Without values psycopg sends the text as it is.
        return Statement("".join(token.text for token in found), names)
    parts = (
        f"%({token.text[1:]})s" if token.kind is Kind.PARAMETER else token.text.replace("%", "%%") for token in found
    )
    return Statement("".join(parts), names)


def _revealed(value: Value | Secret) -> Value:
    return value.reveal() if isinstance(value, Secret) else value
