"""The stand-ins themselves: `rman` and `sqlplus` of a machine without Oracle. Standard library only.

They understand the command files and questions of the toolkit, write the log a real RMAN would write, and make, shorten
or omit the pieces that log names. Their catalogue is one file; its order is that of the file system's writes.
"""

from __future__ import annotations

import fcntl
import json
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if __name__ == "standin":
    from sequences import FRAME, SCENARIOS, Scenario  # type: ignore[import-not-found,unused-ignore]  # beside this copy
else:
    from dsi_automation.lab.oracle.sequences import FRAME, SCENARIOS, Scenario

_SIZES = {"data": 400_000, "logs": 90_000, "control": 60_000, "spfile": 8_192, "auto": 70_000}
_FILE = "/u01/oradata/SYDAM/test01.dbf"
_SCN = 1_000


def rman(home: Path, arguments: list[str]) -> int:
    """Do what a command file says, or check its syntax."""
    scenario = _scenario(home)
    given = dict(word.split("=", 1) for word in arguments if "=" in word)
    if arguments[:1] == ["checksyntax"]:
        return _syntax(scenario)
    script = Path(given["cmdfile"]).read_text("utf-8")
    with Path(given["log"]).open("w", encoding="utf-8") as log, _catalogue(home) as catalogue:
        session = _Session(scenario, catalogue, log, script)
        return session.run()


def sqlplus(home: Path, arguments: list[str]) -> int:
    """Answer the toolkit's questions from the catalogue."""
    if arguments != ["-S", "-L", "/ as sysdba"]:
        sys.stdout.write("SP2-0306: Invalid option.\n")
        return 1
    scenario, asked = _scenario(home), sys.stdin.read()
    if scenario.instance_status == "DOWN":
        sys.stdout.write(
            "ERROR:\nORA-01034: ORACLE not available\nSP2-0157: unable to CONNECT to ORACLE after 1 attempts\n"
        )
        return 1
    mark = re.search(r"PROMPT DSI-BEGIN (\S+)", asked)
    tag = re.search(r"COMMAND_ID = '([^']*)'", asked)
    with _catalogue(home) as catalogue:
        session = catalogue["sessions"].get(tag[1] if tag else "", {})
        lines = [
            f"DSI:{name}:{row}"
            for name in re.findall(r"'DSI:([a-z]+):'", asked)
            for row in _rows(name, scenario, catalogue, session)
        ]
    found = mark[1] if mark else ""
    sys.stdout.write("\n".join([f"DSI-BEGIN {found}", *lines, f"DSI-END {found}", ""]))
    return 0


