"""PostgreSQL's own programs run on the controller: psql for questions, the others for backups and proofs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.settings import PostgresSettings
from dsi_automation.connectors.ssh.port import Finished, Program, Shell
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.secrets import Secret, redact
from dsi_automation.core.text import T

_MERGED: Final = ("/bin/sh", "-c", 'exec "$@" 2>&1', "sh")
_CONNECTION_LOST: Final = 2
"""psql's exit status when the connection was refused or lost (psql(1), Exit Status)."""
_PASSING: Final = (
    "could not connect",
    "connection to server",
    "could not translate host name",
    "timeout expired",
    "server closed the connection",
    "terminating connection",
    "starting up",
    "shutting down",
    "in recovery mode",
    "too many",
    "remaining connection slots",
    "requested timelines",
    "SSL SYSCALL error",
    "could not receive data",
    "could not send data",
)
_REFUSED: Final = (
    "authentication failed",
    "no pg_hba.conf entry",
    "certificate verify failed",
    "no password supplied",
    "does not exist",
    "permission denied",
    "must be superuser",
    "does not match host name",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server answers: the one to back up, or a scratch one behind its socket."""

    environment: Mapping[str, str]
    password: Secret | None = None


class Programs:
    """Runs the programs of one installation of PostgreSQL, each with a deadline and a clean environment."""

    def __init__(self, shell: Shell, settings: PostgresSettings, timeout: float) -> None:
        """Keep what they need; `timeout` in seconds, for those that copy or read everything."""
        self._shell, self._settings, self._timeout = shell, settings, timeout

    @property
    def origin(self) -> Place:
        """Return where the cluster that is backed up answers."""
        return self._at(self._settings.user, self._settings.password)

    @property
    def restorer(self) -> Place | None:
        """Return the same place as the role that may put a database back; None when the inventory names none."""
        settings = self._settings
        return None if settings.restore_user is None else self._at(settings.restore_user, settings.restore_password)

    def _at(self, user: str, password: Secret | None) -> Place:
        settings = self._settings
        environment = {
            "PGHOST": settings.server,
            "PGPORT": str(settings.port),
            "PGUSER": user,
            "PGDATABASE": settings.maintenance_database,
            "PGCONNECT_TIMEOUT": "15",
            "PGAPPNAME": "dsi-backup",
            "PGSSLMODE": "prefer" if settings.ca_file is None else "verify-full",
        }
        if settings.ca_file is not None:
            environment["PGSSLROOTCERT"] = settings.ca_file
        return Place(environment, password)

    def run(
        self,
        name: str,
        *arguments: str,
        place: Place | None = None,
        user: str | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
        forever: bool = False,
        merged: bool = False,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Finished:
        """Run one of PostgreSQL's programs to its end, whatever that is; `forever` without a deadline: a server.

        Args:
            merged: what it says on stderr is given line by line, too: pg_basebackup's progress.

        Raises:
            UnreachableError: the time is over.
            DsiError: the program is not there.
        """
        secret = {} if place is None or place.password is None else {"PGPASSWORD": place.password}
        asked = Program(
            argv=[*(_MERGED if merged else ()), str(self._settings.bin_dir / name), *arguments],
            stdin=stdin,
            environment={**({} if place is None else place.environment), **(environment or {})},
            # Another user reads no process's environment; psql and libpq take a password from nowhere better.
            secret_environment=secret,
            directory="/",
            user=user,
            timeout=None if forever else self._timeout if timeout is None else timeout,
        )
        return self._shell.run(asked, on_line=on_line)

    def version(self) -> str:
        """Return what `postgres --version` says of the installation."""
        return self.run("postgres", "--version", timeout=30).text.strip()

    def control(self, data: Path) -> str:
        """Return what pg_controldata says of a cluster."""
        done = self.run("pg_controldata", "-D", str(data), timeout=60)
        if done.status != 0:
            raise failure("pg_controldata", done)
        return done.text

    def ask(
        self, script: str, place: Place, *, database: str | None = None, timeout: float | None = None
    ) -> list[dict[str, Any]]:
        """Run a script of SQL; each row it selects is one JSON object.

        Raises:
            TransientError: the server does not answer, or not for the time being.
            RefusedError: it lets us not in, or not do that.
            BackupFailedError: the SQL is not right for this database.
        """
        head = "\\set ON_ERROR_STOP on\n\\set VERBOSITY verbose\n\\pset pager off\n"
        done = self.run(
            "psql",
            "-X",
            "-A",
            "-t",
            "-q",
            place=place,
            stdin=(head + script + "\n").encode(),
            timeout=timeout,
            environment=None if database is None else {"PGDATABASE": database},
        )
        if done.status != 0:
            raise failure("psql", done)
        return [json.loads(line) for line in done.text.splitlines() if line.strip()]


def failure(program: str, done: Finished) -> BackupFailedError | TransientError | RefusedError:
    """Return the error for a program that did not end well, told apart by what it said in the C locale."""
    said = redact(done.complaint)
    line = first_complaint(said)
    detail = {"program": program, "status": done.status, "said": said[-2000:]}
    if any(word in said for word in _REFUSED):
        return RefusedError(
            T("PostgreSQL refuses: {said}", said=line),
            next_step=T("Check the user's rights and password, and pg_hba.conf of the server."),
            detail=detail,
        )
    if any(word in said for word in _PASSING) or (program == "psql" and done.status == _CONNECTION_LOST):
        return TransientError(T("PostgreSQL does not answer: {said}", said=line), detail=detail)
    if "No space left on device" in said:
        return TransientError(T("{program}: the disk is full.", program=program), detail=detail)
    return BackupFailedError(
        T("{program} failed with status {status}: {said}", program=program, status=done.status, said=line),
        detail=detail,
    )


def first_complaint(said: str) -> str:
    """Return the line that says most: the first error, else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("ERROR", "FATAL", "PANIC", "error:"))]
    return (telling or lines[-1:] or ["-"])[0]


def identifier(name: str) -> str:
    """Return a name as SQL takes it: `"name"`."""
    return '"' + name.replace('"', '""') + '"'


def table(name: str) -> str:
    """Return `schema.table` as SQL takes it, each part quoted."""
    return ".".join(identifier(part) for part in name.split(".", 1))


def literal(value: str) -> str:
    """Return a text as SQL takes it, whatever standard_conforming_strings says."""
    escaped = value.replace("'", "''")
    return f" E'{escaped.replace(chr(92), chr(92) * 2)}'" if "\\" in value else f"'{escaped}'"


def script(statements: Sequence[str]) -> str:
    """Return statements as a script."""
    return "".join(f"{statement.rstrip().rstrip(';')};\n" for statement in statements)
