"""The filter of a Linux router, held against connections through it: what it lets through, and until when."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from fix_routed_office import TIME_IS_OVER
from routerbench import FAR
from waiting import soon_after, wait_for

from dsi_automation.connectors.routers import probing
from dsi_automation.connectors.routers.helper import Helper, HelperRefusedError
from dsi_automation.connectors.routers.nftables import script
from dsi_automation.connectors.routers.port import LineRefusedError, NothingPendingError, TimerState
from dsi_automation.connectors.routers.probe import Tried
from dsi_automation.connectors.routers.probing import ProbeError, ProbeSettings, ShellProbe
from dsi_automation.connectors.ssh.client import SshShell
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import RefusedError

SERVER, LAN = "10.64.0.20", "10.64.2.0/24"
RULE = "rule ac-k7m2qx 10.64.2.8/29 10.64.0.20/32 tcp/8443 until 2036-12-31T23:59:59Z"
BASE = ["inside lan0", f"lan {LAN}", "management 198.18.0.1/32", "internal 10.64.0.0/12", "deny any tcp/23"]
WIRED = {
    "rtr-abj": ["interface wan0", "ip address 10.64.3.2/30", "interface lan0", "ip address 10.64.0.1/24", "exit",
                "ip route 10.64.2.0/23 10.64.3.1"],
    "rtr-spy": ["interface wan0", "ip address 10.64.3.1/30", "interface lan0", "ip address 10.64.2.1/24", "exit",
                "ip route 10.64.0.0/12 10.64.3.2"],
}  # fmt: skip


@pytest.fixture
def wired(real):
    """Headquarters and one site joined by hand, without a filter."""
    for name, lines in WIRED.items():
        real.by_hand(*lines, name=name)
    wait_for(lambda: real.network.ping("lan-spy", SERVER))
    return real


@pytest.fixture
def probe(wired):
    """The site's LAN host: owns .10 to .12, may borrow."""
    routed = wired.network.routed
    host = routed.host("lan-spy")
    endpoint = SshEndpoint("lan-spy", host.address, user="root", known_hosts=str(routed.known_hosts),
                           key=str(wired.network.layout.ssh_dir / "controller"))  # fmt: skip
    shell = SshShell(endpoint)
    addresses = tuple(f"10.64.2.{number}" for number in (10, 11, 12))
    yield ShellProbe(ProbeSettings("lan-spy", "lan0", addresses, borrow=True), shell)
    shell.close()


def _section(*lines):
    return ["filter DSI-LAN-IN", *(f" {line}" for line in lines), "exit"]


def _changed(bench, *lines):
    """Push lines under a timer, and confirm."""
    with bench.open() as router:
        router.arm(60)
        router.push(lines)
        router.close()
        router.confirm()
        return router.running().sections.get("filter DSI-LAN-IN")


def test_an_access_opens_its_service_for_its_addresses_and_nothing_else(wired, probe):
    assert probe.connect("10.64.2.10", SERVER, 8443) is Tried.OPEN
    _changed(wired, *_section(*BASE))
    assert probe.connect("10.64.2.10", SERVER, 8443, timeout=0.5) is Tried.BLOCKED
    found = _changed(wired, *_section(RULE))
    assert found == (*BASE, RULE)
    assert probe.connect("10.64.2.10", SERVER, 8443) is Tried.OPEN
    assert probe.connect("10.64.2.10", SERVER, 443, timeout=0.5) is Tried.BLOCKED
    assert probe.connect("10.64.2.16", SERVER, 8443, timeout=0.5) is Tried.BLOCKED
    assert wired.network.ping("srv-siege", "10.64.2.10")
    _changed(wired, *_section("no rule ac-k7m2qx"))
    assert probe.connect("10.64.2.10", SERVER, 8443, timeout=0.5) is Tried.BLOCKED
    _changed(wired, "no filter DSI-LAN-IN")
    assert probe.connect("10.64.2.10", SERVER, 443) is Tried.OPEN
    assert probe.connect("10.64.2.10", SERVER, 9) is Tried.REFUSED


def test_what_is_denied_stays_so_whatever_is_allowed(wired, probe):
    _changed(wired, *_section(*BASE, RULE.replace("tcp/8443", "tcp/1-65535")))
    assert probe.connect("10.64.2.10", SERVER, 80) is Tried.OPEN
    assert probe.connect("10.64.2.10", SERVER, 23, timeout=0.5) is Tried.BLOCKED


