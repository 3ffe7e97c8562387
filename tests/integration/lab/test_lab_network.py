"""The lab's routers are real: what is typed runs, what is saved survives, what is cut is cut, and all can be undone."""

import json
import os
import subprocess
from pathlib import Path

import forking
import pytest
from waiting import wait_for

from dsi_automation.core.errors import DsiError, UsageError


@pytest.fixture
def dsi(network):
    """Return a function that runs `dsi lab ...` on the session's network."""

    def run(*args):
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "DSI_LANG": "en"}
        env |= {"DSI_LAB_DIR": str(network.layout.root.parent)}
        return forking.run([forking.DSI, "lab", *args, "--name", network.layout.name], env=env, cwd="/")

    return run


def ssh(network, router, user, command, stdin=""):
    end = network.endpoint(router)
    options = ["-F", "none", "-i", end.key, "-o", f"UserKnownHostsFile={end.known_hosts}", "-o", "BatchMode=yes"]
    options += ["-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=2"]
    argv = ["ssh", *options, f"{user}@{end.host}", command]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=180)


def join(network, circuit):
    """Configure a circuit and both LANs by hand, as the toolkit is to do it."""
    found = network.routed.circuit(circuit)
    far, near = found.far, found.near
    first, second = list(found.prefix.hosts())
    for here, interface, address, other, via in (
        (far, found.far_interface, first, near, second),
        (near, found.near_interface, second, far, first),
    ):
        lines = [f"interface {interface}", f"ip address {address}/30", "exit"]
        lines += ["interface lan0", f"ip address {here.gateway}/24", "exit", f"ip route {other.lan} {via}"]
        network.configure_by_hand(here.router, lines)
    # FRRouting has taken a route some time before the kernel has it.
    wait_for(lambda: network.ping(far.host, near.host_addresses[0]))


def test_nothing_of_the_routers_job_is_done(fresh_network):
    for router in fresh_network.routed.routers:
        links = fresh_network.routed.wiring.interfaces(router.place)
        assert set(links) == set(router.interfaces)
        assert {name for name, link in links.items() if link["addr_info"]} == {"mgmt0"}
        assert all({"UP", "LOWER_UP"} <= set(link["flags"]) for link in links.values())
        assert "ip route" not in fresh_network.console(router.name, "show running-config")


def test_a_site_reaches_the_server_once_both_ends_are_configured_and_not_while_the_circuit_is_cut(fresh_network):
    assert not fresh_network.ping("lan-spy", fresh_network.server_address)
    join(fresh_network, "spy-abj")
    assert fresh_network.ping("lan-spy", fresh_network.server_address)
    fresh_network.cut("spy-abj")
    for router in ("rtr-spy", "rtr-abj"):
        assert wait_for(lambda name=router: "protocol is down" in fresh_network.console(name, "show interface wan0"))
    assert not fresh_network.ping("lan-spy", fresh_network.server_address)
    fresh_network.mend("spy-abj")
    # Each router brings its route back once it has seen that the line is there.
    assert wait_for(lambda: fresh_network.ping("lan-spy", fresh_network.server_address))


@pytest.mark.parametrize(("port", "greeting"), [(8443, "tcp/8443"), (23, "tcp/23")])
def test_the_server_greets_on_its_ports_through_the_routers(fresh_network, port, greeting):
    join(fresh_network, "spy-abj")
    host = fresh_network.routed.host("lan-spy").namespace
    talk = f"exec 3<>/dev/tcp/{fresh_network.server_address}/{port} && read -r line <&3 && echo $line"
    argv = ["ip", "netns", "exec", host, "timeout", "60", "bash", "-c", talk]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip() == greeting


def test_a_reboot_keeps_what_was_saved_and_nothing_else(fresh_network):
    fresh_network.configure_by_hand("rtr-spy", ["interface lan0", "ip address 10.64.2.1/24"])
    fresh_network.console("rtr-spy", "write memory")
    fresh_network.configure_by_hand("rtr-spy", ["ip route 10.64.0.0/23 10.64.2.10", "interface wan0", "shutdown"])
    fresh_network.run("rtr-spy", "nft", "add table inet dsi")
    fresh_network.reboot("rtr-spy")
    running = fresh_network.console("rtr-spy", "show running-config")
    assert "ip address 10.64.2.1/24" in running
    assert "ip route" not in running
    links = fresh_network.routed.wiring.interfaces(fresh_network.routed.router("rtr-spy").place)
    assert [one["local"] for one in links["lan0"]["addr_info"]] == ["10.64.2.1"]
    assert "UP" in links["wan0"]["flags"]
    assert not fresh_network.run("rtr-spy", "nft", "list ruleset").strip()
    assert "10.64.0.0" not in fresh_network.run("rtr-spy", "ip", "route")


def test_whoever_cuts_the_management_still_has_the_console_and_a_reset_brings_it_back(fresh_network):
    assert ssh(fresh_network, "rtr-bke", "netadmin", "show version").returncode == 0
    fresh_network.configure_by_hand("rtr-bke", ["interface mgmt0", "shutdown"])
    assert ssh(fresh_network, "rtr-bke", "netadmin", "show version").returncode == 255
    assert "rtr-bke" in fresh_network.console("rtr-bke", "show running-config")
    assert fresh_network.reset() == ["rtr-bke"]
    assert ssh(fresh_network, "rtr-bke", "netadmin", "show version").returncode == 0
    assert fresh_network.reset() == []


