"""A Cisco router, emulated, under the whole of the toolkit: configured, checked, copied, opened and closed by `dsi`.

Its commands and its order are what this shows; see what the emulator cannot prove.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from fix_ios import PASSWORD, USER
from fix_office import SECTION_HEAD, Office
from fix_routed_office import RSSI
from waiting import wait_for

ROUTER, LIST = "rtr-spy", "DSI-LAN-IN"
NETWORK = {
    "headquarters": "SPY",
    "ranges": ["10.64.0.0/12"],
    "sites": {"SPY": {"range": "10.64.8.0/23", "lan": "10.64.8.0/24"}},
    "services": {"sydam": "tcp/8443"},
    "servers": {"srv-siege": "10.64.0.5"},
    "access": {"denied": [{"service": "tcp/23", "why": "Telnet"}]},
    "rollout": {"timer": "60s", "verify_within": "2s"},
}
ALLOW = (
    "access", "allow", "--from", "10.64.8.16/29", "--to", "srv-siege", "--service", "sydam", "--until", "+1d",
    "--why", "Déclarants", "--reference", "N-1", "--for", "B. Kone", "--unproven",
)  # fmt: skip


class Paper:
    """A lab of which only the papers exist: its people, their keys and rules."""

    def __init__(self, layout):
        self.layout = layout


@pytest.fixture
def cisco(emulate, network, tmp_path):
    """An office with one Cisco router."""
    router = emulate()
    office = Office(Paper(network.layout), tmp_path)
    office.router = router
    secret = tmp_path / "netadmin"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    host = {
        "ansible_host": "127.0.0.1", "ansible_port": router.server.port, "ansible_connection": "ssh",
        "dsi_credential": "routers", "dsi_ssh_known_hosts": router.endpoint.known_hosts, "dsi_site": "SPY",
        "dsi_router": {
            "platform": "ios", "lan": "GigabitEthernet0/1", "read_timeout": "20s",
            "management": {"interface": "GigabitEthernet0/0", "sources": ["198.18.0.1/32"]},
        },
    }  # fmt: skip
    (office.inventory / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"children": {"routers": {"hosts": {ROUTER: host}}}}})
    )
    credential = {"user": USER, "password": {"file": str(secret)}}
    office.edit("group_vars/all.yml", lambda held: held.update(
        dsi_network=NETWORK, dsi_links={}, dsi_credentials={**held.get("dsi_credentials", {}), "routers": credential},
    ))  # fmt: skip
    (office.inventory / "schedules.yml").unlink()
    return office


def agreed(office, *words, by=SECTION_HEAD):
    asked = office.dsi(*words, "--json")
    assert asked.code == 0, asked
    said = office.dsi("approve", asked.json["id"], "--comment", "Vu", person=by)
    assert said.code == 0, said
    return asked.json["id"]


def typed(office):
    """Return the commands that change something, in order."""
    seen = ("show", "terminal", "more", "dir", "ping")
    return [line for line in office.router.device.log if not line.startswith(seen)]


def test_a_cisco_router_is_configured_opened_closed_checked_and_copied_and_a_second_time_nothing(cisco):
    device = cisco.router.device
    device.running.lists.pop(LIST)
    said = cisco.run(agreed(cisco, "router", "configure", "--reason", "Ouverture"))
    assert said.code == 0, said
    order = [line for line in typed(cisco) if line.startswith(("copy", "configure", "write"))]
    name = said.json["id"]
    assert order == [f"copy running-config flash:dsi-dsi-{name}.cfg", "configure terminal revert timer 1",
                     "configure terminal", "configure confirm", "write memory"]  # fmt: skip
    assert device.startup.text() == device.running.text()
    configured = device.running.text()
    assert cisco.dsi("router", "configure", "--json").json["actions"] == []
    assert cisco.dsi("router", "check", "--json").code == 0

    assert cisco.run(agreed(cisco, *ALLOW, by=RSSI)).code == 0
    # The LAN was bound to a list that is not there: a second one was made whole before it was bound.
    assert "permit tcp 10.64.8.16 0.0.0.7 host 10.64.0.5 eq 8443" in device.running.lists[f"{LIST}-B"].values()
    (access,) = cisco.dsi("access", "list", "--json").json["accesses"]
    assert access["state"] == "ending"
    assert cisco.run(agreed(cisco, "access", "revoke", access["id"], "--why", "Fini", by=RSSI)).code == 0
    assert device.running.text() == device.startup.text() == configured

    device.running.top.append("ip route 10.65.0.0 255.255.0.0 198.18.0.9")
    assert cisco.dsi("router", "check", "--json").code == 5
    copied = cisco.run(agreed(cisco, "router", "backup", "--reason", "Copie"))
    assert copied.code == 0, copied
    repository = ["git", "-C", cisco.state / "configurations"]
    shown = subprocess.run([*repository, "show", f"main:{ROUTER}.cfg"], capture_output=True, text=True, check=True)
    assert "ip route 10.65.0.0 255.255.0.0 198.18.0.9" in shown.stdout
    assert not any(PASSWORD in said for said in cisco.said)
    cisco.assert_whole()


def test_a_cisco_router_that_a_line_cuts_off_comes_back_by_itself_and_nothing_is_confirmed(cisco):
    device = cisco.router.device
    device.running.lists[LIST].pop(9000)
    before = device.running.text()
    request = agreed(cisco, "router", "configure", "--reason", "Essai")
    planned = cisco.dsi("router", "configure", "--json").json["actions"][0]["args"]["lines"]
    lines = [line.strip() for line in planned]
    device.faults.cut_by = lines[1]
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(cisco.run, request)
        wait_for(lambda: not device.passable.is_set() or running.done())
        device.fire()
        said = running.result()
    assert said.code == 6, said
    assert device.running.text() == before
    assert "minuterie" in said.json["errors"][ROUTER]["meaning"], said
    assert "configure confirm" not in typed(cisco)
