import pytest
from graph_wire import Caller

from dsi_automation.lab.graph.loopback import GraphEndpoint


@pytest.fixture
def caller(graph: GraphEndpoint) -> Caller:
    return Caller(graph).sign_in()
