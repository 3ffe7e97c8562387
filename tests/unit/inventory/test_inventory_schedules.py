"""`schedules.yml`: what is right, and what is refused with its line."""

from datetime import timedelta

import pytest

from dsi_automation.inventory.backup_model import BackupPlan
from dsi_automation.inventory.problems import InventoryError
from dsi_automation.inventory.schedule_doctor import schedule_checks
from dsi_automation.inventory.schedules import load_schedules

GOOD = """\
version: 1
time_zone: Africa/Abidjan
schedules:
  nuit:
    title: Chaque nuit
    backup: srv1
    cron: 30 2 * * mon-fri
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "schedules.yml"
        path.write_text(text)
        return path

    return write


def problem(path):
    with pytest.raises(InventoryError) as caught:
        load_schedules(path)
    (found,) = caught.value.problems
    return found


def test_no_file_is_no_schedule(tmp_path):
    assert load_schedules(tmp_path / "schedules.yml") == {}


def test_a_schedule_has_the_file_s_zone_and_capital_letters(written):
    found = load_schedules(written(GOOD))["nuit"]
    assert (found.time_zone, found.cron) == ("Africa/Abidjan", "30 2 * * MON-FRI")
    assert found.too_late_after == timedelta(hours=6)


@pytest.mark.parametrize(
    "cron",
    ["30 2 * *", "61 2 * * *", "@daily", "0 2 L * *", "0 2 * * MON#2", "0 2 30 FEB *", "0 2 * JAN-FOO *", "a b c d e"],
)
def test_a_cron_expression_that_is_not_right_is_told_with_its_line(written, cron):
    found = problem(written(GOOD.replace("30 2 * * mon-fri", f"'{cron}'")))
    assert (found.line, found.path) == (7, "schedules.nuit.cron")


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("    time_zone: Afrique/Abidjan\n", "schedules.nuit.time_zone"),
        ("    jitter: 7h\n", "schedules.nuit.jitter"),
        ("    catch_up: all\n", "schedules.nuit.catch_up"),
        ("    croon: x\n", "schedules.nuit.croon"),
        ("    clock_change: {skipped: perhaps}\n", "schedules.nuit.clock_change.skipped"),
        ("    steps: [{operation: folder.fill, targets: [t1]}]\n", "schedules.nuit"),
    ],
)
def test_what_a_schedule_may_not_say_is_told_with_its_place(written, more, path):
    assert problem(written(GOOD + more)).path == path


def test_a_name_that_no_unit_can_have_is_refused(written):
    assert problem(written(GOOD.replace("nuit:", "'chaque nuit':"))).line == 4


class _Home:
    """As much of an inventory as the doctor asks for."""

    def __init__(self, home):
        self.home = home
        self.backup_plan = BackupPlan.model_validate({})


def test_the_doctor_names_a_backup_that_nobody_describes_and_a_window_that_is_too_short(written):
    path = written(GOOD + "    too_late_after: 1m\n")
    found = {check.name: check for check in schedule_checks(_Home(path.parent))}
    assert (found["schedules"].ok, found["backup"].ok, found["too_late_after"].warning) == (True, False, True)


def test_the_doctor_says_nothing_where_nothing_is_scheduled(tmp_path):
    assert list(schedule_checks(_Home(tmp_path))) == []
