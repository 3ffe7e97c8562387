"""What must be so before a release may go to a stage; asked at the plan, and again at the run. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dsi_automation.connectors.releases import versions
from dsi_automation.connectors.releases.port import Release
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Blocker
from dsi_automation.core.text import T, Text
from dsi_automation.engine.model import Verdict
from dsi_automation.inventory.durations import short
from dsi_automation.inventory.source_model import Stage
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.integrate_facts import SourceFacts, SourceWorld
from dsi_automation.operations.applications.integrate_inputs import IntegrateInputs
from dsi_automation.operations.applications.record import ApplicationRecord, Deployed


def blockers(target: str, found: SourceFacts, world: SourceWorld, inputs: IntegrateInputs) -> Iterator[Blocker]:
    """Yield everything that keeps a release from being integrated."""
    if found.release is None:
        yield _of_error(target, found.problem)
        return
    if world.base.applications[target].deployment is None:
        yield Blocker(
            target,
            T("dsi_applications gives {application} no `deployment`: no releases are put there.", application=target),
            T("Add `deployment` to it, with `releases` and `link`."),
        )
        return
    yield from _stage_before(target, found.release, found, world.base.record)
    yield from _backup(target, found, world)
    yield from _scripts(target, found.release, found, world)
    yield from _age(target, found, world.base.record, inputs)


def in_use(record: ApplicationRecord, application: str, source: str) -> Deployed | None:
    """Return the release of a line of sources that is in use somewhere, by the record."""
    there = [one for one in record.deployed if one.application == application and one.source == source]
    return there[-1] if there else None


def last_test(record: ApplicationRecord, run: str, application: str) -> bool | None:
    """Return whether the last connection test that a run made of an application was conclusive; None without one."""
    tests = [note for note in record.of_run(run, notes.TESTED) if note.target == application]
    return bool(tests[-1].data["conclusive"]) if tests else None


def _stage_before(target: str, release: Release, found: SourceFacts, record: ApplicationRecord) -> Iterator[Blocker]:
    before = found.place.before
    if before is None:
        return
    facts = {"release": release.name, "stage": before.name}
    there = [
        one
        for one in record.deployed
        if (one.application, one.source, one.stage) == (before.application, found.place.source, before.name)
        and one.release == release.name
    ]
    same = [one for one in there if one.sha256 == release.sha256]
    if not same:
        what = T("Release {release} was not integrated and tested in {stage}, the stage before.", **facts)
        if there:
            what = T("What was integrated in {stage} as release {release} is another archive.", **facts)
        yield Blocker(
            target,
            what,
            T(
                "Integrate it there first: dsi sources integrate {application} {release}",
                application=before.application,
                release=release.name,
            ),
        )
        return
    if last_test(record, same[-1].run, before.application) is not True:
        yield Blocker(
            target,
            T("The connection test of release {release} in {stage} was not conclusive.", **facts),
            T("See why: dsi show {run}", run=same[-1].run),
        )
        return
    yield from _accepted(target, release, before, found)


def _accepted(target: str, release: Release, before: Stage, found: SourceFacts) -> Iterator[Blocker]:
    facts = {"release": release.name, "stage": before.name}
    word = found.acceptances.get((release.name, before.name))
    roles = ", ".join(before.acceptors)
    if word is None or word.order.sha256 != release.sha256:
        yield Blocker(
            target,
            T("Nobody has signed that release {release} passed {stage}.", **facts),
            T(
                "Somebody of {roles}, who did not bring it there, signs it: dsi sources accept {release} {stage} "
                "--comment TEXT",
                roles=roles,
                **facts,
            ),
        )
    elif word.order.verdict is Verdict.REJECTED:
        yield Blocker(
            target,
            T("{person} rejected release {release} in {stage}: {comment}", person=word.person,
              comment=word.order.comment, **facts),
            T("Bring a corrected release, or have it accepted after all: dsi sources accept {release} {stage} "
              "--comment TEXT", **facts),
        )  # fmt: skip


def _backup(target: str, found: SourceFacts, world: SourceWorld) -> Iterator[Blocker]:
    needed = found.place.stage.needs_backup
    if needed is None:
        return
    database = world.base.applications[target].database
    name = None if database is None else database.backup
    if name is None:
        yield Blocker(
            target,
            T("Stage {stage} needs a verified backup, and dsi_applications names none for the database of "
              "{application}.", stage=found.place.stage.name, application=target),
            T("Give `database` its `backup`: a name of dsi_backups."),
        )  # fmt: skip
        return
    verified = world.catalogue.verified(name)
    age = None if not verified else world.base.now - world.catalogue.recorded[verified[-1].id]
    if age is None or age > needed:
        what = T("There is no verified backup of the database: {name} has none.", name=name)
        if age is not None:
            what = T(
                "The newest verified backup of the database, {set}, is older than {limit}.",
                set=verified[-1].id,
                limit=short(needed),
            )
        yield Blocker(target, what, T("Make one and have it verified: dsi backup run {name}", name=name))


def _scripts(target: str, release: Release, found: SourceFacts, world: SourceWorld) -> Iterator[Blocker]:
    for file, error in found.unfit.items():
        yield Blocker(
            target,
            T("Script {file} cannot be run: {problem}", file=file, problem=error.what),
            error.next_step or T("Have the release corrected."),
        )
    if not release.scripts:
        return
    if world.base.applications[target].database is None:
        yield Blocker(
            target,
            T("Release {release} has database scripts, and dsi_applications gives {application} no database.",
              release=release.name, application=target),
            T("Add `database` to it."),
        )  # fmt: skip
        return
    if found.applied is None:
        yield _of_error(target, found.unread)
        return
    known = {one.file: one for one in found.applied}
    for script in release.scripts:
        if script.file in known and known[script.file].sha256 != script.sha256:
            yield Blocker(
                target,
                T("The database has another script {file} of release {release}, applied by {run}.",
                  file=script.file, release=known[script.file].release, run=known[script.file].run),
                T("A script that was applied is never changed: have the release made anew, with another version."),
            )  # fmt: skip


def _age(target: str, found: SourceFacts, record: ApplicationRecord, inputs: IntegrateInputs) -> Iterator[Blocker]:
    newer = newer_than(target, found, record, inputs)
    if newer is not None and not inputs.downgrade:
        yield Blocker(
            target,
            T("Release {release} is older than {newer}, which is in use there.", release=inputs.release, newer=newer),
            T("To go back on purpose: --downgrade; scripts of newer releases stay in the database."),
        )


def newer_than(target: str, found: SourceFacts, record: ApplicationRecord, inputs: IntegrateInputs) -> str | None:
    """Return the release in use when it is newer than the one asked for."""
    by_record = in_use(record, target, found.place.source)
    names = {seen.release for seen in found.application.servers.values() if seen.release is not None}
    names |= {by_record.release} if by_record is not None else set()
    newer = [name for name in names if versions.order(name) > versions.order(inputs.release)]
    return max(newer, key=versions.order) if newer else None


def _of_error(target: str, error: DsiError | None) -> Blocker:
    if error is None:
        return Blocker(target, T("There is no such release."), T("See which there are: dsi sources list"))
    unreachable = isinstance(error, UnreachableError)
    what: Text = error.what if error.meaning is None else T("{what} {more}", what=error.what, more=error.meaning)
    code = ExitCode.UNREACHABLE if unreachable else ExitCode.NOT_COMPLIANT
    return Blocker(target, what, error.next_step or T("See to it, then plan again."), code)
