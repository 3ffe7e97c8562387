"""The SSH terminal of a router: netmiko's connection, with strict host keys and today's algorithms only."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import paramiko
from netmiko import log as netmiko_log
from netmiko.cisco.cisco_ios import CiscoIosSSH

from dsi_automation.connectors.routers.port import Algorithms, RouterEndpoint
from dsi_automation.connectors.ssh.connecting import OLD, credentials, notice_silence, trust
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T


class Console(CiscoIosSSH):
    """A terminal that is logged in; read and written by `session.RouterSession` alone."""

    def __init__(self, endpoint: RouterEndpoint) -> None:
        """Log in.

        Raises:
            DsiError: ours, for the host key and for files of ours. Exception: netmiko's and paramiko's.
        """
        self._ssh = ssh_endpoint(endpoint)
        self._old = refused(endpoint)
        self._client: paramiko.SSHClient | None = None
        super().__init__(
            host=endpoint.host,
            port=endpoint.port,
            username=endpoint.user,
            blocking_timeout=endpoint.read_timeout,
            auto_connect=False,
        )
        try:
            self._open()
            transport = self.terminal.get_transport()
            transport.set_keepalive(round(self._ssh.keepalive))
            notice_silence(transport, self._ssh)
            # A command is one small packet that something waits for.
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.hang_up()
            raise

    @property
    def terminal(self) -> Any:
        """Return the channel: bytes in, bytes out."""
        return self.remote_conn

    def _try_session_preparation(self, force_data: bool = True) -> None:  # noqa: FBT001, FBT002  # netmiko's
        """Leave the terminal as it is: the session prepares it without waiting by the clock."""

    def hang_up(self) -> None:
        """Close the connection without a word: what netmiko says good-bye with waits for answers."""
        with suppress(Exception):
            if self._client is not None:
                self._client.close()
        netmiko_log.removeFilter(self._secrets_filter)

    def _build_ssh_client(self) -> paramiko.SSHClient:
        self._client = paramiko.SSHClient()
        trust(self._client, self._ssh)
        return self._client

    def _connect_params_dict(self) -> dict[str, Any]:
        return {
            "hostname": self._ssh.host,
            "port": self._ssh.port,
            "username": self._ssh.user,
            "timeout": self._ssh.connect_timeout,
            **credentials(self._ssh),
            "disabled_algorithms": self._old,
        }


def ssh_endpoint(endpoint: RouterEndpoint) -> SshEndpoint:
    """Return where a router answers as the other SSH connections of the toolkit have it."""
    return SshEndpoint(
        name=endpoint.name,
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        key=endpoint.key,
        known_hosts=endpoint.known_hosts,
        connect_timeout=endpoint.connect_timeout,
    )


def refused(endpoint: RouterEndpoint) -> dict[str, list[str]]:
    """Return the algorithms that are not spoken with a router, by paramiko's names for their kinds.

    Raises:
        UsageError: one that is allowed for it is not known at all.
    """
    allowed = _by_kind(endpoint.algorithms)
    for kind, names in allowed.items():
        for unknown in [name for name in names if name not in _spoken(kind)]:
            raise UsageError(
                T("Nobody speaks the SSH algorithm {algorithm} any more.", algorithm=unknown),
                on=endpoint.name,
                next_step=T("Choose among: {algorithms}.", algorithms=", ".join(OLD[kind])),
            )
    left = {kind: [name for name in OLD[kind] if name not in allowed[kind]] for kind in OLD}
    # A server that signs its own key with SHA-1 takes no better signature of ours.
    return {**left, "pubkeys": left["keys"]}


def _by_kind(algorithms: Algorithms) -> dict[str, tuple[str, ...]]:
    return {
        "kex": algorithms.key_exchange,
        "keys": algorithms.host_keys,
        "ciphers": algorithms.ciphers,
        "macs": algorithms.macs,
    }


def _spoken(kind: str) -> tuple[str, ...]:
    return tuple(getattr(paramiko.Transport, f"_preferred_{kind}"))
