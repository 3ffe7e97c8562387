"""An access through real routers: asked for, approved by the RSSI, proven, used, ended; then closed for good."""

import subprocess
import sys
import time

import pytest
from fix_office import DIRECTOR, SECTION_HEAD, Office
from waiting import soon_after, wait_for

RSSI = "s.coulibaly"
ASKED = ("--to", "srv-siege", "--why", "Declarants", "--reference", "DSI-2026-0412", "--for", "B. Kone")
# Connects, tells so, and says whether the other side still hears it once a line comes in.
HELD = """
import socket, sys
with socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=5, source_address=(sys.argv[1], 0)) as held:
    held.recv(100)
    print("held", flush=True)
    sys.stdin.readline()
    held.settimeout(3)
    held.sendall(b"x")
    try:
        print("answered" if held.recv(1) == b"" else "?", flush=True)
    except TimeoutError:
        print("cut", flush=True)
"""
TRY = """
import socket, sys
try:
    socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=2, source_address=(sys.argv[1], 0)).close()
    print("passes")
except OSError:
    print("blocked")
"""


def inside(network, program, source, port, **options):
    namespace = str(network.routed.host("lan-spy").namespace)
    words = [sys.executable, "-c", program, source, network.server_address, str(port)]
    return subprocess.Popen(
        ["ip", "netns", "exec", namespace, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )


def tried(network, source, port):
    return inside(network, TRY, source, port).communicate(timeout=120)[0].strip()


@pytest.fixture
def office(fresh_network, tmp_path):
    """An office whose routers of headquarters and San-Pedro are configured."""
    house = Office(fresh_network.lab, tmp_path)
    asked = house.dsi("router", "configure", "rtr-spy", "--reason", "First configuration", "--json")
    assert asked.code == 0, asked
    run(house, asked.json["id"], SECTION_HEAD)
    return house


def run(office, request, approver=RSSI):
    said = office.dsi("approve", request, "--comment", "Fine", person=approver)
    assert said.code == 0, said
    said = office.dsi("run", request, "--json")
    assert said.code == 0, said
    return said.json


def ask(office, *words):
    said = office.dsi("access", *words, "--json")
    assert said.code == 0, said
    return said.json["id"]


def states(office):
    said = office.dsi("access", "list", "--router", "rtr-spy", "--json")
    return {one["service"]: one["state"] for one in said.json["accesses"]}


def test_an_access_lives_from_its_approval_to_its_end(office, fresh_network):
    network = fresh_network
    assert tried(network, "10.64.2.10", 8443) == "blocked"
    began = time.monotonic()
    request = ask(office, "allow", "--from", "10.64.2.8/29", "--service", "sydam", "--until", "+30d", *ASKED)
    assert office.dsi("approve", request, "--comment", "Fine", person=DIRECTOR).code == 4
    run(office, request)
    assert [tried(network, source, 8443) for source in ("10.64.2.10", "10.64.2.200")] == ["passes", "blocked"]

    # A second one that ends by itself: nobody does anything, and the router closes it.
    soon = soon_after(began).isoformat(timespec="seconds")
    run(office, ask(office, "allow", "--from", "10.64.2.11", "--service", "https", "--until", soon, *ASKED))
    (name,) = [one["id"] for one in office.dsi("access", "list", "--router", "rtr-spy", "--json").json["accesses"]
               if one["service"] == "tcp/8443"]  # fmt: skip
    revocation = ask(office, "revoke", name, "--why", "No longer needed")
    wait_for(lambda: tried(network, "10.64.2.11", 443) == "blocked", every=0.2)
    assert states(office) == {"tcp/8443": "open", "tcp/443": "over"}

    # What is open meanwhile is cut when its access is taken away; that was asked for while the second one was open.
    held = inside(network, HELD, "10.64.2.12", 8443)
    assert held.stdout.readline() == "held\n"
    run(office, revocation)
    assert held.communicate("\n", timeout=120)[0] == "cut\n"
    run(office, ask(office, "revoke", "--expired", "--router", "rtr-spy", "--why", "Over"))
    assert states(office) == {}
    assert tried(network, "10.64.2.10", 8443) == "blocked"
    checked = office.dsi("router", "check", "rtr-spy", "--json")
    assert checked.code == 0, checked
