"""A router that hangs up, or never speaks SSH, is told once, by our error: no library prints a traceback as well."""

import logging
import socket
import threading

import pytest

from dsi_automation.connectors.routers.opening import open_router
from dsi_automation.connectors.routers.port import Platform, RouterEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UnreachableError


@pytest.fixture
def deaf():
    """Return a port where whoever connects is hung up on."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize("platform", list(Platform))
def test_a_router_that_hangs_up_leaves_nothing_but_our_error(deaf, platform, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(logging.root, "handlers", [])  # as on the terminal: pytest has one of its own
    (tmp_path / "known_hosts").touch()
    endpoint = RouterEndpoint(
        name="rtr", platform=platform, host="127.0.0.1", port=deaf, user="netadmin", password=None, key=None,
        known_hosts=str(tmp_path / "known_hosts"), connect_timeout=5.0,
    )  # fmt: skip
    router = open_router(endpoint, SystemClock(), None, "rtr")
    with pytest.raises(UnreachableError):
        router.running()
    router.close()
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert printed.out == ""
