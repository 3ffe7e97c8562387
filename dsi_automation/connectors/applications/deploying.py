"""Puts releases on a server side by side, and switches between them (procedure Q)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from dsi_automation.connectors.applications.asking import Asking
from dsi_automation.connectors.applications.contents import checked
from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.applications.folders import clean_path
from dsi_automation.core.errors import DsiError, RefusedError, UsageError
from dsi_automation.core.text import T

NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_PIECE: Final = 2 << 20
"""Bytes sent at a time: a program's standard input goes through a variable of the shell around it."""
_UNPACK_WITHIN: Final = 1800.0


def put(asking: Asking, name: str, archive: Path, sha256: str, may_write: Callable[[], None]) -> None:
    """Put a release there; see `SshServer.put_release`."""
    given = _places(asking, name)
    sha256 = sha256.lower()
    try:
        _same(archive, sha256)
        files = checked(archive)
        if "there" in asking.change("releases", ["begin", name, sha256], given=given, timeout=_UNPACK_WITHIN):
            return
    except OSError as error:
        raise _unreadable(archive, error) from error
    try:
        _send(asking, name, archive, given, may_write)
        words = ["finish", name, sha256, str(files)]
        asking.change("releases", words, given=given, timeout=_UNPACK_WITHIN)
    except RefusedError:
        # Half a release is of no use, and a full disk stops the application as well.
        with suppress(DsiError):
            asking.change("releases", ["clean"], given=given, timeout=_UNPACK_WITHIN)
        raise
    except OSError as error:
        raise _unreadable(archive, error) from error


def use(asking: Asking, name: str) -> str | None:
    """Switch to a release; see `SshServer.use_release`."""
    return asking.change("releases", ["use", name], given=_places(asking, name)).first("used") or None


def drop(asking: Asking, keep: Sequence[str]) -> tuple[str, ...]:
    """Remove releases; see `SshServer.drop_releases`."""
    said = asking.change("releases", ["drop", *keep], given=_places(asking, *keep), timeout=_UNPACK_WITHIN)
    return tuple(sorted(line[0] for line in said.every("dropped")))


def _places(asking: Asking, *names: str) -> dict[str, str]:
    one = asking.settings
    if one.releases is None or one.link is None:
        raise UsageError(
            T("dsi_applications gives {application} no `deployment`.", application=one.application),
            on=one.application,
            next_step=T("Add `deployment` with `releases` and `link` to it."),
        )
    for name in names:
        if not NAME.fullmatch(name):
            raise ReleaseError(
                T("“{name}” cannot be the name of a release.", name=name),
                on=one.host,
                next_step=T("Letters without accents, digits, “.”, “_” and “-”, at most 64, not “.” first."),
            )
    return {"DSI_RELEASES": clean_path(one.releases), "DSI_LINK": clean_path(one.link)}


def _same(archive: Path, sha256: str) -> None:
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ReleaseError(
            T("The archive {path} is not the one approved: its SHA-256 is {sha256}.", path=str(archive), sha256=found),
            next_step=T("Find out who changed it since; the release must be approved again."),
            detail={"expected": sha256},
        )


def _send(asking: Asking, name: str, archive: Path, given: dict[str, str], may_write: Callable[[], None]) -> None:
    sent = 0
    with archive.open("rb") as file:
        while piece := file.read(_PIECE):
            may_write()
            asking.change("releases", ["add", name, str(sent)], given=given, stdin=piece, timeout=300)
            sent += len(piece)


def _unreadable(archive: Path, error: OSError) -> ReleaseError:
    return ReleaseError(
        T("The archive {path} cannot be read: {reason}.", path=str(archive), reason=error.strerror or str(error))
    )
