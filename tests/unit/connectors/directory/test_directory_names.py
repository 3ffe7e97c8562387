"""Hostile values stay data in names and filters."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ldap3.operation.search import compile_filter, parse_filter
from ldap3.utils.dn import parse_dn

from dsi_automation.connectors.directory import names
from dsi_automation.core.errors import UsageError

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
HOSTILE = (
    "*)(objectClass=*",
    'a"b',
    "a\\",
    "\\2a",
    "a\\ ",
    " lead",
    "trail ",
    "   ",
    " ",
    "#hash",
    "a,OU=Domain Controllers",
    "a+b=c;d<e>",
    "(((",
    "é’ñ漢字😀",
    "\u202egpj",
    "\u00a0",
    "n" * 10_240,
)


def hostile(test):
    for value in HOSTILE:
        test = example(value)(test)
    return test


def assertion(filter_):
    """Return the one assertion of an equality filter, as ldap3 would send it."""
    compiled = compile_filter(parse_filter(filter_, None, True, True, None, False).elements[0])
    match = compiled["equalityMatch"]
    return bytes(match["attributeDesc"]).decode(), bytes(match["assertionValue"])


@hostile
@given(PRINTABLE)
def test_a_value_in_a_filter_is_one_assertion_with_exactly_that_value(value):
    assert assertion(f"(cn={names.filter_value(value)})") == ("cn", value.encode())


@hostile
@given(PRINTABLE)
def test_a_value_in_a_dn_is_one_component_with_exactly_that_value(value):
    dn = f"CN={names.rdn_value(value)},OU=Postes,DC=douanes,DC=lab"
    assert names.leaf(dn) == value
    assert names.same_dn(names.parent(dn), "ou=POSTES, dc=Douanes ,DC=lab")
    assert len(names.key(dn)) == 4


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1, max_size=30))
def test_ldap3_sees_the_same_components_in_an_escaped_dn(value):
    parts = parse_dn(f"CN={names.rdn_value(value)},DC=lab", escape=False, strip=False)
    assert [(attribute, separator) for attribute, _, separator in parts] == [("CN", ","), ("DC", "")]


@pytest.mark.parametrize("value", ["a\0b", "a\nb", "\x7f", "\x85", "tab\t", "\ud800"])
@pytest.mark.parametrize("escape", [names.filter_value, names.rdn_value, names.dn_checked])
def test_control_characters_and_lone_surrogates_are_refused_before_anything_is_sent(escape, value):
    with pytest.raises(UsageError) as caught:
        escape(f"CN={value}")
    assert not any(ord(character) < 32 for character in str(caught.value))


@given(st.text(max_size=40))
def test_any_text_is_a_dn_or_a_usage_error_never_something_else(text):
    try:
        names.dn_checked(text)
        accepted = True
    except UsageError:
        accepted = False
    assert accepted in {True, False}


@pytest.mark.parametrize("dn", ["garbage", "CN=", "=x", "CN=a,,DC=b", "C N=a", "CN=a,"])
def test_what_is_not_a_dn_is_refused(dn):
    with pytest.raises(UsageError):
        names.dn_checked(dn)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CN=A,OU=b", "cn=a, ou=B", True),
        (r"CN=a\2cb,DC=x", r"CN=a\,b,DC=x", True),
        (r"CN=\c3\a9t\C3\A9,DC=x", "CN=été,DC=x", True),
        (r"CN=a\20,DC=x", "CN=a ,DC=x", False),
        (r"CN=a\ ,DC=x", r"CN=a\20,DC=x", True),
        ("CN=a,DC=x", "CN=a,DC=y", False),
    ],
)
def test_two_spellings_of_one_place_are_the_same(one, other, same):
    assert names.same_dn(one, other) is same


@pytest.mark.parametrize("name", ["ABJ-PC-0001", "A", "desktop-7f3k2q1", "1A", "X" * 15])
def test_a_name_that_windows_takes_is_taken(name):
    assert names.computer_name(name) == name


@pytest.mark.parametrize("name", ["", "X" * 16, "12345", "-PC", "PC-", "PC 1", "PC_1", "POSTÉ", "PC$", "PC\n", "PC.1"])
def test_a_name_that_windows_refuses_is_refused_here_for_samba_would_take_it(name):
    with pytest.raises(UsageError):
        names.computer_name(name)


def test_a_domain_gives_its_naming_context():
    assert names.base_dn("ad.douanes.lab") == "DC=ad,DC=douanes,DC=lab"
