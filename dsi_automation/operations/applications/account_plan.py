"""What is done about one login, decided from facts alone: first whether the request is admissible (procedure L)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from dsi_automation.connectors.applications.logins import Login, matches
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.application_model import ApplicationAccounts, LdapAccounts, RequiredDocument
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.operations.applications.account_directory import profiles_of
from dsi_automation.operations.applications.account_inputs import AccountInputs, Case, missing, parts_of
from dsi_automation.operations.decided import Decided

FIELDS: Final = ("name", "profile", "office")


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What was found of a login.

    Attributes:
        title: what people call the application.
        found: the login; None when there is none.
    """

    title: str
    accounts: ApplicationAccounts
    found: Login | None

    @property
    def in_directory(self) -> bool:
        """Tell whether its profiles are groups of the directory, and its password that of Windows."""
        return isinstance(self.accounts.store, LdapAccounts)


def decide(target: str, inputs: AccountInputs, facts: LoginFacts, approved: Action | None) -> Decided:
    """Return what is done about one login.

    Args:
        approved: in a run, the action that was approved: it stays when the login is as wanted already, because the
            run itself may have made it so before it was interrupted.
    """
    decided = Decided(blockers=[*_inadmissible(target, inputs, facts), *_unfit(target, inputs, facts)])
    if decided.blockers:
        return decided
    wanted = wanted_login(target, inputs, facts.found, in_directory=facts.in_directory)
    if approved is not None and facts.found is not None and _maybe_ours(approved, facts, wanted):
        decided.actions.append(approved)
        return decided
    existence = _existence(target, inputs, facts, in_run=approved is not None)
    if existence is not None:
        decided.blockers.append(existence)
    elif inputs.case is Case.DISABLE and facts.found is not None and not facts.found.active:
        decided.non_actions.append(NonAction(target, "disable", T("The login {login} is disabled.", login=target)))
    else:
        decided.actions.append(_action(target, inputs, facts, wanted))
    return decided


def wanted_login(target: str, inputs: AccountInputs, found: Login | None, *, in_directory: bool) -> Login:
    """Return the login as it is to be; what is not said stays as it is, and what the directory says of the person."""
    said = {"profile"} if in_directory else set(FIELDS)

    def value(name: str) -> str | None:
        given: str | None = getattr(inputs, name) if name in said else None
        return given or (None if found is None else getattr(found, name))

    active = inputs.case is not Case.DISABLE
    return Login(parts_of(target)[0], value("name"), value("profile"), value("office"), active=active)


def before_of(action: Action) -> Login | None:
    """Return the login as it was when the plan was made."""
    was = action.args["before"]
    if not isinstance(was, dict):
        return None
    return Login(str(action.args["login"]), was["name"], was["profile"], was["office"], active=bool(was["active"]))


def between(found: Login | None, before: Login | None, wanted: Login) -> bool:
    """Tell whether a login of the directory is somewhere on its way from what it was to what it is to be."""
    target = profiles_of(wanted) if wanted.active else frozenset[str]()
    return found is not None and profiles_of(found) <= profiles_of(before) | target


def list_of(documents: tuple[RequiredDocument, ...]) -> Text:
    """Return documents by their titles, a line each, with what the command line calls them."""
    text: Text | None = None
    for document in documents:
        line = T("- {title} ({name})", title=document.title, name=document.name)
        text = line if text is None else T("{before}\n{line}", before=text, line=line)
    return text or T("none")


def _maybe_ours(approved: Action, facts: LoginFacts, wanted: Login) -> bool:
    if facts.in_directory:
        return between(facts.found, before_of(approved), wanted)
    return facts.found is not None and matches(facts.found, wanted)


def _inadmissible(target: str, inputs: AccountInputs, facts: LoginFacts) -> Iterator[Blocker]:
    lacking = missing(inputs, facts.accounts)
    if lacking:
        options = " ".join(f"--document {document.name}=..." for document in lacking)
        words = TN(
            "The request is inadmissible: {n} document is missing.\n{list}",
            "The request is inadmissible: {n} documents are missing.\n{list}",
            len(lacking),
            list=list_of(lacking),
        )
        yield Blocker(
            target,
            words,
            T(
                "Tell the requester: dsi application account inadmissible {target} {case} ...; once they are there, "
                "add {options}.",
                target=shlex.quote(target),
                case=inputs.case.value,
                options=options,
            ),
        )
    names = {document.name for document in getattr(facts.accounts.documents, inputs.case.value)}
    if unknown := sorted(set(inputs.documents) - names):
        yield Blocker(
            target,
            T("No such document belongs to this case: {names}.", names=", ".join(unknown)),
            did_you_mean(unknown[0], names),
        )


