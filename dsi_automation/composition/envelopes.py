"""Envelopes as files: one per person, AES-256-GCM, the temporary password gone from the disk once it is opened.

The controller's key lies in a file of its own, so that a copy of the folder alone opens nothing. Each file is
authenticated as a whole, its owner's name included (NIST SP 800-38D): one that was edited, or put in the place of
somebody else's, is refused rather than believed.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dsi_automation.composition.key_file import read_or_make_key
from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.core.clock import Clock, iso, parse_iso
from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.operations.envelopes import Envelope, EnvelopeWriter

FORMAT: Final = "dsi.envelope/1"
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class TamperedEnvelopeError(StorageError):
    """An envelope is not as it was written, or belongs to somebody else."""

    retryable = False


@dataclass(frozen=True, slots=True)
class _Record:
    """An envelope in memory; `password` is None when none is inside."""

    target: str
    password: Secret | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None


class FileEnvelopes(EnvelopeWriter):
    """Envelopes in a folder; for several threads and several processes at once."""

    def __init__(self, folder: Path, key_file: Path, clock: Clock) -> None:
        """Remember where; the folder and the key are made at the first write."""
        self._folder = folder
        self._key_file = key_file
        self._clock = clock
        self._writing = _FileLock(folder / ".lock")
        self._handing_over = _FileLock(folder / ".hand-over.lock")

    def find(self, target: str) -> Envelope | None:
        """Return somebody's envelope, or None."""
        record = self._read(target)
        if record is None:
            return None
        return Envelope(target, record.password is not None, record.delivered_at, record.opened_at)

    def peek(self, target: str) -> Secret | None:
        """Return the sealed password, to try it against the directory; None when there is none (any more)."""
        record = self._read(target)
        return None if record is None else record.password

    def prepare(self, target: str) -> Envelope:
        """Begin an envelope without a password, unless there is one that was not delivered yet."""
        with self._changing():
            record = self._read(target)
            if record is None or record.delivered_at is not None:
                # A password that nobody was given yet stays: only handing it over, or another one, ends it.
                record = _Record(target, None if record is None else record.password)
                self._write(record)
        return Envelope(target, record.password is not None, record.delivered_at, record.opened_at)

    def seal(self, target: str, password: Secret) -> Secret:
        """Seal a password into the envelope; one that is inside already stays, and is returned.

        Raises:
            StorageError: it cannot be written.
        """
        with self._changing():
            record = self._read(target) or _Record(target)
            if record.password is not None:
                return record.password
            self._write(replace(record, password=password, opened_at=None))
        return password

    def discard_password(self, target: str) -> None:
        """Forget the sealed password, because another is about to be made."""
        with self._changing():
            record = self._read(target)
            if record is not None and record.password is not None:
                self._write(replace(record, password=None))

    def delivered(self, target: str) -> None:
        """Note that the settings were handed over."""
        with self._changing():
            self._write(replace(self._read(target) or _Record(target), delivered_at=self._clock.now()))

    def open(self, target: str, *, only: Secret | None = None) -> Secret | None:
        """Take the password out: it is returned once, and gone from the disk when the call returns.

        Args:
            target: whose it is.
            only: leave the envelope alone, and return None, unless this very password is inside: a run may have
                sealed another since it was looked at.
        """
        with self._changing():
            record = self._read(target)
            if record is None or record.password is None or only not in {None, record.password}:
                return None
            self._write(replace(record, password=None, opened_at=self._clock.now()))
        return record.password

    @contextmanager
    def handing_over(self) -> Generator[None]:
        """Keep every other hand-over waiting: from the look into an envelope until it was shown and opened.

        Runs go on sealing meanwhile. A process that dies inside lets go, its envelopes still closed.

        Raises:
            StorageError: the folder cannot be used.
        """
        self._make_folder()
        with self._handing_over:
            yield

    @contextmanager
    def _changing(self) -> Generator[None]:
        self._make_folder()
        with self._writing:
            yield

    def _make_folder(self) -> None:
        with _storage(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._folder.stat().st_mode & 0o077:
                self._folder.chmod(0o700)

    def _path(self, target: str) -> Path:
        return self._folder / f"{hashlib.sha256(target.encode()).hexdigest()}.json"

    def _read(self, target: str) -> _Record | None:
        path = self._path(target)
        try:
            with _storage(path):
                text = path.read_bytes()
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        return _opened(text, target, path, read_or_make_key(self._key_file, make=False))

    def _write(self, record: _Record) -> None:
        key = read_or_make_key(self._key_file, make=True)
        path = self._path(record.target)
        # One name per envelope, under the lock: what a killed process left beside it is written over by the next.
        aside = path.with_name(f".{path.name}.part")
        with _storage(path):
            try:
                with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(_closed(record, key))
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
            except BaseException:
                with suppress(OSError):
                    aside.unlink(missing_ok=True)
                raise
            _sync_folder(self._folder)


def _closed(record: _Record, key: bytes) -> bytes:
    """Return an envelope as it lies on the disk; without a password its box holds the proof of the rest alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    facts = {
        "format": FORMAT,
        "target": record.target,
        "delivered_at": None if record.delivered_at is None else iso(record.delivered_at),
        "opened_at": None if record.opened_at is None else iso(record.opened_at),
    }
    inside = b"" if record.password is None else record.password.reveal().encode()
    box = AESGCM(key).encrypt(nonce, inside, canonical_bytes(facts))
    written = {**facts, "nonce": _base64(nonce), "box": _base64(box)}
    return json.dumps(written, ensure_ascii=False, indent=1).encode() + b"\n"


def _opened(text: bytes, target: str, path: Path, key: bytes) -> _Record:
    """Return what an envelope holds.

    Raises:
        TamperedEnvelopeError: it is not as it was written.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        written: dict[str, Any] = json.loads(text)
        nonce, box = (base64.b64decode(written.pop(name), validate=True) for name in ("nonce", "box"))
        # Whatever the file says, the proof must be one for this person's envelope.
        facts = {**written, "format": FORMAT, "target": target}
        inside = AESGCM(key).decrypt(nonce, box, canonical_bytes(facts))
        moments = [written[name] and parse_iso(written[name]) for name in ("delivered_at", "opened_at")]
        password = Secret(inside.decode()) if len(box) > TAG_BYTES else None
    except (InvalidTag, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TamperedEnvelopeError(
            T("The envelope of {target} is not as it was written, or was sealed with another key.", target=target),
            on=target,
            meaning=T("The temporary password in it cannot be trusted, so it is not shown."),
            next_step=T(
                "Find out who changed {path}, move it away, and give the account a new temporary password: "
                "mailbox.create with reset.",
                path=path,
            ),
        ) from error
    return _Record(target, password, *moments)


class _FileLock:
    """One at a time, among the threads of this process and among processes; the same thread may take it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._descriptor = -1

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._depth == 0:
                with _storage(self._path):
                    self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            self._depth += 1
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            os.close(self._descriptor)
        self._threads.release()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


@contextmanager
def _storage(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            T("The envelopes cannot be kept or read at {path}: {reason}.", path=path, reason=reason_of(error)),
            meaning=T("What was sealed before is still there."),
            next_step=T("Make room or give this account access, then run the same command again."),
        ) from error
