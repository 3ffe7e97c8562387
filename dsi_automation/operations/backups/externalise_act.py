"""How `backup.externalise` acts: make room, copy, bring to the medium, read back from it, and only then record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dsi_automation.connectors.backups.port import Copied, StoredSet
from dsi_automation.connectors.media.errors import MediumDamagedError, MediumLostError
from dsi_automation.connectors.media.port import MediumWriter, Token
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError, GateClosedError, StoppedError, VerificationFailedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.operations.backups import acting, rotation
from dsi_automation.operations.backups.catalogue import CLEARED, COPY
from dsi_automation.operations.backups.records import copied_to_json
from dsi_automation.operations.tools import Hands

OVERHEAD: Final = 16 << 20
"""Bytes that a repository may take besides its content, for each snapshot: indexes, trees, a pack begun."""


def register(target: str, medium: str, hands: Hands) -> None:
    """Register a blank medium; one that another backup of this run registered meanwhile is left as it is."""
    plan = hands.look.backup_plan.media
    writer = hands.medium(medium, target)
    if writer.look().details.get("token") == Token.OURS:
        return
    writer.register(plan.rotations[str(plan.rotation_of(medium))].keep)


def copy(target: str, stored: StoredSet, medium: str, hands: Hands, observer: Observer) -> None:
    """Copy one set to a medium and record what was read back, good or bad.

    Raises:
        VerificationFailedError: what the medium gives back is not the set.
        MediumLostError: it was taken out meanwhile.
        DsiError: it could not be copied; nothing counts.
    """
    look = hands.look
    job, plan = look.backup_plan.backups[target], look.backup_plan.media
    name = str(plan.rotation_of(medium))
    password, progress = hands.medium_password(name), acting.progress(target, hands, observer)
    writer = hands.medium(medium, target)
    _clear(target, stored, medium, writer, hands)

    def work() -> Copied:
        folder = writer.begin(stored.id, needed(stored))
        with hands.backup(target) as engine:
            return engine.copy(stored, folder, password, progress)

    try:
        copied = acting.with_tries(target, job.retry, work, hands, observer)
    except DsiError as error:
        writer.give_up()
        if isinstance(error, GateClosedError | StoppedError) or writer.look().present:
            raise
        raise _gone(plan.media[medium].title, error) from error
    until = look.clock.now() + plan.rotations[name].keep
    writer.finish(stored.id, {**about(stored, copied), "kept_until": iso(until)}, progress)
    try:
        with writer.read_back(stored.id, progress) as folder, hands.backup(target) as engine:
            checks = engine.verify_copy(stored, copied, folder, password)
    except MediumDamagedError as error:
        _note(target, stored, medium, copied, [str(error.what)], hands)
        raise VerificationFailedError(
            error.what, on=target, meaning=error.meaning, next_step=error.next_step, detail=error.detail
        ) from error
    _judge(target, stored, medium, copied, checks, hands)
    text = T("{set} is on {medium}, read back and compared.", set=stored.id, medium=plan.media[medium].title)
    observer.notify(Event("copy.done", text, target=target))


def needed(stored: StoredSet) -> int:
    """Return how many bytes a copy takes at most: all that was read, uncompressed, and a repository around it."""
    return stored.made.size + OVERHEAD * (1 + len(stored.made.extra_snapshots))


def about(stored: StoredSet, copied: Copied) -> dict[str, Json]:
    """Return what the medium itself says of a set, for whoever has nothing but the medium."""
    made = stored.made
    return {
        "job": stored.job,
        "kind": stored.kind,
        "made_at": iso(made.ended_at),
        "engine": made.engine,
        "files": made.files,
        "size": made.size,
        "manifest": made.manifest,
        "snapshot": copied.snapshot,
        "extra_snapshots": list(copied.extra_snapshots),
        # The command names the folder it was made in; the instructions on the medium name the one it is in.
        "details": {name: value for name, value in copied.details.items() if name != "restore"},
    }


def _clear(target: str, stored: StoredSet, medium: str, writer: MediumWriter, hands: Hands) -> None:
    look = hands.look
    plan = look.backup_plan.media
    taking_turns = plan.rotations[str(plan.rotation_of(medium))]
    kind = plan.media[medium].kind
    going = rotation.to_clear(medium, kind, taking_turns, look.catalogue(), look.clock.now(), stored.id)
    if going:
        # The record first: it may name less than a medium holds, and never more.
        hands.note(target, CLEARED, {"medium": medium, "sets": list(going)})
        writer.remove(going)


def _judge(target: str, stored: StoredSet, medium: str, copied: Copied, checks: Sequence[Check], hands: Hands) -> None:
    failed = [] if acting.passed(checks) else acting.failures(checks)
    _note(target, stored, medium, copied, failed, hands)
    if failed:
        raise VerificationFailedError(
            T("What {medium} gives back is not {set}: {why}", medium=medium, set=stored.id, why=failed[0]),
            on=target,
            meaning=acting.how_many_failed(checks),
            next_step=T("Copy again on another medium, and take this one out of the rotation."),
            detail={"set": stored.id, "medium": medium, "failed": failed},
        )


def _note(target: str, stored: StoredSet, medium: str, copied: Copied, failed: Sequence[Json], hands: Hands) -> None:
    hands.note(
        target,
        COPY,
        {
            "set": stored.id,
            "medium": medium,
            "copied": copied_to_json(copied),
            "ok": not failed,
            "failed": list(failed),
        },
    )


def _gone(title: str, error: DsiError) -> MediumLostError:
    return MediumLostError(
        T("{title} was taken out while it was written.", title=title),
        meaning=T("The copy counts for nothing; no backup is lost."),
        next_step=T("Put it back in and run the same again."),
        detail={"engine": str(error.what)},
    )
