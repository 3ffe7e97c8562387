"""Ask, approve, run, show: the command line on the real engine, journal, inventory and keys; only the wall is ours."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from dsi_automation.cli.main import run
from dsi_automation.cli.session import Session
from dsi_automation.composition import Toolkit
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.plan import Action, Blocker, NonAction, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs, Observed, Operation

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"
WALL = "abj-compta-01"


class PaintInputs(Inputs):
    color: str


class Paint(Operation[Any, Any, Any, Any, Any]):
    """Paints hosts in a dictionary that outlives the call, as the real ones do."""

    name: ClassVar = "wall.paint"
    version: ClassVar = 1
    procedure: ClassVar = "C"
    summary: ClassVar = T("Paint walls")
    risk: ClassVar = Risk.LOW
    inputs_model: ClassVar = PaintInputs

    def __init__(self, world):
        self.world = world

    def observe(self, targets, inputs, look, observer):
        dead = {
            name: UnreachableError(T("{n} is dead.", n=name), on=name) for name in targets if name not in self.world
        }
        return Observed({name: self.world[name] for name in targets if name in self.world}, dead, None)

    def plan(self, targets, inputs, observed):
        right = [name for name in observed.facts if observed.facts[name] == inputs.color]
        actions = [
            Action(name, "paint", {"color": inputs.color}, T("Paint it"), T("It is {c}.", c=observed.facts[name]))
            for name in observed.facts
            if name not in right
        ]
        blockers = [Blocker(n, e.what, T("Wake it."), e.exit_code) for n, e in observed.failures.items()]
        stay = tuple(NonAction(name, "paint", T("It has that colour.")) for name in right)
        asked = {"color": inputs.color}
        return Plan(self.name, 1, tuple(observed.facts), asked, tuple(actions), stay, tuple(blockers))

    def act(self, action, inputs, hands, observer):
        self.world[action.target] = action.args["color"]

    def settle(self, action, inputs, look, observer):
        """Return at once: walls do not restart."""

    def verify(self, plan, inputs, look, observer):
        return [
            Check(name, "color", T("Colour"), inputs.color, self.world[name], self.world[name] == inputs.color, "eye")
            for name in plan.targets
        ]


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "inventory"
    shutil.copytree(EXAMPLE, folder)
    people = yaml.safe_load((folder / "people.yml").read_text())
    for person in people["people"]:
        path = tmp_path / person["id"]
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        person["keys"] = [{"key": path.with_suffix(path.suffix + ".pub").read_text().strip()}]
        for key in ("roles", "logins"):
            person[key] = list(person.get(key, ()))
    (folder / "people.yml").write_text(yaml.safe_dump(people))
    policy = yaml.safe_load((folder / "approval_policy.yml").read_text())
    policy["operations"]["wall.paint"] = policy["operations"]["workstation.join"]
    (folder / "approval_policy.yml").write_text(yaml.safe_dump(policy))
    return tmp_path


@pytest.fixture
def world():
    return {WALL: "grey", "abj-compta-02": "red"}


@pytest.fixture
def dsi(home, world, monkeypatch, capsys):
    monkeypatch.setenv("DSI_LANG", "fr")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    def call(*arguments, person="a.konan"):
        def assemble(choices):
            environ = {"DSI_STATE": str(home / "state"), "PATH": "/usr/bin:/bin"}
            toolkit = Toolkit(inventory=str(home / "inventory"), key=str(home / person), environ=environ)
            toolkit.__dict__["operations"] = {"wall.paint": Paint(world)}
            return toolkit

        code = run([*arguments, "--json"], Session(assemble=assemble))
        seen = capsys.readouterr()
        return code, json.loads(seen.out), seen.err

    return call


PAINT = ["wall.paint", WALL, "-i", "color=red"]


def test_looking_writes_nothing_at_all(dsi, home):
    code, plan, _ = dsi("plan", *PAINT)
    assert code == 0
    assert [action["kind"] for action in plan["actions"]] == ["paint"]
    assert not (home / "state").exists()


def test_ask_approve_run_show_verify(dsi, world):
    code, request, _ = dsi("request", *PAINT, "--reason", "it is grey")
    assert (code, request["state"], request["requester"]) == (0, "pending", "a.konan")
    code, refused, errors = dsi("run", request["id"])
    assert (code, refused["error"]["code"]) == (4, "gate_closed")
    assert errors.startswith("Erreur")
    code, refused, _ = dsi("approve", request["id"], "--comment", "my own")
    assert code == 4
    assert world[WALL] == "grey"
    code, approved, _ = dsi("approve", request["id"], "--comment", "agreed", person="f.ouattara")
    assert (code, approved["state"]) == (0, "approved")
    code, done, _ = dsi("run", request["id"])
    assert (code, done["outcome"], world[WALL]) == (0, "done", "red")
    assert done["evidence"][0]["ok"] is True
    assert dsi("run", request["id"])[0] == 4
    code, shown, _ = dsi("show", done["id"])
    assert shown["run"]["digest"] == request["digest"]
    code, verified, _ = dsi("journal", "verify")
    assert (code, verified["ok"]) == (0, True)
    assert verified["signatures"] >= 2


def test_the_world_changed_since_the_approval(dsi, world):
    _, request, _ = dsi("request", "wall.paint", WALL, "abj-compta-02", "-i", "color=red", "--reason", "x")
    dsi("approve", request["id"], "--comment", "agreed", person="f.ouattara")
    world["abj-compta-02"] = "blue"
    code, answer, _ = dsi("run", request["id"])
    assert (code, answer["error"]["code"]) == (7, "world_changed")
    assert world == {WALL: "grey", "abj-compta-02": "blue"}


def test_a_dead_target_is_left_out_only_when_asked(dsi, home):
    both = ["wall.paint", WALL, "spy-guichet-01", "-i", "color=red"]
    code, plan, _ = dsi("plan", *both)
    assert (code, plan["targets"]) == (3, [WALL])
    code, _, _ = dsi("request", *both, "--reason", "x")
    assert code == 3
    assert not (home / "state").exists()
    code, request, _ = dsi("request", *both, "--reason", "x", "--partial")
    assert (code, request["targets"]) == (0, [WALL])


def test_a_group_of_the_inventory_is_a_target(dsi):
    code, plan, _ = dsi("plan", "wall.paint", "abj", "-i", "color=red")
    assert (code, plan["targets"]) == (0, [WALL, "abj-compta-02"])
    assert len(plan["non_actions"]) == 1


def test_an_emergency_is_told_by_every_command_until_it_is_ratified(dsi, world):
    code, done, _ = dsi("emergency", *PAINT, "--reason", "fire", person="f.ouattara")
    assert (code, world[WALL]) == (0, "red")
    for command in (["requests"], ["runs"], ["plan", *PAINT]):
        assert f"URGENCE {done['request_id']}" in dsi(*command)[2]
    code, _, _ = dsi("ratify", done["request_id"], "--comment", "mine", person="f.ouattara")
    assert code == 4
    code, ratified, _ = dsi("ratify", done["request_id"], "--comment", "right", person="j.gnagne")
    assert (code, ratified["state"]) == (0, "ratified")
    assert "URGENCE" not in dsi("requests")[2]


def test_somebody_unknown_may_look_but_not_ask(dsi, home):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / "stranger"], check=True)
    assert dsi("plan", *PAINT, person="stranger")[0] == 0
    assert dsi("request", *PAINT, "--reason", "x", person="stranger")[0] == 4
    code, answer, _ = dsi("request", *PAINT, "--reason", "x", person="nobody")
    assert (code, "ssh-keygen -t ed25519" in answer["error"]["next_step"]) == (2, True)


@pytest.mark.parametrize("inputs", [[], ["-i", "colour=red"], ["-i", "color=red", "-i", "more=1"]])
def test_inputs_that_do_not_fit_end_with_2(dsi, home, inputs):
    assert dsi("plan", "wall.paint", WALL, *inputs)[0] == 2
    assert dsi("request", "wall.paint", WALL, *inputs, "--reason", "x")[0] == 2
    assert not (home / "state").exists()
