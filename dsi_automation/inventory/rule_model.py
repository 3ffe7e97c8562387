"""The inventory's rule sets (procedure J): tables of the application that are loaded from versioned files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.backup_model import QueryCheck
from dsi_automation.inventory.model import NonEmpty, Strict
from dsi_automation.inventory.problems import WrongValueError

type Identifier = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class RuleColumn(Strict):
    """One column of a rule set.

    Attributes:
        type: `date` is written 2026-12-31.
        required: whether it may be empty.
        pattern: regular expression the whole text must match.
        minimum, maximum: of a number.
        values: those that may be.
        digits: after the decimal point, at most.
    """

    type: Literal["text", "integer", "decimal", "date", "boolean"] = "text"
    required: bool = True
    pattern: NonEmpty | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[NonEmpty, ...] = ()
    digits: Annotated[int, Field(ge=0, le=10)] | None = None


class RuleSet(Strict):
    """One rule set: the tariff, the rules of selectivity.

    Attributes:
        title: what people call it.
        application: name in `dsi_applications`; its database holds the table.
        table: `schema.table`, all of which is this rule set.
        key: the columns that tell its rows apart.
        columns: of the file (CSV, UTF-8, first line with the names) and of the table alike.
        delimiter: of the file.
        minimum_rows: a file with fewer is refused: an empty file must not empty the tariff.
        most_changed: share of the rows that one update may remove or change before it is refused.
        checks: questions to the database within the transaction, before it is committed.
    """

    title: NonEmpty
    application: NonEmpty
    table: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")]
    key: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    columns: Annotated[dict[Identifier, RuleColumn], Field(min_length=1)]
    delimiter: Literal[";", ",", "\t"] = ";"
    minimum_rows: Annotated[int, Field(ge=1)] = 1
    most_changed: Annotated[float, Field(gt=0, le=1)] = 0.5
    checks: tuple[QueryCheck, ...] = ()

    @model_validator(mode="after")
    def _known_key(self) -> RuleSet:
        if unknown := [name for name in self.key if name not in self.columns]:
            raise WrongValueError(T("no such column: {names}.", names=", ".join(unknown)), "key")
        return self


type RuleSets = dict[NonEmpty, RuleSet]
