"""What only a real Active Directory can show of accounts: pages, lost answers, other eyes, where a password goes."""

import base64
import logging

import ldap3.utils.log as ldap_log
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.connectors.directory import wire
from dsi_automation.connectors.directory.account_client import LdapAccountReader, LdapAccountWriter
from dsi_automation.connectors.directory.accounts import PasswordState
from dsi_automation.connectors.directory.schema import Schema
from dsi_automation.connectors.directory.wire import Wire
from dsi_automation.core.errors import UnknownOutcomeError, UnreachableError
from dsi_automation.core.secrets import Secret

CANARY = "Canari-7d1e-Abidjan!"


def through(relay, people):
    return people.endpoint("svc-comptes", address="127.0.0.1", port=relay.port, timeout=5.0)


def test_more_accounts_than_one_page_holds_are_all_found(real_people, monkeypatch):
    monkeypatch.setattr(wire, "PAGE", 3)
    made = {real_people.made(number, ou=real_people.spy).guid for number in range(8)}
    reader = real_people.reader()
    assert made <= {one.guid for one in reader.all_accounts(real_people.spy)}
    numbers = [real_people.person(number).staff_number for number in range(8)]
    assert {who.guid for (who,) in reader.by_staff_number(numbers).values()} == made


def test_computers_are_listed_without_the_controllers(real_people):
    name = f"{real_people.prefix}PC"
    real_people.ldif(f"dn: CN={name},{real_people.abj}\nobjectClass: computer\nsAMAccountName: {name}$\n")
    listed = {one.name: one for one in real_people.reader().all_computers()}
    assert "DC1" not in listed
    assert listed[name].created_at is not None
    assert not listed[name].never_expires


def test_the_immutable_id_is_the_base64_that_ldap_itself_writes(real_people):
    made = real_people.made()
    lines = real_people.tool("ldapsearch", "-b", f"<GUID={made.guid}>", "-s", "base", "objectGUID").splitlines()
    assert f"objectGUID:: {made.immutable_id}" in lines


def test_another_program_sees_exactly_what_was_asked_for(real_people):
    made = real_people.made(other_addresses=("b@douanes.lab",), department="Recettes", company="Douanes")
    seen = real_people.tool("ldapsearch", "-b", f"<GUID={made.guid}>", "-s", "base").splitlines()
    for line in (
        "userAccountControl: 514",
        "pwdLastSet: 0",
        f"employeeID: {made.staff_number}",
        f"mail: {made.mail}",
        f"proxyAddresses: SMTP:{made.mail}",
        "proxyAddresses: smtp:b@douanes.lab",
        "department: Recettes",
        "company: Douanes",
        "adminDescription: dsi mailbox.create",
        "displayName:: " + base64.b64encode("N’GUESSAN Éric".encode()).decode(),
    ):
        assert line in seen
    # Exchange's attribute is not in a plain schema: it is asked for once, and left out.
    assert not [line for line in seen if line.startswith("mailNickname")]


@pytest.mark.parametrize("count", [1, 120])
def test_where_the_schema_has_forwarding_addresses_they_are_asked_for_as_well(real_people, monkeypatch, count):
    made, asked, search = real_people.made(), [], Wire.search
    monkeypatch.setattr(Schema, "has", lambda *_: True)
    monkeypatch.setattr(
        Wire, "search", lambda wire, base, filter_, names: asked.append(filter_) or search(wire, base, filter_, names)
    )
    addresses = [made.mail, *(f"{real_people.prefix.lower()}x{number}@douanes.lab" for number in range(count - 1))]
    found = real_people.reader().holders(addresses)
    assert {address for address, who in found.items() if who} == {made.mail}
    assert any("targetAddress=" in filter_ for filter_ in asked)
    assert len(asked) == (1 if count == 1 else 4)


def test_an_enabled_account_is_a_plain_one_with_nothing_else_allowed(real_people):
    made, writer = real_people.made(), real_people.writer()
    writer.set_password(made.guid, real_people.password())
    writer.enable(made.guid)
    seen = real_people.tool("ldapsearch", "-b", f"<GUID={made.guid}>", "-s", "base", "userAccountControl", "pwdLastSet")
    assert {"userAccountControl: 512", "pwdLastSet: 0"} <= set(seen.splitlines())


def test_the_schema_is_asked_once_and_an_account_costs_few_operations(real_people):
    writer = real_people.writer()
    writer.create_account(real_people.person(1))
    before = writer.exchanges
    made = writer.create_account(real_people.person(2))
    writer.set_password(made.guid, real_people.password())
    writer.enable(made.guid)
    # Create and read back, set, read and enable, and a probe of the kept connection before each of the three writes.
    assert writer.exchanges - before == 8


