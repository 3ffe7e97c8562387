"""The independent look after `workstation.join`: LDAP as the reading account, CIM in new sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dsi_automation.connectors.directory.names import parent, same_dn
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.inventory.naming import matches
from dsi_automation.operations.tools import Look
from dsi_automation.operations.workstation import profile_repair
from dsi_automation.operations.workstation.facts import WorkstationFacts, read_facts
from dsi_automation.operations.workstation.join_plan import Wish


def verify(plan: Plan, wish: Callable[[str], Wish], look: Look, observer: Observer) -> Sequence[Check]:
    """Return what each machine of the plan and its object in the directory look like now."""

    def one(target: str) -> list[Check]:
        wanted = wish(target)
        with look.windows(target) as machine:
            facts = read_facts(machine, profiles=wanted.user is not None, repairs=wanted.repair)
        on_it = [*_machine(target, facts, plan, look), *_object(target, facts, look)]
        return [*on_it, *_profile(target, facts, plan), *_repair(target, facts, plan)]

    seen = fan_out(plan.targets, one, workers=look.workers, deadline=look.deadline, observer=observer)
    checks = [check for target in plan.targets for check in seen.results.get(target, [])]
    return checks + [_unseen(target, error) for target, error in seen.failures.items()]


def _machine(target: str, facts: WorkstationFacts, plan: Plan, look: Look) -> Iterator[Check]:
    source, rule = "CIM Win32_ComputerSystem", look.sites[target].naming
    renamed = next((str(a.args["to"]) for a in plan.actions_for(target) if a.kind == "rename"), None)
    right = facts.name.upper() == renamed.upper() if renamed else matches(rule, facts.name)
    yield _check(target, "name", T("Name"), renamed or rule.template, facts.name, source, ok=right)
    domain = look.directory_settings.domain
    yield _check(
        target, "domain", T("Domain"), domain, facts.domain if facts.joined else "-", source,
        ok=facts.joined and facts.domain.lower() == domain.lower(),
    )  # fmt: skip
    waiting = [reason for reason in facts.reboot_reasons if reason in {"rename", "join"}]
    yield _check(
        target, "reboot", T("Pending restart"), "-", ", ".join(waiting) or "-", "CIM StdRegProv", ok=not waiting
    )


def _object(target: str, facts: WorkstationFacts, look: Look) -> Iterator[Check]:
    directory, wanted = look.directory(), look.sites[target].workstation_ou
    source = f"LDAP {directory.endpoint.server}"
    computer = directory.computer(facts.name)
    where = "" if computer is None else parent(computer.dn)
    yield _check(
        target, "ou", T("Organisational unit"), wanted, where or "-", source,
        ok=computer is not None and same_dn(where, wanted),
    )  # fmt: skip
    enabled = computer is not None and computer.enabled
    yield _check(
        target, "enabled", T("Computer account enabled"), str(T("yes")), str(T("yes") if enabled else T("no")), source,
        ok=enabled,
    )  # fmt: skip


def _profile(target: str, facts: WorkstationFacts, plan: Plan) -> Iterator[Check]:
    for action in plan.actions_for(target):
        if action.kind == "migrate_profile":
            owner = next(
                (p.sid for p in facts.profiles if p.path.casefold() == str(action.args["path"]).casefold()), "-"
            )
            wanted = str(action.args["to_sid"])
            yield _check(
                target, "profile", T("Owner of the profile {path}", path=action.args["path"]), wanted, owner,
                "CIM Win32_UserProfile", ok=owner == wanted,
            )  # fmt: skip


def _repair(target: str, facts: WorkstationFacts, plan: Plan) -> Iterator[Check]:
    for action in plan.actions_for(target):
        if action.kind == profile_repair.KIND:
            before = str(action.args["from_sid"])
            mark = facts.repaired.get(str(action.args["to_sid"]), "-")
            title = T("Rights of {path} repaired after", path=action.args["path"])
            yield _check(target, "repair", title, before, mark, "CIM StdRegProv", ok=mark == before)


def _check(target: str, name: str, title: Text, expected: str, observed: str, source: str, *, ok: bool) -> Check:
    return Check(target, name, title, expected, observed, ok, source)


def _unseen(target: str, error: DsiError) -> Check:
    return _check(target, "look", T("The machine answers"), str(T("yes")), str(error.what), "CIM", ok=False)
