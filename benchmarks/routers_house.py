"""A network of routers, the people who change it through the toolkit, and what a change of it costs at both ends."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks import labs
from benchmarks.processes import PYTHON, Ran, run
from dsi_automation.lab.lab import Lab

DSI: Final = str(Path(PYTHON).with_name("dsi"))
SETTLED: Final = 0.3
"""Seconds until what a connection left behind on a router was counted by the kernel."""


@dataclass(frozen=True, slots=True)
class Took:
    """What something took: wall seconds, CPU seconds of what was typed with its children, and those of the routers."""

    wall: float
    own: float
    routers: float

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of both ends."""
        return self.own + self.routers


def network(routers: int) -> AbstractContextManager[Lab]:
    """Start a network of routers alone, as they left the factory, and take it down."""
    return labs.lab(lambda found: _start(found, routers))


def _start(lab: Lab, routers: int) -> None:
    lab.up(0, routers=routers, domain=False)
    inventory = lab.layout.inventory_dir
    # Nobody else can push a packet filter over vtysh: it is left out on all sides.
    _rewrite(inventory / "hosts.yml", _without_filter)
    # A lab gives a change half a minute; here it has the time it has in production.
    _rewrite(inventory / "group_vars" / "all.yml", lambda found: found["dsi_network"].pop("rollout"))


def _without_filter(found: Any) -> None:
    if isinstance(found, dict):
        if "dsi_router" in found:
            found["dsi_router"]["filter"] = False
        for each in found.values():
            _without_filter(each)


def _rewrite(file: Path, change: Callable[[Any], object]) -> None:
    found = yaml.safe_load(file.read_text())
    change(found)
    file.write_text(yaml.safe_dump(found, allow_unicode=True, sort_keys=False))


@dataclass(slots=True)
class Asked:
    """An approved request.

    Attributes:
        id: what `dsi run` takes.
        lines: what it sends to each router.
    """

    id: str
    lines: Mapping[str, Sequence[str]]


@dataclass(slots=True)
class House:
    """The technician and the director, who type commands; and the routers' CPU."""

    lab: Lab
    _namespaces: set[int] = field(default_factory=set)

    def took(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> Took:
        """Run a command to its end, and return what it took.

        Raises:
            RuntimeError: it failed.
        """
        before = self._routers()
        ran = _good(words, run(words, environment))
        time.sleep(SETTLED)
        return Took(ran.wall, ran.cpu, self._routers() - before)

    def asked(self) -> Asked:
        """Ask for all routers to be configured, and approve it."""
        made = json.loads(self._dsi("m.kouadio", "router", "configure", "--json", "--reason", "Benchmark"))
        self._dsi("a.bamba", "approve", made["id"], "--comment", "Benchmark")
        lines = {
            each["target"]: each["args"]["lines"] for each in made["plan"]["actions"] if each["kind"] == "configure"
        }
        return Asked(made["id"], lines)

    def run(self, asked: Asked) -> Took:
        """Run an approved request, as typed."""
        return self.took(self._words("m.kouadio", "run", asked.id))

    def again(self) -> Took:
        """Ask for the same once more, as typed: there is nothing to do."""
        return self.took(self._words("m.kouadio", "router", "configure", "--reason", "Benchmark"))

    def prove(self, who: str) -> None:
        """Make sure that all routers run what the inventory says, and start with it.

        Raises:
            RuntimeError: something is left to do.
        """
        plan = json.loads(self._dsi("m.kouadio", "router", "configure", "--json"))
        if plan["actions"] or plan["blockers"]:
            raise RuntimeError(f"{who} left something to do: {plan['actions'] or plan['blockers']}")

    def _dsi(self, who: str, *words: str) -> str:
        asked = self._words(who, *words)
        return _good(asked, run(asked, {"DSI_LANG": "en"})).output

    def _words(self, who: str, *words: str) -> list[str]:
        layout = self.lab.layout
        return [DSI, "--inventory", str(layout.inventory_dir), "--key", str(layout.key_dir / who), *words]

    def _routers(self) -> float:
        """Return the CPU seconds of all processes of the routers, and of the children they waited for (proc(5))."""
        if not self._namespaces:
            topology = self.lab.routed.topology
            names = [topology.router_namespace(place) for place in topology.places]
            self._namespaces = {Path("/run/netns", name).stat().st_ino for name in names}
        ticks = 0
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                with suppress(OSError):  # it ended meanwhile
                    if (process / "ns/net").stat().st_ino in self._namespaces:
                        fields = (process / "stat").read_text().rpartition(")")[2].split()
                        ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")


def _good(words: Sequence[str], ran: Ran) -> Ran:
    if ran.code != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {ran.code}:\n{ran.output}")
    return ran
