"""Inputs of the operations that stop and start applications, and what of them a planner and an act go by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import Field, field_validator, model_validator

from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs
from dsi_automation.inventory.application_model import Application, ApplicationServer
from dsi_automation.inventory.durations import parse_duration
from dsi_automation.inventory.problems import WrongValueError

FULL: Final = "full"
NONE: Final = "none"
PLANNED_WHY: Final = T("Planned evening stop")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an application.

    Attributes:
        stops, starts: what it comes to: both for a restart.
        why: what users are told.
        since: when the incident began, UTC; the interruption then counts from there.
        servers: those it concerns; empty for all.
        end_sessions: process numbers of working sessions that may be ended.
        notice: `full` for the inventory's countdown, `none`, or a duration.
    """

    stops: bool
    starts: bool
    planned: bool
    why: str
    since: datetime | None = None
    servers: tuple[str, ...] = ()
    end_sessions: tuple[int, ...] = ()
    notice: str = FULL
    empty_caches: bool = True

    def chosen(self, application: Application) -> tuple[ApplicationServer, ...]:
        """Return the servers it concerns, in the order in which they are started."""
        return tuple(server for server in application.servers if not self.servers or server.name in self.servers)

    def countdown(self, application: Application) -> tuple[float, ...]:
        """Return how long before the stop users are told, seconds, longest first."""
        if self.notice == NONE:
            return ()
        steps = tuple(step.total_seconds() for step in application.notice.countdown)
        if self.notice == FULL:
            return steps
        longest = parse_duration(self.notice).total_seconds()
        return (longest, *(step for step in steps if step < longest))


class StartInputs(Inputs):
    """Inputs of `application.start`."""

    why: str = Field(min_length=1, description=T("Why, as users are told.").template)
    since: datetime | None = Field(
        default=None, description=T("When the incident began: the interruption counts from there.").template
    )
    servers: tuple[str, ...] = Field(default=(), description=T("The servers it concerns; all by default.").template)

    @field_validator("since")
    @classmethod
    def _utc(cls, moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.astimezone(UTC)

    @field_validator("servers", mode="before")
    @classmethod
    def _as_typed(cls, value: object) -> object:
        return several(value)

    def wish(self) -> Wish:
        """Return what is asked, as the planner takes it."""
        return Wish(stops=False, starts=True, planned=False, why=self.why, since=self.since, servers=self.servers)


class StopInputs(StartInputs):
    """Inputs of `application.stop` and `application.restart`; moments without a time zone are the controller's."""

    planned: bool = Field(default=False, description=T("Whether it is the planned stop of every evening.").template)
    why: str = Field(default="", description=T("Why, as users are told; needed unless it is planned.").template)
    end_sessions: tuple[int, ...] = Field(
        default=(), description=T("Working database sessions to end, by their process number.").template
    )
    notice: str = Field(
        default=FULL,
        description=T("How long before users are told: full, none, or a duration as in 5m.").template,
    )
    empty_caches: bool = Field(default=True, description=T("Whether its caches are emptied.").template)

    @field_validator("end_sessions", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        return several(value)

    @field_validator("notice")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in {FULL, NONE}:
            parse_duration(value)
        return value

    @model_validator(mode="after")
    def _says_why(self) -> StopInputs:
        if not self.planned and not self.why:
            raise WrongValueError(T("say why it is stopped: users are told."), "why")
        if self.planned and self.end_sessions:
            # A planned stop is repeated under one approval, and process numbers are used again.
            raise WrongValueError(T("a planned stop names no sessions."), "end_sessions")
        if self.planned and self.since is not None:
            raise WrongValueError(T("a planned stop has no incident."), "since")
        return self

    def wish_for(self, *, starts: bool) -> Wish:
        """Return what is asked, as the planner takes it: a stop, or a restart."""
        return Wish(
            stops=True,
            starts=starts,
            planned=self.planned,
            why=self.why or str(PLANNED_WHY),
            since=self.since,
            servers=self.servers,
            end_sessions=self.end_sessions,
            notice=self.notice,
            empty_caches=self.empty_caches,
        )


def several(value: object) -> object:
    """Take one or several as they are typed, with commas between them: `app1,app2`."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.strip("[]").split(",") if part.strip())
    return (value,) if isinstance(value, int) else value
