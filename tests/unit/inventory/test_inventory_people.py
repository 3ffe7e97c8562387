import base64
import struct
import subprocess
from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.people import load_people
from dsi_automation.inventory.problems import InventoryError, WrongValueError
from dsi_automation.inventory.publickeys import canonical_key
from dsi_automation.inventory.spelling import same_login, same_staff_number

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def wire(*fields):
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


def ed25519(seed):
    return "ssh-ed25519 " + base64.b64encode(wire(b"ssh-ed25519", bytes([seed]) * 32)).decode()


def person(**changes):
    return {"id": "k.kouassi", "name": "K", "staff_number": "123-A", "roles": ["technician"],
            "logins": ["DOUANES\\kkouassi"], "keys": [{"key": ed25519(1)}]} | changes  # fmt: skip


def other(**changes):
    return person(id="y.traore", staff_number="456", logins=["ytraore"], keys=[{"key": ed25519(2)}]) | changes


@pytest.fixture
def people(tmp_path):
    def load(*persons, **more):
        path = tmp_path / "people.yml"
        path.write_text(yaml.safe_dump({"people": list(persons), **more}, allow_unicode=True))
        return load_people(path)

    return load


def test_people_are_found_by_identifier_and_by_key(people):
    known = people(person(), other())
    assert known.by_id("k.kouassi").name == "K"
    assert known.by_key(ed25519(2) + " any comment").id == "y.traore"
    assert known.by_key(ed25519(3)) is None
    assert known.by_key("nonsense") is None


def test_an_unknown_person_is_refused_with_the_nearest_names(people):
    with pytest.raises(UsageError, match=r"k\.kouassi"):
        people(person()).by_id("k.kouasi")


@pytest.mark.parametrize(
    "login",
    ["kkouassi", "KKouassi", "kkouassi@douanes.example", "AUTRE\\KKOUASSI", " k kouassi ", "kkouássi", "ｋkouassi",
     "kko\u200buassi", "KKOUASSI@AD.DOUANES.EXAMPLE", "k.kouassi"],
)  # fmt: skip
def test_one_account_under_two_persons_is_refused_whatever_its_spelling_and_names_both(people, login):
    with pytest.raises(InventoryError) as raised:
        people(person(), other(logins=[login]))
    assert "k.kouassi" in str(raised.value)
    assert "y.traore" in str(raised.value)


def test_a_cyrillic_letter_that_looks_latin_is_refused(people):
    with pytest.raises(InventoryError, match=r"U\+043A"):
        people(person(logins=["кkouassi"]))


@pytest.mark.parametrize("number", ["123A", "123 - a", "00123-A", "１２３A"])
def test_one_staff_number_under_two_persons_is_refused(people, number):
    with pytest.raises(InventoryError, match=r"k\.kouassi.*y\.traore"):
        people(person(), other(staff_number=number))


def test_one_key_under_two_persons_is_refused_and_so_is_a_key_listed_twice(people):
    with pytest.raises(InventoryError, match=r"k\.kouassi.*y\.traore"):
        people(person(), other(keys=[{"key": f"{ed25519(1)} comment"}]))
    with pytest.raises(InventoryError):
        people(person(keys=[{"key": ed25519(1)}, {"key": ed25519(1), "valid_until": "2020-01-01"}]))


def test_nobody_is_called_as_the_journals_own_signer(people):
    with pytest.raises(InventoryError):
        people(person(id="controller"))


def test_several_mistakes_are_told_at_once_each_with_file_line_and_key(people, tmp_path):
    with pytest.raises(InventoryError) as raised:
        people(person(id="K Kouassi"), other(keys=[{"key": "ssh-dss AAAA"}], roles=["boss"]), roles={"technician": "T"})
    problems = raised.value.problems
    assert {p.path for p in problems} == {"people[0].id", "people[1].keys[0].key", "people[1].roles"}
    assert all(p.line and p.source == str(tmp_path / "people.yml") for p in problems)


