"""The WQL of the simulated workstations: what is accepted, what is refused, what matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.lab.windows.wql import InvalidQueryError, parse

ROW = {"name": "Spooler", "size": 42, "loaded": True, "path": "C:\\Users\\O'Neil", "nothing": None}


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ("Name = 'Spooler'", True),
        ("name = 'SPOOLER'", True),
        ("Name != 'Spooler'", False),
        ("Name <> 'other'", True),
        ("Size > 41 and Size <= 42", True),
        ("Size < 42 or Loaded = TRUE", True),
        ("Loaded = FALSE", False),
        ("not Loaded = FALSE", True),
        ("Path = 'C:\\\\Users\\\\O\\'Neil'", True),
        ('Path = "C:\\\\Users\\\\O\'Neil"', True),
        ("Name like 'Sp%'", True),
        ("Name like '_pooler'", True),
        ("Name like 'S[a-p]ooler'", True),
        ("Name like 'S[^a-p]ooler'", False),
        ("Name like 'S.*'", False),
        ("Nothing is null", True),
        ("Nothing = NULL", True),
        ("Size is not null", True),
        ("Nothing > 3", False),
        ("(Size = 1 or Size = 42) and Name = 'spooler'", True),
    ],
)
def test_a_condition_matches_as_wmi_matches(condition, matches):
    assert parse(f"select * from Win32_X where {condition}").matches(ROW) is matches  # noqa: S608  # WQL, no database


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select",
        "select * from",
        "select Name Win32_X",
        "select Name, from Win32_X",
        "select * from Win32_X where",
        "select * from Win32_X where Name",
        "select * from Win32_X where Name = ",
        "select * from Win32_X where Name = Spooler",
        "select * from Win32_X where Name = 'open",
        "select * from Win32_X; select * from Win32_Y",
        "select * from Win32_X where (Name = 'a'",
        "associators of {Win32_X.Name='a'}",
        "update Win32_X set Name = 'a'",
    ],
)
def test_what_is_not_a_select_statement_is_refused(text):
    with pytest.raises(InvalidQueryError):
        parse(text)


def test_columns_class_and_properties_used_are_told():
    query = parse("SELECT Name, Size FROM Win32_X WHERE Loaded = TRUE")
    assert (query.columns, query.class_name, query.used) == (("Name", "Size"), "Win32_X", ("Loaded",))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_escaped_literal_stays_data_whatever_is_in_it(value):
    literal = value.replace("\\", "\\\\").replace("'", "\\'")
    query = parse(f"select * from Win32_X where Name = '{literal}'")  # noqa: S608  # WQL, no database
    assert query.matches({"name": value})
    assert not query.matches({"name": value + "x"})
