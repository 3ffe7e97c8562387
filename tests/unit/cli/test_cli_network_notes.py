"""What a run noted of routers and accesses is told in words, and bad news look like bad news."""

import json
from datetime import UTC, datetime

import pytest

from dsi_automation.cli.labels import action
from dsi_automation.cli.output import Output
from dsi_automation.cli.show_network_notes import KINDS, is_bad
from dsi_automation.cli.show_notes import show_note
from dsi_automation.cli.show_plan import show_plan
from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.text import T, speaking
from dsi_automation.engine.model import Note

RULE = {"id": "ac-k7m2qx", "source": "10.64.8.8/29", "destination": "10.64.0.5/32", "protocol": "tcp",
        "first_port": 8443, "last_port": 8443, "until": "2026-12-31T23:59:59Z", "sequence": None}  # fmt: skip
TRY = {"id": "ac-k7m2qx", "source": "10.64.8.9", "destination": "10.64.0.5", "port": 8443}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("router.snapshot", {"name": "dsi-RUN-1", "running": "x", "kept": "y"}, "dsi-RUN-1"),
        ("router.armed", {"seconds": 90.0, "at": "2026-11-22T10:00:00.000Z"}, "1 min 30 s"),
        ("router.verified", {"checks": [{}, {}]}, "2 contrôles"),
        ("router.confirmed", {"at": "2026-11-22T10:00:00.000Z"}, "confirmé"),
        ("router.reverted", {"by": "timer", "same": True, "remaining": [], "why": "muet"}, "par sa minuterie : muet"),
        ("router.reverted", {"by": "controller", "same": False, "remaining": ["- a"], "why": "muet"}, "PAS revenu"),
        ("router.copied", {"commit": "a52cf32e641299", "changed": True}, "a52cf32e6412"),
        ("router.copied", {"commit": "a52cf32e641299", "changed": False}, "inchangée depuis"),
        ("router.copied", {"commit": "a52cf32e641299", "changed": True, "drift": 3}, "3 écarts"),
        ("access.allowed", {"rule": RULE}, "10.64.8.8/29 → 10.64.0.5/32 tcp/8443"),
        ("access.allowed", {"rule": {**RULE, "until": None, "last_port": 8450}}, "tcp/8443-8450"),
        ("access.revoked", {"id": "ac-k7m2qx", "why": "expired", "key": []}, "sa date de fin"),
        ("access.tried", {**TRY, "expected": "open", "found": "open"}, "devait passer, passée"),
    ],
)
def test_a_note_is_told_with_what_matters_of_it(name, data, words):
    assert words in KINDS[name](data).render("fr")


@pytest.mark.parametrize(
    ("expected", "found", "bad"),
    [
        ("open", "open", False), ("open", "refused", False), ("open", "blocked", True),
        ("blocked", "blocked", False), ("blocked", "open", True), ("blocked", "refused", True),
    ],
)  # fmt: skip
def test_a_try_that_ended_otherwise_than_it_had_to_is_bad_news(expected, found, bad):
    assert is_bad("access.tried", {**TRY, "expected": expected, "found": found}) is bad


def test_a_router_that_is_not_back_as_it_was_is_shown_with_every_line_it_differs_in(capsys):
    data = {"by": "timer", "same": False, "remaining": ["+ ip route 10.9.0.0/24 10.64.3.2"], "why": "no answer"}
    with speaking("en"):
        show_note(Output(color=False), Note("rtr-spy", "router.reverted", datetime(2026, 11, 22, tzinfo=UTC), data))
    told = capsys.readouterr().out
    assert "NOT back as it was before" in told
    assert "+ ip route 10.9.0.0/24 10.64.3.2" in told


def test_what_a_plan_proves_reads_the_same_from_the_record_as_when_it_was_made(capsys):
    checks = [{"kind": "interface", "name": "wan0", "address": "10.64.3.1/30", "line": True},
              {"kind": "ping", "address": "10.64.3.2"}]  # fmt: skip
    args = {"lines": ["interface wan0"], "undo": ["no interface wan0"], "checks": checks}
    told = []
    for read in (args, json.loads(canonical_bytes(args))):
        plan = Plan("router.configure", 1, ("rtr-spy",), {}, (Action("rtr-spy", "configure", read, T("a"), T("b")),))
        with speaking("en"):
            show_plan(Output(color=False), plan)
        told.append(capsys.readouterr().out)
    assert "interface wan0 10.64.3.1/30; ping 10.64.3.2" in told[0]
    assert told[0] == told[1]


def test_what_is_left_out_of_a_plan_has_a_name_people_read():
    assert action("circuit.bke-abj").render("fr") == "liaison bke-abj"
    assert action("unsaved").render("fr") == "non enregistré"
    assert action("kept").render("fr") == "étranger à nous"
