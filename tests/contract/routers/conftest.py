"""Both kinds of routers, for the tests of what all promise."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from routerbench import MemoryBench, RealBench


@pytest.fixture(params=["frr", "memory"])
def bench(request):
    """A bench, its routers as they left the factory."""
    if request.param == "memory":
        return MemoryBench()
    return RealBench(request.getfixturevalue("fresh_network"))


@pytest.fixture
def real(fresh_network):
    """The bench with real routers only."""
    return RealBench(fresh_network)
