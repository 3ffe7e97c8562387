"""The textfile: whole or unchanged, readable by node_exporter, and it says when it was written."""

import stat

import pytest
from prometheus_client.registry import Collector

from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.metrics.textfile import write_textfile


class Raising(Collector):
    def collect(self):
        raise ZeroDivisionError


def test_the_file_is_readable_by_others_and_says_when_it_was_written(world, tmp_path):
    path = tmp_path / "dsi.prom"
    write_textfile(world.collector, path, world.house.clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    text = path.read_text()
    (written,) = [line for line in text.splitlines() if line.startswith("dsi_textfile_written_timestamp_seconds ")]
    assert float(written.split()[1]) == world.house.clock.moment.timestamp()
    assert "dsi_collector_success" in text


def test_a_file_that_cannot_be_made_leaves_the_old_one(world, tmp_path):
    path = tmp_path / "dsi.prom"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_textfile(Raising(), path, world.house.clock)
    with pytest.raises(StorageError):
        write_textfile(world.collector, tmp_path / "absent" / "dsi.prom", world.house.clock)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.glob("*prom*")] == ["dsi.prom"]


def test_a_name_that_node_exporter_would_not_read_is_refused(world, tmp_path):
    with pytest.raises(UsageError):
        write_textfile(world.collector, tmp_path / "dsi.txt", world.house.clock)
