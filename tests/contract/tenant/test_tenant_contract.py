"""What operations rely on in a tenant: the one in memory and Microsoft Graph as the lab plays it say the same."""

from __future__ import annotations

import pytest

from dsi_automation.connectors.m365.errors import (
    AbsentError,
    AddressTakenError,
    DirectoryMasteredError,
    LicenceConflictError,
    NoSeatError,
    StaffNumberTakenError,
    UnknownLicenceError,
    UsageLocationError,
)
from dsi_automation.connectors.m365.port import CloudUser, HolderKind, NewCloudUser, Sku, TenantReader, TenantWriter
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.secrets import Secret

ADDRESS = "aya.kouame@douanes.lab"
PASSWORD = Secret("Tempo-raire-77")
NOBODY = "00000000-0000-0000-0000-00000000dead"


def person(number: str = "100101A", address: str = ADDRESS) -> NewCloudUser:
    return NewCloudUser(
        upn=address, mail_nickname=address.partition("@")[0], display_name="KOUAMÉ Aya", staff_number=number,
        usage_location="CI", surname="KOUAMÉ", given_name="Aya",
    )  # fmt: skip


def sku(reader: TenantReader, part_number: str = "STANDARDPACK") -> Sku:
    return next(one for one in reader.skus() if one.part_number == part_number)


def read(reader: TenantReader, user_id: str) -> CloudUser:
    user = reader.user(user_id)
    assert user is not None
    return user


def test_a_created_user_is_found_by_id_number_and_address_in_any_case(place) -> None:
    made = place.writer().create_user(person(), PASSWORD)
    reader = place.reader()
    found = read(reader, made.id)
    assert (found.upn, found.staff_number, found.usage_location, found.enabled) == (ADDRESS, "100101A", "CI", True)
    assert (found.synced, found.immutable_id, found.licences) == (False, None, ())
    assert found.must_change
    assert [one.id for one in reader.users_by_staff_number(["100101A"])["100101A"]] == [made.id]
    assert [one.id for one in reader.users_by_address([ADDRESS.upper()])[ADDRESS.upper()]] == [made.id]


def test_every_key_asked_is_answered_and_nobody_is_an_empty_answer(place) -> None:
    reader = place.reader()
    assert reader.user(NOBODY) is None
    assert list(map(len, reader.users_by_staff_number(["999999Z"]).values())) == [0]
    assert list(map(len, reader.users_by_immutable_id(["AAAAAAAAAAAAAAAAAAAAAA=="]).values())) == [0]
    assert list(map(len, reader.users_by_address(["x@douanes.lab"]).values())) == [0]
    assert list(map(len, reader.holders(["x@douanes.lab"]).values())) == [0]


def test_the_same_person_again_is_the_same_user_and_another_address_is_refused(place) -> None:
    writer: TenantWriter = place.writer()
    made = writer.create_user(person(), PASSWORD)
    assert place.writer().create_user(person(), PASSWORD).id == made.id
    with pytest.raises(StaffNumberTakenError):
        writer.create_user(person(address="autre@douanes.lab"), PASSWORD)


def test_the_address_of_a_user_a_contact_or_a_deleted_user_is_taken_and_each_is_named(place) -> None:
    writer = place.writer()
    made = writer.create_user(person(), PASSWORD)
    place.contact("contact@douanes.lab")
    gone = writer.create_user(person("100102B", "gone@douanes.lab"), PASSWORD)
    place.delete(gone.id)
    asked = [ADDRESS, "contact@douanes.lab", "gone@douanes.lab"]
    holders = place.reader().holders(asked)
    kinds = [holders[address][0].kind for address in asked]
    assert kinds == [HolderKind.USER, HolderKind.CONTACT, HolderKind.DELETED_USER]
    assert holders[ADDRESS][0].id == made.id
    assert holders[ADDRESS][0].staff_number == "100101A"
    with pytest.raises(AddressTakenError):
        writer.create_user(person("100103C"), PASSWORD)


