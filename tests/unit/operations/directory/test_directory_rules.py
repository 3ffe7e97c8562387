"""`directory.check` on a directory in memory: each rule broken alone, and nothing said of who breaks none."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dsi_automation.cli.views import report_exit_code
from dsi_automation.connectors.directory.memory_accounts import MemoryAccounts
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.events import Silent
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.engine.operation import ALL
from dsi_automation.inventory.account_model import AccountPolicy, HelpDesk
from dsi_automation.inventory.model import NamingRule, Site
from dsi_automation.operations.directory.check import DirectoryCheck, DirectoryCheckInputs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BASE = "DC=ad,DC=douanes,DC=lab"
LEAVERS, SERVICES = f"OU=Partis,{BASE}", f"OU=Services,{BASE}"
OLD = NOW - timedelta(days=200)


class Standing:
    """A clock that stands still."""

    def now(self):
        return NOW


def unit(kind, code):
    return f"OU={kind},OU={code},OU=Sites,{BASE}"


def site(code):
    rule = NamingRule(template=code + "-PC-{number:04}")
    return Site(
        code=code, name=code, workstation_ou=unit("Postes", code), naming=rule, user_ou=unit("Utilisateurs", code)
    )


@pytest.fixture
def directory():
    return MemoryAccounts(clock=Standing())


def check(directory, *sites, **inputs):
    policy = AccountPolicy(
        domain="douanes.lab",
        write_credential="x",
        licence="bureau",
        licences={"bureau": "STANDARDPACK"},
        leavers_ou=LEAVERS,
        service_ous=(SERVICES,),
        help_desk=HelpDesk(name="Hotline"),
    )
    look = SimpleNamespace(
        site_codes={code: site(code) for code in ("ABJ", "SPY")},
        account_policy=policy,
        clock=Standing(),
        accounts=directory.reader,
        directory_settings=SimpleNamespace(domain="ad.douanes.lab"),
    )
    return DirectoryCheck().check(sites or (ALL,), DirectoryCheckInputs(**inputs), look, Silent())


def broken(report):
    return {(one.target, one.name) for one in report.checks if not one.ok}


def person(directory, number="100001A", ou=None, **changes):
    given = {"name": f"KONÉ Awa {number}", "staff_number": number, "created_at": OLD, "last_logon": NOW}
    return directory.add_account(number.lower(), ou or unit("Utilisateurs", "ABJ"), **{**given, **changes})


def computer(directory, name="ABJ-PC-0001", ou=None, **changes):
    given = {"created_at": OLD, "last_logon": NOW}
    return directory.add_computer(name, ou or unit("Postes", "ABJ"), **{**given, **changes})


def test_who_keeps_to_the_rules_is_one_light_check_each_and_the_exit_code_is_zero(directory):
    computer(directory)
    person(directory)
    person(directory, "100002B", LEAVERS, enabled=False, last_logon=OLD)
    report = check(directory)
    assert [(one.target, one.ok) for one in report.checks] == [
        ("100001a", True), ("100002b", True), ("ABJ-PC-0001", True),
    ]  # fmt: skip
    assert report_exit_code(report) is ExitCode.DONE
    assert report.facts["ABJ-PC-0001"]["site"] == "ABJ"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"name": "DESKTOP-7F3K2Q1"}, "computer_name"),
        ({"ou": unit("Postes", "SPY")}, "computer_ou"),
        ({"ou": f"CN=Computers,{BASE}"}, "computer_ou"),
        ({"last_logon": None}, "never_logged_on"),
        ({"last_logon": None, "enabled": False}, "never_logged_on"),
        ({"last_logon": OLD}, "idle"),
        ({"never_expires": True}, "never_expires"),
    ],
)
def test_a_computer_that_breaks_one_rule_is_told_by_that_rule_with_its_dn(directory, changes, rule):
    made = computer(directory, **changes)
    report = check(directory)
    assert broken(report) == {(made.name, rule)}
    assert [one.source for one in report.checks] == [made.dn]
    assert report_exit_code(report) is ExitCode.NOT_COMPLIANT


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ou": f"CN=Users,{BASE}"}, "user_ou"),
        ({"staff_number": None}, "staff_number"),
        ({"staff_number": "AB12"}, "staff_number"),
        ({"last_logon": None}, "never_logged_on"),
        ({"last_logon": OLD}, "idle"),
        ({"never_expires": True}, "never_expires"),
        ({"enabled": False}, "disabled"),
        ({"ou": LEAVERS}, "enabled_leaver"),
        ({"enabled": False, "mark": "dsi mailbox.create"}, "disabled"),
    ],
)
def test_an_account_that_breaks_one_rule_is_told_by_that_rule_with_its_dn(directory, changes, rule):
    made = person(directory, **changes)
    report = check(directory)
    assert broken(report) == {(made.login, rule)}
    assert [one.source for one in report.checks] == [made.dn]
    assert report_exit_code(report) is ExitCode.NOT_COMPLIANT


def test_two_accounts_with_one_staff_number_are_both_told(directory):
    person(directory)
    directory.add_account(
        "100001b", unit("Utilisateurs", "SPY"), staff_number="100001a", name="X 100001a", last_logon=NOW
    )
    assert {one for one in broken(check(directory)) if one[1] == "same_staff_number"} == {
        ("100001a", "same_staff_number"), ("100001b", "same_staff_number"),
    }  # fmt: skip


def test_names_from_before_the_rule_are_warnings_and_no_fault(directory):
    directory.add_account(
        "awa.kone", unit("Utilisateurs", "ABJ"), staff_number="100001A", created_at=OLD, last_logon=NOW
    )
    report = check(directory)
    assert broken(report) == {("awa.kone", "login"), ("awa.kone", "cn")}
    assert report_exit_code(report) is ExitCode.DONE


def test_new_objects_have_the_grace_they_were_asked_with(directory):
    fresh = NOW - timedelta(days=10)
    computer(directory, created_at=fresh, last_logon=None, enabled=False)
    person(directory, created_at=fresh, last_logon=None)
    person(directory, "100002B", created_at=fresh, last_logon=None, enabled=False, mark="dsi mailbox.create")
    assert broken(check(directory)) == set()
    assert len(broken(check(directory, grace_days=5))) == 3


def test_a_last_logon_that_may_merely_lag_is_not_called_too_old(directory):
    person(directory, last_logon=NOW - timedelta(days=100))
    person(directory, "100002B", last_logon=NOW - timedelta(days=105))
    assert broken(check(directory)) == {("100002b", "idle")}


def test_what_is_in_the_units_of_service_accounts_is_left_out(directory):
    person(directory, ou=f"OU=Applications,{SERVICES}", staff_number=None)
    computer(directory, "SRV-FICHIERS", SERVICES)
    assert check(directory).targets == ()


def test_a_site_is_its_units_and_the_computers_named_after_it_wherever_they_are(directory):
    computer(directory, "ABJ-PC-0001")
    computer(directory, "ABJ-PC-0002", f"CN=Computers,{BASE}")
    computer(directory, "DESKTOP-1", unit("Postes", "ABJ"))
    computer(directory, "SPY-PC-0001", unit("Postes", "SPY"))
    person(directory, "100001A", f"OU=Douane,{unit('Utilisateurs', 'ABJ')}")
    person(directory, "100002B", unit("Utilisateurs", "SPY"))
    person(directory, "100003C", LEAVERS, enabled=False)
    assert check(directory, "ABJ").targets == ("100001a", "ABJ-PC-0001", "ABJ-PC-0002", "DESKTOP-1")
    assert check(directory, "SPY", "ABJ").targets == (
        "100001a", "100002b", "ABJ-PC-0001", "ABJ-PC-0002", "DESKTOP-1", "SPY-PC-0001",
    )  # fmt: skip
    assert len(check(directory).targets) == 7


def test_an_object_in_the_wrong_unit_concerns_the_site_it_is_in_and_the_one_it_belongs_to(directory):
    computer(directory, "SPY-PC-0001", unit("Postes", "ABJ"))
    computer(directory, "SPY-PC-0002", unit("Utilisateurs", "ABJ"))
    person(directory, "100001A", unit("Postes", "ABJ"))
    assert check(directory, "ABJ").targets == ("100001a", "SPY-PC-0001", "SPY-PC-0002")
    assert check(directory, "SPY").targets == ("SPY-PC-0001", "SPY-PC-0002")


def test_a_computer_and_an_account_of_one_name_are_two_objects(directory):
    directory.add_account("ABJ-PC-0001", unit("Utilisateurs", "ABJ"), staff_number="100001A", last_logon=NOW)
    computer(directory)
    assert check(directory).targets == ("ABJ-PC-0001", "ABJ-PC-0001$")


def test_a_directory_that_is_away_is_a_failure_of_what_was_asked(directory):
    directory.fault = UnreachableError
    assert set(check(directory, "ABJ").failures) == {"ABJ"}
    report = check(directory)
    assert set(report.failures) == {"ad.douanes.lab"}
    assert report_exit_code(report) is ExitCode.UNREACHABLE
