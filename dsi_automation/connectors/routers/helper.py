"""The second account of a Linux router: `remote/dsi-cc` behind a forced command; one connection for many commands."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from dsi_automation.connectors.routers.port import LONGEST_ANSWER, NothingPendingError, RouterEndpoint
from dsi_automation.connectors.ssh.connecting import Connected, connect
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

_CHUNK: Final = 1 << 16
_STRANGE: Final = "not a command of mine"
"""What `dsi-cc` says to a verb it does not have."""
_SECTION: Final = "--- dsi-cc "
_INSTALL: Final = T("Install there the dsi-cc of this version of the toolkit: docs/reference/dsi-cc.md.")


class Status(IntEnum):
    """How `dsi-cc` ends; see its head."""

    DONE = 0
    NOT_ASKED_PROPERLY = 2
    BUSY = 3
    NOTHING_ARMED = 4
    NOT_QUITE = 5
    REFUSED = 6


class BusyError(RefusedError):
    """A timer is armed, or the router is going back at this very moment."""


class HelperRefusedError(RefusedError):
    """The helper could not do it.

    Attributes:
        complaint: what it said.
    """

    def __init__(self, router: str, command: str, complaint: str, *, next_step: Any = None) -> None:
        """Name the router, what was asked, and its words."""
        super().__init__(
            T("{router} refused “{command}”: {answer}", router=router, command=command, answer=complaint or "?"),
            on=router,
            next_step=next_step,
            detail={"command": command, "answer": complaint},
        )
        self.complaint = complaint


class NotBackError(RefusedError):
    """A router went back, and something is not as it was."""


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration as the helper tells it.

    Attributes:
        frr: FRRouting's, as vtysh prints it.
        filter: what `nft -j` prints of our table.
        head: what came before: words of the command's own.
        more: further sections, by name.
    """

    frr: str
    filter: str
    head: str
    more: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, router: str, text: str, *more: str) -> Document:
        """Take it from what the helper printed, with the further sections named.

        Raises:
            RefusedError: it is cut off, or comes from a helper that does not tell those sections yet.
        """
        parts: dict[str, list[str]] = {"": []}
        at = ""
        for line in text.splitlines(keepends=True):
            if line.startswith(_SECTION):
                at = line.removeprefix(_SECTION).strip()
                parts[at] = []
            else:
                parts[at].append(line)
        if not {"frr", "filter", "end", *more} <= parts.keys():
            raise RefusedError(
                T("{router} gave only a part of its configuration.", router=router),
                on=router,
                next_step=_INSTALL if "end" in parts else T("Look at the router and at the network, then try again."),
            )
        told = {name: "".join(lines) for name, lines in parts.items() if name != "end"}
        return cls(told.pop("frr"), told.pop("filter"), told.pop(""), told)

    @classmethod
    def two_of(cls, router: str, text: str) -> tuple[Document, Document]:
        """Take two of them, one behind the other: what runs, with the interfaces, and what it starts with.

        Raises:
            RefusedError: one is cut off.
        """
        first, end, second = text.partition(f"{_SECTION}end\n")
        return cls.of(router, first + end, "interfaces"), cls.of(router, second)


