"""Lines of sources, releases and stages on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.moments import local
from dsi_automation.cli.output import Output
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text
from dsi_automation.engine.model import Verdict

if TYPE_CHECKING:
    from dsi_automation.connectors.releases.port import Release
    from dsi_automation.engine.model import Acceptance
    from dsi_automation.inventory.source_model import Sources
    from dsi_automation.operations.applications.sources_status import Link, Standing

SHORT: Final = 12
"""Characters of a digest that people read."""


def line_view(name: str, line: Sources, releases: tuple[str, ...] | DsiError) -> dict[str, Any]:
    """Return a line of sources as `--json` prints it."""
    failed = isinstance(releases, DsiError)
    return {
        "name": name,
        "title": line.title,
        "stages": [
            {"name": stage.name, "application": stage.application, "acceptors": list(stage.acceptors)}
            for stage in line.stages
        ],
        "releases": [] if isinstance(releases, DsiError) else list(releases),
        "error": releases.to_json() if failed and isinstance(releases, DsiError) else None,
    }


def show_lines(out: Output, lines: Mapping[str, Sources], found: Mapping[str, tuple[str, ...] | DsiError]) -> None:
    """Write every line of sources, with its stages and releases."""
    for name, line in lines.items():
        out.line(T("{name}: {title}", name=name, title=line.title), bold=True)
        for stage in line.stages:
            out.line(
                T("{stage}: {application}, accepted by {roles}", stage=stage.name, application=stage.application,
                  roles=", ".join(stage.acceptors)),
                indent=2,
            )  # fmt: skip
        releases = found[name]
        if isinstance(releases, DsiError):
            out.line(releases.what, indent=2, fg="red")
        elif not releases:
            out.line(T("No release is there."), indent=2)
        else:
            out.line(T("Releases: {names}", names=", ".join(releases)), indent=2)


def standing_view(one: Standing, links: Sequence[Link] | None) -> dict[str, Any]:
    """Return a stage as `--json` prints it; `links` where the servers were looked at."""
    there, tested = one.deployed, one.tested
    return {
        "source": one.source,
        "stage": one.stage.name,
        "application": one.stage.application,
        "release": None if there is None else there.release,
        "sha256": None if there is None else there.sha256,
        "signer": one.signer,
        "before": None if there is None else there.before,
        "since": None if there is None else iso(there.at),
        "run": None if there is None else there.run,
        "person": one.person,
        "request": one.request,
        "approvals": [{"person": item.person, "at": iso(item.at), "comment": item.comment} for item in one.approvals],
        "tested": None
        if tested is None
        else {"at": iso(tested.at), "conclusive": tested.conclusive, "seconds": dict(tested.steps)},
        "accepted": None if one.word is None else word_view(one.word),
        "unfinished": one.cut,
        "went_back": one.back,
        "servers": None if links is None else [_link_view(link) for link in links],
    }


def show_standings(out: Output, found: Sequence[Standing], seen: Sequence[Sequence[Link] | None]) -> None:
    """Write a line for each stage, and beneath it what is worth more than a word."""
    headers = (
        T("Sources"), T("Stage"), T("Application"), T("Release"), T("Since"), T("By"), T("Request"), T("Agreed by"),
        T("Tested"), T("Accepted"),
    )  # fmt: skip
    rows = [
        (
            one.source,
            one.stage.name,
            one.stage.application,
            None if one.deployed is None else one.deployed.release,
            None if one.deployed is None else local(one.deployed.at),
            one.person,
            one.request,
            ", ".join(item.person for item in one.approvals),
            _test_words(one),
            _acceptance_words(one),
        )
        for one in found
    ]
    out.table(headers, rows, [_colour(one, links) for one, links in zip(found, seen, strict=True)])
    for one, links in zip(found, seen, strict=True):
        if one.cut is not None:
            out.line(T("{stage}: {run} is not finished: dsi resume {run}", stage=one.stage.name, run=one.cut))
        if one.back is not None:
            out.line(T("{stage}: release {release} did not pass since, and was taken back.", stage=one.stage.name,
                       release=one.back))  # fmt: skip
        for link in links or ():
            out.line(_link_words(one, link), fg=None if link.ok else "red")


def release_view(
    source: str, release: Release, there: Sequence[Standing], words: Sequence[Acceptance]
) -> dict[str, Any]:
    """Return a release as `--json` prints it."""
    return {
        "source": source,
        "release": release.name,
        "title": release.title,
        "sha256": release.sha256,
        "signer": release.signer,
        "origin": release.origin,
        "archive": str(release.archive),
        "scripts": [
            {"file": one.file, "sha256": one.sha256, "undo": one.undo, "undo_sha256": one.undo_sha256}
            for one in release.scripts
        ],
        "stages": [standing_view(one, None) for one in _with(release, there)],
        "words": [word_view(word) for word in words],
    }


def show_release(
    out: Output, line: Sources, release: Release, there: Sequence[Standing], words: Sequence[Acceptance]
) -> None:
    """Write what there is to know of one release."""
    out.line(T("{title}, release {release}: {what}", title=line.title, release=release.name, what=release.title),
             bold=True)  # fmt: skip
    out.line(T("Signed by {signer}; {origin}", signer=release.signer, origin=release.origin))
    out.line(T("SHA-256: {sha256}", sha256=release.sha256))
    if not release.scripts:
        out.line(T("It has no database scripts."))
    for one in release.scripts:
        undo = T("undone by {undo}", undo=one.undo) if one.undo else T("nothing undoes it")
        out.line(T("Script {file}: {undo}", file=one.file, undo=undo))
    stages = _with(release, there)
    if not stages:
        out.line(T("It is in use nowhere."))
    for stage in stages:
        if stage.deployed is not None:
            facts = {"when": local(stage.deployed.at), "run": stage.deployed.run}
            out.line(
                T(
                    "In use in {stage} ({application}) since {when}, by {run}",
                    stage=stage.stage.name,
                    application=stage.stage.application,
                    **facts,
                )
            )
    for word in words:
        out.line(word_words(word))


def word_view(word: Acceptance) -> dict[str, Any]:
    """Return a word on a release as `--json` prints it."""
    order = word.order
    return {
        "id": word.id,
        "source": order.source,
        "release": order.release,
        "sha256": order.sha256,
        "stage": order.stage,
        "run": order.run,
        "verdict": str(order.verdict),
        "comment": order.comment,
        "person": word.person,
        "at": iso(word.at),
    }


def word_words(word: Acceptance) -> Text:
    """Return a word on a release in one sentence."""
    facts = {"release": word.order.release, "stage": word.order.stage, "person": word.person,
             "when": local(word.at), "comment": word.order.comment}  # fmt: skip
    if word.order.verdict is Verdict.ACCEPTED:
        return T("Release {release} was accepted in {stage} by {person}, {when}: {comment}", **facts)
    return T("Release {release} was REJECTED in {stage} by {person}, {when}: {comment}", **facts)


def _with(release: Release, there: Sequence[Standing]) -> list[Standing]:
    return [one for one in there if one.deployed is not None and one.deployed.sha256 == release.sha256]


def _test_words(one: Standing) -> Text | None:
    if one.tested is None:
        return None
    if not one.tested.conclusive:
        return T("NOT CONCLUSIVE")
    return T("conclusive, {time}", time=Seconds(max(one.tested.steps.values(), default=0.0)))


def _acceptance_words(one: Standing) -> Text | None:
    if one.word is None:
        return None if one.deployed is None else T("not yet")
    if one.word.order.verdict is Verdict.REJECTED:
        return T("REJECTED by {person}", person=one.word.person)
    return T("by {person}", person=one.word.person)


def _colour(one: Standing, links: Sequence[Link] | None) -> str:
    rejected = one.word is not None and one.word.order.verdict is Verdict.REJECTED
    wrong = any(not link.ok for link in links or ())
    return "red" if wrong or rejected or one.cut is not None else ""


def _link_view(link: Link) -> dict[str, Any]:
    return {
        "server": link.server,
        "expected": link.expected,
        "found": link.found,
        "ok": link.ok,
        "error": None if link.problem is None else link.problem.to_json(),
    }


def _link_words(one: Standing, link: Link) -> Text:
    facts = {"stage": one.stage.name, "server": link.server}
    if link.problem is not None:
        return T("{stage}, {server}: {why}", why=link.problem.what, **facts)
    if link.expected is None:
        return T("{stage}, {server}: uses {found}; the record knows of none.", found=link.found or "-", **facts)
    if link.ok:
        return T("{stage}, {server}: uses {release}, as the record says.", release=link.found or "-", **facts)
    return T("{stage}, {server}: uses {found}, and the record says {expected}.", found=link.found or "-",
             expected=link.expected or "-", **facts)  # fmt: skip
