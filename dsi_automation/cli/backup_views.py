"""Sets, proofs and the health of backups as people and programs read them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.moments import local
from dsi_automation.core.clock import iso
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.connectors.backups.port import StoredSet
    from dsi_automation.inventory.backup_model import AnyJob, Retention
    from dsi_automation.operations.backups.catalogue import Catalogue
    from dsi_automation.operations.backups.health import Health

STATES: Final[dict[str, Text]] = {
    "not_run": T("never made"),
    "running": T("under way"),
    "failed": T("failed"),
    "suspect": T("suspect"),
    "ok_unverified": T("not verified yet"),
    "verified": T("verified"),
    "stale": T("too old"),
}
COLORS: Final = {
    "not_run": "red",
    "failed": "red",
    "suspect": "red",
    "stale": "red",
    "ok_unverified": "yellow",
    "verified": "green",
    "running": "",
}
KINDS: Final[dict[str, Text]] = {
    "files": T("files"),
    "postgresql": T("PostgreSQL database"),
    "oracle": T("Oracle database"),
}
ENTRIES: Final[dict[str, Text]] = {
    "file": T("file"),
    "dir": T("folder"),
    "symlink": T("link"),
    "database": T("database"),
}
"""What an entry of a set is, by the name the engine gives it; another kind shows that name."""


def health_view(health: Health) -> dict[str, Any]:
    """Return how a backup is doing as `--json` prints it."""
    tried = health.last_try
    return {
        "backup": health.job,
        "state": str(health.state),
        "alarming": health.alarming,
        "reasons": [str(reason) for reason in health.reasons],
        "last_set": None if health.last_success is None else health.last_success.id,
        "last_verified_set": None if health.last_verified is None else health.last_verified.id,
        "verified_age_seconds": None if health.age is None else health.age.total_seconds(),
        "last_proof": None
        if health.last_proof is None
        else {"at": iso(health.last_proof.at), "ok": health.last_proof.ok},
        "last_try": None if tried is None else {"at": iso(tried.at), "ok": tried.error is None, "run": tried.run},
        "failed_tries": health.failed_tries,
    }


def set_view(stored: StoredSet, catalogue: Catalogue) -> dict[str, Any]:
    """Return a set as `--json` prints it."""
    made, proof = stored.made, catalogue.last_proof(stored.id)
    return {
        "set": stored.id,
        "backup": stored.job,
        "kind": stored.kind,
        "run": stored.run,
        "recorded_at": iso(catalogue.recorded[stored.id]),
        "started_at": iso(made.started_at),
        "ended_at": iso(made.ended_at),
        "engine": made.engine,
        "repository": made.repository,
        "snapshots": [made.snapshot, *made.extra_snapshots],
        "files": made.files,
        "bytes": made.size,
        "added_bytes": made.added,
        "changed_while_read": made.changed,
        "manifest_sha256": made.manifest,
        "warnings": [str(warning) for warning in made.warnings],
        "forgotten": stored.id in catalogue.forgotten,
        "verified": proof is not None and proof.ok,
        "proof": None if proof is None else {
            "at": iso(proof.at),
            "ok": proof.ok,
            "level": proof.level,
            "depth": str(proof.depth),
            "failed": list(proof.failed),
            "run": proof.run,
        },
        "media": media_of(stored, catalogue),
    }  # fmt: skip


def media_of(stored: StoredSet, catalogue: Catalogue) -> list[str]:
    """Return the media that hold a set now."""
    return sorted(medium for medium, held in catalogue.on_medium.items() if stored.id in held)


def proof_cell(stored: StoredSet, catalogue: Catalogue) -> Text:
    """Return in a few words whether a set is verified, how deep and since when."""
    proof = catalogue.last_proof(stored.id)
    if proof is None:
        return T("not verified")
    if not proof.ok:
        return T("FAILED on {when}", when=local(proof.at))
    depth = T("all") if proof.depth.value == "full" else T("a part")
    return T("{depth}, on {when}", depth=depth, when=local(proof.at))


def proof_color(stored: StoredSet, catalogue: Catalogue) -> str:
    """Return the colour of a set's row."""
    proof = catalogue.last_proof(stored.id)
    if proof is None:
        return "yellow"
    return "" if proof.ok else "red"


def age_words(age: timedelta | None) -> Text | None:
    """Return an age in the unit people would use."""
    if age is None:
        return None
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return T("{n} min", n=minutes)
    hours = minutes // 60
    return T("{n} h", n=hours) if hours < 72 else TN("{n} day", "{n} days", hours // 24)


def retention_words(kept: Retention) -> Text:
    """Return how long sets are kept, in words."""
    return T(
        "the last {last}; {daily} daily, {weekly} weekly, {monthly} monthly, {yearly} yearly",
        last=kept.last,
        daily=kept.daily,
        weekly=kept.weekly,
        monthly=kept.monthly,
        yearly=kept.yearly,
    )


def retention_cell(kept: Retention) -> Text:
    """Return how long sets are kept, short enough for a table."""
    return T(
        "{last} last, {daily} d, {weekly} w, {monthly} m, {yearly} y",
        last=kept.last,
        daily=kept.daily,
        weekly=kept.weekly,
        monthly=kept.monthly,
        yearly=kept.yearly,
    )


def source_words(job: AnyJob) -> Text:
    """Return what is backed up, in words."""
    if job.kind == "files":
        return T("{paths} on {host}", paths=", ".join(job.paths), host=job.host)
    place = job.server if job.kind == "postgresql" else job.host
    return T("{kind} on {host}", kind=KINDS[job.kind], host=place)
