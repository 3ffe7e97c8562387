"""`dsi metrics serve` as a process: it answers, it makes nothing, and it stops when it is asked to."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"


def environment(state):
    return {**os.environ, "DSI_STATE": str(state), "DSI_LANG": "en", "PYTHONUNBUFFERED": "1"}


def test_serve_answers_makes_no_journal_and_stops_in_good_order(tmp_path):
    words = ["metrics", "serve", "--listen", "127.0.0.1:0", "-I", str(EXAMPLE)]
    with subprocess.Popen(
        [sys.executable, "-m", "dsi_automation", *words],
        env=environment(tmp_path / "state"),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        url = re.search(r"http://\S+/metrics", process.stderr.readline())
        assert url is not None
        text = requests.get(url[0], timeout=60).text
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert 'dsi_collector_success{part="journal"} 1.0' in text
    assert "Stopped." in rest
    assert list(tmp_path.iterdir()) == []


def test_write_says_by_its_exit_code_that_a_part_is_missing(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "checkpoints.jsonl").write_text("{}\n")  # there was a journal, and it is gone
    words = ["metrics", "write", "--textfile", str(tmp_path / "dsi.prom"), "-I", str(EXAMPLE)]
    done = subprocess.run(
        [sys.executable, "-m", "dsi_automation", *words],
        env=environment(state),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    text = (tmp_path / "dsi.prom").read_text()
    assert 'dsi_collector_success{part="journal"} 0.0' in text
    assert "dsi_journal_verified " not in text
    assert sorted(path.name for path in state.iterdir()) == ["checkpoints.jsonl"]
