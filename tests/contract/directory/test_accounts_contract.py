"""What the directory promises about people's accounts, in memory and on a real Active Directory (Samba) alike."""

import base64
import uuid

import pytest

from dsi_automation.connectors.directory.accounts import PasswordState
from dsi_automation.connectors.directory.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    NotFoundError,
    PasswordRefusedError,
)
from dsi_automation.core.errors import GateClosedError, RefusedError, UsageError
from dsi_automation.core.secrets import Secret

HOSTILE = ["*", "*)(objectClass=*", "a\\", " ", "#", 'x"y', "é’漢😀", "n" * 10_240, "krbtgt)(|(cn=*", ""]


def test_a_new_account_is_disabled_without_a_password_and_is_found_by_everything_it_has(people):
    wanted = people.person(other_addresses=("Autre.Nom@douanes.lab",), phone="+2250700000000", description="Demande 12")
    made = people.writer().create_account(wanted)
    assert (made.enabled, made.must_change, made.never_expires, made.password_set_at) == (False, True, False, None)
    assert (made.login, made.upn, made.mail) == (wanted.login, wanted.address, wanted.address)
    assert set(made.proxy_addresses) == {f"SMTP:{wanted.address}", "smtp:autre.nom@douanes.lab"}
    assert (made.name, made.surname, made.given_name) == (wanted.name, wanted.surname, wanted.given_name)
    assert (made.mark, made.phone, made.description) == (wanted.mark, wanted.phone, wanted.description)
    assert made.immutable_id == base64.b64encode(uuid.UUID(made.guid).bytes_le).decode()
    reader = people.reader()
    number = wanted.staff_number.lower()
    assert reader.by_staff_number([number]) == {number: (made,)}
    asked = [wanted.login.upper(), wanted.address.upper(), "autre.nom@douanes.lab"]
    assert reader.by_name(asked) == dict.fromkeys(asked, (made,))
    assert reader.by_guid(made.guid.upper()) == made
    assert people.state_of(wanted.login) == (made.dn, False, True)


def test_who_has_no_first_name_has_none(people):
    assert people.made(given_name=None).given_name is None


def test_nobody_is_found_for_what_nobody_has_and_every_name_asked_is_a_key(people):
    reader, asked = people.reader(), [f"{people.prefix}9999", f"{people.prefix}9998"]
    assert reader.by_staff_number(asked) == reader.by_name(asked) == reader.holders(asked) == dict.fromkeys(asked, ())
    assert reader.by_guid(str(uuid.uuid4())) is None


@pytest.mark.parametrize("field", ["login", "address", "name"])
def test_login_address_and_name_in_the_unit_are_unique_and_a_clash_is_told(people, field):
    first = people.person(1)
    people.writer().create_account(first)
    with pytest.raises(AlreadyExistsError):
        people.made(2, **{field: getattr(first, field)})
    found = people.reader().by_staff_number([first.staff_number, people.person(2).staff_number])
    assert [len(one) for one in found.values()] == [1, 0]


def test_neither_mail_nor_proxy_addresses_nor_the_staff_number_are_unique(people):
    one, shared = people.person(1), f"{people.prefix.lower()}boite@douanes.lab"
    people.made(1, other_addresses=(shared,))
    people.made(2, other_addresses=(shared,), staff_number=one.staff_number)
    reader = people.reader()
    assert len(reader.by_staff_number([one.staff_number])[one.staff_number]) == 2
    assert len(reader.by_name([shared])[shared]) == len(reader.holders([shared])[shared]) == 2


def test_whoever_holds_an_address_is_found_whatever_it_is(people):
    person, shared = people.person(), f"{people.prefix.lower()}contact@douanes.lab"
    made = people.writer().create_account(person)
    people.contact(f"{people.prefix}C", shared)
    found = people.reader().holders([person.address.upper(), shared, f"x{shared}"])
    (user,), (contact,), nobody = found.values()
    assert (user.kind, user.guid, user.dn, user.staff_number) == ("user", made.guid, made.dn, person.staff_number)
    assert (user.name, user.surname) == (person.display_name, person.surname)
    assert (contact.kind, contact.name) == ("contact", f"{people.prefix}C")
    assert nobody == ()


def test_many_addresses_are_looked_for_in_few_operations(people):
    person = people.person()
    people.writer().create_account(person)
    asked = [f"{people.prefix.lower()}{number}@douanes.lab" for number in range(200)]
    reader = people.reader()
    reader.holders(asked[:1])
    before = reader.exchanges
    found = reader.holders([*asked, person.address])
    assert reader.exchanges - before <= 5
    assert {address for address, who in found.items() if who} == {person.address}


