"""Runs a script of the package on a machine, over pywinrm's shell and the same sealed channel as CIM."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.connectors.windows import failures, markup, soap
from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.connectors.windows.port import WindowsEndpoint, WritePermit
from dsi_automation.connectors.windows.powershell import framing
from dsi_automation.connectors.windows.transport import Channel, WinrmChannel
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from winrm.protocol import Protocol

_UTF8: Final = 65001


class ScriptRunner:
    """Runs scripts that change a machine: each run asks the permit, and is never repeated."""

    def __init__(
        self, endpoint: WindowsEndpoint, permit: WritePermit, clock: Clock, *, channel: Channel | None = None
    ) -> None:
        """Check the endpoint; nothing is sent yet.

        Raises:
            UsageError: the endpoint is not complete, or its channel would not be sealed.
        """
        self._endpoint = endpoint
        self._permit = permit
        self._clock = clock
        self._channel = channel or WinrmChannel(endpoint, clock)

    def run(self, name: str, values: Mapping[str, Any], *, timeout: float = 600.0) -> Any:
        """Run a script and return what it gives back.

        Args:
            name: a script of this folder, without `.ps1`.
            values: its input; JSON values and secrets.
            timeout: seconds it may take in all.

        Raises:
            UnknownOutcomeError: it was started and its end not seen.
            RefusedError: the shell was refused, or the script stopped with an error.
            GateClosedError: the permit does not cover this machine.
        """
        arguments, given = framing.arguments(), framing.standard_input(name, values)
        self._channel.open(fresh=True)
        protocol = _protocol(self._endpoint, self._channel)
        shell = self._translated(lambda: self._opened(protocol))
        try:
            self._permit.check(self._endpoint.name)
            try:
                output = self._translated(lambda: self._run(protocol, shell, arguments, given, timeout))
                found = framing.result(output)
            except MalformedAnswerError as error:
                lost = failures.bad_answer(self._endpoint, str(error))
                raise failures.unknown_outcome(self._endpoint, name, lost) from error
            except DsiError as error:
                raise failures.unknown_outcome(self._endpoint, name, error) from error
        finally:
            with suppress(DsiError):
                self._translated(lambda: protocol.close_shell(shell, close_session=False))
        if isinstance(found, framing.ScriptFailure):
            raise RefusedError(
                T("The script {name} stopped with an error on {machine}.", name=name, machine=self._endpoint.name),
                on=self._endpoint.name,
                next_step=T("Look at the machine: part of what the script does may have been done."),
                detail={"error": found.error, "hresult": f"0x{found.hresult:08X}"},
            )
        return found

    def close(self) -> None:
        """End the session with the machine."""
        self._channel.close()

    def _opened(self, protocol: Protocol) -> str:
        from winrm.exceptions import WinRMTransportError, WSManFaultError

        try:
            return protocol.open_shell(codepage=_UTF8, noprofile=True)
        except (WSManFaultError, WinRMTransportError) as error:
            raise RefusedError(
                T("{machine} gives no remote shell, so that no script can be run there.", machine=self._endpoint.name),
                on=self._endpoint.name,
                next_step=T("Allow remote shells there (AllowRemoteShellAccess) for this account, or do it by hand."),
            ) from error

    def _run(self, protocol: Protocol, shell: str, arguments: list[str], given: bytes, timeout: float) -> bytes:
        from winrm.exceptions import WinRMOperationTimeoutError

        deadline = self._clock.monotonic() + timeout
        command = protocol.run_command(shell, framing.PROGRAM, arguments, console_mode_stdin=False)
        protocol.send_command_input(shell, command, given, end=True)
        output, done = b"", False
        while not done:
            if self._clock.monotonic() > deadline:
                raise failures.late(self._endpoint)
            with suppress(WinRMOperationTimeoutError):  # nothing new yet: ask again
                part, _, _, done = protocol.get_command_output_raw(shell, command)
                output += part
        protocol.cleanup_command(shell, command)
        return output

    def _translated(self, call: Any) -> Any:
        try:
            return call()
        except DsiError:
            raise
        except Exception as error:
            from dsi_automation.connectors.windows import wire

            wire.scrub(error)
            raise wire.translate(self._endpoint, error) from error


class _Carrier:
    """What pywinrm's Protocol needs of a transport, over our channel."""

    def __init__(self, endpoint: WindowsEndpoint, channel: Channel) -> None:
        self._endpoint = endpoint
        self._channel = channel

    def send_message(self, message: str | bytes) -> bytes:
        """Send one message; a fault goes back the way pywinrm expects it."""
        from winrm.exceptions import WinRMTransportError

        data = message.encode() if isinstance(message, str) else message
        answer = self._channel.exchange(data, self._endpoint.read_timeout)
        if answer.body and answer.status in {200, 500}:
            markup.parse(answer.body)  # pywinrm's own parser would follow a document type
        if answer.status == 500 and answer.body:
            raise WinRMTransportError("http", answer.status, answer.body.decode(errors="replace"))
        if answer.status != 200:
            raise failures.from_status(self._endpoint, answer.status, empty=not answer.body)
        return answer.body

    def close_session(self) -> None:
        """Leave the connection to whoever owns it."""


def _protocol(endpoint: WindowsEndpoint, channel: Channel) -> Protocol:
    from winrm.protocol import Protocol

    limit = max(1, int(min(endpoint.operation_timeout, endpoint.read_timeout - 1)))
    # The constructor wants a transport of its own, which is replaced before it is used: it gets no password.
    made = Protocol(
        channel.to, "ntlm", "unused", "", read_timeout_sec=limit + 1, operation_timeout_sec=limit, proxy=None
    )
    made.max_env_sz = soap.MAX_ENVELOPE
    made.transport = _Carrier(endpoint, channel)  # type: ignore[assignment]
    return made
