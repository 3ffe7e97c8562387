"""What the lab's inventory says of SYDAM World loads, and fits the servers, the databases and the policy of the lab."""

from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.policy import unsatisfiable
from dsi_automation.inventory.schedules import load_schedules
from dsi_automation.inventory.settings import load_settings
from dsi_automation.lab import inventory, people
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.application import INSTANCES
from dsi_automation.lab.layout import Layout


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    made = Layout("paper", IPv4Network("198.18.0.0/16"), tmp_path_factory.mktemp("lab") / "paper")
    people.ensure_keys(made.key_dir)
    inventory.write(made, [], Passwords(made.password_dir), servers=True, application=True)
    return made


@pytest.fixture(scope="module")
def loaded(layout):
    return Inventory.open(load_settings({}, Path("/"), inventory=layout.inventory_dir), {})


def test_each_application_has_its_servers_in_order_and_each_server_is_reached_over_ssh(layout, loaded):
    found = {name: tuple(server.name for server in one.servers) for name, one in loaded.applications.items()}
    assert found == INSTANCES
    for one in loaded.applications.values():
        for server in one.servers:
            assert loaded.target(server.host).ssh.host == layout.server_addresses[server.name]


def test_test_and_training_have_other_databases_than_production(loaded):
    databases = {name: one.database.database for name, one in loaded.applications.items()}
    assert databases == {"sydam": "sydam", "sydam-test": "sydam_test", "sydam-formation": "sydam_formation"}
    assert loaded.applications["sydam"].database.backup in loaded.backup_plan.backups


def test_a_release_goes_through_test_and_training_to_production_which_wants_a_backup(loaded):
    stages = loaded.sources["sydam-world"].stages
    environments = [loaded.applications[stage.application].environment.value for stage in stages]
    assert environments == ["test", "training", "production"]
    assert [stage.needs_backup is not None for stage in stages] == [False, False, True]


def test_the_rule_sets_are_tables_of_production(loaded):
    assert {name: (one.application, one.table) for name, one in loaded.rule_sets.items()} == {
        "tarif": ("sydam", "public.tarif"),
        "selectivite": ("sydam", "public.selectivite"),
    }


def test_the_policy_can_be_followed_and_only_the_director_agrees_to_what_users_feel(loaded):
    operations = loaded.policy.operations
    for name in ("application.stop", "application.restart", "sources.integrate", "rules.update"):
        assert operations[name]["production"].approvers == ("director",)
        assert "section_head" in operations[name]["test"].approvers
    assert operations["application.restart"]["production"].standing.allowed
    assert not operations["sources.integrate"]["production"].standing.allowed
    assert unsatisfiable(loaded.policy, loaded.people, datetime.now(UTC)) == []


def test_the_evening_restart_is_scheduled(layout):
    evening = load_schedules(layout.inventory_dir / "schedules.yml")["sydam-soir"]
    assert [(step.operation, step.targets, step.inputs) for step in evening.steps] == [
        ("application.restart", ("sydam",), {"planned": True})
    ]
