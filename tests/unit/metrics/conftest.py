"""A journal with backups in it, and the plan they belong to."""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine_house"))

from house import House

from dsi_automation.connectors.backups.port import MadeSet, StoredSet
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.metrics.collector import DsiCollector, registry_of
from dsi_automation.metrics.tail import Tail
from dsi_automation.operations.backups.records import set_to_json

PLAN = {
    "repositories": {"serveurs": {"url": "/srv/repo", "password": {"file": "/etc/dsi/pw"}}},
    "backups": {
        "srv1": {
            "kind": "files",
            "title": "Fichiers",
            "repository": "serveurs",
            "host": "srv1",
            "paths": ["/srv"],
            "media": "externe",
        }
    },
    "media": {
        "media": {"disque-01": {"kind": "disk", "title": "DISQUE-01", "uuid": "u1"}},
        "rotations": {"externe": {"title": "Externe", "media": ["disque-01"], "password": {"file": "/etc/dsi/pw"}}},
    },
}


@dataclass
class World:
    """What the collector reads, and the hands that write it."""

    house: House
    reads: int = 0
    plan: BackupPlan = field(default_factory=lambda: BackupPlan.model_validate(PLAN))
    broken: bool = False
    applications: dict = field(default_factory=dict)
    network: object = None

    def __post_init__(self):
        self.tail = Tail(self)
        self.collector = DsiCollector(lambda: self.tail, self.inventory, version="1", clock=self.house.clock)

    def inventory(self):
        if self.broken:
            raise ValueError("unreadable")
        return SimpleNamespace(
            backup_plan=self.plan,
            backup_settings=BackupSettings(),
            applications=self.applications,
            has_network=lambda: self.network is not None,
            network=self.network,
            mail=None,
            has=lambda _name: False,
            select=lambda _patterns: (),
            targets=lambda _patterns: (),
        )

    def since(self, seq):
        found = self.house.journal.since(seq)
        self.reads += len(found)
        return found

    def holders(self):
        return self.house.journal.holders()

    def write(self, kind, subject, **body):
        self.house.clock.forward(minutes=1)
        with self.house.journal.transaction() as change:
            change.append(Draft(Kind(kind), subject, "controller", body))
        return self.house.clock.moment

    def begin(self, run, operation="server.backup", target="srv1"):
        return self.write(Kind.RUN_STARTED, run, request="REQ", operation=operation, plan_digest="d", targets=[target])

    def end(self, run, outcome="done", target="srv1"):
        code = 0 if outcome == "done" else 1
        return self.write(Kind.RUN_ENDED, run, outcome=outcome, exit_code=code, targets={target: outcome}, errors={})

    def note(self, run, name, **data):
        return self.write(Kind.NOTED, run, target="srv1", note=name, data=data)

    def made(self, run, set_id="SET-1", size=1000):
        # The clock of the machine that was backed up is ten years off: nothing may rest on it.
        at = datetime(2036, 1, 1, tzinfo=UTC)
        made = MadeSet("snap", "repo", "restic", at, at, 3, size, 10, "ab" * 32, "m", phases={"backup": 2.5})
        return self.note(run, "backup.set", set=set_to_json(StoredSet(set_id, "srv1", run, "files", made)))

    def tried(self, run, error=None):
        return self.note(run, "backup.try", number=1, of=3, error=error, seconds=1.0, wait=0.0)

    def proven(self, run, set_id="SET-1", *, ok=True, depth="full", level=3):
        return self.note(
            run,
            "backup.proof",
            set=set_id,
            level=level,
            depth=depth,
            ok=ok,
            failed=[] if ok else ["x"],
            restored_files=3,
            restored_bytes=1000,
            phases={"restore": 1.0},
        )

    def scrape(self):
        text = generate_latest(registry_of(self.collector)).decode()
        found = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name, *sorted(sample.labels.items())] = sample.value
        return found

    def one(self, name, **labels):
        return self.scrape()[(name, *sorted(labels.items()))]


@pytest.fixture
def world(tmp_path):
    house = House(tmp_path)
    yield World(house)
    house.journal.close()


@pytest.fixture
def hour():
    return timedelta(hours=1)
