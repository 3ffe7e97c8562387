"""What the signature under a backup plan covers: everything the plan says of the backup, when it runs included."""

import pytest

from dsi_automation.inventory.backup_model import BackupPlan, definition
from dsi_automation.inventory.schedule_model import SchedulesFile
from dsi_automation.inventory.schedules import rhythm

BACKUP = {
    "kind": "files",
    "title": "Fichiers",
    "host": "srv1",
    "repository": "r",
    "paths": ["/srv"],
    "media": "externe",
}
PLAN = {
    "repositories": {"r": {"url": "/srv/restic", "password": {"file": "secret"}}},
    "backups": {"b": BACKUP},
    "media": {
        "media": {"d1": {"kind": "disk", "title": "DISQUE-01", "uuid": "1-2-3"}},
        "rotations": {"externe": {"title": "Externe", "media": ["d1"], "password": {"env": "P"}}},
    },
    "rhythm": {"b": ("0 1 * * * Africa/Abidjan",)},
}


def changed(**parts):
    return BackupPlan.model_validate({**PLAN, **parts})


@pytest.mark.parametrize(
    "other",
    [
        {"backups": {"b": {**BACKUP, "paths": ["/srv", "/etc"]}}},
        {"backups": {"b": {**BACKUP, "retention": {"daily": 2}}}},
        {"repositories": {"r": {"url": "/mnt/other", "password": {"file": "secret"}}}},
        {"media": {**PLAN["media"], "rotations": {"externe": {**PLAN["media"]["rotations"]["externe"], "keep": "2d"}}}},
        {"media": {**PLAN["media"], "media": {"d1": {**PLAN["media"]["media"]["d1"], "uuid": "9-9-9"}}}},
        {"rhythm": {"b": ("0 2 * * * Africa/Abidjan",)}},
    ],
    ids=["what", "how-long", "where", "media", "which-disk", "when"],
)
def test_whatever_of_the_plan_changes_what_was_signed_changes(other):
    assert definition("b", changed(**other)) != definition("b", changed())


def test_what_another_backup_says_does_not_change_what_was_signed():
    both = {"b": BACKUP, "c": {**BACKUP, "title": "Autre"}}
    assert definition("b", changed(backups=both)) == definition("b", changed())


def test_the_rhythm_is_that_of_every_enabled_schedule_that_names_the_backup():
    schedule = {"title": "Nuit", "backup": "b", "cron": "0 1 * * *", "time_zone": "Africa/Abidjan"}
    off = {**schedule, "cron": "0 5 * * *", "enabled": False}
    file = SchedulesFile.model_validate(
        {"version": 1, "schedules": {"a": schedule, "z": {**schedule, "cron": "0 13 * * 1"}, "off": off}}
    )
    assert rhythm(file.schedules) == {"b": ("0 1 * * * Africa/Abidjan", "0 13 * * 1 Africa/Abidjan")}


@pytest.mark.parametrize("environment", ["training", "production"])
def test_a_folder_stands_in_for_a_disk_in_training_only(environment):
    backup = {**BACKUP, "environment": environment}
    folder = {**PLAN["media"], "media": {"d1": {**PLAN["media"]["media"]["d1"], "kind": "folder"}}}
    if environment == "training":
        assert changed(backups={"b": backup}, media=folder).media.media["d1"].kind == "folder"
    else:
        with pytest.raises(ValueError, match=r"training|formation"):
            changed(backups={"b": backup}, media=folder)
