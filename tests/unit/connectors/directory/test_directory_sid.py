"""Identifiers read as Windows writes them."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.formatters.formatters import format_sid

from dsi_automation.connectors.directory.sid import guid_text, sid_octets, sid_text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("010100000000000512000000", "S-1-5-18"),
        ("01020000000000052000000020020000", "S-1-5-32-544"),
        ("0105000000000005150000004b1e9a9a7bc8d7ab2a713ef64f040000", "S-1-5-21-2593791563-2883045499-4131287338-1103"),
        ("0100ffffffffffff", "S-1-0xFFFFFFFFFFFF"),
    ],
)
def test_a_sid_reads_as_windows_writes_it(octets, text):
    assert sid_text(bytes.fromhex(octets)) == text
    assert sid_octets(text) == bytes.fromhex(octets)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15))
def test_any_sid_comes_back_the_same_and_as_ldap3_reads_it(authority, parts):
    text = "-".join(map(str, ["S-1", authority, *parts]))
    assert sid_text(sid_octets(text)) == text == format_sid(sid_octets(text))


@given(st.binary(max_size=80))
def test_octets_are_a_sid_or_a_value_error(octets):
    try:
        assert sid_octets(sid_text(octets)) == octets
    except ValueError:
        assert len(octets) < 8 or octets[0] != 1 or octets[1] > 15 or len(octets) != 8 + 4 * octets[1]


@pytest.mark.parametrize("text", ["S-1-5-4294967296", "S-1-5-x", "S-2-5-18", "X-1-5-18", "S-1-5" + "-1" * 16])
def test_what_is_no_sid_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # the value is the message
        sid_octets(text)


@given(st.uuids())
def test_a_guid_reads_as_windows_writes_it(guid: uuid.UUID):
    assert guid_text(guid.bytes_le) == str(guid)
