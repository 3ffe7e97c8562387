"""What the directory promises about membership of groups, in memory and on a real Active Directory (Samba) alike."""

import pytest

from dsi_automation.connectors.directory.accounts import is_member
from dsi_automation.connectors.directory.errors import NotFoundError
from dsi_automation.core.errors import GateClosedError
from dsi_automation.operations.applications import account_directory


def test_a_profile_is_given_taken_and_changed_whatever_was_done_of_it_before(people):
    groups = {"agent": people.group("agent"), "verificateur": people.group("verificateur")}
    made, writer, reader = people.made(), people.writer("Administrator"), people.reader()
    profiles = []
    for profile in ("agent", "agent", "verificateur", None, None):
        account_directory.give(made.login, profile, groups, writer)
        found = account_directory.find(made.login, groups, reader)
        profiles.append(found.profile)
    assert profiles == ["agent", "agent", "verificateur", None, None]
    writer.join_group(made.guid, groups["agent"])
    both = reader.by_guid(made.guid)
    assert [is_member(both, group) for group in groups.values()] == [True, False]


def test_nobody_joins_a_group_that_is_not_there(people):
    made, writer = people.made(), people.writer("Administrator")
    with pytest.raises(NotFoundError):
        writer.join_group(made.guid, f"CN={people.prefix}personne,{people.abj}")
    assert people.reader().by_guid(made.guid).groups == ()


def test_a_closed_permit_changes_no_membership(people, closed_permit):
    made, group = people.made(), people.group("agent")
    with pytest.raises(GateClosedError):
        people.writer("Administrator", closed_permit).join_group(made.guid, group)
    assert people.reader().by_guid(made.guid).groups == ()
