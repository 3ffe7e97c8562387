"""A lab of the benchmark's own: a Samba domain controller and the simulated tenant, no workstation. Needs root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.network import free_networks


@contextmanager
def lab() -> Generator[Lab]:
    """Bring a lab up beside any other, and take it down."""
    with tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        name = f"b{os.getpid()}"
        made = Lab(Layout(name, next(iter(free_networks())), Path(folder, name)))
        try:
            made.up(0)
            yield made
        finally:
            made.down()


def fresh(made: Lab) -> None:
    """Put everybody's account back to how it was, and begin a new journal, so that each take has the same to do."""
    made.reset_tenant()
    shutil.rmtree(made.layout.state_dir, ignore_errors=True)


def simulator_pid(made: Lab) -> int:
    """Return the process that plays the tenant.

    Raises:
        RuntimeError: it does not run.
    """
    pid = made.tenant.daemon.pid()
    if pid is None:
        raise RuntimeError("the simulated tenant does not run")
    return pid
