"""The words for states, kinds and outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dsi_automation.core.plan import Risk
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
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
COLORS: Final[dict[str, str]] = {
    "compliant": "",
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
