"""A Windows service behind the simulator's WS-Management, driven on the wire as `WindowsServer` promises."""

import socket
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from application_daemon import Daemon
from fix_winsim import WINSIM_ADMIN, WINSIM_PASSWORD, winsim_workstation
from waiting import wait_for

from dsi_automation.connectors.applications.errors import NotStartedError, StillRunningError
from dsi_automation.connectors.applications.port import ServiceKind, ServiceState
from dsi_automation.connectors.applications.windows import open_windows_server
from dsi_automation.connectors.windows.port import WindowsEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import GateClosedError, RefusedError, UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.windows.spec import Service


class Permit:
    def __init__(self):
        self.asked = []

    def check(self, target: str) -> None:
        self.asked.append(target)


@pytest.fixture
def tomcat(winsim, tmp_path):
    """Return a function that opens the server `Tomcat10` of a machine of its own, and the permit that is asked."""
    settings = Daemon(tmp_path / "unused").settings
    permit = Permit()

    @contextmanager
    def opened(service=None, allowed=True, **changes):
        given = Service(name="Tomcat10", **{"start_seconds": 0.3, "stop_seconds": 0.3, **(service or {})})
        spec = winsim_workstation(services=[given])
        port = urlsplit(winsim(spec).url(spec.key)).port
        endpoint = WindowsEndpoint("srv1", spec.address, port=port, user=WINSIM_ADMIN, password=Secret(WINSIM_PASSWORD))
        one = settings(**{"kind": ServiceKind.WINDOWS, "unit": "Tomcat10", **changes})
        with open_windows_server(one, endpoint, SystemClock(), permit if allowed else None, "sydam") as server:
            yield server

    opened.permit = permit
    return opened


@contextmanager
def _listening(port):
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_service_is_stopped_and_started_and_both_are_waited_for(tomcat):
    with tomcat() as server:
        assert server.look().service is ServiceState.RUNNING
        assert server.stop().seconds >= 0.3
        assert server.look().down
        assert server.stop().seconds == 0
        held = []

        def opens() -> None:
            held.append(held or socket.create_server(("127.0.0.1", server._settings.port)))

        started = server.start(opens)
        seen = server.look()
        assert (seen.up, abs(seen.clock_offset) < 5, started.seconds > 0) == (True, True, True)
        assert server.start().seconds == 0
        held[0].close()
    assert set(tomcat.permit.asked) == {"sydam"}


def test_a_service_that_stops_on_paper_and_whose_port_stays_open_is_left_to_a_person(tomcat):
    with tomcat(stop_within=0.5) as server, _listening(server._settings.port):
        with pytest.raises(StillRunningError):
            server.stop()
        wait_for(lambda: server.look().service is ServiceState.STOPPED)
        with pytest.raises(NotStartedError):
            server.start()


def test_a_stop_that_takes_too_long_is_told(tomcat):
    with tomcat({"stop_seconds": 60.0}, stop_within=0.3) as server, pytest.raises(StillRunningError, match="Pending"):
        server.stop()


def test_a_port_that_does_not_answer_in_time_is_told(tomcat):
    with tomcat({"running": False}, start_within=0.5) as server, pytest.raises(NotStartedError):
        server.start()


def test_a_disabled_service_is_told_by_the_code_windows_gives(tomcat):
    with tomcat({"start_mode": "Disabled"}) as server, pytest.raises(RefusedError, match="disabled") as raised:
        server.start()
    assert raised.value.detail["code"] == 14


def test_what_is_not_done_on_windows_is_refused(tomcat, tmp_path):
    with tomcat(caches=("/c/cache",)) as server:
        for refused in (
            server.empty_caches,
            lambda: server.put_release("1.0", tmp_path, "0"),
            lambda: server.use_release("1.0"),
            lambda: server.drop_releases(()),
            lambda: server.run_check(["whoami"], 5),
        ):
            with pytest.raises(RefusedError, match="Windows servers"):
                refused()
        assert server.log_tail() == ()


def test_nothing_is_written_without_a_permit_and_an_unknown_service_is_told(tomcat):
    with tomcat(allowed=False) as server:
        for write in (server.stop, server.start, server.empty_caches):
            with pytest.raises(GateClosedError):
                write()
    with tomcat(unit="NoSuch") as server, pytest.raises(UsageError, match="NoSuch"):
        server.look()
