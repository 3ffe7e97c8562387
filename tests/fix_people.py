"""A desk for mail accounts: an office with ways to see, disturb and kill what it does.

What a test changes of the lab's tenant (faults, delays, seats, hybrid or not) is put back after it.
"""

import os
import struct
import subprocess

import pytest
from waiting import wait_for

CREATE = "mailbox.create"
UNICODE_PWD = 0x9005A
"""The attribute's prefix-mapped OID in replication metadata (MS-ADTS 3.1.1.2.6)."""
ONE_PASSWORD = 2
"""Versions of the attribute after one password was set: the directory writes it once, empty, with the account."""
SEATS = {"STANDARDPACK": 300, "DESKLESSPACK": 50, "ENTERPRISEPACK": 10}
DELAYS = {"create": 0.3, "location": 0.3, "licence": 0.2, "mailbox": 0.5}


class Desk:
    """An office, and what the tests of mail accounts ask of it."""

    def __init__(self, office):
        self.office, self.lab, self.graph = office, office.lab, office.graph

    def m365(self, **settings):
        """Change `dsi_m365` of the inventory."""
        self.office.edit("group_vars/all.yml", lambda held: held["dsi_m365"].update(settings))

    # Asking and running.

    def ask(self, rows, *more, name="staff.csv", **options):
        """Ask for mailboxes and have them approved; return the request."""
        path = self.office.csv(rows, name)
        return self.office.approved("-i", f"people=@{path}", *more, operation=CREATE, **options)

    def make(self, rows, *more):
        """Have mailboxes made, from the request to the end; return what the run said."""
        return self.office.run(self.ask(rows, *more))

    def plan(self, rows, *more, name="staff.csv"):
        """Plan mailboxes; return what was said."""
        return self.office.plan("-i", f"people=@{self.office.csv(rows, name)}", *more, operation=CREATE)

    def handed(self, *words):
        """Hand accounts over; return them by staff number."""
        said = self.office.dsi("mailbox", "handover", *words, "--json")
        assert said.code == 0, said
        return {account["target"]: account for account in said.json["accounts"]}

    def killed_when(self, condition, *words, **more):
        """Start a command and kill it the moment a condition holds: it must be there to be killed."""
        process = self.office.start(*words, **more)
        try:
            wait_for(lambda: condition() or process.poll() is not None)
            assert process.poll() is None, self.office.finish(process)
        finally:
            process.kill()
            process.communicate()

    def hold(self, method, path):
        """Have a write of the tenant wait, not made, for longer than any test: nobody comes past it."""
        self.graph.fault("throttle", method=method, path=path, status=503, retry_after="60")

    def killed_after(self, method, path, *words):
        """Start a command and kill it when a write was made in the tenant and its answer was lost."""
        self.graph.clear_faults()
        seen = len(self.sent(method, path, status=503))
        lost = {"status": 503, "after_commit": True, "retry_after": "60", "count": 1}
        self.graph.fault("throttle", method=method, path=path, **lost)
        self.killed_when(lambda: len(self.sent(method, path, status=503)) > seen, *words)
        self.graph.clear_faults()

    # Looking, beside the toolkit.

    def bind(self, name, password):
        """Return what the directory says to a login and a password: `ldapwhoami`, not ours."""
        said = subprocess.run(
            ["ldapwhoami", "-x", "-H", f"ldaps://{self.lab.layout.dc_address}", "-D", name, "-y", "/dev/stdin"],
            input=password, env={**os.environ, "LDAPTLS_CACERT": str(self.lab.layout.ca_file)}, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        return said.stdout + said.stderr

    def account(self, number, *attributes):
        """Return the only account of a staff number in the directory."""
        wanted = attributes or ("sAMAccountName", "userPrincipalName", "mail", "userAccountControl")
        (found,) = self.lab.search(f"(employeeID={number})", wanted)
        return found

    def user(self, number):
        """Return the only user of a staff number in the tenant."""
        (found,) = self.office.cloud_users(number)
        return found

    def passwords_set(self, number):
        """Return how often the password of an account was ever written: its version in the replication metadata."""
        (found,) = self.lab.search(f"(employeeID={number})", ["replPropertyMetaData"])
        (blob,) = found["replPropertyMetaData"]
        (count,) = struct.unpack_from("<I", blob, 8)
        versions = dict(struct.unpack_from("<II", blob, 16 + 48 * number) for number in range(count))
        return versions.get(UNICODE_PWD, 0)

    def sent(self, method, path, since=0, status=None):
        """Return what was written in the tenant, inside batches or not."""
        found = self.graph.requests(method=method, path=path, since=since)
        return [line for line in found if status is None or line["status"] == status]

    def writes(self, since):
        """Return every request since that many that changes something in the tenant."""
        return [
            (line["method"], line["path"])
            for line in self.graph.requests(since=since)
            if line["method"] != "GET" and not line["path"].endswith(("/token", "/$batch", "/getByIds"))
        ]

    @property
    def asked_so_far(self):
        """How many requests the tenant has had."""
        return self.graph.info()["requests"]

    def assert_made_once(self, number, licence=True):
        """One account with one password, one user, one licence, in both directories."""
        account, user = self.account(number), self.user(number)
        assert [str(value) for value in account["userAccountControl"]] == ["512"]
        assert self.passwords_set(number) == ONE_PASSWORD
        assert [state["state"] for state in user["licenseAssignmentStates"]] == ["Active"] * licence
        assert len(user["assignedLicenses"]) == int(licence)
        assert user["userPrincipalName"] == account["userPrincipalName"][0]


@pytest.fixture
def directory(desk):
    """A connection of the test's own: it sees a write a few milliseconds after it was made."""
    with desk.lab.directory() as opened:
        yield opened


@pytest.fixture
def desk(office):
    """A desk that waits a third as long as the lab does; the tenant is put back as it was."""
    made = Desk(office)
    made.m365(sync_deadline="3m", ready_deadline="3m")
    yield made
    made.graph.clear_faults()
    made.graph.hybrid(enabled=True, every=5.0)
    made.graph.delays(**DELAYS)
    for part_number, seats in SEATS.items():
        made.graph.seats(part_number, seats)
