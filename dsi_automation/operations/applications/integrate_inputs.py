"""Inputs of `sources.integrate`."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from dsi_automation.connectors.releases import versions
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs
from dsi_automation.inventory.durations import parse_duration
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.operations.applications.inputs import FULL, NONE, Wish


class IntegrateInputs(Inputs):
    """Inputs of `sources.integrate`: a release, and how users are told of the interruption."""

    release: str = Field(description=T("The release: its version, as in 1.5.0.").template)
    source: str | None = Field(
        default=None, description=T("The line of sources, where the application is in several.").template
    )
    planned: bool = Field(default=False, description=T("Whether it takes place in the planned hours.").template)
    why: str = Field(default="", description=T("Why, as users are told; the release by default.").template)
    notice: str = Field(
        default=FULL,
        description=T("How long before users are told: full, none, or a duration as in 5m.").template,
    )
    end_sessions: tuple[int, ...] = Field(
        default=(), description=T("Working database sessions to end, by their process number.").template
    )
    empty_caches: bool = Field(default=True, description=T("Whether its caches are emptied.").template)
    downgrade: bool = Field(
        default=False, description=T("Whether the release may be older than the one in use.").template
    )

    @field_validator("release")
    @classmethod
    def _named(cls, value: str) -> str:
        if not versions.may_be(value):
            raise WrongValueError(T("this is not the name of a release."))
        return value

    @field_validator("notice")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in {FULL, NONE}:
            parse_duration(value)
        return value

    @field_validator("end_sessions", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.strip("[]").split(",") if part.strip())
        return (value,) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _no_sessions_when_planned(self) -> IntegrateInputs:
        if self.planned and self.end_sessions:
            raise WrongValueError(T("a planned stop names no sessions."), "end_sessions")
        return self

    def wish(self) -> Wish:
        """Return what is asked of the application, as those who stop and start it take it."""
        return Wish(
            stops=True,
            starts=True,
            planned=self.planned,
            why=self.why or str(T("Integration of release {release}", release=self.release)),
            end_sessions=self.end_sessions,
            notice=self.notice,
            empty_caches=self.empty_caches,
        )
