"""Promise: nothing in the plan can become a command of RMAN; each try has a name of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.backups.oracle import script
from dsi_automation.connectors.backups.settings import OracleSettings
from dsi_automation.core.errors import UsageError

SETTINGS = OracleSettings(
    user="oracle",
    oracle_home="/u01/app/oracle/product/19c/dbhome_1",
    oracle_sid="sydam",
    rman="rman",
    stage_dir="/stage",
    dbid=3114375768,
    database="SYDAM",
)
TAG = "DSI_20261122T020133_A1B2C3"
FOLDER = "/stage/dsi-sydam/" + TAG


@pytest.mark.parametrize(
    "wrong",
    [
        {"stage_dir": "/stage'; HOST 'rm -rf /"},
        {"stage_dir": "/stage\nHOST 'id';"},
        {"stage_dir": "/stage/../etc"},
        {"stage_dir": "stage"},
        {"stage_dir": "/stage %d"},
        {"stage_dir": "/" + "s" * 300},
        {"oracle_sid": "sydam;id"},
        {"oracle_sid": ""},
        {"oracle_home": "/u01 /x"},
        {"database": "SYD'AM"},
        {"rman": "rman; id"},
        {"rman": "../bin/rman"},
        {"user": "-u root"},
        {"warnings": ("RMAN-081",)},
    ],
)
def test_a_value_that_could_be_more_than_a_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        script.check(replace(SETTINGS, **wrong))


@given(st.text(max_size=40))
def test_no_stage_folder_whatever_it_is_called_ends_a_string_of_rman(name: str) -> None:
    try:
        script.check(replace(SETTINGS, stage_dir="/" + name))
    except UsageError:
        return
    assert not set(name) & set("'\"`;{}()$%&|<>\\ \t\r\n\0#@")
    rendered = script.backup(SETTINGS, "/" + name, TAG, 0, None)
    assert rendered.count("'") % 2 == 0
    assert len(rendered.splitlines()) == len(script.backup(SETTINGS, "/stage", TAG, 0, None).splitlines())


def test_the_order_of_the_plan_is_accepted() -> None:
    script.check(SETTINGS)
    assert script.program(SETTINGS) == "/u01/app/oracle/product/19c/dbhome_1/bin/rman"
    assert script.program(SETTINGS, "sqlplus").endswith("/bin/sqlplus")
    assert script.program(replace(SETTINGS, rman="/opt/rman")) == "/opt/rman"


def test_a_backup_holds_data_logs_control_file_and_parameters_under_one_tag() -> None:
    text = script.backup(replace(SETTINGS, channels=2), FOLDER, TAG, 0, None)
    for wanted in (
        f"SET COMMAND ID TO '{TAG}';",
        f"SET CONTROLFILE AUTOBACKUP FORMAT FOR DEVICE TYPE DISK TO '{FOLDER}/%F';",
        f"ALLOCATE CHANNEL c2 DEVICE TYPE DISK FORMAT '{FOLDER}/%d_%T_%U.bkp';",
        f"CHECK LOGICAL INCREMENTAL LEVEL 0 TAG '{TAG}' DATABASE;",
        f"TAG '{TAG}' ARCHIVELOG ALL;",
        f"BACKUP TAG '{TAG}' CURRENT CONTROLFILE;",
        f"BACKUP TAG '{TAG}' SPFILE;",
    ):
        assert wanted in text
    assert "LEVEL 1 CUMULATIVE" in script.backup(SETTINGS, FOLDER, TAG, 1, 4711)
    assert "ARCHIVELOG FROM SCN 4711;" in script.backup(SETTINGS, FOLDER, TAG, 1, 4711)


def test_a_set_that_stands_on_another_is_not_walked_through_alone_but_its_source_is_read() -> None:
    alone = script.prove(TAG, [1, 2], whole=True, source=False)
    assert f"RESTORE DATABASE FROM TAG '{TAG}' VALIDATE;" in alone
    assert "BACKUP VALIDATE" not in alone
    later = script.prove(TAG, [1, 2], whole=False, source=True)
    assert "VALIDATE BACKUPSET 1, 2 CHECK LOGICAL;" in later
    assert "RESTORE" not in later
    assert "BACKUP VALIDATE CHECK LOGICAL DATABASE;" in later


def test_a_tag_names_one_try_and_fits_rman() -> None:
    now = datetime(2026, 11, 22, 2, 1, 33, tzinfo=UTC)
    tags = {script.new_tag(now) for _ in range(50)}
    assert len(tags) == 50
    assert all(script.is_tag(tag) and len(tag) <= 30 for tag in tags)
    assert not script.is_tag("../etc")


@pytest.mark.parametrize("tag", ["x", "DSI_20261122T020133_A1B2C3'", "DSI_20261122T020133_A1B2C3\n", ""])
def test_only_tags_of_ours_are_ever_discarded(tag: str) -> None:
    with pytest.raises(UsageError):
        script.discard(tag)


def test_the_restore_for_a_person_names_the_moment_and_runs_on_no_production_instance_by_itself() -> None:
    until = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    text = script.restore(SETTINGS, "/restore/sydam", until, "c-3114375768-20261122-00")
    assert "SET UNTIL TIME \"TO_DATE('2026-11-22 01:30:00','YYYY-MM-DD HH24:MI:SS')\";" in text
    assert "SET DBID 3114375768;" in text
    assert "CATALOG START WITH '/restore/sydam/' NOPROMPT;" in text
    assert not any(line.startswith("ALTER DATABASE OPEN") for line in text.splitlines())
