"""`dsi mailbox handover`: recorded first, shown once, and only what its person must still change."""

import io
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from counter import ADDRESS, NUMBER, PASSWORD
from desk import USERS

from dsi_automation.composition.handover import HandOverDesk, new_code
from dsi_automation.connectors.directory.accounts import PasswordState
from dsi_automation.core.errors import StorageError, UnreachableError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.journal.model import Kind
from dsi_automation.journal.verify import verify_journal


def records(counter):
    return counter.engine.handovers()


def everything_written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def letter_text(path: Path, code: str | None = None) -> str:
    reader = pypdf.PdfReader(io.BytesIO(path.read_bytes()), password=code)
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_a_password_is_shown_once_with_its_settings(counter):
    counter.ready()
    answer = counter.handover(NUMBER)
    assert (answer.code, answer.err) == (0, "")
    for part in ("Koné Awa (100001A)", ADDRESS, "100001a", "https://outlook.office.com", "bureau", PASSWORD):
        assert part in answer.out, part
    assert counter.envelopes.find(NUMBER).opened_at is not None
    (record,) = records(counter)
    assert [(item.target, item.address, item.how) for item in record.items] == [(NUMBER, ADDRESS, "screen")]
    assert record.id in answer.out
    again = counter.handover(NUMBER)
    assert (again.code, PASSWORD in again.text, ADDRESS in again.out) == (0, False, True)
    assert "son mot de passe a été remis le" in again.out
    assert "par m.kouadio" in again.out
    assert [item.how for item in records(counter)[1].items] == ["settings"]


def test_nothing_of_a_password_or_a_code_stays_on_the_disk(counter, tmp_path):
    counter.ready()
    counter.ready("100002B", "seydou.diallo@douanes.lab", "Zz9!another-One4")
    code = counter.handover(NUMBER, "100002B", "--letters", str(tmp_path / "letters"), "--sealed", "--json").json
    written = everything_written(tmp_path)
    for secret in (PASSWORD, "Zz9!another-One4", code["opening_code"]):
        assert secret.encode() not in written
    assert verify_journal(counter.house.journal, counter.house.state / "checkpoints.jsonl").ok


def test_sealed_letters_open_with_the_one_code_shown(counter, tmp_path):
    counter.ready()
    counter.ready("100002B", "seydou.diallo@douanes.lab", "Zz9!another-One4")
    folder = tmp_path / "letters"
    answer = counter.handover(NUMBER, "100002B", "--letters", str(folder), "--sealed", "--to", "M. Brou, leur chef")
    assert answer.code == 0
    assert PASSWORD not in answer.text
    code = answer.out.partition("en font partie :\n")[2].split()[0]
    assert PASSWORD in letter_text(folder / f"mailbox-{NUMBER}.pdf", code).replace(" ", "")
    assert "Zz9!another-One4" in letter_text(folder / "mailbox-100002B.pdf", code).replace(" ", "")
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2
    (record,) = records(counter)
    assert (record.to, [item.how for item in record.items]) == ("M. Brou, leur chef", ["sealed_letter"] * 2)
    assert record.id in letter_text(folder / f"mailbox-{NUMBER}.pdf", code)


def test_letters_that_are_not_sealed_hold_no_password(counter, tmp_path):
    counter.ready()
    answer = counter.handover(NUMBER, "--letters", str(tmp_path / "letters"))
    text = letter_text(tmp_path / f"letters/mailbox-{NUMBER}.pdf")
    assert PASSWORD in answer.out
    assert PASSWORD not in text.replace(" ", "")
    assert "Vous devez le changer" in text


def test_sealing_needs_a_folder_for_the_letters(counter):
    counter.ready()
    assert counter.handover(NUMBER, "--sealed").code == 2
    assert records(counter) == []


def test_json_has_the_password_on_the_way_of_the_screen_alone(counter, tmp_path):
    counter.ready()
    view = counter.handover(NUMBER, "--json").json
    (account,) = view["accounts"]
    assert (account["password"], account["how"], account["state"]) == (PASSWORD, "screen", "ready")
    assert (view["record"]["person"], view["opening_code"], view["exit_code"]) == ("m.kouadio", None, 0)
    counter.ready("100002B", "seydou.diallo@douanes.lab", "Zz9!another-One4")
    sealed = counter.handover("100002B", "--json", "--letters", str(tmp_path / "letters"), "--sealed")
    assert sealed.json["accounts"][0]["password"] is None
    assert "Zz9!another-One4" not in sealed.text


