"""The reference of the metrics, made from the collector: `docs/reference/metrics.md`.

usage: python -m dsi_automation.metrics.reference FOLDER   (of the documentation; writes reference/metrics.md there)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from dsi_automation.metrics.collector import OWN, PARTS
from dsi_automation.metrics.spec import Spec

INTRODUCTION: Final = """\
# Metrics

Made from the collector by `python -m dsi_automation.metrics.reference docs`; a test holds it against it.

Everything is read from the journal and the inventory at each scrape: nothing is counted by the exporter itself, so a
restart loses nothing and two exporters tell the same. A moment that never came is 0, so that its age is greater than
any limit. Ages are Prometheus' business: `time() - dsi_backup_last_success_timestamp_seconds`. No label holds a person,
a run or a path. A part that cannot be read is absent, and its `dsi_collector_success` is 0: alert on that, and on
`up == 0`.

How to scrape, what to alert on and the dashboard: [monitoring](../monitoring/README.md).
"""


def reference() -> str:
    """Return the reference, as Markdown."""
    lines = [INTRODUCTION]
    for part in PARTS:
        lines += [f"## Part `{part.name}`\n", *_table(part.specs), ""]
    lines += ["## The exposition itself\n", *_table(OWN)]
    return "\n".join(lines) + "\n"


def names() -> dict[str, Spec]:
    """Return every family by the name it is queried by."""
    every = [*(spec for part in PARTS for spec in part.specs), *OWN]
    return {spec.name: spec for spec in every}


def _table(specs: Iterable[Spec]) -> Iterator[str]:
    yield "| metric | kind | labels | what it says |"
    yield "|---|---|---|---|"
    for spec in specs:
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        yield f"| `{spec.name}` | {spec.kind} | {labels} | {spec.help} |"


if __name__ == "__main__":
    Path(sys.argv[1], "reference", "metrics.md").write_text(reference(), encoding="utf-8")