BY_HAND = "configure terminal", "ip route 10.79.0.0/24 Null0"
CHANGES = {
    "running configuration": ("vtysh", "-c", BY_HAND[0], "-c", BY_HAND[1]),
    "startup configuration": ("sh", "-c", f"echo '{BY_HAND[1]}' >>/etc/frr/frr.conf"),
    "address in the kernel": ("ip", "addr", "add", "10.64.2.1/24", "dev", "lan0"),
    "interface": ("ip", "link", "set", "lan0", "down"),
    "filter": ("nft", "add table inet dsi"),
    "files of the helper": ("sh", "-c", "echo kept >/var/lib/dsi-cc/kept"),
    "daemons": ("sh", "-c", "kill -9 $(cat /run/frr/watchfrr.pid) $(cat /run/frr/zebra.pid)"),
}


@pytest.mark.parametrize("kinds", [list(CHANGES)[:3], list(CHANGES)[3:]], ids=" and ".join)
def test_a_reset_notices_every_kind_of_change_and_leaves_the_others_alone(fresh_network, kinds):
    changed = dict(zip(fresh_network.names, kinds, strict=False))
    for router, kind in changed.items():
        fresh_network.run(router, *CHANGES[kind])
    assert fresh_network.reset() == list(changed)
    assert fresh_network.reset() == []


def test_a_line_the_router_refuses_is_said_and_those_before_it_stay(fresh_network):
    with pytest.raises(DsiError, match="Unknown command"):
        fresh_network.configure_by_hand("rtr-spy", ["ip route 10.79.0.0/24 Null0", "no such line"])
    assert "ip route 10.79.0.0/24 Null0" in fresh_network.console("rtr-spy", "show running-config")


def test_the_second_account_runs_its_script_and_nothing_else(network):
    assert "state=none" in ssh(network, "rtr-spy", "dsi-cc", "status").stdout
    refused = ssh(network, "rtr-spy", "dsi-cc", "cat /etc/shadow")
    assert refused.returncode != 0
    assert "root" not in refused.stdout
    assert ssh(network, "rtr-spy", "root", "status").returncode == 255


def lan_addresses(network, host):
    argv = ["ip", "-n", network.routed.host(host).namespace, "-json", "-4", "address", "show", "dev", "lan0"]
    links = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    return [one["local"] for one in links[0]["addr_info"]]


def test_a_lan_host_is_reached_by_the_controller_and_a_reset_gives_it_its_own_addresses_back(network):
    host = network.routed.host("lan-man")
    end = network.endpoint("rtr-man")
    options = ["-F", "none", "-i", end.key, "-o", f"UserKnownHostsFile={end.known_hosts}", "-o", "BatchMode=yes"]
    borrow = [
        "ssh",
        *options,
        f"root@{host.address}",
        "ip address add 10.64.6.77/24 dev lan0; ip -4 route show default",
    ]
    done = subprocess.run(borrow, capture_output=True, text=True, check=True, timeout=180)
    assert done.stdout.split()[:3] == ["default", "via", "10.64.6.1"]
    assert "10.64.6.77" in lan_addresses(network, "lan-man")
    network.reset()
    assert lan_addresses(network, "lan-man") == ["10.64.6.10", "10.64.6.11", "10.64.6.12"]


def test_the_machines_own_accounts_and_mounts_know_nothing_of_the_routers(network):
    assert "netadmin" not in Path("/etc/passwd").read_text()
    assert str(network.layout.root) not in Path("/proc/self/mountinfo").read_text()
    assert os.uname().nodename != network.run("rtr-spy", "hostname").strip() == "rtr-spy"
    shadow = network.run("rtr-spy", "cat", "/etc/shadow").split()
    assert {line.split(":")[1] for line in shadow} == {"*"}


def test_the_command_line_shows_disturbs_and_puts_back(fresh_network, dsi):
    shown = json.loads(dsi("status", "--json").stdout)
    assert shown["up"] is True
    assert [one["name"] for one in shown["routing"]["routers"]] == fresh_network.names
    assert dsi("network", "cut", "man-bke").returncode == 0
    assert dsi("network", "shut", "rtr-spy", "lan0").returncode == 0
    state = json.loads(dsi("network", "status", "--json").stdout)
    assert [one["name"] for one in state["circuits"] if one["cut"]] == ["man-bke"]
    lan = next(one for one in state["routers"][1]["interfaces"] if one["name"] == "lan0")
    assert lan["up"] is False
    assert "no line" in dsi("network", "status").stdout
    change = "interface lan0", "ip address 10.64.2.1/24", "no shutdown"
    assert dsi("network", "change", "rtr-spy", *change).returncode == 0
    assert "answers" in dsi("network", "ping", "lan-spy", "10.64.2.1").stdout
    assert json.loads(dsi("network", "reset", "--json").stdout) == {"reset": ["rtr-spy"]}


def test_the_console_takes_commands_without_any_network(fresh_network, dsi):
    fresh_network.configure_by_hand("rtr-spy", ["interface mgmt0", "shutdown"])
    done = dsi("console", "rtr-spy", "--command", "show interface brief")
    assert done.returncode == 0, done.stderr
    assert "mgmt0           down" in done.stdout
    wrong = dsi("console", "rtr-nowhere", "--command", "show version")
    assert wrong.returncode == 2
    assert "rtr-spy" in wrong.stderr


def test_orders_about_what_is_not_there_name_what_is(network, dsi):
    assert "spy-abj" in dsi("network", "cut", "nowhere").stderr
    assert "wan0" in dsi("network", "shut", "rtr-spy", "wan7").stderr
    assert "--without-domain" in dsi("m365", "status").stderr
    with pytest.raises(UsageError, match="rtr-man"):
        network.routed.router("lan-man")
