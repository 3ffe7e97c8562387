"""What who asked for a login, by hierarchy, is told: that it is done, or that the request is inadmissible; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dsi_automation.composition.application_mails import Mail, mail
from dsi_automation.core.text import T, Text
from dsi_automation.operations.applications.account_inputs import Case, address_of

if TYPE_CHECKING:
    from dsi_automation.inventory.application_model import RequiredDocument


def requester_address(inputs: Mapping[str, Any]) -> str | None:
    """Return where who asked is told, by the inputs of `application.account`; None where nobody was named."""
    requester = inputs.get("requester")
    return address_of(requester) if isinstance(requester, str) else None


def done_mail(prefix: str, target: str, title: str, inputs: Mapping[str, Any], *, password: bool) -> Mail:
    """Return what who asked is told when the login is done; the password is never in a mail.

    Args:
        password: whether the application has passwords of its own; else it is that of Windows.
    """
    case = Case(inputs["case"])
    facts = {"prefix": prefix, "login": target.rpartition("@")[0], "title": title, "done": _DONE[case]}
    lines: list[object] = [T("{title}: the login {login} is {done}.", **facts)]
    lines += [T("{name}: {value}", name=name, value=value) for name, value in _facts(inputs)]
    if case is not Case.DISABLE and password:
        lines += [
            "",
            T("Its default password is handed to the person in person, and must be changed at the first login."),
        ]
    return mail(T("{prefix} {title}: login {login} {done}", **facts), lines)


def inadmissible_mail(
    prefix: str, target: str, title: str, case: Case, lacking: Sequence[RequiredDocument], comment: str | None
) -> Mail:
    """Return what who asked is told when documents are missing."""
    facts = {"prefix": prefix, "login": target.rpartition("@")[0], "title": title, "what": _ASKED[case]}
    lines: list[object] = [
        T("Your request is inadmissible: {what} {login} of {title}.", **facts),
        "",
        T("These documents are missing:"),
        *(f"- {document.title}" for document in lacking),
        *(["", T("Comment: {comment}", comment=comment)] if comment else []),
        "",
        T("Nothing was done. Please send the request again, by hierarchy, with all its documents."),
    ]
    return mail(T("{prefix} INADMISSIBLE — {title}: {what} {login}", **facts), lines)


def _facts(inputs: Mapping[str, Any]) -> list[tuple[Text, str]]:
    named = (("name", T("Name")), ("profile", T("Profile")), ("office", T("Office")))
    found = [(title, str(inputs[name])) for name, title in named if inputs.get(name)]
    documents = inputs.get("documents") or {}
    references = ", ".join(f"{name} {reference}" for name, reference in sorted(documents.items()))
    return [*found, (T("Documents"), references)] if references else found


_DONE = {Case.CREATE: T("created"), Case.CHANGE: T("changed"), Case.DISABLE: T("disabled")}
_ASKED = {
    Case.CREATE: T("creation of the login"),
    Case.CHANGE: T("change of the login"),
    Case.DISABLE: T("disabling of the login"),
}
