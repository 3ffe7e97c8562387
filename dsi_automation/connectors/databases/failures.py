"""What psycopg raises, as errors of ours: by SQLSTATE where there is one, and never with a secret in its words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from dsi_automation.connectors.databases.errors import DatabaseBusyError, LoginRefusedError
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.secrets import MASK, redact
from dsi_automation.core.text import T

_CANCELLED: Final = "57014"
_AWAY: Final = ("08", "57P", "53300", _CANCELLED, "25P03", "25P04")
"""Connection exceptions, shutdowns, too many connections, and what was cancelled for its time (Appendix A)."""
_BUSY: Final = ("55P03", "40001", "40P01")
"""A lock that did not come in time, a serialisation failure, a deadlock."""
_NOT_PERMITTED: Final = "42501"
_WHOLE_ROWS: Final = ("23502", "23514")
"""Their DETAIL quotes the whole failing row: stored passwords as well."""
_LATE: Final = ("timeout expired", "timed out")
_DISTRUSTED: Final = (
    "certificate verify failed",
    "does not match host name",
    "server does not support SSL",
    "root certificate file",
    "could not load",
    "could not read root certificate",
)
"""libpq's own words; it is built without translations."""
_NOT_LET_IN: Final = ("no password supplied", "authentication method", "SCRAM", "channel binding")
_CROWDED: Final = ("too many", "remaining connection slots", "trop de", "emplacements de connexion")
"""The server's words in the two languages of the house: libpq tells no SQLSTATE of a refused connection."""
_SERVER_SAID: Final = re.compile(r"failed: \w+:  (?P<said>.*)", re.DOTALL)


@dataclass(slots=True)
class Told:
    """What may be repeated of the database's words.

    Attributes:
        name: the application's, for messages.
        secrets: values that were sent and must not come back; once there is one, DETAIL is left out for good: a
            constraint may be checked as late as at the commit.
    """

    name: str
    secrets: set[str] = field(default_factory=set)

    def remember(self, secrets: Iterable[str]) -> None:
        """Keep what was sent from being repeated."""
        self.secrets.update(one for one in secrets if one)

    def clean(self, said: str) -> str:
        """Return the database's words without what must not be repeated."""
        for one in sorted(self.secrets, key=len, reverse=True):
            said = said.replace(one, MASK)
        return redact(said).strip()

    def may_quote(self, error: psycopg.Error) -> bool:
        """Tell whether psycopg's own words, which repeat DETAIL, may be kept beside ours."""
        return not self.secrets and error.sqlstate not in _WHOLE_ROWS


def failure(error: psycopg.Error, told: Told, *, late: bool = False) -> DsiError:
    """Return our error for what a statement met.

    Args:
        late: we broke the connection because no answer came.
    """
    state = error.sqlstate or ""
    said = told.clean(error.diag.message_primary or ("" if state else str(error))) or type(error).__name__
    detail = _detail(error, told, said)
    if state.startswith(_AWAY) or (not state and isinstance(error, psycopg.OperationalError)):
        late = late or state == _CANCELLED
        return UnreachableError(
            T("The database of {name} does not answer in time: {said}", name=told.name, said=said)
            if late
            else T("The connection to the database of {name} is lost: {said}", name=told.name, said=said),
            detail=detail,
        )
    if state in _BUSY:
        return DatabaseBusyError(
            T("The database of {name} is held up by another session: {said}", name=told.name, said=said),
            next_step=T("Try again later."),
            detail=detail,
        )
    return RefusedError(
        T("The database of {name} refuses: {said} (SQLSTATE {state})", name=told.name, said=said, state=state or "–"),
        next_step=T("Give the role of the inventory the right to do this.") if state == _NOT_PERMITTED else None,
        detail=detail,
    )


def commit_failure(error: psycopg.Error, told: Told) -> DsiError:
    """Return our error for a commit: what was not answered may have happened."""
    found = failure(error, told)
    # What the server cancelled for its time it has rolled back, and says so.
    if not isinstance(found, UnreachableError) or error.sqlstate == _CANCELLED:
        return found
    return UnknownOutcomeError(
        T("The connection to the database of {name} broke while a transaction was committed.", name=told.name),
        meaning=T("It is committed whole or not at all; which of them is not known."),
        next_step=T("Look at the database before anything is done again."),
        detail=found.detail,
    )


def answered(error: psycopg.Error) -> bool:
    """Tell whether it is the server that let us not in: else nobody answered."""
    return _SERVER_SAID.search(str(error)) is not None


def connect_failure(error: psycopg.Error, name: str, place: str, *, starting: bool) -> DsiError:
    """Return our error for a connection that was not made.

    Args:
        place: where, for messages.
        starting: the server says that it takes no connections for the time being (PQping).
    """
    said = redact(str(error)).strip()
    detail: dict[str, Any] = {"said": said[-2000:]}
    words = _SERVER_SAID.search(said)
    if any(word in said for word in _DISTRUSTED):
        return LoginRefusedError(
            T("The certificate of the database of {name} at {place} is not to be trusted.", name=name, place=place),
            next_step=T("Check `ca_file` of the inventory, the name it is reached by, and the server's certificate."),
            detail=detail,
        )
    nobody = words is None and not any(word in said for word in _NOT_LET_IN)
    if nobody or starting or any(word in said for word in (*_LATE, *_CROWDED)):
        return UnreachableError(
            T("The database of {name} does not answer at {place}.", name=name, place=place),
            next_step=T("Check that PostgreSQL runs there and that the controller may reach its port."),
            detail=detail,
        )
    return LoginRefusedError(
        T(
            "The database of {name} at {place} lets us not in: {said}",
            name=name,
            place=place,
            said=said if words is None else words.group("said"),
        ),
        next_step=T("Check the user and its password in the inventory, and pg_hba.conf of the server."),
        detail=detail,
    )


def _detail(error: psycopg.Error, told: Told, said: str) -> dict[str, Any]:
    diag = error.diag
    facts = {
        "sqlstate": error.sqlstate,
        "said": said,
        "schema": diag.schema_name,
        "table": diag.table_name,
        "column": diag.column_name,
        "constraint": diag.constraint_name,
        "position": None if diag.statement_position is None else int(diag.statement_position),
    }
    if diag.message_detail and told.may_quote(error):
        facts["detail"] = redact(diag.message_detail)
    return {key: value for key, value in facts.items() if value is not None}
