"""A lab with servers comes and goes as one without: a killed start is finished or cleared, and nothing is left."""

import pytest
from lab_lives import start_and_die, traces

from dsi_automation.lab.database import DECLARATIONS
from dsi_automation.lab.processes import pids_in
from dsi_automation.lab.tomcat import ServerFault


@pytest.mark.parametrize("moment", ["lab.servers.started", "lab.servers.done", "lab.application.done"])
def test_a_start_killed_while_servers_are_made_leaves_nothing_after_down(fresh, moment):
    start_and_die(fresh, moment, application=True)
    assert fresh.down()
    assert traces(fresh) == []


def test_a_start_killed_is_finished_by_the_next_and_a_disk_that_is_in_goes_with_the_lab(fresh, servers):
    for moment in ("lab.servers.done", "lab.answering.started"):
        start_and_die(fresh, moment, application=True)
    fresh.up(0, application=True)
    # Beside another lab that has the same servers, with another disk in.
    assert fresh.facilities.database.sql("SELECT count(*) FROM declarations;") == str(DECLARATIONS)
    assert fresh.up(0).changed is False
    assert fresh.has_servers
    assert fresh.has_application
    fresh.facilities.application.server("app1").fault(ServerFault.HANGS_ON_STOP)
    servers.facilities.disks.insert("disque-02")
    fresh.facilities.disks.insert("disque-01")
    (fresh.layout.disk_mount / "set").write_text("a set")
    assert fresh.down()
    assert traces(fresh) == []
    assert pids_in(fresh.layout.ws_namespace) == []
    assert servers.facilities.disks.inserted().name == "disque-02"
    servers.facilities.disks.reset()
    assert servers.is_up()
