"""`approval_policy.yml` read and checked, and whether the people there are can satisfy it. Default deny."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.model import ApprovalPolicy, Environment, Rule
from dsi_automation.inventory.people import People
from dsi_automation.inventory.yamlfile import read_yaml

FILE: Final = "approval_policy.yml"


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """A rule that the people of the inventory cannot follow, or not all of them.

    Attributes:
        path: where in the file, `operations.workstation.join.production`.
        blocking: true when nobody at all can use the rule.
    """

    path: str
    text: Text
    blocking: bool


def load_policy(path: Path) -> ApprovalPolicy:
    """Read and check a policy file.

    Raises:
        UsageError: it cannot be read. InventoryError: with everything that is wrong in it.
    """
    return read_yaml(path).validate(ApprovalPolicy)


def rule_for(policy: ApprovalPolicy, operation: str, environment: Environment) -> Rule | None:
    """Return what an operation needs in an environment; None means refused."""
    return policy.operations.get(operation, {}).get(environment)


def unsatisfiable(policy: ApprovalPolicy, people: People, at: datetime) -> list[PolicyFinding]:
    """Return the rules that cannot be followed with the keys that are good at that moment."""
    return [
        PolicyFinding(f"operations.{operation}.{environment}", text, blocking)
        for operation, rules in policy.operations.items()
        for environment, rule in rules.items()
        for text, blocking in _findings(rule, people, at)
    ]


def _findings(rule: Rule, people: People, at: datetime) -> Iterator[tuple[Text, bool]]:
    yield from _unknown_roles(rule, people)
    requesters, approvers = people.with_role(rule.requesters, at), people.with_role(rule.approvers, at)
    if not requesters:
        yield T("nobody with a good key may ask for it (roles: {roles}).", roles=", ".join(rule.requesters)), True
        return
    stuck = [person.id for person in requesters if sum(a.id != person.id for a in approvers) < rule.approvals]
    if stuck:
        text = TN(
            "it takes {n} person to approve, other than the one who asks; too few can when these ask: {ids}.",
            "it takes {n} persons to approve, other than the one who asks; too few can when these ask: {ids}.",
            rule.approvals,
            ids=", ".join(stuck),
        )
        yield text, len(stuck) == len(requesters)
    if rule.emergency is not None:
        actors = people.with_role(rule.emergency.roles, at)
        ratifiers = people.with_role(rule.emergency.ratifiers, at)
        if not any(actor.id != ratifier.id for actor in actors for ratifier in ratifiers):
            yield T("nobody could ratify an emergency that somebody else began."), True


def _unknown_roles(rule: Rule, people: People) -> Iterator[tuple[Text, bool]]:
    named = {*rule.requesters, *rule.approvers}
    if rule.emergency is not None:
        named |= {*rule.emergency.roles, *rule.emergency.ratifiers}
    for role in sorted(named - people.roles):
        yield T("nobody has the role {role}, and people.yml does not name it.", role=role), False
