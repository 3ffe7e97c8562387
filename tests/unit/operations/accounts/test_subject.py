"""Who somebody is in both directories, however they are named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import USERS, Desk

from dsi_automation.core.errors import RefusedError, WorldChangedError
from dsi_automation.operations.accounts.subject import MARK, find, is_ours, required_account, required_user


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.add_ready("100001A", "awa.kone@douanes.lab")
    return desk


@pytest.mark.parametrize("name", ["100001A", "100001a", "awa.kone@douanes.lab", "AWA.KONE@douanes.lab"])
def test_staff_number_login_and_address_are_the_same_person(desk: Desk, name: str) -> None:
    subject = find(desk.look.accounts(), desk.look.tenant(), name)
    assert subject.account is not None
    assert subject.user is not None
    assert (subject.account.staff_number, subject.user.id) == ("100001A", "id-100001A")


def test_the_link_between_the_directories_is_believed_before_numbers_and_addresses(desk: Desk) -> None:
    record = desk.tenant_.records["id-100001A"]
    record.user = replace(record.user, upn="married@douanes.lab", mail="married@douanes.lab", staff_number=None)
    user = find(desk.look.accounts(), desk.look.tenant(), "100001A").user
    assert user is not None
    assert user.upn == "married@douanes.lab"


def test_nobody_is_nobody(desk: Desk) -> None:
    subject = find(desk.look.accounts(), desk.look.tenant(), "999999Z", "nobody@douanes.lab")
    assert (subject.account, subject.user) == (None, None)


def test_two_accounts_of_one_number_are_for_a_person_to_tell_apart(desk: Desk) -> None:
    desk.directory.add_account("other", USERS, staff_number="100001A")
    with pytest.raises(RefusedError) as caught:
        find(desk.look.accounts(), desk.look.tenant(), "100001A")
    assert len(caught.value.detail["candidates"]) == 2


def test_what_was_there_and_is_gone_is_a_changed_world(desk: Desk) -> None:
    with pytest.raises(WorldChangedError):
        required_account(desk.look.accounts(), "999999Z")
    with pytest.raises(WorldChangedError):
        required_user(desk.look.tenant(), None, "999999Z")


def test_an_account_is_ours_by_its_mark_and_its_number(desk: Desk) -> None:
    account, _ = desk.add_ready("100002B", "x@douanes.lab", mark=MARK)
    assert is_ours(account, "100002b")
    assert not is_ours(account, "100001A")
    assert not is_ours(replace(account, mark="dsi account.disable"), "100002B")
