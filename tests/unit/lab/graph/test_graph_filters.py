"""`$filter` by itself: an index finds whom a walk through everybody finds, and no text breaks the reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.lab.graph.errors import GraphError
from dsi_automation.lab.graph.filters import lookups, matches, parse
from dsi_automation.lab.graph.store import INDEXED, Store


class Still:
    def now(self):
        raise AssertionError("nothing here depends on time")


VALUES = st.sampled_from(["a", "B", "b'c", "é", "100"])
EQ = st.builds(
    lambda name, value: "{} eq '{}'".format(name, value.replace("'", "''")),
    st.sampled_from(["mail", "employeeId", "userPrincipalName"]),
    VALUES,
)
ANY = VALUES.map(lambda value: "proxyAddresses/any(x:x eq 'smtp:{}')".format(value.replace("'", "''")))
IN = st.lists(VALUES, min_size=1, max_size=4).map(
    lambda values: "employeeId in ({})".format(",".join("'" + value.replace("'", "''") + "'" for value in values))
)
FILTERS = st.recursive(
    st.one_of(EQ, ANY, IN, st.just("accountEnabled eq true"), st.just("startswith(mail,'b')")),
    lambda inner: st.builds(
        lambda left, operator, right: f"({left}) {operator} ({right})", inner, st.sampled_from(["and", "or"]), inner
    ),
    max_leaves=6,
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "mail": VALUES,
            "employeeId": VALUES,
            "userPrincipalName": VALUES,
            "accountEnabled": st.booleans(),
            "proxyAddresses": st.lists(VALUES.map(lambda value: f"SMTP:{value}"), max_size=2),
        }
    ),
    max_size=6,
)


@given(FILTERS, PEOPLE)
def test_the_index_finds_whom_a_walk_finds(text, people):
    store = Store(Still())
    for number, row in enumerate(people):
        store.add("user", str(number), row)
    node = parse(text)
    walked = {entry.id for entry in store.live("user") if matches(node, entry.props)}
    keys = lookups(node, INDEXED)
    if keys is not None:
        looked_up = {entry.id for name, value in keys for entry in store.find(name, value)}
        assert walked <= looked_up
    assert walked == {entry.id for entry in store.live("user") if matches(parse(f"({text})"), entry.props)}


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text):
    try:
        understood = parse(text)
    except GraphError:
        understood = None
    assert understood is None or text.strip()


@pytest.mark.parametrize("text", ["", "x", "a eq", "a eq 'b", "a in ()", "a/any(x:)", "a eq 'b' and", "(a eq 1", "and"])
def test_half_a_filter_is_refused(text):
    with pytest.raises(GraphError):
        parse(text)


def test_a_quote_is_doubled():
    assert matches(parse("surname eq 'N''Guessan'"), {"surname": "n'guessan"})


def test_what_is_no_text_is_compared_as_itself():
    row = {"accountEnabled": True, "assignedLicenses": [{"skuId": "18181a46-0d4e-45cd-891e-60aabd171b4e"}]}
    assert matches(parse("accountEnabled eq true and assignedLicenses/$count eq 1"), row)
    assert matches(parse("assignedLicenses/any(l:l/skuId eq 18181a46-0d4e-45cd-891e-60aabd171b4e)"), row)
    assert not matches(parse("mail ge 'a'"), {"mail": None})
