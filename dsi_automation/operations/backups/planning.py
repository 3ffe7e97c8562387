"""What the planners of all backup operations hold against the record: the repository, the sets, the clock. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dsi_automation.connectors.backups.port import RepositoryFacts, SourceFacts, StoredSet
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Blocker, NonAction
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.backups.facts import BackupFacts, World, missing_from
from dsi_automation.operations.backups.health import CLOCK_SLACK


def repository_blockers(target: str, found: RepositoryFacts, world: World) -> Iterator[Blocker]:
    """Yield why the repository is not the one that the record knows: it vanished, or another one is in its place."""
    name = world.job(target).repository
    sets = world.in_repository(name)
    if not sets:
        return
    elsewhere = T(
        "Bring the repository back. Is it lost for good, or was it moved on purpose: describe the new one under "
        "another name in dsi_repositories; the record then keeps both apart."
    )
    if not found.exists:
        yield Blocker(
            target,
            TN(
                "The repository {name} is gone: the record has {n} set in it.",
                "The repository {name} is gone: the record has {n} sets in it.",
                len(sets),
                name=name,
            ),
            elsewhere,
            ExitCode.NOT_COMPLIANT,
        )
    elif found.id != sets[-1].made.repository:
        yield Blocker(
            target,
            T(
                "Where the repository {name} was there is another one: {found} instead of {known}.",
                name=name,
                found=(found.id or "-")[:12],
                known=sets[-1].made.repository[:12],
            ),
            elsewhere,
            ExitCode.NOT_COMPLIANT,
        )


def source_blockers(target: str, source: SourceFacts, last: StoredSet | None) -> Iterator[Blocker]:
    """Yield why no backup can be made of the source: its own problems, and a database that is another one."""
    for problem in source.problems:
        yield Blocker(target, problem, T("See to it on the machine that is backed up, then plan again."))
    if last is None:
        return
    for key, title in (("system_identifier", T("system identifier")), ("dbid", T("DBID"))):
        before, now = last.made.details.get(key), source.details.get(key)
        if before is not None and now is not None and str(before) != str(now):
            yield Blocker(
                target,
                T(
                    "This is another database than that of {set}: {title} {now} instead of {before}.",
                    set=last.id,
                    title=title,
                    now=now,
                    before=before,
                ),
                T(
                    "Correct the address in dsi_backups. Was the database made anew on purpose: give it a repository "
                    "of its own in dsi_repositories."
                ),
            )


def clock_warning(target: str, source: SourceFacts) -> Iterator[NonAction]:
    """Yield that the clock of the source is off: worth telling, and harmless, as nothing is ordered by it."""
    offset = source.clock_offset
    if offset is not None and abs(offset) > CLOCK_SLACK.total_seconds():
        minutes = round(abs(offset) / 60)
        late = T("behind") if offset < 0 else T("ahead")
        yield NonAction(
            target,
            "clock",
            T(
                "The clock of the source is {minutes} minutes {late}: nothing is ordered by it, but have it set right.",
                minutes=minutes,
                late=late,
            ),
        )


def told(target: str, facts: BackupFacts, world: World) -> Iterator[NonAction]:
    """Yield what is worth telling about a backup and hinders nothing."""
    if facts.source is not None:
        for warning in facts.source.warnings:
            yield NonAction(target, "source", warning)
        yield from clock_warning(target, facts.source)
    if facts.repository.locked is not None:
        why = T(
            "The repository is locked: {holder}. A lock without a holder is removed.", holder=facts.repository.locked
        )
        yield NonAction(target, "lock", why)
    gone = missing_from(facts.repository, world.catalogue.of(target)) if facts.repository.exists else ()
    if gone:
        yield NonAction(
            target,
            "missing_sets",
            TN(
                "{n} set of the record is no longer in the repository: {sets}. Find out who removed it.",
                "{n} sets of the record are no longer in the repository: {sets}. Find out who removed them.",
                len(gone),
                sets=", ".join(stored.id for stored in gone),
            ),
        )


def proof_words(stored: StoredSet, world: World) -> Text:
    """Return when a set was last verified, and whether it held."""
    proof = world.catalogue.last_proof(stored.id)
    if proof is None:
        return T("not verified yet")
    when = proof.at.astimezone()
    if proof.ok:
        return T("verified on {when:%Y-%m-%d at %H:%M}", when=when)
    return T("did not stand its verification on {when:%Y-%m-%d at %H:%M}", when=when)


def set_words(stored: StoredSet, world: World) -> Text:
    """Return a set in words: its name, since when, and whether it is verified."""
    return T(
        "{set} of {when:%Y-%m-%d at %H:%M}, {proof}",
        set=stored.id,
        when=world.catalogue.recorded[stored.id].astimezone(),
        proof=proof_words(stored, world),
    )
