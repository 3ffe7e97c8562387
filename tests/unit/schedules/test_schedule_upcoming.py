"""When schedules begin next, for metrics and for people."""

from datetime import UTC, datetime
from types import SimpleNamespace

from dsi_automation.cli.schedule_show import next_table
from dsi_automation.core.text import speaking
from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.upcoming import next_times

NOW = datetime(2027, 1, 10, 12, 0, tzinfo=UTC)


def toolkit(**more):
    values = {"title": "Chaque nuit", "backup": "b", "cron": "0 23 * * *", "time_zone": "UTC", **more}
    return SimpleNamespace(
        clock=SimpleNamespace(now=lambda: NOW), schedules=lambda: {"nuit": Schedule.model_validate(values)}
    )


def test_a_moment_that_passed_and_that_nobody_settled_is_the_next_still():
    assert next_times(toolkit(), {})["nuit"] == datetime(2027, 1, 10, 23, tzinfo=UTC)
    settled = {"nuit": datetime(2027, 1, 7, 23, tzinfo=UTC)}
    assert next_times(toolkit(), settled)["nuit"] == datetime(2027, 1, 8, 23, tzinfo=UTC)
    assert next_times(toolkit(enabled=False), settled)["nuit"] is None


def test_days_of_the_week_are_named_in_the_readers_language():
    rows = []
    out = SimpleNamespace(table=lambda _heads, lines: rows.extend(lines))
    kit = toolkit()
    session = SimpleNamespace(toolkit=kit, choices=SimpleNamespace(json=False), out=out)
    with speaking("fr"):
        next_table(session, kit.schedules(), 1)
    assert str(rows[0][0]).startswith("dim.")
