"""`dsi application account ...`: logins of an application, with the documents each case requires (procedure L)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import click

from dsi_automation.cli.asking import DETAILS, Wish
from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import Session, session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import TN, T, Text

CASES: Final = ("create", "change", "disable")
LOGIN: Final = argument("login", metavar=T("LOGIN@APPLICATION"), help=T("The login: kone.a@sydam."))
CASE_WORDS: Final[dict[str, Text]] = {
    "create": T("creation"),
    "change": T("change"),
    "disable": T("disabling"),
}
_CASE: Final = argument("case", type=click.Choice(CASES), metavar="create|change|disable", help=T("What is asked."))
_DOCUMENT: Final = option(
    "--document",
    "documents",
    multiple=True,
    metavar=T("NAME=REFERENCE"),
    help=T("A document that came with the request; “dsi application account documents” lists those needed."),
)
_REQUESTER: Final = option(
    "--requester", metavar=T("NAME <ADDRESS>"), help=T("Who asked, by hierarchy, and is told of the end by mail.")
)
_EXTERNAL: Final = option("--external", is_flag=True, help=T("Not a customs officer: one more document is needed."))
_PERSON: Final = (
    option("--name", metavar=T("NAME"), help=T("Name of the person.")),
    option("--profile", metavar=T("NAME"), help=T("Profile, one of those of dsi_applications.")),
    option("--office", metavar=T("NAME"), help=T("Office the person works at.")),
)

account = Group(
    "account",
    help=T("Plan logins: create, change, disable; the documents each needs."),
    options_metavar=OPTIONS,
)


def _asking(case: str, help_: Text, *, person: bool) -> click.Command:
    def plan(login: str, documents: tuple[str, ...], *, details: bool, external: bool, **given: Any) -> int:
        words = [f"case={case}", *(f"{name}={value}" for name, value in given.items() if value is not None)]
        words += ["external=true"] if external else []
        if documents:
            words.append(f"documents={json.dumps(pairs(documents), ensure_ascii=False)}")
        return run_plan(session(), Wish("application.account", (login,), tuple(words)), details=details)

    function: Callable[..., Any] = DETAILS(plan)
    for decorate in (_EXTERNAL, _REQUESTER, _DOCUMENT, *(reversed(_PERSON) if person else ()), LOGIN):
        function = decorate(function)
    return command(case, help_)(function)


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Return documents by name, as they were typed.

    Raises:
        UsageError: one has no reference, or is given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, _, reference = (part.strip() for part in word.partition("="))
        if not name or not reference or name in found:
            raise UsageError(
                T("“{word}” is not a document with its reference, or comes twice.", word=word),
                next_step=T("Write --document lettre='n° 123 du 20/11/2026'."),
            )
        found[name] = reference
    return found


@command("documents", T("List the documents that each case requires."))
@argument("application", metavar=T("APPLICATION"), help=T("A name of dsi_applications."))
def documents_(application: str) -> int:
    """List documents."""
    current = session()
    accounts = _accounts(current, application)
    cases = {case: getattr(accounts.documents, case) for case in CASES}
    if current.choices.json:
        view = {case: [one.model_dump(mode="json") for one in needed] for case, needed in cases.items()}
        current.out.data({"application": application, "documents": view})
        return 0
    rows = [
        (
            T("{what} ({word})", what=CASE_WORDS[case], word=case),
            one.name,
            one.title,
            T("not for customs officers") if one.unless_staff else T("always"),
        )
        for case, needed in cases.items()
        for one in needed
    ]
    current.out.table((T("Case"), T("Name"), T("Document"), T("Needed")), rows)
    return 0


@command(
    "inadmissible",
    T(
        "Tell who asked, by mail, that the request is inadmissible: which documents are missing.\n\n"
        "Refused when none is missing. Nothing is done to the login."
    ),
)
@LOGIN
@_CASE
@_DOCUMENT
@_EXTERNAL
@option("--requester", required=True, metavar=T("NAME <ADDRESS>"), help=T("Who asked, by hierarchy."))
@option("--comment", metavar=T("TEXT"), help=T("What else who asked should know."))
def inadmissible(
    login: str, case: str, documents: tuple[str, ...], requester: str, comment: str | None, *, external: bool
) -> int:
    """Tell that a request is inadmissible."""
    from dsi_automation.composition.login_telling import tell_inadmissible
    from dsi_automation.operations.applications.account_inputs import address_of, parts_of

    current, given = session(), pairs(documents)
    accounts = _accounts(current, parts_of(login)[1])
    lacking = [
        one for one in getattr(accounts.documents, case) if (external or not one.unless_staff) and one.name not in given
    ]
    if not lacking:
        raise UsageError(
            T("No document is missing: the request is admissible."),
            next_step=T("Plan it: dsi application account {case} {login}", case=case, login=login),
        )
    address = address_of(requester)
    if address is None:
        raise UsageError(
            T("“{requester}” holds no mail address.", requester=requester),
            next_step=T("Write it as in: Yao Kouassi <y.kouassi@douanes.example>."),
        )
    put = tell_inadmissible(current.toolkit, login, case, lacking, address, comment)
    if current.choices.json:
        view = {"login": login, "case": case, "missing": [one.name for one in lacking], "to": address, "told": put}
        current.out.data(view)
        return 0
    for one in lacking:
        current.out.line(T("missing: {title} ({name})", title=one.title, name=one.name), indent=2)
    told = TN("{address} is told of {n} missing document.", "{address} is told of {n} missing documents.", len(lacking),
              address=address)  # fmt: skip
    current.out.line(told if put else T("{address} was told of that today already.", address=address))
    return 0


def _accounts(session: Session, application: str) -> Any:
    from dsi_automation.operations.applications.account_act import accounts_of

    return accounts_of(f"x@{application}", session.toolkit.equipment.look())


account.add_command(
    _asking(
        "create",
        T("Plan a new login, with a default password: short for “dsi plan application.account”. Changes nothing."),
        person=True,
    )
)
account.add_command(
    _asking(
        "change",
        T("Plan the change of a login; it gets a new default password. What is not said stays. Changes nothing."),
        person=True,
    )
)
account.add_command(_asking("disable", T("Plan the disabling of a login. Changes nothing."), person=False))
account.add_command(documents_)
account.add_command(inadmissible)