class Helper:
    """The helper account of one router; connected when first used, for one thread."""

    def __init__(self, endpoint: RouterEndpoint, clock: Clock) -> None:
        """Remember where it is; nothing is connected yet."""
        self._clock = clock
        self._router = endpoint.name
        self._timeout = endpoint.read_timeout
        self._endpoint = SshEndpoint(
            name=endpoint.name,
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.helper,
            # The password is the other account's.
            key=endpoint.key,
            known_hosts=endpoint.known_hosts,
            connect_timeout=endpoint.connect_timeout,
        )
        self._connected: Connected | None = None

    def ask(self, command: str, stdin: bytes = b"", *, writing: bool = False, timeout: float | None = None) -> str:
        """Have the helper do something and return what it printed.

        Args:
            command: its verb and arguments, separated by one blank.
            stdin: what it reads.
            writing: it changes something: an answer that never comes is an unknown outcome.
            timeout: seconds without a byte; the endpoint's unless given. An answer that goes on for `LONGEST_ANSWER`
                times as long is given up.

        Raises:
            UnreachableError, UnknownOutcomeError: no answer. NothingPendingError: no timer is armed.
            BusyError: one is. NotBackError: it went back, not quite. HelperRefusedError: anything else.
        """
        channel = self._channel()
        wait = timeout or self._timeout
        until = self._clock.monotonic() + wait * LONGEST_ANSWER
        try:
            status, said, complaint = _exchange(channel, command, stdin, wait, lambda: self._clock.monotonic() > until)
        except (OSError, EOFError, _Ended) as error:
            self.close()
            raise self._unanswered(command, writing=writing) from error
        finally:
            channel.close()
        if status != Status.DONE:
            raise self._failed(command, status, said, complaint)
        return said

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        connected, self._connected = self._connected, None
        if connected is not None:
            connected.close()

    def _channel(self) -> Any:
        import paramiko

        for attempt in (1, 2):
            if self._connected is None or not self._connected.alive:
                self._connected = connect(self._endpoint)
                self._connected.transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                return self._connected.channel(self._endpoint.connect_timeout)
            except (paramiko.SSHException, EOFError, OSError) as error:
                # A connection that broke since it was last used is made anew, once.
                self.close()
                if attempt == 2:
                    raise self._unanswered("", writing=False) from error
        raise AssertionError

    def _failed(self, command: str, status: int, said: str, complaint: str) -> DsiError:
        words = redact("\n".join(line for line in complaint.splitlines() if "unable to resolve host" not in line))
        words = words.strip().removeprefix("dsi-cc: ")
        match status:
            case Status.BUSY:
                return BusyError(
                    T("{router} waits for another change to be confirmed, or is going back: {answer}.",
                      router=self._router, answer=words),
                    on=self._router,
                    next_step=T("Wait until it is over, then look again."),
                )  # fmt: skip
            case Status.NOTHING_ARMED:
                return NothingPendingError(self._router)
            case Status.NOT_QUITE:
                return NotBackError(
                    T("{router} went back, and something is not as it was: {answer}.", router=self._router,
                      answer=redact(said.strip())),
                    on=self._router,
                    next_step=T("Compare it with its snapshot by hand, now."),
                    detail={"answer": redact(said.strip())},
                )  # fmt: skip
            case Status.NOT_ASKED_PROPERLY if _STRANGE in words:
                return HelperRefusedError(self._router, command, words, next_step=_INSTALL)
            case Status.NOT_ASKED_PROPERLY | Status.REFUSED:
                return HelperRefusedError(self._router, command, words)
        return HelperRefusedError(
            self._router,
            command,
            words,
            next_step=T("See that dsi-cc is installed there, and that its account may run it with sudo."),
        )

    def _unanswered(self, command: str, *, writing: bool) -> UnreachableError:
        what = T("The helper of {router} gave no answer to “{command}”.", router=self._router, command=command)
        if writing:
            return UnknownOutcomeError(
                what,
                on=self._router,
                meaning=T("What was sent may be in force, or not."),
                next_step=T("Look at the router again before anything else."),
            )
        return UnreachableError(
            what, on=self._router, next_step=T("Look at the router and at the network, then try again.")
        )


class _Ended(Exception):  # noqa: N818  # never leaves this module
    """A channel ended without the status of its program, or goes on for ever."""


def _exchange(
    channel: Any, command: str, stdin: bytes, timeout: float, over: Callable[[], bool]
) -> tuple[int, str, str]:
    import paramiko

    channel.settimeout(timeout)
    try:
        channel.exec_command(command)
        if stdin:
            channel.sendall(stdin)
        channel.shutdown_write()
    except paramiko.SSHException as error:
        raise _Ended from error
    said = _all(channel.recv, over)
    complaint = _all(channel.recv_stderr, over)
    if not channel.status_event.wait(timeout) or channel.exit_status < 0:
        raise _Ended
    return int(channel.exit_status), said, complaint


def _all(receive: Callable[[int], bytes], over: Callable[[], bool]) -> str:
    found = bytearray()
    while chunk := receive(_CHUNK):
        found += chunk
        if over():
            raise _Ended
    return found.decode(errors="backslashreplace")
