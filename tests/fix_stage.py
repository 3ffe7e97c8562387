"""Playbooks as people start them, on an office of the session's lab."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import forking
import pytest
from fix_office import COMMAND, TECHNICIAN, Office, Said

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CALLBACKS = ROOT / "tests" / "e2e" / "ansible" / "callbacks"
CHECK, JOIN_PLAY = ROOT / "playbooks" / "workstation_check.yml", ROOT / "playbooks" / "workstation_join.yml"


class Stage(Office):
    """An office whose people use playbooks."""

    def play_words(self, *arguments, program="ansible-playbook"):
        words = [str(BIN / program), *map(str, arguments)]
        return words if program == "ansible-doc" else [*words, "-i", str(self.inventory / "hosts.yml")]

    def play(self, *arguments, program="ansible-playbook", cwd=None, person=TECHNICIAN, env=None, timeout=COMMAND):
        """Run ansible-playbook (or another of Ansible's programs) to its end, by default outside the source tree."""
        done = forking.run(
            self.play_words(*arguments, program=program), env=self.env(person, **(env or {})), cwd=cwd or self.folder,
            timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.said.append(done.stdout + done.stderr)
        return Said(done.returncode, done.stdout, done.stderr)

    def results(self, *arguments, **more):
        """Run a playbook and return, by host, the result of its last task, as Ansible's own JSON callback tells it."""
        env = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_STDOUT_CALLBACK": "results"}
        said = self.play(*arguments, env={**env, **more.pop("env", {})}, **more)
        found = [
            json.loads(line.removeprefix("RESULT ")) for line in said.out.splitlines() if line.startswith("RESULT ")
        ]
        return said, {item["host"]: item for item in found}

    def world(self, *keys):
        """Return what could have been written: each machine's invoked methods and name, its objects, the runs."""
        names = [self.name_of(key) for key in keys]
        computers = self.lab.search("(objectClass=computer)", ["distinguishedName", "whenChanged"])
        return {
            "methods": {key: self.methods(key) for key in keys},
            "names": names,
            "objects": sorted(json.dumps(item, default=str, sort_keys=True) for item in computers),
            "runs": self.runs(),
        }

    @contextmanager
    def untouched(self, *keys):
        """Assert that the block changes nothing: not on the machines, not in the directory, and runs nothing."""
        before = self.world(*keys)
        yield
        assert self.world(*keys) == before

    def back(self, key):
        """End a restart that never ends."""
        self.lab.clear_faults(key)
        self.lab.simulator.control.reboot(key)

    def artifacts(self, run_id):
        return self.state / "playbooks" / run_id


@pytest.fixture
def stage(lab, tmp_path):
    """An office with an empty journal."""
    made = Stage(lab, tmp_path)
    yield made
    made.clear_faults()
