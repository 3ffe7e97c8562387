"""Handing accounts over: looked at anew, recorded, shown, and only then is an envelope's password destroyed.

The order keeps two promises whatever happens in between. Nothing is revealed that the journal does not hold; and a
password is never lost: killed before it was shown, the next call finds the envelope as it was and records again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dsi_automation.core.errors import DsiError, StorageError, UsageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import TN, T
from dsi_automation.engine.api import Engine
from dsi_automation.engine.identifiers import ALPHABET
from dsi_automation.engine.model import HandedBy, HandedItem, HandOver, Run
from dsi_automation.operations.accounts.handover import Sealed, Settings, settings_of, try_passwords
from dsi_automation.operations.tools import Look

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.composition.envelopes import FileEnvelopes

OPERATION: Final = "mailbox.create"
RUN_PREFIX: Final = "RUN-"
CODE_GROUPS: Final = 4
"""Of four characters of Crockford's base 32 each: 80 bits, against somebody who has the file and time."""


@dataclass(frozen=True, slots=True)
class Row:
    """One account asked for.

    Attributes:
        run: the run that made it ready, where one did.
        error: why it is not handed over.
        how: how it is handed over; None when it is not.
        password: what is shown or printed now, and never again.
        inside: the password that was found in its envelope, given or not.
        sealed: what became of the temporary password in its envelope.
        before: who handed its password over before, and when.
        letter: the file of its letter.
    """

    asked: str
    run: str | None = None
    settings: Settings | None = None
    error: DsiError | None = None
    how: HandedBy | None = None
    password: Secret | None = None
    inside: Secret | None = None
    sealed: Sealed = Sealed.NONE
    before: tuple[str, datetime] | None = None
    letter: Path | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What may be shown now: the rows in the order asked, the record, and the code that opens the letters."""

    rows: tuple[Row, ...]
    record: HandOver | None
    code: Secret | None = None


class HandOverDesk:
    """Where a technician hands accounts over."""

    def __init__(self, engine: Engine, look: Look, envelopes: FileEnvelopes) -> None:
        """Hand over what `look` sees, from these envelopes, in the name of the engine's signer."""
        self._engine = engine
        self._look = look
        self._envelopes = envelopes

    @contextmanager
    def handing_over(
        self, words: Sequence[str], observer: Observer, *, letters: Path | None, sealed: bool, to: str | None
    ) -> Generator[HandedOver]:
        """Hand over accounts: show what it yields; leaving it without an error destroys the passwords it held.

        Args:
            words: staff numbers, logins, addresses, or runs.
            letters: a folder to write a letter for each into.
            sealed: put the passwords into the letters, under one opening code, instead of on the screen.
            to: whom they are given to, for the record.

        Raises:
            UsageError: a run that made no account, or `sealed` without `letters`.
            GateClosedError: the person may not; nothing was revealed.
            StorageError: the folder, an envelope or the journal cannot be written.
        """
        if sealed and letters is None:
            raise UsageError(
                T("Passwords are sealed into letters: there is no folder for them."),
                next_step=T("Name one: --letters FOLDER."),
            )
        asked = self._asked(words)
        if letters is not None:
            _make_folder(letters)
        observer.notify(Event("handover", TN("Looking at {n} account", "Looking at {n} accounts", len(asked))))
        rows = self._looked_at(asked)
        with self._envelopes.handing_over():
            rows = self._offers(rows, letters=letters is not None, sealed=sealed)
            record = self._recorded(rows, to)
            code = new_code() if sealed and any(row.password for row in rows) else None
            if letters is not None and record is not None:
                rows = _written(rows, letters, record, code, observer)
            yield HandedOver(tuple(rows), record, code)
            for row in rows:
                if row.settings is not None and (row.password is not None or row.sealed is Sealed.CHANGED):
                    self._envelopes.open(row.settings.target, only=row.inside)

    def _asked(self, words: Sequence[str]) -> Mapping[str, str | None]:
        """Return every account asked for, with the run that made it."""
        found: dict[str, str | None] = {}
        runs = [run for run in self._engine.runs() if run.operation == OPERATION]
        for word in words:
            if not word.upper().startswith(RUN_PREFIX):
                found.setdefault(word, next((run.id for run in runs if word.upper() in _targets(run)), None))
                continue
            run = self._engine.run_by_id(word)
            if run.operation != OPERATION:
                raise UsageError(
                    T("{run} is a run of {operation}: it made no account.", run=run.id, operation=run.operation),
                    next_step=T("Name a run of {operation}, or staff numbers.", operation=OPERATION),
                )
            found.update(dict.fromkeys(_targets(run), run.id))
        return found

    def _looked_at(self, asked: Mapping[str, str | None]) -> list[Row]:
        rows: dict[str, Row] = {}
        for word, found in settings_of(list(asked), self._look).items():
            if isinstance(found, DsiError):
                rows[word] = Row(word, asked[word], error=found)
            else:
                # Asked by number and by address is asked once.
                rows.setdefault(f"/{found.target}", Row(word, asked[word], settings=found))
        return list(rows.values())

    def _offers(self, rows: Sequence[Row], *, letters: bool, sealed: bool) -> list[Row]:
        """Decide for each account how it is handed over, and whether with its password."""
        from dsi_automation.documents.render import check_letter

        tried = try_passwords([row.settings for row in rows if row.settings is not None], self._look)
        before = self._before()
        offers = []
        for row in rows:
            if row.settings is None:
                offers.append(row)
                continue
            found = tried[row.settings.target]
            if isinstance(found, DsiError):
                offers.append(replace(row, error=found))
                continue
            state, inside = found
            password = inside if state in {Sealed.GIVEN, Sealed.CLOUD} else None
            letter = replace(row.settings.letter, must_change=row.settings.letter.must_change or password is not None)
            if state is Sealed.CLOUD:
                # Beside the login, the password would be tried at a workstation.
                letter = replace(letter, login=None)
            try:
                if letters:
                    check_letter(letter, password if sealed else None)
            except DsiError as error:
                offers.append(replace(row, error=error))
                continue
            offers.append(
                replace(
                    row,
                    settings=replace(row.settings, letter=letter),
                    how=_how(given=password is not None, letters=letters, sealed=sealed),
                    password=password,
                    inside=inside,
                    sealed=state,
                    before=before.get(row.settings.target),
                )
            )
        return offers

    def _before(self) -> Mapping[str, tuple[str, datetime]]:
        """Return who handed each password over last, and when."""
        given: dict[str, tuple[str, datetime]] = {}
        for handover in self._engine.handovers():
            for item in handover.items:
                if item.how.gives_password:
                    given[item.target] = (handover.person, handover.at)
        return given

    def _recorded(self, rows: Sequence[Row], to: str | None) -> HandOver | None:
        items = [
            HandedItem(row.settings.target, row.settings.letter.address, row.how, row.run)
            for row in rows
            if row.settings is not None and row.how is not None
        ]
        return self._engine.hand_over(OPERATION, items, to=to) if items else None


