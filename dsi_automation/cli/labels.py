"""The words for states, kinds and outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dsi_automation.core.plan import Risk
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsi_automation.engine.model import Request, Run

STATES: Final[dict[str, Text]] = {
    "compliant": T("compliant"),
    "not_compliant": T("not compliant"),
    "unreachable": T("unreachable"),
    "failed": T("refused to be looked at"),
}
REQUEST_STATES: Final[dict[str, Text]] = {
    "pending": T("pending"),
    "approved": T("approved"),
    "refused": T("refused"),
    "revoked": T("revoked"),
    "expired": T("expired"),
    "used": T("used"),
    "ratification_due": T("to be ratified"),
    "ratified": T("ratified"),
}
REQUEST_KINDS: Final[dict[str, Text]] = {
    "single": T("single run"),
    "standing": T("standing"),
    "emergency": T("emergency"),
}
DECISIONS: Final[dict[str, Text]] = {
    "approve": T("approves"),
    "approved": T("approves"),
    "yes": T("approves"),
    "refuse": T("refuses"),
    "refused": T("refuses"),
    "no": T("refuses"),
    "revoke": T("revokes"),
    "revoked": T("revokes"),
    "ratify": T("ratifies"),
    "ratified": T("ratifies"),
}
OUTCOMES: Final[dict[Outcome, Text]] = {
    Outcome.DONE: T("done"),
    Outcome.UNCHANGED: T("already right"),
    Outcome.FAILED: T("failed"),
    Outcome.UNKNOWN: T("unknown"),
    Outcome.UNREACHABLE: T("unreachable"),
    Outcome.NOT_VERIFIED: T("not verified"),
    Outcome.INTERRUPTED: T("interrupted"),
}
RISKS: Final[dict[str, Text]] = {
    "none": T("none"),
    "low": T("low"),
    "medium": T("medium"),
    "high": T("high"),
}
ROW_STATES: Final[dict[str, Text]] = {
    "to_do": T("to do"),
    "as_wanted": T("already right"),
    "blocked": T("blocked"),
}
ACTIONS: Final[dict[str, Text]] = {
    "create_account": T("account"),
    "set_password": T("password"),
    "enable_account": T("enabling"),
    "synchronise": T("synchronisation"),
    "create_cloud_user": T("cloud account"),
    "set_location": T("country"),
    "assign_licence": T("licence"),
    "remove_licence": T("licence taken back"),
    "remove_licences": T("licences taken back"),
    "hand_over": T("mailbox proven"),
    "disable_account": T("disabling"),
    "disable_cloud_user": T("disabling in the cloud"),
    "revoke_sessions": T("sessions ended"),
    "move_to_leavers": T("to the leavers"),
    "rename": T("renaming"),
    "leave": T("leaving the domain"),
    "join": T("join"),
    "move": T("move to the right unit"),
    "reboot": T("restart"),
    "migrate_profile": T("profile"),
    "repair_profile": T("repair of the profile"),
    "initialise_repository": T("repository"),
    "back_up": T("backup"),
    "retain": T("how long sets are kept"),
    "verify": T("proof by restoring"),
    "restore": T("restore"),
    "restore_in_place": T("restore in place"),
    "register": T("registration of the medium"),
    "copy": T("copy on the medium"),
    "warn": T("users told beforehand"),
    "stop": T("stop of"),
    "sessions": T("end of the session"),
    "caches": T("caches emptied of"),
    "start": T("start of"),
    "test": T("connection test"),
    "back": T("users told that it is back"),
    "put": T("release brought to"),
    "script": T("database script"),
    "switch": T("release switched on"),
    "before": T("conditions before the stop"),
    "after": T("conditions after the start"),
    "load": T("load of the rules"),
    "create": T("creation"),
    "change": T("change"),
    "disable": T("disabling"),
    "create_profile": T("creation"),
    "change_profile": T("change"),
    "disable_profile": T("disabling"),
    "copy_configuration": T("copy into the repository of configurations"),
    "configure": T("change under the rollback timer"),
    "save": T("saved configuration"),
    "allow": T("opening of the access"),
    "revoke": T("closing of the access"),
    "circuit": T("circuit"),
    "unsaved": T("not saved"),
    "kept": T("not ours"),
    "together": T("together"),
}
"""Short words for kinds of actions, for a column of a table; a kind that is not here shows its own name."""
WHOLE: Final[dict[str, Text]] = {"caches": T("caches"), "sessions": T("locks"), "stop": T("stop"), "start": T("start")}
"""Of kinds that are one for each server or session: what is said of all of them at once."""
NAMED_BY_LINE: Final = "line-"
"""How operations name a row without a staff number (`operations.accounts.people.target_of`)."""
COLORS: Final[dict[str, str]] = {
    "compliant": "",
    "blocked": "red",
    "as_wanted": "dim",
    "not_compliant": "red",
    "unreachable": "yellow",
    "failed": "red",
    "pending": "yellow",
    "approved": "green",
    "ratification_due": "red",
}


def run_state(run: Run, target: str | None = None) -> Text:
    """Return how a run ended, or one of its targets; of one that has not ended, whether somebody is at it."""
    found = run.outcome if target is None else run.targets.get(target)
    if found is not None:
        return OUTCOMES[found]
    if run.ended_at is not None:
        return OUTCOMES[Outcome.UNKNOWN]
    return T("under way") if run.held_by else T("interrupted")


def risk(value: Risk) -> Text | str:
    """Return the word for a risk."""
    return RISKS.get(str(value.value), str(value.value))


def request_state(request: Request) -> Text:
    """Return where a request stands."""
    return REQUEST_STATES[request.state.value]


def action(kind: str) -> Text | str:
    """Return the short word for a kind of action; of one for a server (`stop.app2`), with its name."""
    head, dot, name = kind.partition(".")
    if dot and head in ACTIONS:
        return T("{what} {name}", what=ACTIONS[head], name=name)
    return WHOLE[kind] if kind in WHOLE else ACTIONS.get(kind, kind)


def target(name: str) -> Text | str:
    """Return a target as people read it: a row without a staff number is called by its line."""
    number = name.removeprefix(NAMED_BY_LINE)
    return T("line {n}", n=int(number)) if name != number and number.isdecimal() else name


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names for a sentence: all of a few, else the first ones and how many others."""
    names = [str(target(name)) for name in names]
    if len(names) <= most + 1:
        return ", ".join(names)
    others = TN("and {n} other", "and {n} others", len(names) - most)
    return f"{', '.join(names[:most])} {others}"
