"""What the simulator is told: the domain, and every workstation with its hardware, system, people and faults.

A file of this shape holds the local accounts' passwords: whoever writes it keeps it readable by its owner only.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsi_automation.lab.windows.faults import FaultRule
from dsi_automation.lab.windows.presets import SYSTEMS, OperatingSystem, Preset

GIB = 1024**3

type Language = Literal["en-US", "fr-FR"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RebootReason(StrEnum):
    """Where Windows records that a restart is owed, independently of renames and joins."""

    COMPONENT_SERVICING = "component_servicing"
    WINDOWS_UPDATE = "windows_update"
    FILE_RENAME = "file_rename"


class MemoryModule(_Model):
    """One memory module, in bytes."""

    capacity: int = Field(gt=0)
    speed: int = 3200
    locator: str = "DIMM 1"


class Disk(_Model):
    """One volume, in bytes. `drive_type` 3 is a local disk, 5 a CD drive (Win32_LogicalDisk)."""

    device_id: str = "C:"
    size: int = 256 * GIB
    free: int = 120 * GIB
    drive_type: int = 3
    file_system: str | None = "NTFS"


class LocalUser(_Model):
    """An account of the machine itself; RID 500 is the built-in administrator."""

    name: str
    rid: int = Field(ge=500)
    password: str = Field(default="", repr=False)
    full_name: str = ""
    administrator: bool = False
    disabled: bool = False


class Profile(_Model):
    """A user profile: of a local account by its name, or of anybody by SID; `size` is in bytes."""

    user: str | None = None
    sid: str | None = None
    path: str
    loaded: bool = False
    special: bool = False
    size: int = 800 * 1024**2

    @model_validator(mode="after")
    def _whose(self) -> Profile:
        if (self.user is None) == (self.sid is None):
            raise ValueError("a profile has either a local user or a SID")
        return self


class Service(_Model):
    """A Windows service besides the system's own: how it begins, and seconds it takes to start and to stop."""

    name: str
    display_name: str = ""
    start_mode: Literal["Auto", "Manual", "Disabled"] = "Auto"
    running: bool = True
    start_seconds: float = 0.0
    stop_seconds: float = 0.0


class Membership(_Model):
    """The domain a workstation belongs to from the start; the account in AD is made by whoever writes this.

    Attributes:
        dns_name: the domain's DNS name, `ad.douanes.lab`.
        keytab: the machine's keys, for Kerberos sign-in to it; None where Kerberos is not wanted.
    """

    dns_name: str
    netbios_name: str = ""
    keytab: Path | None = None


class Domain(_Model):
    """The domain that workstations can join.

    Attributes:
        controller: address or name of a controller; None to find it in DNS.
        ca_file: the CA of its LDAPS certificate, PEM; None to refuse nothing (a lab without certificates).
        administrators: account names (without domain) whose Kerberos sign-in administers a joined workstation.
    """

    dns_name: str
    netbios_name: str
    controller: str | None = None
    ca_file: Path | None = None
    administrators: list[str] = Field(default_factory=lambda: ["Administrator"])


class Tls(_Model):
    """The CA that issues each workstation's HTTPS certificate, and the CA that client certificates come from."""

    ca_certificate: Path
    ca_key: Path
    client_ca: Path | None = None
    client_certificate_user: str = "Administrateur"


class WorkstationSpec(_Model):
    r"""One workstation as it is at the start; later changes live in the simulator's state directory.

    Attributes:
        key: its name in the lab and on the control socket, `ws1`; never changes.
        address: the address it answers on, which exists already.
        computer_name: its NetBIOS name at the start.
        system: a preset; `custom_system` wins where given.
        visible_memory: bytes the system sees; None for 5 % less than the modules hold.
        language: of captions, group names and fault sentences.
        logged_on_user: `DOMAIN\user` at the console, or None.
        reboot_seconds: how long a restart takes the endpoint away.
        uptime_seconds: how long before the start it last booted.
        http_port, https_port: None closes that port; 0 takes a free one.
        answers: False for a machine that is switched off: nothing listens.
        membership_at_once: whether Win32_ComputerSystem shows a new domain before the restart, as Windows does.
        credssp: whether it offers CredSSP, which Windows does only after `Enable-WSManCredSSP -Role Server`.
        local_account_token_filter_policy: True lets local administrators other than RID 500 administer remotely.
        max_batch_items: the server's cap on instances in one page.
    """

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    address: str
    computer_name: Annotated[str, Field(min_length=1, max_length=15)]
    system: Preset = Preset.WINDOWS11_PRO
    custom_system: OperatingSystem | None = None
    workgroup: str = "WORKGROUP"
    memory: list[MemoryModule] = Field(default_factory=lambda: [MemoryModule(capacity=8 * GIB)])
    visible_memory: int | None = None
    disks: list[Disk] = Field(default_factory=lambda: [Disk()])
    users: list[LocalUser] = Field(default_factory=list)
    profiles: list[Profile] = Field(default_factory=list)
    services: list[Service] = Field(default_factory=list)
    language: Language = "en-US"
    joined: Membership | None = None
    logged_on_user: str | None = None
    pending_reboot: set[RebootReason] = Field(default_factory=set)
    faults: list[FaultRule] = Field(default_factory=list)
    reboot_seconds: float = 8.0
    uptime_seconds: float = 86400.0
    http_port: int | None = 5985
    https_port: int | None = 5986
    answers: bool = True
    membership_at_once: bool = True
    credssp: bool = False
    local_account_token_filter_policy: bool = False
    max_batch_items: int = Field(default=32000, ge=1)
    manufacturer: str = "Dell Inc."
    model: str = "OptiPlex 7010"
    serial_number: str = ""

    @property
    def os(self) -> OperatingSystem:
        """Return the system it runs."""
        return self.custom_system or SYSTEMS[self.system]

    @property
    def installed_memory(self) -> int:
        """Return the bytes its memory modules hold together."""
        return sum(module.capacity for module in self.memory)

    @property
    def machine_sid(self) -> str:
        """Return the machine's own SID, always the same for the same key."""
        digest = hashlib.sha256(f"machine-sid:{self.key}".encode()).digest()
        parts = [int.from_bytes(digest[i : i + 4], "big") for i in (0, 4, 8)]
        return "S-1-5-21-" + "-".join(str(part) for part in parts)


class SimulatorSpec(_Model):
    """Everything one simulator process serves."""

    workstations: list[WorkstationSpec] = Field(default_factory=list)
    domain: Domain | None = None
    tls: Tls | None = None

    @model_validator(mode="after")
    def _unique(self) -> SimulatorSpec:
        keys = [workstation.key for workstation in self.workstations]
        if len(set(keys)) != len(keys):
            raise ValueError("two workstations have the same key")
        return self
