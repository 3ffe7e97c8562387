"""What one test registers as a secret must not mask the words of another."""

from collections.abc import Iterator

import pytest

from dsi_automation.core import secrets


@pytest.fixture(autouse=True)
def _own_secrets() -> Iterator[None]:
    before = dict(secrets._known)
    yield
    secrets._known.clear()
    secrets._known.update(before)
