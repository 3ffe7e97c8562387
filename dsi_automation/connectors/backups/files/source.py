"""A look at what would be backed up: the engine there, every path, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dsi_automation.connectors.backups.files.work import Work
from dsi_automation.connectors.backups.port import SourceFacts
from dsi_automation.connectors.backups.restic import version
from dsi_automation.connectors.ssh.port import Program
from dsi_automation.core.text import T, Text

CLOCK_TOLERANCE: Final = 60.0
"""Seconds a clock may be off before it is worth telling; nothing is ordered by it."""

# One start for everything: what it asks for are its arguments.
_LOOK: Final = r"""
PATH=$PATH:/usr/local/go/bin
{ v=$("$1" version 2>&1 | head -n 1); echo "restic $v"; } &
command -v python3 >/dev/null 2>&1 && echo "python yes" || echo "python no"
echo "clock $(date +%s.%N)"
if [ "$(id -u)" = 0 ]; then echo "cache /var/cache/dsi-automation"
else echo "cache ${XDG_CACHE_HOME:-$HOME/.cache}/dsi-automation"; fi
shift
n=0
for p do
  n=$((n+1))
  if [ ! -e "$p" ]; then s=missing
  elif [ -d "$p" ]; then
    if [ ! -r "$p" ] || [ ! -x "$p" ]; then s=unreadable
    elif [ -z "$(ls -A -- "$p" | head -n 1)" ]; then s=empty
    else s=ok; fi
  elif [ -r "$p" ]; then s=ok
  else s=unreadable; fi
  echo "path $n $s"
done
wait
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen on the server.

    Attributes:
        paths: the state of each path of the plan: `ok`, `missing`, `unreadable`, `empty`.
        cache: folder for what only makes the next backup quicker.
        offset: its clock minus ours, seconds.
    """

    restic: str
    python: bool
    cache: str
    offset: float | None
    paths: dict[str, str]


def look(work: Work) -> Looked:
    """Look at the server; changes nothing."""
    before = work.clock.now()
    done = work.shell.run(Program(["sh", "-c", _LOOK, "dsi", work.files.restic, *work.files.paths], timeout=120.0))
    after = work.clock.now()
    told: dict[str, str] = {}
    states: dict[str, str] = {}
    for line in done.text.splitlines():
        key, _, value = line.partition(" ")
        if key == "path":
            number, _, state = value.partition(" ")
            states[work.files.paths[int(number) - 1]] = state
        else:
            told[key] = value
    return Looked(
        told.get("restic", ""),
        told.get("python") == "yes",
        told.get("cache", "/var/cache/dsi-automation"),
        _offset(told.get("clock", ""), before, after),
        states,
    )


def facts(work: Work) -> SourceFacts:
    """Return what is worth knowing before a backup is planned."""
    seen = look(work)
    problems, warnings = list(path_problems(work, seen)), []
    engine = "restic"
    try:
        found = version.parse(seen.restic, work.shell.name)
        engine = str(found)
        if found.warning is not None:
            warnings.append(found.warning)
    except version.VersionError as error:
        problems.append(error.what)
    if not seen.python:
        problems.append(T("{host} has no python3, which makes the manifest.", host=work.shell.name))
    if seen.offset is not None and abs(seen.offset) > CLOCK_TOLERANCE:
        warnings.append(
            T("The clock of {host} is off by {seconds} s.", host=work.shell.name, seconds=round(seen.offset))
        )
    return SourceFacts(engine, seen.offset, tuple(problems), tuple(warnings), {"paths": dict(seen.paths)})


def path_problems(work: Work, seen: Looked) -> list[Text]:
    """Return why what is there cannot be backed up now."""
    host, problems = work.shell.name, []
    for path in work.files.paths:
        match seen.paths.get(path, "missing"):
            case "missing":
                problems.append(T("{path} is not there on {host}.", path=path, host=host))
            case "unreadable":
                problems.append(T("{path} on {host} may not be read.", path=path, host=host))
            case "empty" if work.common.minimum_files > 0:
                problems.append(T("{path} on {host} is empty: is its filesystem mounted?", path=path, host=host))
    return problems


def _offset(told: str, before: datetime, after: datetime) -> float | None:
    try:
        there = float(told.replace("N", ""))
    except ValueError:
        return None
    return there - (before.timestamp() + after.timestamp()) / 2
