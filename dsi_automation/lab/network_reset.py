"""Whether a router of the lab is as it left the factory, seen from the router itself and at little cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from dsi_automation.core.errors import DsiError
from dsi_automation.lab.network_topology import MANAGEMENT

if TYPE_CHECKING:
    from dsi_automation.lab.routers import LabRouter

MARK: Final = "----"
LOOK: Final = f"""\
vtysh -c 'show running-config no-header' && echo {MARK}
cat /etc/frr/frr.conf && echo {MARK}
ip -json address show && echo {MARK}
ip -4 route show table main && echo {MARK}
nft list ruleset && echo {MARK}
find /var/lib/dsi-cc -type f -size +0 -print -quit
"""


def is_pristine(router: LabRouter) -> bool:
    """Tell whether nothing of a router was changed: neither what runs nor what it starts with, nor kernel or filter."""
    if router.daemon.pid() is None:
        return False
    try:
        running, startup, links, routes, ruleset, kept = router.run("/bin/sh", "-c", LOOK).split(f"{MARK}\n")
    except (DsiError, ValueError):
        # Somebody broke it so far that it does not even answer.
        return False
    return (
        _lines(running) == _lines(startup) == _lines(router.files.factory)
        and not ruleset.strip()
        and not kept.strip()
        and all(line.split()[2] == MANAGEMENT for line in routes.splitlines())
        and all(_untouched(link, router.address) for link in json.loads(links) if link.get("ifname", "lo") != "lo")
    )


def _untouched(link: dict[str, object], address: str) -> bool:
    info, flags = link["addr_info"], link["flags"]
    assert isinstance(info, list)  # noqa: S101  # what ip-address(8) prints
    assert isinstance(flags, list)  # noqa: S101
    expected = [address] if link["ifname"] == MANAGEMENT else []
    return [one["local"] for one in info] == expected and {"UP", "LOWER_UP"} <= set(flags)


def _lines(text: str) -> list[str]:
    """Return the lines that say something: vtysh writes a version and separators where a file need not."""
    noise = ("!", "frr version", "Building configuration", "Current configuration", "end")
    return [line for line in text.splitlines() if line.strip() and not line.startswith(noise)]
