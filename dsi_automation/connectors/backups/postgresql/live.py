"""The running server as one database of it is put back: who is connected, what is ours there, and the swap of names.

A database of ours on its way is told by a line of its comment that names the set and the run. The archive makes that
comment right after the database itself, before anything is in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.postgresql.client import Place, Programs, identifier, literal, script
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import TN, T

_MARK: Final = "dsi-automation: "
_LONGEST: Final = 63
"""Bytes of a name (NAMEDATALEN - 1)."""
_NAMED: Final = 10
_ABLE: Final = """
SELECT json_build_object('id', system_identifier::text, 'able', r.rolsuper OR (r.rolcreatedb AND coalesce(
 (SELECT pg_has_role(r.oid, d.datdba, 'USAGE') FROM pg_database d WHERE d.datname = {database}), true)))
FROM pg_control_system(), pg_roles r WHERE r.rolname = current_user;
"""
_SESSIONS: Final = """
SELECT json_build_object('pid', pid, 'user', usename, 'application', application_name, 'from', client_addr)
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = {database}
 AND backend_type IS DISTINCT FROM 'autovacuum worker' ORDER BY backend_start;
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A database of the server: its own comment, and what our line of it says."""

    name: str
    comment: str
    mark: str


@dataclass(frozen=True, slots=True)
class Live:
    """The running server, and the database of it that is put back by a run.

    Attributes:
        place: as the role that may make and rename databases.
        of: the set it is brought back from.
    """

    programs: Programs
    place: Place
    database: str
    of: str
    run: str

    @property
    def new(self) -> str:
        """Return the name of the database while it is on its way: always the same one for a run."""
        return _short(self.database, 13) + "_dsi_" + hashlib.sha256(self.run.encode()).hexdigest()[:8]

    @property
    def loading(self) -> str:
        """Return what our line says of a database on its way."""
        return f"loading {self.database} from {self.of} by {self.run}"

    @property
    def done(self) -> str:
        """Return what our line says of a database that was put back."""
        return f"brought back from {self.of} by {self.run}"

    def databases(self) -> dict[str, Known]:
        """Return the databases there are, by their names."""
        said = self.programs.ask(
            "SELECT json_build_object('name', datname, 'comment', coalesce(shobj_description(oid, 'pg_database'), ''))"
            " FROM pg_database;",
            self.place,
        )
        return {str(each["name"]): _known(str(each["name"]), str(each["comment"])) for each in said}

    def refuse_wrong_server(self, system_identifier: str) -> None:
        """Make sure that this is the cluster of the set, and that we may do there what must be done.

        Raises:
            RefusedError: it is another one, or the role may not.
        """
        said = self.programs.ask(_ABLE.format(database=literal(self.database)), self.place)[0]
        if str(said["id"]) != system_identifier:
            raise RefusedError(
                T("The server is another cluster than the one of the set: {now} instead of {before}.",
                  now=said["id"], before=system_identifier),
                next_step=T("Bring the database back to a folder, as a dump, and load it there by hand."),
            )  # fmt: skip
        if not said["able"]:
            raise RefusedError(
                T("The role {role} may not put {database} back.", role=self.place.environment["PGUSER"],
                  database=self.database),
                next_step=T("It needs CREATEDB and the rights of the database's owner, or to be a superuser."),
            )  # fmt: skip

    def refuse_sessions(self) -> None:
        """Make sure that nobody is connected to the database.

        Raises:
            RefusedError: somebody is; with who it is.
        """
        said = self.programs.ask(_SESSIONS.format(database=literal(self.database)), self.place)
        if said:
            who = [f"{each['user']}@{each['from'] or 'local'} ({each['application'] or '-'}, PID {each['pid']})"
                   for each in said]  # fmt: skip
            raise RefusedError(
                TN(
                    "{n} session is connected to {database}: {who}.",
                    "{n} sessions are connected to {database}: {who}.",
                    len(said),
                    database=self.database,
                    who=", ".join(who[:_NAMED]) + (", …" if len(who) > _NAMED else ""),
                ),
                meaning=T("Nothing was changed: a database is never taken from under those who work in it."),
                next_step=T("Stop the application that uses it, then start the restore again."),
            )

    def drop_leftovers(self) -> None:
        """Remove what a killed run left on its way of this database: what our line tells, and nothing else.

        Raises:
            RefusedError: a database has the name we need, and it is not ours.
        """
        for known in self.databases().values():
            if known.mark.startswith(f"loading {self.database} from "):
                self.drop(known.name)
            elif known.name == self.new:
                # Killed between the making of it and the comment: there is nothing in it then.
                if self._holds_something(known.name):
                    raise RefusedError(
                        T("There is a database {name}, and it is not ours.", name=known.name),
                        next_step=T("See whose it is, and rename it."),
                    )
                self.drop(known.name)

    def drop(self, name: str) -> None:
        """Remove a database of ours that is on its way."""
        self.programs.ask(f"DROP DATABASE {identifier(name)} WITH (FORCE);", self.place)

    def swap(self, now: datetime, comment: str) -> str | None:
        """Give the new database the name; return how the old one is called from now on, None when there was none.

        One transaction: before it and after it there is one database of that name, whoever is killed when.

        Args:
            now: the controller's time.
            comment: the database's own comment, put back on the new one.
        """
        held = self.databases()
        old = None
        statements = ["BEGIN"]
        if self.database in held:
            old = self._aside(now, set(held))
            statements.append(f"ALTER DATABASE {identifier(self.database)} RENAME TO {identifier(old)}")
        statements.append(f"ALTER DATABASE {identifier(self.new)} RENAME TO {identifier(self.database)}")
        marked = literal(with_mark(comment, self.done + ("" if old is None else f", before: {old}")))
        statements += [f"COMMENT ON DATABASE {identifier(self.database)} IS {marked}", "COMMIT"]
        try:
            self.programs.ask(script(statements), self.place)
        except (RefusedError, TransientError):
            raise
        except BackupFailedError:
            # The server does not rename what somebody is connected to: say who.
            self.refuse_sessions()
            raise
        return old

    def _aside(self, now: datetime, taken: set[str]) -> str:
        name = _short(self.database, 24) + now.astimezone().strftime("_avant_%Y%m%d_%H%M")
        return next(each for each in (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3))) if each not in taken)

    def _holds_something(self, name: str) -> bool:
        said = self.programs.ask(
            "SELECT json_build_object('held', EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n"
            r" ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'));",
            self.place,
            database=name,
        )
        return bool(said[0]["held"])


def with_mark(comment: str, mark: str) -> str:
    """Return a database's own comment with our line below it."""
    return "\n".join([*([comment] if comment else []), _MARK + mark])


def _known(name: str, comment: str) -> Known:
    lines = comment.splitlines()
    marks = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    return Known(name, "\n".join(line for line in lines if not line.startswith(_MARK)), marks[-1] if marks else "")


def _short(name: str, room: int) -> str:
    return name.encode()[: _LONGEST - room].decode(errors="ignore")
