"""Until when Microsoft supports each build of Windows, by edition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from dsi_automation.operations.workstation.facts import WorkstationFacts

LONG_TERM_SKUS: Final = frozenset({125, 126, 129, 191})
"""EnterpriseS and IoTEnterpriseS (OperatingSystemSKU of Win32_OperatingSystem): the LTSB and LTSC editions."""
ENTERPRISE_SKUS: Final = frozenset({4, 27, 70, 72, 121, 122, 175, 188})
"""Enterprise, Education and IoT Enterprise: supported longer than Home and Pro."""

# Source: Microsoft lifecycle pages "Windows 10 Home and Pro", "Windows 10 Enterprise and Education", the same
# for Windows 11, and the Enterprise LTSC pages. A site adds or corrects builds in `supported_until`.
_HOME_AND_PRO: Final = {
    10240: "2017-05-09", 10586: "2017-10-10", 14393: "2018-04-10", 15063: "2018-10-09", 16299: "2019-04-09",
    17134: "2019-11-12", 17763: "2020-11-10", 18362: "2020-12-08", 18363: "2021-05-11", 19041: "2021-12-14",
    19042: "2022-05-10", 19043: "2022-12-13", 19044: "2023-06-13", 19045: "2025-10-14", 22000: "2023-10-10",
    22621: "2024-10-08", 22631: "2025-11-11", 26100: "2026-10-13", 26200: "2027-10-12",
}  # fmt: skip
_ENTERPRISE: Final = {
    10240: "2017-05-09", 10586: "2017-10-10", 14393: "2019-04-09", 15063: "2019-10-08", 16299: "2020-10-13",
    17134: "2021-05-11", 17763: "2021-05-11", 18362: "2020-12-08", 18363: "2022-05-10", 19041: "2021-12-14",
    19042: "2023-05-09", 19043: "2022-12-13", 19044: "2024-06-11", 19045: "2025-10-14", 22000: "2024-10-08",
    22621: "2025-10-14", 22631: "2026-11-10", 26100: "2027-10-12", 26200: "2028-10-10",
}  # fmt: skip
_LONG_TERM: Final = {
    10240: "2025-10-14", 14393: "2026-10-13", 17763: "2029-01-09", 19044: "2027-01-12", 26100: "2029-10-09",
}  # fmt: skip


def supported_until(facts: WorkstationFacts, site_table: Mapping[str, str]) -> date | None:
    """Return the last day of Microsoft's support for this build and edition, or None when it is not known.

    Args:
        site_table: build (`"19045"`) to ISO date, from the inventory; wins over the built-in table (extended
            security updates, a new build).
    """
    known = site_table.get(str(facts.build))
    if known is None:
        if facts.sku in LONG_TERM_SKUS:
            table = _LONG_TERM
        else:
            table = _ENTERPRISE if facts.sku in ENTERPRISE_SKUS else _HOME_AND_PRO
        known = table.get(facts.build)
    return None if known is None else date.fromisoformat(known)
