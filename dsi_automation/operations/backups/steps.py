"""Which steps a backup of the plan has, in their order: make it, prove it, carry it out of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsi_automation.inventory.backup_model import FilesBackup, Job

type NamedStep = tuple[str, Mapping[str, Any]]
"""An operation by its name, and its inputs."""


def operation_of(job: Job) -> str:
    """Return the operation that makes sets of a backup."""
    return "server.backup" if isinstance(job, FilesBackup) else "database.backup"


def steps_of(name: str, job: Job) -> tuple[NamedStep, ...]:
    """Return what belongs to a backup, each under a standing approval of its own.

    Args:
        name: of the backup in the plan; every step is about it.
    """
    del name  # the target of each step; none has inputs that depend on it
    steps: list[NamedStep] = [(operation_of(job), {}), ("backup.verify", {})]
    if job.media is not None:
        steps.append(("backup.externalise", {}))
    return tuple(steps)
