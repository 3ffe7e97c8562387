"""What only a real Active Directory can show: pages, lost links, other programs' view, and where the password goes."""

import logging
import traceback
from dataclasses import replace

import ldap3.utils.log as ldap_log
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.connectors.directory import wire
from dsi_automation.connectors.directory.client import LdapReader, LdapWriter
from dsi_automation.connectors.directory.errors import AlreadyExistsError, BindRefusedError, NotFoundError
from dsi_automation.connectors.directory.wire import Wire
from dsi_automation.core.errors import UnknownOutcomeError, UnreachableError

CANARY = "Canari-9f2c-Abidjan!"


def through(relay, place, login):
    return place.endpoint(login, address="127.0.0.1", port=relay.port, timeout=5.0)


def test_a_link_lost_while_idle_is_opened_again_for_a_read(real_place, relay):
    with LdapReader(through(relay, real_place, "svc-lecture")) as reader:
        assert reader.user("awa.kone") is not None
        relay.cut()
        assert reader.user("awa.kone") is not None
    assert relay.opened == 2


def test_a_read_is_asked_twice_and_not_a_third_time(real_place, relay, monkeypatch):
    asked, search = [], Wire.search

    def deafened(self, *args):
        asked.append(args)
        relay.is_deaf = True
        try:
            return search(self, *args)
        finally:
            relay.is_deaf = False

    monkeypatch.setattr(Wire, "search", deafened)
    with LdapReader(through(relay, real_place, "svc-lecture")) as reader, pytest.raises(UnreachableError) as caught:
        reader.user("awa.kone")
    assert len(asked) == 2
    assert caught.value.retryable


def test_a_link_lost_while_idle_is_noticed_before_a_write_which_is_sent_once(real_place, relay):
    with LdapWriter(through(relay, real_place, "svc-jonction"), real_place.permit) as writer:
        assert writer.computer(real_place.name()) is None
        relay.cut()
        made = writer.create_computer(real_place.name(), real_place.abj)
        relay.cut()
        writer.move(made.dn, real_place.spy)
    assert real_place.look(real_place.name()).endswith(real_place.spy)


@pytest.mark.parametrize("operation", ["add", "move"])
def test_a_write_whose_answer_is_lost_is_unknown_and_never_repeated(real_place, relay, monkeypatch, operation):
    made = real_place.writer().create_computer(real_place.name(1), real_place.abj) if operation == "move" else None
    sent, original = [], getattr(Wire, operation)

    def deafened(self, *args):
        sent.append(args)
        relay.is_deaf = True
        return original(self, *args)

    monkeypatch.setattr(Wire, operation, deafened)
    writer = LdapWriter(through(relay, real_place, "svc-jonction"), real_place.permit)
    arguments = (made.dn, real_place.spy) if made else (real_place.name(1), real_place.abj)
    with writer, pytest.raises(UnknownOutcomeError) as caught:
        (writer.move if made else writer.create_computer)(*arguments)
    assert len(sent) == 1
    assert not caught.value.retryable
    # It happened: that is why nobody may repeat it blindly.
    assert real_place.look(real_place.name(1)).endswith(real_place.spy if made else real_place.abj)


def test_what_was_written_but_cannot_be_read_back_is_unknown(real_place, relay, monkeypatch):
    original = Wire.add

    def cut_after(self, *args):
        original(self, *args)
        relay.is_deaf = True

    monkeypatch.setattr(Wire, "add", cut_after)
    writer = LdapWriter(through(relay, real_place, "svc-jonction"), real_place.permit)
    with writer, pytest.raises(UnknownOutcomeError):
        writer.create_computer(real_place.name(), real_place.abj)
    assert real_place.look(real_place.name()) is not None


def test_a_controller_that_went_away_is_unreachable_and_nothing_was_sent(real_place, relay):
    with LdapWriter(through(relay, real_place, "svc-jonction"), real_place.permit) as writer:
        assert writer.exists(real_place.abj)
        relay.stop()
        with pytest.raises(UnreachableError) as caught:
            writer.create_computer(real_place.name(), real_place.abj)
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert real_place.look(real_place.name()) is None


def test_more_computers_than_one_page_holds_are_all_found(real_place):
    """AD gives at most 1000 entries an answer (MaxPageSize); 1050 objects take three pages of ours."""
    count = 1050
    assert count > 2 * wire.PAGE
    entry = "dn: CN={name},{ou}\nobjectClass: computer\nsAMAccountName: {name}$\nuserAccountControl: 4098\n"
    every = map(real_place.name, range(count))
    real_place.ldif("\n".join(entry.format(name=name, ou=real_place.abj) for name in every))
    found = real_place.reader().computers(real_place.prefix)
    assert [one.name for one in found] == [real_place.name(number) for number in range(count)]
    assert len({one.sid for one in found}) == len({one.guid for one in found}) == count


