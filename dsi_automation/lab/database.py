"""The lab's PostgreSQL: a cluster with the databases of SYDAM World, its log archived as it is written.

One process makes the cluster when it is not there and then becomes the server, so that it gets ready beside the other
steps of `up`, and a start that was killed leaves nothing that is not known.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T
from dsi_automation.lab import sydam_accounts
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.ca import Authority
from dsi_automation.lab.layout import DOMAIN, Layout
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.system import run

USER: Final = "postgres"
"""The operating-system user of the server, and the superuser in it."""
DATABASE: Final = "sydam"
TEST_DATABASE: Final = "sydam_test"
TRAINING_DATABASE: Final = "sydam_formation"
BACKUP_ROLE: Final = "dsi_backup"
RESTORE_ROLE: Final = "dsi_restore"
"""May put a database back in its place: a superuser, as the tables are the superuser's own."""
APPLICATION_ROLE: Final = "sydam"
PORT: Final = 5432
DECLARATIONS: Final = 36_000
"""With their articles, taxes and journal, about 400 000 rows."""
FEW_DECLARATIONS: Final = 200
"""In the test and the training database."""
DATABASES: Final = {DATABASE: DECLARATIONS, TEST_DATABASE: FEW_DECLARATIONS, TRAINING_DATABASE: FEW_DECLARATIONS}
START_SECONDS: Final = 90.0
PROGRAMS: Final = Path("/usr/lib/postgresql")

LAUNCH: Final = """\
set -e
db=$1 bin=$2
export PATH="$bin:$PATH"
cd "$db"
if [ ! -e data/ready ]; then
    rm -rf data
    initdb --pgdata=data --username=postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-sync \\
        --auth=peer --no-instructions
    # Not yet listening to anybody, and nothing is worth waiting for a disk: it is made anew when this is cut short.
    pg_ctl --pgdata=data --wait --silent --options="-c listen_addresses= -c unix_socket_directories=$db/run \\
        -c fsync=off -c wal_level=minimal -c max_wal_senders=0 -c archive_mode=off -c max_wal_size=4GB" start
    psql="psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host=$db/run"
    $psql --dbname=postgres --file=setup.sql
    fill() {
        $psql --dbname="$1" --single-transaction --set=declarations="$2" --output=/dev/null \\
            --file=sydam.sql --file=application.sql --file=accounts.sql
        $psql --dbname="$1" --file=grants.sql
    }
    # The two small ones beside the large one; nobody is connected to the one that is copied.
    fill sydam "$3" &
    large=$!
    fill sydam_test "$4"
    $psql --dbname=postgres --command="CREATE DATABASE sydam_formation OWNER sydam TEMPLATE sydam_test"
    wait $large
    pg_ctl --pgdata=data --wait --silent --mode=fast stop
    cp server.conf data/postgresql.auto.conf
    cp pg_hba.conf data/pg_hba.conf
    touch data/ready
fi
rm -f data/postmaster.pid
exec postgres -D data
"""
SETTINGS: Final = """\
listen_addresses = '{address}'
unix_socket_directories = '{folder}/run'
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '{folder}/server.pem'
ssl_key_file = '{folder}/server.key'
wal_level = replica
archive_mode = on
archive_command = '{archive_command}'
shared_buffers = '64MB'
max_connections = 60
max_wal_senders = 8
max_wal_size = '256MB'
lc_messages = 'C'
timezone = 'UTC'
"""
ACCESS: Final = """\
local   all          postgres               peer
hostssl replication  dsi_backup  {network}  scram-sha-256
hostssl all          all         {network}  scram-sha-256
"""
SETUP: Final = """\
CREATE ROLE {application} LOGIN PASSWORD '{application_password}';
CREATE ROLE {backup} LOGIN REPLICATION PASSWORD '{backup_password}';
CREATE ROLE {restore} LOGIN SUPERUSER PASSWORD '{restore_password}';
GRANT pg_read_all_data, pg_monitor TO {backup};
-- A right on a function holds in its database only: this is the one the backup connects to.
GRANT EXECUTE ON FUNCTION pg_create_restore_point(text), pg_switch_wal() TO {backup};
CREATE DATABASE {database};
CREATE DATABASE sydam_test;
"""
GRANTS: Final = """\
CREATE EXTENSION amcheck;
CREATE EXTENSION pgcrypto;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {backup};
GRANT ALL ON ALL TABLES IN SCHEMA public TO {application};
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {application};
ALTER DATABASE :"DBNAME" OWNER TO {application};
"""
FILLED_FROM: Final = ("sydam.sql", "application.sql", "accounts.sql")
ARCHIVER: Final = "archive_wal.sh"
"""The script that ships for production: `archive_command` of the lab's server is it."""


