"""What is put back in the place of a running database: planned only where it can be, and never over what is there."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from vault import START, stored

from dsi_automation.connectors.backups.port import RepositoryFacts, Snapshot
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.backups.facts import BackupFacts, World
from dsi_automation.operations.backups.restore_plan import Wish, decide, order_of
from dsi_automation.operations.decided import Decided

JOB = {
    "kind": "postgresql", "title": "Base SYDAM", "repository": "bases", "server": "db1", "user": "dsi_backup",
    "bin_dir": "/usr/lib/postgresql/15/bin", "stage_dir": "/stage", "wal_archive": "/archive",
}  # fmt: skip
ROLE = {"restore_user": "dsi_restore", "restore_password": {"env": "SECRET"}}


def planned(wish: Wish, **job: Any) -> Decided:
    one = replace(stored(1, job="sydam"), kind="postgresql")
    one = replace(one, made=replace(one.made, details={"dsi_repository": "bases"}))
    plan = BackupPlan.model_validate(
        {"repositories": {"bases": {"url": "/r", "password": {"env": "SECRET"}}}, "backups": {"sydam": JOB | job}}
    )
    catalogue = Catalogue({one.id: one}, frozenset(), (), (), (), {}, {one.id: START})
    world = World(plan, BackupSettings(), catalogue, START)
    there = RepositoryFacts(
        exists=True, id=one.made.repository, snapshots=(Snapshot(one.made.snapshot, START, "db1", (), ()),)
    )
    return decide("sydam", wish, BackupFacts(there), world, None)


def test_one_database_goes_back_in_place_where_the_inventory_names_a_role_for_it() -> None:
    decided = planned(Wish(in_place=True, database="sydam"), **ROLE)
    assert decided.blockers == []
    (action,) = decided.actions
    assert action.kind == "restore_in_place"
    assert "IN PLACE" in action.title.render("en")
    assert "kept" in action.reason.render("en")
    order = order_of(action)
    assert (order.destination, order.database, order.overwrite) == (None, "sydam", True)


@pytest.mark.parametrize(
    ("wish", "job", "told"),
    [
        (Wish(in_place=True, database="sydam"), {}, "restore_user"),
        (Wish(in_place=True), ROLE, "DBA"),
    ],
)
def test_what_cannot_go_back_in_place_is_told_before_anybody_approves_it(
    wish: Wish, job: dict[str, Any], told: str
) -> None:
    assert [told in blocker.next_step.render("en") for blocker in planned(wish, **job).blockers] == [True]


def test_a_password_without_a_role_is_refused() -> None:
    with pytest.raises(ValidationError, match="restore_user"):
        planned(Wish(), restore_password=ROLE["restore_password"])