def test_another_program_sees_exactly_what_was_asked_for(real_place):
    made = real_place.writer().create_computer(real_place.name(), real_place.abj, description="Bureau 4, (accueil) *")
    seen = real_place.tool("ldapsearch", "-b", real_place.abj, f"(cn={real_place.name()})").splitlines()
    assert f"dn: {made.dn}" in seen
    for line in (
        f"sAMAccountName: {real_place.name()}$",
        "userAccountControl: 4130",
        "description: Bureau 4, (accueil) *",
        "objectClass: computer",
    ):
        assert line in seen
    assert not any(line.startswith("pwdLastSet: ") and line != "pwdLastSet: 0" for line in seen)


def test_the_sid_is_the_one_samba_itself_knows(real_place):
    made = real_place.writer().create_computer(real_place.name(), real_place.abj)
    by_sid = real_place.tool("ldapsearch", "-b", f"<SID={made.sid}>", "-s", "base", "dn")
    by_guid = real_place.tool("ldapsearch", "-b", f"<GUID={made.guid}>", "-s", "base", "dn")
    assert f"dn: {made.dn}" in by_sid
    assert f"dn: {made.dn}" in by_guid


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_any_name_is_found_as_itself_and_finds_nobody_else(real_place, value):
    with LdapReader(real_place.endpoint("svc-lecture")) as reader:
        found = reader.user(value)
    assert found is None or found.login.casefold() == value.casefold()


def test_a_description_of_hostile_characters_comes_back_as_it_was(real_place):
    text = '*)(cn=*)) \\2a "x" <y>; #z, +w= \'é’ 漢😀 ' + "n" * 900 + " ."
    assert real_place.writer().create_computer(real_place.name(), real_place.abj, description=text).description == text


@pytest.fixture
def ldap3_tells_all(caplog):
    """ldap3's own log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    ldap_log.set_library_log_activation_level(logging.CRITICAL)
    ldap_log.set_library_log_detail_level(ldap_log.EXTENDED)
    yield caplog
    ldap_log.set_library_log_detail_level(ldap_log.OFF)


def test_the_password_is_in_no_log_no_error_and_no_repr(real_place, ldap3_tells_all):
    right = real_place.lab.passwords.get("svc-lecture").reveal()
    reader = real_place.reader()
    reader.user("awa.kone")
    link = reader._pool._idle[0]
    shown = [repr(reader), repr(link), repr(link._connection), str(link._connection), str(vars(link._connection))]
    with pytest.raises(BindRefusedError) as caught:
        real_place.reader(password=CANARY).user("awa.kone")
    shown += traceback.format_exception(caught.value)
    shown += [repr(caught.value), str(caught.value.to_json()), repr(replace(reader.endpoint)), ldap3_tells_all.text]
    assert "ldap" in ldap3_tells_all.text
    for secret in (right, CANARY):
        assert not [text for text in shown if secret in text]


@pytest.fixture
def unlooked(monkeypatch):
    """Writers that do not look before they write, as when somebody else is quicker between the two."""
    monkeypatch.setattr(LdapWriter, "_must_be_free", lambda *_: None)
    monkeypatch.setattr(LdapWriter, "_must_exist", lambda _, dn, __: wire.Entry(dn, {}))


def test_whoever_loses_a_race_for_a_name_hears_the_same_as_one_who_looked(real_place, unlooked):
    made = real_place.writer().create_computer(real_place.name(), real_place.abj)
    for ou in (real_place.abj, real_place.spy):
        with pytest.raises(AlreadyExistsError):
            real_place.writer().create_computer(real_place.name(), ou)
    assert real_place.look(real_place.name()) == made.dn


def test_a_unit_or_an_object_that_went_away_meanwhile_is_said_to_be_absent(real_place, unlooked):
    made = real_place.writer().create_computer(real_place.name(1), real_place.abj)
    with pytest.raises(NotFoundError):
        real_place.writer().create_computer(real_place.name(2), f"OU=Absente,{real_place.abj}")
    with pytest.raises(NotFoundError):
        real_place.writer().move(made.dn, f"OU=Absente,{real_place.spy}")
    with pytest.raises(NotFoundError):
        real_place.writer().move(f"CN={real_place.name(3)},{real_place.abj}", real_place.spy)
    assert real_place.look(real_place.name(1)) == made.dn
