"""What PostgreSQL's programs say is read strictly; what is written for them means what it says."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.postgresql import client, parsing
from dsi_automation.connectors.backups.postgresql.configuration import Target, restore_command
from dsi_automation.connectors.backups.postgresql.findings import Findings, judged
from dsi_automation.connectors.backups.postgresql.questioning import question_script
from dsi_automation.connectors.backups.postgresql.window import last_end
from dsi_automation.connectors.backups.settings import Question
from dsi_automation.connectors.ssh.port import Finished
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

MANIFEST = b"""{ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
{ "Path": "backup_label", "Size": 200, "Checksum-Algorithm": "SHA256", "Checksum": "ab" },
{ "Encoded-Path": "fffe", "Size": 5, "Checksum-Algorithm": "CRC32C", "Checksum": "cd" }],
"WAL-Ranges": [
{ "Timeline": 2, "Start-LSN": "0/5000000", "End-LSN": "0/6000100" },
{ "Timeline": 1, "Start-LSN": "0/4000028", "End-LSN": "0/5000000" }],
"Manifest-Checksum": "ef"}
"""


def test_a_backup_manifest_tells_hashes_and_the_log_it_needs() -> None:
    found = parsing.parse_manifest(MANIFEST)
    assert found.files == {"backup_label": "ab", "\udcff\udcfe": None}
    assert (found.start, found.end, found.size) == ((1, 0x4000028), (2, 0x6000100), 205)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", MANIFEST.replace(b"WAL-Ranges", b"x"), MANIFEST[:-20]])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parsing.parse_manifest(content)


def test_a_label_tells_where_recovery_begins() -> None:
    text = "START WAL LOCATION: 0/4000028 (file 000000010000000000000004)\nLABEL: RUN-1\n"
    assert parsing.parse_label(text) == parsing.Label(0x4000028, "000000010000000000000004", "RUN-1")
    with pytest.raises(ValueError, match=r".*"):
        parsing.parse_label("LABEL: RUN-1")


def test_versions_and_progress_are_read() -> None:
    assert parsing.parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)") == (15, "15.18")
    assert parsing.parse_progress("  1024/2048 kB (50%), 0/1 tablespace (/x)") == (2**20, 2 * 2**20)
    assert parsing.parse_progress("waiting for checkpoint") is None


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ('psql: error: connection to server at "x": Connection refused', TransientError),
        ("FATAL:  the database system is starting up", TransientError),
        ('connection to server failed: FATAL:  password authentication failed for user "x"', RefusedError),
        ("ERROR:  42P01: division by zero", BackupFailedError),
        ("could not write to file: No space left on device", TransientError),
    ],
)
def test_failures_are_told_apart_by_what_can_be_done(said: str, error: type[Exception]) -> None:
    assert type(client.failure("psql", Finished((), 1, b"", said.encode()))) is error


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_names_and_texts_never_leave_their_quotes(value: str) -> None:
    assert client.identifier(value)[1:-1].replace('""', "").count('"') == 0
    assert client.literal(value).strip(" E")[1:-1].replace("''", "").count("'") == 0


def test_a_recovery_has_one_target_and_leaves_out_what_is_at_it() -> None:
    at = datetime(2026, 11, 22, 3, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    settings = Target(until=at).settings
    assert settings["recovery_target_time"] == "2026-11-22 02:00:00.000005+00"
    assert settings["recovery_target_inclusive"] == "off"
    assert [
        name for name, value in settings.items() if name in ("recovery_target_lsn", "recovery_target_xid") and value
    ] == []
    assert list(settings).index("recovery_target_lsn") < list(settings).index("recovery_target_time")
    assert Target(position=0x1000028, timeline=3).settings["recovery_target_lsn"] == "0/1000028"


def test_folders_of_logs_are_quoted_for_the_shell_and_for_postgresql() -> None:
    assert "'/a b/100%%/it'\\''s'" in restore_command(Path("/a b/100%/it's"))
    assert restore_command() == "false"


NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "value", "at", "ok"),
    [
        (Question("t", "d", "q", minimum=10), "10", None, True),
        (Question("t", "d", "q", minimum=10), "9.9", None, False),
        (Question("t", "d", "q", minimum=10), None, None, False),
        (Question("t", "d", "q", minimum=10), "beaucoup", None, False),
        (Question("t", "d", "q", equals="CI"), "CI", None, True),
        (Question("t", "d", "q", equals="CI", minimum=1), "CI", None, False),
        (Question("t", "d", "q", newer_than=timedelta(hours=1)), "x", NOW - timedelta(minutes=59), True),
        (Question("t", "d", "q", newer_than=timedelta(hours=1)), "x", NOW - timedelta(minutes=61), False),
        (Question("t", "d", "q", newer_than=timedelta(hours=1)), "x", NOW + timedelta(days=30), False),
        (Question("t", "d", "q", newer_than=timedelta(hours=1)), None, None, False),
    ],
)
def test_an_answer_is_judged_by_all_that_is_asked_of_it(
    question: Question, value: str | None, at: datetime | None, *, ok: bool
) -> None:
    assert judged(question, value, NOW, at)[1] is ok


def test_a_count_taken_while_others_wrote_may_differ_a_little_and_says_so() -> None:
    findings = Findings("sydam")
    assert findings.counted("a", T("x"), 1000, 1000, exact=True, source="s")
    assert not findings.counted("b", T("x"), 1000, 995, exact=False, source="s")
    assert findings.ok
    findings.counted("c", T("x"), 1000, 995, exact=True, source="s")
    assert not findings.ok


def test_a_question_is_asked_in_a_transaction_that_may_only_read() -> None:
    script = question_script(Question("t", "d", "SELECT 1; ", minimum=1))
    assert script.startswith("BEGIN READ ONLY;")
    assert "SELECT 1\n" in script


def test_the_last_end_of_a_transaction_in_a_segment_is_found() -> None:
    printed = (
        "rmgr: Transaction len 34 tx: 7, lsn: 0/1, prev 0/0, desc: COMMIT 2026-11-22 02:00:00.123456 UTC\n"
        "rmgr: Transaction len 34 tx: 8, lsn: 0/2, prev 0/1, desc: ABORT 2026-11-22 02:00:01.5 UTC; x\n"
    )
    assert last_end(printed) == datetime(2026, 11, 22, 2, 0, 1, 500000, tzinfo=UTC)
    assert last_end("") is None
