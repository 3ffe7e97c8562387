"""The simulator as a process of its own: what a restart keeps, and what wrong settings say."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from graph_wire import STANDARD, Caller

from dsi_automation.lab.graph.client import GraphControl
from dsi_automation.lab.graph.loopback import GraphEndpoint, LoopbackGraph


@pytest.fixture
def settings(tmp_path):
    """Return the file of a tenant's settings, its certificates made."""
    made = LoopbackGraph(tmp_path).settings
    path = tmp_path / "settings.json"
    path.write_text(made.model_dump_json())
    return path


@contextmanager
def running(settings, ends=signal.SIGTERM):
    process = subprocess.Popen([sys.executable, "-m", "dsi_automation.lab.graph", str(settings)])
    folder = settings.parent
    control = GraphControl(folder / "control")
    try:
        control.wait_ready()
        facts = control.info()
        authority = f"https://127.0.0.1:{facts['port']}"
        yield GraphEndpoint(
            base_url=f"{authority}/v1.0",
            authority=authority,
            ca_file=folder / "ca" / "ca.pem",
            tenant_id=facts["tenant_id"],
            client_id=facts["client_id"],
            certificate=folder / "app.pem",
            secret=(folder / "secret").read_text(),
            record_file=folder / "requests.jsonl",
            control=control,
        )
    finally:
        process.send_signal(ends)
        code = process.wait(120)
    assert code == 0


def test_a_restart_keeps_the_tenant_and_its_tokens(settings):
    with running(settings) as endpoint:
        endpoint.control.delays(create=0, location=0, mailbox=0)
        endpoint.control.seats("STANDARDPACK", 7)
        caller = Caller(endpoint).sign_in()
        user = caller.create()["id"]
        caller.license(user, add=(STANDARD,))
        bearer = caller.session.headers["Authorization"]
    with running(settings) as endpoint:
        caller = Caller(endpoint)
        caller.session.headers["Authorization"] = bearer
        assert caller.get(f"/users/{user}/mailboxSettings").status_code == 200
        sku = endpoint.control.skus()[0]
        assert (sku["consumedUnits"], sku["prepaidUnits"]["enabled"]) == (1, 7)
        assert caller.call("DELETE", f"/users/{user}").status_code == 204
    lines = [json.loads(line) for line in (settings.parent / "requests.jsonl").read_text().splitlines()]
    assert [line["method"] for line in lines if line["path"].startswith("/v1.0/users")] == [
        "POST",
        "POST",
        "GET",
        "DELETE",
    ]
    for name in ("state.json", "requests.jsonl"):
        assert (settings.parent / name).stat().st_mode & 0o077 == 0


def test_wrong_settings_are_told_without_their_values(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"address": "127.0.0.1", "secret": "do-not-show"}')
    done = subprocess.run(
        [sys.executable, "-m", "dsi_automation.lab.graph", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "secret" in done.stderr
    assert "do-not-show" not in done.stderr
