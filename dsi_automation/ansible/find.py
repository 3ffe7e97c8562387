"""Finding a playbook by its name, and the ansible.cfg to run it with."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Sequence
from pathlib import Path

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T


def find_playbook(name: str, roots: Sequence[Path]) -> Path:
    """Return the playbook of that name: a file, or a name in one of the folders of playbooks.

    Raises:
        UsageError: there is none; the message names those there are.
    """
    given = Path(name)
    if given.suffix in {".yml", ".yaml"} and given.is_file():
        return given.absolute()
    # As the operation is called, too: workstation.join.
    stem = name.removesuffix(".yml").replace(".", "_").replace("-", "_")
    known: set[str] = set()
    for root in roots:
        known |= {path.stem for path in root.glob("*.yml")}
        if "/" not in stem and (root / f"{stem}.yml").is_file():
            return root / f"{stem}.yml"
    raise UsageError(
        T("There is no playbook {name}.", name=name),
        next_step=T("The known ones are: {names}.", names=", ".join(sorted(known)) or "-"),
    )


def home() -> Path:
    """Return the folder of playbooks and roles: the source tree, or what the package was installed with."""
    package = Path(str(importlib.resources.files("dsi_automation")))
    return package.parent if (package.parent / "playbooks").is_dir() else package / "share"


def find_config() -> Path | None:
    """Return the ansible.cfg: the one Ansible would find from here, else the toolkit's own."""
    named = os.environ.get("ANSIBLE_CONFIG")
    for path in (Path(named) if named else None, Path.cwd() / "ansible.cfg", home() / "ansible.cfg"):
        if path is not None and path.is_file():
            return path.absolute()
    return None
