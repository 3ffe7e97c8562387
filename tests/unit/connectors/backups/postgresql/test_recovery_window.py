"""A window of moments never reaches over a gap in the logs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dsi_automation.connectors.backups.postgresql.details import Details
from dsi_automation.connectors.backups.postgresql.wal import Segment
from dsi_automation.connectors.backups.postgresql.window import unbroken

BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
SIZE = 16 * 2**20


def details(first: int, last: int, **changes: object) -> Details:
    made = Details(
        server_version="15.18", system_identifier="7", timeline=1, segment_size=SIZE, superuser="postgres",
        timezone="UTC", data="/d", base_manifest="ab", start=last * SIZE, stop=last * SIZE + 1,
        position=last * SIZE + 2, moment=BEGAN + timedelta(hours=last), start_log=Segment(1, last).name(),
        first_log=Segment(1, first).name(), last_log=Segment(1, last).name(), logs_folder="/a", gap=(),
        databases={"sydam": 1}, counts={},
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_sets_whose_logs_follow_one_another_are_one_window() -> None:
    one, two, three = details(1, 2), details(3, 5), details(6, 9)
    assert unbroken([three, one, two], ()) == (one, two, three)


def test_a_gap_that_was_seen_and_another_cluster_end_it() -> None:
    one, two, three = details(1, 2), details(4, 5, gap=("000000010000000000000003",)), details(6, 9)
    assert unbroken([one, two, three], ()) == (two, three)
    assert unbroken([one, details(3, 5, system_identifier="8")], ())[0].system_identifier == "8"


def test_a_forgotten_set_between_two_counts_as_long_as_the_archive_holds_its_logs() -> None:
    one, three = details(1, 2), details(6, 9)
    assert unbroken([one, three], ()) == (three,)
    assert unbroken([one, three], [Segment(1, number) for number in (3, 4, 5)]) == (one, three)
    assert unbroken([one, three], [Segment(1, number) for number in (3, 5)]) == (three,)
