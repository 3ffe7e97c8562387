"""What operations on applications look through and write with, made from the inventory and the record."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.composition.backups import BackupLook
from dsi_automation.composition.shells import Shells
from dsi_automation.connectors.applications.port import ServerSettings, ServiceKind, StepSettings, TestSettings
from dsi_automation.connectors.databases.port import DatabaseSettings
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.application_model import (
    Application,
    ApplicationServer,
    ScriptService,
    SystemdService,
    WebStep,
)
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.inventory.source_model import ReleaseArchives, Sources
from dsi_automation.operations.tools import USERS

if TYPE_CHECKING:
    from dsi_automation.connectors.applications.port import ConnectionTester, ServerReader, ServerWriter
    from dsi_automation.connectors.databases.port import DatabaseReader, DatabaseWriter
    from dsi_automation.connectors.releases.port import ReleaseStore
    from dsi_automation.engine.model import Acceptance
    from dsi_automation.engine.operation import Permit
    from dsi_automation.operations.applications.record import ApplicationRecord


class ApplicationLook(BackupLook):
    """The read half, as far as applications are concerned; part of `InventoryLook`."""

    @cached_property
    def shells(self) -> Shells:
        """Return the connections to their servers: kept while a run lasts."""
        return Shells(self.shell)

    @property
    def applications(self) -> Mapping[str, Application]:
        """Return the applications of the inventory, by name."""
        with self.lock:
            return self._inventory.applications

    @property
    def sources(self) -> Mapping[str, Sources]:
        """Return the lines of sources of the inventory, by name."""
        with self.lock:
            return self._inventory.sources

    @property
    def rule_sets(self) -> Mapping[str, RuleSet]:
        """Return the rule sets of the inventory, by name."""
        with self.lock:
            return self._inventory.rule_sets

    def application_record(self) -> ApplicationRecord:
        """Return interruptions, tests and releases, by the journal as it is now."""
        from dsi_automation.operations.applications.record import read

        return read(self.records.notes())

    def acceptances(self, source: str) -> Mapping[tuple[str, str], Acceptance]:
        """Return the last word signed about each release of a line of sources and each of its stages."""
        return {
            (item.order.release, item.order.stage): item
            for item in self.records.acceptances()
            if item.order.source == source
        }

    @contextmanager
    def server(self, application: str, server: str) -> Iterator[ServerReader]:
        """Open a reader for one server of an application; closed on leaving."""
        with self.server_at(application, server, None, application) as opened:
            yield opened

    @contextmanager
    def server_at(self, application: str, server: str, permit: Permit | None, target: str) -> Iterator[ServerWriter]:
        """Open one server of an application; without a permit it is used to look only."""
        described = self.application(application)
        one = described.server(server)
        settings = self._server(application, described, one)
        if settings.kind is ServiceKind.WINDOWS:
            from dsi_automation.connectors.applications.windows import open_windows_server

            with open_windows_server(
                settings, self.windows_endpoint(one.host), self.clock, permit, target
            ) as on_windows:
                yield on_windows
            return
        from dsi_automation.connectors.applications.server import SshServer

        with self.shells.at(one.host) as shell:
            yield SshServer(settings, shell, self.clock, permit, target)

    def tester(self, application: str, server: str) -> ConnectionTester:
        """Return what does as a user does on one server, or at the address users go to."""
        from dsi_automation.connectors.applications.web import WebTester

        described = self.application(application)
        test = described.connection_test
        if server == USERS and test.url is not None:
            base = test.url
        else:
            one = described.server(server)
            base = f"{test.scheme}://{one.address or self._address(one.host)}:{one.port}"
        account = self.account(test.credential)
        steps = tuple(_step(name, getattr(test, name)) for name in ("page", "login", "query", "logout"))
        return WebTester(
            TestSettings(
                server=server,
                base=base,
                ca_file=test.ca_file,
                user=account.user,
                password=account.password,
                steps=steps,
                timeout=test.timeout.total_seconds(),
            ),
            self.clock,
        )

    @contextmanager
    def database(self, application: str) -> Iterator[DatabaseReader]:
        """Open a reader for the database of an application; closed on leaving."""
        with self.database_at(application, None, application) as opened:
            yield opened

    @contextmanager
    def database_at(self, application: str, permit: Permit | None, target: str) -> Iterator[DatabaseWriter]:
        """Open the database of an application; without a permit it is used to look only."""
        from dsi_automation.connectors.databases.postgresql import open_postgresql

        described = self.application(application).database
        if described is None:
            raise UsageError(
                T("dsi_applications gives {application} no database.", application=application),
                on=application,
                next_step=T("Add `database` to it."),
            )
        settings = DatabaseSettings(
            name=application,
            server=described.server,
            port=described.port,
            database=described.database,
            user=described.user,
            password=None if described.password is None else self.secret_of(described.password),
            ca_file=described.ca_file,
            application_user=described.application_user,
        )
        with open_postgresql(settings, self.clock, permit, target) as opened:
            yield opened

    def releases(self, source: str) -> ReleaseStore:
        """Return where the releases of a line of sources are."""
        from dsi_automation.connectors.releases.archives import ArchiveStore
        from dsi_automation.connectors.releases.tags import TagStore

        if source not in self.sources:
            raise UsageError(
                T("dsi_sources has no “{name}”.", name=source), next_step=did_you_mean(source, self.sources)
            )
        line = self.sources[source]
        signers = Path(line.allowed_signers)
        if isinstance(line.releases, ReleaseArchives):
            return ArchiveStore(source, Path(line.releases.folder), signers)
        cache = self.records.folder / "releases" / source
        return TagStore(source, line.releases.repository, line.releases.prefix, signers, cache)

    def kept(self, kind: str, sha256: str) -> bytes | None:
        """Return what the state folder keeps under its digest; None when there is none.

        Raises:
            StorageError: what is there is not what was kept.
        """
        from dsi_automation.composition.kept import read

        return read(self.records.folder / "kept" / kind, sha256)

    def application(self, name: str) -> Application:
        """Return one application.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.applications:
            raise UsageError(
                T("dsi_applications has no “{name}”.", name=name),
                on=name,
                next_step=did_you_mean(name, self.applications),
            )
        return self.applications[name]

    def _address(self, host: str) -> str:
        with self.lock:
            target = self._inventory.target(host)
        reached = target.windows or target.ssh
        return host if reached is None else reached.host

    def _server(self, name: str, described: Application, one: ApplicationServer) -> ServerSettings:
        service, deployment = one.service, described.deployment
        script = service if isinstance(service, ScriptService) else None
        unit = "" if script else service.unit if isinstance(service, SystemdService) else getattr(service, "name", "")
        return ServerSettings(
            application=name,
            name=one.name,
            host=one.host,
            kind=ServiceKind(service.kind),
            unit=unit,
            start=() if script is None else tuple(shlex.split(script.start)),
            stop=() if script is None else tuple(shlex.split(script.stop)),
            status=() if script is None else tuple(shlex.split(script.status)),
            user=None if script is None else script.user,
            address=one.address or self._address(one.host),
            port=one.port,
            stop_within=one.stop_within.total_seconds(),
            start_within=one.start_within.total_seconds(),
            kill=one.kill,
            log=one.log,
            caches=one.caches,
            releases=None if deployment is None else deployment.releases,
            link=None if deployment is None else deployment.link,
            owner=None if deployment is None else deployment.user,
        )


def _step(name: str, step: WebStep) -> StepSettings:
    form = None if step.form is None else tuple(step.form.items())
    return StepSettings(name, step.path, form, step.status, step.expect, step.refuse)
