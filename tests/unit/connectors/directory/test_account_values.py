"""Moments, flags and addresses of accounts, at their edges."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.directory import account_records as records
from dsi_automation.connectors.directory import account_values as values
from dsi_automation.connectors.directory.accounts import NewAccount
from dsi_automation.core.errors import UsageError


def new(**changes):
    given_ = {
        "ou": "OU=Utilisateurs,DC=x",
        "name": "KONÉ Awa 100001A",
        "login": "100001a",
        "address": "awa.kone@douanes.lab",
        "staff_number": "100001A",
        "display_name": "KONÉ Awa",
        "surname": "KONÉ",
        "given_name": "Awa",
        "mark": "dsi mailbox.create",
    }
    return NewAccount(**{**given_, **changes})


@pytest.mark.parametrize("value", [None, "0", str(records.NEVER), str(2**63 - 1), "-1"])
def test_a_filetime_that_stands_for_never_is_no_moment(value):
    assert records.filetime(value) is None


def test_a_filetime_counts_tenths_of_microseconds_from_1601():
    assert records.filetime("134081568000000000") == datetime(2025, 11, 21, tzinfo=UTC)
    assert records.filetime("116444736000000000") == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_generalized_time_is_utc():
    assert records.generalized("20261121193005.0Z") == datetime(2026, 11, 21, 19, 30, 5, tzinfo=UTC)
    assert records.generalized(None) is None


@pytest.mark.parametrize(("before", "after"), [(514, 512), (546, 512), (66050, 512), (512, 512), (0x40202, 0x40200)])
def test_enabling_takes_away_what_must_not_stay_and_keeps_the_rest(before, after):
    assert records.enabled_flags(before) == after


def test_the_immutable_id_is_the_base64_of_the_octets_in_windows_order():
    assert values.immutable_id("00112233-4455-6677-8899-aabbccddeeff") == "MyIRAFVEd2aImaq7zN3u/w=="


@given(st.uuids())
def test_a_guid_is_kept_in_one_spelling(guid: uuid.UUID):
    assert values.guid_checked(f"{{{guid}}}".upper()) == str(guid)


def test_the_primary_address_comes_first_and_no_address_comes_twice():
    account = new(other_addresses=("A@douanes.lab", "a@douanes.lab", "AWA.KONE@douanes.lab"))
    assert values.proxies(account) == ("SMTP:awa.kone@douanes.lab", "smtp:a@douanes.lab")


def test_nothing_is_sent_for_what_is_not_there_and_the_password_never():
    sent = records.attributes_of(new(given_name=None), mail_nickname=False)
    assert sent["userAccountControl"] == 514
    assert not {"givenName", "telephoneNumber", "mailNickname", "unicodePwd", "pwdLastSet"} & set(sent)
    assert records.attributes_of(new(), mail_nickname=True)["mailNickname"] == "awa.kone"


@given(st.text(st.characters(max_codepoint=255), max_size=6) | st.text("abc .-_'@é", max_size=24))
def test_a_login_that_is_accepted_is_short_plain_and_holds_nothing_windows_refuses(login):
    try:
        values.account_checked(new(login=login))
    except UsageError:
        return
    assert 0 < len(login) <= 20
    assert login.isascii()
    assert not set(login) & set('"/\\[]:;|=,+*?<>@\n\0')
    assert login[0] not in " ."
    assert login[-1] not in " ."
