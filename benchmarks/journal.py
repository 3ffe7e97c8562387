"""How fast a journal of ten thousand entries is verified and exported."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.office import TARGET, MemoryKey, Office
from benchmarks.results import Benchmark, Effort, Row, Samples
from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.journal.checkpoints import NAME
from dsi_automation.journal.export import export
from dsi_automation.journal.model import Draft, Kind, Signed
from dsi_automation.journal.store import SqlTransaction
from dsi_automation.journal.verify import verify_journal

ACTIONS = 5
"""Actions of one run: a join takes four to six."""
BATCH = 100
"""Requests recorded in one transaction while the journal is made; checking does not know of transactions."""


_NAMES = {"R": "request", "X": "run"}


def measure(effort: Effort) -> Sequence[Row]:
    """Verify and export the same journal several times."""
    verified, exported, archived = Samples(), Samples(), Samples()
    with tempfile.TemporaryDirectory(prefix="dsi-bench-") as folder:
        home = Path(folder)
        office = Office(home / "state", ssh_keygen=False)
        fill(office, effort.entries)
        checkpoints = office.state / NAME
        found = verify_journal(office.journal, checkpoints)
        for number in range(effort.repeats):
            began = time.perf_counter()
            found = verify_journal(office.journal, checkpoints)
            verified.add(time.perf_counter() - began)
            if found.problems:
                raise RuntimeError(str(found.problems[0].text))
            began = time.perf_counter()
            export(office.journal, home / f"export{number}", checkpoints, [], folder=True)
            exported.add(time.perf_counter() - began)
            began = time.perf_counter()
            export(office.journal, home / f"export{number}.tar.gz", checkpoints, [])
            archived.add(time.perf_counter() - began)
        office.journal.close()
    return [
        Row("verify_rate", "entries verified per second", found.entries / verified.least, "/s"),
        Row("export_rate", "entries exported into a folder per second", found.entries / exported.least, "/s"),
        Row("archive_rate", "entries exported into an archive per second", found.entries / archived.least, "/s"),
        verified.row("verify", f"verify {found.entries} entries, {found.signatures} signatures", "s"),
        exported.row("export", "export them into a folder", "s"),
        archived.row("archive", "export them into an archive", "s"),
    ]


def fill(office: Office, length: int) -> None:
    """Bring the journal to at least `length` entries: stories of a request, each entry signed that would be."""
    key, number = MemoryKey("technician"), 0
    while office.journal.head().seq < length:
        with office.journal.transaction() as change:
            for _ in range(BATCH):
                if change.head.seq >= length:
                    break
                number += 1
                _story(change, key, number)


def _story(change: SqlTransaction, key: MemoryKey, number: int) -> None:
    request, run = f"R-20200101-{number:06x}", f"X-20200101-{number:06x}"

    def add(kind: Kind, subject: str, body: dict[str, object], *, signed: bool = False) -> None:
        document = canonical_bytes({"person": "technician", _NAMES[subject[0]]: subject, "padding": "x" * 400}).decode()
        word: Signed | None = key.sign(document, "dsi-bench") if signed else None
        change.append(Draft(kind, subject, "technician", body, word))

    action = {
        "target": TARGET,
        "args": {"path": "C:\\Users\\awa", "to": "awa.kone"},
        "title": {"en": "Do", "fr": "Faire"},
    }
    add(
        Kind.REQUESTED,
        request,
        {"valid_for_seconds": 86400, "approvals_needed": 1, "plan": {"actions": [action] * ACTIONS}},
        signed=True,
    )
    add(Kind.APPROVED, request, {}, signed=True)
    add(Kind.RUN_STARTED, run, {"request": request, "targets": [TARGET]}, signed=True)
    for name in range(ACTIONS):
        add(Kind.ABOUT_TO, run, {"action": f"a{name}", **action})
        add(Kind.ACTION_DONE, run, {"action": f"a{name}", "target": TARGET})
    add(Kind.EVIDENCE, run, {"checks": [{"name": f"c{name}", "ok": True} for name in range(ACTIONS)], "error": None})
    add(Kind.RUN_ENDED, run, {"outcome": "done", "exit_code": 0, "targets": {TARGET: "done"}, "errors": {}})


BENCHMARK = Benchmark("journal", "How fast is a long journal verified and exported?", measure)
