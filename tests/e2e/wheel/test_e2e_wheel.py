"""The wheel alone, in an environment without the source tree: it carries all that the command needs."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILT_FROM = (".ci/hatch_build.py", "pyproject.toml", "README.md", ".gitignore", "dsi_automation", "playbooks", "roles")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy so that nothing is written into the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in (*BUILT_FROM, "inventories/example"):
        source, target = ROOT / name, folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        else:
            shutil.copy(source, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=folder / "source", check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of an environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    site = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # After the wheel's own: an editable install of the tree is not looked at, its .pth being no file of this folder.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


@pytest.fixture
def call(python, tmp_path):
    def run(*arguments):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [str(python), "-m", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=env, check=False, capture_output=True, text=True)

    return run


def test_the_command_of_a_wheel_speaks_french_and_makes_an_inventory_and_a_journal(call, python, tmp_path):
    where = subprocess.run(
        [str(python), "-c", "import dsi_automation; print(dsi_automation.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert str(ROOT) not in where.stdout
    assert call("dsi_automation", "--help").stdout.startswith("Usage\u00a0: dsi")
    assert call("dsi_automation", "init", "mine").returncode == 0
    assert call("dsi_automation", "-I", "mine", "requests").returncode == 0
    assert call("dsi_automation", "-I", "mine", "journal", "verify").returncode == 0
    exported = call("dsi_automation", "-I", "mine", "journal", "export", "record.tar.gz")
    assert exported.returncode == 0, exported.stderr
    listed = call("dsi_automation", "operations")
    assert "workstation.join" in listed.stdout


def test_ansible_finds_the_collection_of_a_wheel_from_any_folder(call, python):
    done = call("ansible.cli.doc", "--json", "dsi.ops.workstation_check", "dsi.ops.workstation_join")
    assert done.returncode == 0, done.stderr
    assert str(python.parent.parent) in done.stdout


def test_a_wheel_carries_the_playbooks_their_roles_and_nothing_of_this_machine(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        texts = {name: archive.read(name) for name in names if not name.endswith(".mo")}
    for name in ("workstation_check", "workstation_join"):
        assert f"dsi_automation/share/playbooks/{name}.yml" in names
        assert f"dsi_automation/share/roles/{name}/meta/argument_specs.yml" in names
    assert not [name for name, content in texts.items() if str(ROOT).encode() in content]
    assert not [name for name in names if "__pycache__" in name or "inventories/lab" in name]
