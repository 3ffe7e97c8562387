"""Whether and how a local user's profile goes to a domain user, decided from facts alone (procedure C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.directory.port import User
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import T, Text
from dsi_automation.operations.workstation.facts import Profile, WorkstationFacts

if TYPE_CHECKING:
    from dsi_automation.operations.decided import Decided

KIND: Final = "migrate_profile"
BUILT_IN_RIDS: Final = frozenset({"500", "501", "503", "504"})
"""Administrator, Guest, DefaultAccount, WDAGUtilityAccount: nobody's own profile (well-known RIDs)."""


def plan_profile(
    target: str,
    facts: WorkstationFacts,
    login: str | None,
    local_user: str | None,
    users: Mapping[str, User | None],
    netbios: str,
    decided: Decided,
) -> None:
    """Add to `decided` what becomes of the user's profile."""
    if login is None:
        reason = T("No user was named (-i user=LOGIN), so no profile is migrated.")
        decided.non_actions.append(NonAction(target, KIND, reason))
        return
    user = users.get(login)
    if user is None:
        decided.blockers.append(
            Blocker(
                target,
                T("The user {login} does not exist in the domain.", login=login),
                T("Give the login of the domain account; create the account first if there is none."),
            )
        )
        return
    own = next((profile for profile in facts.profiles if profile.sid == user.sid), None)
    source = _source(facts, login, local_user, guess=own is None)
    if own is not None and (source is None or source.path.casefold() == own.path.casefold()):
        reason = T("{login} already has the profile {path} on this machine.", login=login, path=own.path)
        decided.non_actions.append(NonAction(target, KIND, reason))
        return
    if source is None:
        _without_source(target, facts, login, local_user, decided)
        return
    problem = _problem(facts, own, source, login, decided)
    if problem is not None:
        decided.blockers.append(Blocker(target, *problem))
        return
    decided.actions.append(
        Action(
            target,
            KIND,
            {"path": source.path, "from_sid": source.sid, "to_sid": user.sid, "to": f"{netbios}\\{user.login}"},
            T("Give the profile {path} to {user}", path=source.path, user=f"{netbios}\\{user.login}"),
            T("The user finds documents and settings again after signing in to the domain."),
            T("Give the profile back to the local account {sid}.", sid=source.sid),
        )
    )


def _candidates(facts: WorkstationFacts) -> dict[str, Profile]:
    """Return the profiles of local persons, by account name in lower case."""
    by_sid = {profile.sid: profile for profile in facts.profiles}
    return {
        name.lower(): by_sid[sid]
        for name, sid in facts.local_users.items()
        if sid in by_sid and sid.rsplit("-", 1)[-1] not in BUILT_IN_RIDS
    }


def _source(facts: WorkstationFacts, login: str, local_user: str | None, *, guess: bool) -> Profile | None:
    candidates = _candidates(facts)
    if local_user is not None:
        return candidates.get(local_user.lower())
    short = login.rsplit("\\", maxsplit=1)[-1].split("@", maxsplit=1)[0].lower()
    if short in candidates:
        return candidates[short]
    # One person's machine: its only local profile is meant. With several, a person decides.
    return next(iter(candidates.values())) if guess and len(candidates) == 1 else None


def _without_source(target: str, facts: WorkstationFacts, login: str, local_user: str | None, decided: Decided) -> None:
    names = ", ".join(sorted(_candidates(facts)))
    if local_user is not None:
        decided.blockers.append(
            Blocker(
                target,
                T("The machine has no profile of a local account {name}.", name=local_user),
                T("Name one of: {names}.", names=names) if names else T("Leave local_user out."),
            )
        )
    elif names:
        decided.blockers.append(
            Blocker(
                target,
                T("Several local profiles could be that of {login}: {names}.", login=login, names=names),
                T("Say which one: -i local_user=NAME."),
            )
        )
    else:
        reason = T("There is no local profile to migrate; {login} gets a new one at the first sign-in.", login=login)
        decided.non_actions.append(NonAction(target, KIND, reason))


def _problem(
    facts: WorkstationFacts, own: Profile | None, source: Profile, login: str, decided: Decided
) -> tuple[Text, Text] | None:
    if not facts.can_change_owner:
        return (
            T("This Windows cannot give a profile to another account (no ChangeOwner)."),
            T("Upgrade Windows, or migrate the profile by hand and ask again without -i user."),
        )
    if own is not None:
        return (
            T("{login} already has another profile on this machine, {path}.", login=login, path=own.path),
            T("Decide with the user which one to keep, remove the other, and ask again."),
        )
    restarts = any(action.kind == "reboot" for action in decided.actions)
    if source.loaded and not restarts:
        return (
            T("The profile {path} is in use: somebody is signed in with it.", path=source.path),
            T("Have the user sign out, then ask again."),
        )
    return None