def test_nothing_is_created_in_an_absent_unit_which_is_named(people):
    with pytest.raises(NotFoundError) as caught:
        people.made(ou=f"OU=Absente,{people.abj}")
    assert caught.value.on == f"OU=Absente,{people.abj}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"login": "x" * 21},
        {"login": "éric"},
        {"login": "a@b"},
        {"login": ""},
        {"address": "éric@douanes.lab"},
        {"address": "a..b@douanes.lab"},
        {"address": "a b@douanes.lab"},
        {"address": f"{'a' * 65}@douanes.lab"},
        {"other_addresses": ("x",)},
        {"staff_number": "1" * 17},
        {"staff_number": ""},
        {"name": "n" * 65},
        {"name": "a\0b"},
        {"surname": "A\nB"},
        {"manager": "quelqu'un"},
        {"ou": "Utilisateurs"},
        {"ou": "OU=X,DC=autre,DC=example"},
    ],
)
def test_a_value_that_windows_or_entra_would_refuse_is_not_sent(people, wrong):
    with pytest.raises(UsageError):
        people.made(**wrong)
    assert people.reader().by_name([people.person().login]) == {people.person().login: ()}


def test_a_name_with_a_comma_a_quote_and_an_equals_sign_is_one_name(people):
    name = f'{people.prefix}A, "B" +=<c>;#\\d é’😀'
    assert people.made(name=name).name == name


def test_password_then_enabled_and_the_change_at_the_next_logon_can_be_seen_by_trying(people):
    made, writer, password = people.made(), people.writer(), people.password()
    writer.set_password(made.guid, password)
    reader = people.reader()
    assert reader.password_state(made.login, password) is PasswordState.DISABLED
    assert not reader.by_guid(made.guid).must_change
    writer.enable(made.guid)
    assert people.state_of(made.login) == (made.dn, True, True)
    assert reader.password_state(made.login, password) is PasswordState.MUST_CHANGE
    assert reader.password_state(made.upn, password) is PasswordState.MUST_CHANGE
    assert reader.password_state(made.login, people.password()) is PasswordState.WRONG


def test_a_password_may_be_set_again_and_then_is_good_until_a_change_is_required(people):
    made, writer, reader, password = people.made(), people.writer(), people.reader(), people.password()
    writer.set_password(made.guid, people.password())
    writer.enable(made.guid)
    writer.set_password(made.guid, password)
    assert reader.password_state(made.login, password) is PasswordState.GOOD
    writer.require_change(made.guid)
    assert reader.password_state(made.login, password) is PasswordState.MUST_CHANGE


def test_a_weak_password_is_refused_and_leaves_the_disabled_account_to_go_on_with(people):
    made, writer, password = people.made(), people.writer(), people.password()
    with pytest.raises(PasswordRefusedError) as caught:
        writer.set_password(made.guid, Secret("motdepasse-faible-canari"))
    assert "canari" not in repr(caught.value) + str(caught.value.to_json())
    assert people.state_of(made.login) == (made.dn, False, True)
    writer.set_password(made.guid, password)
    writer.enable(made.guid)
    assert people.reader().password_state(made.login, password) is PasswordState.MUST_CHANGE


def test_an_account_without_a_password_is_not_enabled(people):
    made = people.made()
    with pytest.raises(RefusedError):
        people.writer().enable(made.guid)
    assert people.state_of(made.login) == (made.dn, False, True)


@pytest.mark.parametrize("login", ["", "personne-de-ce-nom"])
def test_a_password_of_nobody_or_an_empty_one_is_wrong(people, login):
    assert people.reader().password_state(login, people.password()) is PasswordState.WRONG
    assert people.reader().password_state(people.made().login, Secret("")) is PasswordState.WRONG


def test_disabling_notes_why_and_keeps_the_rest(people):
    made, writer, password = people.made(), people.writer(), people.password()
    writer.set_password(made.guid, password)
    writer.enable(made.guid)
    writer.disable(made.guid, "dsi account.disable 2026-11-21T19:30:00.000Z")
    found = people.reader().by_guid(made.guid)
    assert (found.enabled, found.mark) == (False, "dsi account.disable 2026-11-21T19:30:00.000Z")
    assert (found.dn, found.mail, found.groups, found.must_change) == (made.dn, made.mail, made.groups, True)
    assert people.reader().password_state(made.login, password) is PasswordState.DISABLED


def test_a_move_keeps_everything_but_the_place_and_a_second_one_does_nothing(people):
    made, writer = people.made(), people.writer()
    new = writer.move(made.guid, people.leavers)
    found = people.reader().by_guid(made.guid)
    assert (found.dn, found.guid, found.login, found.mail) == (new, made.guid, made.login, made.mail)
    assert new.lower().endswith(people.leavers.lower())
    assert writer.move(made.guid, people.leavers.upper()) == new
    assert people.state_of(made.login)[0] == new


