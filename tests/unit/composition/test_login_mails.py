"""Who asked for a login by hierarchy is told that it is done, or which documents are missing; never a password."""

from typing import Any

import pytest

from dsi_automation.composition.login_mails import done_mail, inadmissible_mail, requester_address
from dsi_automation.core.text import speaking
from dsi_automation.inventory.application_model import Documents
from dsi_automation.operations.applications.account_inputs import Case

INPUTS: dict[str, Any] = {
    "case": "create", "name": "KONÉ Awa", "profile": "agent", "office": None, "documents": {"lettre": "n° 12"},
    "requester": "Yao Kouassi <y.kouassi@douanes.example>",
}  # fmt: skip


def test_who_asked_is_told_what_was_done_and_where_the_password_is_given() -> None:
    with speaking("fr"):
        subject, body = done_mail("[DSI]", "kone.a@sydam", "SYDAM World", INPUTS, password=True)
    assert subject == "[DSI] SYDAM World : login kone.a créé"
    assert "Profil : agent" in body
    assert "lettre n° 12" in body
    assert "en main propre" in body


@pytest.mark.parametrize(("case", "password"), [("disable", True), ("create", False)])
def test_no_default_password_is_promised_where_there_is_none(case: str, password: bool) -> None:
    with speaking("fr"):
        _, body = done_mail("[DSI]", "kone.a@sydam", "SYDAM World", {**INPUTS, "case": case}, password=password)
    assert "mot de passe" not in body


def test_an_inadmissible_request_is_answered_with_every_missing_document() -> None:
    lacking = Documents().disable
    with speaking("fr"):
        subject, body = inadmissible_mail("[DSI]", "kone.a@sydam", "SYDAM World", Case.DISABLE, lacking, "Voir la DRH")
    assert "IRRECEVABLE" in subject
    assert all(f"- {document.title}" in body for document in lacking)
    assert "Voir la DRH" in body


@pytest.mark.parametrize("requester", [None, "Yao Kouassi", 3])
def test_where_nobody_was_named_nobody_is_told(requester: Any) -> None:
    assert requester_address({**INPUTS, "requester": requester}) is None
    assert requester_address(INPUTS) == "y.kouassi@douanes.example"