def _unfit(target: str, inputs: AccountInputs, facts: LoginFacts) -> Iterator[Blocker]:
    """Yield what is wrong with the wish itself."""
    needed = ("profile",) if facts.in_directory else ("name", "profile")
    if inputs.case is Case.CREATE and (absent := [name for name in needed if not getattr(inputs, name)]):
        yield Blocker(
            target,
            T("A new login needs: {names}.", names=", ".join(absent)),
            T("Give it: {options}", options=" ".join(f"--{name} ..." for name in absent)),
        )
    store = facts.accounts.store
    known = tuple(store.groups) if isinstance(store, LdapAccounts) else facts.accounts.profiles
    if inputs.profile is not None and known and inputs.profile not in known:
        yield Blocker(
            target,
            T("{title} has no profile “{profile}”.", title=facts.title, profile=inputs.profile),
            did_you_mean(inputs.profile, known),
        )


def _existence(target: str, inputs: AccountInputs, facts: LoginFacts, *, in_run: bool) -> Blocker | None:
    found = facts.found
    code = ExitCode.WORLD_CHANGED if in_run else ExitCode.NOT_COMPLIANT
    if facts.in_directory and found is None:
        return Blocker(
            target,
            T("The directory has no account {login}.", login=parts_of(target)[0]),
            T("Have the Windows account made first: its profile is membership of a group."),
            code,
        )
    if inputs.case is Case.CREATE and found is not None and (found.active or not facts.in_directory):
        state = T("active") if found.active else T("disabled")
        return Blocker(
            target,
            T("The login exists already, {state}: {name}, {profile}.", state=state, name=found.name or "-",
              profile=found.profile or "-"),
            T("Ask for a change of it, or choose another login."),
            code,
        )  # fmt: skip
    if inputs.case is not Case.CREATE and found is None:
        return Blocker(
            target,
            T("{title} has no login {login}.", title=facts.title, login=parts_of(target)[0]),
            T("Check the spelling."),
            code,
        )
    return None


def _action(target: str, inputs: AccountInputs, facts: LoginFacts, wanted: Login) -> Action:
    login, application = parts_of(target)
    args: dict[str, Any] = {
        "application": application,
        "login": login,
        "before": None if facts.found is None else _plain(facts.found),
        **({} if inputs.case is Case.DISABLE else {name: getattr(wanted, name) for name in FIELDS}),
    }
    names = {"login": login, "title": facts.title}
    if inputs.case is Case.DISABLE:
        title = T("Disable the login {login} of {title}", **names)
    elif inputs.case is Case.CREATE:
        title = T("Create the login {login} of {title}, profile {profile}", profile=wanted.profile or "-", **names)
    else:
        title = T("Change the login {login} of {title}: {changes}", changes=_changes(facts.found, wanted), **names)
    # Of those with a password, `dsi application handover` is told of by this name.
    kind = f"{inputs.case.value}_profile" if facts.in_directory else inputs.case.value
    return Action(target, kind, args, title, _reason(inputs, facts), _reversal(inputs.case))


def _plain(login: Login) -> dict[str, str | bool | None]:
    return {**{name: getattr(login, name) for name in FIELDS}, "active": login.active}


def _changes(found: Login | None, wanted: Login) -> Text:
    words = {"name": T("name"), "profile": T("profile"), "office": T("office")}
    told = [
        Text("{field} {before} → {after}", {
            "field": words[name], "before": getattr(found, name) or "∅", "after": getattr(wanted, name) or "∅",
        })
        for name in FIELDS
        if (getattr(found, name) or "") != (getattr(wanted, name) or "")
    ]  # fmt: skip
    if found is not None and not found.active:
        told.append(T("active again"))
    if not told:
        return T("a new default password")
    return reduce(lambda first, rest: Text("{first}, {rest}", {"first": first, "rest": rest}), told)


def _reason(inputs: AccountInputs, facts: LoginFacts) -> Text:
    references = ", ".join(f"{name} {reference}" for name, reference in sorted(inputs.documents.items()))
    if inputs.case is Case.DISABLE:
        return T("The request is admissible: {references}.", references=references)
    if facts.in_directory:
        return T("The request is admissible: {references}. The person keeps the Windows password.",
                 references=references)  # fmt: skip
    return T(
        "The request is admissible: {references}. A default password is made, to be changed at first use; it is in no "
        "record.",
        references=references,
    )


def _reversal(case: Case) -> Text:
    if case is Case.CREATE:
        return T("Disable the login.")
    return T("Ask for a change back to what it was.")
