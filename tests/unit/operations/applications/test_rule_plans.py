"""What loading a rule set takes: the difference in the plan, what is refused before anybody is asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.rules import RulesInputs
from dsi_automation.operations.applications.rules_file import RuleFileError, parse
from dsi_automation.operations.applications.rules_look import RulesFacts, Wish
from dsi_automation.operations.applications.rules_plan import MOST_SHOWN, decide
from dsi_automation.operations.applications.rules_table import RuleTable

RULE = RuleSet.model_validate(
    {
        "title": "Tarif", "application": "sydam", "table": "tarif", "key": ["code"],
        "columns": {"code": {}, "rate": {"type": "decimal"}}, "most_changed": 0.25,
    }
)  # fmt: skip
FILE = Wish("tarif", file="/data/tarif.csv")


def rules(rates: dict[str, Any]) -> RuleTable:
    return parse(("code;rate\n" + "".join(f"{code};{rate}\n" for code, rate in rates.items())).encode(), RULE, "f.csv")


def facts(before: RuleTable, after: RuleTable | None, problem: Any = None, *, noted: bool = True) -> RulesFacts:
    return RulesFacts(RULE, before, after, problem, noted, "20:00-23:00")


FOUR = {"a": 1, "b": 2, "c": 3, "d": 4}


def test_the_plan_binds_both_digests_and_shows_the_difference() -> None:
    before, after = rules(FOUR), rules({**FOUR, "a": 9, "e": 5})
    decided = decide("sydam", FILE, facts(before, after), None)
    (action,) = decided.actions
    assert (action.args["before"], action.args["after"]) == (before.digest, after.digest)
    assert (action.args["added"], action.args["changed"], action.args["removed"]) == (1, 1, 0)
    reason = action.reason.render("en").splitlines()
    assert reason[1:] == ["~ a: rate 1 → 9", "+ e;5"]
    assert decided.non_actions[0].kind == "caches"
    assert "20:00-23:00" in decided.non_actions[0].reason.render("fr")


def test_a_long_difference_is_cut_and_says_where_all_of_it_is() -> None:
    many = {f"{number:03}": 1 for number in range(100)}
    (action,) = decide("sydam", FILE, facts(rules(FOUR), rules({**FOUR, **many})), None).actions
    reason = action.reason.render("en").splitlines()
    assert len(reason) == 1 + MOST_SHOWN + 1
    assert reason[-1] == "… and 80 more lines: dsi rules diff tarif /data/tarif.csv"


def test_what_is_there_already_is_left() -> None:
    decided = decide("sydam", FILE, facts(rules(FOUR), rules(FOUR)), None)
    assert (decided.actions, [item.kind for item in decided.non_actions]) == ([], ["load"])


def test_a_file_that_would_change_more_than_the_site_allows_is_refused_but_putting_back_is_not() -> None:
    before, after = rules(FOUR), rules({"a": 9, "b": 9, "c": 3, "d": 4})
    decided = decide("sydam", FILE, facts(before, after), None)
    assert "50%" in decided.blockers[0].reason.render("en")
    assert decide("sydam", Wish("tarif", back=True), facts(before, after), None).blockers == []


def test_rows_that_are_only_added_are_never_too_many() -> None:
    assert decide("sydam", FILE, facts(rules({"a": 1}), rules(FOUR)), None).blockers == []


def test_a_file_that_does_not_fit_blocks_as_not_compliant_and_in_a_run_as_a_changed_world() -> None:
    with pytest.raises(RuleFileError) as caught:
        parse(b"code\n", RULE, "f.csv")
    found = facts(rules(FOUR), None, caught.value)
    assert decide("sydam", FILE, found, None).blockers[0].exit_code is ExitCode.NOT_COMPLIANT
    approved = approved_action()
    assert decide("sydam", FILE, found, approved).blockers[0].exit_code is ExitCode.WORLD_CHANGED


def approved_action() -> Action:
    return decide("sydam", FILE, facts(rules(FOUR), rules({**FOUR, "e": 5})), None).actions[0]


def test_a_run_killed_after_its_commit_has_only_its_note_left_to_write() -> None:
    approved, after = approved_action(), rules({**FOUR, "e": 5})
    assert decide("sydam", FILE, facts(after, after, noted=False), approved).actions == [approved]
    assert decide("sydam", FILE, facts(after, after, noted=True), approved).actions == []


def test_a_former_set_that_means_another_one_by_now_does_not_undo_what_was_done() -> None:
    approved, after = approved_action(), rules({**FOUR, "e": 5})
    decided = decide("sydam", Wish("tarif", back=True), facts(after, rules(FOUR), noted=True), approved)
    assert decided.actions == []


@pytest.mark.parametrize("given", [{}, {"file": "a.csv", "back": True}, {"back": True, "sha256": "0" * 64}])
def test_there_is_one_way_to_say_what_is_wanted(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RulesInputs(rules="tarif", **given)


def test_a_file_is_remembered_by_its_whole_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert RulesInputs(rules="tarif", file="t.csv").file == str(tmp_path / "t.csv")
