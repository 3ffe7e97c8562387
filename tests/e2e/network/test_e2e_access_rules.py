"""Accesses on configured branches: proven or taken back, ended by the schedule and told by mail, no secret told."""

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta

from fix_routed_office import AUTOMATE, RSSI, bodies
from waiting import soon_after, wait_for, wait_until

SPY = "rtr-spy"
CANARY = "Canari-9f3a7c"
WHY = ("--why", "Déclarants", "--reference", "N-1", "--for", "B. Kone")
REVOKE = ("access.revoke", "rtr-abj", SPY, "rtr-bke", "rtr-man", "-i", "expired=true")


def allow(service="sydam", until="+1d"):
    return (
        "access",
        "allow",
        "--from",
        "10.64.2.10",
        "--to",
        "srv-siege",
        "--service",
        service,
        "--until",
        until,
        *WHY,
    )


def accesses(office, *words):
    """Return the accesses of the router, by service."""
    return {
        one["service"]: one for one in office.dsi("access", "list", "--router", SPY, *words, "--json").json["accesses"]
    }


def test_an_access_whose_probe_says_blocked_is_taken_back_and_exit_is_6(branches):
    before, request = branches.all_as_they_are(), branches.agreed(*allow(), by=RSSI)
    branches.network.cut("spy-abj")
    said = branches.run(request)
    branches.network.mend("spy-abj")
    assert said.code == 6, said
    assert (branches.reverted()[SPY]["by"], branches.reverted()[SPY]["same"]) == ("controller", True)
    tries = {(data["expected"], data["found"]) for _, name, data in branches.told() if name == "access.tried"}
    assert any(expected == "open" and found != "open" for expected, found in tries), tries
    assert accesses(branches) == {}
    wait_for(lambda: branches.all_as_they_are() == before, every=0.5)


def test_everything_a_second_time_changes_nothing(branches):
    assert branches.run(branches.agreed(*allow(), by=RSSI)).code == 0
    (name,) = [one["id"] for one in accesses(branches).values()]
    after = branches.all_as_they_are()
    assert branches.dsi("router", "configure", "--json").json["actions"] == []
    until = accesses(branches)["tcp/8443"]["until"]
    again = branches.dsi("plan", "access.allow", SPY, "-i", "source=10.64.2.10/32", "-i", "destination=srv-siege",
                         "-i", "service=sydam", "-i", f"until={until}", "-i", "why=x", "-i", "reference=N-1",
                         "-i", "beneficiary=B", "--json")  # fmt: skip
    assert again.json["actions"] == [], again
    revoke = ("access", "revoke", name, "--why", "Fini")
    assert branches.run(branches.agreed(*revoke, by=RSSI)).code == 0
    assert branches.all_as_they_are() != after
    closed = branches.all_as_they_are()
    again = branches.dsi("plan", "access.revoke", SPY, "-i", f"ids={name}", "--json")
    assert again.json["actions"] == [], again
    assert branches.dsi("router", "check", "--json").code == 0
    copied = branches.agreed("router", "backup", "--reason", "Copie")
    assert branches.run(copied).code == 0
    assert branches.run(branches.agreed("router", "backup", "--reason", "Copie")).code == 0
    versions = branches.dsi("router", "history", SPY, "--json").json["versions"]
    assert len(versions) == len({one["version"] for one in versions})
    assert branches.all_as_they_are() == closed


def test_an_access_that_is_over_is_taken_away_by_the_schedule_and_told_by_mail(branches, smtp_server):
    handler, port = smtp_server()
    branches.mails_to(port)
    last = f"{datetime.now(UTC).date() + timedelta(days=30)}"
    words = ("request", *REVOKE, "--standing", "--until", last, "--hours", "00:00-23:59", "--reason", "Plan validé")
    branches.agreed(*words, by=RSSI)
    began = time.monotonic()
    assert branches.run(branches.agreed(*allow(until="+30d"), by=RSSI)).code == 0
    soon = soon_after(began)
    assert branches.run(branches.agreed(*allow("https", soon.isoformat(timespec="seconds")), by=RSSI)).code == 0
    assert accesses(branches)["tcp/443"]["state"] == "ending"
    wait_until(soon)
    said = branches.dsi("schedule", "run", "acces-echus", "--json", person=AUTOMATE)
    assert said.code == 0, said
    (stays,) = accesses(branches).values()
    assert (stays["service"], stays["state"]) == ("tcp/8443", "open")
    assert accesses(branches, "--all")["tcp/443"]["state"] == "closed"
    told = [(to, subject, text) for to, subject, text in bodies(handler) if "10.64.2.10" in text and "FAIT" in subject]
    assert {to.split("@")[0] for to, _, _ in told} >= {RSSI, "m.kouadio"}, bodies(handler)
    assert branches.dsi("schedule", "run", "acces-echus", "--json", person=AUTOMATE).code == 0
    assert branches.run(branches.agreed("access", "revoke", stays["id"], "--why", "Fini", by=RSSI)).code == 0
    branches.assert_whole()


def test_no_key_and_no_password_is_in_journal_repository_mails_or_output(branches, smtp_server):
    handler, port = smtp_server()
    branches.mails_to(port)
    branches.network.configure_by_hand(SPY, [f"password {CANARY}"])
    assert branches.run(branches.agreed("router", "backup", SPY, "--reason", "Copie")).code == 0
    assert branches.run(branches.agreed(*allow(), by=RSSI)).code == 0
    newest, older = branches.dsi("router", "history", SPY, "--json").json["versions"][:2]
    assert branches.dsi("router", "history", SPY, "--diff", older["version"], newest["version"]).code == 0
    branches.network.configure_by_hand(SPY, ["no password"])
    folders = (branches.lab.layout.key_dir, branches.lab.layout.ssh_dir)
    texts = [path.read_text() for folder in folders for path in folder.iterdir() if path.is_file()]
    secrets = [CANARY, *(text.splitlines()[2] for text in texts if "PRIVATE KEY" in text)]
    assert len(secrets) > 4
    repository = branches.state / "configurations"
    history = subprocess.run(
        ["git", "-C", repository, "log", "-p", "--all"], capture_output=True, text=True, check=True
    )
    assert "10.64.3.1/30" in history.stdout
    files = [path for path in branches.state.rglob("*") if path.is_file()]
    everything = {
        "mails": json.dumps(bodies(handler)), "output": "".join(branches.said), "repository": history.stdout,
        **{str(path): path.read_bytes().decode("latin-1") for path in files},
    }  # fmt: skip
    assert {(place, secret) for place, text in everything.items() for secret in secrets if secret in text} == set()