@pytest.mark.parametrize("operation", ["add", "replace", "move"])
def test_a_write_whose_answer_is_lost_is_unknown_and_sent_once(real_people, relay, monkeypatch, operation):
    made = real_people.made(1)
    sent, original = [], getattr(Wire, operation)

    def deafened(self, *args):
        sent.append(args)
        relay.is_deaf = True
        return original(self, *args)

    monkeypatch.setattr(Wire, operation, deafened)
    with LdapAccountWriter(through(relay, real_people), real_people.permit) as writer:
        writes = {
            "add": lambda: writer.create_account(real_people.person(2)),
            "replace": lambda: writer.disable(made.guid, "vu"),
            "move": lambda: writer.move(made.guid, real_people.leavers),
        }
        with pytest.raises(UnknownOutcomeError) as caught:
            writes[operation]()
    assert len(sent) == 1
    assert not caught.value.retryable
    # It happened: that is why nobody may repeat it blindly.
    found = real_people.reader().by_guid(made.guid)
    happened = {
        "add": bool(real_people.reader().by_name([real_people.person(2).login])[real_people.person(2).login]),
        "replace": found.mark == "vu",
        "move": found.dn.endswith(real_people.leavers),
    }
    assert happened[operation]


def test_a_password_whose_answer_was_lost_can_be_tried(real_people, relay, monkeypatch):
    made, password, original = real_people.made(), real_people.password(), Wire.replace

    def deafened(self, *args):
        relay.is_deaf = True
        return original(self, *args)

    monkeypatch.setattr(Wire, "replace", deafened)
    writer = LdapAccountWriter(through(relay, real_people), real_people.permit)
    with writer, pytest.raises(UnknownOutcomeError):
        writer.set_password(made.guid, password)
    assert real_people.reader().password_state(made.login, password) is PasswordState.DISABLED


def test_a_controller_that_went_away_is_unreachable_and_nothing_was_sent(real_people, relay):
    made = real_people.made()
    with LdapAccountWriter(through(relay, real_people), real_people.permit) as writer:
        assert writer.by_guid(made.guid) == made
        relay.stop()
        for ask in (
            lambda: writer.disable(made.guid, "x"),
            lambda: writer.password_state(made.login, real_people.password()),
        ):
            with pytest.raises(UnreachableError) as caught:
                ask()
            assert not isinstance(caught.value, UnknownOutcomeError)
    assert real_people.reader().by_guid(made.guid) == made


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_any_name_is_found_as_itself_and_finds_nobody_else(real_people, value):
    with LdapAccountReader(real_people.endpoint("svc-lecture")) as reader:
        (found,) = reader.by_name([value]).values()
        assert reader.by_staff_number([value]) == {value: ()}
        (held,) = reader.holders([value]).values()
    assert all(value.casefold() in (one.login.casefold(), (one.upn or "").casefold()) for one in found)
    assert held == ()


def test_a_number_with_an_accent_is_not_found_for_one_without(real_people):
    number = f"{real_people.prefix}é"
    real_people.made(1, staff_number=number)
    plain = f"{real_people.prefix}e"
    found = real_people.reader().by_staff_number([number, plain])
    assert [len(who) for who in found.values()] == [1, 0]


@pytest.fixture
def ldap3_tells_all(caplog):
    """ldap3's own log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    ldap_log.set_library_log_activation_level(logging.CRITICAL)
    ldap_log.set_library_log_detail_level(ldap_log.EXTENDED)
    yield caplog
    ldap_log.set_library_log_detail_level(ldap_log.OFF)


def test_a_temporary_password_is_in_no_log_no_repr_and_not_kept_by_the_connection(real_people, ldap3_tells_all):
    made, writer = real_people.made(), real_people.writer()
    writer.set_password(made.guid, Secret(CANARY))
    assert writer.password_state(made.login, Secret(CANARY)) is PasswordState.DISABLED
    link = writer._pool._idle[0]
    shown = [repr(writer), repr(link), repr(link._connection), str(link._connection), str(vars(link._connection))]
    forms = (CANARY, repr(CANARY.encode("utf-16-le"))[2:-1], CANARY.encode("utf-16-le").decode("latin-1"))
    assert "ldap" in ldap3_tells_all.text
    for form in forms:
        assert not [text for text in [*shown, ldap3_tells_all.text] if form in text]
    for raw in (CANARY.encode().hex(), CANARY.encode("utf-16-le").hex(":"), CANARY.encode("utf-16-le").hex()):
        assert raw not in ldap3_tells_all.text.lower()
