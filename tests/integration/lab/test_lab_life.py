"""A lab comes and goes: twice the same is nothing, a killed start is finished, and `down` leaves no trace."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lab_lives import arguments, start_and_die, traces

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.network import NETNS_ETC
from dsi_automation.lab.processes import pids_in

DIE_IN_THE_MIDDLE = """
import os, signal, sys, threading
from ipaddress import IPv4Network
from pathlib import Path
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout

layout = Layout(sys.argv[1], IPv4Network(sys.argv[2]), Path(sys.argv[3]))

pause = threading.Event()

def watch():
    while not (layout.dc_dir / "private" / "sam.ldb").exists():
        pause.wait(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=watch, daemon=True).start()
Lab(layout).up(0)
"""


def machine():
    """Return what a lab could leave behind on this machine, as sets of names."""
    links = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout.splitlines()
    spaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.splitlines()
    etc = [path.name for path in NETNS_ETC.iterdir()] if NETNS_ETC.exists() else []
    return {
        "links": {line.split()[0].split("@")[0] for line in links},
        "namespaces": {line.split()[0] for line in spaces},
        "etc": set(etc),
    }


def test_up_twice_and_down_twice(fresh):
    assert fresh.down() is False
    first = fresh.up(0)
    pid = fresh.controller.daemon.pid()
    secret = fresh.passwords.get("svc-lecture")
    second = fresh.up(0)
    assert (first.changed, second.changed) == (True, False)
    assert fresh.controller.daemon.pid() == pid
    assert fresh.passwords.get("svc-lecture") == secret
    assert fresh.is_up()
    assert fresh.down() is True
    assert traces(fresh) == []
    assert fresh.down() is False
    assert not fresh.is_up()


def test_a_start_killed_between_any_two_steps_is_finished_by_the_next(fresh):
    for moment in ("lab.network.started", "lab.network.done", "lab.domain.done", "lab.dc.done", "lab.people.done"):
        start_and_die(fresh, moment)
    fresh.up(0)
    assert fresh.search("(sAMAccountName=svc-jonction)", ["sAMAccountName"])
    assert fresh.up(0).changed is False


def test_a_start_killed_while_the_domain_is_made_is_finished_by_the_next(fresh):
    done = subprocess.run([sys.executable, "-c", DIE_IN_THE_MIDDLE, *arguments(fresh)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert fresh.up(0).changed
    assert fresh.search("(sAMAccountName=svc-jonction)", ["sAMAccountName"])


@pytest.mark.parametrize("moment", ["lab.domain.started", "lab.dc.done"])
def test_down_leaves_nothing_of_a_start_that_was_killed(fresh, moment):
    start_and_die(fresh, moment)
    assert traces(fresh)
    assert fresh.down() is True
    assert traces(fresh) == []


@pytest.fixture(scope="module")
def watched(make_lab):
    """A second lab beside the session's, with the machine's settings before and after its start, and what it ran."""
    seen = []

    def watch(event, details):
        if event == "subprocess.Popen" and watch.on:
            seen.append(json.dumps([str(part) for part in details[1]] + [str(details[3])], ensure_ascii=False))

    watch.on = True
    sys.addaudithook(watch)
    made, before = make_lab(), settings()
    try:
        made.up(0)
    finally:
        # An audit hook stays for good; this one goes quiet.
        watch.on = False
    return made, before, settings(), seen


def settings():
    """Return the machine's forwarding switches and the addresses of the interfaces that are not a lab's."""
    switches = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/forwarding")
    shown = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True).stdout
    links = {link["ifname"]: link for link in json.loads(shown) if "link_netnsid" not in link and "ifname" in link}
    addresses = {name: [info["local"] for info in link["addr_info"]] for name, link in links.items()}
    return {name: Path("/proc/sys", name).read_text() for name in switches}, addresses


def test_nothing_of_the_machine_changes_but_the_labs_own_interface(watched):
    _, before, after, _ = watched
    assert before == after


def test_no_password_is_ever_an_argument_or_in_an_environment(watched):
    made, _, _, seen = watched
    running = [
        Path(f"/proc/{pid}/{part}") for pid in pids_in(made.layout.dc_namespace) for part in ("cmdline", "environ")
    ]
    lines = [*seen, *(path.read_bytes().decode(errors="replace") for path in running if path.exists())]
    secrets = [path.read_text() for path in made.layout.password_dir.iterdir()]
    assert len(secrets) >= 10
    assert any("samba-tool" in line for line in lines)
    assert not [secret for secret in secrets for line in lines if secret in line]


def test_two_labs_are_two_domains(watched, lab):
    condition, wanted = "(sAMAccountName=svc-lecture)", ["objectSid"]
    assert watched[0].search(condition, wanted) != lab.search(condition, wanted)


def test_a_killed_controller_comes_back_and_down_spares_strangers_and_the_other_lab(watched, lab):
    made = watched[0]
    sid = made.search("(sAMAccountName=awa.kone)", ["objectSid"])
    kill(made.controller.daemon.pid())
    assert not made.is_up()
    assert made.up(0).changed
    assert made.search("(sAMAccountName=awa.kone)", ["objectSid"]) == sid
    stranger = subprocess.Popen(["ip", "netns", "exec", made.layout.ws_namespace, "sleep", "600"])
    other = lab.controller.daemon.pid()
    try:
        assert made.down() is True
        assert traces(made) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert lab.controller.daemon.pid() == other
    assert lab.is_up()


def kill(pid):
    """Kill a process and return once it is dead."""
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
    finally:
        os.close(handle)


def test_one_network_cannot_serve_two_labs(fresh, lab, short_folder):
    other = Lab(Layout("intrus", lab.layout.network, short_folder / "intrus"))
    with pytest.raises(UsageError) as refused:
        other.up(0)
    assert lab.layout.interface in str(refused.value)
    other.down()
    assert lab.is_up()


def test_a_lab_of_the_same_name_elsewhere_is_not_touched(lab, short_folder):
    other = Lab(Layout(lab.layout.name, lab.layout.network, short_folder / lab.layout.name))
    with pytest.raises(UsageError):
        other.up(0)
    with pytest.raises(UsageError):
        other.down()
    assert lab.is_up()


def test_two_starts_at_once_are_refused_not_mixed(fresh):
    from dsi_automation.lab.lock import exclusive

    with exclusive(fresh.layout.name), pytest.raises(UsageError):
        fresh.up(0)
    assert traces(fresh) == []


def test_files_with_secrets_are_readable_by_their_owner_only(lab):
    layout = lab.layout
    private = [*layout.password_dir.iterdir(), layout.config_file, layout.ca_dir / "ca.key", layout.ca_dir / "dc1.key"]
    private += [path for path in layout.key_dir.iterdir() if path.suffix != ".pub"]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in private if path.stat().st_mode & 0o077} == {}
