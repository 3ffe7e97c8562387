"""What every temporary password is, and never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.operations.accounts.passwords import CLASSES, DIGITS, LOWER, SIGNS, UPPER, new_password, tokens

LENGTHS = st.integers(min_value=12, max_value=64)
NAMES = st.lists(st.text(max_size=20) | st.sampled_from(["N’GUESSAN Éric", "aya.kouame@douanes.lab", "123456A"]))


@given(LENGTHS, NAMES)
def test_a_password_has_the_length_asked_all_four_classes_and_letters_at_its_ends(
    length: int, names: list[str]
) -> None:
    value = new_password(length, names=names).reveal()
    assert len(value) == length
    assert all(any(one in characters for one in value) for characters in CLASSES)
    assert value[0] in LOWER + UPPER
    assert value[-1] in LOWER + UPPER


@given(LENGTHS)
def test_nothing_in_it_is_taken_for_something_else_on_paper_or_needs_altgr(length: int) -> None:
    value = new_password(length).reveal()
    assert not set(value) & set("0OoIl1|`'\"^~@#{}[]\\€$£ ,;:.")
    assert set(value) <= set(LOWER + UPPER + DIGITS + SIGNS)


@given(st.lists(st.text("abcXYZ234", min_size=1, max_size=4), max_size=6))
def test_no_part_of_a_name_of_three_letters_or_more_is_inside(names: list[str]) -> None:
    value = new_password(12, names=names).reveal().casefold()
    assert not [token for token in tokens(names) if token in value]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("N’GUESSAN Éric", {"guessan", "éric", "eric"}),
        ("Tra-Bi, Jo", {"tra"}),
        ("aya.kouame@douanes.lab", {"aya", "kouame", "douanes", "lab"}),
        ("123456A", {"123456a"}),
        ("Li", set()),
    ],
)
def test_names_are_taken_apart_as_active_directory_does_and_without_accents(name: str, parts: set[str]) -> None:
    assert parts <= tokens([name])
    assert all(len(token) >= 3 for token in tokens([name]))


def test_two_passwords_are_two() -> None:
    assert len({new_password(16).reveal() for _ in range(200)}) == 200


def test_a_password_never_shows_by_being_printed() -> None:
    secret = new_password(16)
    assert secret.reveal() not in f"{secret} {secret!r}"


def test_a_length_that_cannot_hold_all_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="7"):
        new_password(7)
