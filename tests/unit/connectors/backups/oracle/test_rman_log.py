"""Promise: an RMAN log is read by codes and shapes; no friendly end hides an error, no echo invents one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.backups.oracle import log
from dsi_automation.connectors.backups.oracle.codes import Trouble, trouble
from dsi_automation.connectors.backups.oracle.log import KEPT, RmanLog

CASES = sorted((Path(__file__).parents[4] / "cases" / "rman").glob("*.log"))


def read_case(case: Path) -> tuple[dict[str, Any], RmanLog]:
    head, lines = [], []
    with case.open("rb") as stream:
        for line in log.lines_of(stream):
            (head if line.startswith("## ") else lines).append(line)
    return json.loads(head[1].removeprefix("## expect: ")), log.read(lines)


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_a_published_sequence_of_messages_is_read_as_what_it_is(case: Path) -> None:
    expected, found = read_case(case)
    seen: dict[str, Any] = {}
    for name in expected:
        match name:
            case "trouble":
                telling = [stack.trouble for stack in found.stacks if stack.trouble is not Trouble.OTHER]
                seen[name] = (telling or [Trouble.OTHER])[0]
            case "cause":
                seen[name] = found.stacks[0].cause.split(":")[0]
            case "corrupt" | "pieces" | "skipped" | "warnings":
                seen[name] = len(getattr(found, name))
            case _:
                seen[name] = getattr(found, name)
    assert seen == expected


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_every_sequence_says_where_it_comes_from(case: Path) -> None:
    first = case.read_bytes().split(b"\n")[0]
    assert first.startswith(b"## source: ")
    assert len(first) > 30


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_a_log_cut_off_anywhere_is_never_clean(case: Path) -> None:
    with case.open("rb") as stream:
        lines = [line for line in log.lines_of(stream) if not line.startswith("## ")]
    ends = [number for number, line in enumerate(lines) if line.startswith("Recovery Manager ")]
    until = ends[-1] if ends else len(lines)
    assert not any(log.read(lines[:length]).clean for length in range(until))


def test_windows_ends_of_line_change_nothing() -> None:
    found = log.read(["connected to target database: XE (DBID=7)\r\n", "Recovery Manager complete.\r\n"])
    assert (found.dbid, found.complete, found.clean) == (7, True, True)


def test_what_is_echoed_is_no_message() -> None:
    found = log.read(["RMAN> BACKUP TAG 'ORA-01578: no';", "12>  ORA-00600: echoed", "Recovery Manager complete."])
    assert found.clean


def test_a_code_that_the_plan_tolerates_is_told_and_fails_nothing() -> None:
    lines = ["RMAN-06820: WARNING: failed to archive current log", "Recovery Manager complete."]
    assert not log.read(lines).clean
    tolerated = log.read(lines, ["RMAN-06820"])
    assert tolerated.clean
    assert tolerated.warnings == lines[:1]


def test_a_tolerated_code_inside_an_error_stack_does_not_make_it_a_success() -> None:
    frame = "RMAN-00569: =============== ERROR MESSAGE STACK FOLLOWS ==============="
    found = log.read([frame, "RMAN-08137: WARNING: archived log not deleted", "Recovery Manager complete."])
    assert (found.failures, found.clean) == (1, False)


def _endless(lines: int) -> Iterator[str]:
    yield "connected to target database: SYDAM (DBID=1)\n"
    for number in range(lines):
        yield f"piece handle=/stage/{number}.bkp tag=T comment=NONE\n"
        yield "ORA-19511: error received from media manager layer\n"
    yield "ORA-19566: exceeded limit of 0 corrupt blocks for file 8\n"
    yield "Recovery Manager complete.\n"


def test_a_log_of_any_length_keeps_a_bounded_part_and_counts_all_of_it() -> None:
    found = log.read(_endless(50_000))
    assert (len(found.stacks), len(found.pieces)) == (KEPT, KEPT)
    assert (found.failures, found.lines) == (50_000, 100_003)


def test_a_line_without_end_is_read_in_parts() -> None:
    lines = list(log.lines_of(io.BytesIO(b"x" * 1_000_000 + b"\nRecovery Manager complete.\n")))
    assert max(len(line) for line in lines) <= 65_536
    assert log.read(lines).clean


@given(st.lists(st.binary(max_size=60), max_size=30))
def test_no_bytes_make_the_reader_fail_and_none_without_an_end_are_clean(lines: list[bytes]) -> None:
    content = b"\n".join(line.replace(b"Recovery", b"") for line in lines)
    assert not log.read(log.lines_of(io.BytesIO(content))).clean


@pytest.mark.parametrize(
    ("codes", "system", "expected"),
    [
        (["RMAN-03009", "ORA-19502", "ORA-27072"], [28], Trouble.SPACE),
        (["RMAN-03009", "ORA-19502", "ORA-27072"], [122], Trouble.SPACE),
        (["RMAN-03009", "ORA-19502", "ORA-27072"], [5], Trouble.DISK),
        (["RMAN-03009", "ORA-19504", "ORA-27040"], [28], Trouble.SPACE),
        (["RMAN-00554", "RMAN-04005", "ORA-01017"], [], Trouble.ACCESS),
        (["RMAN-00554", "RMAN-04005", "ORA-01034", "ORA-27101"], [2], Trouble.CONNECT),
        (["RMAN-03002", "ORA-19870", "ORA-19612"], [], Trouble.PIECE),
        (["RMAN-03002", "RMAN-06054"], [], Trouble.RECOVERY),
        (["ORA-19505", "ORA-27037"], [2], Trouble.MISSING),
        (["RMAN-03002"], [], Trouble.OTHER),
    ],
)
def test_a_stack_is_read_from_the_bottom(codes: list[str], system: list[int], expected: Trouble) -> None:
    assert trouble(codes, system) is expected
