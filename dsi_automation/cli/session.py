"""What one call of `dsi` knows: what was chosen on the command line, where to write, and the wired toolkit."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import click

from dsi_automation.cli.moments import local
from dsi_automation.cli.output import Output
from dsi_automation.cli.words import speak
from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.engine.api import Engine
    from dsi_automation.engine.model import Request


@dataclass(slots=True)
class Choices:
    """The global options, as given on the command line; None or False where nothing was said."""

    inventory: str | None = None
    key: str | None = None
    json: bool = False
    no_color: bool = False
    debug: bool = field(default_factory=lambda: os.environ.get("DSI_DEBUG", "") not in {"", "0"})
    lang: str | None = None


def wired(choices: Choices) -> Toolkit:
    """Return the toolkit for these choices; imported only when a command needs it."""
    from dsi_automation.composition import Toolkit

    return Toolkit(inventory=choices.inventory, key=choices.key)


@dataclass
class Session:
    """One call of the command."""

    choices: Choices = field(default_factory=Choices)
    clock: Clock = field(default_factory=SystemClock)
    assemble: Callable[[Choices], Toolkit] = wired
    unread_journal: DsiError | None = None

    @property
    def out(self) -> Output:
        """Return where to write."""
        return Output(color=False if self.choices.no_color else None)

    @cached_property
    def toolkit(self) -> Toolkit:
        """Return the toolkit, put together at its first use; from then on its language is spoken."""
        toolkit = self.assemble(self.choices)
        if "DSI_LANG" not in os.environ:
            # Where there is no inventory there is no setting either: the default stays.
            with contextlib.suppress(DsiError):
                speak(toolkit.language)
        return toolkit

    @cached_property
    def engine(self) -> Engine:
        """Return the engine; tells first about emergencies that nobody has ratified yet."""
        engine = self.toolkit.engine
        self._warn_of_emergencies(engine)
        return engine

    def _warn_of_emergencies(self, engine: Engine) -> None:
        if not self.toolkit.journal_exists:
            return
        try:
            waiting = engine.open_emergencies()
        except DsiError as error:
            # Looking at machines must not depend on the journal; whatever needs it will say so by itself.
            self.unread_journal = error
            return
        for request in waiting:
            from dsi_automation.cli.labels import listed

            banner = T(
                "EMERGENCY {id} by {person} waits to be ratified {before} ({operation} on {targets}): "
                "dsi ratify {id} --comment '...'",
                id=request.id,
                person=request.requester,
                before=self._deadline(request),
                operation=request.plan.operation,
                targets=listed(request.plan.targets),
            )
            self.out.note(banner, fg="red", bold=True)

    def tell_unread_journal(self) -> None:
        """Say after a command that did without the journal that emergencies may wait in it."""
        if self.unread_journal is not None:
            self.out.note(T("The journal could not be read: {error}", error=self.unread_journal.what), fg="yellow")

    def _deadline(self, request: Request) -> Text:
        if request.ratify_before is None:
            return T("as soon as possible")
        if request.ratify_before < self.clock.now():
            return T("and is OVERDUE since {moment}", moment=local(request.ratify_before))
        return T("before {moment}", moment=local(request.ratify_before))


def session() -> Session:
    """Return the session of the command that is being run."""
    found = click.get_current_context().find_root().obj
    assert isinstance(found, Session)  # noqa: S101  # `main.run` put it there
    return found
