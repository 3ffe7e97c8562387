"""Kinds of actions on the terminal: a word for each, with the server or session where it is for one."""

import pytest

from dsi_automation.cli.labels import action
from dsi_automation.core.text import speaking


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("caches.app1", "caches vidés de app1"), ("caches", "caches"), ("sessions", "verrous"),
        ("sessions.12", "fin de la session 12"), ("load", "chargement des règles"), ("create", "création"),
        ("disable_profile", "désactivation"), ("something_new", "something_new"),
    ],
)  # fmt: skip
def test_a_kind_is_named_in_the_language_that_is_spoken(kind, shown):
    with speaking("fr"):
        assert str(action(kind)) == shown
