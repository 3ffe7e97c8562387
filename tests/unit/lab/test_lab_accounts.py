"""The lab's passwords: strong enough for Active Directory, safe to paste, kept by their owner."""

import string

from dsi_automation.lab.accounts import SIGNS, Passwords, generate


def test_a_password_has_every_class_and_can_be_pasted_anywhere():
    for _ in range(300):
        made = generate()
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SIGNS)
        assert all(set(made) & set(kind) for kind in kinds), made
        assert set(made) <= set("".join(kinds)), made
        assert made[0].isalpha(), made
        assert len(made) == 20


def test_no_two_passwords_are_alike():
    assert len({generate() for _ in range(200)}) == 200


def test_a_password_is_made_once_and_kept_for_its_owner_only(tmp_path):
    passwords = Passwords(tmp_path / "passwords")
    first = passwords.get("svc-lecture")
    assert passwords.get("svc-lecture") == first
    assert Passwords(tmp_path / "passwords").get("svc-lecture") == first
    assert passwords.file("svc-lecture").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "passwords").stat().st_mode & 0o777 == 0o700
    assert first.reveal() not in repr(first)