class _Session:
    """One run of RMAN over one command file."""

    def __init__(self, scenario: Scenario, catalogue: dict[str, Any], log: Any, script: str) -> None:
        self._scenario = scenario
        self._catalogue = catalogue
        self._log = log
        self._script = script
        self._values = {"now": _now(), "tag": "", "handle": "", "file": _FILE}
        self._dbid = scenario.dbid or catalogue["dbid"]

    def run(self) -> int:
        """Play the whole session and return RMAN's exit status."""
        scenario = self._scenario
        started = time.strftime("%a %b %d %H:%M:%S %Y")
        self._say("", f"Recovery Manager: Release 19.0.0.0.0 - Production on {started}", "Version 19.21.0.0.0", "")
        self._say("Copyright (c) 1982, 2019, Oracle and/or its affiliates.  All rights reserved.", "")
        if scenario.at == "connect":
            return self._fail(scenario)
        self._say(f"connected to target database: {self._catalogue['name']} (DBID={self._dbid})", "")
        lines = self._script.splitlines()
        self._say(*(f"{'RMAN>' if number == 1 else f'{number}>'} {line}" for number, line in enumerate(lines, 1)))
        if "BACKUP AS COMPRESSED" in self._script:
            return self._backup()
        if "CROSSCHECK" in self._script:
            return self._prove()
        self._say("specification does not match any backup in the repository")
        return self._end(0)

    def _backup(self) -> int:
        scenario, script = self._scenario, self._script
        found = re.search(r"FORMAT '(.+?)/%d_%T_%U\.bkp'", script)
        tagged = re.search(r"SET COMMAND ID TO '(.+?)'", script)
        level = re.search(r"INCREMENTAL LEVEL (\d)", script)
        if not (found and tagged and level):
            return self._end(1)
        folder, tag = Path(found[1]), tagged[1]
        key = self._catalogue["next"]
        self._values |= {"tag": tag, "handle": f"{folder}/{self._catalogue['name']}_{key}.bkp"}
        session: dict[str, Any] = {"key": key, "status": "FAILED", "pieces": [], "logs": []}
        session |= {"since": self._catalogue["base"] if level[1] == "1" else 0, "scn": self._catalogue["scn"]}
        self._catalogue["sessions"][tag] = session
        self._say(
            "executing command: SET COMMAND ID", "", "using target database control file instead of recovery catalog"
        )
        self._say("allocated channel: c1", "channel c1: SID=68 device type=DISK", "")
        for kind in _SIZES:
            if kind in scenario.omit:
                continue
            if self._fails_with(kind):
                self._write(folder, kind, tag, session, told=False)
                if scenario.cut:
                    self._log.write("channel c1: starting piece 1 at 20")
                    return scenario.status or 137
                return self._fail(scenario)
            self._write(folder, kind, tag, session, told=True)
        scn = self._catalogue["scn"]
        asked = re.search(r"ARCHIVELOG FROM SCN (\d+);", script)
        first = int(asked[1]) if asked else _SCN
        session["logs"] = [f"1|{first // _SCN}|{first}|{scn + _SCN}"]
        session["times"] = [self._catalogue["last"], _utc()]
        self._catalogue |= {"scn": scn + _SCN, "last": _utc()}
        session["status"] = scenario.job
        if level[1] == "0":
            self._catalogue["base"] = scn
        if scenario.at is None:
            self._say(*scenario.plain)
        self._say("released channel: c1", "")
        return self._end(0 if scenario.status is None else scenario.status)

    def _fails_with(self, kind: str) -> bool:
        # A log that is missing is noticed when logs are read, all else with the data files.
        return self._scenario.at == "backup" and kind == (
            "logs" if "RMAN-06059" in "".join(self._scenario.stack) else "data"
        )

    def _write(self, folder: Path, kind: str, tag: str, session: dict[str, Any], *, told: bool) -> None:
        key, name = self._catalogue["next"], self._catalogue["name"]
        self._catalogue["next"] = key + 1
        place = folder / (
            f"c-{self._catalogue['dbid']}-{time.strftime('%Y%m%d')}-{key % 100:02d}"
            if kind == "auto"
            else f"{name}_{key}.bkp"
        )
        content = random.Random(key).randbytes(_SIZES[kind])  # noqa: S311  # data of a lab
        if kind not in self._scenario.remove:
            place.write_bytes(content[: len(content) // 2] if kind in self._scenario.shorten else content)
        if not told:
            return
        own = "TAG20261122T020133" if kind == "auto" else tag
        session["pieces"].append({"key": key, "kind": kind, "size": len(content), "tag": own, "handle": str(place)})
        if kind == "auto":
            self._say(f"Starting Control File and SPFILE Autobackup at {_now()}")
            self._say(f"piece handle={place} comment=NONE")
            self._say(f"Finished Control File and SPFILE Autobackup at {_now()}", "")
            return
        self._say(
            f"Starting backup at {_now()}",
            f"channel c1: starting {'archived log' if kind == 'logs' else 'full datafile'} backup set",
        )
        if kind == "data":
            self._say(
                "channel c1: specifying datafile(s) in backup set", f"input datafile file number=00008 name={_FILE}"
            )
        self._say(f"channel c1: starting piece 1 at {_now()}", f"channel c1: finished piece 1 at {_now()}")
        self._say(f"piece handle={place} tag={tag} comment=NONE")
        self._say("channel c1: backup set complete, elapsed time: 00:00:01", f"Finished backup at {_now()}", "")

    def _prove(self) -> int:
        scenario = self._scenario
        listed = re.search(r"CROSSCHECK BACKUPSET ([\d, ]+);", self._script)
        wanted = {int(key) for key in listed[1].split(",")} if listed else set()
        pieces = [p for s in self._catalogue["sessions"].values() for p in s["pieces"] if p["key"] in wanted]
        self._say("allocated channel: ORA_DISK_1", "channel ORA_DISK_1: SID=68 device type=DISK")
        for piece in pieces:
            state = "AVAILABLE" if Path(piece["handle"]).exists() else "EXPIRED"
            self._say(f"crosschecked backup piece: found to be '{state}'")
            self._say(f"backup piece handle={piece['handle']} RECID={piece['key']} STAMP=1213000000")
        self._say(
            f"Crosschecked {len(pieces)} objects", "", "", f"Starting validate at {_now()}", "using channel ORA_DISK_1"
        )
        if pieces:
            self._values["handle"] = pieces[0]["handle"]
        if scenario.at == "prove" and scenario.stack:
            return self._fail(scenario)
        for piece in pieces:
            self._say("channel ORA_DISK_1: starting validation of datafile backup set")
            self._say(f"channel ORA_DISK_1: reading from backup piece {piece['handle']}")
            self._say(f"channel ORA_DISK_1: piece handle={piece['handle']} tag={piece['tag']}")
            self._say("channel ORA_DISK_1: restored backup piece 1")
            self._say("channel ORA_DISK_1: validation complete, elapsed time: 00:00:01")
        if scenario.at == "prove":
            self._say(*(line.format(**self._values) for line in scenario.plain))
        self._say(f"Finished validate at {_now()}", "")
        return self._end(0)

    def _fail(self, scenario: Scenario) -> int:
        self._say(*FRAME, *(line.format(**self._values) for line in scenario.stack))
        return self._end(1 if scenario.status is None else scenario.status)

    def _end(self, status: int) -> int:
        self._say("", "Recovery Manager complete.")
        return status

    def _say(self, *lines: str) -> None:
        self._log.writelines(f"{line}\n" for line in lines)
        self._log.flush()


def _syntax(scenario: Scenario) -> int:
    if scenario.at == "syntax":
        sys.stdout.write("\n".join((*FRAME, *scenario.stack, "")))
        return 1
    sys.stdout.write("The cmdfile has no syntax errors\n\nRecovery Manager complete.\n")
    return 0


def _rows(name: str, scenario: Scenario, catalogue: dict[str, Any], session: dict[str, Any]) -> list[str]:
    pieces = session.get("pieces", [])
    identity = f"{scenario.dbid or catalogue['dbid']}|{scenario.log_mode}|READ WRITE|{catalogue['name']}"
    written = sum(piece["size"] for piece in pieces)
    answers = {
        "instance": [f"{scenario.instance_status}|19.0.0.0.0|{identity}"],
        "clock": [_utc()],
        "area": ["107374182400|21474836480|1073741824"],
        "corruption": [str(scenario.corrupt)],
        "job": [f"{session['key']}|{session['status']}|{written * 3}|{written}"] if session else [],
        "piece": [f"{p['key']}|A|{p['size']}|{p['tag']}|{p['handle']}" for p in pieces],
        "set": [f"{p['key']}|D|{'YES' if p['kind'] in {'control', 'auto'} else 'NO'}" for p in pieces],
        "spfile": [str(p["key"]) for p in pieces if p["kind"] in {"spfile", "auto"}],
        "uncovered": [scenario.uncovered] if scenario.uncovered else [],
        "file": [f"8|{session['since']}|{session['scn']}"] if pieces else [],
        "log": [f"{row}|{'|'.join(session['times'])}" for row in session.get("logs", [])],
    }
    return answers[name]


def _scenario(home: Path) -> Scenario:
    return SCENARIOS[(home / "scenario").read_text("utf-8").strip()]


@contextmanager
def _catalogue(home: Path) -> Iterator[dict[str, Any]]:
    """Lend the control file's records, as a real one would: kept whatever happens to the session."""
    place = home / "state" / "catalogue.json"
    with (home / "state" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads((home / "state" / "database.json").read_text("utf-8"))
        empty = {"next": 1, "scn": _SCN, "last": _utc(), "base": 0, "sessions": {}}
        records = known | empty | (json.loads(place.read_text("utf-8")) if place.exists() else {})
        try:
            yield records
        finally:
            kept = {name: records[name] for name in empty}
            draft = place.with_suffix(".new")
            draft.write_text(json.dumps(kept), encoding="utf-8")
            draft.replace(place)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
