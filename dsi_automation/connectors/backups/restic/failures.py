"""What it means when restic fails: by its exit status where it has one, else by its words (0.14 has rc 1 for all).

Words were read from restic 0.14.0 to 0.18; statuses 10, 11 and 12 exist from 0.17 on (docs, "Scripting").
"""

from __future__ import annotations

import json
import re
from typing import Final

from dsi_automation.connectors.backups.errors import (
    BackupFailedError,
    DamagedBackupError,
    NoRepositoryError,
    TransientError,
    WrongKeyError,
    ended_from_outside,
)
from dsi_automation.connectors.ssh.port import Finished
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

NO_REPOSITORY, LOCKED, WRONG_KEY, INCOMPLETE = 10, 11, 12, 3


class LockedError(TransientError):
    """Somebody else works on the repository, or a lock was left behind."""


class FullError(TransientError):
    """The disk of the repository, or of what is restored, is full."""


class IncompleteError(BackupFailedError):
    """Something of the source could not be read: the snapshot does not count, and was removed."""


_USERINFO: Final = re.compile(r"(://)([^:@/]*):[^@/]*@")


def _words(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


_KEY: Final = _words("wrong password or no key found", "no key found")
_LOCKED: Final = _words("repository is already locked", "unable to create lock in backend: .*lock")
_FULL: Final = _words("no space left on device", "disk quota exceeded", "not enough space", "insufficient storage")
_ABSENT: Final = _words(
    r"config file[^\n]*(no such file or directory|does not exist|file does not exist|not found|cannot find the)",
    r"repository does not exist",
    r"<config/[^\n]*(does not exist|no such file|404)",
    r"config file[^\n]*404",
)
_LOGIN: Final = _words("host key verification failed", "permission denied \\(", r"\b401 unauthorized", "403 forbidden")
_NETWORK: Final = _words(
    "connection refused", "connection reset", "connection lost", "connection closed", "timed out", "i/o timeout",
    "no route to host", "network is unreachable", "broken pipe", "unable to start the sftp session", "unexpected eof",
    "ssh command exited", "temporary failure in name resolution", "no such host", "server misbehaving",
    "50[234] (bad gateway|service unavailable|gateway timeout)", "tls handshake",
)  # fmt: skip
_DAMAGED: Final = _words(
    "ciphertext verification failed", "hash mismatch", "hash does not match", "invalid data returned",
    "repository contains errors", "pack [0-9a-f]+:? (does not exist|contains|is damaged)", "not found in (index|repo)",
    "unable to load (index|tree|pack)", "load\\(?<(data|index|key|snapshot)/", "unexpected pack size",
    r"invalid (header|mac|length)", "not in the index", "wrong data returned", "content.* differ",
    "id [0-9a-f]+ not found", "blob [0-9a-f]+ not found", "config cannot be loaded", "config .* invalid",
)  # fmt: skip


def failure(finished: Finished, host: str, url: str) -> DsiError:
    """Return the error for a restic that failed."""
    if finished.ended_from_outside:
        return ended_from_outside("restic", host)
    said = spoken(finished)
    detail = {"status": finished.status, "restic": redact(said.replace(url, shown(url)))[-2000:]}
    place = shown(url)
    if finished.status == WRONG_KEY or _KEY.search(said):
        return WrongKeyError(
            T("The password does not open the repository {url}.", url=place),
            on=host,
            next_step=T("Compare the password in the inventory's secrets with the one kept in the safe."),
            detail=detail,
        )
    if finished.status == LOCKED or _LOCKED.search(said):
        return LockedError(
            T("The repository {url} is in use.", url=place),
            on=host,
            next_step=T("Wait until what works on it has ended; a lock of a dead process is removed by itself."),
            detail=detail,
        )
    return _other(finished.status, said, place, host, detail)


def _other(status: int, said: str, place: str, host: str, detail: dict[str, object]) -> DsiError:
    if _FULL.search(said):
        return FullError(
            T("There is no room left for {url}.", url=place),
            on=host,
            next_step=T("Free space, or have the retention remove old sets, then try again."),
            detail=detail,
        )
    if _LOGIN.search(said):
        return BackupFailedError(
            T("{host} is not let in to the repository {url}.", host=host, url=place),
            on=host,
            next_step=T("See the key or account {host} uses for it, and its rights there.", host=host),
            detail=detail,
        )
    if status == NO_REPOSITORY or _ABSENT.search(said):
        return NoRepositoryError(
            T("There is no repository at {url}.", url=place),
            on=host,
            meaning=T("It was never made, it was removed, or its disk is not mounted."),
            next_step=T("Look there before anything is made anew."),
            detail=detail,
        )
    if _NETWORK.search(said):
        return TransientError(
            T("{host} does not reach the repository {url}.", host=host, url=place),
            on=host,
            next_step=T("See that the machine that keeps it answers, then try again."),
            detail=detail,
        )
    if _DAMAGED.search(said):
        return DamagedBackupError(
            T("The repository {url} is damaged.", url=place),
            on=host,
            meaning=T("What is stored there is not what was written."),
            next_step=T("Do not prune it. Restore from the last copy on a medium, and look at the disk it is on."),
            detail=detail,
        )
    return BackupFailedError(
        T("restic on {host} failed: {reason}", host=host, reason=_last(said)),
        on=host,
        detail=detail,
    )


def shown(url: str) -> str:
    """Return a repository's address without the password that may be in it."""
    return redact(_USERINFO.sub(r"\1\2@", url))


def spoken(finished: Finished) -> str:
    """Return what restic said on stderr, its JSON messages unpacked."""
    return "\n".join(_sentence(line) for line in finished.complaint.splitlines() if line.strip())


def _sentence(line: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        message = json.loads(line)
    except ValueError:
        return line
    error = message.get("error")
    words = error.get("message", error) if isinstance(error, dict) else error
    # 0.14 gives Go's own error values: `{"Op":"open","Path":"/x","Err":13}`.
    parts = [message.get("item"), json.dumps(words) if isinstance(words, dict) else words, message.get("message")]
    return ": ".join(str(part) for part in parts if part) or line


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal:")]
    return redact((fatal or lines or ["?"])[-1])[:300]
