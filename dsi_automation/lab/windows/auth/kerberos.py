"""The accepting side of Kerberos with the machine's own keytab, and WinRM's way of sealing with it."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T


class KerberosRefusedError(RefusedError):
    """The token cannot be accepted: no keytab, another machine's ticket, a clock that is off."""


class KerberosAcceptor:
    """One Kerberos exchange on one connection, bare or inside SPNEGO (RFC 4559).

    Any key of the keytab may open the ticket, so HTTP/, WSMAN/ and HOST/ names all work as on Windows.
    The replay cache is off: it would write to the disk at every sign-in of 500 machines.

    Raises:
        KerberosRefusedError: the keytab cannot be used.
    """

    def __init__(self, keytab: Path) -> None:
        import gssapi
        from gssapi.raw import GSSError

        self._error = GSSError
        self.complete = False
        """Whether the client is known."""
        try:
            store: dict[bytes | str, bytes | str] = {"keytab": f"FILE:{keytab}", "rcache": "none:"}
            self._context = gssapi.SecurityContext(
                creds=gssapi.Credentials(usage="accept", store=store), usage="accept"
            )
        except self._error as error:
            raise KerberosRefusedError(_WHAT, detail={"gss": str(error)}) from error

    def step(self, token: bytes) -> bytes | None:
        """Take the client's token and return the answer to it, if there is one."""
        try:
            answer = self._context.step(token)
            self.complete = bool(self._context.complete)  # also where the library reports a failed step
        except self._error as error:
            raise KerberosRefusedError(_WHAT, detail={"gss": str(error)}) from error
        return None if answer is None else bytes(answer)

    @property
    def principal(self) -> str:
        """Return who it is, `user@REALM`."""
        return str(self._context.initiator_name).rstrip("\0")

    def seal(self, message: bytes) -> tuple[bytes, bytes]:
        """Return the token header and the sealed message (MS-WSMV 2.2.9.1.2: header, data and padding buffers)."""
        from gssapi.raw import IOV, IOVBuffer, IOVBufferType, wrap_iov

        buffers = IOV(
            IOVBuffer(IOVBufferType.header, True, None),  # noqa: FBT003  # the library's own shape: allocate it
            IOVBuffer(IOVBufferType.data, False, message),  # noqa: FBT003
            IOVBuffer(IOVBufferType.padding, True, None),  # noqa: FBT003
            std_layout=False,
        )
        wrap_iov(self._context, buffers, confidential=True, qop=None)
        return buffers[0].value or b"", (buffers[1].value or b"") + (buffers[2].value or b"")

    def unseal(self, signature: bytes, sealed: bytes) -> bytes:
        """Return the clear message.

        Raises:
            KerberosRefusedError: it was sealed with another session's key, or changed.
        """
        from gssapi.raw import IOV, IOVBuffer, IOVBufferType, unwrap_iov

        buffers = IOV(
            IOVBuffer(IOVBufferType.header, False, signature),  # noqa: FBT003
            IOVBuffer(IOVBufferType.data, False, sealed),  # noqa: FBT003
            IOVBuffer(IOVBufferType.data, False, None),  # noqa: FBT003  # MIT wants room for what RC4 pads
            std_layout=False,
        )
        try:
            unwrap_iov(self._context, buffers)
        except self._error as error:
            raise KerberosRefusedError(_WHAT, detail={"gss": str(error)}) from error
        return bytes(buffers[1].value or b"")


_WHAT = T("The simulated workstation refuses the Kerberos sign-in.")
