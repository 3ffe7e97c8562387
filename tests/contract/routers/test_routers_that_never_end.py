"""A router that logs one in and then says a byte now and then, for ever: no driver waits for it for ever."""

import socket
import threading
from contextlib import suppress

import paramiko
import pytest

from dsi_automation.connectors.routers.opening import open_router
from dsi_automation.connectors.routers.port import Platform, RouterEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.secrets import Secret

BETWEEN = 0.05
"""Seconds between two bytes: less than the time-out, so that none of them is ever late."""


class Dripping(paramiko.ServerInterface):
    """Lets everybody in, takes any command."""

    def __init__(self, stop):
        self.stop = stop

    def check_auth_none(self, username):
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, *_):
        return True

    def check_channel_shell_request(self, channel):
        threading.Thread(target=self._drip, args=[channel], daemon=True).start()
        return True

    def check_channel_exec_request(self, channel, command):
        return self.check_channel_shell_request(channel)

    def _drip(self, channel):
        with suppress(OSError):
            while not self.stop.wait(BETWEEN):
                channel.sendall(b".")


@pytest.fixture
def dripping(tmp_path):
    """The port of such a router, and the file with its host key."""
    stop, key = threading.Event(), paramiko.ECDSAKey.generate()
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    opened = []

    def serve():
        with suppress(OSError):
            while True:
                transport = paramiko.Transport(listening.accept()[0])
                opened.append(transport)
                transport.add_server_key(key)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(server=Dripping(stop))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield port, known
    stop.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()
    for transport in opened:
        transport.close()


@pytest.mark.parametrize("platform", list(Platform))
def test_a_router_that_talks_for_ever_is_given_up(dripping, platform, tmp_path):
    port, known = dripping
    key = tmp_path / "key"
    paramiko.ECDSAKey.generate().write_private_key_file(str(key))
    endpoint = RouterEndpoint(
        "r1", platform, "127.0.0.1", port, password=Secret("x"), key=str(key), known_hosts=str(known), read_timeout=0.2
    )
    with pytest.raises(UnreachableError):
        open_router(endpoint, SystemClock(), None, "r1").running()
