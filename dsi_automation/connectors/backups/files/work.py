"""What every part of the files engine works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.connectors.backups.restic.driver import Restic
from dsi_automation.connectors.backups.settings import FilesSettings, JobSettings, RepositorySettings, WritePermit
from dsi_automation.connectors.ssh.port import Shell
from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T


@dataclass(frozen=True, slots=True)
class Work:
    """One backup of files.

    Attributes:
        shell: the server; `local` the controller.
        reader: restic on the controller, by the path of verification.
        writer: restic on the server.
    """

    common: JobSettings
    files: FilesSettings
    repository: RepositorySettings
    shell: Shell
    local: Shell
    reader: Restic
    writer: Restic
    clock: Clock
    permit: WritePermit | None

    @property
    def name(self) -> str:
        """Return the backup's name in the plan."""
        return self.common.name

    def may_write(self) -> None:
        """Ask the permit, before every write.

        Raises:
            GateClosedError: the run may not write any more.
        """
        if self.permit is None:
            raise BackupFailedError(T("{name} was opened to look only.", name=self.name), on=self.name)
        self.permit.check(self.name)

    def manifest_of(self, of: StoredSet) -> Path:
        """Return where the manifest of a set is."""
        return self.common.manifests / Path(of.made.manifest_file).name
