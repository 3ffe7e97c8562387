"""What `schedules.yml` holds: which operations run by themselves, when, and what happens when they could not."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory import cron
from dsi_automation.inventory.model import Duration, NonEmpty, Strict
from dsi_automation.inventory.problems import WrongValueError


def _zone(value: str) -> str:
    try:
        return zoneinfo.ZoneInfo(value).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WrongValueError(T("a time zone is expected, as in Africa/Abidjan.")) from error


type Zone = Annotated[str, AfterValidator(_zone)]
type Cron = Annotated[str, AfterValidator(cron.checked)]
type ScheduleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]


class ScheduledStep(Strict):
    """One operation of a schedule, run under its standing approval.

    Attributes:
        operation: its name, as `dsi operations` lists it.
        targets: what it is run on; exactly what the standing approval names.
        inputs: as for a request; what is not said has the operation's default.
    """

    operation: NonEmpty
    targets: Annotated[tuple[NonEmpty, ...], Field(min_length=1)]
    inputs: dict[str, Any] = {}  # noqa: RUF012  # pydantic copies it


class ClockChange(Strict):
    """What happens to a moment that the clock skips (spring) or shows twice (autumn).

    Attributes:
        skipped: `run_after`: at the moment at which the clock went on; `skip`: not on that day.
        repeated: `once`: the first time; `twice`: each time. By default, as Debian's cron: `twice` when the hour or
            the minute begins with a star, `once` else.
    """

    skipped: Literal["run_after", "skip"] = "run_after"
    repeated: Literal["once", "twice"] | None = None


class Schedule(Strict):
    """One schedule.

    Attributes:
        title: what people read.
        backup: a name of `dsi_backups`: its steps are the backup, its verification, and the copy to a medium where
            the backup names a rotation. Either this or `steps`.
        steps: the operations, in order; the first that does not end well ends the occurrence.
        cron: five fields: minute, hour, day, month, day of the week (numbers, names, lists, ranges, steps).
        time_zone: in which the fields are read; by default that of the file.
        jitter: by how much each start may be later, always the same for the same occurrence, so that many
            controllers do not all begin in one second.
        catch_up: after the controller was down: `last` starts the newest missed occurrence once, `none` starts none.
        too_late_after: how long after its moment an occurrence may still begin (the controller was down, the target
            is busy); then it is missed, and told.
        clock_change: what happens at a change of the clock.
        stop_within: how long systemd leaves the occurrence to stop at its next safe point, before it is killed.
        enabled: false to keep it and not run it.
    """

    title: NonEmpty
    backup: NonEmpty | None = None
    steps: tuple[ScheduledStep, ...] = ()
    cron: Cron
    time_zone: Zone | None = None
    jitter: Duration | None = None
    catch_up: Literal["none", "last"] = "last"
    too_late_after: Duration = timedelta(hours=6)
    clock_change: ClockChange = ClockChange()
    stop_within: Duration = timedelta(minutes=15)
    enabled: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Schedule:
        if (self.backup is None) == (not self.steps):
            raise WrongValueError(T("exactly one of backup and steps is expected."))
        if self.jitter is not None and self.jitter >= self.too_late_after:
            raise WrongValueError(T("jitter must be shorter than too_late_after."), "jitter")
        return self


class SchedulesFile(Strict):
    """The content of `schedules.yml`.

    Attributes:
        version: of this file's form.
        time_zone: of the schedules that name none.
        schedules: by name: small letters, digits, `-` and `_`, 48 characters at most (units are named after them).
    """

    version: Literal[1]
    time_zone: Zone = "UTC"
    schedules: dict[ScheduleName, Schedule] = {}  # noqa: RUF012  # pydantic copies it
