"""A random key in a file of its own: made once, readable by its owner alone."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

KEY_BYTES: Final = 32


def read_or_make_key(path: Path, *, make: bool) -> bytes:
    """Return the key, 256 bits; with `make`, a file that is absent is made first, once among all processes.

    Raises:
        StorageError: it is absent and not to be made, others may read it, or it holds no key.
    """
    try:
        if make and not path.exists():
            _make(path)
        text, mode = path.read_text("ascii"), path.stat().st_mode
    except OSError as error:
        raise StorageError(
            T("The key of the envelopes cannot be used at {path}: {reason}.", path=path, reason=reason_of(error)),
            meaning=T("Without it no temporary password can be sealed or taken out."),
            next_step=T("Restore it from a backup, or give the accounts new passwords: mailbox.create with reset."),
        ) from error
    except ValueError as error:
        raise _no_key(path) from error
    if mode & 0o077:
        raise StorageError(
            T("The key of the envelopes, {path}, may be read by others.", path=path),
            meaning=T("Whoever copied it may open the envelopes."),
            next_step=T("Find out who could, then: chmod 600 {path}", path=path),
        )
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise _no_key(path) from error
    if len(key) != KEY_BYTES:
        raise _no_key(path)
    return key


def _make(path: Path) -> None:
    """Write a key beside its place and link it there: a reader sees a whole key or none, and the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _no_key(path: Path) -> StorageError:
    return StorageError(
        T("The file {path} does not hold the key of the envelopes.", path=path),
        meaning=T("Without it no temporary password can be sealed or taken out."),
        next_step=T("Restore it from a backup, or give the accounts new passwords: mailbox.create with reset."),
    )
