"""The writes of `application.account`: the password is sealed before the database is told, and told last.

The check list is noted once the envelope is prepared: a run that finds its own note knows that what it finds of the
login may be its own work, and does it again with the sealed password, which nobody has seen.
"""

from __future__ import annotations

from dsi_automation.connectors.applications.logins import Login, LoginStatements, SqlLogins, matches
from dsi_automation.connectors.databases.port import DatabaseReader
from dsi_automation.core.errors import UsageError, WorldChangedError
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T
from dsi_automation.inventory.application_model import ApplicationAccounts, LdapAccounts, SqlAccounts
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.operations.accounts.passwords import new_password
from dsi_automation.operations.applications import account_directory
from dsi_automation.operations.applications.account_inputs import LOGIN, AccountInputs, Case, missing, parts_of
from dsi_automation.operations.applications.account_plan import LoginFacts, before_of, between, wanted_login
from dsi_automation.operations.applications.notes import ACCOUNT, DOCUMENTS
from dsi_automation.operations.tools import Hands, Look


def accounts_of(target: str, look: Look) -> ApplicationAccounts:
    """Return how logins of a target's application are made.

    Raises:
        UsageError: the target is no login of an application of the inventory, or its logins are not made here.
    """
    login, application = parts_of(target)
    if not application or not LOGIN.fullmatch(login):
        raise UsageError(
            T("{target} is no login of an application.", target=target),
            on=target,
            next_step=T("Write LOGIN@APPLICATION, as in kone.a@sydam: letters, digits, dots, dashes."),
        )
    if application not in look.applications:
        raise UsageError(
            T("dsi_applications has no “{name}”.", name=application),
            on=target,
            next_step=did_you_mean(application, look.applications),
        )
    accounts = look.applications[application].accounts
    if accounts is None:
        raise UsageError(
            T("dsi_applications does not say how logins of {application} are made.", application=application),
            on=target,
            next_step=T("Add `accounts` to it."),
        )
    return accounts


def look_at(target: str, look: Look) -> LoginFacts:
    """Look at one login.

    Raises:
        DsiError: it cannot be looked at.
    """
    accounts, (login, application) = accounts_of(target, look), parts_of(target)
    store = accounts.store
    if isinstance(store, LdapAccounts):
        found = account_directory.find(login, store.groups, look.accounts())
    else:
        with look.database(application) as database:
            found = logins(application, store, database).find(login)
    return LoginFacts(look.applications[application].title, accounts, found)


def logins(application: str, store: SqlAccounts, database: DatabaseReader) -> SqlLogins:
    """Return the logins in an application's database."""
    statements = LoginStatements(store.find, store.create, store.change, store.disable, store.iterations)
    return SqlLogins(application, statements, database)


def carry_out(action: Action, inputs: AccountInputs, hands: Hands) -> None:
    """Carry out one action; done by this run already, it does nothing.

    Raises:
        WorldChangedError: the login is no longer as it was when the plan was made.
        RefusedError: the database says no; the login is as it was.
        UnknownOutcomeError: the connection broke while it was committed.
    """
    target = action.target
    own = {note.name for note in hands.look.application_record().of_run(hands.run) if note.target == target}
    if ACCOUNT in own:
        return
    accounts = accounts_of(target, hands.look)
    mine = DOCUMENTS in own
    if not mine:
        _begin(target, inputs, accounts, hands)
    wanted = wanted_login(target, inputs, before_of(action), in_directory=isinstance(accounts.store, LdapAccounts))
    if isinstance(accounts.store, LdapAccounts):
        _give(action, wanted, accounts.store, hands)
    elif not (mine and _delivered(target, inputs, hands)):
        _write(action, inputs, wanted, accounts, accounts.store, hands, mine=mine)
    data = {"case": inputs.case.value, "login": wanted.login, "profile": wanted.profile, "office": wanted.office}
    hands.note(target, ACCOUNT, data)


def _begin(target: str, inputs: AccountInputs, accounts: ApplicationAccounts, hands: Hands) -> None:
    if inputs.case is not Case.DISABLE and isinstance(accounts.store, SqlAccounts):
        hands.envelopes().prepare(target)
    lacking = [document.name for document in missing(inputs, accounts)]
    note = {"case": inputs.case.value, "documents": dict(inputs.documents), "missing": lacking}
    hands.note(target, DOCUMENTS, note)


def _delivered(target: str, inputs: AccountInputs, hands: Hands) -> bool:
    """Tell whether this run told the database already: its envelope was prepared anew when it began."""
    if inputs.case is Case.DISABLE:
        return False
    envelope = hands.envelopes().find(target)
    return envelope is not None and envelope.delivered_at is not None


def _give(action: Action, wanted: Login, store: LdapAccounts, hands: Hands) -> None:
    """Give a profile of the directory, and take the others: done again, it changes nothing."""
    login = parts_of(action.target)[0]
    writer = hands.accounts().for_target(action.target)
    if not between(account_directory.find(login, store.groups, writer), before_of(action), wanted):
        raise _changed(action.target)
    account_directory.give(login, wanted.profile if wanted.active else None, store.groups, writer)


def _write(
    action: Action,
    inputs: AccountInputs,
    wanted: Login,
    accounts: ApplicationAccounts,
    statements: SqlAccounts,
    hands: Hands,
    *,
    mine: bool,
) -> None:
    target, (login, application) = action.target, parts_of(action.target)
    envelopes = hands.envelopes()
    now = hands.look.clock.now()
    with hands.database(application, target) as database:
        store = logins(application, statements, database)
        found = store.find(login)
        _refuse_changed(action, inputs, found, wanted, mine=mine)
        if inputs.case is Case.DISABLE:
            if found is not None and found.active:
                store.disable(wanted, now, database)
        else:
            password = envelopes.seal(target, new_password(accounts.password_length, names=(login, wanted.name)))
            (store.create if found is None else store.change)(wanted, password, now, database)
    if inputs.case is not Case.DISABLE:
        envelopes.delivered(target)
    elif envelopes.find(target) is not None:
        envelopes.discard_password(target)


def _refuse_changed(action: Action, inputs: AccountInputs, found: Login | None, wanted: Login, *, mine: bool) -> None:
    before = before_of(action)
    as_planned = found is None if before is None else found is not None and _same(found, before)
    if as_planned or (mine and found is not None and matches(found, wanted)):
        return
    if inputs.case is Case.DISABLE and found is not None and not found.active:
        return
    raise _changed(action.target)


def _changed(target: str) -> WorldChangedError:
    return WorldChangedError(
        T("The login {login} is no longer as it was when the plan was made.", login=target),
        on=target,
        meaning=T("Somebody made or changed it since; nothing was changed."),
        next_step=T("Make a new plan and ask for a new approval."),
    )


def _same(found: Login, before: Login) -> bool:
    return (found.name, found.profile, found.office, found.active) == (
        before.name, before.profile, before.office, before.active
    )  # fmt: skip
