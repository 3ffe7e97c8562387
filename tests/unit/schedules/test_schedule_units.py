"""The units that are written: systemd's own programs read them, and elapse when the schedule is due."""

import dataclasses
import re
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.calendar import on_calendar
from dsi_automation.schedules.install import Change, apply, changes, commands
from dsi_automation.schedules.occurrences import occurrences
from dsi_automation.schedules.units import Place, units

NOW = datetime(2027, 1, 10, 12, 0, tzinfo=UTC)
CRONS = (
    ("30 2 * * *", "Europe/Paris", {}),
    ("30 2 * * *", "America/New_York", {"clock_change": {"repeated": "twice"}}),
    ("30 2 * * *", "Europe/Paris", {"clock_change": {"skipped": "skip"}}),
    ("*/15 1-3 * * *", "Europe/Paris", {}),
    ("0 4 1,15 * MON", "Africa/Abidjan", {}),
    ("0 4 1-7 * */2", "Africa/Abidjan", {}),
    ("5/20 6 * JAN-MAR mon-fri", "UTC", {}),
    ("0 0 31 * *", "Africa/Abidjan", {}),
    ("0 5 * * 0,7", "UTC", {}),
)


def made(cron, zone="UTC", **more):
    return Schedule.model_validate({"title": "Chaque nuit", "backup": "b", "cron": cron, "time_zone": zone, **more})


def elapses(lines, count, base):
    """Return when systemd's timers elapse, by `systemd-analyze calendar`."""
    found = set()
    for line in lines:
        words = ["systemd-analyze", "calendar", f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", f"--iterations={count}"]
        done = subprocess.run(
            [*words, line], capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"}
        )
        told = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC", done.stdout)
        found |= {datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in told}
    return sorted(found)[:count]


@pytest.mark.parametrize(("cron", "zone", "more"), CRONS)
@pytest.mark.parametrize("base", [NOW, datetime(2027, 3, 13, 5, tzinfo=UTC), datetime(2027, 10, 30, 12, tzinfo=UTC)])
def test_systemd_elapses_exactly_when_the_schedule_is_due(cron, zone, more, base):
    schedule = made(cron, zone, **more)
    ours = [item.due for item in islice(occurrences("n", schedule, base), 30)]
    assert elapses(on_calendar("n", schedule, NOW), 30, base) == ours


@pytest.fixture
def place(tmp_path):
    return Place(Path("/etc/dsi/inventory/hosts.yml"), ("/bin/true", "-I", 'a b$%c"d'), tmp_path / "schedule.env")


@pytest.mark.parametrize("user", [None, "daemon"])
def test_systemd_has_nothing_to_say_against_the_units(tmp_path, user):
    place = Place(Path("/etc/dsi/hosts.yml"), ("/bin/true", "-I", "a b$%c"), tmp_path / "env", user)
    schedules = {"nuit": made("30 2 * * *", "Europe/Paris"), "semaine": made("0 4 * * MON", title='100 % "sûr"')}
    apply(changes(tmp_path, units(schedules, place, NOW), place.mark))
    files = sorted(str(path) for path in tmp_path.glob("dsi-schedule-*"))
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    assert len(files) == 4
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_where_there_is_a_mail_server_a_timer_sends_what_waits_and_goes_with_the_last_schedule(tmp_path, place):
    place = dataclasses.replace(place, mails=True)
    apply(changes(tmp_path, units({"nuit": made("30 2 * * *")}, place, NOW), place.mark))
    service = (tmp_path / "dsi-schedule-_mail.service").read_text()
    assert service.count("mail flush\n") == 2
    assert "SuccessExitStatus=3" in service
    paths = sorted(map(str, tmp_path.glob("dsi-schedule-_mail.*")))
    assert len(paths) == 2
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert units({}, place, NOW) == {}


def test_installing_twice_changes_nothing(tmp_path, place):
    wanted = units({"nuit": made("30 2 * * *")}, place, NOW)
    apply(changes(tmp_path, wanted, place.mark))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = changes(tmp_path, wanted, place.mark)
    apply(again)
    assert {item.change for item in again} == {Change.SAME}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_units_of_schedules_that_are_gone_are_taken_away_and_no_others(tmp_path, place):
    apply(changes(tmp_path, units({"nuit": made("30 2 * * *")}, place, NOW), place.mark))
    (tmp_path / "dsi-schedule-autre.timer").write_text("[Timer]\n")
    theirs = Place(Path("/other/hosts.yml"), place.command, place.environment)
    apply(changes(tmp_path, units({"soir": made("0 20 * * *")}, theirs, NOW), theirs.mark))
    found = changes(tmp_path, units({"jour": made("0 8 * * *")}, place, NOW), place.mark)
    apply(found)
    assert {path.name for path in tmp_path.iterdir()} == {
        "dsi-schedule-autre.timer",
        *(f"dsi-schedule-{name}.{kind}" for name in ("soir", "jour") for kind in ("service", "timer")),
    }
    assert ("systemctl", "disable", "--now", "dsi-schedule-nuit.timer") in commands(found, of_user=False)
    assert ("systemctl", "enable", "--now", "dsi-schedule-jour.timer") in commands(found, of_user=False)


def test_a_unit_of_somebody_else_with_our_name_is_not_written_over(tmp_path, place):
    (tmp_path / "dsi-schedule-nuit.timer").write_text("[Timer]\nOnCalendar=daily\n")
    with pytest.raises(UsageError):
        changes(tmp_path, units({"nuit": made("30 2 * * *")}, place, NOW), place.mark)


def test_a_schedule_that_is_not_enabled_has_no_units(place):
    assert units({"nuit": made("30 2 * * *", enabled=False)}, place, NOW) == {}


def test_catching_up_is_left_to_systemd_where_the_schedule_says_so(place):
    last = units({"n": made("0 2 * * *")}, place, NOW)["dsi-schedule-n.timer"]
    none = units({"n": made("0 2 * * *", catch_up="none")}, place, NOW)["dsi-schedule-n.timer"]
    assert "Persistent=true\n" in last
    assert "Persistent=false\n" in none


def test_stopping_leaves_the_time_that_the_schedule_gives(place):
    service = units({"n": made("0 2 * * *", stop_within="2m")}, place, NOW)["dsi-schedule-n.service"]
    assert "TimeoutStopSec=120\n" in service
    assert "KillMode=mixed\n" in service


def test_changes_of_the_clock_are_written_out_for_years(place):
    timer = units({"n": made("30 2 * * *", "Europe/Paris")}, place, NOW)["dsi-schedule-n.timer"]
    assert timer.count(" UTC\n") >= 9
    assert NOW + timedelta(days=365 * 9) < datetime(2036, 3, 30, tzinfo=UTC)
    assert "OnCalendar=2036-03-30 01:00:00 UTC\n" in timer