def test_a_key_signs_from_its_first_day_to_the_end_of_its_last(people):
    known = people(person(keys=[{"key": ed25519(1), "valid_from": "2026-06-15", "valid_until": "2026-06-15"}]))
    assert known.by_key(ed25519(1), NOON) is not None
    assert known.by_key(ed25519(1), datetime(2026, 6, 14, 23, 59, 59, tzinfo=UTC)) is None
    assert known.by_key(ed25519(1), datetime(2026, 6, 15, 23, 59, 59, tzinfo=UTC)) is not None
    assert known.by_key(ed25519(1), datetime(2026, 6, 16, tzinfo=UTC)) is None
    assert known.with_role(["technician"], NOON)
    assert not known.with_role(["technician"], datetime(2026, 6, 16, tzinfo=UTC))


def test_dates_the_wrong_way_round_or_no_dates_at_all_are_refused(people):
    for period in ({"valid_from": "2026-02-01", "valid_until": "2026-01-01"}, {"valid_from": "soon"}):
        with pytest.raises(InventoryError):
            people(person(keys=[{"key": ed25519(1), **period}]))


@pytest.mark.parametrize("kind", [["ed25519"], ["ecdsa", "-b", "256"], ["ecdsa", "-b", "521"], ["rsa", "-b", "3072"]])
def test_keys_made_by_ssh_keygen_are_accepted_and_short_rsa_is_not(tmp_path, kind):
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", "a comment", "-f", tmp_path / "k"], check=True)
    line = (tmp_path / "k.pub").read_text()
    assert canonical_key(line) == " ".join(line.split()[:2])


def test_weak_foreign_and_damaged_keys_are_refused(tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "k"], check=True)
    good = ed25519(1)
    short = base64.b64encode(wire(b"ssh-ed25519", b"x" * 31)).decode()
    for bad in ((tmp_path / "k.pub").read_text(), (tmp_path / "k").read_text(), good[:-4], good.replace("ssh-", "x-"),
                f"ssh-ed25519 {short}", "ssh-rsa " + good.split()[1], "", "ssh-ed25519 ####"):  # fmt: skip
        with pytest.raises(WrongValueError):
            canonical_key(bad)


def test_security_keys_are_accepted():
    for kind, fields in (
        ("sk-ssh-ed25519@openssh.com", (b"x" * 32, b"ssh:")),
        ("sk-ecdsa-sha2-nistp256@openssh.com", (b"nistp256", b"\x04" + b"x" * 64, b"ssh:")),
    ):
        key = f"{kind} {base64.b64encode(wire(kind.encode(), *fields)).decode()}"
        assert canonical_key(f"{key} me") == key


@given(st.binary(max_size=80))
def test_any_bytes_as_a_key_are_judged_without_another_failure(blob):
    with pytest.raises(WrongValueError):
        canonical_key("ssh-ed25519 " + base64.b64encode(blob).decode())


@given(st.text(max_size=30))
def test_reducing_a_spelling_twice_changes_nothing(text):
    for reduce in (same_login, same_staff_number):
        try:
            once = reduce(text)
        except WrongValueError:
            continue
        assert reduce(once) == once


def test_ssh_keygen_accepts_a_signature_by_the_allowed_signers_text_and_honours_the_period(people, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    public = (tmp_path / "k.pub").read_text()
    (tmp_path / "m").write_text("message")
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", tmp_path / "k", "-n", "dsi", tmp_path / "m"], check=True)

    def verified(moment, namespace, **period):
        known = people(person(keys=[{"key": public, **period}]))
        (tmp_path / "allowed").write_text(known.allowed_signers(namespace))
        command = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "allowed", "-I", "k.kouassi", "-n", "dsi",
                   "-s", tmp_path / "m.sig", "-Overify-time=" + moment]  # fmt: skip
        with (tmp_path / "m").open() as message:
            return subprocess.run(command, stdin=message, capture_output=True, check=False).returncode == 0

    period = {"valid_from": "2026-06-15", "valid_until": "2026-06-15"}
    assert verified("20260615000001Z", None, **period)
    assert verified("20260615235958Z", "dsi", **period)
    assert not verified("20260614235958Z", None, **period)
    assert not verified("20260616000001Z", None, **period)
    assert verified("20300101000000Z", None)
    assert not verified("20300101000000Z", "other")