@dataclass(frozen=True)
class Database:
    """The PostgreSQL of one lab."""

    layout: Layout
    clock: Clock

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.layout.server_addresses["db1"]

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.layout.db_dir / "data"

    @property
    def archive(self) -> Path:
        """The archived log."""
        return self.layout.db_dir / "archive"

    @property
    def daemon(self) -> Daemon:
        """The process."""
        return Daemon("database", self.layout.ws_namespace, self.layout.run_dir, self.layout.log_dir / "database.log")

    def start(self, authority: Authority, passwords: Passwords) -> bool:
        """Start the server, or what makes the cluster and then becomes the server, unless it runs.

        Returns:
            Whether it was started.

        Raises:
            UsageError: the lab's folder is closed to the server's user.
        """
        if not self.daemon.needs_start(self.clock):
            return False
        self._prepare(authority, passwords)
        self._refuse_closed_folder()
        script = [LAUNCH, "database", str(self.layout.db_dir), str(programs()), str(DECLARATIONS)]
        script.append(str(FEW_DECLARATIONS))
        self.daemon.start([*_as_user(), "/bin/sh", "-c", *script], self.layout.environment())
        return True

    def wait_until_ready(self) -> None:
        """Return once the server takes connections.

        Raises:
            DsiError: it ended, or does not within 90 s.
        """
        until = self.clock.monotonic() + START_SECONDS
        while not self.answers():
            if self.daemon.pid() is None or self.clock.monotonic() > until:
                raise DsiError(
                    T("The database does not start."),
                    next_step=T("Read why: `dsi lab logs {part}`.", part="database"),
                    detail={"log": str(self.daemon.log)},
                )
            self.clock.sleep(0.05)
        if self._known_marks() is None:
            self._start_marks.write_text(json.dumps(self._marks()))

    def answers(self) -> bool:
        """Tell whether the server takes connections over the network."""
        try:
            run([str(programs() / "pg_isready"), "-q", "-h", self.address, "-p", str(PORT), "-t", "3"])
        except DsiError:
            return False
        return True

    def stop(self) -> bool:
        """Stop the server; what it holds stays.

        Returns:
            Whether it ran.
        """
        ran = self.daemon.pid() is not None
        if ran and (self.data / "postmaster.pid").exists():
            # In order, so that nobody has to recover what a killed server left.
            ending = [str(programs() / "pg_ctl"), "-D", str(self.data), "-m", "fast", "-w", "-t", "20", "stop"]
            _quietly([*_as_user(), *ending])
        return self.daemon.stop(self.clock) or ran

    def sql(self, text: str, database: str = DATABASE) -> str:
        """Run SQL as the superuser, over the server's own socket, and return what it answered, without headings.

        Raises:
            DsiError: the server does not run, or refuses.
        """
        psql = [str(programs() / "psql"), "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", database]
        return run(
            [*_as_user(), *psql, "-h", str(self.layout.db_dir / "run")],
            stdin=text,
            env={**self.layout.environment(), "HOME": "/"},
            timeout=600,
        ).strip()

    def grow(self, declarations: int) -> int:
        """Write that many more declarations, with their articles, taxes and journal.

        Returns:
            How many declarations there are now.
        """
        return int(self.sql(f"SELECT ajouter_declarations({declarations:d});"))

    def reset(self, authority: Authority, passwords: Passwords) -> None:
        """Put the initial rows back, if anything was written since: the same cluster where it is sound, else a new one.

        The same one keeps its system identifier and its log, which backups on record go by.
        """
        before, now = self._known_marks(), self._marks_now()
        if before is not None and now == before:
            self._clear_messages()
            return
        if before is None or now is None or now[-1] != before[-1] or not self._reload(_changed(before, now)):
            self.stop()
            for folder in (self.data, self.archive):
                shutil.rmtree(folder, ignore_errors=True)
            self.start(authority, passwords)
        self._start_marks.unlink(missing_ok=True)
        self.wait_until_ready()

    def _reload(self, names: Sequence[str]) -> bool:
        """Make databases anew in the running cluster; returns whether that could be done."""
        folder = self.layout.db_dir
        try:
            # A restore in place keeps the database that was there, under another name.
            every = self.sql("SELECT datname FROM pg_database", "postgres").split()
            ours = [name for name in every if name == DATABASE or name.startswith(f"{DATABASE}_")]
            going = [name for name in ours if name in names or name not in DATABASES]
            gone = "".join(f"DROP DATABASE {name} WITH (FORCE);\n" for name in going)
            # None is copied from another: the application may be connected to it again already.
            self.sql(gone + "".join(f"CREATE DATABASE {name};\n" for name in names), "postgres")
            rows = "\n".join((folder / name).read_text() for name in FILLED_FROM)
            for name in names:
                self.sql(f"BEGIN;\n\\set declarations {DATABASES[name]}\n{rows}\nCOMMIT;", name)
                self.sql((folder / "grants.sql").read_text(), name)
            self._clear_messages()
        except DsiError:
            # Damaged on purpose, perhaps.
            return False
        return True

    def _clear_messages(self) -> None:
        """Take away what the application shows; it comes and goes too often to make a database anew for it."""
        for name in DATABASES:
            self.sql("DELETE FROM avis;", name)

    def _known_marks(self) -> list[str] | None:
        try:
            found: list[str] = json.loads(self._start_marks.read_text())
        except (OSError, ValueError):
            return None
        return found

    def _marks_now(self) -> list[str] | None:
        try:
            return self._marks() if self.answers() else None
        except DsiError:
            return None

    @property
    def _start_marks(self) -> Path:
        return self.layout.db_dir / "start.json"

    def _marks(self) -> list[str]:
        """Return what changes when rows, tables, roles or databases do."""
        asked = (
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0), count(*),"
            " (SELECT count(*) FROM declarations) FROM pg_stat_user_tables WHERE relname <> 'avis';"
            "SELECT max(oid), count(*) FROM pg_class;"
        )
        written = [self.sql(asked, name) for name in DATABASES]
        around = self.sql("SELECT (SELECT count(*) FROM pg_database), (SELECT count(*) FROM pg_authid);")
        control = self.sql("SELECT timeline_id, system_identifier FROM pg_control_checkpoint(), pg_control_system();")
        return [*written, around, control]

    def _prepare(self, authority: Authority, passwords: Passwords) -> None:
        folder, user = self.layout.db_dir, _user()
        for made, mode in ((folder, 0o755), (self.archive, 0o750), (folder / "run", 0o755)):
            made.mkdir(parents=True, exist_ok=True)
            made.chmod(mode)
            os.chown(made, user.pw_uid, user.pw_gid)
        certificate, key = authority.issue("db1", [f"db1.{DOMAIN}"], [self.address])
        names = {
            "database": DATABASE,
            "backup": BACKUP_ROLE,
            "restore": RESTORE_ROLE,
            "application": APPLICATION_ROLE,
            "backup_password": passwords.get(BACKUP_ROLE).reveal(),
            "restore_password": passwords.get(RESTORE_ROLE).reveal(),
            "application_password": passwords.get(APPLICATION_ROLE).reveal(),
        }
        # A copy of its own: the sources may be where the server's user cannot reach.
        archiver = files("dsi_automation.connectors.backups.postgresql") / ARCHIVER
        rows = files("dsi_automation.lab")
        archive_command = f'/bin/sh "{folder}/{ARCHIVER}" "%p" "%f" "{self.archive}"'
        for name, content in (
            ("server.pem", certificate.read_text()),
            ("server.key", key.read_text()),
            ("setup.sql", SETUP.format(**names) + sydam_accounts.roles_sql(passwords, APPLICATION_ROLE)),
            ("accounts.sql", sydam_accounts.accounts_sql(passwords)),
            ("application.sql", (rows / "sydam_app" / "sql" / "application.sql").read_text(encoding="utf-8")),
            ("grants.sql", GRANTS.format(**names)),
            ("sydam.sql", (rows / "sydam.sql").read_text(encoding="utf-8")),
            (ARCHIVER, archiver.read_text(encoding="utf-8")),
            ("pg_hba.conf", ACCESS.format(network=self.layout.network)),
            (
                "server.conf",
                SETTINGS.format(address=self.address, folder=folder, archive_command=archive_command),
            ),
        ):
            _write(folder / name, content, user)

    def _refuse_closed_folder(self) -> None:
        try:
            run([*_as_user(), "test", "-r", str(self.layout.db_dir / "server.key")])
        except DsiError as error:
            raise UsageError(
                T("The user {user} cannot reach {folder}.", user=USER, folder=str(self.layout.db_dir)),
                meaning=T("PostgreSQL never runs as root, so that user must be able to pass through each folder."),
                next_step=T("Set DSI_LAB_DIR to a folder that everybody may pass through (chmod o+x)."),
            ) from error


