"""How a router is logged in to: known host keys only, today's algorithms unless the inventory allows others."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from fix_ios import Emulated
from fix_sshd import new_sshd

from dsi_automation.connectors.routers.console import ssh_endpoint
from dsi_automation.connectors.routers.port import Algorithms, Platform, RouterEndpoint
from dsi_automation.connectors.routers.session import RouterSession
from dsi_automation.connectors.routers.session_errors import AlgorithmsError, PrivilegeError
from dsi_automation.connectors.ssh.client import SshShell
from dsi_automation.connectors.ssh.errors import HostKeyError, LoginRefusedError
from dsi_automation.connectors.ssh.port import Program
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.secrets import Secret

SHA1 = Algorithms(
    key_exchange=("diffie-hellman-group14-sha1",), host_keys=("ssh-rsa",), ciphers=("aes128-cbc",), macs=("hmac-sha1",)
)
OLD_SSHD = (
    "KexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-rsa\nCiphers aes128-cbc\nMACs hmac-sha1\n"
    "PubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519\n"
)


@pytest.fixture(scope="module")
def old_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RouterEndpoint]:
    """Run a real OpenSSH that speaks SHA-1 and CBC only, as old routers do."""
    folder = tmp_path_factory.mktemp("old-sshd")
    with _sshd(folder, OLD_SSHD) as endpoint:
        yield endpoint


@contextlib.contextmanager
def _sshd(folder: Path, settings: str) -> Iterator[RouterEndpoint]:
    """Run an sshd with an RSA host key, the one that is known; who logs in gets a router's prompt."""
    terminal = folder / "terminal"
    terminal.write_text("#!/bin/sh\nprintf 'old-rtr#'\nwhile read -r line; do printf 'old-rtr#'; done\n")
    terminal.chmod(0o755)
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(folder / "rsa")], check=True)
    with new_sshd(settings=f"HostKey {folder}/rsa\n{settings}ForceCommand {terminal}\n") as server:
        public = (folder / "rsa.pub").read_text()
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{server.port} {public}")
        yield RouterEndpoint(
            "old-rtr", Platform.FRR, "127.0.0.1", server.port, server.user, key=str(server.key),
            known_hosts=str(known), read_timeout=10.0,
        )  # fmt: skip


def session(endpoint: RouterEndpoint, **changes: object) -> contextlib.closing[RouterSession]:
    return contextlib.closing(RouterSession(replace(endpoint, **changes), SystemClock()))  # type: ignore[arg-type]


def test_old_algorithms_are_refused_and_the_inventory_is_named(old_sshd: RouterEndpoint) -> None:
    with session(old_sshd) as opened, pytest.raises(AlgorithmsError, match="legacy"):
        opened.connect()


@pytest.mark.parametrize("without", ["key_exchange", "host_keys", "ciphers"])
def test_each_kind_of_old_algorithm_is_allowed_by_itself(old_sshd: RouterEndpoint, without: str) -> None:
    allowed = replace(SHA1, **{without: ()})
    with session(old_sshd, algorithms=allowed) as opened, pytest.raises(AlgorithmsError):
        opened.connect()


def test_old_algorithms_are_spoken_with_the_host_they_are_allowed_for(old_sshd: RouterEndpoint) -> None:
    with session(old_sshd, algorithms=SHA1) as opened:
        opened.connect()
        assert opened.connected


def test_machines_that_are_no_routers_are_not_spoken_to_with_old_algorithms(old_sshd: RouterEndpoint) -> None:
    shell = SshShell(ssh_endpoint(old_sshd))
    with contextlib.closing(shell), pytest.raises(UnreachableError) as refused:
        shell.run(Program(["true"]))
    assert "acceptable" in refused.value.detail["reason"]


def test_an_algorithm_nobody_knows_is_an_error_of_the_inventory(old_sshd: RouterEndpoint) -> None:
    unknown = Algorithms(ciphers=("rot13",))
    with session(old_sshd, algorithms=unknown) as opened, pytest.raises(UsageError, match="rot13"):
        opened.connect()


def test_of_two_host_keys_the_known_one_is_asked_for_and_proven_without_sha_1(tmp_path: Path) -> None:
    # The other one, Ed25519, would be preferred.
    with _sshd(tmp_path, "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512\n") as endpoint, session(endpoint) as opened:
        opened.connect()
        assert opened.connected


def test_an_unknown_host_key_is_refused_with_its_fingerprint(emulated: Emulated, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(HostKeyError, match="SHA256:"):
        emulated.driver(known_hosts=str(empty)).running()
    assert emulated.device.log == []


@pytest.mark.parametrize("kind", ["same", "other"])
def test_another_host_key_than_the_known_one_is_refused(emulated: Emulated, tmp_path: Path, kind: str) -> None:
    key = paramiko.ECDSAKey.generate() if kind == "same" else paramiko.RSAKey.generate(2048)
    changed = tmp_path / "changed"
    changed.write_text(f"[127.0.0.1]:{emulated.server.port} {key.get_name()} {key.get_base64()}\n")
    with pytest.raises(HostKeyError):
        emulated.driver(known_hosts=str(changed)).running()
    assert emulated.device.log == []


def test_a_wrong_password_is_a_login_refused_and_shown_nowhere(emulated: Emulated) -> None:
    with pytest.raises(LoginRefusedError) as refused:
        emulated.driver(password=Secret("not-the-password-9")).running()
    assert "not-the-password-9" not in f"{refused.value} {refused.value!r} {refused.value.to_json()}"
    assert "not-the-password-9" not in repr(refused.value.__cause__)


def test_a_login_without_privilege_is_told_at_once(emulated: Emulated) -> None:
    emulated.device.faults.privilege = 1
    with pytest.raises(PrivilegeError, match="15"):
        emulated.driver().running()


def test_a_port_nobody_listens_on_is_unreachable(emulated: Emulated) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError):
            emulated.driver(port=taken.getsockname()[1]).running()


def test_a_server_that_never_speaks_is_given_up_in_time(emulated: Emulated) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(UnreachableError):
        emulated.driver(port=silent.getsockname()[1], connect_timeout=0.3).running()


def test_a_session_that_was_closed_is_opened_again(emulated: Emulated) -> None:
    router = emulated.driver()
    first = router.running()
    router.close()
    assert router.running() == first
    assert emulated.device.log.count("terminal length 0") == 2
