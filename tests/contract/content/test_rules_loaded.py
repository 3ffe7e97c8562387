"""A rule set in a real database: loaded whole or not at all, kept, put back, and found again after a kill."""

from pathlib import Path
from typing import Any

import pytest
from shop import Shop

from dsi_automation.core.errors import DsiError, WorldChangedError
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.notes import RULES

NEW = ("0101.21;Chevaux;5,5;1;2026-01-01;oui", "0102.29;;7.5;;2026-01-01;non", "0104.10;Ovins;0.125;4;2026-12-01;oui")
LOADED = [("0101.21", "Chevaux", "5.500", 1), ("0102.29", None, "7.500", None), ("0104.10", "Ovins", "0.125", 4)]
BEFORE = [("0101.21", "Chevaux", "5.000", 1), ("0102.29", None, "7.500", None), ("0103.10", "Porcins", "10.000", 3)]


def loading(shop: Shop, **inputs: Any) -> str:
    return shop.approved("rules.update", rules="tarif", **(inputs or {"file": shop.file(*NEW)}))


def test_a_file_is_loaded_verified_noted_and_can_be_put_back(shop: Shop) -> None:
    run = shop.run(loading(shop))
    assert (run.exit_code, shop.tariff()) == (0, LOADED)
    (told,) = shop.noted(RULES)
    assert {key: told.data[key] for key in ("rules", "added", "changed", "removed")} == {
        "rules": "tarif", "added": 1, "changed": 1, "removed": 1
    }  # fmt: skip
    back = shop.run(loading(shop, back=True))
    assert (back.exit_code, shop.tariff()) == (0, BEFORE)
    again = shop.run(loading(shop, sha256=told.data["after"][:12]))
    assert (again.exit_code, shop.tariff()) == (0, LOADED)


def test_only_the_rows_that_differ_are_written(shop: Shop) -> None:
    before = dict(shop.sql("SELECT code, xmin::text FROM sydam.tarif"))
    assert shop.run(loading(shop)).exit_code == 0
    after = dict(shop.sql("SELECT code, xmin::text FROM sydam.tarif"))
    assert after["0102.29"] == before["0102.29"]
    assert after["0101.21"] != before["0101.21"]


def test_loading_what_is_there_is_nothing_to_do(shop: Shop) -> None:
    assert shop.run(loading(shop)).exit_code == 0
    plan = shop.plan("rules.update", rules="tarif", file=shop.file(*NEW))
    assert (plan.actions, plan.blockers) == ((), ())


@pytest.mark.parametrize("point", ["before keep", "committed", "before rules.updated", "after rules.updated"])
def test_a_run_killed_anywhere_ends_with_the_set_loaded_once_and_noted_once(shop: Shop, point: str) -> None:
    request = loading(shop)
    shop.die_at = [point]
    with pytest.raises(DsiError, match="Killed"):
        shop.run(request)
    assert shop.tariff() in (BEFORE, LOADED)
    run = shop.resumed()
    assert (run.exit_code, shop.tariff()) == (0, LOADED)
    assert len(shop.noted(RULES)) == 1


def test_a_file_that_changed_since_the_approval_loads_nothing(shop: Shop) -> None:
    request = loading(shop)
    shop.file(*NEW, "9999.99;Glissé;99;;2026-01-01;oui")
    with pytest.raises(WorldChangedError, match=r"tarif\.csv"):
        shop.run(request)
    assert shop.tariff() == BEFORE


def test_a_file_that_is_gone_at_the_run_loads_nothing_and_is_named(shop: Shop) -> None:
    request = loading(shop)
    Path(shop.root / "tarif.csv").unlink()
    run = shop.run(request)
    assert (run.exit_code, shop.tariff()) == (7, BEFORE)
    assert "tarif.csv" in run.errors["sydam"]["what"]


def test_a_table_that_somebody_changed_since_the_approval_is_left(shop: Shop) -> None:
    request = loading(shop)
    shop.sql("UPDATE sydam.tarif SET rate = 6 WHERE code = '0103.10'")
    with pytest.raises(WorldChangedError, match=r"sydam\.tarif"):
        shop.run(request)
    assert ("0103.10", "Porcins", "6.000", 3) in shop.tariff()


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        # numeric(7,3) rounds what dsi_rules would take.
        (("0105.11;Volailles;1.23456;;2026-01-01;oui",), "0105.11"),
        # varchar(20) is too short.
        (("0105.11.00.00.00.00.00.00.00;Volailles;1;;2026-01-01;oui",), "varying(20)"),
    ],
)
def test_what_the_database_would_not_keep_as_it_is_written_is_taken_back_whole(
    shop: Shop, prepare: tuple[str, ...], told: str
) -> None:
    run = shop.run(loading(shop, file=shop.file(*NEW, *prepare)))
    assert (run.exit_code != 0, shop.tariff()) == (True, BEFORE)
    assert told in str(run.errors["sydam"])
    assert shop.noted(RULES) == []


def test_a_question_of_the_inventory_that_is_not_answered_takes_all_of_it_back(shop: Shop) -> None:
    check = {"title": "Chevaux", "database": "x", "query": "SELECT rate FROM sydam.tarif WHERE code = '0101.21'",
             "equals": "5.000"}  # fmt: skip
    shop.rule = RuleSet.model_validate({**shop.rule.model_dump(), "checks": [check]})
    run = shop.run(loading(shop))
    assert (run.exit_code, shop.tariff()) == (6, BEFORE)


def test_a_table_changed_by_hand_has_no_former_set(shop: Shop) -> None:
    assert shop.run(loading(shop)).exit_code == 0
    shop.sql("UPDATE sydam.tarif SET rate = 6 WHERE code = '0104.10'")
    (blocker,) = shop.plan("rules.update", rules="tarif", back=True).blockers
    assert "dsi rules history tarif" in blocker.next_step.render("en")
