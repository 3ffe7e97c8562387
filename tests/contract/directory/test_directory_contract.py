"""What a directory promises to operations, on the one in memory and on a real Active Directory (Samba) alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from dsi_automation.connectors.directory.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BindRefusedError,
    NotFoundError,
)
from dsi_automation.core.errors import GateClosedError, UsageError

HOSTILE = ["*", "*)(objectClass=*", "a\\", " ", "#", 'x"y', "é’漢😀", "n" * 10_240, "DC1$", "dc1)(|(cn=*"]


def test_a_created_computer_is_found_by_name_disabled_and_where_it_was_asked_for(place):
    made = place.writer().create_computer(place.name(), place.abj, description="Demande 12, « été »")
    assert (made.name, made.enabled, made.dns_name) == (place.name(), False, None)
    assert made.description == "Demande 12, « été »"
    assert made.dn.lower() == f"cn={place.name()},{place.abj}".lower()
    assert made.sid.startswith("S-1-5-21-")
    assert place.reader().computer(place.name().lower()) == made
    assert place.look(place.name()) == made.dn


def test_a_computer_nobody_made_is_none(place):
    assert place.reader().computer(place.name()) is None


def test_a_name_that_exists_elsewhere_is_not_created_twice_and_its_place_is_said(place):
    made = place.writer().create_computer(place.name(), place.abj)
    with pytest.raises(AlreadyExistsError) as caught:
        place.writer().create_computer(place.name(), place.spy)
    assert caught.value.detail["dn"] == made.dn
    assert place.look(place.name()) == made.dn


def test_nothing_is_created_in_an_absent_unit_which_is_named(place):
    with pytest.raises(NotFoundError) as caught:
        place.writer().create_computer(place.name(), f"OU=Absente,{place.abj}")
    assert caught.value.on == f"OU=Absente,{place.abj}"
    assert place.look(place.name()) is None


@pytest.mark.parametrize("name", ["X" * 16, "12345", "a,OU=Domain Controllers", "POSTÉ", "a b", "", "a\0"])
def test_a_name_that_windows_would_refuse_is_not_sent(place, name):
    with pytest.raises(UsageError):
        place.writer().create_computer(name, place.abj)


def test_nothing_is_created_where_a_container_of_that_name_is(place):
    place.occupy(place.name(), place.abj)
    with pytest.raises(AlreadyExistsError):
        place.writer().create_computer(place.name(), place.abj)


def test_a_move_keeps_guid_and_sid_and_answers_the_new_place(place):
    made = place.writer().create_computer(place.name(), place.abj)
    new = place.writer().move(made.dn, place.spy)
    found = place.reader().computer(place.name())
    assert (found.guid, found.sid, found.dn) == (made.guid, made.sid, new)
    assert place.look(place.name()) == new
    assert new.lower() == f"cn={place.name()},{place.spy}".lower()


def test_a_move_to_where_it_is_already_changes_nothing(place):
    made = place.writer().create_computer(place.name(), place.abj)
    assert place.writer().move(made.dn.lower(), place.abj.upper()) == made.dn
    assert place.reader().computer(place.name()) == made


def test_a_move_into_an_absent_unit_leaves_the_object_and_names_the_unit(place):
    made = place.writer().create_computer(place.name(), place.abj)
    with pytest.raises(NotFoundError) as caught:
        place.writer().move(made.dn, f"OU=Absente,{place.spy}")
    assert caught.value.on == f"OU=Absente,{place.spy}"
    assert place.look(place.name()) == made.dn


def test_a_move_by_an_old_place_says_that_it_is_no_longer_there(place):
    made = place.writer().create_computer(place.name(), place.abj)
    new = place.writer().move(made.dn, place.spy)
    with pytest.raises(NotFoundError) as caught:
        place.writer().move(made.dn, place.spy)
    assert caught.value.on == made.dn
    assert place.look(place.name()) == new


def test_a_move_onto_another_object_of_that_name_is_refused(place):
    made = place.writer().create_computer(place.name(), place.abj)
    place.occupy(place.name(), place.spy)
    with pytest.raises(AlreadyExistsError):
        place.writer().move(made.dn, place.spy)
    assert place.look(place.name()) == made.dn


def test_an_account_without_the_right_is_told_so_and_nothing_changes(place):
    made = place.writer().create_computer(place.name(1), place.abj)
    with pytest.raises(AccessDeniedError):
        place.writer("svc-lecture").create_computer(place.name(2), place.abj)
    with pytest.raises(AccessDeniedError):
        place.writer("svc-lecture").move(made.dn, place.spy)
    with pytest.raises(AccessDeniedError):
        place.writer().create_computer(place.name(3), place.reader().base_dn)
    assert [place.look(place.name(number)) for number in (1, 2, 3)] == [made.dn, None, None]


def test_nothing_is_written_once_the_permit_says_no(place, closed_permit):
    made = place.writer().create_computer(place.name(1), place.abj)
    writer = place.writer(permit=closed_permit, target="ws5")
    with pytest.raises(GateClosedError):
        writer.create_computer(place.name(2), place.abj)
    with pytest.raises(GateClosedError):
        writer.move(made.dn, place.spy)
    assert [place.look(place.name(number)) for number in (1, 2)] == [made.dn, None]
    assert closed_permit.asked == ["ws5", "ws5"]


def test_the_permit_is_asked_about_the_target_of_the_inventory_when_one_is_given(place):
    writer = place.writer()
    made = writer.create_computer(place.name(), place.abj)
    assert set(place.permit.asked) == {place.name()}
    place.permit.asked.clear()
    writer.for_target("ws5").move(made.dn, place.spy)
    assert set(place.permit.asked) == {"ws5"}


def test_computers_are_listed_by_prefix_in_the_order_of_their_names(place):
    writer = place.writer()
    for number in (3, 1, 2):
        writer.create_computer(place.name(number), place.spy if number == 2 else place.abj)
    found = place.reader().computers(place.prefix.lower())
    assert [one.name for one in found] == [place.name(number) for number in (1, 2, 3)]
    assert set(found) <= set(place.reader().computers())


@pytest.mark.parametrize("login", ["awa.kone", "AWA.KONE", "awa.kone@douanes.lab"])
def test_a_user_is_found_by_account_and_by_principal_name(place, login):
    user = place.reader().user(login)
    assert (user.login, "KONÉ" in user.display_name, user.enabled) == ("awa.kone", True, True)
    assert user.sid.startswith("S-1-5-21-")


def test_a_user_nobody_knows_is_none(place):
    assert place.reader().user(f"{place.prefix}nobody") is None


def test_an_organisational_unit_exists_or_not(place):
    reader = place.reader()
    assert reader.exists(place.abj)
    assert reader.exists(place.abj.lower().replace(",", ", "))
    assert not reader.exists(f"OU=Absente,{place.abj}")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_only_a_name_nobody_has(place, value):
    reader = place.reader()
    assert reader.computer(value) is None
    assert reader.user(value) is None
    assert reader.computers(value) == []


@pytest.mark.parametrize("value", ["a\0", "a\nb", "\x7f", "\ud800"])
def test_control_characters_are_refused(place, value):
    for ask in (place.reader().computer, place.reader().computers, place.reader().user, place.reader().exists):
        with pytest.raises(UsageError):
            ask(value)


def test_a_place_in_another_domain_is_refused_before_it_is_asked_for(place):
    elsewhere = "OU=Postes,DC=autre,DC=example"
    with pytest.raises(UsageError):
        place.reader().exists(elsewhere)
    with pytest.raises(UsageError):
        place.writer().create_computer(place.name(), elsewhere)
    with pytest.raises(UsageError):
        place.writer().move(f"CN={place.name()},{elsewhere}", place.abj)


def test_what_is_not_a_distinguished_name_is_refused(place):
    with pytest.raises(UsageError):
        place.reader().exists("Postes")
    with pytest.raises(UsageError):
        place.writer().create_computer(place.name(), "Postes")


def test_a_wrong_password_is_told_with_the_reason_and_without_the_password(place):
    with pytest.raises(BindRefusedError) as caught:
        place.reader(password="canari-Tr0p-faux").user("awa.kone")
    assert caught.value.sub_code == "52e"
    assert "canari" not in repr(caught.value) + str(caught.value) + str(caught.value.to_json())


@pytest.mark.parametrize("sub_code", ["533", "773"])
def test_a_right_password_that_is_not_enough_is_told_from_a_wrong_one(place, sub_code):
    with pytest.raises(BindRefusedError) as caught:
        place.reader(sub_code).user("awa.kone")
    assert caught.value.sub_code == sub_code


def test_one_reader_serves_many_threads(place):
    reader, writer = place.reader(), place.writer()
    made = [writer.create_computer(place.name(number), place.abj) for number in range(4)]
    wanted = [place.name(number % 4) for number in range(80)]
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(reader.computer, wanted))
    assert found == [made[number % 4] for number in range(80)]
