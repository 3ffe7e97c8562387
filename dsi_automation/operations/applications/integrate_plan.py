"""What is done to integrate a release, in which order, and why. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from dsi_automation.connectors.releases.port import Release, Script
from dsi_automation.core.canonical import Json
from dsi_automation.core.plan import Action, NonAction
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.application_model import Application
from dsi_automation.operations.applications import notes, planning
from dsi_automation.operations.applications.facts import World
from dsi_automation.operations.applications.integrate_facts import SourceFacts, SourceWorld
from dsi_automation.operations.applications.integrate_gate import blockers, in_use, newer_than
from dsi_automation.operations.applications.integrate_inputs import IntegrateInputs
from dsi_automation.operations.applications.record import ApplicationRecord
from dsi_automation.operations.applications.sessions import KIND as SESSIONS
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.decided import Decided

PUT = "put."
SCRIPT = "script."
SWITCH = "switch."
FORMER = "former"
"""What follows a test that is not conclusive: the release that was there before."""
CHANGES = frozenset(
    {notes.STOPPING, notes.SCRIPT, notes.SWITCHED, notes.ROLLING_BACK, notes.DEPLOYED, notes.ROLLED_BACK}
)
"""Notes after which a run is not asked again whether it may begin: what it has begun, it finishes or takes back."""


def decide(target: str, inputs: IntegrateInputs, found: SourceFacts, world: SourceWorld, run: str | None) -> Decided:
    """Return what is done about one application."""
    decided = Decided()
    decided.blockers += blockers(target, found, world, inputs)
    release = found.release
    if decided.blockers or release is None:
        return decided
    if _whole(target, release, found, world):
        words = T("Release {release} is in use on every server, with all its scripts.", release=release.name)
        decided.non_actions.append(NonAction(target, "release", words))
        return decided
    return _Planner(target, inputs, found, world, release, run, decided).decided_now()


def under_way(record: ApplicationRecord, run: str | None, target: str) -> bool:
    """Tell whether a run has begun to change an application."""
    return run is not None and any(note.target == target and note.name in CHANGES for note in record.of_run(run))


def unfinished(record: ApplicationRecord, target: str) -> Noted | None:
    """Return the beginning of an integration that changed something and neither succeeded nor went back."""
    begun: Noted | None = None
    changed = False
    for note in record.notes:
        if note.target != target:
            continue
        if note.name == notes.RELEASE_BEGUN:
            begun, changed = note, False
        elif note.name in {notes.DEPLOYED, notes.ROLLED_BACK}:
            begun = None
        elif begun is not None and note.run == begun.run and note.name in CHANGES:
            changed = True
    return begun if changed else None


@dataclass(slots=True)
class _Planner:
    target: str
    inputs: IntegrateInputs
    found: SourceFacts
    world: SourceWorld
    release: Release
    run: str | None
    decided: Decided = field(default_factory=Decided)

    @property
    def application(self) -> Application:
        return self.world.base.applications[self.target]

    def decided_now(self) -> Decided:
        self._told()
        steps = self._interruption()
        if self.decided.blockers:
            return self.decided
        self._put()
        self.decided.actions += [one for one in steps if one.kind.startswith((planning.WARN, planning.STOP, SESSIONS))]
        self._scripts()
        self._switch()
        rest = (planning.CACHES, planning.START)
        self.decided.actions += [one for one in steps if one.kind.startswith(rest) or one.kind == planning.BACK
                                 or one.kind == planning.TEST]  # fmt: skip
        return self.decided

    def _interruption(self) -> list[Action]:
        """Return the steps of a restart of the whole application: scripts and two releases side by side do not mix."""
        whole = self.application.model_copy(update={"rolling": False})
        base = self.world.base
        world = World({**base.applications, self.target: whole}, base.record, base.now)
        made = planning.decide(self.target, self.inputs.wish(), self.found.application, world, self.run)
        self.decided.blockers += made.blockers
        self.decided.non_actions += made.non_actions
        return [_goes_back(action) for action in made.actions]

    def _put(self) -> None:
        for server in self.application.servers:
            self._do(
                f"{PUT}{server.name}",
                {
                    "server": server.name,
                    "source": self.found.place.source,
                    "release": self.release.name,
                    "sha256": self.release.sha256,
                    "signer": self.release.signer,
                },
                T("Put release {release} on {host}, beside the others", release=self.release.name, host=server.host),
                T("“{title}”, signed by {signer} ({origin}). Nobody is disturbed by it.", title=self.release.title,
                  signer=self.release.signer, origin=self.release.origin),
            )  # fmt: skip

    def _scripts(self) -> None:
        # A release holds the scripts of those before it, too: each is run once, whichever release brings it.
        known = {one.file: one for one in self.found.applied or ()}
        for number, script in enumerate(self.release.scripts, start=1):
            kind = f"{SCRIPT}{number:03d}"
            if script.file in known:
                words = T("The database has {file} already, from release {release}, since {run}.", file=script.file,
                          release=known[script.file].release, run=known[script.file].run)  # fmt: skip
                self.decided.non_actions.append(NonAction(self.target, kind, words))
                continue
            self._do(
                kind,
                self._script_args(script),
                T("Run the database script {file}", file=script.file),
                T("In one transaction, together with the line that records it."),
                T("It is undone by {undo}.", undo=script.undo)
                if script.undo is not None
                else T("Nothing undoes it: a person must, from the backup."),
            )

    def _script_args(self, script: Script) -> dict[str, Json]:
        return {
            "source": self.found.place.source,
            "release": self.release.name,
            "file": script.file,
            "sha256": script.sha256,
            "undo": script.undo,
            "undo_sha256": script.undo_sha256,
            "timeout": self.found.place.line.script_timeout.total_seconds(),
        }

    def _switch(self) -> None:
        for server in self.application.servers:
            before = self.found.application.servers[server.name].release
            if before == self.release.name:
                words = T("{server} uses release {release} already.", server=server.name, release=before)
                self.decided.non_actions.append(NonAction(self.target, f"{SWITCH}{server.name}", words))
                continue
            self._do(
                f"{SWITCH}{server.name}",
                {"server": server.name, "release": self.release.name, "before": before},
                T("Have {server} use release {release}", server=server.name, release=self.release.name),
                T("It uses none now.")
                if before is None
                else T("It uses {before} now, which stays there.", before=before),
                None if before is None else T("The link is put back to {before}.", before=before),
            )

    def _told(self) -> None:
        """Tell what hinders nothing, and should be known."""
        record = self.world.base.record
        newer = newer_than(self.target, self.found, record, self.inputs)
        if newer is not None:
            words = T("This goes back from {newer}: the scripts of newer releases stay in the database.", newer=newer)
            self.decided.non_actions.append(NonAction(self.target, "downgrade", words))
        begun = unfinished(record, self.target)
        if begun is not None and begun.run != self.run:
            words = T(
                "{run} left the integration of {release} unfinished; `dsi resume {run}` finishes it. This plan begins "
                "anew.",
                run=begun.run,
                release=begun.data["release"],
            )
            self.decided.non_actions.append(NonAction(self.target, "unfinished", words))

    def _do(self, kind: str, args: Mapping[str, Json], title: Text, reason: Text, undo: Text | None = None) -> None:
        self.decided.actions.append(Action(self.target, kind, args, title, reason, undo))


def _goes_back(action: Action) -> Action:
    """Return a start or a test whose failure leads back to the former release, whatever the inventory says."""
    if action.kind != planning.TEST and not action.kind.startswith(planning.START):
        return action
    changed = dataclasses.replace(action, args={**action.args, "then": FORMER})
    if action.kind != planning.TEST:
        return changed
    reason = T("Not conclusive after {n} tries: the release before is put back, with its scripts undone.",
               n=action.args["tries"])  # fmt: skip
    return dataclasses.replace(changed, reason=reason)


def _whole(target: str, release: Release, found: SourceFacts, world: SourceWorld) -> bool:
    """Tell whether the release is in use there, on every server, with all its scripts, by the record too."""
    last = in_use(world.base.record, target, found.place.source)
    known = {(one.file, one.sha256) for one in found.applied or ()}
    servers = found.application.servers
    return (
        last is not None
        and (last.release, last.sha256) == (release.name, release.sha256)
        and unfinished(world.base.record, target) is None
        and all(name in servers and servers[name].release == release.name for name in _names(world, target))
        and all((script.file, script.sha256) in known for script in release.scripts)
    )


def _names(world: SourceWorld, target: str) -> list[str]:
    return [server.name for server in world.base.applications[target].servers]
