"""Which release of a line of sources is where: from the record alone, pure; `drift` compares it with the servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import DsiError
from dsi_automation.inventory.source_model import Sources, Stage
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.integrate_gate import in_use
from dsi_automation.operations.applications.integrate_plan import unfinished
from dsi_automation.operations.applications.record import ApplicationRecord, Deployed

if TYPE_CHECKING:
    from dsi_automation.engine.model import Acceptance, Decision, Request, Run
    from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class Tried:
    """A connection test, as the record has it; `steps` by address, seconds of each."""

    at: datetime
    conclusive: bool
    steps: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """One stage of a line of sources, as it stands.

    Attributes:
        deployed: the release in use there, by the record; None when none was ever integrated there.
        signer: who signed that release.
        person: who ran the integration; `request` under which it ran, `approvals` who agreed.
        tested: the test after it.
        word: the last word about that very archive at this stage.
        cut: a run that left an integration unfinished there.
        back: the last release that did not pass there, when it came after what is in use.
    """

    source: str
    stage: Stage
    deployed: Deployed | None = None
    signer: str | None = None
    person: str | None = None
    request: str | None = None
    approvals: tuple[Decision, ...] = ()
    tested: Tried | None = None
    word: Acceptance | None = None
    cut: str | None = None
    back: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What one server really uses, against the record; `problem` when it could not be looked at."""

    server: str
    expected: str | None
    found: str | None
    problem: DsiError | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the server uses what the record says; where it says nothing, there is nothing to differ from."""
        return self.problem is None and self.expected in {None, self.found}


def standings(
    source: str,
    line: Sources,
    record: ApplicationRecord,
    words: Mapping[tuple[str, str], Acceptance],
    runs: Mapping[str, Run],
    requests: Mapping[str, Request],
) -> tuple[Standing, ...]:
    """Return how every stage of a line stands, in order.

    Args:
        words: the last word by release and stage. runs, requests: by their identifiers.
    """
    return tuple(_standing(source, stage, record, words, runs, requests) for stage in line.stages)


def drift(standing: Standing, look: Look) -> tuple[Link, ...]:
    """Look at the link of every server of a stage; read-only."""
    target = standing.stage.application
    names = [server.name for server in look.applications[target].servers]
    seen, unseen = look_at_servers(target, names, look)
    expected = None if standing.deployed is None else standing.deployed.release
    return tuple(Link(name, expected, seen[name].release if name in seen else None, unseen.get(name)) for name in names)


def _under_way(run: str, runs: Mapping[str, Run]) -> bool:
    return run in runs and runs[run].held_by is not None


def _standing(
    source: str,
    stage: Stage,
    record: ApplicationRecord,
    words: Mapping[tuple[str, str], Acceptance],
    runs: Mapping[str, Run],
    requests: Mapping[str, Request],
) -> Standing:
    there = in_use(record, stage.application, source)
    begun = unfinished(record, stage.application)
    cut = None if begun is None or begun.data["source"] != source or _under_way(begun.run, runs) else begun.run
    back = _went_back(record, stage.application, source, there)
    if there is None:
        return Standing(source, stage, cut=cut, back=back)
    run = runs.get(there.run)
    request = None if run is None else requests.get(run.request_id)
    word = words.get((there.release, stage.name))
    agreed = () if request is None else request.decisions
    signers = [
        one.data["signer"] for one in record.of_run(there.run, notes.DEPLOYED) if one.target == stage.application
    ]
    return Standing(
        source=source,
        stage=stage,
        deployed=there,
        signer=signers[-1] if signers else None,
        person=None if run is None else run.person,
        request=None if run is None else run.request_id,
        approvals=tuple(one for one in agreed if one.decision in {"approve", "ratify"}),
        tested=_tested(record, there.run, stage.application),
        word=word if word is not None and word.order.sha256 == there.sha256 else None,
        cut=cut,
        back=back,
    )


def _tested(record: ApplicationRecord, run: str, application: str) -> Tried | None:
    tests = [note for note in record.of_run(run, notes.TESTED) if note.target == application]
    if not tests:
        return None
    data = tests[-1].data
    steps = {one["server"]: sum(step["seconds"] for step in one["steps"]) for one in data["tests"]}
    return Tried(parse_iso(data["at"]), bool(data["conclusive"]), steps)


def _went_back(record: ApplicationRecord, application: str, source: str, there: Deployed | None) -> str | None:
    begun = {note.run: note.data["source"] for note in record.notes if note.name == notes.RELEASE_BEGUN}
    back: Sequence[str] = [
        str(note.data["release"])
        for note in record.notes
        if note.name == notes.ROLLED_BACK
        and note.target == application
        and begun.get(note.run) == source
        and (there is None or note.at > there.at)
    ]
    return back[-1] if back else None
