"""How a machine is logged in to: its host key is compared before anything is sent, and foreign errors translated."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.ssh.errors import HostKeyError, LoginRefusedError
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.errors import DsiError, UnreachableError, UsageError
from dsi_automation.core.text import T

SILENCE: Final = 3
"""Keepalives without an answer before the connection counts as broken."""
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
"""What paramiko 4 still offers and is never spoken here, unless an old router is allowed to: SHA-1, MD5, CBC."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection that is logged in."""

    connection: Any
    transport: Any

    @property
    def alive(self) -> bool:
        """Tell whether the connection still stands, as far as is known."""
        return bool(self.transport.is_active())

    def channel(self, timeout: float) -> Any:
        """Open a channel for one program."""
        return self.transport.open_session(timeout=timeout)

    def close(self) -> None:
        """Close the connection."""
        with suppress(Exception):
            self.connection.close()


def connect(endpoint: SshEndpoint) -> Connected:
    """Log in.

    Raises:
        UnreachableError: the machine does not answer. HostKeyError: its key is unknown or another one.
        LoginRefusedError: it lets nobody in with this key or password. UsageError: a file of ours cannot be read.
    """
    import fabric
    import paramiko

    connection = fabric.Connection(
        endpoint.host,
        user=endpoint.user,
        port=endpoint.port,
        connect_timeout=endpoint.connect_timeout,
        connect_kwargs=credentials(endpoint),
        # The inventory says how a machine is reached; a person's own ~/.ssh/config does not change it.
        config=fabric.Config(overrides={"load_ssh_configs": False}),
    )
    try:
        trust(connection.client, endpoint)
        connection.open()
        transport = connection.client.get_transport()
        transport.set_keepalive(round(endpoint.keepalive))
        notice_silence(transport, endpoint)
    except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
        connection.close()
        raise translated(endpoint, error) from error
    except DsiError:
        connection.close()
        raise
    return Connected(connection, transport)


def credentials(endpoint: SshEndpoint) -> dict[str, Any]:
    """Return what paramiko logs in with; its only secret is the password.

    Raises:
        UsageError: the key is not there.
    """
    given = endpoint.key is not None or endpoint.password is not None
    kwargs: dict[str, Any] = {
        "banner_timeout": endpoint.connect_timeout,
        "auth_timeout": endpoint.connect_timeout,
        "channel_timeout": endpoint.connect_timeout,
        "disabled_algorithms": {**OLD, "pubkeys": OLD["keys"]},
        "transport_factory": _transports(endpoint),
        # With a key or a password named, no other is offered: servers count tries.
        "allow_agent": not given,
        "look_for_keys": not given,
    }
    if endpoint.key is not None:
        if not Path(endpoint.key).is_file():
            raise UsageError(
                T("The SSH key {path} for {host} is not there.", path=endpoint.key, host=endpoint.name),
                on=endpoint.name,
                next_step=T("See ansible_ssh_private_key_file in the inventory."),
            )
        kwargs["key_filename"] = endpoint.key
    if endpoint.password is not None:
        kwargs["password"] = endpoint.password.reveal()
    return kwargs


def _transports(endpoint: SshEndpoint) -> Any:
    """Return what makes connections that ask for the host key that is known, where a machine has several."""
    import paramiko

    known = _known_kinds(endpoint)

    class Known(paramiko.Transport):  # type: ignore[misc]  # paramiko publishes no types
        @property
        def preferred_keys(self) -> tuple[str, ...]:
            return tuple(sorted(super().preferred_keys, key=lambda kind: kind not in known))

    return Known


