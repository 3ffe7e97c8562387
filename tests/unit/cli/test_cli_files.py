"""Files that a command writes for a person are whole, and nothing but a file is ever replaced by one."""

import os

import pytest

from dsi_automation.cli.files import write_whole
from dsi_automation.core.errors import StorageError


@pytest.mark.parametrize("content", ["é\r\n", b"%PDF\x00\xff"])
def test_text_and_bytes_are_written_as_they_are(tmp_path, content):
    path = tmp_path / "report"
    path.write_text("what was there before, and is longer")
    write_whole(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [one.name for one in tmp_path.iterdir()] == ["report"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "report", tmp_path / "link"
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_gets_what_is_written_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(path, "for whoever reads")
        assert os.read(reader, 100) == b"for whoever reads"
    finally:
        os.close(reader)
    assert path.is_fifo()


def test_a_folder_that_is_missing_is_told_and_nothing_is_left(tmp_path):
    with pytest.raises(StorageError) as refused:
        write_whole(tmp_path / "missing" / "report", "text")
    assert refused.value.next_step is not None
    assert list(tmp_path.iterdir()) == []