def test_a_password_that_was_changed_is_not_shown_and_its_envelope_is_closed(counter):
    account = counter.ready()
    counter.desk.directory.passwords[account.guid] = Secret("what the person chose 1!")
    answer = counter.handover(NUMBER)
    assert (answer.code, PASSWORD in answer.text) == (0, False)
    assert "déjà été changé" in answer.out
    assert counter.envelopes.peek(NUMBER) is None
    assert [item.how for item in records(counter)[0].items] == ["settings"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"must_change": False}, "ne demande pas de le changer"),
        ({"enabled": False}, "désactivé"),
    ],
)
def test_a_password_that_is_not_fit_is_kept_back_and_stays_sealed(counter, change, words):
    account = counter.ready()
    counter.desk.directory.change(account.guid, **change)
    answer = counter.handover(NUMBER)
    assert answer.code != 0
    assert words in answer.out
    assert PASSWORD not in answer.text
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)
    assert records(counter) == []


def test_a_locked_account_keeps_its_password_back(counter):
    account = counter.ready()
    counter.desk.directory.locked.add(account.guid)
    assert counter.desk.directory.reader().password_state("100001a", Secret(PASSWORD)) is PasswordState.LOCKED
    answer = counter.handover(NUMBER)
    assert (PASSWORD in answer.text, "verrouillé" in answer.out) == (False, True)
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)


def test_an_existing_mailbox_is_handed_over_by_number_login_or_address(counter):
    counter.ready(password=None)
    for word in (NUMBER, "100001a", ADDRESS):
        answer = counter.handover(word)
        assert answer.code == 0
        assert ADDRESS in answer.out
        assert "le compte garde le sien" in answer.out
    assert [item.target for record in records(counter) for item in record.items] == [NUMBER] * 3


def test_one_account_under_two_names_is_one(counter):
    counter.ready()
    assert len(counter.handover(NUMBER, ADDRESS, "--json").json["accounts"]) == 1


def test_a_row_that_cannot_be_handed_over_says_why_and_stops_no_other(counter):
    counter.ready()
    _, user = counter.desk.add_ready("100002B", "seydou.diallo@douanes.lab")
    counter.desk.tenant_.records[user.id].user = replace(user, licences=())
    answer = counter.handover("100002B", "nobody@douanes.lab", NUMBER)
    assert answer.code == 5
    assert PASSWORD in answer.out
    assert "100002B : non remis. La boîte de seydou.diallo@douanes.lab n’est pas prête" in answer.out
    assert "nobody@douanes.lab : non remis." in answer.out
    assert [item.target for item in records(counter)[0].items] == [NUMBER]


def test_many_make_a_table_with_each_its_own_password(counter):
    numbers = [f"{200000 + n}A" for n in range(5)]
    for n, number in enumerate(numbers):
        counter.ready(number, f"agent{n}@douanes.lab", f"Pass-word-{n}-aB!")
    answer = counter.handover(*numbers)
    lines = {line.split()[0]: line for line in answer.out.splitlines() if line[:1] == "2"}
    assert list(lines) == numbers
    assert all(f"Pass-word-{n}-aB!" in lines[number] for n, number in enumerate(numbers))
    assert len(counter.house.journal.read(kinds=[Kind.HANDED_OVER])) == 1


def test_somebody_without_the_role_sees_nothing(counter):
    counter.ready()
    counter.who = "y.traore"
    answer = counter.handover(NUMBER)
    assert (answer.code, PASSWORD in answer.text) == (4, False)
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)


def test_a_user_of_the_cloud_alone_is_handed_over_without_asking_a_directory(counter):
    account, user = counter.desk.add_ready(NUMBER, ADDRESS)
    del counter.desk.directory.accounts[account.guid]
    counter.envelopes.seal(NUMBER, Secret(PASSWORD))
    answer = counter.handover(ADDRESS)
    assert (answer.code, PASSWORD in answer.out, user.synced) == (0, True, True)
    assert "Identifiant Windows" not in answer.out


