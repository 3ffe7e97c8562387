"""Files of rules: one canonical form whatever the spelling, every problem told at once, differences that add up."""

import csv
import io
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.inventory.rule_model import RuleColumn, RuleSet
from dsi_automation.operations.applications.rules_file import MOST_TOLD, RuleFileError, parse, parse_kept, read_file
from dsi_automation.operations.applications.rules_table import (
    RuleTable,
    applied,
    csv_of,
    difference,
    from_database,
    lines,
    table,
)
from dsi_automation.operations.applications.rules_values import stored

COLUMNS: dict[str, Any] = {
    "code": {"pattern": r"\d{4}\.\d{2}"},
    "label": {"required": False},
    "rate": {"type": "decimal", "minimum": 0, "maximum": 100, "digits": 2},
    "since": {"type": "date"},
    "active": {"type": "boolean"},
}


def rule_set(**changes: Any) -> RuleSet:
    return RuleSet.model_validate(
        {"title": "Tarif", "application": "sydam", "table": "sydam.tarif", "key": ["code"], "columns": COLUMNS}
        | changes
    )


RULE = rule_set()
HEADER = "code;label;rate;since;active\n"
GOOD = HEADER + "0101.21;Chevaux;5;2026-01-01;oui\n0102.29;;7,50;2026-01-01;non\n"

letters = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
decimals = st.decimals(min_value=0, max_value=100, places=2)


@st.composite
def tables(draw: st.DrawFn) -> RuleTable:
    codes = draw(st.lists(st.from_regex(r"[0-9]{4}\.[0-9]{2}", fullmatch=True), unique=True, max_size=8))
    rows = [
        (
            code,
            stored(draw(letters), RuleColumn()),
            stored(str(draw(decimals)), RuleColumn(type="decimal")),
            str(draw(st.dates())),
            draw(st.sampled_from(["true", "false"])),
        )
        for code in codes
    ]
    return table(RULE, rows)


@given(tables(), tables())
def test_a_difference_applied_to_the_one_table_gives_the_other(before: RuleTable, after: RuleTable) -> None:
    change = difference(before, after)
    assert applied(before, change).digest == after.digest
    assert bool(change) == (before.digest != after.digest)
    assert len(list(lines(change))) == len(change.added) + len(change.changed) + len(change.removed)


@given(tables())
def test_what_is_kept_is_read_back_as_it_was(held: RuleTable) -> None:
    rule = rule_set()
    if not held.rows:
        with pytest.raises(RuleFileError):
            parse_kept(held.content, rule, held.digest)
        return
    assert parse_kept(held.content, rule, held.digest).digest == held.digest


@given(tables(), st.randoms(use_true_random=False))
def test_neither_order_nor_spelling_changes_the_digest(held: RuleTable, chance: random.Random) -> None:
    """Rows shuffled, columns in another order, numbers with zeros, commas and plus signs, booleans in French."""
    rows = [list(row) for row in held.rows.values() if row[1] is None or row[1] == row[1].strip()]
    plain = table(RULE, [tuple(row) for row in rows])
    names = list(RULE.columns)
    order = chance.sample(names, len(names))
    written = []
    for row in chance.sample(rows, len(rows)):
        value = dict(zip(names, row, strict=True))
        number = f"{Decimal(str(value['rate'])):.2f}"
        value["rate"] = chance.choice([number, number.replace(".", ","), f"+0{number}", f" {number} "])
        value["active"] = chance.choice(["oui", "1", "VRAI"] if value["active"] == "true" else ["non", "0", "faux"])
        written.append([value[name] for name in order])
    file = chance.choice(["", "\ufeff"]) + csv_of(order, written)
    if not rows:
        return
    from_file, from_table = parse(file.encode(), RULE, "f.csv"), table(RULE, plain.rows.values())
    normalised = parse(from_file.content, RULE, "f.csv")
    assert from_file.digest == normalised.digest
    if all(row[1] is None or row[1].isascii() for row in rows):  # beyond ASCII, the file's text becomes NFC
        assert from_file.digest == from_table.digest


def test_the_database_s_spelling_is_the_file_s() -> None:
    rows = [("0102.29", None, "7.50", "2026-01-01", "f"), ("0101.21", "Chevaux", "5.00", "2026-01-01", "true")]
    assert from_database(RULE, rows).digest == parse(GOOD.encode(), RULE, "f.csv").digest


def test_every_problem_is_told_at_once_with_its_line_and_column() -> None:
    bad = (
        HEADER
        + "0101.21;Chevaux;5;2026-01-01;oui\n"
        + "x;Mulets;cinq;2026-02-30;peut-être\n"
        + "0101.21;Ânes;-1;2026-01-01;oui\n"
        + "0104.10;Ovins;5\n"
        + ";Caprins;101;2026-01-01;oui\n"
        + "0105.11;Volailles;5.125;2026-01-01;oui\n"
    )
    with pytest.raises(RuleFileError) as caught:
        parse(bad.encode(), RULE, "tarif.csv")
    found = [(item["line"], item["column"]) for item in caught.value.detail["problems"]]
    assert found == [
        (3, "code"), (3, "rate"), (3, "since"), (3, "active"), (4, "rate"), (5, None), (6, "code"), (6, "rate"),
        (7, "rate"),
    ]  # fmt: skip
    assert caught.value.exit_code == 5
    assert "tarif.csv" in str(caught.value.what)


def test_a_key_that_comes_twice_names_both_lines() -> None:
    with pytest.raises(RuleFileError) as caught:
        parse((GOOD + "0101.21;Autre;1;2026-01-01;oui\n").encode(), RULE, "f.csv")
    (problem,) = caught.value.detail["problems"]
    assert (problem["line"], problem["column"]) == (4, "code")
    assert "2" in problem["problem"]


def test_of_many_problems_fifty_are_told_and_the_others_counted() -> None:
    bad = HEADER + "".join(f"{number:04}.00;x;non;2026-01-01;oui\n" for number in range(80))
    with pytest.raises(RuleFileError) as caught:
        parse(bad.encode(), RULE, "f.csv")
    assert len(caught.value.detail["problems"]) == MOST_TOLD
    assert caught.value.detail["count"] == 80
    assert caught.value.what.render("en").endswith("and 30 more")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.replace("Chevaux", "Ânes").encode("cp1252"), "line 2"),
        (GOOD.replace(";", ",").encode(), "separated by"),
        (b"", "missing"),
        (HEADER.encode(), "0 rows"),
        (GOOD.replace("label", "libelle").encode(), "libelle"),
        (GOOD.replace("Chevaux", '"Chevaux').encode(), "quotation"),
        (GOOD.replace("Chevaux", "Che\0vaux").encode(), "NUL"),
    ],
)
def test_a_file_that_cannot_be_read_as_rules_says_why(content: bytes, told: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        parse(content, rule_set(minimum_rows=2), "f.csv")
    assert told in caught.value.what.render("en")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match=r"absent\.csv"):
        read_file(tmp_path / "absent.csv", RULE)


def test_a_byte_order_mark_and_line_breaks_of_windows_are_no_part_of_the_rules() -> None:
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert parse(windows, RULE, "f.csv").digest == parse(GOOD.encode(), RULE, "f.csv").digest


def test_the_canonical_form_is_plain_csv() -> None:
    held = parse(GOOD.encode(), RULE, "f.csv")
    rows = list(csv.DictReader(io.StringIO(held.content.decode()), delimiter=";"))
    assert [row["rate"] for row in rows] == ["5", "7.5"]
    assert rows[1] == {"code": "0102.29", "label": "", "rate": "7.5", "since": "2026-01-01", "active": "false"}
