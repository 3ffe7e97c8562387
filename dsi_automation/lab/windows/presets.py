"""The systems a simulated workstation can run: what WMI and the registry say of each.

Build numbers, product types and SKUs are Microsoft's published ones (Win32_OperatingSystem documentation and the
Windows release information pages).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict


class Preset(StrEnum):
    """A system by name, as the lab's specification gives it."""

    WINDOWS11_PRO = "windows11_pro"
    WINDOWS11_ENTERPRISE = "windows11_enterprise"
    WINDOWS10_22H2 = "windows10_22h2"
    WINDOWS10_LTSC_2021 = "windows10_ltsc_2021"
    WINDOWS7 = "windows7"
    WINDOWS_SERVER_2022 = "windows_server_2022"


class OperatingSystem(BaseModel):
    r"""One system.

    Attributes:
        caption: Win32_OperatingSystem.Caption in English.
        caption_fr: the same on a French machine.
        version: `major.minor.build`, as Win32_OperatingSystem.Version.
        product_type: 1 workstation, 2 domain controller, 3 server.
        sku: Win32_OperatingSystem.OperatingSystemSKU (48 Pro, 4 Enterprise, 125 Enterprise LTSC, 7 Server Standard).
        product_name: the registry's CurrentVersion\ProductName, which still says Windows 10 on Windows 11.
        display_version: the registry's DisplayVersion; None before 20H2.
        ubr: the registry's update build revision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    caption: str
    caption_fr: str
    version: str
    product_type: int = 1
    sku: int
    product_name: str
    edition_id: str
    display_version: str | None
    ubr: int

    @property
    def build(self) -> str:
        """Return the build number: the last part of the version."""
        return self.version.rsplit(".", 1)[-1]

    @property
    def has_change_owner(self) -> bool:
        """Tell whether Win32_UserProfile.ChangeOwner exists: Windows 8 (6.2) and later."""
        major, minor = self.version.split(".")[:2]
        return (int(major), int(minor)) >= (6, 2)


SYSTEMS: Final[dict[Preset, OperatingSystem]] = {
    Preset.WINDOWS11_PRO: OperatingSystem(
        caption="Microsoft Windows 11 Pro",
        caption_fr="Microsoft Windows 11 Professionnel",
        version="10.0.26100",
        sku=48,
        product_name="Windows 10 Pro",
        edition_id="Professional",
        display_version="24H2",
        ubr=6899,
    ),
    Preset.WINDOWS11_ENTERPRISE: OperatingSystem(
        caption="Microsoft Windows 11 Enterprise",
        caption_fr="Microsoft Windows 11 Entreprise",
        version="10.0.26200",
        sku=4,
        product_name="Windows 10 Enterprise",
        edition_id="Enterprise",
        display_version="25H2",
        ubr=6899,
    ),
    Preset.WINDOWS10_22H2: OperatingSystem(
        caption="Microsoft Windows 10 Pro",
        caption_fr="Microsoft Windows 10 Professionnel",
        version="10.0.19045",
        sku=48,
        product_name="Windows 10 Pro",
        edition_id="Professional",
        display_version="22H2",
        ubr=6456,
    ),
    Preset.WINDOWS10_LTSC_2021: OperatingSystem(
        caption="Microsoft Windows 10 Enterprise LTSC",
        caption_fr="Microsoft Windows 10 Entreprise LTSC",
        version="10.0.19044",
        sku=125,
        product_name="Windows 10 Enterprise LTSC 2021",
        edition_id="EnterpriseS",
        display_version="21H2",
        ubr=6456,
    ),
    Preset.WINDOWS7: OperatingSystem(
        caption="Microsoft Windows 7 Professional ",
        caption_fr="Microsoft Windows 7 Professionnel ",
        version="6.1.7601",
        sku=48,
        product_name="Windows 7 Professional",
        edition_id="Professional",
        display_version=None,
        ubr=24546,
    ),
    Preset.WINDOWS_SERVER_2022: OperatingSystem(
        caption="Microsoft Windows Server 2022 Standard",
        caption_fr="Microsoft Windows Server 2022 Standard",
        version="10.0.20348",
        product_type=3,
        sku=7,
        product_name="Windows Server 2022 Standard",
        edition_id="ServerStandard",
        display_version="21H2",
        ubr=4294,
    ),
}
