"""Whoever waits for what a schedule would have done is told that it was missed."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from dsi_automation.core.events import Silent
from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.decide import Missed
from dsi_automation.schedules.telling import tell_missed

DUE = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("steps", "targets"),
    [
        ([{"operation": "application.restart", "targets": ["sydam", "sydam-test"]}], ["sydam", "sydam-test"]),
        ([{"operation": "server.backup", "targets": ["sydam"]}], []),
    ],
)
def test_a_missed_planned_stop_names_its_applications_and_a_backup_of_the_same_name_none(steps, targets):
    told = []
    teller = SimpleNamespace(tell_missed=lambda name, *_rest, targets: told.append((name, targets)))
    schedule = Schedule.model_validate({"title": "Soir", "cron": "0 20 * * *", "time_zone": "UTC", "steps": steps})
    missed = Missed(DUE, DUE, 1, "no_approval")
    tell_missed(SimpleNamespace(teller=teller), "soir", schedule, missed, Silent())
    assert told == [("soir", targets)]
