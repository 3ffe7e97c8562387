"""Stand-ins for `rman` and `sqlplus`: they replay real sequences of messages by scenario; no Oracle is run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.oracle.sequences import SCENARIOS

_SCENARIO: Final = "scenario"
_STATE: Final = "state"
_MODULES: Final = ("sequences.py", "standin.py")
DBID: Final = 3114375768
DATABASE: Final = "SYDAM"


def install(folder: Path, scenario: str = "success") -> Path:
    """Put the stand-ins into a folder that serves as ORACLE_HOME, and return the path of `rman`.

    Every user of the machine may run them, whatever user the plan names; their state lies in the folder too.

    Raises:
        UsageError: there is no such scenario.
    """
    programs, state = folder / "bin", folder / _STATE
    programs.mkdir(parents=True, exist_ok=True)
    state.mkdir(exist_ok=True)
    for place in (folder, programs):
        place.chmod(0o755)
    state.chmod(0o777)  # the user of the plan writes there, and need not be the one who installs
    for module in _MODULES:
        shutil.copyfile(Path(__file__).with_name(module), programs / module)
    for name in ("rman", "sqlplus"):
        program = programs / name
        program.write_text(f"#!{sys.executable} -IS\n{_MAIN.format(name=name)}", encoding="utf-8")
        program.chmod(0o755)
    for module in _MODULES:
        (programs / module).chmod(0o644)
    identity = state / "database.json"
    if not identity.exists():
        identity.write_text(json.dumps({"dbid": DBID, "name": DATABASE}), encoding="utf-8")
    set_scenario(folder, scenario)
    return programs / "rman"


def set_scenario(folder: Path, name: str) -> None:
    """Choose what the stand-ins of a folder do from now on.

    Raises:
        UsageError: there is no such scenario.
    """
    if name not in SCENARIOS:
        raise UsageError(
            T("The lab's stand-in for RMAN has no scenario “{name}”.", name=name),
            next_step=T("One of: {names}.", names=", ".join(scenarios())),
        )
    (folder / _SCENARIO).write_text(name, encoding="utf-8")


def current_scenario(folder: Path) -> str:
    """Return what the stand-ins of a folder do now."""
    return (folder / _SCENARIO).read_text("utf-8").strip()


def scenarios() -> Sequence[str]:
    """Return the names of all scenarios."""
    return tuple(SCENARIOS)


def source_of(name: str) -> str:
    """Return which public source the messages of a scenario follow; `invented` says so."""
    return SCENARIOS[name].source


_MAIN: Final = """import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from standin import {name}
sys.exit({name}(Path(__file__).resolve().parents[1], sys.argv[1:]))
"""
