"""A counter where accounts are handed over: directories in memory, a real journal, real keys, real envelopes."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from desk import Desk
from house import House

from dsi_automation.cli.main import run
from dsi_automation.cli.session import Choices, Session
from dsi_automation.composition.envelopes import FileEnvelopes
from dsi_automation.core.secrets import Secret
from dsi_automation.engine.operation import TargetKind
from dsi_automation.operations.accounts.create import MailboxCreate

NUMBER, ADDRESS, PASSWORD = "100001A", "awa.kone@douanes.lab", "K7pQ!0Ol1IaZ9w#m"


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Counter:
    """Where a technician hands accounts over."""

    folder: Path
    capture: Any
    desk: Desk = field(default_factory=Desk)
    who: str = "m.kouadio"

    def __post_init__(self) -> None:
        self.house = House(self.folder)
        self.house.options = {
            "operations": {"mailbox.create": MailboxCreate(), "folder.fill": self.house.fill},
            "targets": {TargetKind.HOST: self.house.targets, TargetKind.ACCOUNT: _Anybody()},
        }
        rule = self.house.policy["operations"]["folder.fill"]["production"]
        self.house.policy["operations"] = {
            **self.house.policy["operations"], "mailbox.create": {"training": rule}
        }  # fmt: skip
        self.desk.envelopes = FileEnvelopes(self.folder / "envelopes", self.folder / "envelopes.key", self.desk.clock)

    @property
    def envelopes(self) -> FileEnvelopes:
        return self.desk.envelopes

    @property
    def engine(self) -> Any:
        return self.house.engine(self.who)

    def ready(self, number: str = NUMBER, address: str = ADDRESS, password: str | None = PASSWORD, **known: Any) -> Any:
        """Add somebody whose mailbox is ready, with a temporary password in an envelope unless it is None."""
        known = {"display_name": "Koné Awa", "must_change": password is not None, **known}
        secret = None if password is None else Secret(password)
        account, _ = self.desk.add_ready(number, address, password=secret, **known)
        if secret is not None:
            self.envelopes.prepare(number)
            self.envelopes.seal(number, secret)
            self.envelopes.delivered(number)
        return account

    def dsi(self, *arguments: str) -> Answer:
        look = self.desk.look
        toolkit = SimpleNamespace(
            engine=self.engine,
            equipment=SimpleNamespace(look=lambda: look),
            journal_exists=True,
            language="fr",
            operations={},
        )
        code = run(list(arguments), Session(Choices(), self.desk.clock, lambda _: toolkit))
        seen = self.capture.readouterr()
        return Answer(code, seen.out, seen.err)

    def handover(self, *arguments: str) -> Answer:
        return self.dsi("mailbox", "handover", *arguments)


class _Anybody(dict[str, str]):
    """Any name is an account's, of the training environment."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:
        return "training"
