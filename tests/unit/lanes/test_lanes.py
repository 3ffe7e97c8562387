"""How the tests are dealt out to workers: all of them, dear ones first, each world on few workers."""

from hypothesis import given
from hypothesis import strategies as st
from lanes import in_lanes

BLOCKS = [
    ((), "unit", "core"), ((), "contract", "m365"), ((), "chaos", "engine"), (("lab",), "e2e", "workstation"),
    (("lab",), "chaos", "accounts"), (("network",), "e2e", "network"), (("network",), "contract", "routers"),
    (("application", "servers", "lab"), "e2e", "applications"), (("servers", "lab"), "e2e", "backups"),
]  # fmt: skip
SECONDS = {"unit": 0.3, "contract": 1.0, "e2e": 20.0, "chaos": 30.0}


def deal(items, workers):
    """Deal items out as xdist's worksteal does first: equal parts, one after the other."""
    order, parts = in_lanes(items, workers, lambda item: (BLOCKS[item[0]], SECONDS[BLOCKS[item[0]][1]])), []
    for left in range(workers, 0, -1):
        size = len(order) // left
        parts.append(order[:size])
        order = order[size:]
    return parts


@given(kinds=st.lists(st.integers(0, len(BLOCKS) - 1)), workers=st.integers(2, 8))
def test_no_test_is_lost_and_none_runs_twice(kinds, workers):
    items = [(kind, number) for number, kind in enumerate(kinds)]
    assert sorted(item for part in deal(items, workers) for item in part) == sorted(items)


def test_dear_tests_come_first_and_a_world_is_where_it_is_needed_only():
    counts = (600, 300, 4, 30, 10, 20, 20, 6, 10)
    items = [(kind, number) for kind, count in enumerate(counts) for number in range(count)]
    parts = deal(items, 5)
    for part in parts:
        dear = [BLOCKS[kind][1] not in {"unit", "contract"} or bool(BLOCKS[kind][0]) for kind, _ in part]
        assert dear == sorted(dear, reverse=True)
    for world in ("network", "application"):
        assert sum(any(world in BLOCKS[kind][0] for kind, _ in part) for part in parts) == 1
    assert all(any(kind <= 1 for kind, _ in part) for part in parts), "each ends with what others may take over"
