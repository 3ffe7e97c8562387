"""`dsi doctor m365`: each thing that keeps an operation from working is found, with what to do, and its exit code."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from dsi_automation.cli.doctor_m365 import Subject, directory_findings, tenant_findings
from dsi_automation.connectors.m365.memory import MemoryTenant
from dsi_automation.connectors.m365.permissions import NEEDS, OPERATIONS
from dsi_automation.connectors.m365.port import CloudUser, Grant
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T
from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
from dsi_automation.inventory.problems import InventoryError, Problem

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LEAST = frozenset(need.least for need in NEEDS.values())


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0

    def sleep(self, seconds):
        raise AssertionError


class Reader:
    """A tenant in memory, whose grant and organisation the test chooses."""

    def __init__(self, memory, roles=LEAST, errors=(), **organisation):
        self._reader, self._roles, self._errors, self._organisation = memory.reader(), roles, errors, organisation

    def __getattr__(self, name):
        if name in self._errors:
            raise UnreachableError(T("{name} does not answer.", name=name))
        return getattr(self._reader, name)

    def grant(self):
        if "grant" in self._errors:
            raise UnreachableError(T("The authority does not answer."))
        return Grant(self._roles)

    def tenant(self):
        if "tenant" in self._errors:
            raise UnreachableError(T("The tenant does not answer."))
        return replace(self._reader.tenant(), **self._organisation)


@pytest.fixture
def memory():
    made = MemoryTenant(clock=Clock(), directory=list)
    sku = made.add_sku("STANDARDPACK", 300)
    made.add_sku("DESKLESSPACK", 50)
    made.add_user(
        CloudUser("u1", "dsi@douanes.lab", "dsi@douanes.lab", "DSI", None, None, None, True, "CI", False, None,
                  licences=(sku.id,)),
        ready=True,
    )  # fmt: skip
    return made


@pytest.fixture
def certificate(tmp_path):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make(days):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dsi")])
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(NOW - timedelta(days=900)).not_valid_after(NOW + timedelta(days=days))
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        path = tmp_path / "app.pem"
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return str(path)

    return make


def settings(**changes):
    values = {"tenant_id": "douanes.lab", "client_id": "x", "managed_identity": True, "sender": "dsi@douanes.lab"}
    return TenantSettings.model_validate(values | changes)


def policy(**changes):
    values = {
        "domain": "douanes.lab", "write_credential": "writer", "licence": "bureau",
        "licences": {"bureau": "STANDARDPACK", "guichet": "DESKLESSPACK"}, "leavers_ou": "OU=Partis,DC=ad",
        "help_desk": {"name": "Hotline"},
    }  # fmt: skip
    return AccountPolicy.model_validate(values | changes)


def found(reader, its_settings=None, its_policy=None):
    subject = Subject(its_settings or settings(), its_policy or policy(), reader, NOW)
    return {finding.name: finding for finding in tenant_findings(subject)}


def wrong(findings):
    return {name: finding.state for name, finding in findings.items() if finding.state != "ok"}


def test_a_tenant_with_all_it_takes_passes_each_operation_named(memory):
    findings = found(Reader(memory, LEAST - {"User-PasswordProfile.ReadWrite.All"}))
    told = wrong(findings)
    assert {name for name in told if name != "m365.permissions.beyond"} == set()
    assert {f"m365.permissions.{operation}" for operation in OPERATIONS} <= set(findings)
    assert "User.Read.All" in str(findings["m365.permissions.mailbox.check"].found)


def test_a_missing_permission_is_told_with_the_operations_that_need_it_and_ends_with_5(memory):
    findings = found(Reader(memory, LEAST - {"LicenseAssignment.ReadWrite.All", "User.ReadWrite.All"}))
    finding = findings["m365.permissions.licence.remove"]
    assert (finding.state, finding.exit_code) == ("problem", ExitCode.NOT_COMPLIANT)
    assert "LicenseAssignment.ReadWrite.All" in str(finding.found)
    assert "m365.permissions.mailbox.check" not in wrong(findings)


def test_more_than_needed_is_a_warning_that_names_it(memory):
    findings = found(Reader(memory, LEAST | {"Directory.ReadWrite.All"}))
    finding = findings["m365.permissions.beyond"]
    assert finding.state == "warning"
    assert "Directory.ReadWrite.All" in str(finding.found)
    assert finding.exit_code == ExitCode.DONE


def test_sending_mail_is_needed_only_where_a_sender_is_named(memory):
    reader = Reader(memory, LEAST - {"Mail.Send"})
    assert found(reader)["m365.permissions.mailbox.create"].state == "problem"
    assert found(reader, settings(sender=None))["m365.permissions.mailbox.create"].state == "ok"


@pytest.mark.parametrize(
    ("days", "state", "code"), [(400, "ok", 0), (29, "warning", 0), (-1, "problem", 5), (0, "problem", 5)]
)
def test_the_end_of_the_certificate_is_told_in_time(memory, certificate, days, state, code):
    finding = found(Reader(memory), settings(managed_identity=False, certificate=certificate(days)))["m365.certificate"]
    assert (finding.state, int(finding.exit_code)) == (state, code)


def test_the_certificate_is_told_although_the_sign_in_fails_because_of_it(memory, certificate):
    findings = found(Reader(memory, errors=("grant",)), settings(managed_identity=False, certificate=certificate(-3)))
    assert wrong(findings) == {"m365.certificate": "problem", "m365.sign_in": "problem"}


@pytest.mark.parametrize(
    ("organisation", "state"),
    [
        ({"hybrid": True, "last_sync": NOW - timedelta(hours=2, minutes=59)}, "ok"),
        ({"hybrid": True, "last_sync": NOW - timedelta(hours=3, minutes=1)}, "problem"),
        ({"hybrid": True, "last_sync": None}, "problem"),
    ],
)
def test_a_synchronisation_that_is_silent_for_three_hours_is_dead(memory, organisation, state):
    finding = found(Reader(memory, **organisation))["m365.synchronisation"]
    assert finding.state == state
    assert (finding.exit_code == ExitCode.NOT_COMPLIANT) is (state == "problem")


def test_a_tenant_of_the_cloud_alone_has_no_synchronisation_to_be_dead(memory):
    findings = found(Reader(memory, hybrid=False, last_sync=None))
    assert "m365.synchronisation" not in findings
    job = {"service_principal": "a", "job": "b", "rule": "c"}
    findings = found(Reader(memory, hybrid=False, last_sync=None), settings(sync_job=job))
    assert findings["m365.synchronisation"].state == "warning"


def test_an_unverified_domain_is_found(memory):
    assert found(Reader(memory, domains=("douaneslab.onmicrosoft.com",)))["m365.domain"].exit_code == 5


def test_licences_that_are_absent_suspended_full_or_without_a_mailbox_are_found(memory):
    memory.add_sku("FLOW_FREE", 10, plans=("FLOW",))
    memory.add_sku("FULL", 0)
    gone = memory.add_sku("GONE", 5)
    memory.bought[gone.id] = replace(gone, enabled=False)
    names = {"bureau": "standardpack", "a": "STANDARTPACK", "b": "FLOW_FREE", "c": "FULL", "d": "GONE"}
    findings = found(Reader(memory), its_policy=policy(licences=names))
    states = {name: findings[f"m365.licence.{name}"].state for name in names}
    assert states == {"bureau": "ok", "a": "problem", "b": "problem", "c": "warning", "d": "problem"}
    assert "STANDARDPACK" in str(findings["m365.licence.a"].next_step)


def test_a_service_mailbox_that_is_nobodys_or_not_ready_is_found(memory):
    assert found(Reader(memory), settings(sender="nobody@douanes.lab"))["m365.sender"].exit_code == 5
    memory.add_user(CloudUser("u2", "new@douanes.lab", None, "N", None, None, None, True, None, False, None))
    assert found(Reader(memory), settings(sender="new@douanes.lab"))["m365.sender"].state == "problem"
    assert found(Reader(memory), settings(sender=None))["m365.sender"].state == "ok"


def test_an_answer_that_does_not_come_is_3_and_the_others_are_told(memory):
    findings = found(Reader(memory, errors=("skus",)))
    assert findings["m365.licences"].exit_code == ExitCode.UNREACHABLE
    assert findings["m365.sender"].state == "ok"
    findings = found(Reader(memory, errors=("tenant",)))
    assert findings["m365.tenant"].exit_code == ExitCode.UNREACHABLE
    assert "m365.permissions.mailbox.create" in findings


def test_a_tenant_that_cannot_be_read_is_not_given_the_permissions_of_the_other_kind_of_tenant(memory):
    told = [
        one
        for one in found(Reader(memory, roles=frozenset(), errors=("tenant",))).values()
        if "permissions" in one.name
    ]
    assert told
    assert not any("User-PasswordProfile" in str(one.found) for one in told)


class Directory:
    endpoint = SimpleNamespace(user="svc-comptes@ad.douanes.lab")

    def __init__(self, *present):
        self._present = present

    def exists(self, dn):
        return dn in self._present


def sites(*units):
    return [SimpleNamespace(code=f"S{n}", user_ou=unit) for n, unit in enumerate(units)]


def test_the_account_that_writes_is_tried_and_the_ous_are_looked_for():
    findings = list(
        directory_findings(policy(), sites("OU=A", "OU=B", None), lambda: Directory("OU=Partis,DC=ad", "OU=A"))
    )
    assert [(item.name, item.state, int(item.exit_code)) for item in findings] == [
        ("directory.write", "ok", 0),
        ("directory.ou", "problem", 5),
    ]
    assert "OU=B" in str(findings[1].found)


@pytest.mark.parametrize(("error", "code"), [(UnreachableError, 3), (UsageError, 2)])
def test_an_account_that_cannot_sign_in_is_found(error, code):
    def writer():
        raise error(T("No."))

    (finding,) = directory_findings(policy(), [], writer)
    assert (finding.state, finding.exit_code) == ("problem", code)


def tool(make, engine, memory, **inventory):
    toolkit = make.toolkit(engine)
    toolkit.inventory = SimpleNamespace(tenant=settings(), accounts=policy(), sites={}, **inventory)

    def endpoint(_):
        raise UnreachableError(T("The directory does not answer."))

    look = SimpleNamespace(tenant=lambda: Reader(memory, frozenset()), directory_endpoint=endpoint)
    toolkit.equipment = SimpleNamespace(look=lambda: look)
    return toolkit


def test_the_worst_finding_is_the_exit_code_and_json_has_them_all(dsi, engine, make, memory):
    answer = dsi("doctor", "m365", "--json", toolkit=tool(make, engine, memory))
    assert answer.code == 5
    names = {finding["name"]: finding["state"] for finding in answer.json["findings"]}
    assert names["m365.permissions.mailbox.create"] == names["directory.write"] == "problem"
    assert "✗" in dsi("doctor", "m365", toolkit=tool(make, engine, memory)).out


def test_a_part_nobody_knows_is_a_usage_error(dsi):
    assert dsi("doctor", "m356").code == 2


def test_without_the_extra_the_command_that_installs_it_is_told(dsi, engine, make, memory):
    toolkit = tool(make, engine, memory)

    def absent():
        raise UsageError(T("Microsoft 365 is not available."), next_step=T("pip install"))

    toolkit.equipment = SimpleNamespace(look=lambda: SimpleNamespace(tenant=absent))
    answer = dsi("doctor", "m365", toolkit=toolkit)
    assert answer.code == 2
    assert "pip install" in answer.err


def test_without_the_variables_they_are_named(dsi, engine, make, memory):
    toolkit = tool(make, engine, memory)

    class Inventory:
        @property
        def tenant(self):
            raise InventoryError([Problem("all.yml", "dsi_m365", T("It is missing."))])

    toolkit.inventory = Inventory()
    answer = dsi("doctor", "m365", toolkit=toolkit)
    assert answer.code == 2
    assert "dsi_m365" in answer.err


def test_the_how_to_names_every_permission_the_operations_may_need_and_no_other():
    page = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "mailbox-accounts.md"
    named = set(re.findall(r"(?m)^\| `([A-Z][\w-]+(?:\.\w+)+)` \|", page.read_text()))
    assert named == {NEEDS[call].least for calls in OPERATIONS.values() for call in calls}


HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("msgraph", "azure", "kiota_abstractions"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
from dsi_automation.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("words", [["doctor", "m365"], ["licence", "list"]])
def test_a_site_without_the_extra_is_told_in_a_sentence(words, tmp_path):
    from dsi_automation.inventory.init import init

    home = tmp_path / "inventory"
    init(home)
    answer = subprocess.run(
        [sys.executable, "-c", HIDE, "-I", str(home), "--lang", "en", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "dsi-automation[m365]" in answer.stderr
    assert "Traceback" not in answer.stderr
