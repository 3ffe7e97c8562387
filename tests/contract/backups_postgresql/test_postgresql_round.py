"""A set of a real PostgreSQL is made, proven, and brought back to the moment that was asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fix_cluster import CHECKSUM, Backups, silent

from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.port import Depth, RestoreOrder
from dsi_automation.connectors.backups.settings import Question


def test_a_set_is_made_proven_and_leaves_nothing_behind(backups: Backups) -> None:
    facts = backups.engine().source()
    assert not facts.problems, [str(p) for p in facts.problems]
    stored = backups.make()
    asked = (
        Question("Déclarations", "sydam", "SELECT count(*) FROM declaration;", minimum=5000),
        Question("Fraîcheur", "sydam", "SELECT max(quand) FROM declaration", newer_than=timedelta(hours=1)),
    )
    engine = backups.engine(questions=asked)
    for depth in (Depth.SAMPLE, Depth.FULL):
        proven = engine.verify(stored, depth, silent)
        assert [c for c in proven.checks if not c.ok] == [], depth
        assert proven.level == 4
    kept = manifest.load(backups.root / "manifests" / stored.made.manifest_file, stored.made.manifest)
    assert (kept.numbers.files, kept.numbers.size) == (stored.made.files, stored.made.size)
    assert {entry.type for entry in kept.entries} == {"file", "dir"}
    assert proven.restored_bytes >= stored.made.size * 0.9
    assert stored.made.details["counts"] == {"sydam": {"rows": {"public.declaration": 5000}, "exact": True}}
    assert backups.leftovers() == []


def test_a_cluster_brought_back_to_a_moment_answers_the_same_checksum(
    own_backups: Backups, restored_sql: Callable[..., str]
) -> None:
    cluster = own_backups.cluster
    stored = own_backups.make()
    cluster.sql("INSERT INTO declaration (id, bureau, montant) VALUES (9001, 'SPY', 1)")
    wanted, until = cluster.checksum(), cluster.now()
    cluster.sql("DELETE FROM declaration WHERE id % 2 = 0")
    later = own_backups.make(stored)
    engine = own_backups.engine()
    window = engine.recovery_window([stored, later])
    assert window is not None
    assert window[0] <= until < window[1]
    destination = own_backups.root / "back"
    done = engine.restore(stored, RestoreOrder(destination=str(destination), until=until), silent)
    assert [c for c in done.checks if not c.ok] == []
    assert restored_sql(destination / "data", CHECKSUM) == wanted
    assert "archive_mode" in (destination / "README.txt").read_text()
    # The end of the window can be asked for itself, and the set without a moment is as it was counted.
    end = engine.restore(stored, RestoreOrder(destination=str(own_backups.root / "end"), until=window[1]), silent)
    assert [c for c in end.checks if not c.ok] == []
    assert restored_sql(own_backups.root / "end/data", CHECKSUM) == cluster.checksum()
    assert own_backups.leftovers() == []


def test_one_database_is_brought_back_as_a_dump(backups: Backups) -> None:
    stored = backups.make()
    destination = backups.root / "dump"
    done = backups.engine().restore(stored, RestoreOrder(destination=str(destination), database="sydam"), silent)
    assert [c for c in done.checks if not c.ok] == []
    assert Path(done.destination).read_bytes()[:5] == b"PGDMP"
    assert [p.name for p in destination.iterdir()] == ["sydam.dump"]


def test_rows_that_are_fewer_than_they_were_fail_the_proof(backups: Backups) -> None:
    stored = backups.make()
    details = dict(stored.made.details) | {"counts": {"sydam": {"rows": {"public.declaration": 5001}, "exact": True}}}
    proven = backups.engine().verify(replace(stored, made=replace(stored.made, details=details)), Depth.SAMPLE, silent)
    assert [c.name for c in proven.checks if not c.ok] == ["count.sydam.public.declaration"]
    assert proven.level == 3


def test_the_hook_after_always_runs_and_its_failure_throws_no_set_away(own_backups: Backups) -> None:
    mark = own_backups.root / "mark"
    with pytest.raises(BackupFailedError, match="false"):
        own_backups.make(common={"before": ("false",), "after": ("touch", str(mark))})
    assert mark.exists()
    stored = own_backups.make(common={"after": ("false",)})
    assert any("false" in str(warning) for warning in stored.made.warnings)
    assert [check for check in own_backups.engine().verify(stored, Depth.SAMPLE, silent).checks if not check.ok] == []
    assert own_backups.leftovers() == []
