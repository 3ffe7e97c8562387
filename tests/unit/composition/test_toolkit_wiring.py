"""The wiring: lazy, one account per half, secrets only when a connection is made, the permit before everything."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from dsi_automation.composition import Toolkit
from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.core.text import T

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"
HOST = "abj-compta-01"


class Closed:
    """A permit that lets nothing through."""

    run_id = "RUN-1"

    def check(self, target):
        raise GateClosedError(T("Not {target}.", target=target))


class Open(Closed):
    def check(self, target):
        """Let everything through."""


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "inventory"
    shutil.copytree(EXAMPLE, folder)
    variables = yaml.safe_load((folder / "group_vars" / "workstations.yml").read_text())
    everything = (folder / "group_vars" / "all.yml").read_text().split("\ndsi_credentials:")[0]
    accounts = {
        name: {"user": f"svc-{name}@ad.douanes.example", "password": {"env": f"SECRET_{name.upper()}"}}
        for name in ("directory_read", "directory_join", variables["dsi_credential"])
    }
    text = everything + "\n" + yaml.safe_dump({"dsi_credentials": accounts})
    (folder / "group_vars" / "all.yml").write_text(text)
    return tmp_path


@pytest.fixture
def environ(home):
    names = ("DIRECTORY_READ", "DIRECTORY_JOIN", "LOCAL_ADMINISTRATOR", "WORKSTATION_ADMIN")
    return {"HOME": str(home), "DSI_STATE": str(home / "state")} | {f"SECRET_{name}": f"value-{name}" for name in names}


@pytest.fixture
def toolkit(home, environ):
    return Toolkit(inventory=str(home / "inventory"), environ=environ, directory=home)


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    toolkit = Toolkit(inventory=str(tmp_path / "nowhere"), environ={}, directory=tmp_path)
    assert "workstation.join" in toolkit.operations
    with pytest.raises(UsageError):
        _ = toolkit.settings


def test_the_engine_is_put_together_without_journal_and_key(toolkit, home):
    assert toolkit.engine is toolkit.engine
    assert not toolkit.journal_exists
    assert not (home / "state").exists()


def test_reading_and_joining_use_two_accounts(toolkit):
    look = toolkit.equipment.look()
    hands = toolkit.equipment.hands(Open())
    assert look.directory().endpoint.user == "svc-directory_read@ad.douanes.example"
    assert hands.directory().endpoint.user == "svc-directory_join@ad.douanes.example"
    assert hands.join_account().password.reveal() == "value-DIRECTORY_JOIN"
    assert hands.look is look


def test_the_reader_of_the_directory_is_shared_and_the_writer_belongs_to_one_run(toolkit):
    look = toolkit.equipment.look()
    assert look.directory() is look.directory()
    first, second = toolkit.equipment.hands(Open()), toolkit.equipment.hands(Open())
    assert first.directory() is first.directory()
    assert first.directory() is not second.directory()


def test_a_closed_permit_opens_no_writer_and_resolves_no_secret(toolkit, environ):
    environ.clear()
    with pytest.raises(GateClosedError):
        toolkit.equipment.hands(Closed()).windows(HOST)


def test_a_missing_secret_is_a_usage_error_that_names_its_place(toolkit, environ):
    name = "SECRET_DIRECTORY_READ"
    del environ[name]
    with pytest.raises(UsageError, match=name):
        toolkit.equipment.look().directory()


def test_an_endpoint_is_what_the_inventory_says(toolkit):
    endpoint = toolkit.equipment.look().windows_endpoint(HOST)
    assert (endpoint.name, endpoint.host) == (HOST, "192.0.2.11")
    assert endpoint.password.reveal().startswith("value-")
    assert "value-" not in repr(endpoint)


def test_every_target_has_a_site_and_an_environment(toolkit):
    from dsi_automation.composition.toolkit import environments as by_kind
    from dsi_automation.engine.operation import TargetKind

    environments = by_kind(toolkit)[TargetKind.HOST]
    assert environments[HOST] == "production"
    assert environments["bke-guichet-01"] == "training"
    assert "nobody" not in environments
    with pytest.raises(KeyError):
        environments["nobody"]
    assert set(environments) == set(toolkit.select("workstation.check", ["all"]))
    assert toolkit.equipment.look().sites[HOST].code == "ABJ"


def test_a_key_counts_from_its_first_day_to_the_end_of_its_last(toolkit):
    signer = toolkit.allowed_signers()[0]
    assert signer.in_force(datetime(2026, 1, 1, tzinfo=UTC))
    assert signer.in_force(datetime(2036, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert not signer.in_force(datetime(2037, 1, 1, tzinfo=UTC))
    assert not signer.in_force(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_without_key_or_agent_a_sentence_says_how_to_make_one(toolkit):
    with pytest.raises(UsageError) as caught:
        _ = toolkit.engine._parts.signer.public_key
    assert "ssh-keygen -t ed25519" in str(caught.value.next_step)
    assert "people.yml" in str(caught.value.next_step)


def test_people_and_policy_are_read_anew_each_time(toolkit, home):
    parts = toolkit.engine._parts
    assert "a.konan" in {person.id for person in parts.people()}
    (home / "inventory" / "people.yml").unlink()
    (home / "inventory" / "approval_policy.yml").unlink()
    with pytest.raises(UsageError):
        parts.people()
    with pytest.raises(UsageError):
        parts.policy()
