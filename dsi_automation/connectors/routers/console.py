"""The SSH terminal of a router: netmiko's connection, with strict host keys and today's algorithms only."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Final

import paramiko
from netmiko import log as netmiko_log
from netmiko.cisco.cisco_ios import CiscoIosSSH

from dsi_automation.connectors.routers.port import Algorithms, RouterEndpoint
from dsi_automation.connectors.ssh.connecting import credentials, notice_silence, trust
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

OLD: Final = {
    "kex": (
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
    ),
    "keys": ("ssh-rsa",),
    "ciphers": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"),
    "macs": ("hmac-sha1", "hmac-md5", "hmac-sha1-96", "hmac-md5-96"),
}
"""What paramiko 4 still speaks and OpenSSH no longer offers by itself (release notes 7.0 to 8.8), except HMAC-SHA-1."""


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
            "disabled_algorithms": self._old,
            "transport_factory": self._transport,
            **credentials(self._ssh),
        }

    def _transport(self, *args: Any, **kwargs: Any) -> paramiko.Transport:
        known = self._known_kinds()

        class Known(paramiko.Transport):  # type: ignore[misc]  # paramiko publishes no types
            @property
            def preferred_keys(self) -> tuple[str, ...]:
                # Of several host keys the one is asked for that can be compared.
                return tuple(sorted(super().preferred_keys, key=lambda kind: kind not in known))

        return Known(*args, **kwargs)

    def _known_kinds(self) -> set[str]:
        if self._ssh.known_hosts is None:
            return set()
        host, port = self._ssh.host, self._ssh.port
        keys = paramiko.HostKeys(self._ssh.known_hosts).lookup(host if port == 22 else f"[{host}]:{port}")
        kinds = set(keys or ())
        return kinds | {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in kinds else kinds


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
