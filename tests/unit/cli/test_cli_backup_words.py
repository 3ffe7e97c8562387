"""What is told of backups is told in the reader's language, down to the kinds of what a set holds."""

import pytest

from dsi_automation.cli.backup_views import ENTRIES
from dsi_automation.connectors.backups.files.proving import NO_ERRORS
from dsi_automation.core.text import T


@pytest.mark.parametrize(("kind", "word"), [("file", "fichier"), ("dir", "dossier"), ("database", "base de données")])
def test_an_entry_of_a_set_is_named_in_french(kind, word):
    assert ENTRIES[kind].render("fr") == word


def test_a_repository_without_errors_is_told_in_french():
    assert NO_ERRORS.render("fr") == "aucune erreur"


def test_what_rman_s_log_shows_is_told_in_french():
    assert (T("yes").render("fr"), T("no").render("fr")) == ("oui", "non")
