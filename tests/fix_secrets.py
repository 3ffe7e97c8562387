"""What one test registers as a secret must not mask the words of another."""

from collections.abc import Iterator

import pytest

from dsi_automation.core import secrets


@pytest.fixture(autouse=True)
def _own_secrets() -> Iterator[None]:
    before, longest_first, heads = dict(secrets._known), secrets._longest_first, dict(secrets._heads)
    yield
    secrets._known.clear()
    secrets._known.update(before)
    secrets._longest_first = longest_first
    secrets._heads.clear()
    secrets._heads.update(heads)
