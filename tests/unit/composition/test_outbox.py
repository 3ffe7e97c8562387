"""The outbox loses nothing, sends nothing twice, and says what is stuck."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
from fix_journal import SetClock

from dsi_automation.composition.outbox import LONGEST_WAIT, Outbox
from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.text import T


class Relay:
    """Takes mails, or raises what it is told."""

    def __init__(self):
        self.taken, self.error = [], None

    def send(self, message):
        if self.error is not None:
            raise self.error
        self.taken.append(message)


@pytest.fixture
def relay():
    return Relay()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def outbox(tmp_path, relay, clock):
    return Outbox(tmp_path / "outbox", relay, clock)


def mail(subject="RÉUSSIE"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "dsi@x.lab", "a@x.lab", subject
    message.set_content("Vérifiée.\n")
    return message


def test_a_mail_of_a_key_goes_once_however_often_it_is_put(outbox, relay):
    assert outbox.put(mail(), "k")
    assert not outbox.put(mail(), "k")
    assert outbox.flush().sent == ("k",)
    assert not outbox.put(mail(), "k")
    assert outbox.flush().sent == ()
    (taken,) = relay.taken
    assert taken["Subject"] == "RÉUSSIE"
    assert taken.get_content().strip() == "Vérifiée."


def test_the_same_mail_has_the_same_identifier_whoever_puts_it(tmp_path, relay, clock):
    for place in ("one", "two"):
        box = Outbox(tmp_path / place, relay, clock)
        box.put(mail(), "k")
        box.flush()
    assert relay.taken[0]["Message-ID"] == relay.taken[1]["Message-ID"]


def test_waits_grow_and_are_kept(outbox, relay, clock):
    outbox.put(mail(), "k")
    relay.error = UnreachableError(T("Down."))
    waits = []
    for _ in range(9):
        outbox.flush()
        (left,) = outbox.waiting()
        waits.append(left.next_try - clock.now())
        assert outbox.flush().error is None  # not its turn yet
        clock.moment = left.next_try
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] == LONGEST_WAIT
    relay.error = None
    assert outbox.flush().sent == ("k",)


@pytest.mark.parametrize("kind", [UnreachableError, RefusedError, UnknownOutcomeError])
def test_what_is_offered_for_too_long_is_set_aside_and_not_lost(outbox, relay, clock, kind):
    outbox.put(mail(), "k")
    relay.error = kind(T("No."))
    outbox.flush()
    clock.moment += timedelta(days=6)
    (aside,) = outbox.flush().aside
    assert aside.error["what"] == str(T("No."))
    relay.error = None
    assert outbox.flush(now=True).sent == ()
    assert outbox.flush(again=True).sent == ("k",)
    assert outbox.waiting() == []


def test_a_refused_mail_does_not_keep_the_others_back(outbox, relay):
    outbox.put(mail(), "a")
    outbox.put(mail(), "b")
    errors = iter([RefusedError(T("No."))])

    def send(message):
        error = next(errors, None)
        if error is not None:
            raise error
        relay.taken.append(message)

    relay.send = send
    assert len(outbox.flush().sent) == 1


def test_mails_of_one_moment_go_out_in_the_order_they_were_put_in(outbox, relay):
    keys = [f"{number}" for number in range(8)]
    for key in keys:
        outbox.put(mail(key), key)
    assert outbox.flush().sent == tuple(keys)
    assert [message["Subject"] for message in relay.taken] == keys


def test_two_processes_do_not_send_the_same_mail(tmp_path, relay, clock, outbox):
    outbox.put(mail(), "k")
    other = Outbox(tmp_path / "outbox", relay, clock)
    seen = []

    def send(message):
        seen.append(other.flush(now=True).busy)
        relay.taken.append(message)

    relay.send = send
    outbox.flush()
    assert seen == [True]
    assert len(relay.taken) == 1


def test_a_kill_after_the_relay_took_it_and_it_was_noted_sends_it_no_second_time(outbox, relay, tmp_path):
    outbox.put(mail(), "k")
    (path,) = (tmp_path / "outbox" / "waiting").glob("*.json")
    kept = path.read_bytes()
    outbox.flush()
    path.write_bytes(kept)  # the kill came before it was removed
    assert outbox.flush(now=True).sent == ()
    assert len(relay.taken) == 1
    assert outbox.waiting() == []


def test_a_damaged_file_stops_no_other_mail(outbox, relay, tmp_path):
    outbox.put(mail(), "k")
    (tmp_path / "outbox" / "waiting" / "0.json").write_text("{half")
    assert outbox.flush().sent == ("k",)


def test_without_a_relay_mails_wait(tmp_path, clock):
    box = Outbox(tmp_path / "outbox", None, clock)
    box.put(mail(), "k")
    assert [one.key for one in box.flush().waiting] == ["k"]
