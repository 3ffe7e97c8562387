"""What a workstation is, read over CIM: one HTTP exchange per class or registry value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from dsi_automation.connectors.windows.port import CimInstance, Hive, WindowsReader
from dsi_automation.core.clock import iso

GIB: Final = 1024**3
COMPUTER_NAME_KEY: Final = r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"
PENDING_JOIN_KEY: Final = r"SYSTEM\CurrentControlSet\Services\Netlogon\JoinDomain"
SERVICING_KEY: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
UPDATE_KEY: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
REPAIRED_KEY: Final = r"SOFTWARE\dsi-automation\RepairedProfiles"
"""Where `repair_profile.ps1` notes what it has finished: a value per new owner's SID, holding the old owner's."""
SESSION_MANAGER_KEY: Final = r"SYSTEM\CurrentControlSet\Control\Session Manager"


@dataclass(frozen=True, slots=True)
class Profile:
    """A user profile on the machine (Win32_UserProfile)."""

    sid: str
    path: str
    loaded: bool


@dataclass(frozen=True, slots=True)
class WorkstationFacts:
    """What was observed on one workstation.

    Attributes:
        name: the NetBIOS name it bears now.
        pending_name: the name it will bear after its next restart, when that differs.
        domain: DNS name of its domain, or the name of its workgroup.
        joined: whether it is a member of a domain, possibly only after its next restart.
        version: version of Windows, `10.0.22631`.
        product_type: 1 workstation, 2 domain controller, 3 server (Win32_OperatingSystem).
        installed_ram: sum of the memory modules, bytes; what Windows shows is less.
        free_disk: free space of the system drive, bytes.
        repaired: owners of profiles whose rights were repaired, by SID, with the SID of the owner before.
        reboot_reasons: why Windows waits for a restart: `rename`, `join`, `servicing`, `update`, `files`.
    """

    name: str
    pending_name: str | None
    domain: str
    joined: bool
    version: str
    product_type: int
    caption: str
    sku: int
    language: int
    installed_ram: int
    visible_ram: int
    free_disk: int
    last_boot: datetime
    logged_on: str | None
    reboot_reasons: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()
    local_users: Mapping[str, str] = field(default_factory=dict)
    can_change_owner: bool = True
    repaired: Mapping[str, str] = field(default_factory=dict)

    @property
    def final_name(self) -> str:
        """Return the name after the next restart."""
        return self.pending_name or self.name

    @property
    def build(self) -> int:
        """Return the build number: the last part of the version."""
        return int(self.version.rsplit(".", 1)[-1])

    def to_json(self) -> dict[str, Any]:
        """Return the facts as data: sizes in GiB, moments in UTC."""
        return {
            "name": self.name,
            "pending_name": self.pending_name,
            "domain": self.domain,
            "joined": self.joined,
            "version": self.version,
            "product_type": self.product_type,
            "caption": self.caption,
            "language": self.language,
            "installed_ram_gib": round(self.installed_ram / GIB, 2),
            "visible_ram_gib": round(self.visible_ram / GIB, 2),
            "free_disk_gib": round(self.free_disk / GIB, 1),
            "last_boot": iso(self.last_boot),
            "logged_on": self.logged_on,
            "reboot_reasons": list(self.reboot_reasons),
        }


def read_facts(reader: WindowsReader, *, profiles: bool = False, repairs: bool = False) -> WorkstationFacts:
    """Read everything procedure C asks about a workstation.

    Args:
        profiles: read the profiles and local accounts too; only a migration needs them.
        repairs: read which profiles were repaired too.

    Raises:
        UnreachableError, RefusedError: as the connector says.
    """
    system = _one(reader, "Win32_OperatingSystem", _SYSTEM)
    computer = _one(reader, "Win32_ComputerSystem", ("Name", "Domain", "PartOfDomain", "UserName"))
    drive = str(system.get("SystemDrive") or "C:")
    disk = reader.query("Win32_LogicalDisk", ("FreeSpace", "Size"), {"DeviceID": drive})
    modules = reader.query("Win32_PhysicalMemory", ("Capacity",))
    visible = _number(system.get("TotalVisibleMemorySize")) * 1024
    name, later = str(computer["Name"]), reader.registry_value(Hive.LOCAL_MACHINE, COMPUTER_NAME_KEY, "ComputerName")
    found = _profiles(reader) if profiles else ()
    pending = str(later) if later and str(later).upper() != name.upper() else None
    return WorkstationFacts(
        name=name,
        pending_name=pending,
        domain=str(computer.get("Domain") or ""),
        joined=bool(computer.get("PartOfDomain")),
        version=str(system["Version"]),
        product_type=_number(system.get("ProductType")),
        caption=str(system.get("Caption") or ""),
        sku=_number(system.get("OperatingSystemSKU")),
        language=_number(system.get("OSLanguage")),
        # A virtual machine may declare no module: what Windows sees is then the best there is.
        installed_ram=sum(_number(module.get("Capacity")) for module in modules) or visible,
        visible_ram=visible,
        free_disk=_number(disk[0].get("FreeSpace")) if disk else 0,
        last_boot=cast("datetime", system["LastBootUpTime"]),
        logged_on=str(computer["UserName"]) if computer.get("UserName") else None,
        reboot_reasons=_reboot_reasons(reader, renamed=pending is not None),
        profiles=found,
        local_users=_local_users(reader) if profiles else {},
        repaired=_repaired(reader, found) if repairs else {},
        can_change_owner=not profiles or "ChangeOwner" in reader.class_methods("Win32_UserProfile"),
    )


def read_boot(reader: WindowsReader) -> datetime:
    """Return when the machine last started."""
    return cast("datetime", _one(reader, "Win32_OperatingSystem", ("LastBootUpTime",))["LastBootUpTime"])


_SYSTEM: Final = (
    "Version",
    "ProductType",
    "Caption",
    "OperatingSystemSKU",
    "OSLanguage",
    "LastBootUpTime",
    "SystemDrive",
    "TotalVisibleMemorySize",
)


def _one(reader: WindowsReader, class_name: str, properties: tuple[str, ...]) -> CimInstance:
    return reader.query(class_name, properties)[0]


def _number(value: object) -> int:
    return int(str(value)) if value is not None else 0


def _reboot_reasons(reader: WindowsReader, *, renamed: bool) -> tuple[str, ...]:
    local = Hive.LOCAL_MACHINE
    waits = {
        "rename": renamed,
        "join": reader.registry_key_exists(local, PENDING_JOIN_KEY),
        "servicing": reader.registry_key_exists(local, SERVICING_KEY),
        "update": reader.registry_key_exists(local, UPDATE_KEY),
        "files": bool(reader.registry_value(local, SESSION_MANAGER_KEY, "PendingFileRenameOperations")),
    }
    return tuple(reason for reason, waiting in waits.items() if waiting)


def _profiles(reader: WindowsReader) -> tuple[Profile, ...]:
    found = reader.query("Win32_UserProfile", ("SID", "LocalPath", "Loaded"), {"Special": False})
    return tuple(Profile(str(p["SID"]), str(p.get("LocalPath") or ""), bool(p.get("Loaded"))) for p in found)


def _repaired(reader: WindowsReader, profiles: tuple[Profile, ...]) -> dict[str, str]:
    marks = {p.sid: reader.registry_value(Hive.LOCAL_MACHINE, REPAIRED_KEY, p.sid) for p in profiles}
    return {sid: str(mark) for sid, mark in marks.items() if mark}


def _local_users(reader: WindowsReader) -> dict[str, str]:
    # Without LocalAccount a member of a domain lists the whole domain.
    found = reader.query("Win32_UserAccount", ("Name", "SID"), {"LocalAccount": True})
    return {str(user["Name"]): str(user["SID"]) for user in found}
