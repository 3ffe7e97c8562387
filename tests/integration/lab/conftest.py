"""What the tests of labs share."""

import pytest


@pytest.fixture
def fresh(make_lab):
    """A lab that is not up; taken down afterwards."""
    made = make_lab()
    yield made
    made.down()