def _known_kinds(endpoint: SshEndpoint) -> set[str]:
    try:
        kinds = set(_known_keys(endpoint, endpoint.known_hosts or str(Path.home() / ".ssh" / "known_hosts")))
    except (OSError, ValueError):
        return set()  # `trust` reads it as well, and says what is wrong with it
    # One key, three ways to sign with it (RFC 8332).
    return kinds | {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in kinds else kinds


def _known_keys(endpoint: SshEndpoint, file: str) -> dict[str, Any]:
    """Return the host keys a file has for a machine, the first of each kind, and look at no line of another machine.

    paramiko would make a key of every line and compare each with all before it: with hundreds of machines in the file,
    that costs more than the login.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    import paramiko

    name = _known_as(endpoint)
    found: dict[str, Any] = {}
    for number, line in enumerate(Path(file).read_text().splitlines(), 1):
        # Names are hashed with a salt of each line's own (`HashKnownHosts`, ssh_config(5)).
        if line.startswith("#") or (name not in line and not line.startswith("|1|")):
            continue
        try:
            entry = paramiko.hostkeys.HostKeyEntry.from_line(line.strip(), number)
        except (paramiko.SSHException, paramiko.hostkeys.InvalidHostKey):
            continue  # no key: a machine that has no other one is unknown, and refused
        if entry is not None and any(_is_named(name, known) for known in entry.hostnames):
            found.setdefault(entry.key.get_name(), entry.key)
    return found


def _is_named(name: str, known: str) -> bool:
    import paramiko

    return known == name or (known.startswith("|1|") and paramiko.HostKeys.hash_host(name, known) == known)


def _known_as(endpoint: SshEndpoint) -> str:
    return endpoint.host if endpoint.port == 22 else f"[{endpoint.host}]:{endpoint.port}"


def trust(client: Any, endpoint: SshEndpoint) -> None:
    """Have a client of paramiko take the host keys of the inventory's file and no other.

    Raises:
        UsageError: the file cannot be read.
    """
    import paramiko

    _keep_quiet()

    class Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko publishes no types
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:  # noqa: ARG002  # paramiko's
            raise _unknown_key(endpoint, key)

    # fabric would take any key the first time.
    client.set_missing_host_key_policy(Refuse())
    if endpoint.known_hosts is None:
        client.load_system_host_keys()
        with suppress(OSError):
            client.load_system_host_keys("/etc/ssh/ssh_known_hosts")
        return
    try:
        keys = _known_keys(endpoint, endpoint.known_hosts)
    except (OSError, ValueError) as error:
        raise UsageError(
            T("The file of host keys {path} cannot be read.", path=endpoint.known_hosts),
            on=endpoint.name,
            next_step=T("See dsi_ssh_known_hosts in the inventory."),
        ) from error
    for kind, key in keys.items():
        client.get_host_keys().add(_known_as(endpoint), kind, key)


def _keep_quiet() -> None:
    """Keep what paramiko logs off the terminal: without a handler, Python prints its errors there, tracebacks and all.

    What is wrong is told once, by our error; who sets logging up still gets all of it.
    """
    logger = logging.getLogger("paramiko")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def notice_silence(transport: Any, endpoint: SshEndpoint) -> None:
    """Have the connection break when the machine acknowledges nothing any more."""
    # Keepalives are sent, but only the kernel notices that nothing acknowledges them (tcp(7)).
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        with suppress(OSError):
            transport.sock.setsockopt(socket.IPPROTO_TCP, option, round(endpoint.keepalive * SILENCE * 1000))


def _unknown_key(endpoint: SshEndpoint, key: Any) -> HostKeyError:
    place, name = endpoint.known_hosts or "~/.ssh/known_hosts", _known_as(endpoint)
    return HostKeyError(
        T("The host key of {host} is unknown: {kind} {fingerprint}.", host=endpoint.name, kind=key.get_name(),
          fingerprint=fingerprint(key)),
        on=endpoint.name,
        meaning=T("It may be the machine, or another one in its place: nothing was sent to it."),
        next_step=T(
            "On the machine's own console, compare with: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. If it is "
            "the same, add this line to {path}: {line}",
            path=place,
            line=f"{name} {key.get_name()} {key.get_base64()}",
        ),
        detail={"fingerprint": fingerprint(key)},
    )  # fmt: skip


def fingerprint(key: Any) -> str:
    """Return a host key's fingerprint as OpenSSH prints it: `SHA256:...`."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def translated(endpoint: SshEndpoint, error: Exception) -> DsiError:
    """Return our error for one that paramiko raised while it connected."""
    import paramiko

    if isinstance(error, paramiko.BadHostKeyException):
        return HostKeyError(
            T("{host} shows another host key than the one known: {fingerprint}.", host=endpoint.name,
              fingerprint=fingerprint(error.key)),
            on=endpoint.name,
            meaning=T("The machine was installed anew, or another one answers in its place: nothing was sent to it."),
            next_step=T(
                "Ask who looks after it. Only when the new key was compared on the machine's own console, replace "
                "its line in {path}.",
                path=endpoint.known_hosts or "~/.ssh/known_hosts",
            ),
            detail={"expected": fingerprint(error.expected_key), "shown": fingerprint(error.key)},
        )  # fmt: skip
    if isinstance(error, paramiko.AuthenticationException | paramiko.PasswordRequiredException):
        return LoginRefusedError(
            T("{host} does not let {user} in with this key or password.", host=endpoint.name, user=endpoint.user),
            on=endpoint.name,
            next_step=T("See that the key's public half is in the account's authorized_keys, and that it may log in."),
        )
    return UnreachableError(
        T("{host} does not answer over SSH ({address}).", host=endpoint.name,
          address=f"{endpoint.host}:{endpoint.port}"),
        on=endpoint.name,
        next_step=T("See that it is switched on, that sshd runs there and that the network lets it through."),
        detail={"reason": str(error)[:300]},
    )  # fmt: skip
