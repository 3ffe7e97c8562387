"""An office on the lab's real network: routers looked at on the spot, disturbed at one step of a run or killed there.

What a router is like is read on the router itself, never through what is tested: FRRouting, kernel, filter, and what
it starts with. What is to happen at one step of a run is done as soon as the step is in the journal; where that would
be too late, `dsi-cc` is made to wait, as it does while another one of it is at work.

Rollback timers are long, so that none ends before its change is done, however busy the machine is; where one is to
end, its time is over as soon as the test says so.
"""

import re
import signal
import subprocess
from contextlib import contextmanager
from email import message_from_bytes, policy

import pytest
from fix_office import SECTION_HEAD, Office
from waiting import wait_for

from dsi_automation.lab.servers import CONTROLLER as AUTOMATE

RSSI = "s.coulibaly"
LOOK = """
vtysh -c 'show running-config no-header' | grep -v '^!$'
ip -4 -o addr show | tr -s ' '
ip -4 route show table main | sed 's/nhid [0-9]* //' | tr -s ' '
nft -s list ruleset
"""
STARTS_WITH = "grep -hv '^!' /etc/frr/frr.conf /var/lib/dsi-cc/startup/filter.nft 2>/dev/null; true"
LOCK = "/var/lib/dsi-cc/lock"
# What the end of its time does: the moment until when it may be confirmed is past, and the timer wakes up.
TIME_IS_OVER = """
cd /var/lib/dsi-cc
[ -r state ] && read -r state token until deadline pid boot <state && [ "$state" = armed ] || exit 0
read -r now rest </proc/uptime
echo "armed $token $until ${now%.*} $pid $boot" >state.over && mv state.over state
pkill -P "$pid" -x sleep || true
"""
MAIL = {"server": "127.0.0.1", "security": "none", "sender": "dsi@lab.test", "timeout_seconds": 10}
EVERYBODY = "group_vars/all.yml"


class NetworkOffice(Office):
    """An office that changes routers."""

    def __init__(self, network, folder):
        super().__init__(network.lab, folder)
        self.network = network
        self.rollout(timer="60s", verify_within="10s")

    # The inventory.

    def vary(self, change):
        """Change the variables of all hosts: `change` gets them."""
        self.edit(EVERYBODY, change)

    def rollout(self, **terms):
        self.vary(lambda held: held["dsi_network"]["rollout"].update(terms))

    @contextmanager
    def meanwhile(self, change):
        """Have the variables of all hosts changed, and put back."""
        path = self.inventory / EVERYBODY
        before = path.read_text()
        self._apply(EVERYBODY, change)
        yield
        path.write_text(before)

    def mails_to(self, port):
        """Send mails to a relay on a port of this machine."""
        self.vary(lambda held: held.update(dsi_mail={**MAIL, "port": port}))

    # Requests and runs.

    def agreed(self, *words, by=SECTION_HEAD, **more):
        """Ask for something, have it approved, and return the request."""
        asked = self.dsi(*words, "--json", **more)
        assert asked.code == 0, asked
        said = self.dsi("approve", asked.json["id"], "--comment", "Vu", person=by)
        assert said.code == 0, said
        return asked.json["id"]

    def configured(self, *routers, **more):
        """Bring routers to what the inventory says; return what the run said."""
        return self.run(self.agreed("router", "configure", *routers, "--reason", "Essai"), **more)

    def told(self, after=0):
        """Return what runs noted after an entry of the journal: router, name, and what was noted."""
        bodies = [line["body"] for seq, kind, _, line in self.entries() if kind == "run.noted" and seq > after]
        return [(body["target"], body["note"], body["data"]) for body in bodies]

    def reverted(self):
        """Return how each router went back, by its name; the last time."""
        return {router: data for router, name, data in self.told() if name == "router.reverted"}

    @property
    def last(self):
        return len(self.entries())

    def reached(self, name, *routers, after=0):
        """Tell whether a step was noted of all these routers; of any, where none is named."""
        found = {router for router, noted, _ in self.told(after) if noted == name}
        return set(routers) <= found if routers else bool(found)

    def during(self, moment, do, *words):
        """Start a command, do something as soon as `moment(seq)` says so, and return what the command said in the end.

        Args:
            moment: gets the number of the journal's last entry before the command.
            do: what is done; the command stands still meanwhile.
            words: of the command.
        """
        process = self._until(moment, words, signal.SIGSTOP)
        try:
            do()
        finally:
            process.send_signal(signal.SIGCONT)
        return self.finish(process)

    def killed(self, moment, *words):
        """Start a command and kill it with SIGKILL as soon as `moment(seq)` says so."""
        said = self.finish(self._until(moment, words, signal.SIGKILL))
        assert said.code == -signal.SIGKILL, said

    def _until(self, moment, words, number):
        last = self.last
        process = self.start(*words, "--json")
        wait_for(lambda: moment(last) or process.poll() is not None, every=0.005)
        process.send_signal(number)
        return process

    # The routers, on the spot.

    def as_it_is(self, router):
        """Return all that a router is like now."""
        return self.network.run(router, "/bin/sh", "-c", LOOK)

    def starts_with(self, router):
        return self.network.run(router, "/bin/sh", "-c", STARTS_WITH)

    def all_as_they_are(self):
        """Return what every router is like now, and what it would start with."""
        return {name: (self.as_it_is(name), self.starts_with(name)) for name in self.network.names}

    def helper_log(self, router):
        """Return what `dsi-cc` did on a router, without the times of it."""
        text = self.network.run(router, "/bin/sh", "-c", "cat /var/lib/dsi-cc/log 2>/dev/null; true")
        return re.findall(r"^\d{4}-\S+Z (.*)", text, re.MULTILINE)

    def quiet(self, *routers):
        """Wait until no timer runs on routers and none goes back."""
        for name in routers or self.network.names:
            wait_for(lambda name=name: self.network.run(name, "dsi-cc", "status").startswith("state=none"), every=0.2)

    def time_is_over(self, *routers):
        """Have the timers of routers that are armed end now, and wait until all are back."""
        for name in routers or self.network.names:
            self.network.run(name, "flock", LOCK, "sh", "-c", TIME_IS_OVER)
        self.quiet(*routers)

    @contextmanager
    def held(self, router):
        """Make `dsi-cc` of a router wait before it changes anything, until its timer is over: in the end."""
        script = f"echo held; read over; {TIME_IS_OVER}"
        words = self.network.routed.router(router).enter("flock", LOCK, "sh", "-c", script)
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout.readline() == "held\n"
            try:
                yield
            finally:
                holder.stdin.close()


def bodies(handler):
    """Return the mails a relay got: to whom, subject, text."""
    mails = [message_from_bytes(kept.content, policy=policy.default) for kept in handler.kept]
    return [(str(mail["To"]), str(mail["Subject"]), mail.get_body().get_content()) for mail in mails]


@pytest.fixture
def factory(fresh_network, tmp_path):
    """An office whose routers are as they left the factory."""
    return NetworkOffice(fresh_network, tmp_path)


@pytest.fixture(scope="module")
def branches(network, tmp_path_factory):
    """An office whose routers are all configured; each test leaves them so."""
    network.reset()
    made = NetworkOffice(network, tmp_path_factory.mktemp("branches"))
    said = made.configured()
    assert said.code == 0, said
    return made


__all__ = ["AUTOMATE", "RSSI", "NetworkOffice", "bodies", "branches", "factory"]
