"""Mails on their way out: on the disk before anything is tried, so that a relay that is down delays and loses nothing.

One file for a mail, in one of three folders: `waiting`, `sent` (what tells that it went, without its content) and
`aside` (offered for too long). A file is written whole or not at all, and a mail of a key is put once.
"""

from __future__ import annotations

import base64
import dataclasses
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.mail.port import MailRelay
from dsi_automation.core.clock import Clock, iso, parse_iso
from dsi_automation.core.errors import DsiError, StorageError, UnreachableError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.secrets import redact_json
from dsi_automation.core.text import T

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
DOMAIN: Final = "dsi-automation.invalid"
"""Right half of our Message-IDs (RFC 2606): fixed, so that a mail sent twice is seen to be one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that is not sent.

    Attributes:
        key: what it is about: `report/RUN-.../a.bamba`.
        next_try: when it is offered again; for one set aside, when it was.
        error: why it was not taken the last time, as `DsiError.to_json` writes it.
    """

    key: str
    to: str
    subject: str
    put_at: datetime
    next_try: datetime
    tries: int = 0
    error: dict[str, Any] | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Flushed:
    """What became of the mails that waited.

    Attributes:
        busy: another process is sending; nothing was tried here.
        error: why a mail was not taken.
    """

    sent: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    aside: tuple[Waiting, ...] = ()
    busy: bool = False
    error: DsiError | None = None


class Outbox:
    """The mails of one controller that are not sent yet."""

    def __init__(
        self, folder: Path, relay: MailRelay | None, clock: Clock, *, give_up_after: timedelta = timedelta(days=5)
    ) -> None:
        """Use `folder`; it is made when the first mail is put.

        Args:
            relay: who takes mails; None where none is described: they wait.
            give_up_after: how long a mail is offered before it is set aside.
        """
        self._folder, self._relay, self._clock, self._give_up = folder, relay, clock, give_up_after

    def put(self, message: EmailMessage, key: str) -> bool:
        """Keep a mail until it is sent; returns false when the mail of this key was put before.

        Raises:
            StorageError: it cannot be written.
        """
        name = _name(key)
        if any((self._folder / place / name).exists() for place in ("sent", "waiting", "aside")):
            return False
        del message["Message-ID"]
        message["Message-ID"] = f"<{name.removesuffix('.json')}@{DOMAIN}>"
        now = self._clock.now()
        mail = Waiting(key, str(message["To"]), str(message["Subject"]), now, now)
        content = base64.b64encode(message.as_bytes(policy=policy.SMTP)).decode()
        # Moments are written to the millisecond: two mails of one stay in the order they were put in.
        self._write("waiting", name, {**_facts(mail), "order": time.time_ns(), "message": content})
        return True

    def waiting(self) -> list[Waiting]:
        """Return the mails that wait and those set aside, oldest first."""
        found = [_waiting(data, place) for place in ("waiting", "aside") for _, data in self._read(place)]
        return sorted(found, key=lambda mail: (mail.put_at, mail.key))

    def flush(self, *, now: bool = False, again: bool = False) -> Flushed:
        """Offer what waits and is due; the first that finds nobody to take it ends the round.

        Args:
            now: offer also what would wait for its turn.
            again: offer also what was set aside.

        Raises:
            StorageError: the folder cannot be written.
        """
        if not self._folder.exists():
            return Flushed()
        with self._alone() as alone:
            if not alone:
                return Flushed(busy=True)
            if again:
                self._take_back()
            sent, error = self._offer_all(now=now or again) if self._relay is not None else ([], None)
        left = self.waiting()
        return Flushed(
            tuple(sent),
            tuple(mail for mail in left if not mail.aside),
            tuple(mail for mail in left if mail.aside),
            error=error,
        )

    def _offer_all(self, *, now: bool) -> tuple[list[str], DsiError | None]:
        sent, error = [], None
        for name, data in self._read("waiting"):
            mail = _waiting(data, "waiting")
            if (self._folder / "sent" / name).exists():
                self._remove("waiting", name)  # a kill came between the two
                continue
            if not now and mail.next_try > self._clock.now():
                continue
            failure = self._offer(name, mail, data)
            if failure is None:
                sent.append(mail.key)
                continue
            error = failure
            if isinstance(failure, UnreachableError):
                break  # nobody is there: the others need not wait for that as well
        return sent, error

    def _offer(self, name: str, mail: Waiting, data: dict[str, Any]) -> DsiError | None:
        assert self._relay is not None  # noqa: S101  # `flush` asks
        message = message_from_bytes(base64.b64decode(data["message"]), policy=policy.SMTP)
        try:
            self._relay.send(message)
        except DsiError as error:
            self._postpone(name, mail, data, error)
            return error
        self._write("sent", name, {**_facts(mail), "sent_at": iso(self._clock.now())})
        self._remove("waiting", name)
        return None

    def _postpone(self, name: str, mail: Waiting, data: dict[str, Any], error: DsiError) -> None:
        now, tries = self._clock.now(), mail.tries + 1
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 10))
        changed = dataclasses.replace(
            mail, tries=tries, next_try=now + wait, error=redact_json(json.loads(json.dumps(error.to_json())))
        )
        over = now - mail.put_at > self._give_up
        self._write("aside" if over else "waiting", name, {**data, **_facts(changed)})
        if over:
            self._remove("waiting", name)

    def _take_back(self) -> None:
        now = self._clock.now()
        for name, data in self._read("aside"):
            mail = dataclasses.replace(_waiting(data, "aside"), put_at=now, next_try=now, tries=0)
            self._write("waiting", name, {**data, **_facts(mail)})
            self._remove("aside", name)

    def _read(self, place: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the files of a folder; one that is damaged is passed over, and stays."""
        found = []
        for path in sorted((self._folder / place).glob("*.json")):
            try:
                data = json.loads(path.read_text(encoding="utf-8"))
                _waiting(data, place)
            except (OSError, ValueError, KeyError, TypeError):
                continue
            found.append((path.name, data))
        return sorted(found, key=lambda item: (item[1]["put_at"], item[1].get("order", 0), item[0]))

    def _write(self, place: str, name: str, data: dict[str, Any]) -> None:
        folder = self._folder / place
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", dir=folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(data, file, ensure_ascii=False)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(folder / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            _sync(folder)
        except OSError as error:
            raise StorageError(
                T("A mail cannot be kept in {folder}: {reason}.", folder=str(folder), reason=reason_of(error)),
                next_step=T("Make room, then run `dsi backup report`: the report is there."),
            ) from error

    def _remove(self, place: str, name: str) -> None:
        (self._folder / place / name).unlink(missing_ok=True)
        _sync(self._folder / place)

    @contextmanager
    def _alone(self) -> Generator[bool]:
        """Yield whether no other process sends: two would send the same mail twice."""
        with (self._folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32] + ".json"


def _facts(mail: Waiting) -> dict[str, Any]:
    return {
        "key": mail.key,
        "to": mail.to,
        "subject": mail.subject,
        "put_at": iso(mail.put_at),
        "next_try": iso(mail.next_try),
        "tries": mail.tries,
        "error": mail.error,
    }


def _waiting(data: dict[str, Any], place: str) -> Waiting:
    return Waiting(
        data["key"],
        data["to"],
        data["subject"],
        parse_iso(data["put_at"]),
        parse_iso(data["next_try"]),
        int(data["tries"]),
        data["error"],
        place == "aside",
    )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
