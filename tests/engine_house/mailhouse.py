"""Runs that are told by mail, under the real engine, gate and journal: as much of a toolkit as telling asks for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from house import Fill, House
from workbench import notes_of

from dsi_automation.composition.telling import Teller, TellingEngine
from dsi_automation.core.plan import Action
from dsi_automation.engine.parts import Parts
from dsi_automation.inventory.backup_model import MailSettings
from dsi_automation.inventory.model import ApprovalPolicy
from dsi_automation.operations.backups.catalogue import Noted


class Story(Fill):
    """An operation that notes a story; each file of the house stands for one of its actions."""

    story: Any = ()

    def act(self, action: Action, inputs: Any, hands: Any, observer: Any) -> None:
        super().act(action, inputs, hands, observer)
        if action.args["file"] == "a":
            for name, data in self.story:
                hands.permit.note(action.target, name, data)
        fault: Any = self.faults.pop("after the story", None)
        if fault is not None:
            raise fault


class MailKit:
    """A toolkit of somebody in a house, whose mails go to a relay of tests; `described` is more of its inventory."""

    def __init__(self, house: House, port: int, who: str = "m.kouadio", **described: Any) -> None:
        self.house, self.clock, self.who = house, house.clock, who
        self.settings = SimpleNamespace(state_dir=SimpleNamespace(value=house.state))
        self.journal, self.journal_exists = house.journal, True
        people = [one.model_copy(update={"mail": f"{one.id}@douanes.lab"}) for one in house.people]
        mail = MailSettings(
            server="127.0.0.1", port=port, security="none", sender="dsi@douanes.lab", timeout_seconds=10
        )
        self.inventory = SimpleNamespace(**{"people": people, "mail": mail, **described})
        self.policy = ApprovalPolicy.model_validate(house.policy)

    def kept_connections(self) -> AbstractContextManager[None]:
        return nullcontext()

    def noted(self) -> list[Noted]:
        return notes_of(self.journal)

    @cached_property
    def parts(self) -> Parts:
        raise AssertionError("each has its own operations and targets")

    @cached_property
    def teller(self) -> Teller:
        return Teller(self)  # type: ignore[arg-type]  # as much of a toolkit as it asks for

    @cached_property
    def engine(self) -> TellingEngine:
        return TellingEngine(self)  # type: ignore[arg-type]  # the same


def mails_of(handler: Any, to: str | None = None) -> list[EmailMessage]:
    """Return the mails a relay got; those to one person or address, where one is named."""
    found = [message_from_bytes(kept.content, policy=policy.default) for kept in handler.kept]
    address = to if to is None or "@" in to else f"{to}@douanes.lab"
    return [mail for mail in found if address in {None, mail["To"]}]
