"""A report as people read it: the pages of the PDF, and the text of the mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dsi_automation.composition.reports import NOUNS
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import TN, T, Text
from dsi_automation.documents.backup_report import BackupReport, Chapter
from dsi_automation.documents.house import Words
from dsi_automation.operations.backups.facts import amount, size_words

PHASES: Final[Mapping[str, Text]] = {
    "look": T("look"),
    "before": T("command before"),
    "check": T("check of the repository"),
    "base": T("base backup"),
    "backup": T("backup"),
    "rman": T("RMAN"),
    "validate": T("validation by RMAN"),
    "counts": T("counts"),
    "logs": T("archived logs"),
    "manifest": T("manifest"),
    "repository": T("into the repository"),
    "archive": T("logs into the repository"),
    "after": T("command after"),
    "read": T("reading the repository"),
    "restore": T("bringing back"),
    "compare": T("comparison"),
    "start": T("start and replay"),
    "amcheck": T("indexes against tables"),
    "pages": T("checksums of the pages"),
}
"""What the engines call the parts of their work, for people, in the order of the work."""
PROVING: Final = ("check", "read", "restore", "compare", "start", "counts", "amcheck", "pages")
"""The order of a proof: a database is counted once it is brought back and started."""
LEVELS: Final[Mapping[int, Text]] = {
    0: T("nothing of it was read"),
    2: T("its data was read"),
    3: T("brought back and compared"),
    4: T("brought back, compared, started and asked"),
}
"""How far a proof went, for people."""
OUTCOMES: Final[Mapping[str, Text]] = {
    "done": T("ended well"),
    "unchanged": T("nothing to do"),
    "failed": T("failed"),
    "unknown": T("outcome unknown"),
    "unreachable": T("not reached"),
    "not_verified": T("not verified"),
    "interrupted": T("interrupted"),
}


def pages(report: Mapping[str, Any], organisation: str, title: Words) -> BackupReport:
    """Return the pages of a report, in the language that is spoken."""
    made = _moment(report["made_at"])
    return BackupReport(
        organisation=organisation,
        title=title,
        verdict=Text.from_json(report["verdict"]),
        date=made.date(),
        reference=report["id"],
        ok=report["ok"],
        summary=list(_summary(report)),
        chapters=[_chapter(run) for run in report["runs"]],
        evidence=[
            (T("Journal"), T("entry {seq}, {hash}", seq=str(report["journal"]["seq"]), hash=report["journal"]["hash"])),
            *((run["run"], run["evidence_sha256"]) for run in report["runs"]),
        ],
    )


def mail_text(report: Mapping[str, Any]) -> str:
    """Return the body of the mail, in the language that is spoken."""
    lines = [str(Text.from_json(report["verdict"])), ""]
    lines += [f"{name} : {value}" for name, value in _summary(report)]
    for run in report["runs"]:
        chapter = _chapter(run)
        lines += ["", str(chapter.title), *(f"  {name} : {value}" for name, value in chapter.rows)]
        lines += [f"  ! {alarm}" for alarm in chapter.alarms]
        lines += [f"  - {point}" for point in chapter.points]
    lines += ["", str(T("See it: {command}", command=f"dsi backup report {report['id']}"))]
    return "\n".join(lines) + "\n"


def _summary(report: Mapping[str, Any]) -> Iterator[tuple[Words, Words]]:
    titles = report["titles"]
    for name in report["targets"]:
        yield name, titles.get(name, name)
    yield T("Begun"), _shown(report["started_at"])
    runs = report["runs"]
    if runs[-1]["ended_at"]:
        yield T("Ended"), _shown(runs[-1]["ended_at"])
    if report["stopped"] is not None:
        yield T("Not begun"), _sentence(report["stopped"])


def _chapter(run: Mapping[str, Any]) -> Chapter:
    noun = NOUNS.get(run["operation"], T("run"))
    title = T("{what}: {operation}", what=str(noun)[:1].upper() + str(noun)[1:], operation=run["operation"])
    return Chapter(title, list(_rows(run)), list(_points(run)), list(_alarms(run)))


def _rows(run: Mapping[str, Any]) -> Iterator[tuple[Words, Words]]:
    outcome = OUTCOMES.get(run["outcome"] or "interrupted", T("outcome unknown"))
    yield T("Result"), T("{outcome} (code {code})", outcome=outcome, code=str(run["exit_code"]))
    yield T("Run"), run["run"]
    yield T("Launched by"), run["person"]["name"]
    request = run["request"]
    yield (
        T("Request"),
        T("{id}, by {person}: {reason}", id=request["id"], person=request["requester"], reason=request["reason"]),
    )
    approved = [one for one in run["decisions"] if one["decision"] in {"approve", "ratify"}]
    for one in approved:
        yield T("Approved by"), T("{person}, on {moment}", person=one["person"], moment=_shown(one["at"]))
    if not approved:
        yield T("Approved by"), T("nobody yet")
    yield T("Begun"), _shown(run["started_at"])
    if run["seconds"] is not None:
        yield T("Duration"), _seconds(run["seconds"])


def _points(run: Mapping[str, Any]) -> Iterator[Words]:
    yield from (_try(one) for one in run["tries"])
    for one in run["sets"]:
        made = one["set"]["made"]
        yield T(
            "Set {set}: {size}, {added} more in the repository; {phases}.",
            set=one["set"]["id"],
            size=size_words(made["files"], made["size"]),
            added=amount(made["added"]),
            phases=_phases(made["phases"], tuple(PHASES)),
        )
        yield T("SHA-256 of its manifest: {hash}", hash=made["manifest"])
        yield from (Text.from_json(warning) for warning in made["warnings"])
    for one in run["proofs"]:
        yield T(
            "Proof of {set}, level {level} ({words}): {size}; {phases}.",
            set=one["set"],
            level=str(one["level"]),
            words=LEVELS.get(one["level"], LEVELS[0]),
            size=size_words(one["restored_files"], one["restored_bytes"]),
            phases=_phases(one["phases"], PROVING),
        )
        yield from (_held(check) for check in one.get("checks", ()) if check["ok"])
    for one in run["copies"]:
        copied = amount(one["copied"]["size"])
        yield T("Copy of {set} on {medium}: {size}, read back.", set=one["set"], medium=one["medium"], size=copied)
    for one in run["restorations"]:
        size = size_words(one["files"], one["bytes"])
        yield T("{size} of {set} brought back to {place}.", size=size, set=one["set"], place=one["destination"])
    for one in run["forgotten"]:
        if one["sets"]:
            yield TN("{n} set removed by the plan: {names}", "{n} sets removed by the plan: {names}", len(one["sets"]),
                     names=", ".join(one["sets"]))  # fmt: skip
    for check in run["checks"]:
        if check["ok"]:
            yield _held(check)


def _alarms(run: Mapping[str, Any]) -> Iterator[Words]:
    if run["error"]:
        yield _sentence(run["error"])
    yield from (T("{target}: {why}", target=name, why=_sentence(error)) for name, error in run["errors"].items())
    for one in (*run["proofs"], *run["copies"], *run["restorations"]):
        yield from one["failed"]
    for check in run["checks"]:
        if not check["ok"]:
            yield T(
                "{title}: {observed} instead of {expected}",
                title=Text.from_json(check["title"]),
                observed=check["observed"],
                expected=check["expected"],
            )


def _held(check: Mapping[str, Any]) -> Text:
    return T("Checked: {title}: {observed}", title=Text.from_json(check["title"]), observed=check["observed"])


def _try(one: Mapping[str, Any]) -> Text:
    facts = {"number": str(one["number"]), "of": str(one["of"]), "time": _seconds(one["seconds"])}
    if one["error"] is None:
        return T("Try {number} of {of}: good, {time}.", **facts)
    why = one["error"]["what"]
    if one["wait"]:
        # Within a sentence the reason is no sentence of its own.
        part = str(why).rstrip(".")
        return T(
            "Try {number} of {of}: {why}; tried again after {wait}.", why=part, wait=_seconds(one["wait"]), **facts
        )
    return T("Try {number} of {of}: {why}", why=why, **facts)


def _sentence(error: Mapping[str, Any]) -> str:
    return " ".join(str(error[part]) for part in ("what", "meaning", "next_step") if error.get(part))


def _phases(phases: Mapping[str, float], order: Sequence[str]) -> str:
    """Return phases in the order of the work: the record, which sorts its keys, has lost it."""
    known = [name for name in order if name in phases]
    names = known + [name for name in phases if name not in known]
    return ", ".join(f"{PHASES.get(name, name)} {_seconds(phases[name])}" for name in names) or "-"


def _seconds(seconds: float) -> Text:
    return Seconds(seconds)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def _shown(text: str) -> str:
    return f"{_moment(text):%d/%m/%Y %H:%M:%S %Z}"
