"""What is wrong in the inventory's files: found all at once, each with its place and what is expected there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from pydantic import ValidationError

type Path = tuple[str | int, ...]


class WrongValueError(ValueError):
    """A value that a model of the inventory refuses, with the sentence that says what is expected instead.

    Attributes:
        text: what is expected.
        key: which key of the model it is about, when several were looked at together.
    """

    def __init__(self, text: Text, key: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.key = key


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong.

    Attributes:
        source: the file, as a person can open it.
        path: the keys that lead there, `dsi_sites.ABJ.naming.template`; empty for the whole file.
        text: what is expected.
        line: line of the file, where it is known.
    """

    source: str
    path: str
    text: Text
    line: int | None = None

    def sentence(self) -> Text:
        """Return the place and the expectation on one line."""
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return Text("{place}: {path}: {text}" if self.path else "{place}: {text}", self._params(place))

    def _params(self, place: str) -> dict[str, Any]:
        return {"place": place, "path": self.path, "text": self.text}


class InventoryError(UsageError):
    """The inventory cannot be used as it is; carries every problem found, not only the first.

    Attributes:
        problems: each with file, key path and expectation.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            TN(
                "The inventory has an error:\n{problems}",
                "The inventory has {n} errors:\n{problems}",
                len(problems),
                problems=lines([problem.sentence() for problem in problems]),
            ),
            next_step=T("Correct the files, then check with: dsi doctor"),
            detail={"problems": [[p.source, p.line, p.path] for p in problems]},
        )
        self.problems = tuple(problems)


def lines(texts: Sequence[Text]) -> Text:
    """Return several sentences as one text, a line each."""
    template = "\n".join(f"{{t{index}}}" for index in range(len(texts)))
    return Text(template, {f"t{index}": text for index, text in enumerate(texts)})


def dotted(path: Path) -> str:
    """Return a key path as people write it: `operations.workstation.join.production`, `people[2].keys[0]`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def explain(error: ValidationError) -> list[tuple[Path, Text]]:
    """Return pydantic's findings: the key path in what was validated, and what is expected there."""
    found = []
    for item in error.errors(include_url=False):
        path = tuple(part for part in item["loc"] if part != "[key]")
        raised = item.get("ctx", {}).get("error")
        if isinstance(raised, WrongValueError) and raised.key is not None:
            path = (*path, raised.key)
        found.append((path, _sentence(item)))
    return found


def _sentence(item: Mapping[str, Any]) -> Text:
    context = item.get("ctx", {})
    raised = context.get("error")
    if isinstance(raised, WrongValueError):
        return raised.text
    kind = item["type"]
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in {"enum", "literal_error"}:
        return T(
            "“{value}” is none of: {values}.",
            value=_short(item["input"]),
            values=context["expected"].replace(" or ", ", "),
        )
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        (limit,) = (context[key] for key in ("gt", "ge", "lt", "le") if key in context)
        return _LIMITS[kind](limit)
    if kind == "string_pattern_mismatch":
        return T("“{value}” does not have the form {pattern}.", value=_short(item["input"]), pattern=context["pattern"])
    return T("the value is not accepted ({reason}).", reason=kind)


def _short(value: object, longest: int = 40) -> str:
    shown = str(value)
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


_EXPECTED: Final[dict[str, Text]] = {
    "missing": T("this key is required."),
    "extra_forbidden": T("nobody knows this key: remove it or correct its spelling."),
    "invalid_key": T("nobody knows this key: remove it or correct its spelling."),
    "string_type": T("a text is expected (between quotes when it is made of digits)."),
    "int_type": T("a whole number is expected."),
    "int_parsing": T("a whole number is expected."),
    "int_from_float": T("a whole number is expected."),
    "float_type": T("a number is expected."),
    "float_parsing": T("a number is expected."),
    "bool_type": T("true or false is expected."),
    "bool_parsing": T("true or false is expected."),
    "dict_type": T("a mapping (key: value) is expected."),
    "model_type": T("a mapping (key: value) is expected."),
    "tuple_type": T("a list is expected."),
    "list_type": T("a list is expected."),
    "too_short": T("at least one entry is expected."),
    "string_too_short": T("a text that is not empty is expected."),
}
_LIMITS: Final[dict[str, Callable[[Any], Text]]] = {
    "greater_than": lambda limit: T("a number greater than {limit} is expected.", limit=limit),
    "greater_than_equal": lambda limit: T("a number of at least {limit} is expected.", limit=limit),
    "less_than": lambda limit: T("a number less than {limit} is expected.", limit=limit),
    "less_than_equal": lambda limit: T("a number of at most {limit} is expected.", limit=limit),
}
