"""Opens the engine of one PostgreSQL backup of the plan."""

from __future__ import annotations

from dsi_automation.connectors.backups.port import BackupWriter
from dsi_automation.connectors.backups.postgresql.client import Programs
from dsi_automation.connectors.backups.postgresql.driver import PostgresBackupEngine
from dsi_automation.connectors.backups.postgresql.proof import Tools
from dsi_automation.connectors.backups.postgresql.scratch import Worker
from dsi_automation.connectors.backups.restic.repository import ResticStore
from dsi_automation.connectors.backups.settings import JobSettings, PostgresSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import Clock


def open_postgresql(
    common: JobSettings,
    postgres: PostgresSettings,
    repository: RepositorySettings,
    clock: Clock,
    permit: WritePermit | None,
) -> BackupWriter:
    """Return the engine of one backup; nothing is connected to yet, and without a permit it is used to look only."""
    shell = LocalShell()
    programs = Programs(shell, postgres, common.timeout.total_seconds())
    store = ResticStore(common, repository, shell)
    tools = Tools(common, postgres, programs, Worker(shell, postgres.work_user), store, clock)
    return PostgresBackupEngine(tools, store, shell, permit)