def test_an_account_that_somebody_moved_meanwhile_is_written_where_it_is(people):
    made, writer, password = people.made(), people.writer(), people.password()
    people.moved(made, people.spy)
    writer.set_password(made.guid, password)
    writer.enable(made.guid)
    writer.disable(made.guid, "vu")
    dn, enabled, _ = people.state_of(made.login)
    assert (dn.lower().endswith(people.spy.lower()), enabled) == (True, False)


def test_a_move_into_an_absent_unit_leaves_the_account_and_names_the_unit(people):
    made = people.made()
    with pytest.raises(NotFoundError) as caught:
        people.writer().move(made.guid, f"OU=Absente,{people.leavers}")
    assert caught.value.on == f"OU=Absente,{people.leavers}"
    assert people.state_of(made.login)[0] == made.dn


def test_a_move_onto_another_of_that_name_is_refused(people):
    made = people.made(1)
    people.made(2, ou=people.spy, name=made.name)
    with pytest.raises(AlreadyExistsError):
        people.writer().move(made.guid, people.spy)
    assert people.state_of(made.login)[0] == made.dn


def test_an_account_that_is_gone_is_said_to_be_absent(people):
    guid, writer = str(uuid.uuid4()), people.writer()
    writes = (
        lambda: writer.set_password(guid, people.password()),
        lambda: writer.enable(guid),
        lambda: writer.require_change(guid),
        lambda: writer.disable(guid, "x"),
        lambda: writer.move(guid, people.leavers),
    )
    for write in writes:
        with pytest.raises(NotFoundError) as caught:
            write()
        assert caught.value.on == guid


def test_an_account_without_the_right_is_told_so_and_nothing_changes(people):
    made, reading = people.made(), people.writer("svc-lecture")
    for write in (
        lambda: reading.create_account(people.person(2)),
        lambda: people.made(2, ou=people.closed),
        lambda: reading.disable(made.guid, "x"),
        lambda: reading.move(made.guid, people.spy),
        lambda: reading.set_password(made.guid, people.password()),
    ):
        with pytest.raises(AccessDeniedError):
            write()
    assert people.reader().by_guid(made.guid) == made
    assert people.reader().by_name([people.person(2).login]) == {people.person(2).login: ()}


def test_nothing_is_written_once_the_permit_says_no_which_is_asked_about_the_target(people, closed_permit):
    made = people.made()
    writer = people.writer(permit=closed_permit).for_target("481516A")
    for write in (
        lambda: writer.create_account(people.person(2)),
        lambda: writer.set_password(made.guid, people.password()),
        lambda: writer.enable(made.guid),
        lambda: writer.require_change(made.guid),
        lambda: writer.disable(made.guid, "x"),
        lambda: writer.move(made.guid, people.spy),
    ):
        with pytest.raises(GateClosedError):
            write()
    assert closed_permit.asked == ["481516A"] * 6
    assert people.reader().by_guid(made.guid) == made


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_only_a_name_nobody_has(people, value):
    reader = people.reader()
    for ask in (reader.by_staff_number, reader.by_name, reader.holders):
        assert ask([value]) == {value: ()}


@pytest.mark.parametrize("value", ["a\0", "a\nb", "\x7f", "\ud800"])
def test_control_characters_are_refused(people, value):
    reader = people.reader()
    for ask in (reader.by_staff_number, reader.by_name, reader.holders):
        with pytest.raises(UsageError):
            ask([value])
    with pytest.raises(UsageError):
        reader.password_state(value, people.password())


def test_what_is_no_guid_is_refused(people):
    with pytest.raises(UsageError):
        people.reader().by_guid(f"{uuid.uuid4()}>,{people.abj}")


def test_accounts_are_listed_below_a_unit_with_the_domains_own_left_out(people):
    made, elsewhere = people.made(1), people.made(2, ou=people.spy)
    reader = people.reader()
    guids = {one.guid for one in reader.all_accounts(people.abj)}
    everybody = reader.all_accounts()
    assert made.guid in guids
    assert elsewhere.guid not in guids
    assert {made.guid, elsewhere.guid} <= {one.guid for one in everybody}
    assert not {"administrator", "guest", "krbtgt"} & {one.login.lower() for one in everybody}


def test_two_hundred_people_cost_a_handful_of_operations(people):
    made, reader = people.made(7), people.reader()
    asked = [people.person(number).staff_number for number in range(200)]
    before = reader.exchanges
    found = reader.by_staff_number(asked)
    assert reader.exchanges - before <= 5
    assert [number for number, who in found.items() if who] == [made.staff_number]
