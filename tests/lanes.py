"""Which worker of pytest-xdist begins with which tests: those that need one world share it, and the dear ones go first.

Every worker that runs a test of a lab brings that lab up, and tests of routers mostly wait. In the order they are found
in, each worker in the end has every lab, and the last minutes are spent waiting. `--dist worksteal` deals the tests out
in equal parts, one after the other; who is through takes over from the end of the longest: so each part begins with the
dear tests of few worlds, and ends with cheap tests that need none.
"""

import os
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
WORLDS = {"application": 4.5, "network": 4.5, "servers": 2.5, "lab": 2.0, "make_lab": 8.0}
"""The fixtures that are dear to have; how much more a test takes that has it, the first of them counting."""
SECONDS = {"chaos": 10.0, "e2e": 8.0, "integration": 1.5, "contract": 1.0, "unit": 0.3}
"""About how long a test takes, by folder."""
OPENING = 150.0
"""What another world on a worker counts, seconds: it is brought up, and is there for the rest of the session."""
CHEAP = frozenset({"contract", "unit"})
"""Folders whose tests fill up the parts, where they need no world."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put the tests in the order that they are dealt out in."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = in_lanes(items, workers, _block)


def _block(item):
    """Return what stays together, worlds and a folder, and about how many seconds a test of it takes."""
    worlds = tuple(name for name in WORLDS if name in getattr(item, "fixturenames", ()))
    folders = item.path.relative_to(HERE).parts
    return (worlds, folders[0], folders[1]), SECONDS.get(folders[0], 1.0) * (WORLDS[worlds[0]] if worlds else 1.0)


def in_lanes(items, workers, block_of):
    """Return the same tests, one worker's part after the other's.

    The heaviest block goes first, each to who is through soonest with it, what worlds it needs more counted in.
    """
    blocks, each = defaultdict(list), {}
    for item in items:
        block, seconds = block_of(item)
        blocks[block].append(item)
        each[block] = seconds
    cheap = [item for block, held in blocks.items() if _is_cheap(block) for item in held]
    dear = [block for block in blocks if not _is_cheap(block)]
    lanes = [_Lane() for _ in range(workers)]
    for block in sorted(dear, key=lambda block: -each[block] * len(blocks[block])):
        seconds = each[block] * len(blocks[block])
        min(lanes, key=lambda lane: lane.end_with(block, seconds)).add(block, seconds)
    found, left = [], len(items)
    for number, lane in enumerate(lanes):
        part = [item for block in sorted(lane.blocks, key=lambda block: -each[block]) for item in blocks[block]]
        room = max(0, left // (workers - number) - len(part))
        part, cheap = [*part, *cheap[:room]], cheap[room:]
        left -= len(part)
        found += part
    return [*found, *cheap]


def _is_cheap(block):
    worlds, folder, _ = block
    return not worlds and folder in CHEAP


class _Lane:
    """What one worker begins with."""

    def __init__(self):
        self.blocks, self.worlds, self.end = [], set(), 0.0

    def end_with(self, block, seconds):
        """Return when it would be through with one more, seconds."""
        return self.end + seconds + OPENING * len({*block[0]} - self.worlds - {"make_lab"})

    def add(self, block, seconds):
        """Take one more."""
        self.end = self.end_with(block, seconds)
        self.worlds |= {*block[0]}
        self.blocks.append(block)
