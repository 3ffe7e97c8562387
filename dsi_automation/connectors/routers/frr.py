"""FRRouting on Linux: vtysh in a session of its own, and the helper account for the timer and the packet filter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.connectors.routers import nftables, refusals
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialects.frr import FrrDialect, FrrTaking
from dsi_automation.connectors.routers.helper import Document, Helper, HelperRefusedError
from dsi_automation.connectors.routers.lines import RefusedLineError
from dsi_automation.connectors.routers.port import (
    Interface,
    LineRefusedError,
    NothingPendingError,
    Ping,
    Printed,
    Proof,
    RouterEndpoint,
    Seen,
    Timer,
    TimerState,
)
from dsi_automation.connectors.routers.session import RouterSession
from dsi_automation.core.clock import Clock, parse_iso

if TYPE_CHECKING:
    from dsi_automation.connectors.windows.port import WritePermit

WAY_BACK: Final = 300.0
"""Seconds a way back may take, with its retries, on a router under load."""
_COUNTS: Final = re.compile(r"(\d+) packets transmitted, (\d+) received")
ECHOES: Final = 50
"""How many addresses the helper sends echo requests to at once."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class FrrRouter:
    """A Linux router with FRRouting; see `port.RouterWriter`. One thread at a time."""

    def __init__(self, endpoint: RouterEndpoint, clock: Clock, permit: WritePermit | None, target: str) -> None:
        """Remember where it is; nothing is connected yet. Without a permit it is read only."""
        self._endpoint = endpoint
        self._permit = permit
        self._target = target
        self._session = RouterSession(endpoint, clock)
        self._helper = Helper(endpoint, clock)
        self._dialect = FrrDialect()
        self._filter: tuple[str, ...] | None = None
        self._known = False
        self._pushed = False

    @property
    def name(self) -> str:
        """Return the router's name."""
        return self._endpoint.name

    @property
    def dialect(self) -> FrrDialect:
        """Return FRRouting's words."""
        return self._dialect

    # --- looking ---------------------------------------------------------------------------------------------------

    def running(self) -> Config:
        """Return what runs now, packet filter included."""
        return self._config(self._document("running"))

    def startup(self) -> Config:
        """Return what it would start with."""
        return self._saved(self._document("startup"))

    def text(self) -> str:
        """Return what runs as vtysh prints it, and our section of the filter; secrets masked."""
        return self.dialect.masked(self._whole(self._document("running")))

    def printed(self) -> Printed:
        """Return what runs, and its text, from one answer."""
        return self._printed(self._document("running"))

    def seen(self) -> Seen:
        """Return what runs, its text, what it would start with, its timer and the kernel's interfaces, at one go."""
        runs, starts = Document.two_of(self.name, self._helper.ask("look"))
        now = self._printed(runs)
        return Seen(now.running, now.text, self._saved(starts), _timer(runs.head), tuple(_there(runs)))

    def proof(self, interfaces: Sequence[str], routes: Sequence[str], addresses: Sequence[str], count: int) -> Proof:
        """Return what runs and what is true of it, from one answer."""
        questions = [f"route {each}\n" for each in routes] + [f"ping {each} {count}\n" for each in addresses]
        said = self._helper.ask(
            "proof",
            "".join(questions).encode("ascii"),
            timeout=self._endpoint.read_timeout + count * (1 + len(addresses) // ECHOES),
        )
        found = Document.of(self.name, said, "interfaces", "routes")
        there = _there(found)
        hops = _documents(found.more["routes"])
        return Proof(
            self._config(found),
            {name: _interface(there[name]) if name in there else None for name in interfaces},
            {prefix: _hops(hops, prefix) for prefix in routes},
            {address: _ping(found.more[f"ping {address}"], count) for address in addresses},
        )

    def timer(self) -> Timer:
        """Return the state of its rollback timer."""
        return _timer(self._helper.ask("status"))

    def ready(self) -> None:
        """Make sure that a change could be taken back.

        Raises:
            RefusedError: frr-reload or nft is missing, the disk is full, or a timer is armed.
        """
        self._helper.ask("ready")

    def interface(self, name: str) -> Interface | None:
        """Return an interface as the kernel has it: FRRouting may have forgotten an address that is still there."""
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,14}", name) is None:
            return None
        found = json.loads(self._helper.ask(f"interface {name}"))
        return _interface(found[0]) if found else None

    def route(self, prefix: str) -> tuple[str, ...]:
        """Return the next hops in use for exactly this network: addresses, or the interface it is behind."""
        return _hops(_documents(self._helper.ask(f"route {prefix}")), prefix)

    def ping(self, address: str, *, count: int = 5) -> Ping:
        """Send echo requests from the router itself, five a second."""
        return _ping(self._helper.ask(f"ping {address} {count}", timeout=self._endpoint.read_timeout + count), count)

    # --- changing --------------------------------------------------------------------------------------------------

    def snapshot(self, name: str) -> str:
        """Keep what runs under a name on the router; the last twenty names are kept."""
        self._permitted()
        said = self._helper.ask(f"snapshot {self._named(name)}", writing=True)
        return self.dialect.masked(self._whole(Document.of(self.name, said)))

    def arm(self, seconds: float) -> Config:
        """Arm the timer and return what it would go back to.

        Raises:
            BusyError: a timer is armed already.
        """
        self._permitted()
        document = Document.of(self.name, self._helper.ask(f"arm {max(1, round(seconds))}", writing=True))
        self._filter = nftables.read(document.filter)
        self._known = True
        return self._config(document)

    def push(self, lines: Sequence[str]) -> None:
        """Send lines in their order: those of the filter to nft, each run of them whole or not at all, others to vtysh.

        Refused without a timer: nothing would take the lines back.

        Raises:
            LineRefusedError, RefusedError, UnknownOutcomeError: see `port.RouterWriter.push`.
        """
        self._permitted()
        refusals.sendable(self.name, self.dialect, self._endpoint.protected, lines)
        # Asked now, and not remembered: who stood still since `arm` would send what nothing takes back.
        if self.timer().state is not TimerState.ARMED:
            raise refusals.not_armed(self.name)
        self._pushed = True
        for filtering, part in _parts(lines):
            if filtering:
                self._push_filter(part)
            else:
                self._session.configure(part)
        self._known = False

    def confirm(self) -> None:
        """Disarm the timer, through a connection that was opened after `push`.

        Raises:
            NothingPendingError: the router went back already.
        """
        self._permitted()
        if self._pushed:
            self._helper.close()
            self._pushed = False
        self._helper.ask("confirm", writing=True)

    def save(self) -> None:
        """Make what runs what it starts with.

        Raises:
            BusyError: a timer is armed.
        """
        self._permitted()
        self._helper.ask("save", writing=True)

    def revert(self) -> None:
        """Go back now to what `arm` took down; nothing is left to do when the timer was quicker.

        Raises:
            NothingPendingError: nothing was armed. NotBackError: lines remain that are not as they were.
        """
        self._permitted()
        self._known = False
        try:
            self._helper.ask("revert", writing=True, timeout=WAY_BACK)
        except NothingPendingError:
            if not (self.timer().last or "").startswith("reverted "):
                raise

    def restore(self, name: str) -> None:
        """Go back to a named snapshot.

        Raises:
            BusyError: a timer is armed. NotBackError: lines remain that are not as they were.
        """
        self._permitted()
        self._known = False
        self._helper.ask(f"restore {self._named(name)}", writing=True, timeout=WAY_BACK)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._known = self._pushed = False
        self._session.close()
        self._helper.close()

    # --- the filter ------------------------------------------------------------------------------------------------

    def _push_filter(self, commands: Sequence[str]) -> None:
        if not self._known:
            self._filter = nftables.read(self._document("running").filter)
        try:
            wanted = _after(self._filter, commands)
            script = nftables.script(wanted)
        except RefusedLineError as error:
            raise LineRefusedError(self.name, error.line.strip(), error.answer) from error
        try:
            self._helper.ask("filter", script.text.encode("ascii"), writing=True)
        except HelperRefusedError as error:
            culprit = script.culprit(error.complaint)
            if culprit is None:
                raise
            raise LineRefusedError(self.name, *culprit) from error
        self._filter, self._known = wanted, True

    def _document(self, verb: str) -> Document:
        return Document.of(self.name, self._helper.ask(verb))

    def _printed(self, document: Document) -> Printed:
        text = self._whole(document)
        return Printed(self.dialect.parse(text), self.dialect.masked(text))

    def _saved(self, document: Document) -> Config:
        # vtysh writes the file without its last line.
        return self._config(replace(document, frr=f"{document.frr.removesuffix('end\n')}end\n"))

    def _config(self, document: Document) -> Config:
        return self.dialect.parse(self._whole(document))

    def _whole(self, document: Document) -> str:
        # The version is the program's, not a part of what it is told to do: an update is no change of ours.
        text = re.sub(r"(?m)^frr version .*\n", "", document.frr)
        lines = nftables.read(document.filter)
        if lines is None:
            return text
        body, end, _ = text.rpartition("end\n")
        return "".join([body, f"{nftables.HEADING}\n", *(f" {line}\n" for line in lines), "exit\n!\n", end])

    # --- asking first ----------------------------------------------------------------------------------------------

    def _permitted(self) -> None:
        if self._permit is None:
            raise refusals.read_only(self.name)
        self._permit.check(self._target)

    def _named(self, name: str) -> str:
        if _NAME.fullmatch(name) is None:
            raise refusals.no_name(self.name, name)
        return name


