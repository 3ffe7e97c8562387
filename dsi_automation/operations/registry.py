"""Every operation the toolkit knows, by name."""

from __future__ import annotations

from collections.abc import Mapping

from dsi_automation.engine.operation import AnyOperation, AnyReadOnly
from dsi_automation.operations.accounts.check import MailboxCheck
from dsi_automation.operations.accounts.create import MailboxCreate
from dsi_automation.operations.accounts.disable import AccountDisable
from dsi_automation.operations.accounts.licence import LicenceAssign, LicenceRemove
from dsi_automation.operations.applications.account import ApplicationAccount
from dsi_automation.operations.applications.check import ApplicationCheck
from dsi_automation.operations.applications.integrate import SourcesIntegrate
from dsi_automation.operations.applications.restart import ApplicationRestart
from dsi_automation.operations.applications.rules import RulesUpdate
from dsi_automation.operations.applications.start import ApplicationStart
from dsi_automation.operations.applications.stop import ApplicationStop
from dsi_automation.operations.backups.database import DatabaseBackup
from dsi_automation.operations.backups.externalise import BackupExternalise
from dsi_automation.operations.backups.restore import BackupRestore
from dsi_automation.operations.backups.server import ServerBackup
from dsi_automation.operations.backups.verify import BackupVerify
from dsi_automation.operations.directory.check import DirectoryCheck
from dsi_automation.operations.network.access_list import AccessList
from dsi_automation.operations.network.allow import AccessAllow
from dsi_automation.operations.network.backup import RouterBackup
from dsi_automation.operations.network.check import RouterCheck
from dsi_automation.operations.network.configure import RouterConfigure
from dsi_automation.operations.network.interconnect import RouterInterconnect
from dsi_automation.operations.network.revoke import AccessRevoke
from dsi_automation.operations.workstation.check import WorkstationCheck
from dsi_automation.operations.workstation.join import WorkstationJoin


def operations() -> Mapping[str, AnyOperation | AnyReadOnly]:
    """Return a new mapping of operations, in the order they are shown."""
    known: tuple[AnyOperation | AnyReadOnly, ...] = (
        WorkstationCheck(),
        WorkstationJoin(),
        MailboxCreate(),
        MailboxCheck(),
        AccountDisable(),
        LicenceAssign(),
        LicenceRemove(),
        DirectoryCheck(),
        ServerBackup(),
        DatabaseBackup(),
        BackupVerify(),
        BackupExternalise(),
        BackupRestore(),
        ApplicationStop(),
        ApplicationStart(),
        ApplicationRestart(),
        ApplicationCheck(),
        SourcesIntegrate(),
        RulesUpdate(),
        ApplicationAccount(),
        RouterCheck(),
        RouterConfigure(),
        RouterBackup(),
        RouterInterconnect(),
        AccessAllow(),
        AccessRevoke(),
        AccessList(),
    )
    return {operation.name: operation for operation in known}
