"""A simulated Microsoft 365 tenant on loopback: for tests without the lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dsi_automation.lab.graph.loopback import GraphEndpoint, LoopbackGraph


@pytest.fixture(scope="session")
def graph_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphEndpoint]:
    """Give the session's one tenant; use `graph`, which empties it first."""
    with LoopbackGraph(tmp_path_factory.mktemp("graph")) as served:
        yield served.endpoint


@pytest.fixture
def graph(graph_server: GraphEndpoint) -> GraphEndpoint:
    """Give an empty cloud-only tenant without delays: base_url, authority, ca_file, secret, control, ..."""
    graph_server.control.reset()
    graph_server.control.delays(create=0, location=0, licence=0, mailbox=0)
    return graph_server


@pytest.fixture
def graph_of() -> Iterator[Callable[..., LoopbackGraph]]:
    """Give a function that serves a tenant of one's own until the test's end: `graph_of(folder, **settings)`."""
    with ExitStack() as stack:

        def serve(folder: Path | None = None, **settings: Any) -> LoopbackGraph:
            return stack.enter_context(LoopbackGraph(folder, **settings))

        yield serve
