"""Two controllers, each with a state of its own, share one PostgreSQL: asked on one, approved and run on the other."""

import json
import os
import shutil
import subprocess

import forking
import pytest
import yaml

PASSWORD = "Canari-PostgreSQL-7"


@pytest.fixture
def url(new_postgres_database):
    """A URL as an administrator writes it, with a password in it."""
    return new_postgres_database().replace("postgres@", f"postgres:{PASSWORD}@")


@pytest.fixture
def controllers(lab, tmp_path, url):
    """Return two functions that run a command, each on a controller of its own, and all that they said."""
    lab.reset()
    said = []

    def controller(name):
        inventory = tmp_path / name / "inventory"
        shutil.copytree(lab.layout.inventory_dir, inventory)
        (inventory / "dsi.yml").write_text(yaml.safe_dump({"state_dir": str(tmp_path / name / "state")}))

        def call(*arguments, person="m.kouadio", database=url):
            env = {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "DSI_INVENTORY": str(inventory),
                "DSI_KEY": str(lab.layout.key_dir / person),
                "DSI_DATABASE_URL": database,
            }
            done = forking.run([forking.DSI, *arguments], cwd=tmp_path, env=env)
            said.append(done.stdout + done.stderr)
            return done

        return call

    return controller("abidjan"), controller("bouake"), said


def test_a_request_made_on_one_controller_is_approved_and_run_on_the_other(controllers, tmp_path):
    here, there, said = controllers
    asked = here("request", "workstation.join", "ws5", "--reason", "mauvaise unité", "--json")
    assert asked.returncode == 0, asked.stderr
    request = json.loads(asked.stdout)["id"]
    assert [item["id"] for item in json.loads(there("requests", "--json").stdout)["requests"]] == [request]
    assert there("approve", request, "--comment", "moi-même").returncode == 4
    assert there("approve", request, "--comment", "vu", person="y.traore").returncode == 0
    done = there("run", request, "--json")
    assert done.returncode == 0, done.stderr
    again = here("run", request)
    assert again.returncode == 4
    assert json.loads(done.stdout)["id"] in again.stderr
    assert json.loads(here("runs", "--json").stdout)["runs"][0]["outcome"] == "done"
    verified = [json.loads(each("journal", "verify", "--json").stdout) for each in (here, there)]
    assert [item["ok"] for item in verified] == [True, True]
    assert verified[0]["head"] == verified[1]["head"]
    assert here("journal", "export", "record.tar.gz").returncode == 0
    command = "tar -xf record.tar.gz && cd journal-export && sh check.sh"
    audited = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert audited.stdout.startswith(f"OK: {verified[0]['entries']} entries"), audited.stdout + audited.stderr
    checked = here("doctor")
    assert checked.returncode == 0, checked.stdout
    assert not [text for text in said if PASSWORD in text]
    written = [path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert written == []


@pytest.mark.parametrize("form", ["postgresql://", "postgres://", "postgresql+psycopg://"])
def test_the_driver_is_chosen_by_the_toolkit_however_the_url_is_spelt(controllers, url, form):
    here, _, _ = controllers
    done = here("journal", "verify", database=url.replace("postgresql://", form))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("options", [["--json"], ["--debug"], []])
def test_a_server_that_is_away_is_one_sentence_without_the_password(controllers, tmp_path, options):
    here, _, said = controllers
    done = here("requests", *options, database=f"postgresql://dsi:{PASSWORD}@/journal?host={tmp_path}")
    assert done.returncode == 1
    assert "serveur de base de données ne répond pas" in done.stderr
    assert done.stderr.count("Erreur") == 1
    assert "postgresql://dsi:***@" in done.stderr
    assert not [text for text in said if PASSWORD in text]
    planned = here("plan", "workstation.join", "ws6", database=f"postgresql://dsi:{PASSWORD}@/journal?host={tmp_path}")
    assert planned.returncode == 0