def _timer(status: str) -> Timer:
    said = dict(line.partition("=")[::2] for line in status.splitlines())
    until = said.get("until")
    return Timer(
        TimerState(said.get("state", "none")),
        until=None if until is None else parse_iso(until),
        last=said.get("last"),
    )


def _there(document: Document) -> dict[str, Mapping[str, Any]]:
    """Return the interfaces of the kernel, by name."""
    return {str(each["ifname"]): each for each in json.loads(document.more["interfaces"])}


def _interface(found: Mapping[str, Any]) -> Interface:
    flags = set(found["flags"])
    addresses = [each for each in found.get("addr_info", ()) if each.get("family") == "inet"]
    return Interface(
        name=str(found["ifname"]),
        up="UP" in flags,
        line_protocol={"UP", "LOWER_UP"} <= flags,
        addresses=tuple(f"{each['local']}/{each['prefixlen']}" for each in addresses),
    )


def _documents(text: str) -> dict[str, Any]:
    """Return JSON documents that follow each other, as one."""
    found: dict[str, Any] = {}
    text = text.strip()
    while text:
        one, end = json.JSONDecoder().raw_decode(text)
        found |= one
        text = text[end:].strip()
    return found


def _hops(found: Mapping[str, Any], prefix: str) -> tuple[str, ...]:
    hops = [
        hop
        for route in found.get(prefix, ())
        if route.get("selected") and route.get("installed")
        for hop in route.get("nexthops", ())
        if hop.get("fib")
    ]
    return tuple(str(hop.get("ip") or hop.get("interfaceName", "")) for hop in hops)


def _ping(said: str, count: int) -> Ping:
    found = _COUNTS.search(said)
    return Ping(count, 0) if found is None else Ping(int(found[1]), int(found[2]))


def _after(present: tuple[str, ...] | None, commands: Sequence[str]) -> tuple[str, ...] | None:
    """Return the filter once commands were taken; None once it was taken away."""
    taking = FrrTaking(Config({} if present is None else {nftables.HEADING: present}))
    taking.take(commands)
    found = taking.sections.get(nftables.HEADING)
    return None if found is None else tuple(found)


def _parts(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Cut lines, in their order, into runs for nft (True) and runs for vtysh (False)."""
    part: list[str] = []
    inside = False
    filtering = False
    for line in lines:
        heading = line.removeprefix("no ") == nftables.HEADING
        belongs = heading or (inside and (line.startswith(" ") or line == "exit"))
        inside = line == nftables.HEADING or (inside and line.startswith(" "))
        if belongs != filtering and part:
            yield filtering, part
            part = []
        filtering = belongs
        part.append(line)
    if part:
        yield filtering, part
