"""The instances of each class, as they follow from a workstation's specification and state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from dsi_automation.lab.windows.cim import services
from dsi_automation.lab.windows.cim.schema import CimClass
from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.soap.xml import Value

type Instance = Mapping[str, Value]

_LANGUAGES: Final = {"en-US": (1033, "0409", "1"), "fr-FR": (1036, "040c", "33")}
_SPECIAL: Final = (
    ("S-1-5-18", "C:\\WINDOWS\\system32\\config\\systemprofile"),
    ("S-1-5-19", "C:\\WINDOWS\\ServiceProfiles\\LocalService"),
    ("S-1-5-20", "C:\\WINDOWS\\ServiceProfiles\\NetworkService"),
)
_SERVICES: Final = (
    ("WinRM", "Windows Remote Management (WS-Management)", "Gestion à distance de Windows (Gestion WSM)", "Auto"),
    ("Winmgmt", "Windows Management Instrumentation", "Infrastructure de gestion Windows", "Auto"),
    ("Spooler", "Print Spooler", "Spouleur d’impression", "Auto"),
    ("Netlogon", "Netlogon", "Netlogon", "Manual"),
    ("W32Time", "Windows Time", "Temps Windows", "Manual"),
    ("wuauserv", "Windows Update", "Windows Update", "Manual"),
)


def instances(machine: Machine, found: CimClass) -> list[Instance]:
    """Return the instances of a class: every property of the schema, None for those Windows leaves NULL."""
    rows = _BUILDERS[found.name](machine) if found.name in _BUILDERS else ()
    return [{name: row.get(name) for name in found.properties} for row in rows]


def _operating_system(machine: Machine) -> Iterable[Instance]:
    spec, system, state = machine.spec, machine.spec.os, machine.state
    language, locale, country = _LANGUAGES[spec.language]
    caption = system.caption_fr if spec.language == "fr-FR" else system.caption
    visible = _visible(machine) // 1024
    yield {
        "BootDevice": "\\Device\\HarddiskVolume1",
        "BuildNumber": system.build,
        "BuildType": "Multiprocessor Free",
        "Caption": caption,
        "CodeSet": "1252",
        "CountryCode": country,
        "CSDVersion": "Service Pack 1" if not machine.modern else None,
        "CSName": state.computer_name,
        "CurrentTimeZone": 0,
        "Description": "",
        "EncryptionLevel": 256,
        "FreePhysicalMemory": visible * 2 // 5,
        "InstallDate": datetime(2024, 3, 4, 8, 12, 31, tzinfo=UTC),
        "LastBootUpTime": state.boot_time,
        "LocalDateTime": machine.now(),
        "Locale": locale,
        "Manufacturer": "Microsoft Corporation",
        "MUILanguages": [spec.language],
        "Name": f"{caption}|C:\\WINDOWS|\\Device\\Harddisk0\\Partition3",
        "NumberOfProcesses": 141,
        "NumberOfUsers": 1 if state.logged_on_user else 0,
        "OperatingSystemSKU": system.sku,
        "Organization": "",
        "OSArchitecture": "64 bits" if spec.language == "fr-FR" else "64-bit",
        "OSLanguage": language,
        "OSProductSuite": 256,
        "OSType": 18,
        "Primary": True,
        "ProductType": system.product_type,
        "RegisteredUser": "DSI",
        "SerialNumber": "00330-80000-00000-AA" + _digits(spec.key, 3),
        "ServicePackMajorVersion": 0 if machine.modern else 1,
        "ServicePackMinorVersion": 0,
        "Status": "OK",
        "SystemDirectory": "C:\\WINDOWS\\system32",
        "SystemDrive": "C:",
        "TotalVirtualMemorySize": visible * 5 // 4,
        "TotalVisibleMemorySize": visible,
        "Version": system.version,
        "WindowsDirectory": "C:\\WINDOWS",
    }


def _computer_system(machine: Machine) -> Iterable[Instance]:
    spec, state, member = machine.spec, machine.state, machine.shown_membership
    server = spec.os.product_type != 1
    yield {
        "BootupState": "Normal boot",
        "Caption": state.computer_name,
        "CreationClassName": "Win32_ComputerSystem",
        "CurrentTimeZone": 0,
        "Description": "AT/AT COMPATIBLE",
        "DNSHostName": state.computer_name,
        "Domain": member.dns_name if member else state.workgroup,
        "DomainRole": (2 if server else 0) + (1 if member else 0),
        "Manufacturer": spec.manufacturer,
        "Model": spec.model,
        "Name": state.computer_name,
        "NumberOfLogicalProcessors": 8,
        "NumberOfProcessors": 1,
        "PartOfDomain": member is not None,
        "PCSystemType": 1,
        "PrimaryOwnerName": "DSI",
        "Roles": ["LM_Workstation", "LM_Server", "NT"],
        "Status": "OK",
        "SystemType": "x64-based PC",
        "TotalPhysicalMemory": _visible(machine),
        "UserName": state.logged_on_user,
        "Workgroup": None if member else state.workgroup,
    }


def _physical_memory(machine: Machine) -> Iterable[Instance]:
    for index, module in enumerate(machine.spec.memory):
        yield {
            "BankLabel": f"BANK {index}",
            "Capacity": module.capacity,
            "Caption": "Physical Memory" if machine.spec.language == "en-US" else "Mémoire physique",
            "DeviceLocator": module.locator if len(machine.spec.memory) == 1 else f"DIMM {index + 1}",
            "FormFactor": 8,
            "Manufacturer": "Kingston",
            "MemoryType": 26,
            "PartNumber": "KVR32N22S8/8   ",
            "SerialNumber": _digits(f"{machine.spec.key}:{index}", 8),
            "Speed": module.speed,
            "Tag": f"Physical Memory {index}",
            "TotalWidth": 64,
        }


def _logical_disks(machine: Machine) -> Iterable[Instance]:
    for disk in machine.spec.disks:
        fixed = disk.drive_type == 3
        yield {
            "Caption": disk.device_id,
            "Compressed": False if fixed else None,
            "Description": "Local Fixed Disk" if machine.spec.language == "en-US" else "Disque fixe local",
            "DeviceID": disk.device_id,
            "DriveType": disk.drive_type,
            "FileSystem": disk.file_system if fixed else None,
            "FreeSpace": disk.free if fixed else None,
            "MediaType": 12 if fixed else 11,
            "Name": disk.device_id,
            "Size": disk.size if fixed else None,
            "VolumeName": "" if fixed else None,
            "VolumeSerialNumber": _digits(f"{machine.spec.key}{disk.device_id}", 8) if fixed else None,
        }


def _profiles(machine: Machine) -> Iterable[Instance]:
    def row(sid: str, path: str, *, loaded: bool, special: bool) -> Instance:
        return {
            "HealthStatus": 0,
            "LastUseTime": machine.state.boot_time + timedelta(minutes=4) if loaded else machine.state.boot_time,
            "Loaded": loaded,
            "LocalPath": path,
            "RefCount": 1 if loaded else 0,
            "RoamingConfigured": False,
            "RoamingPreference": None,
            "SID": sid,
            "Special": special,
            "Status": 0,
        }

    for profile in machine.state.profiles:
        yield row(profile.sid, profile.path, loaded=profile.loaded, special=profile.special)
    for sid, path in _SPECIAL:
        yield row(sid, path, loaded=True, special=True)


def _accounts(machine: Machine) -> Iterable[Instance]:
    for user in machine.spec.users:
        yield {
            "AccountType": 512,
            "Caption": f"{machine.state.computer_name}\\{user.name}",
            "Description": "",
            "Disabled": user.disabled,
            "Domain": machine.state.computer_name,
            "FullName": user.full_name,
            "LocalAccount": True,
            "Lockout": False,
            "Name": user.name,
            "PasswordChangeable": True,
            "PasswordExpires": False,
            "PasswordRequired": True,
            "SID": f"{machine.spec.machine_sid}-{user.rid}",
            "SIDType": 1,
            "Status": "Degraded" if user.disabled else "OK",
        }


def _network(machine: Machine) -> Iterable[Instance]:
    member = machine.shown_membership
    controller = machine.domain.controller if machine.domain else None
    yield {
        "Caption": "[00000001] Intel(R) Ethernet Connection I219-LM",
        "DefaultIPGateway": None,
        "Description": "Intel(R) Ethernet Connection I219-LM",
        "DHCPEnabled": False,
        "DNSDomain": member.dns_name if member else None,
        "DNSHostName": machine.state.computer_name,
        "DNSServerSearchOrder": [controller] if controller else None,
        "Index": 1,
        "InterfaceIndex": 4,
        "IPAddress": [machine.spec.address],
        "IPEnabled": True,
        "IPSubnet": ["255.255.0.0"],
        "MACAddress": ":".join(["02", "00", *(_digits(machine.spec.key, 8)[i : i + 2] for i in (0, 2, 4, 6))]),
        "ServiceName": "e1dexpress",
    }


def _services(machine: Machine) -> Iterable[Instance]:
    french = machine.spec.language == "fr-FR"
    for number, (name, english, translated, mode) in enumerate(_SERVICES):
        running = mode == "Auto" or (name == "Netlogon" and machine.state.boot_membership is not None)
        yield {
            "Caption": translated if french else english,
            "Description": None,
            "DisplayName": translated if french else english,
            "Name": name,
            "PathName": "C:\\WINDOWS\\system32\\svchost.exe -k netsvcs",
            "ProcessId": 1200 + number if running else 0,
            "Started": running,
            "StartMode": mode,
            "StartName": "LocalSystem",
            "State": "Running" if running else "Stopped",
            "Status": "OK",
        }
    yield from services.instances(machine)


def _bios(machine: Machine) -> Iterable[Instance]:
    yield {
        "BIOSVersion": ["DELL   - 1072009", "1.17.0", "American Megatrends - 5001A"],
        "Caption": "1.17.0",
        "Manufacturer": machine.spec.manufacturer,
        "Name": "1.17.0",
        "PrimaryBIOS": True,
        "ReleaseDate": datetime(2023, 11, 17, tzinfo=UTC),
        "SerialNumber": machine.spec.serial_number or _digits(machine.spec.key, 7),
        "SMBIOSBIOSVersion": "1.17.0",
        "SoftwareElementID": "1.17.0",
        "SoftwareElementState": 3,
        "TargetOperatingSystem": 0,
        "Version": "DELL   - 1072009",
    }


def _visible(machine: Machine) -> int:
    """Return the bytes the system sees: firmware and graphics keep some of what is installed."""
    return machine.spec.visible_memory or machine.spec.installed_memory * 95 // 100


def _digits(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length].upper()


_BUILDERS: Final[Mapping[str, Callable[[Machine], Iterable[Instance]]]] = {
    "Win32_OperatingSystem": _operating_system,
    "Win32_ComputerSystem": _computer_system,
    "Win32_PhysicalMemory": _physical_memory,
    "Win32_LogicalDisk": _logical_disks,
    "Win32_UserProfile": _profiles,
    "Win32_UserAccount": _accounts,
    "Win32_NetworkAdapterConfiguration": _network,
    "Win32_Service": _services,
    "Win32_BIOS": _bios,
}
