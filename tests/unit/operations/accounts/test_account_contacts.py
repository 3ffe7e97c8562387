"""Telephone numbers become E.164, personal addresses stay; what is neither is told why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import UsageError
from dsi_automation.operations.accounts.contacts import read_contact


@pytest.mark.parametrize(
    "typed",
    ["0707123456", "07 07 12 34 56", "07.07.12.34.56", "07-07-12-34-56", "+225 07 07 12 34 56", "002250707123456",
     "2250707123456", "(+225) 07/07/12/34/56", "07\u00a007\u202f12 34 56"],
)  # fmt: skip
def test_a_number_of_cote_d_ivoire_in_any_dress_is_one_number(typed: str) -> None:
    assert read_contact(typed).phone == "+2250707123456"


def test_a_fixed_number_and_one_of_another_country_are_kept() -> None:
    assert read_contact("27 20 25 15 15").phone == "+2252720251515"
    assert read_contact("+33 6 12 34 56 78").phone == "+33612345678"
    assert read_contact("00 223 20 22 33 44").phone == "+22320223344"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "contact is missing"),
        ("07 12 34 56", "8 digits, as before"),
        ("+225 07123456", "8 digits, as before"),
        ("22507123456", "8 digits, as before"),
        ("707123456", "9 digits"),
        ("0707", "is not a telephone number"),
        ("9907123456", "is not a telephone number"),
        ("+0123456789", "is not a telephone number"),
        ("+331", "is not a telephone number"),
        ("chez lui", "neither a telephone number nor a mail address"),
        ("07071234٥٦", "neither a telephone number nor a mail address"),
        ("a@b", "is not a mail address"),
        ("a..b@mail.example", "is not a mail address"),
        ("é@mail.example", "is not a mail address"),
        ("a@mail.example\nBcc: x@y.example", "is not a mail address"),
        ("a" * 300 + "@mail.example", "is not a mail address"),
    ],
)
def test_what_is_no_contact_is_told_why(typed: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_contact(typed)
    assert said in refused.value.what.render("en")
    assert refused.value.next_step is not None


def test_an_old_number_comes_with_the_digits_to_put_before() -> None:
    with pytest.raises(UsageError) as refused:
        read_contact("07123456")
    assert refused.value.meaning is not None
    assert all(one in refused.value.meaning.render("en") for one in ("01 (Moov)", "05 (MTN)", "07 (Orange)", "27"))


def test_a_personal_address_is_kept() -> None:
    assert read_contact("Aya.Kone+dsi@mail.example").mail == "Aya.Kone+dsi@mail.example"


@given(st.text(max_size=40))
def test_any_text_is_a_contact_or_a_refusal(text: str) -> None:
    try:
        contact = read_contact(text)
    except UsageError:
        return
    assert (contact.phone is None) != (contact.mail is None)
