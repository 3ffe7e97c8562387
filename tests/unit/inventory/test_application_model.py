"""What the inventory says of applications, sources and rule sets: refused when its parts do not fit together."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from dsi_automation.core.text import speaking
from dsi_automation.inventory.application_model import Application
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.inventory.source_model import Sources

STEP = {"path": "/sydam/", "expect": "SYDAM"}
SERVER = {
    "name": "app1",
    "host": "app1",
    "port": 8080,
    "service": {"kind": "systemd", "unit": "sydam.service"},
}
APPLICATION = {
    "title": "SYDAM World",
    "servers": [SERVER, {**SERVER, "name": "app2", "host": "app2"}],
    "connection_test": {"credential": "essai", "page": STEP, "login": STEP, "query": STEP, "logout": STEP},
}
STAGES = [
    {"name": "test", "application": "sydam-test", "acceptors": ["section_head"]},
    {"name": "production", "application": "sydam", "acceptors": ["director"], "needs_backup": "24h"},
]
SOURCES = {
    "title": "SYDAM World",
    "releases": {"kind": "archives", "folder": "/srv/releases"},
    "allowed_signers": "signers",
    "stages": STAGES,
}
RULES = {
    "title": "Tarif",
    "application": "sydam",
    "table": "tarif",
    "key": ["position"],
    "columns": {"position": {"pattern": r"\d{10}"}, "dd": {"type": "decimal"}},
}


def test_what_is_not_said_has_a_default_that_is_safe():
    made = Application.model_validate(APPLICATION)
    assert made.environment.value == "production"
    assert made.notice.countdown[0] == timedelta(minutes=15)
    assert made.when_not_conclusive.then == "person"
    assert made.server("app2").host == "app2"


@pytest.mark.parametrize(
    ("model", "value", "word"),
    [
        (Application, {**APPLICATION, "servers": [SERVER, SERVER]}, "share a name"),
        (Application, {**APPLICATION, "servers": []}, "at least 1"),
        (Application, {**APPLICATION, "notice": {"countdown": ["1m", "15m"]}}, "longest first"),
        (Application, {**APPLICATION, "notice": {"message": {"show": "UPDATE a", "clear": "UPDATE a"}}}, "a database"),
        (Application, {**APPLICATION, "planned_hours": "le soir"}, "pattern"),
        (Sources, {**SOURCES, "stages": [STAGES[0], {**STAGES[1], "name": "test"}]}, "share a name"),
        (Sources, {**SOURCES, "stages": [STAGES[0], {**STAGES[1], "application": "sydam-test"}]}, "an application"),
        (RuleSet, {**RULES, "key": ["autre"]}, "no such column"),
        (RuleSet, {**RULES, "table": "tarif; DROP TABLE tarif"}, "pattern"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_the_reason(model, value, word):
    with speaking("en"):
        with pytest.raises(ValidationError) as refused:
            model.model_validate(value)
        assert word in str(refused.value)


def test_the_documents_of_each_case_are_those_of_the_guide():
    accounts = {"store": {"kind": "ldap", "groups": {"agent": "CN=Agents,DC=x"}}}
    made = Application.model_validate({**APPLICATION, "accounts": accounts}).accounts
    assert [one.name for one in made.documents.create] == ["lettre", "fiche", "affectation", "agrement", "identite"]
    assert [one.name for one in made.documents.change] == ["lettre", "affectation", "identite"]
    assert [one.name for one in made.documents.disable] == ["lettre", "cessation"]
    assert [one.name for one in made.documents.create if one.unless_staff] == ["agrement"]