def test_two_accounts_of_one_number_are_not_chosen_between(counter):
    counter.ready()
    counter.desk.directory.add_account("autre", USERS, staff_number=NUMBER)
    answer = counter.handover(NUMBER)
    assert (answer.code, PASSWORD in answer.text) == (1, False)
    assert "CN=autre" in answer.out
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)


def test_an_account_that_the_tenant_does_not_know_yet_is_not_ready(counter):
    counter.desk.directory.add_account("100009z", USERS, staff_number="100009Z", mail="zoe.yao@douanes.lab")
    answer = counter.handover("100009Z")
    assert (answer.code, "ne connaît pas encore zoe.yao@douanes.lab" in answer.out) == (5, True)


def test_of_two_hand_overs_at_once_one_has_the_password(counter):
    counter.ready()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: hand_over(counter), range(2)))
    assert set(found) == {None, Secret(PASSWORD)}
    assert len(records(counter)) == 2


def hand_over(counter):
    with desk_of(counter).handing_over([NUMBER], Silent(), letters=None, sealed=False, to=None) as done:
        return done.rows[0].password


class Dead(BaseException):
    """The process was killed here."""


def desk_of(counter):
    look = counter.desk.look
    return HandOverDesk(counter.engine, look, look.envelopes())


def die_while_showing(counter, letters=None):
    desk = desk_of(counter)
    with desk.handing_over([NUMBER], Silent(), letters=letters, sealed=letters is not None, to=None) as done:
        raise Dead(done)


def test_killed_between_record_and_reveal_the_next_call_shows_it_and_records_again(counter):
    counter.ready()
    with pytest.raises(Dead) as died:
        die_while_showing(counter)
    assert died.value.args[0].rows[0].password == Secret(PASSWORD)
    assert len(records(counter)) == 1
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)
    assert PASSWORD in counter.handover(NUMBER).out
    assert len(records(counter)) == 2
    assert counter.envelopes.peek(NUMBER) is None


def test_killed_after_sealed_letters_were_written_nothing_is_lost(counter, tmp_path):
    counter.ready()
    folder = tmp_path / "letters"
    with pytest.raises(Dead) as died:
        die_while_showing(counter, folder)
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)
    code = counter.handover(NUMBER, "--letters", str(folder), "--sealed", "--json").json["opening_code"]
    assert code != died.value.args[0].code.reveal()
    assert PASSWORD in letter_text(folder / f"mailbox-{NUMBER}.pdf", code).replace(" ", "")


def test_a_password_that_a_run_sealed_meanwhile_is_not_destroyed(counter):
    counter.ready()
    with desk_of(counter).handing_over([NUMBER], Silent(), letters=None, sealed=False, to=None) as done:
        counter.envelopes.discard_password(NUMBER)
        counter.envelopes.seal(NUMBER, Secret("made-by-a-Reset-7!"))
    assert done.rows[0].password == Secret(PASSWORD)
    assert counter.envelopes.peek(NUMBER) == Secret("made-by-a-Reset-7!")


def test_a_password_that_is_not_the_accounts_yet_stays_sealed(counter):
    account = counter.ready()
    counter.desk.directory.passwords[account.guid] = Secret("the one before 9!")
    counter.envelopes.discard_password(NUMBER)
    counter.envelopes.prepare(NUMBER)
    counter.envelopes.seal(NUMBER, Secret("set-in-a-Moment-7!"))
    answer = counter.handover(NUMBER)
    assert (answer.code, "dsi resume" in answer.out) == (1, True)
    assert counter.envelopes.peek(NUMBER) == Secret("set-in-a-Moment-7!")


def test_the_record_is_in_the_journal_before_anything_may_be_shown(counter):
    counter.ready()
    with desk_of(counter).handing_over([NUMBER], Silent(), letters=None, sealed=False, to=None) as done:
        assert records(counter) == [done.record]
        assert counter.envelopes.find(NUMBER).opened_at is None


