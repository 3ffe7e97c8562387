"""A report tells the work in its own order and a proof in words, and bad news look like bad news."""

import io
from datetime import date

import pypdf
import pytest

from dsi_automation.composition.report_pages import PHASES, PROVING, _phases, _points
from dsi_automation.documents.backup_report import BackupReport, backup_report
from dsi_automation.documents.house import ALARM, ALARM_TINT

NOTHING = dict.fromkeys(("tries", "sets", "proofs", "copies", "restorations", "forgotten", "checks"), ())


def test_phases_come_in_the_order_of_the_work_whatever_the_record_did_to_it():
    told = dict.fromkeys(sorted(["look", "base", "counts", "logs", "manifest", "repository"]), 1.0)
    words = [str(PHASES[name]) for name in ("look", "base", "counts", "logs", "manifest", "repository")]
    assert [one.rsplit(" ", 2)[0] for one in _phases(told, tuple(PHASES)).split(", ")] == words
    proof = dict.fromkeys(["counts", "read", "restore", "start"], 1.0)
    assert _phases(proof, PROVING).index(str(PHASES["start"])) < _phases(proof, PROVING).index(str(PHASES["counts"]))
    assert "of another engine" in _phases({"of another engine": 1.0}, PROVING)


@pytest.mark.parametrize(("level", "words"), [(0, "rien"), (2, "lues"), (3, "comparé"), (4, "interrogé")])
def test_how_far_a_proof_went_is_said_in_words(level, words):
    proof = {"set": "SET-1", "level": level, "restored_files": 1, "restored_bytes": 1, "phases": {}}
    (line,) = _points({**NOTHING, "proofs": [proof]})
    assert words in line.render("fr")


def colours(*, ok):
    report = BackupReport("DGD", "Rapport", "Fin.", date(2026, 11, 22), "RUN-1", (), (), (), ok=ok)
    (page,) = pypdf.PdfReader(io.BytesIO(backup_report(report))).pages
    drawn = page.get_contents().get_data().decode("latin-1").split("\n")
    return {tuple(round(float(part) * 255) for part in line.split()[:3]) for line in drawn if line.endswith(" rg")}


def test_the_banner_of_a_failure_has_another_colour_than_that_of_a_success():
    assert {ALARM, ALARM_TINT} <= colours(ok=False)
    assert not {ALARM, ALARM_TINT} & colours(ok=True)
