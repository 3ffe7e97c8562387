"""Numbers of bytes and of seconds, as the reader's language writes them."""

from __future__ import annotations

import pytest

from dsi_automation.core.quantities import Amount, Number, Seconds
from dsi_automation.core.text import T


@pytest.mark.parametrize(
    ("size", "english", "french"),
    [
        (0, "0 B", "0 o"),
        (1023, "1023 B", "1023 o"),
        (1536, "1.5 KiB", "1,5 Kio"),
        (18_623_079, "17.8 MiB", "17,8 Mio"),
        (200 << 30, "200 GiB", "200 Gio"),
        (5 << 50, "5120 TiB", "5120 Tio"),
    ],
)
def test_bytes_have_the_units_and_the_comma_of_the_language(size: int, english: str, french: str) -> None:
    assert (Amount(size).render("en"), Amount(size).render("fr")) == (english, french)


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [(4.6, "4.6 s", "4,6 s"), (185, "3 min 05 s", "3 min 05 s"), (7_800, "2 h 10 min", "2 h 10 min")],
)
def test_durations_have_the_comma_of_the_language(seconds: float, english: str, french: str) -> None:
    assert (Seconds(seconds).render("en"), Seconds(seconds).render("fr")) == (english, french)


def test_an_amount_within_a_sentence_follows_its_language() -> None:
    assert T("{size}", size=Amount(1536)).to_json() == {"en": "1.5 KiB", "fr": "1,5 Kio"}


def test_a_number_has_the_decimal_point_of_its_language():
    assert (Number(207.04, 1).render("en"), Number(207.04, 1).render("fr")) == ("207.0", "207,0")
    assert T("{km} km", km=Number(40.0, 0)).to_json() == {"en": "40 km", "fr": "40 km"}
