"""Applications: whether users can work, how long they could not, the last test, and which release is in use."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from dsi_automation.engine.model import RequestKind, RequestState
from dsi_automation.metrics.parts.requests import end_of
from dsi_automation.metrics.spec import Part, Sheet, counter, gauge, info
from dsi_automation.operations.applications.availability import months
from dsi_automation.operations.applications.health import health

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dsi_automation.metrics.view import View
    from dsi_automation.operations.applications.record import ApplicationRecord

STOPPING: Final = frozenset({"application.stop", "application.restart"})
_GIVEN: Final = frozenset({RequestState.APPROVED, RequestState.EXPIRED})

INFO = info("dsi_application_info", "An application of the inventory.", "application", "environment")
INTERRUPTED = gauge(
    "dsi_application_interrupted", "1 while users cannot work, by the record: stopped or not proven.", "application"
)
SINCE = gauge(
    "dsi_application_interrupted_since_timestamp_seconds",
    "When the interruption that lasts began; absent while there is none.",
    "application",
    "planned",
)
SECONDS = counter(
    "dsi_application_interruption_seconds_total",
    "How long it was interrupted in all; an interruption that lasts counts when it ends: see its beginning.",
    "application",
    "planned",
)
INTERRUPTIONS = counter(
    "dsi_application_interruptions_total", "Interruptions, the one that lasts included.", "application", "planned"
)
RESTARTED = gauge(
    "dsi_application_last_restart_timestamp_seconds",
    "When a server of it was last started; 0 for never.",
    "application",
)
TESTED = gauge(
    "dsi_application_last_test_timestamp_seconds",
    "When a run last made its connection test; 0 for never.",
    "application",
)
CONCLUSIVE = gauge(
    "dsi_application_last_test_conclusive",
    "1 when the last connection test was conclusive, 0 when it was not; absent before the first.",
    "application",
)
AVAILABILITY = gauge(
    "dsi_application_availability_ratio",
    "Share of the current month, so far, in which users could work: of all of it, or with planned stops taken out.",
    "application",
    "of",
)
APPROVAL = gauge(
    "dsi_application_approval_end_timestamp_seconds",
    "When the standing approval of its planned stop ends, or ended; absent when there never was one.",
    "application",
)
RELEASE = info("dsi_release_info", "The release in use, by the record.", "application", "source", "stage", "release")
RELEASE_SINCE = gauge(
    "dsi_release_since_timestamp_seconds", "Since when the release in use is.", "application", "source"
)


def fill(view: View, sheet: Sheet) -> None:
    """Write what the record says of each application of the inventory."""
    known = view.inventory().applications
    if not known:
        return
    record = view.applications()
    for name, described in known.items():
        sheet.put(INFO, 1, name, described.environment.value)
        month = months(name, record.interruptions, described.time_zone, view.now, view.now)[-1]
        sheet.put(AVAILABILITY, month.availability, name, "month")
        sheet.put(AVAILABILITY, month.without_planned, name, "promised")
        seen = health(record, name)
        sheet.put(INTERRUPTED, float(seen.open is not None), name)
        if seen.open is not None:
            sheet.put(SINCE, seen.open.began_at, name, _planned(planned=seen.open.planned))
        sheet.put(RESTARTED, seen.last_restart, name)
        sheet.put(TESTED, None if seen.last_test is None else seen.last_test.at, name)
        if seen.last_test is not None:
            sheet.put(CONCLUSIVE, float(seen.last_test.conclusive), name)
        if seen.release is not None:
            one = seen.release
            sheet.put(RELEASE, 1, name, one.source, one.stage, one.release)
            sheet.put(RELEASE_SINCE, one.at, name, one.source)
    _interruptions(sheet, record, known)
    _approvals(view, sheet, known)


def _interruptions(sheet: Sheet, record: ApplicationRecord, known: Mapping[str, object]) -> None:
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
    times: Counter[tuple[str, str]] = Counter()
    for item in record.interruptions:
        key = (item.application, _planned(planned=item.planned))
        times[key] += 1
        if item.ended_at is not None:  # counted while it lasts, it could shrink by what the last scrape was ahead
            seconds[key] += max((item.ended_at - item.began_at).total_seconds(), 0.0)
    for name in known:
        for planned in ("true", "false"):
            sheet.put(SECONDS, seconds[name, planned], name, planned)
            sheet.put(INTERRUPTIONS, times[name, planned], name, planned)


def _approvals(view: View, sheet: Sheet, known: Mapping[str, object]) -> None:
    ends: dict[str, datetime] = {}
    for item in view.requests():
        if item.plan.operation in STOPPING and item.kind is RequestKind.STANDING and item.state in _GIVEN:
            for name in item.plan.targets:
                ends[name] = max(ends.get(name, end_of(item)), end_of(item))
    for name in known:
        if name in ends:
            sheet.put(APPROVAL, ends[name], name)


def _planned(*, planned: bool) -> str:
    return "true" if planned else "false"


PART = Part(
    "applications",
    (
        INFO,
        INTERRUPTED,
        SINCE,
        SECONDS,
        INTERRUPTIONS,
        RESTARTED,
        TESTED,
        CONCLUSIVE,
        AVAILABILITY,
        APPROVAL,
        RELEASE,
        RELEASE_SINCE,
    ),
    fill,
)
