"""Opens an Oracle backup of the plan."""

from __future__ import annotations

from dsi_automation.connectors.backups.oracle.engine import OracleBackup
from dsi_automation.connectors.backups.port import BackupWriter
from dsi_automation.connectors.backups.settings import JobSettings, OracleSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.clock import Clock


def open_oracle(
    common: JobSettings,
    oracle: OracleSettings,
    shell: Shell,
    repository: RepositorySettings,
    clock: Clock,
    permit: WritePermit | None,
) -> BackupWriter:
    """Return the engine of one Oracle database; without a permit it is used to look only.

    The host is logged in to as root (or by sudo), or as the user of the database.

    Raises:
        UsageError: a value of the plan could be more than a value where RMAN reads it.
    """
    return OracleBackup(common, oracle, shell, repository, clock, permit)
