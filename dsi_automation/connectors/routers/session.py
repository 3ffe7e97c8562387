"""One session with a router's command line, over SSH: one line is one command, and every wait has an end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.connectors.routers.port import LONGEST_ANSWER, LineRefusedError, Platform, RouterEndpoint
from dsi_automation.connectors.routers.reading import LONGEST_LINE, Reading, greeted, uninterrupted
from dsi_automation.connectors.routers.session_errors import (
    connecting,
    lost,
    no_privilege,
    not_one_line,
    silent,
    unanswered_question,
)
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import redact

if TYPE_CHECKING:
    from dsi_automation.connectors.routers.console import Console

CONFIGURE: Final = "configure terminal"
_QUIET: Final = 1.0
"""Seconds without a byte after which nothing more is expected behind a prompt."""
_WAITS: Final = 5.0
"""Seconds without a byte after which a line that looks like a question is taken for one."""
_CHUNK: Final = 1 << 16
_PREPARATION: Final = {
    # RFC 4254 hands the size of the terminal over; IOS takes no notice of it.
    Platform.IOS: ("terminal length 0", "terminal width 511"),
    Platform.FRR: ("terminal length 0",),
}
_REFUSALS: Final = re.compile(r"^(?:%|Command authorization failed|Configuration mode is locked)", re.MULTILINE)
_REMARKS: Final = re.compile(r"^% ?(?:Warning|Info|Note)\b.*", re.MULTILINE | re.IGNORECASE)
"""What begins like a refusal and is none."""


class RouterSession:
    """The command line of one router; connected when first used, for one thread.

    After any error in the middle of an answer it is closed: the next call opens a new one.
    """

    def __init__(self, endpoint: RouterEndpoint, clock: Clock) -> None:
        """Remember where the router is; nothing is connected yet."""
        self._endpoint = endpoint
        self._clock = clock
        self._console: Console | None = None
        self._name: str | None = None
        self._mode = ""

    @property
    def connected(self) -> bool:
        """Tell whether there is a connection."""
        return self._console is not None

    def connect(self) -> None:
        """Log in, unless it is done.

        Raises:
            UnreachableError: no answer. HostKeyError, LoginRefusedError: as for every machine over SSH.
            AlgorithmsError: it speaks old algorithms only, and they are not allowed for it.
        """
        if self._console is not None:
            return
        try:
            from dsi_automation.connectors.routers.console import Console

            self._console = Console(self._endpoint)
        except DsiError:
            raise
        except Exception as error:
            raise connecting(self._endpoint, error) from error
        self._name, self._mode = None, ""
        greetings = self._greetings()
        for command in _PREPARATION[self._endpoint.platform]:
            self._exchange(command, before=greetings)
            greetings = b""
            if self._mode.endswith(">"):
                self.close()
                raise no_privilege(self._endpoint)

    def show(self, command: str, *, timeout: float | None = None) -> str:
        """Run a command that changes nothing and return what it printed.

        Args:
            command: one line.
            timeout: seconds without a byte after which it counts as hung; the endpoint's unless given.

        Raises:
            UnreachableError: no answer in time, or the connection broke. RefusedError: it asks something back.
        """
        return self.run(command, writing=False, timeout=timeout)

    def run(
        self,
        command: str,
        replies: Sequence[tuple[str, str]] = (),
        *,
        writing: bool = True,
        timeout: float | None = None,
        whole: bool = False,
    ) -> str:
        """Run a command of EXEC mode and return what it printed.

        Args:
            command: one line.
            replies: what it may ask (regular expressions, matched at the end of what came), and what to say then.
            writing: it changes something: an answer that never comes is an unknown outcome.
            timeout: seconds without a byte.
            whole: with what the router says on its own account in between.

        Raises:
            UnknownOutcomeError: no answer to a command that changes something.
            UnreachableError: no answer to another one.
            RefusedError: it is not one line, or asks something there is no reply for; the session is closed then.
        """
        self._one_line(command)
        self.connect()
        return self._exchange(command, replies, writing=writing, timeout=timeout, whole=whole)

    def configure(self, lines: Sequence[str], enter: str = CONFIGURE) -> str:
        """Send lines of configuration mode one by one, and leave it again.

        Each line is sent when the one before was taken: IOS and vtysh would go on after a line they refuse.

        Args:
            lines: one command each.
            enter: the command that enters configuration mode.

        Returns:
            What the router printed, `enter` first.

        Raises:
            LineRefusedError: this very line; those before it are in force, those after it were not sent.
            UnknownOutcomeError: no answer; the session is closed.
            RefusedError: one of them is not one line: nothing was sent.
        """
        for line in (enter, *lines):
            self._one_line(line)
        self.connect()
        said = [self._line(enter)]
        try:
            said += [self._line(line.strip()) for line in lines if line.strip()]
        except LineRefusedError:
            if self._mode:
                with suppress(DsiError):
                    self._exchange("end")
            raise
        said.append(self._exchange("end", writing=True))
        return "".join(said)

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        console, self._console = self._console, None
        if console is not None:
            console.hang_up()

    def _line(self, line: str) -> str:
        whole = self._exchange(line, writing=True, whole=True)
        answer = uninterrupted(whole)
        if _REFUSALS.search(_REMARKS.sub("", answer)) or not self._mode:
            raise LineRefusedError(self._endpoint.name, line, _on_one_line(answer))
        return whole

    def _one_line(self, line: str) -> None:
        # A question mark is a key of its own there: it prints help, and the rest is read after it.
        if len(line) > LONGEST_LINE or any(not " " <= character <= "~" or character == "?" for character in line):
            raise not_one_line(self._endpoint, line)

    def _greetings(self) -> bytes:
        seen = bytearray()
        reading = Reading("", None)
        until = self._clock.monotonic() + self._endpoint.read_timeout * LONGEST_ANSWER
        while not greeted(bytes(seen)):
            if self._clock.monotonic() > until:
                raise self._broken(silent(self._endpoint, "", self._endpoint.read_timeout, writing=False))
            seen += self._receive(reading, writing=False, timeout=self._endpoint.read_timeout)
        return bytes(seen)

    def _exchange(
        self,
        command: str,
        replies: Sequence[tuple[str, str]] = (),
        *,
        writing: bool = False,
        timeout: float | None = None,
        whole: bool = False,
        before: bytes = b"",
    ) -> str:
        reading = Reading(command, self._name)
        reading.add(before)
        left = list(replies)
        wait = timeout or self._endpoint.read_timeout
        until = self._clock.monotonic() + wait * LONGEST_ANSWER
        self._send(f"{command}\n", reading, writing=writing)
        while reading.mode is None or self._terminal.recv_ready():
            if self._clock.monotonic() > until:
                raise self._broken(silent(self._endpoint, command, wait, writing=writing))
            chunk = self._receive(reading, writing=writing, timeout=wait)
            if not chunk:
                break
            reading.add(chunk)
            for pair in left:
                if reading.asks(pair[0]):
                    left.remove(pair)
                    reading.replied()
                    self._send(f"{pair[1]}\n", reading, writing=writing)
                    break
        self._name, self._mode = reading.name, reading.mode or reading.prompted or ""
        return reading.answer(whole=whole)

    @property
    def _terminal(self) -> Any:
        if self._console is None:
            raise AssertionError
        return self._console.terminal

    def _send(self, text: str, reading: Reading, *, writing: bool) -> None:
        try:
            self._terminal.settimeout(self._endpoint.read_timeout)
            self._terminal.sendall(text.encode("ascii"))
        except Exception as error:  # socket's, paramiko's, and EOFError
            raise self._broken(lost(self._endpoint, reading.command, writing=writing)) from error

    def _receive(self, reading: Reading, *, writing: bool, timeout: float) -> bytes:
        """Return what came; nothing when a prompt came and, behind it, something unknown and then silence.

        A question nobody has a reply for ends the session.
        """
        terminal = self._terminal
        so_far = 0.0
        for until in (min(_QUIET, timeout), min(_WAITS, timeout), timeout):
            terminal.settimeout(until - so_far)
            so_far = until
            try:
                chunk = bytes(terminal.recv(_CHUNK))
            except TimeoutError:
                if reading.settled():
                    return b""
                asked = so_far >= min(_WAITS, timeout) and reading.name is not None
                if asked and (question := reading.question) is not None:
                    raise self._broken(unanswered_question(self._endpoint, reading.command, question)) from None
                continue
            except Exception as error:  # socket's, paramiko's, and EOFError
                raise self._broken(lost(self._endpoint, reading.command, writing=writing)) from error
            if not chunk:
                raise self._broken(lost(self._endpoint, reading.command, writing=writing))
            return chunk
        raise self._broken(silent(self._endpoint, reading.command, timeout, writing=writing))

    def _broken(self, error: DsiError) -> DsiError:
        self.close()
        return error


def _on_one_line(answer: str) -> str:
    # The line of the caret says nothing without the line above it.
    return redact(" / ".join(line.strip() for line in answer.splitlines() if line.strip(" ^")))