def test_a_licence_takes_a_seat_and_brings_an_active_state_and_a_mailbox(place) -> None:
    writer, reader = place.writer(), place.reader()
    used = sku(reader).used
    user = writer.create_user(person(), PASSWORD)
    assert not reader.mailboxes([user.id])[user.id].ready
    assert reader.mailboxes([user.id])[user.id].code == "MailboxNotEnabledForRESTAPI"
    writer.change_licences(user.id, [sku(reader).id], [])
    found = read(reader, user.id)
    assert [(one.state, one.error, one.by_group) for one in found.licence_states] == [("Active", "None", None)]
    assert ("exchange", "Enabled") in [(plan.service.lower(), plan.status) for plan in found.plans]
    assert (found.mail, f"SMTP:{ADDRESS}" in found.proxy_addresses) == (ADDRESS, True)
    assert reader.mailboxes([user.id])[user.id].ready
    assert sku(reader).used == used + 1


def test_a_licence_taken_back_frees_its_seat_and_ends_the_mailbox(place) -> None:
    writer, reader = place.writer(), place.reader()
    user, standard = writer.create_user(person(), PASSWORD), sku(reader)
    writer.change_licences(user.id, [standard.id], [])
    writer.change_licences(user.id, [], [standard.id])
    assert sku(reader).used == standard.used
    assert read(reader, user.id).licences == ()
    assert not reader.mailboxes([user.id])[user.id].ready


def test_no_seat_an_unknown_licence_and_two_mailboxes_are_three_refusals(place) -> None:
    writer, reader = place.writer(), place.reader()
    user = writer.create_user(person(), PASSWORD)
    with pytest.raises(UnknownLicenceError):
        writer.change_licences(user.id, [NOBODY], [])
    place.seats("STANDARDPACK", sku(reader).used)
    with pytest.raises(NoSeatError):
        writer.change_licences(user.id, [sku(reader).id], [])
    place.seats("STANDARDPACK", sku(reader).used + 5)
    writer.change_licences(user.id, [sku(reader).id], [])
    with pytest.raises(LicenceConflictError):
        writer.change_licences(user.id, [sku(reader, "ENTERPRISEPACK").id], [])
    assert read(reader, user.id).licences == (sku(reader).id,)


def test_a_synchronised_user_is_licensed_after_its_location_and_mastered_by_its_directory(place) -> None:
    place.synced_user("sync@douanes.lab", "100109Z", "AQIDBAUGBwgJCgsMDQ4PEA==")
    writer, reader = place.writer(), place.reader()
    (user,) = reader.users_by_immutable_id(["AQIDBAUGBwgJCgsMDQ4PEA=="])["AQIDBAUGBwgJCgsMDQ4PEA=="]
    assert (user.synced, user.staff_number) == (True, "100109Z")
    with pytest.raises(UsageLocationError):
        writer.change_licences(user.id, [sku(reader).id], [])
    with pytest.raises(DirectoryMasteredError):
        writer.set_enabled(user.id, enabled=False)
    writer.set_usage_location(user.id, "CI")
    writer.change_licences(user.id, [sku(reader).id], [])
    assert read(reader, user.id).licences == (sku(reader).id,)


def test_sessions_revoked_and_signing_in_forbidden_show(place) -> None:
    writer, reader = place.writer(), place.reader()
    user = writer.create_user(person(), PASSWORD)
    before = read(reader, user.id).sessions_valid_from
    writer.set_enabled(user.id, enabled=False)
    writer.revoke_sessions(user.id)
    after = read(reader, user.id)
    assert not after.enabled
    assert after.sessions_valid_from is not None
    assert before is None or after.sessions_valid_from >= before


def test_a_change_to_nobody_is_a_refusal(place) -> None:
    with pytest.raises(AbsentError):
        place.writer().set_usage_location(NOBODY, "CI")


def test_hurrying_without_a_job_is_a_no_and_not_an_error(place) -> None:
    answered = place.writer().provision_now("CN=X,DC=ad,DC=douanes,DC=lab")
    assert answered is False


def test_every_refusal_says_something_to_people(place) -> None:
    with pytest.raises(RefusedError) as caught:
        place.writer().set_enabled(NOBODY, enabled=False)
    assert str(caught.value.what)
