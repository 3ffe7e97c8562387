"""Programs and packages of the system: what is missing is said, what fails is quoted, secrets stay out."""

import re
import subprocess
from pathlib import Path

import pytest

from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.system import _no_service_starts, missing_packages, run, system_packages

SCRIPT = Path(__file__).parents[3] / ".ci" / "packages.sh"


def test_make_installs_everything_the_lab_asks_for():
    text = SCRIPT.read_text()
    installed = {word for line in re.findall(r'^(?:base|lab)="(.*)"$', text, re.MULTILINE) for word in line.split()}
    assert set(system_packages()) <= installed


def test_no_package_is_missing_where_the_tests_run():
    assert missing_packages() == []


def test_a_program_answers_with_what_it_read():
    assert run(["cat"], stdin="élève\n") == "élève\n"


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(DsiError) as error:
        run(["no-such-program-of-anybody"])
    assert "no-such-program-of-anybody" in str(error.value)


def test_a_program_that_fails_is_quoted_without_the_secrets_it_shows():
    secret = Secret("Hunter2-Hunter2")
    with pytest.raises(DsiError) as error:
        run(["sh", "-c", "cat >&2; exit 3"], stdin=f"bad password {secret.reveal()}")
    assert "bad password" in str(error.value)
    assert error.value.detail["exit"] == 3
    assert secret.reveal() not in str(error.value) + repr(error.value.detail)


def test_a_program_that_hangs_is_given_up():
    with pytest.raises(DsiError):
        run(["sleep", "600"], timeout=0.1)


def test_packages_start_no_service_while_they_are_installed(tmp_path):
    policy = tmp_path / "policy-rc.d"
    with _no_service_starts(policy):
        assert subprocess.run([policy], check=False).returncode == 101
    assert not policy.exists()


def test_a_policy_that_was_there_stays_as_it_is(tmp_path):
    policy = tmp_path / "policy-rc.d"
    policy.write_text("mine")
    with _no_service_starts(policy):
        assert policy.read_text() == "mine"
    assert policy.read_text() == "mine"
