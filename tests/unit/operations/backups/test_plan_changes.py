"""A run refused because the inventory's plan changed says which of its values did, and how to have them signed."""

import pytest
from vault import Vault, plan_of

from dsi_automation.cli.backup_plan import Signed, _coverage, _signed_words
from dsi_automation.core.errors import WorldChangedError
from dsi_automation.inventory.backup_model import definition
from dsi_automation.operations.backups.changes import definition_in, differences


@pytest.mark.parametrize("operation", ["server.backup", "backup.verify"])
def test_the_refusal_names_the_values_that_changed_and_the_command_that_asks(tmp_path, operation):
    vault = Vault(tmp_path)
    vault.backed_up()
    request = vault.standing(operation)
    vault.backup_plan = plan_of(retention={"daily": 3})
    with pytest.raises(WorldChangedError) as refused:
        vault.run(request)
    assert "backup.retention.daily" in refused.value.what.render("en")
    assert "dsi backup ask srv1" in refused.value.next_step.render("en")


def test_one_signed_run_is_told_what_changed_but_sent_to_no_standing_approval(tmp_path):
    vault = Vault(tmp_path)
    request = vault.once("server.backup")
    vault.backup_plan = plan_of(paths=["/srv", "/etc"])
    with pytest.raises(WorldChangedError) as refused:
        vault.run(request)
    assert "backup.paths" in refused.value.what.render("en")
    assert "new plan" in refused.value.next_step.render("en")


def test_keys_are_dotted_and_a_list_is_one_value():
    before = {"backup": {"retention": {"daily": 7, "last": 2}}, "rotation": {"media": ["a", "b"]}, "rhythm": ["x"]}
    after = {"backup": {"retention": {"daily": 5, "last": 2}}, "rotation": {"media": ["b", "a"]}, "rhythm": []}
    assert differences(before, after) == ("backup.retention.daily", "rhythm", "rotation.media")
    assert differences(before, {**before, "rotation": None}) == ("rotation",)
    assert differences(before, before) == differences({}, after) == ()


def test_the_list_of_backups_says_what_changed_since_the_plan_was_signed(tmp_path):
    vault = Vault(tmp_path)
    vault.standing("server.backup")
    (request,) = vault.engine().requests()
    wanted = definition("srv1", plan_of(retention={"daily": 3}))
    keys = differences(definition_in(request.plan, "srv1"), wanted)
    signed = Signed("server.backup", request, keys)
    assert _coverage([signed]).render("fr").endswith(": retention.daily")
    assert "retention.daily" in _signed_words(signed).render("en")
    assert "y.traore" in _coverage([Signed("server.backup", request)]).render("en")
