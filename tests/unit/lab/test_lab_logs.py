"""The lab's logs: the last lines, then what comes, until the lab is gone."""

import shutil
from ipaddress import IPv4Network

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.lab import logs
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import Layout


class Script:
    """A clock whose every sleep lets the next thing happen."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def sleep(self, seconds):
        self.steps.pop(0)()


@pytest.fixture
def paper(tmp_path):
    lab = Lab(Layout("paper", IPv4Network("198.18.0.0/16"), tmp_path / "paper"))
    lab.layout.log_dir.mkdir(parents=True)
    (lab.layout.log_dir / "dc.log").write_text("".join(f"line {number}\n" for number in range(100)))
    return lab


def test_the_last_lines_are_shown(paper):
    assert logs.tail(paper, "dc", 2) == ["line 98", "line 99"]


def test_a_part_without_a_log_is_a_clear_error(paper):
    with pytest.raises(UsageError):
        logs.tail(paper, "workstations", 2)


def test_new_lines_are_shown_whole_and_the_end_of_the_lab_ends_it(paper):
    path = paper.layout.log_dir / "dc.log"

    def write(text):
        with path.open("a") as log:
            log.write(text)

    paper.clock = Script(lambda: write("one\ntw"), lambda: write("o\n"), lambda: shutil.rmtree(paper.layout.root))
    assert list(logs.follow(paper, "dc")) == ["one", "two"]
