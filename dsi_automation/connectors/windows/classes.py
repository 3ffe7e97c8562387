"""The classes of `root/cimv2` the toolkit reads and the methods it calls.

Source: the classes' pages in Microsoft's Win32 documentation (`win32-operatingsystem` and so on), names and types
as written there. Units are Windows' own: TotalVisibleMemorySize in KiB, TotalPhysicalMemory, Capacity, FreeSpace and
Size in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsi_automation.connectors.windows.schema import CimClass, Method, method, typed


def _class(name: str, keys: str, properties: str, *methods: Method) -> CimClass:
    return CimClass(name, tuple(keys.split()), typed(properties), {each.name: each for each in methods})


_SHUTDOWN: Final = (
    method("Win32Shutdown", "sint32 Flags, sint32 Reserved"),
    method("Reboot"),
    method("Shutdown"),
)
_CHANGE_OWNER: Final = method("ChangeOwner", "string NewOwnerSID, uint32 Flags")

_KEY: Final = "uint32 hDefKey, string sSubKeyName"
_VALUE: Final = f"{_KEY}, string sValueName"
_REGISTRY: Final = (
    method("EnumKey", _KEY, "string sNames[]", static=True),
    method("EnumValues", _KEY, "string sNames[], sint32 Types[]", static=True),
    method("GetStringValue", _VALUE, "string sValue", static=True),
    method("GetExpandedStringValue", _VALUE, "string sValue", static=True),
    method("GetMultiStringValue", _VALUE, "string sValue[]", static=True),
    method("GetDWORDValue", _VALUE, "uint32 uValue", static=True),
    method("GetQWORDValue", _VALUE, "uint64 uValue", static=True),
)

_ALL: Final = (
    _class(
        "Win32_OperatingSystem",
        "",
        """string: Caption Version BuildNumber CSName CSDVersion OSArchitecture SystemDrive SystemDirectory
                   WindowsDirectory SerialNumber Locale CountryCode Manufacturer Name Status Description
                   RegisteredUser Organization MUILanguages[];
           uint32: ProductType OSLanguage OperatingSystemSKU OSProductSuite SuiteMask NumberOfUsers
                   NumberOfProcesses MaxNumberOfProcesses;
           uint16: OSType ServicePackMajorVersion ServicePackMinorVersion;
           uint64: TotalVisibleMemorySize FreePhysicalMemory TotalVirtualMemorySize FreeVirtualMemory
                   SizeStoredInPagingFiles FreeSpaceInPagingFiles MaxProcessMemorySize;
           datetime: LastBootUpTime LocalDateTime InstallDate;
           boolean: Primary PortableOperatingSystem Distributed Debug""",
        *_SHUTDOWN,
    ),
    _class(
        "Win32_ComputerSystem",
        "Name",
        """string: Name Caption Description DNSHostName Domain Workgroup UserName Manufacturer Model SystemFamily
                   SystemSKUNumber SystemType PrimaryOwnerName Status BootupState Roles[] OEMStringArray[];
           boolean: PartOfDomain AutomaticManagedPagefile BootROMSupported DaylightInEffect HypervisorPresent
                    NetworkServerModeEnabled;
           uint16: DomainRole PCSystemType PCSystemTypeEx ThermalState WakeUpType AdminPasswordStatus;
           uint32: NumberOfProcessors NumberOfLogicalProcessors;
           uint64: TotalPhysicalMemory""",
        method("Rename", "string Name, string Password, string UserName"),
        method(
            "JoinDomainOrWorkgroup",
            "string Name, string Password, string UserName, string AccountOU, uint32 FJoinOptions",
        ),
        method("UnjoinDomainOrWorkgroup", "string Password, string UserName, uint32 FUnjoinOptions"),
    ),
    _class(
        "Win32_PhysicalMemory",
        "Tag",
        """string: Tag BankLabel DeviceLocator Manufacturer PartNumber SerialNumber Caption;
           uint64: Capacity; uint32: Speed ConfiguredClockSpeed SMBIOSMemoryType; uint16: FormFactor MemoryType""",
    ),
    _class(
        "Win32_LogicalDisk",
        "DeviceID",
        """string: DeviceID Name Caption Description FileSystem VolumeName VolumeSerialNumber ProviderName;
           uint64: Size FreeSpace; uint32: DriveType MediaType; boolean: Compressed VolumeDirty""",
    ),
    _class(
        "Win32_UserProfile",
        "SID",
        """string: SID LocalPath RoamingPath; boolean: Loaded Special RoamingConfigured RoamingPreference;
           uint32: Status RefCount; uint8: HealthStatus;
           datetime: LastUseTime LastDownloadTime LastUploadTime""",
        _CHANGE_OWNER,
    ),
    _class(
        "Win32_UserAccount",
        "Domain Name",
        """string: Name Domain SID FullName Caption Description Status;
           boolean: Disabled LocalAccount Lockout PasswordChangeable PasswordExpires PasswordRequired;
           uint32: AccountType; uint8: SIDType""",
    ),
    _class(
        "Win32_NetworkAdapterConfiguration",
        "Index",
        """string: Caption Description DHCPServer DNSDomain DNSHostName MACAddress ServiceName SettingID IPAddress[]
                   IPSubnet[] DefaultIPGateway[] DNSServerSearchOrder[] DNSDomainSuffixSearchOrder[];
           boolean: DHCPEnabled IPEnabled DomainDNSRegistrationEnabled FullDNSRegistrationEnabled;
           uint32: Index InterfaceIndex IPConnectionMetric;
           datetime: DHCPLeaseObtained DHCPLeaseExpires""",
    ),
    _class(
        "Win32_Service",
        "Name",
        """string: Name DisplayName Caption Description PathName StartMode StartName State Status SystemName;
           boolean: Started DelayedAutoStart AcceptPause AcceptStop; uint32: ProcessId ExitCode""",
        method("StartService"),
        method("StopService"),
    ),
    _class(
        "Win32_BIOS",
        "Name SoftwareElementID SoftwareElementState TargetOperatingSystem Version",
        """string: Name SoftwareElementID Version SMBIOSBIOSVersion SerialNumber Manufacturer Caption BIOSVersion[];
           uint16: SoftwareElementState TargetOperatingSystem SMBIOSMajorVersion SMBIOSMinorVersion;
           boolean: PrimaryBIOS SMBIOSPresent; datetime: ReleaseDate""",
    ),
    _class("StdRegProv", "", "", *_REGISTRY),
)

CLASSES: Final[Mapping[str, CimClass]] = {each.name: each for each in _ALL}
SINGLETONS: Final = frozenset({"Win32_OperatingSystem"})
"""Addressed without selectors: Windows answers 0x803380FA to any."""
