"""The classes of a simulated workstation: properties with types and keys, methods with parameters.

Names and types from Microsoft's Win32 provider documentation (the MOF of each class). A class holds the properties
an administrator reads; a query for one that is not here is refused as WMI refuses a property it does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Typed:
    """A property or parameter: its CIM type, and whether it is an array."""

    name: str
    type: str
    array: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what goes in and what comes out besides ReturnValue."""

    name: str
    takes: tuple[Typed, ...] = ()
    gives: tuple[Typed, ...] = ()


@dataclass(frozen=True, slots=True)
class CimClass:
    """A class.

    Attributes:
        keys: the key properties; empty for a singleton and for a class of static methods.
        instances: False for a class that has only static methods (StdRegProv).
    """

    name: str
    superclass: str
    properties: Mapping[str, Typed]
    keys: tuple[str, ...] = ()
    methods: Mapping[str, Method] = field(default_factory=dict)
    instances: bool = True

    def property_named(self, name: str) -> Typed | None:
        """Return a property whatever the case it is written in."""
        return next((found for known, found in self.properties.items() if known.lower() == name.lower()), None)


def _typed(text: str) -> tuple[Typed, ...]:
    parts = (part.split(":") for part in text.split())
    return tuple(Typed(name, kind.removesuffix("[]"), kind.endswith("[]")) for name, kind in parts)


def _method(name: str, takes: str = "", gives: str = "") -> Method:
    return Method(name, _typed(takes), _typed(gives))


def _class(
    name: str, superclass: str, properties: str, keys: str = "", methods: tuple[Method, ...] = (), **more: bool
) -> CimClass:
    typed = {item.name: item for item in _typed(properties)}
    return CimClass(name, superclass, typed, tuple(keys.split()), {method.name: method for method in methods}, **more)


_OPERATING_SYSTEM = _class(
    "Win32_OperatingSystem",
    "CIM_OperatingSystem",
    "BootDevice:string BuildNumber:string BuildType:string Caption:string CodeSet:string CountryCode:string "
    "CSDVersion:string CSName:string CurrentTimeZone:sint16 Description:string EncryptionLevel:uint32 "
    "FreePhysicalMemory:uint64 InstallDate:datetime LastBootUpTime:datetime LocalDateTime:datetime Locale:string "
    "Manufacturer:string MUILanguages:string[] Name:string NumberOfProcesses:uint32 NumberOfUsers:uint32 "
    "OperatingSystemSKU:uint32 Organization:string OSArchitecture:string OSLanguage:uint32 OSProductSuite:uint32 "
    "OSType:uint16 Primary:boolean ProductType:uint32 RegisteredUser:string SerialNumber:string "
    "ServicePackMajorVersion:uint16 ServicePackMinorVersion:uint16 Status:string SystemDirectory:string "
    "SystemDrive:string TotalVirtualMemorySize:uint64 TotalVisibleMemorySize:uint64 Version:string "
    "WindowsDirectory:string",
    methods=(
        _method("Reboot"),
        _method("Shutdown"),
        _method("Win32Shutdown", "Flags:sint32 Reserved:sint32"),
        _method("Win32ShutdownTracker", "Timeout:uint32 Comment:string ReasonCode:uint32 Flags:sint32"),
    ),
)
_COMPUTER_SYSTEM = _class(
    "Win32_ComputerSystem",
    "CIM_UnitaryComputerSystem",
    "BootupState:string Caption:string CreationClassName:string CurrentTimeZone:sint16 Description:string "
    "DNSHostName:string Domain:string DomainRole:uint16 Manufacturer:string Model:string Name:string "
    "NumberOfLogicalProcessors:uint32 NumberOfProcessors:uint32 PartOfDomain:boolean PCSystemType:uint16 "
    "PrimaryOwnerName:string Roles:string[] Status:string SystemType:string TotalPhysicalMemory:uint64 "
    "UserName:string Workgroup:string",
    "Name",
    (
        _method("Rename", "Name:string Password:string UserName:string"),
        _method(
            "JoinDomainOrWorkgroup",
            "Name:string Password:string UserName:string AccountOU:string FJoinOptions:uint32",
        ),
        _method("UnjoinDomainOrWorkgroup", "Password:string UserName:string FUnjoinOptions:uint32"),
    ),
)
_PHYSICAL_MEMORY = _class(
    "Win32_PhysicalMemory",
    "CIM_PhysicalMemory",
    "BankLabel:string Capacity:uint64 Caption:string DeviceLocator:string FormFactor:uint16 Manufacturer:string "
    "MemoryType:uint16 PartNumber:string SerialNumber:string Speed:uint32 Tag:string TotalWidth:uint16",
    "Tag",
)
_LOGICAL_DISK = _class(
    "Win32_LogicalDisk",
    "CIM_LogicalDisk",
    "Caption:string Compressed:boolean Description:string DeviceID:string DriveType:uint32 FileSystem:string "
    "FreeSpace:uint64 MediaType:uint32 Name:string Size:uint64 VolumeName:string VolumeSerialNumber:string",
    "DeviceID",
)
_CHANGE_OWNER = _method("ChangeOwner", "NewOwnerSID:string Flags:uint32")
_USER_PROFILE = _class(
    "Win32_UserProfile",
    "",
    "HealthStatus:uint8 LastUseTime:datetime Loaded:boolean LocalPath:string RefCount:uint32 "
    "RoamingConfigured:boolean RoamingPath:string RoamingPreference:boolean SID:string Special:boolean Status:uint32",
    "SID",
    (_CHANGE_OWNER,),
)
_USER_ACCOUNT = _class(
    "Win32_UserAccount",
    "Win32_Account",
    "AccountType:uint32 Caption:string Description:string Disabled:boolean Domain:string FullName:string "
    "LocalAccount:boolean Lockout:boolean Name:string PasswordChangeable:boolean PasswordExpires:boolean "
    "PasswordRequired:boolean SID:string SIDType:uint8 Status:string",
    "Domain Name",
)
_NETWORK = _class(
    "Win32_NetworkAdapterConfiguration",
    "CIM_Setting",
    "Caption:string DefaultIPGateway:string[] Description:string DHCPEnabled:boolean DNSDomain:string "
    "DNSHostName:string DNSServerSearchOrder:string[] Index:uint32 InterfaceIndex:uint32 IPAddress:string[] "
    "IPEnabled:boolean IPSubnet:string[] MACAddress:string ServiceName:string",
    "Index",
)
_SERVICE = _class(
    "Win32_Service",
    "Win32_BaseService",
    "Caption:string Description:string DisplayName:string Name:string PathName:string ProcessId:uint32 "
    "Started:boolean StartMode:string StartName:string State:string Status:string",
    "Name",
    (_method("StartService"), _method("StopService")),
)
_BIOS = _class(
    "Win32_BIOS",
    "CIM_BIOSElement",
    "BIOSVersion:string[] Caption:string Manufacturer:string Name:string PrimaryBIOS:boolean ReleaseDate:datetime "
    "SerialNumber:string SMBIOSBIOSVersion:string SoftwareElementID:string SoftwareElementState:uint16 "
    "TargetOperatingSystem:uint16 Version:string",
    "Name SMBIOSBIOSVersion SoftwareElementID SoftwareElementState TargetOperatingSystem Version",
)
_KEY = "hDefKey:uint32 sSubKeyName:string"
_STD_REG_PROV = _class(
    "StdRegProv",
    "",
    "",
    methods=(
        _method("EnumKey", _KEY, "sNames:string[]"),
        _method("EnumValues", _KEY, "sNames:string[] Types:sint32[]"),
        _method("GetDWORDValue", f"{_KEY} sValueName:string", "uValue:uint32"),
        _method("GetStringValue", f"{_KEY} sValueName:string", "sValue:string"),
        _method("GetExpandedStringValue", f"{_KEY} sValueName:string", "sValue:string"),
        _method("GetMultiStringValue", f"{_KEY} sValueName:string", "sValue:string[]"),
    ),
    instances=False,
)