def new_code() -> Secret:
    """Return an opening code that can be read aloud: `7KQ4-M2XR-9TWB-3HCD`."""
    groups = ["".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(CODE_GROUPS)]
    return Secret("-".join(groups))


def _targets(run: Run) -> list[str]:
    return list(dict.fromkeys([*run.targets, *(step.target for step in run.steps)]))


def _how(*, given: bool, letters: bool, sealed: bool) -> HandedBy:
    if given:
        return HandedBy.SEALED if sealed else HandedBy.SCREEN
    return HandedBy.LETTER if letters else HandedBy.SETTINGS


def _written(rows: Sequence[Row], folder: Path, record: HandOver, code: Secret | None, observer: Observer) -> list[Row]:
    """Write the letters; one that cannot be written is its row's trouble, and keeps its password in its envelope."""
    from dsi_automation.documents.render import mailbox_letter

    total, done, written = sum(row.how is not None for row in rows), 0, []
    for row in rows:
        if row.settings is None or row.how is None:
            written.append(row)
            continue
        inside = row.password if row.how is HandedBy.SEALED else None
        letter = replace(row.settings.letter, reference=record.id)
        path = folder / f"mailbox-{quote(row.settings.target, safe='')}.pdf"
        try:
            write_private(path, mailbox_letter(letter, password=inside, code=code if inside is not None else None))
        except DsiError as error:
            keep = row.password if row.how is HandedBy.SCREEN else None
            written.append(replace(row, error=error, how=row.how if keep else None, password=keep))
            continue
        done += 1
        said = T("The letter of {target} is written.", target=row.settings.target)
        observer.notify(Event("handover.progress", said, row.settings.target, done, total))
        written.append(replace(row, letter=path))
    return written


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StorageError(
            T("The folder {folder} cannot be used: {reason}.", folder=folder, reason=reason_of(error)),
            next_step=T("Choose another place for the letters."),
        ) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all, on disk when the call returns.

    Raises:
        StorageError: the disk refuses.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(
            T("The letter {path} cannot be written: {reason}.", path=path, reason=reason_of(error)),
            next_step=T("Choose another place, or make room, then run the same command again."),
        ) from error
