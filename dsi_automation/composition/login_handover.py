"""Handing logins of applications over: recorded and signed, then shown, and only then is the password destroyed.

As mailboxes are: see `handover`. Killed before it was shown, the next call finds the envelope as it was.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsi_automation.core.errors import DsiError, NotCompliantError, RefusedError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.engine.model import HandedBy, HandedItem
from dsi_automation.operations.applications.account_act import look_at

if TYPE_CHECKING:
    from dsi_automation.composition.envelopes import FileEnvelopes
    from dsi_automation.connectors.applications.logins import Login
    from dsi_automation.engine.api import Engine
    from dsi_automation.engine.model import HandOver
    from dsi_automation.operations.tools import Look

OPERATION: Final = "application.account"


@dataclass(frozen=True, slots=True)
class LoginRow:
    """One login asked for: its password, or why it is not handed over; `run` made it ready, where one did."""

    target: str
    title: str = ""
    login: Login | None = None
    password: Secret | None = None
    run: str | None = None
    error: DsiError | None = None


class LoginDesk:
    """Where a technician hands logins over."""

    def __init__(self, engine: Engine, look: Look, envelopes: FileEnvelopes) -> None:
        """Hand over what `look` sees, from these envelopes, in the name of the engine's signer."""
        self._engine, self._look, self._envelopes = engine, look, envelopes

    @contextmanager
    def handing_over(
        self, targets: Sequence[str], *, to: str | None
    ) -> Generator[tuple[Sequence[LoginRow], HandOver | None]]:
        """Hand over logins: show what it yields; leaving it without an error destroys the passwords it held.

        Args:
            targets: `kone.a@sydam`.
            to: whom they are given to, for the record.

        Raises:
            GateClosedError: the person may not; nothing was revealed.
            StorageError: an envelope or the journal cannot be written.
        """
        with self._envelopes.handing_over():
            rows = [self._row(target) for target in dict.fromkeys(targets)]
            items = [
                HandedItem(row.target, row.target, HandedBy.SCREEN, row.run) for row in rows if row.password is not None
            ]
            record = self._engine.hand_over(OPERATION, items, to=to) if items else None
            yield rows, record
            for row in rows:
                if row.password is not None:
                    self._envelopes.open(row.target, only=row.password)

    def _row(self, target: str) -> LoginRow:
        runs = [run for run in self._engine.runs() if run.operation == OPERATION]
        run = next((run.id for run in runs if any(step.target == target for step in run.steps)), None)
        try:
            facts = look_at(target, self._look)
            if facts.found is None:
                raise NotCompliantError(
                    T("{title} has no login {login}.", title=facts.title, login=target),
                    on=target,
                    next_step=T("Check the spelling."),
                )
            return LoginRow(target, facts.title, facts.found, self._password(target, facts.found), run)
        except DsiError as error:
            return LoginRow(target, run=run, error=error)

    def _password(self, target: str, found: Login) -> Secret:
        """Return the sealed password, once the application is known to have it.

        Raises:
            RefusedError: it does not have it yet, no longer, or the login may not log in.
            NotCompliantError: nothing is sealed.
        """
        envelope, password = self._envelopes.find(target), self._envelopes.peek(target)
        if envelope is None or password is None:
            raise self._nothing(target)
        following = T("Put that right, or ask for a new one: dsi application account change {login}", login=target)
        if envelope.delivered_at is None:
            raise RefusedError(
                T("The run that gives {target} its password is not over.", target=target),
                on=target,
                next_step=T("Wait for it, or finish it: “dsi runs” lists them, then dsi resume RUN."),
            )
        if not found.active:
            raise RefusedError(
                T("The login {target} is disabled: its password is kept back.", target=target),
                on=target,
                next_step=following,
            )
        if not found.must_change:
            raise RefusedError(
                T("The default password of {target} was changed already, or the rule to change it taken away: it is "
                  "not shown.", target=target),
                on=target,
                next_step=following,
            )  # fmt: skip
        return password

    def _nothing(self, target: str) -> NotCompliantError:
        before = [
            (handover.person, handover.at)
            for handover in self._engine.handovers()
            for item in handover.items
            if item.target == target and item.how.gives_password
        ]
        if before:
            person, moment = before[-1]
            what = T("The password of {target} was handed over on {at:%Y-%m-%d %H:%M} by {person}.", target=target,
                     at=moment.astimezone(), person=person)  # fmt: skip
        else:
            what = T("There is no default password of {target}.", target=target)
        return NotCompliantError(
            what,
            on=target,
            next_step=T("Where a new one is needed, ask for it: dsi application account change {login}", login=target),
        )
