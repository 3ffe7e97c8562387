"""The inventory's applications (procedures S and L): their servers, how they stop and start, how one sees they work."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.backup_model import AbsolutePath, QueryCheck
from dsi_automation.inventory.model import Duration, Environment, NonEmpty, SecretSource, Strict
from dsi_automation.inventory.problems import WrongValueError

type Port = Annotated[int, Field(ge=1, le=65535)]
type ServerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]


class SystemdService(Strict):
    """A systemd unit.

    Attributes:
        kind: `systemd`.
        unit: its name: `sydam.service`.
    """

    kind: Literal["systemd"]
    unit: NonEmpty


class WindowsService(Strict):
    """A Windows service, through CIM (Win32_Service).

    Attributes:
        kind: `windows`.
        name: of the service, not its display name: `Tomcat10`.
    """

    kind: Literal["windows"]
    name: NonEmpty


class ScriptService(Strict):
    """A script as vendors ship it; each command is split as a shell would and run without one.

    Attributes:
        kind: `script`.
        start, stop, status: the commands; `status` ends as an init script does: 0 running, 1 or 2 dead but its file is
            there, 3 not running (LSB 5.0, "Init Script Actions").
        user: run as this user.
    """

    kind: Literal["script"]
    start: NonEmpty
    stop: NonEmpty
    status: NonEmpty
    user: NonEmpty | None = None


type AnyService = Annotated[SystemdService | WindowsService | ScriptService, Field(discriminator="kind")]


class ApplicationServer(Strict):
    """One application server.

    Attributes:
        name: what people and the record call it: `app1`.
        host: host of the inventory: over SSH, or over WinRM for a Windows service.
        service: how it is stopped and started.
        port: where users reach it.
        address: where the controller reaches that port; by default the host's address.
        stop_within: how long its own stop may take, the port closed included.
        start_within: how long it may take until its port answers.
        kill: when it does not stop in time, or stops on paper and still holds its port: end the process that holds
            the port (SIGTERM, then SIGKILL). Else, and on Windows always, that is left to a person.
        log: its log, shown when something fails.
        caches: folders that are emptied while it is stopped: their content, never the folders.
    """

    name: ServerName
    host: NonEmpty
    service: AnyService
    port: Port
    address: NonEmpty | None = None
    stop_within: Duration = timedelta(minutes=2)
    start_within: Duration = timedelta(minutes=5)
    kill: bool = True
    log: AbsolutePath | None = None
    caches: tuple[AbsolutePath, ...] = ()


class ApplicationDatabase(Strict):
    """The application's database, as the controller connects to it.

    Attributes:
        kind: `postgresql`.
        server, port, database: where it is.
        user: who reads locks (member of pg_monitor), ends sessions (member of pg_signal_backend), runs the scripts of
            releases and the statements of accounts and rule sets.
        password: of that user; None for a client certificate or ~/.pgpass.
        ca_file: CA of the server's certificate, PEM, relative to the inventory: the connection is then verified.
        backup: name in `dsi_backups` of its backup.
        application_user: who the application connects as: its own sessions end with it and are no one's locks.
    """

    kind: Literal["postgresql"] = "postgresql"
    server: NonEmpty
    port: Port = 5432
    database: NonEmpty
    user: NonEmpty
    password: SecretSource | None = None
    ca_file: NonEmpty | None = None
    backup: NonEmpty | None = None
    application_user: NonEmpty | None = None


class LockRule(Strict):
    """Which sessions that hold locks on tables are ended while the application is stopped.

    A session that works (a statement under way) is never ended by this rule: only by an approved plan that names it.

    Attributes:
        idle_for: a session that holds locks and has done nothing for this long is ended.
        tables: tables (`schema.table`) whose locks count; empty for all of the application's.
    """

    idle_for: Duration = timedelta(minutes=5)
    tables: tuple[NonEmpty, ...] = ()


class CommandCheck(Strict):
    """A command on a server that must end with 0.

    Attributes:
        title: what it shows, for people.
        host: host of the inventory.
        command: split as a shell would and run without one.
        timeout: for it.
    """

    title: NonEmpty
    host: NonEmpty
    command: NonEmpty
    timeout: Duration = timedelta(seconds=60)


class Conditions(Strict):
    """What must be true before a stop, or after a start.

    Attributes:
        queries: questions to the application's database.
        commands: on servers.
    """

    queries: tuple[QueryCheck, ...] = ()
    commands: tuple[CommandCheck, ...] = ()


class WebStep(Strict):
    """One thing a user does in the browser.

    Attributes:
        path: below the server's address.
        form: fields that are posted; `{user}` and `{password}` stand for the test account's. Without it, GET.
            Hidden fields of the page before are sent along, as a browser would.
        status: of the final answer, redirections followed.
        expect: what its text must hold.
        refuse: what it must not hold: a login page sent again with 200.
    """

    path: Annotated[str, Field(pattern=r"^/")]
    form: dict[NonEmpty, str] | None = None
    status: Annotated[int, Field(ge=100, le=599)] = 200
    expect: NonEmpty
    refuse: NonEmpty | None = None


class ConnectionTest(Strict):
    """What a user does, step by step, on every server: page, login, one query through to the database, logout.

    Attributes:
        scheme: of the servers' ports.
        ca_file: CA of their certificates, PEM, relative to the inventory; None for the system's.
        credential: name in `dsi_credentials` of the test account.
        page, login, query, logout: the steps, in this order.
        timeout: for each step.
        url: the address users go to (a load balancer's), tested as well; None where they go to a server's own.
    """

    scheme: Literal["http", "https"] = "http"
    ca_file: NonEmpty | None = None
    credential: NonEmpty
    page: WebStep
    login: WebStep
    query: WebStep
    logout: WebStep
    timeout: Duration = timedelta(seconds=20)
    url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] | None = None


class NotConclusive(Strict):
    """What is done when the connection test fails after a start; the plan says so beforehand.

    Attributes:
        tries: how often the application is restarted and tested in all.
        then: `person`: left as it is for a person to look at; `stop`: stopped, so that nobody works on it half well.
            An integration of sources goes back to the release before, whatever this says.
    """

    tries: Annotated[int, Field(ge=1, le=5)] = 2
    then: Literal["person", "stop"] = "person"


class Message(Strict):
    """A message shown in the application itself.

    Attributes:
        show: SQL on its database; `:text` stands for the message and `:until` for its end (timestamptz).
        clear: SQL that takes it away.
    """

    show: NonEmpty
    clear: NonEmpty


class Notice(Strict):
    """Who is told of an interruption, and when.

    Attributes:
        users: mail addresses of the users: a distribution list.
        countdown: how long before the stop they are told, longest first; the application's message at each.
        message: the application's own; None where it has none.
        dsi: ids in people.yml of who is told that it is available, or that it is not.
    """

    users: tuple[NonEmpty, ...] = ()
    countdown: tuple[Duration, ...] = (timedelta(minutes=15), timedelta(minutes=5), timedelta(minutes=1))
    message: Message | None = None
    dsi: tuple[NonEmpty, ...] = ()

    @model_validator(mode="after")
    def _longest_first(self) -> Notice:
        if list(self.countdown) != sorted(set(self.countdown), reverse=True):
            raise WrongValueError(T("longest first, and none twice."), "countdown")
        return self


class Deployment(Strict):
    """Where releases lie on each server, side by side.

    Attributes:
        releases: folder that holds one folder for each release, named after it.
        link: symbolic link to the one in use; replaced in one step (rename(2)).
        user: owner of what is deployed; None for who logs in.
        keep: how many releases before the one in use are kept.
    """

    releases: AbsolutePath
    link: AbsolutePath
    user: NonEmpty | None = None
    keep: Annotated[int, Field(ge=1)] = 3


class SqlAccounts(Strict):
    """Accounts of the application in its database, by statements with named parameters.

    Parameters: `:login`, `:name`, `:profile`, `:office`, `:password` (its hash), `:now`; what a statement does not use
    is not sent.

    Attributes:
        kind: `sql`.
        find: returns one row, or none, with the columns login, name, profile, office, active, must_change.
        create, change, disable: change exactly one row; with `create` and `change` the password must be changed at
            first use.
        hash: how the password is stored: `pbkdf2-sha256` is `pbkdf2-sha256$ITERATIONS$SALT$HASH`, salt and hash in
            Base64 (RFC 8018).
        iterations: of the hash.
    """

    kind: Literal["sql"]
    find: NonEmpty
    create: NonEmpty
    change: NonEmpty
    disable: NonEmpty
    hash: Literal["pbkdf2-sha256"] = "pbkdf2-sha256"
    iterations: Annotated[int, Field(ge=10_000)] = 210_000


class LdapAccounts(Strict):
    """Accounts of the application in the domain's directory: membership of one group per profile.

    Attributes:
        kind: `ldap`.
        groups: profile to the DN of its group.
    """

    kind: Literal["ldap"]
    groups: dict[NonEmpty, NonEmpty]


class RequiredDocument(Strict):
    """One document that a request must come with.

    Attributes:
        name: what `--input documents` calls it: `lettre`.
        title: what people call it.
        unless_staff: not needed for customs officers (`external: false`).
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: NonEmpty
    unless_staff: bool = False


class Documents(Strict):
    """The documents each case requires (procedure L, 1); by default those of the guide.

    Attributes:
        create, change, disable: of each case.
    """

    create: tuple[RequiredDocument, ...] = (
        RequiredDocument(name="lettre", title="Lettre de demande du supérieur hiérarchique ou de l’employeur"),
        RequiredDocument(name="fiche", title="Fiche d’identification remplie et signée"),
        RequiredDocument(name="affectation", title="Décision d’affectation ou compte rendu de prise de service"),
        RequiredDocument(name="agrement", title="Agrément notifié par la Direction Générale des Douanes",
                         unless_staff=True),
        RequiredDocument(name="identite", title="Pièce d’identité"),
    )  # fmt: skip
    change: tuple[RequiredDocument, ...] = (
        RequiredDocument(name="lettre", title="Lettre de demande du supérieur hiérarchique ou de l’employeur"),
        RequiredDocument(name="affectation", title="Décision d’affectation ou compte rendu de prise de service"),
        RequiredDocument(name="identite", title="Pièce d’identité"),
    )
    disable: tuple[RequiredDocument, ...] = (
        RequiredDocument(name="lettre", title="Lettre de demande du supérieur hiérarchique ou de l’employeur"),
        RequiredDocument(name="cessation", title="Cessation de service reçue de la DRH"),
    )


class ApplicationAccounts(Strict):
    """How logins of the application are made (procedure L).

    Attributes:
        store: where they are.
        profiles: those that may be given.
        documents: what each case requires.
        password_length: of the default password, characters.
    """

    store: Annotated[SqlAccounts | LdapAccounts, Field(discriminator="kind")]
    profiles: tuple[NonEmpty, ...] = ()
    documents: Documents = Documents()
    password_length: Annotated[int, Field(ge=10, le=64)] = 14


class Application(Strict):
    """One application, as it is operated: production, test and training are three.

    Attributes:
        title: what people call it: `SYDAM World`.
        environment: what it is for; approval policy depends on it.
        servers: in the order in which they are started; they are stopped the other way round.
        rolling: one server after the other, so that the others go on: then users are not interrupted.
        stable_for: how long it must stay up after the start before it counts as started: a start that dies after
            a minute is none.
        database, locks: see there.
        before: what must be true before it is stopped.
        after: what must be true before users are told that it is back.
        connection_test, when_not_conclusive, notice: see there.
        planned_hours: hours of the planned stop, `20:00-23:00`, which its standing approval is asked for.
        time_zone: of those hours, and of the months of the availability figures.
        deployment: where releases go; None when no sources are integrated by the toolkit.
        accounts: how logins are made; None when they are not made by the toolkit.
    """

    title: NonEmpty
    environment: Environment = Environment.PRODUCTION
    servers: Annotated[tuple[ApplicationServer, ...], Field(min_length=1)]
    rolling: bool = False
    stable_for: Duration = timedelta(seconds=30)
    database: ApplicationDatabase | None = None
    locks: LockRule = LockRule()
    before: Conditions = Conditions()
    after: Conditions = Conditions()
    connection_test: ConnectionTest
    when_not_conclusive: NotConclusive = NotConclusive()
    notice: Notice = Notice()
    planned_hours: Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")] = "20:00-23:00"
    time_zone: NonEmpty = "Africa/Abidjan"
    deployment: Deployment | None = None
    accounts: ApplicationAccounts | None = None

    @model_validator(mode="after")
    def _fits(self) -> Application:
        names = [server.name for server in self.servers]
        if len(set(names)) != len(names):
            raise WrongValueError(T("two servers share a name."), "servers")
        needs = (self.before.queries, self.after.queries, self.notice.message)
        if self.database is None and any(needs):
            raise WrongValueError(T("questions and the message need a database."), "database")
        return self

    def server(self, name: str) -> ApplicationServer:
        """Return one server; KeyError when there is none of that name."""
        return {server.name: server for server in self.servers}[name]


type Applications = dict[ServerName, Application]
