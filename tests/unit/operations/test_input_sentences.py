"""Inputs that do not go together are refused with a sentence that says so, never with a library's own words."""

from types import SimpleNamespace

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.engine.operation import TargetKind
from dsi_automation.engine.registry import known_targets, validated
from dsi_automation.operations.accounts.check import MailboxCheck
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.people import MOST_ROWS
from dsi_automation.operations.workstation.join import WorkstationJoin

PERSON = {"matricule": "300101A", "last_name": "N’GUESSAN", "first_names": "Éric", "contact": "0707070707"}


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        (MailboxCreate(), {**PERSON, "people": [PERSON]}, "people : plusieurs personnes et les références d’une seule"),
        (MailboxCreate(), {"people": [PERSON] * (MOST_ROWS + 1)}, f"people : {MOST_ROWS} personnes au plus"),
        (WorkstationJoin(), {"user": "awa", "users": {"ws1": "awa"}}, "users : user et users s’excluent"),
        (WorkstationJoin(), {"users": "ws1"}, "users : MACHINE:IDENTIFIANT"),
        (WorkstationJoin(), {"local_user": "awa"}, "local_user : il va avec user"),
        (WorkstationJoin(), {"repair_profile": True}, "repair_profile : il va avec user ou users"),
    ],
)
def test_what_does_not_go_together_is_said_in_the_reader_s_language(operation, given, words):
    with pytest.raises(UsageError) as refused:
        validated(operation, given)
    told = refused.value.what.render("fr").replace("\u00a0", " ")
    assert words in told
    assert "value_error" not in told


def test_a_name_no_account_can_have_is_not_said_to_be_missing_from_the_inventory():
    operation, parts = MailboxCheck(), SimpleNamespace(targets={TargetKind.ACCOUNT: {"100001A": "training"}})
    with pytest.raises(UsageError) as refused:
        known_targets(parts, operation, ["100001A", "x\ty"], validated(operation, {}))
    assert "Aucun compte ne peut s’appeler x" in refused.value.what.render("fr")
    assert "100001A" not in refused.value.what.render("fr")
