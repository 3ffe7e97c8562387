"""A Linux machine of a site's LAN from which accesses are tried out, over SSH."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from dsi_automation.connectors.routers.probe import Tried
from dsi_automation.connectors.ssh.port import Finished, Program, Shell
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T, Text

_ASKING: Final = 30.0
"""Seconds everything but the connection itself may take: asking the LAN for an address takes three."""


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """A probe.

    Attributes:
        host: its name in the inventory.
        interface: its interface in the LAN.
        addresses: of the LAN, its own.
        borrow: whether it may take another free address for the moment of one try.
    """

    host: str
    interface: str
    addresses: tuple[str, ...]
    borrow: bool = False


class ProbeError(RefusedError):
    """The probe cannot try: the address is somebody's, or something is missing there."""


class ShellProbe:
    """See `probe.Probe`. An address is given back whatever ends the try; the kernel does it where nobody else can."""

    def __init__(self, settings: ProbeSettings, shell: Shell) -> None:
        """Try from this machine, through that shell."""
        self._settings = settings
        self._shell = shell

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses it owns in the LAN."""
        return self._settings.addresses

    @property
    def borrows(self) -> bool:
        """Tell whether it may take another free address of the LAN for one try."""
        return self._settings.borrow

    def connect(self, source: str, destination: str, port: int, *, timeout: float = 3.0) -> Tried:
        """Open a TCP connection from `source` and close it again.

        Raises:
            ProbeError: the address is in use by another machine or may not be borrowed, or the probe is not fit.
            UnreachableError: the probe itself does not answer.
        """
        own = source in self._settings.addresses
        if not own and not self._settings.borrow:
            raise self._refused("borrow", source)
        words = ["own" if own else "borrow", self._settings.interface, str(ipaddress.IPv4Address(source)),
                 str(ipaddress.IPv4Address(destination)), str(port), f"{timeout:.3f}"]  # fmt: skip
        program = Program(["sh", "-c", _script(), "dsi-probe", *words], timeout=timeout + _ASKING)
        finished = self._shell.run(program)
        word, _, rest = finished.text.strip().partition(" ")
        if word == "tried" and rest in set(Tried):
            return Tried(rest)
        kind, _, what = rest.partition(" ")
        raise self._refused(kind if word == "problem" else "", what, finished)

    def _refused(self, kind: str, what: str, finished: Finished | None = None) -> ProbeError:
        return ProbeError(
            self._why(kind, what),
            on=self._settings.host,
            detail={} if finished is None else {"status": finished.status, "stderr": finished.complaint},
        )

    def _why(self, kind: str, what: str) -> Text:
        host = self._settings.host
        match kind:
            case "borrow":
                return T("{host} does not own {address}, and may not borrow it.", host=host, address=what)
            case "in-use":
                return T("{address} is in use by another machine: {host} does not borrow it.", host=host, address=what)
            case "not-own":
                return T("{host} does not have the address {address} that the inventory says.", host=host, address=what)
            case "root":
                return T("{host} borrows an address as root only, not as {user}.", host=host, user=what)
            case "missing":
                return T("{host} has no program {program}.", host=host, program=what)
            case "interface":
                return T("{host} has no interface {interface}.", host=host, interface=what)
        return T("{host} could not try to connect.", host=host)


@cache
def _script() -> str:
    return (Path(__file__).parent / "remote" / "probe.sh").read_text("utf-8")