def test_an_access_to_the_internet_opens_nothing_of_the_department(wired, probe):
    _changed(wired, *_section(*BASE, "rule ac-aaaaaa 10.64.2.0/24 internet tcp/1-65535 until 2036-12-31T23:59:59Z"))
    assert probe.connect("10.64.2.10", SERVER, 443, timeout=0.5) is Tried.BLOCKED
    _changed(wired, *_section("no internal 10.64.0.0/12", "internal 10.64.2.0/23"))
    assert probe.connect("10.64.2.10", SERVER, 443) is Tried.OPEN


@pytest.mark.parametrize("how", ["revoked", "over"])
def test_an_access_that_ends_takes_the_connections_with_it_that_use_it(wired, how):
    began = time.monotonic()
    _changed(wired, *_section(*BASE))
    rule = RULE if how == "revoked" else RULE.replace("2036-12-31T23:59:59Z", f"{soon_after(began):%Y-%m-%dT%H:%M:%SZ}")
    _changed(wired, *_section(rule))
    script = (
        "import socket,sys,time\n"
        f"c=socket.create_connection(('{SERVER}',8443),5,('10.64.2.10',0))\n"
        "print(c.recv(64).decode().strip(),flush=True)\n"
        "sys.stdin.readline()\n"
        "c.sendall(b'x')\n"
        "c.settimeout(1)\n"
        "try: print('ended' if not c.recv(1) else 'said',flush=True)\n"
        "except TimeoutError: print('silence',flush=True)\n"
    )
    namespace = wired.network.routed.host("lan-spy").namespace
    user = subprocess.Popen(["ip", "netns", "exec", namespace, "python3", "-c", script], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert user.stdout.readline() == "tcp/8443\n"
        if how == "revoked":
            _changed(wired, *_section("no rule ac-k7m2qx"))
        else:
            wait_for(lambda: _rules(wired) == [])
        user.stdin.write("\n")
        user.stdin.flush()
        # The server answers a byte with the end of the connection.
        assert user.stdout.readline() == "silence\n"
    finally:
        user.kill()
        user.wait()
        user.stdin.close()
        user.stdout.close()


def _rules(bench):
    with bench.open(permit=False) as router:
        return [line for line in router.running().sections["filter DSI-LAN-IN"] if line.startswith("rule ")]


@pytest.mark.parametrize("service", ["tcp/8443", "tcp/8440-8450"])
def test_a_rule_that_overlaps_another_is_refused_and_the_filter_stays_whole(wired, service):
    standing = RULE.replace("tcp/8443", "tcp/8443" if service == "tcp/8443" else "tcp/8445-8460")
    _changed(wired, *_section(*BASE, standing))
    with wired.open() as router:
        before = router.arm(60)
        other = "rule ac-aaaaaa 10.64.2.64/32 10.64.0.20/32 tcp/80 until 2036-12-31T23:59:59Z"
        double = f"rule ac-bbbbbb 10.64.2.8/29 10.64.0.20/32 {service} until 2036-12-31T23:59:59Z"
        with pytest.raises(LineRefusedError) as refused:
            router.push(_section(other, double))
        assert refused.value.line in {double, standing}
        assert router.running() == before
        router.revert()


def test_wider_and_narrower_rules_side_by_side_come_back_whole(wired):
    narrow = "rule ac-zzzzzz 10.64.2.9/32 10.64.0.20/32 tcp/8443 until 2036-12-31T23:59:59Z"
    wide = "rule ac-aaaaaa 10.64.2.0/24 10.64.0.16/28 tcp/8000-8999 until 2036-12-31T23:59:59Z"
    found = _changed(wired, *_section(*BASE, wide, RULE, narrow))
    assert found == (*BASE, wide, RULE, narrow)
    with wired.open() as router:
        router.arm(600)
        router.push(["no filter DSI-LAN-IN"])
        router.revert()
        assert router.running().sections["filter DSI-LAN-IN"] == found


def test_what_somebody_else_put_into_the_table_shows_and_goes_only_when_told(wired):
    _changed(wired, *_section(*BASE, RULE))
    for command in (
        "add element inet dsi allow4 { 10.64.2.77 . 10.64.0.20 . tcp . 80 timeout 1h }",
        "insert rule inet dsi denied ip saddr 10.64.2.10 counter accept",
        "add chain inet dsi other",
    ):
        wired.network.run(FAR, "nft", command)
    with wired.open() as router:
        found = router.arm(600).sections["filter DSI-LAN-IN"]
        unexpected = [line for line in found if line.startswith("unexpected ")]
        assert len(unexpected) == 3
        assert router.running().sections["filter DSI-LAN-IN"] == found
        with pytest.raises(LineRefusedError):
            router.push(_section("no rule ac-k7m2qx"))
        router.push(_section(*(f"no {line}" for line in unexpected)))
        assert router.running().sections["filter DSI-LAN-IN"] == (*BASE, RULE)
        router.revert()
        assert router.running().sections["filter DSI-LAN-IN"] == found


def test_a_reboot_under_a_timer_takes_the_change_back(real):
    with real.open() as router:
        _changed(real, *_section(*BASE))
        router.save()
        before = router.arm(600)
        router.push([*_section(RULE), "interface wan0", " ip address 10.64.3.1/30", "exit"])
        router.close()
        real.network.reboot(FAR)
        wait_for(lambda: router.timer().state is TimerState.NONE)
        assert router.running() == before
        assert re.match(r"reverted remaining=0 by=boot ", router.timer().last)


def test_nothing_is_pushed_without_a_timer(real):
    with real.open() as router:
        before = router.running()
        for lines in (_section(*BASE), ["interface wan0", " ip address 10.64.3.1/30", "exit"]):
            with pytest.raises(RefusedError):
                router.push(lines)
        assert router.running() == before


def test_a_timer_that_was_killed_is_made_up_for(real):
    with real.open() as router:
        before = router.arm(600)
        real.network.run(FAR, "sh", "-c", "kill -9 $(cut -d' ' -f5 /var/lib/dsi-cc/state)")
        router.push(["interface wan0", " ip address 10.64.3.1/30", "exit"])
        real.network.run(FAR, "sh", "-c", TIME_IS_OVER)
        wait_for(lambda: router.timer().state is TimerState.NONE)
        assert router.running() == before


def test_an_address_frrouting_forgot_is_still_seen(real):
    real.network.run(FAR, "ip", "address", "add", "10.64.3.9/30", "dev", "wan0")
    with real.open(permit=False) as router:
        assert router.interface("wan0").addresses == ("10.64.3.9/30",)


OFF_THE_LIST = (
    "_boot", "_fire 1 timer", "arm 0", "arm 99999", "arm x", "snapshot ../x", "snapshot a b", "ping 10.64.0.1;id 1",
    "interface $(id)", "running; id", "running\nid", "ping 10.64.0.1 51", "route any", "bash", "status x",
)  # fmt: skip
OTHER_TABLES = (
    "delete table inet other", "add element inet dsi allow4 { 1 }", 'include "/etc/passwd"', "}; flush ruleset", "}",
)  # fmt: skip


def test_the_helper_does_what_is_on_its_list_and_nothing_else(network):
    helper = Helper(network.endpoint(FAR), SystemClock())
    before = network.run(FAR, "nft", "-s", "list", "ruleset")
    for command in OFF_THE_LIST:
        with pytest.raises(HelperRefusedError) as refused:
            helper.ask(command)
        assert re.match(r"not (a|an) ", refused.value.complaint), command
    for more in OTHER_TABLES:
        with pytest.raises(HelperRefusedError, match="not the filter alone"):
            helper.ask("filter", f"{script(BASE).text}{more}\n".encode())
    helper.close()
    assert network.run(FAR, "nft", "-s", "list", "ruleset") == before


def test_a_filter_that_arrives_when_no_timer_runs_any_more_is_refused(network):
    helper = Helper(network.endpoint(FAR), SystemClock())
    before = network.run(FAR, "nft", "-s", "list", "ruleset")
    with pytest.raises(NothingPendingError):
        helper.ask("filter", script(BASE).text.encode(), writing=True)
    helper.close()
    assert network.run(FAR, "nft", "-s", "list", "ruleset") == before


def test_an_address_of_somebody_else_is_never_borrowed(wired, probe):
    with pytest.raises(ProbeError, match=r"10\.64\.2\.1 "):
        probe.connect("10.64.2.1", SERVER, 8443)
    assert probe.connect("10.64.2.99", SERVER, 8443) is Tried.OPEN
    assert _address(wired.network.routed.host("lan-spy").namespace, "10.64.2.99") is None


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_borrowed_address_is_given_back_whatever_ends_the_try(wired, how):
    namespace = wired.network.routed.host("lan-spy").namespace
    text = (Path(probing.__file__).parent / "remote" / "probe.sh").read_text()
    words = ["sh", "-c", text, "dsi-probe", "borrow", "lan0", "10.64.2.99", "10.64.2.98", "80", "30"]
    trying = subprocess.Popen(["ip", "netns", "exec", namespace, *words], start_new_session=True)
    try:
        borrowed = wait_for(lambda: _address(namespace, "10.64.2.99"))
        # For as long as the try may take, and a little more: the kernel takes it away then.
        assert borrowed["valid_life_time"] <= 40
        os.killpg(trying.pid, how)
        trying.wait(120)
        if how is signal.SIGTERM:
            assert _address(namespace, "10.64.2.99") is None
    finally:
        subprocess.run(["ip", "-n", namespace, "address", "del", "10.64.2.99/32", "dev", "lan0"], check=False)


def _address(namespace, address):
    shown = subprocess.run(["ip", "-n", namespace, "-j", "address"], capture_output=True, text=True, check=True).stdout
    found = [one for link in json.loads(shown) for one in link.get("addr_info", ()) if one["local"] == address]
    return found[0] if found else None


def test_a_probe_that_may_not_borrow_does_not(wired, probe):
    shy = ShellProbe(ProbeSettings("lan-spy", "lan0", ("10.64.2.10", "10.64.2.40")), probe._shell)
    assert shy.connect("10.64.2.10", SERVER, 8443) is Tried.OPEN
    with pytest.raises(RefusedError, match=r"may not borrow|ne peut"):
        shy.connect("10.64.2.99", SERVER, 8443)
    with pytest.raises(ProbeError, match=r"10\.64\.2\.40"):
        shy.connect("10.64.2.40", SERVER, 8443)


def test_ssh_from_the_lan_reaches_the_router_from_the_management_alone(wired):
    _changed(wired, *_section(*BASE))
    namespace = wired.network.routed.host("lan-spy").namespace
    ask = ["ip", "netns", "exec", namespace, "bash", "-c", "timeout 1 bash -c '</dev/tcp/10.64.2.1/22'"]
    assert subprocess.run(ask, check=False, capture_output=True).returncode == 124
    _changed(wired, *_section("management 10.64.2.10/32"))
    # sshd listens at the management's address alone: what answers is the kernel's refusal, which a filter lets through.
    assert subprocess.run(ask, check=False, capture_output=True).returncode == 1


def test_from_the_lan_the_router_itself_hears_answers_and_leases_alone(wired):
    routed = wired.network.routed
    _changed(wired, *_section(*BASE))
    host, router = routed.host("lan-spy").namespace, routed.router("rtr-spy")
    # Whoever asks from the LAN is not answered; what the router asks the LAN is.
    assert not wired.network.ping("lan-spy", "10.64.2.1")
    assert " 0% packet loss" in router.run("ping", "-n", "-c", "1", "-W", "2", "10.64.2.10")
    before = _counted(router)
    for port in (67, 53):
        send = f"echo >/dev/udp/10.64.2.1/{port}"
        subprocess.run(["ip", "netns", "exec", host, "bash", "-c", send], check=True)
    assert _counted(router) == before + 1


def test_a_lease_is_renewed_through_the_router_and_not_from_elsewhere(wired):
    routed = wired.network.routed
    _changed(wired, *_section(*BASE))
    host, router = routed.host("lan-spy").namespace, routed.router("rtr-spy")
    before = _counted(router)
    for port in (67, 68):
        send = f"echo >/dev/udp/{SERVER}/{port}"
        subprocess.run(["ip", "netns", "exec", host, "bash", "-c", send], check=True)
    assert _counted(router) == before + 1


def _counted(router):
    """Return how many packets were refused so far."""
    found = json.loads(router.run("nft", "-j", "list", "counter", "inet", "dsi", "refused"))
    return next(each["counter"]["packets"] for each in found["nftables"] if "counter" in each)


def test_a_router_whose_clock_is_behind_starts_without_the_accesses_that_end(wired):
    _changed(wired, *_section(*BASE, RULE))
    with wired.open() as router:
        router.save()
        assert RULE in router.running().sections["filter DSI-LAN-IN"]
    # As if the clock had been set back by a day.
    wired.network.run(FAR, "touch", "-d", "+1 day", "/var/lib/dsi-cc/startup/filter.nft")
    wired.network.reboot(FAR)
    with wired.open() as router:
        assert router.running().sections["filter DSI-LAN-IN"] == tuple(BASE)
        router.arm(60)
        router.push(_section(RULE))
        assert router.running().sections["filter DSI-LAN-IN"] == tuple(BASE)
        router.revert()
