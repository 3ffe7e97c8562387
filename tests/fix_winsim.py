"""Simulated Windows workstations on loopback, with a domain in memory: for tests without the lab."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from dsi_automation.lab.windows.joining import MemoryJoiner
from dsi_automation.lab.windows.loopback import LoopbackSimulator
from dsi_automation.lab.windows.spec import GIB, LocalUser, MemoryModule, Profile, SimulatorSpec, WorkstationSpec

WINSIM_ADMIN = "Administrateur"
WINSIM_PASSWORD = "Lab-Pass-p<&>\"'ä€"
WINSIM_JOINER = "svc-jonction"
WINSIM_JOIN_PASSWORD = "Join-Pass <&> 1"
WINSIM_OU = "OU=Postes,OU=ABJ,OU=Sites,DC=ad,DC=douanes,DC=lab"

_addresses = itertools.count(1)


def winsim_workstation(key: str = "ws1", **changes: Any) -> WorkstationSpec:
    """Return a workgroup Windows 11 on an address of its own, `awa` with a profile, quick to restart."""
    number = next(_addresses)
    values: dict[str, Any] = {
        "key": key,
        "address": f"127.77.{number // 250}.{number % 250 + 1}",
        "computer_name": "DESKTOP-7F3K2Q1",
        "http_port": 0,
        "https_port": 0,
        "memory": [MemoryModule(capacity=4 * GIB), MemoryModule(capacity=4 * GIB)],
        "users": [
            LocalUser(name=WINSIM_ADMIN, rid=500, password=WINSIM_PASSWORD, administrator=True),
            LocalUser(name="awa", rid=1001, password="awa-pass", full_name="Awa Koné"),
            LocalUser(name="second", rid=1002, password="second-pass", administrator=True),
        ],
        "profiles": [Profile(user="awa", path="C:\\Users\\awa")],
        "reboot_seconds": 0.3,
    }
    return WorkstationSpec(**{**values, **changes})


def winsim_domain() -> MemoryJoiner:
    """Return the domain in memory: one joining account, the three sites' OUs."""
    ous = {WINSIM_OU.replace("ABJ", site) for site in ("ABJ", "SPY", "BKE")}
    return MemoryJoiner(passwords={WINSIM_JOINER: WINSIM_JOIN_PASSWORD}, ous=ous)


@pytest.fixture
def winsim() -> Iterator[Callable[..., LoopbackSimulator]]:
    """Give a function that serves workstations until the test's end: `winsim(spec, ..., joiner=..., state=...)`."""
    with ExitStack() as stack:

        def serve(*workstations: WorkstationSpec, **options: Any) -> LoopbackSimulator:
            tls = options.pop("tls", None)
            spec = SimulatorSpec(workstations=list(workstations) or [winsim_workstation()], tls=tls)
            options.setdefault("joiner", winsim_domain())
            return stack.enter_context(LoopbackSimulator(spec, **options))

        yield serve
