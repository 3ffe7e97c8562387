"""The record of accesses is folded from the journal; who asked for and approved them is read for all at once."""

from pathlib import Path

from accesshouse import Office

from dsi_automation.composition import Toolkit

EXAMPLE = Path(__file__).resolve().parents[4] / "inventories" / "example"


def test_who_asked_for_and_approved_accesses_is_read_once_however_many_there_are(tmp_path, monkeypatch):
    office = Office(tmp_path / "office")
    for service in ("sydam", "tcp/443", "tcp/8000"):
        assert office.done(service=service).exit_code == 0
    toolkit = Toolkit(inventory=str(EXAMPLE), environ={"HOME": str(tmp_path)}, directory=tmp_path)
    journal, reads = office.house.journal, []
    monkeypatch.setattr(Toolkit, "journal", journal)
    monkeypatch.setattr(Toolkit, "journal_exists", True)
    whole = journal.read
    monkeypatch.setattr(journal, "read", lambda **words: reads.append(words) or whole(**words))
    record = toolkit.equipment.look().access_record()
    assert [one.rule.first_port for one in record.accesses] == [8443, 443, 8000]
    assert {(one.requester, one.approvers) for one in record.accesses} == {("m.kouadio", ("y.traore",))}
    assert len(reads) == 2
    assert all(words["kinds"] for words in reads)
