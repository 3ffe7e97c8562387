"""Disks, tapes and the medium under test."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from disks import Disk

from dsi_automation.connectors.media import token
from dsi_automation.connectors.media.opening import open_medium
from dsi_automation.connectors.media.port import MediumSettings
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret


class Leave:
    """A permit for tests: it notes what it was asked, and can be taken back."""

    run_id = "RUN-20261122-0001"

    def __init__(self):
        self.asked = []
        self.taken_back = None

    def check(self, target):
        self.asked.append(target)
        if self.taken_back is not None:
            raise self.taken_back


@pytest.fixture(autouse=True)
def _quick_seals(monkeypatch):
    """Make a seal's key cost nothing: each look at a medium derives it, slowly by design."""
    monkeypatch.setattr(token, "_N", 2)


@pytest.fixture
def leave():
    return Leave()


@pytest.fixture
def new_disk(tmp_path):
    made = []

    def one(name="disk", **options):
        disk = Disk(tmp_path / f"{name}.img", options.pop("mount_point", tmp_path / "externe"), **options).make()
        made.append(disk)
        return disk

    yield one
    for disk in reversed(made):
        disk.take_out()


@pytest.fixture
def opened(tmp_path, leave):
    def one(disk, **changes):
        settings = {
            "name": "disque-01",
            "title": "DISQUE-01",
            "kind": "disk",
            "uuid": disk.uuid,
            "label": disk.label,
            "serial": None,
            "device": None,
            "mount_point": disk.mount_point,
            "capacity": None,
            "scratch": tmp_path / "scratch" / "disque-01",
            "copies": 10,
            "rotation": "externe",
            "password": lambda: Secret("mot-de-passe-de-la-rotation"),
            "restic": "/nonexistent/restic",
        }
        permit = changes.pop("permit", leave)
        return open_medium(MediumSettings(**{**settings, **changes}), "srv1", SystemClock(), permit, patience=0)

    return one
