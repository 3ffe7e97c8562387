"""The collector: cheap, honest about what it cannot read, and without a label that has no bound."""

import json
import re
from pathlib import Path

import pytest
import yaml

from dsi_automation.core.errors import StorageError
from dsi_automation.engine.model import Window
from dsi_automation.journal.errors import TamperedError
from dsi_automation.metrics.reference import names, reference
from dsi_automation.metrics.tail import Nothing, open_source

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "docs" / "monitoring"
OURS = re.compile(r"\bdsi_[a-z0-9_]+")


def test_a_scrape_reads_only_what_is_new_in_the_journal(world):
    for number in range(30):
        world.begin(f"RUN-{number}")
        world.end(f"RUN-{number}")
    world.scrape()
    first = world.reads
    world.scrape()
    assert first >= 60
    assert world.reads == first + 1  # the last entry, to see that it is still there
    world.begin("RUN-X")
    world.scrape()
    assert world.reads == first + 3


def test_a_part_that_cannot_be_read_takes_no_other_down_and_does_not_look_healthy(world):
    world.begin("RUN-1")
    world.broken = True
    seen = world.scrape()
    assert seen["dsi_collector_success", ("part", "backups")] == 0
    assert seen["dsi_collector_success", ("part", "runs")] == 1
    assert seen["dsi_runs_started_total", ("operation", "server.backup")] == 1
    assert not [key for key in seen if key[0].startswith("dsi_backup_")]


def test_a_journal_that_changed_behind_the_exporter_is_not_told_of(world):
    world.begin("RUN-1")
    world.scrape()
    world.tail.head = "0" * 64
    seen = world.scrape()
    assert seen["dsi_collector_success", ("part", "journal")] == 0
    assert seen["dsi_collector_success", ("part", "backups")] == 0
    assert isinstance(world.collector.errors["journal"], TamperedError)


def test_a_journal_that_was_never_verified_is_not_told_as_verified(world):
    assert world.one("dsi_journal_verified") == 0


def test_requests_and_emergencies_are_told_until_somebody_decides(world):
    house = world.house
    made = house.requested()
    seen = world.scrape()
    assert seen["dsi_requests_open", ("state", "pending")] == 1
    at = house.clock.moment.timestamp()
    assert seen["dsi_request_oldest_open_timestamp_seconds", ("state", "pending")] == at
    house.engine("y.traore").refuse(made, "No")
    assert world.one("dsi_requests_open", state="pending") == 0
    run = house.engine().emergency(house.plan(), "Fire", house.listener)
    house.clock.forward(hours=49)
    seen = world.scrape()
    assert seen[("dsi_emergencies_open",)] == 1
    assert seen[("dsi_emergencies_overdue",)] == 1
    house.engine("a.bamba").ratify(run.request_id, "Seen")
    assert world.one("dsi_emergencies_open") == 0


def test_an_approval_that_ran_out_is_no_longer_open_though_nothing_was_written(world):
    house = world.house
    house.engine().request(house.plan(), "Because", Window())
    house.approved()
    assert world.one("dsi_requests_open", state="approved") == 1
    house.clock.forward(days=3)
    assert world.one("dsi_requests_open", state="approved") == 0


def test_no_label_names_a_person_a_run_or_a_path(world):
    world.house.requested()
    world.begin("RUN-20261122-0101-AAAA", "mailbox.create", target="100234")
    told = json.dumps([list(key) for key in world.scrape()])
    for never in ("m.kouadio", "RUN-", "REQ-", "100234", "/srv", "/etc"):
        assert never not in told


def test_looking_makes_no_journal(tmp_path):
    from dsi_automation.composition import Toolkit

    toolkit = Toolkit(inventory=str(ROOT / "inventories/example"), environ={"DSI_STATE": str(tmp_path / "state")})
    before = sorted(tmp_path.rglob("*"))
    if not toolkit.settings.state_dir.value.is_relative_to(tmp_path):
        pytest.fail("the example inventory fixes its state folder")
    assert isinstance(open_source(toolkit), Nothing)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_journal_that_is_gone_is_not_taken_for_one_that_was_never_begun(tmp_path):
    from dsi_automation.composition import Toolkit

    toolkit = Toolkit(inventory=str(ROOT / "inventories/example"), environ={"DSI_STATE": str(tmp_path)})
    toolkit.checkpoints.write_text("{}\n")
    with pytest.raises(StorageError):
        open_source(toolkit)


def test_every_name_follows_the_conventions():
    for name, spec in names().items():
        assert name.startswith("dsi_")
        assert name.endswith("_total") == (spec.kind == "counter")
        assert name.endswith("_info") == (spec.kind == "info")
        assert not re.search(r"_(ms|minutes|hours|days|kb|mb|percent)$", name)
        assert spec.help.endswith(".")


def test_every_family_that_is_exposed_is_described(world):
    world.begin("RUN-1")
    exposed = {key[0] for key in world.scrape()}
    assert exposed <= set(names())


def test_the_reference_is_what_the_collector_says():
    assert (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8") == reference()


def test_alerts_ask_for_metrics_that_exist_and_every_one_is_tested():
    rules = yaml.safe_load((MONITORING / "dsi.rules.yml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    for rule in alerts:
        assert set(OURS.findall(rule["expr"])) <= set(names())
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    files = sorted(MONITORING.glob("dsi.rules.*test.yml"))
    tests = [case for path in files for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]]
    fired, silent = set(), set()
    for case in tests:
        for asked in case["alert_rule_test"]:
            (fired if asked["exp_alerts"] else silent).add(asked["alertname"])
    assert fired == silent == {rule["alert"] for rule in alerts}


def test_the_dashboard_asks_for_metrics_that_exist():
    board = json.loads((MONITORING / "grafana/dsi.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) >= len(board["panels"]) > 10
    for expression in asked:
        assert OURS.findall(expression)
        assert set(OURS.findall(expression)) <= set(names())