def test_a_journal_that_refuses_reveals_nothing(counter, monkeypatch):
    counter.ready()

    def refuse(*_args, **_named):
        raise StorageError(T("The disk is full."))

    engine = counter.engine
    monkeypatch.setattr(engine, "hand_over", refuse)
    look = counter.desk.look
    desk = HandOverDesk(engine, look, look.envelopes())
    with (
        pytest.raises(StorageError),
        desk.handing_over([NUMBER], Silent(), letters=None, sealed=False, to=None),
    ):
        raise AssertionError("never shown")
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)


def test_a_letter_that_cannot_be_written_keeps_its_password_sealed(counter, tmp_path):
    counter.ready()
    counter.ready("100002B", "seydou.diallo@douanes.lab", "Zz9!another-One4")
    folder = tmp_path / "letters"
    (folder / f"mailbox-{NUMBER}.pdf").mkdir(parents=True)
    view = counter.handover(NUMBER, "100002B", "--letters", str(folder), "--sealed", "--json").json
    assert [item["how"] for item in view["accounts"]] == [None, "sealed_letter"]
    assert view["accounts"][0]["error"]["code"]
    assert counter.envelopes.peek(NUMBER) == Secret(PASSWORD)
    assert counter.envelopes.peek("100002B") is None


def test_a_name_that_no_font_has_is_that_rows_trouble_before_it_is_recorded(counter, tmp_path):
    counter.ready(display_name="Koné 😀")
    answer = counter.handover(NUMBER, "--letters", str(tmp_path / "letters"), "--sealed")
    assert answer.code == 2
    assert "U+1F600" in answer.out
    assert (records(counter), counter.envelopes.peek(NUMBER)) == ([], Secret(PASSWORD))


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_recorded(counter, tmp_path):
    counter.ready()
    answer = counter.handover(NUMBER, "--letters", str(tmp_path / "no/such"))
    assert answer.code == 1
    assert records(counter) == []


def test_a_directory_that_does_not_answer_reveals_nothing(counter, monkeypatch):
    counter.ready()

    def silent(*_):
        raise UnreachableError(T("The directory does not answer."))

    monkeypatch.setattr(type(counter.desk.look.accounts()), "by_staff_number", silent)
    assert counter.handover(NUMBER).code == 3
    assert (records(counter), counter.envelopes.peek(NUMBER)) == ([], Secret(PASSWORD))


def test_opening_codes_are_long_and_never_the_same():
    codes = {new_code().reveal() for _ in range(50)}
    assert len(codes) == 50
    assert all(len(code.replace("-", "")) == 16 for code in codes)


def test_a_run_stands_for_all_it_made_and_shows_who_handed_them_over(counter, monkeypatch):
    from dsi_automation.engine.model import Run

    counter.ready()
    moment = counter.desk.clock.now()
    run = Run(
        "RUN-20261121-8AAA", "REQ-20261121-7K3F", "mailbox.create", "d" * 64, "m.kouadio", moment, moment, Outcome.DONE,
        {NUMBER: Outcome.DONE}, (), (), 0,
    )  # fmt: skip
    engine = type(counter.engine)
    monkeypatch.setattr(engine, "runs", lambda _: [run])
    monkeypatch.setattr(engine, "run_by_id", lambda _, __: run)
    assert PASSWORD in counter.handover("run-20261121-8aaa").out
    (record,) = records(counter)
    assert [item.run for item in record.items] == [run.id]
    shown = counter.dsi("show", run.id)
    assert record.id in shown.out
    assert "par m.kouadio" in shown.out
    assert counter.dsi("show", run.id, "--json").json["run"]["handovers"][0]["id"] == record.id
    assert ADDRESS in counter.dsi("show", record.id).out
    assert counter.dsi("show", record.id, "--json").json["handover"]["items"][0]["target"] == NUMBER
    by_number = counter.handover(NUMBER)
    assert by_number.code == 0
    assert [item.run for item in records(counter)[1].items] == [run.id]


def test_a_run_of_another_operation_is_refused(counter):
    house = counter.house
    run = house.engine().run(house.approved(), Silent())
    answer = counter.handover(run.id)
    assert answer.code == 2
    assert "folder.fill" in answer.err
