"""A real Prometheus scrapes a real exporter, and alerts; promtool accepts all that ships."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import requests
from prometheus_client.registry import Collector
from waiting import wait_for

from dsi_automation.core.clock import SystemClock
from dsi_automation.lab.prometheus import Prometheus
from dsi_automation.metrics.parts.backups import PROOF_OK
from dsi_automation.metrics.server import Exporter
from dsi_automation.metrics.spec import Sheet

MONITORING = Path(__file__).resolve().parents[3] / "docs" / "monitoring"
TESTS = ("dsi.rules.test.yml", "dsi.rules.days.test.yml")
PATIENCE = 180.0


class Told(Collector):
    """Tells whether the last proof held."""

    ok = 1.0

    def collect(self):
        sheet = Sheet()
        sheet.put(PROOF_OK, self.ok, "srv1")
        return list(sheet.metrics())


@pytest.fixture
def exporter():
    collector = Told()
    made = Exporter(collector, "127.0.0.1", 0)
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made, collector
    made.stop()
    thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.fixture
def prometheus(tmp_path, exporter):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host, exporter_port = exporter[0].address
    made = Prometheus(
        tmp_path, f"127.0.0.1:{port}", {"dsi": [f"{host}:{exporter_port}"]}, [MONITORING / "dsi.rules.yml"]
    )
    made.configure()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(made.argv(), stdout=log, stderr=log, env=dict(os.environ))
        made.wait(SystemClock())
        yield made
        process.terminate()
        process.wait(timeout=30)


def test_a_proof_that_fails_makes_a_real_prometheus_alert(prometheus, exporter):
    proof = "dsi_backup_last_proof_ok"
    wait_for(lambda: [item["value"][1] for item in prometheus.query(proof)] == ["1"], PATIENCE)
    assert "DsiBackupVerificationFailed" not in prometheus.firing()
    exporter[1].ok = 0.0
    wait_for(lambda: "DsiBackupVerificationFailed" in prometheus.firing(), PATIENCE, every=0.1)
    (labels,) = prometheus.firing()["DsiBackupVerificationFailed"]
    assert labels["backup"] == "srv1"
    assert labels["severity"] == "critical"


def test_the_exporter_speaks_what_the_client_asks_for(exporter):
    host, port = exporter[0].address
    plain = requests.get(f"http://{host}:{port}/metrics", timeout=10)
    assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = requests.get(f"http://{host}:{port}/metrics", headers=wanted, timeout=10)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    assert requests.get(f"http://{host}:{port}/-/healthy", timeout=10).text == "ok\n"
    assert requests.get(f"http://{host}:{port}/etc/passwd", timeout=10).status_code == 404
    assert requests.post(f"http://{host}:{port}/metrics", timeout=10).status_code == 501


def test_promtool_accepts_the_rules_the_example_and_the_tests_of_each_alert():
    for words in (["check", "config", "prometheus.yml"], ["test", "rules", *TESTS]):
        done = subprocess.run(["promtool", *words], cwd=MONITORING, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
