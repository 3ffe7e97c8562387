"""`account.disable` and `directory.check` on a real Active Directory, the tenant in memory synchronised from it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from dsi_automation.cli.views import report_exit_code
from dsi_automation.connectors.m365.memory import MemoryTenant
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.events import Silent
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.engine.operation import ALL
from dsi_automation.inventory.account_model import AccountPolicy, HelpDesk, TenantSettings
from dsi_automation.inventory.model import NamingRule, Site
from dsi_automation.operations.accounts.disable import AccountDisable, DisableInputs
from dsi_automation.operations.directory.check import DirectoryCheck, DirectoryCheckInputs


class Stage:
    """Both halves over the lab's directory and a tenant in memory."""

    def __init__(self, people):
        self.people = people
        self.tenant_ = MemoryTenant(directory=lambda: self.accounts().all_accounts(), on_demand=True)
        self.clock = SystemClock()
        self.account_policy = AccountPolicy(
            domain="douanes.lab",
            write_credential="x",
            licence="bureau",
            licences={"bureau": "STANDARDPACK"},
            leavers_ou=people.leavers,
            service_ous=(f"OU=Services,{people.leavers.partition(',')[2]}",),
            staff_number="[0-9A-Z-]+",
            help_desk=HelpDesk(name="Hotline"),
        )
        self.has_tenant = True
        self.tenant_settings = TenantSettings(
            tenant_id="t", client_id="c", managed_identity=True, poll=timedelta(seconds=1)
        )
        self.directory_settings = SimpleNamespace(domain="ad.douanes.lab")
        self.site_codes = {code: self._site(code) for code in ("ABJ", "SPY", "BKE")}
        self.look = self

    def _site(self, code):
        base = self.people.leavers.partition(",")[2]
        return Site(
            code=code,
            name=code,
            workstation_ou=f"OU=Postes,OU={code},OU=Sites,{base}",
            naming=NamingRule(template=code + "-PC-{number:04}"),
            user_ou=f"OU=Utilisateurs,OU={code},OU=Sites,{base}",
        )

    def accounts(self):
        return self.people.reader()

    def tenant(self):
        return self.tenant_.reader()

    @property
    def hands(self):
        writer, tenant = self.people.writer(), self.tenant_.writer(self.people.permit)
        return SimpleNamespace(look=self, accounts=lambda: writer, tenant=lambda: tenant)


@pytest.fixture
def stage(real_people):
    return Stage(real_people)


def plan_of(stage, *targets):
    operation, given = AccountDisable(), DisableInputs()
    return operation.plan(targets, given, operation.observe(targets, given, stage, Silent()))


def test_a_leaver_is_closed_in_both_and_a_second_run_changes_nothing(stage):
    people = stage.people
    made, writer = people.made(), people.writer()
    writer.set_password(made.guid, people.password())
    writer.enable(made.guid)
    stage.tenant_.synchronise()
    plan = plan_of(stage, made.staff_number)
    assert [action.kind for action in plan.actions] == [
        "disable_account", "revoke_sessions", "synchronise", "move_to_leavers",
    ]  # fmt: skip
    for action in plan.actions:
        AccountDisable().act(action, DisableInputs(), stage.hands, Silent())
    dn, enabled, _ = people.state_of(made.login)
    assert (dn.endswith(people.leavers), enabled) == (True, False)
    assert all(check.ok for check in AccountDisable().verify(plan, DisableInputs(), stage, Silent()))
    assert plan_of(stage, made.login).actions == ()
    assert set(people.permit.asked) >= {made.staff_number}


def test_the_administrator_and_the_service_accounts_are_not_touched(stage):
    plan = plan_of(stage, "Administrator", "svc-lecture")
    assert plan.actions == ()
    assert {blocker.target for blocker in plan.blockers} == {"Administrator", "svc-lecture"}


def test_the_report_finds_who_breaks_which_rule_and_leaves_the_rest_alone(stage):
    people = stage.people
    wrong = people.made(1, mark="autre")
    people.made(2, ou=people.leavers)
    computer = f"{people.prefix}PC"
    people.ldif(
        f"dn: CN={computer},{people.abj}\nobjectClass: computer\nsAMAccountName: {computer}$\n"
        "userAccountControl: 69632\n"
    )
    report = DirectoryCheck().check((ALL,), DirectoryCheckInputs(), stage, Silent())
    mine = {
        (one.target, one.name) for one in report.checks if people.prefix.lower() in one.target.lower() and not one.ok
    }
    login = wrong.login
    assert {pair for pair in mine if pair[1] != "cn"} == {
        (login, "disabled"), (computer, "computer_name"), (computer, "computer_ou"), (computer, "never_expires"),
    }  # fmt: skip
    assert report_exit_code(report) is ExitCode.NOT_COMPLIANT
    assert not {"svc-lecture", "krbtgt", "Administrator", "DC1"} & set(report.targets)