CLASSES: Final[Mapping[str, CimClass]] = {
    known.name.lower(): known
    for known in (
        _OPERATING_SYSTEM,
        _COMPUTER_SYSTEM,
        _PHYSICAL_MEMORY,
        _LOGICAL_DISK,
        _USER_PROFILE,
        _USER_ACCOUNT,
        _NETWORK,
        _SERVICE,
        _BIOS,
        _STD_REG_PROV,
    )
}


def cim_class(name: str, namespace: str = "root/cimv2") -> CimClass | None:
    """Return a class whatever the case of its name; root/default holds StdRegProv only."""
    found = CLASSES.get(name.lower())
    if namespace.lower() == "root/default" and found is not _STD_REG_PROV:
        return None
    return found


def describe(found: CimClass, *, change_owner: bool = True, methods: bool = True) -> str:
    """Return a class as CIM-XML without qualifiers (MS-WSMV 3.1.4.1.38; DSP0201 CLASS, PROPERTY, METHOD).

    Without qualifiers, in- and out-parameters cannot be told apart: so it is on Windows too.
    """
    parent = f' SUPERCLASS="{found.superclass}"' if found.superclass else ""
    lines = [f'<CLASS NAME="{found.name}"{parent}>']
    for item in found.properties.values():
        tag = "PROPERTY.ARRAY" if item.array else "PROPERTY"
        lines.append(f'<{tag} NAME="{item.name}" CLASSORIGIN="{found.name}" TYPE="{item.type}"/>')
    for method in found.methods.values() if methods else ():
        if method is _CHANGE_OWNER and not change_owner:
            continue
        lines.append(f'<METHOD NAME="{method.name}" TYPE="uint32" CLASSORIGIN="{found.name}">')
        for item in (*method.takes, *method.gives):
            tag = "PARAMETER.ARRAY" if item.array else "PARAMETER"
            lines.append(f'<{tag} NAME="{item.name}" TYPE="{item.type}"/>')
        lines.append("</METHOD>")
    return "".join((*lines, "</CLASS>"))
