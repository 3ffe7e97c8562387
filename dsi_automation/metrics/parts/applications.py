"""Applications: whether users can work, how long they could not, the last test, and which release is in use."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from dsi_automation.metrics.spec import Part, Sheet, counter, gauge, info
from dsi_automation.operations.applications.health import health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsi_automation.metrics.view import View
    from dsi_automation.operations.applications.record import ApplicationRecord

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
    "Share of the current month, so far, in which it was not interrupted.",
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
        RELEASE,
        RELEASE_SINCE,
    ),
    fill,
)
