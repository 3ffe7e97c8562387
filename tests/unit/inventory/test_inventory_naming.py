import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dsi_automation.inventory.model import NamingRule
from dsi_automation.inventory.naming import NamesExhaustedError, matches, name_for, next_free, number_of

RULE = NamingRule(template="ABJ-PC-{number:04}")
rules = st.builds(
    lambda before, width, after, first: NamingRule(
        template=f"{before}{{number:0{width}}}{after}" if width else f"{before}{{number}}{after}", first=first
    ),
    before=st.from_regex(r"[A-Z][A-Z0-9-]{0,5}", fullmatch=True),
    width=st.integers(0, 5),
    after=st.from_regex(r"([A-Z0-9-]{0,2}[A-Z0-9])?", fullmatch=True),
    first=st.integers(0, 5),
)


@given(rules, st.integers(0, 9))
def test_a_name_made_by_the_rule_conforms_to_it_in_either_case(rule, more):
    name = name_for(rule, rule.first + more if more + rule.first <= 9 else rule.first)
    assert len(name) <= 15
    assert matches(rule, name)
    assert matches(rule, name.lower())
    assert name_for(rule, number_of(rule, name)) == name


@given(rules, st.sets(st.integers(0, 9)))
def test_the_next_name_is_the_lowest_one_that_nobody_has(rule, numbers):
    taken = {name_for(rule, number).lower() for number in numbers if number >= rule.first}
    try:
        name = next_free(rule, [*taken, "SRV-FILES", ""])
    except NamesExhaustedError:
        assert len(taken) == 10 - rule.first
        return
    assert name.lower() not in taken
    assert all(name_for(rule, n).lower() in taken for n in range(rule.first, number_of(rule, name)))


@given(st.text(max_size=20))
def test_any_text_is_judged_without_failing(name):
    assert matches(RULE, name) is (number_of(RULE, name) is not None)


@pytest.mark.parametrize(
    "name",
    ["DESKTOP-7F3K2Q1", "ABJ-PC-1", "ABJ-PC-00001", "ABJ-PC-0000", "ABJ-PC-10000", "ABJ-PC-٠٠٠١", "XABJ-PC-0001", ""],
)
def test_a_name_that_is_nearly_right_does_not_conform(name):
    assert not matches(RULE, name)


def test_when_all_numbers_are_taken_it_says_so():
    rule = NamingRule(template="A{number:01}", first=1)
    with pytest.raises(NamesExhaustedError) as raised:
        next_free(rule, [f"A{n}" for n in range(10)])
    assert "1" in str(raised.value)
    assert "9" in str(raised.value)


@pytest.mark.parametrize(
    "template",
    ["", "ABJ-PC", "{number}", "123-{number:04}", "-AB-{number}", "AB{number}-", "abj-{number}", "É-{number}",
     "{number}{number}A", "ABJDEFGHIJKL{number:04}", "A{}{number}", "A{number!r}", "A{number.__class__}", "A{other}"],
)  # fmt: skip
def test_a_template_that_would_give_impossible_names_is_refused(template):
    with pytest.raises(ValidationError):
        NamingRule(template=template)
