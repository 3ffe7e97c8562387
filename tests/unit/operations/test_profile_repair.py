"""The repair of a profile: only when asked for, only after a migration, once, and seen by the mark it leaves."""

from __future__ import annotations

import base64
import dataclasses
from contextlib import contextmanager

import pytest
from fix_powershell import PlayedShell

from dsi_automation.connectors.windows.memory import MemoryMachine, MemoryReader
from dsi_automation.connectors.windows.port import Hive, WindowsEndpoint
from dsi_automation.connectors.windows.powershell.runner import ScriptRunner
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.events import Silent
from dsi_automation.core.plan import Action
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.operations.decided import Decided
from dsi_automation.operations.workstation import join_settle, profile_plan
from dsi_automation.operations.workstation.facts import REPAIRED_KEY, Profile, WorkstationFacts
from dsi_automation.operations.workstation.join import JoinInputs
from dsi_automation.operations.workstation.join_act import ACTS
from dsi_automation.operations.workstation.profile_repair import plan_repair

OLD, NEW, PATH = "S-1-5-21-9-9-9-1001", "S-1-5-21-1-2-3-1105", r"C:\Users\awa"
ENDPOINT = WindowsEndpoint("ws1", "198.18.1.1", 5986, "https", user="u", password=Secret("canary-password"))
ARGS = {"path": PATH, "from_sid": OLD, "to_sid": NEW}
REPAIR = Action("ws1", "repair_profile", ARGS, T("Repair"), T("asked"))


class Open:
    def check(self, target):
        assert target == "ws1"


class Hands:
    """Hands out a script runner over a shell that is played at the level of the protocol."""

    def __init__(self, answer: bytes) -> None:
        self.shell = PlayedShell(b"DSI-BEGIN" + base64.b64encode(answer) + b"DSI-END")

    @contextmanager
    def scripts(self, target):
        runner = ScriptRunner(dataclasses.replace(ENDPOINT, name=target), Open(), SystemClock(), channel=self.shell)
        yield runner
        runner.close()


def migrated(**repaired) -> WorkstationFacts:
    fields = {field.name: None for field in dataclasses.fields(WorkstationFacts)}
    profiles = (Profile(NEW, PATH, loaded=False),)
    return WorkstationFacts(**{**fields, "profiles": profiles, "repaired": repaired.get("marks", {})})


def test_asked_for_it_follows_the_migration_with_the_same_two_accounts():
    decided = Decided(actions=[Action("ws1", profile_plan.KIND, {**ARGS, "to": "D\\awa"}, T("Give"), T("asked"))])
    plan_repair("ws1", migrated(), (), decided)
    assert [(action.kind, dict(action.args)) for action in decided.actions[1:]] == [("repair_profile", ARGS)]


@pytest.mark.parametrize(("marks", "left"), [({}, ["repair_profile"]), ({NEW: "S-1-5-9"}, ["repair_profile"])])
def test_a_run_cut_between_the_two_still_has_the_repair_to_do(marks, left):
    decided = Decided()
    plan_repair("ws1", migrated(marks=marks), [REPAIR], decided)
    assert [action.kind for action in decided.actions] == left
    assert decided.actions[0].identity() == REPAIR.identity()


def test_a_repair_that_left_its_mark_is_not_done_again():
    decided = Decided()
    plan_repair("ws1", migrated(marks={NEW: OLD}), [REPAIR], decided)
    assert decided.actions == []
    assert [item.kind for item in decided.non_actions] == ["repair_profile"]


def test_the_script_is_run_once_with_both_accounts_as_data():
    hands = Hands(b'{"ok": true, "result": {"hives": 2}}')
    ACTS["repair_profile"](REPAIR, hands, Silent())
    assert [action for action, _ in hands.shell.sent] == ["Create", "Command", "Send", "Receive", "Signal", "Delete"]


def test_a_script_that_stops_is_an_error_of_the_machine():
    with pytest.raises(RefusedError) as caught:
        ACTS["repair_profile"](REPAIR, Hands(b'{"ok": false, "error": "X", "hresult": -2147024891}'), Silent())
    assert caught.value.detail["hresult"] == "0x80070005"


def test_whether_an_interrupted_repair_took_effect_is_seen_over_cim():
    machine = MemoryMachine(ENDPOINT)
    reader = MemoryReader(machine)
    seen = join_settle._EFFECTS["repair_profile"]
    machine.registry[Hive.LOCAL_MACHINE, REPAIRED_KEY] = {}
    assert not seen(reader, REPAIR)
    machine.registry[Hive.LOCAL_MACHINE, REPAIRED_KEY] = {NEW: OLD}
    assert seen(reader, REPAIR)


def test_it_is_asked_for_with_a_user_only():
    with pytest.raises(ValueError, match="repair_profile"):
        JoinInputs(repair_profile=True)
    assert JoinInputs(users={"ws1": "awa.kone"}, repair_profile=True).wish("ws1").repair
    assert not JoinInputs(users={"ws1": "awa.kone"}, repair_profile=True).wish("ws2").repair