def _changed(before: list[str], now: list[str]) -> list[str]:
    """Return the databases whose marks differ; all when what is around them does."""
    count = len(DATABASES)
    if now[count:] != before[count:]:
        return list(DATABASES)
    return [name for name, was, is_now in zip(DATABASES, before, now, strict=False) if was != is_now]


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, of the newest version there is.

    Raises:
        UsageError: there is none.
    """
    found = [path.parent for path in PROGRAMS.glob("*/bin/initdb")]
    if not found:
        raise UsageError(
            T("PostgreSQL’s programs are not below {folder}.", folder=str(PROGRAMS)),
            next_step=T("Run `dsi lab up --install`, or install the packages it names."),
        )
    return max(found, key=lambda path: float(path.parent.name))


def _user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER)
    except KeyError as error:
        raise UsageError(
            T("There is no user {user} on this machine.", user=USER),
            next_step=T("Run `dsi lab up --install`, or install the packages it names."),
        ) from error


def _as_user() -> list[str]:
    user = _user()
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _quietly(argv: list[str]) -> None:
    try:
        run(argv)
    except DsiError:
        # What did not end in order is ended otherwise just after.
        return


def _write(path: Path, content: str, user: pwd.struct_passwd) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        os.fchown(target.fileno(), user.pw_uid, user.pw_gid)
        target.write(content)
    temporary.rename(path)
