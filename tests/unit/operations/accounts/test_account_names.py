"""Names of every shape of the region: the right address, or a clear refusal; nothing depends on anybody else."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.core.errors import UsageError
from dsi_automation.operations.accounts.names import (
    fold,
    natural_forms,
    numbered_forms,
    read_name,
    same_person,
    same_surname,
    tidy,
)

LOCAL = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
LETTERS = "aAzZéÉèçôïœŒæßøɔƆɛƐŋŊɩɪʋƲđɖƉƒɣɓɲłþñü’'ʼʹ`´‘ -‐‑–."


@pytest.mark.parametrize(
    ("last", "first", "forms"),
    [
        ("N’Guessan", "Éric", ["eric.nguessan"]),
        ("N'GUESSAN", "éric", ["eric.nguessan"]),
        ("Nʼguessan", "Eric", ["eric.nguessan"]),
        ("N‘Guessan", "Eric", ["eric.nguessan"]),
        ("N`Guessan", "Eric", ["eric.nguessan"]),
        ("N´Guessan", "Eric", ["eric.nguessan"]),
        ("Nʹguessan", "Eric", ["eric.nguessan"]),
        ("D’Almeida", "Œdipe", ["oedipe.dalmeida"]),
        ("Tra Bi Irié", "Jean", ["jean.tra-bi-irie"]),
        ("Tra-Bi", "Jean", ["jean.tra-bi"]),
        ("de Souza", "Ana", ["ana.de-souza"]),
        ("Kɔnɛ", "Ɔla", ["ola.kone"]),
        ("KƆNƐ", "Æba", ["aeba.kone"]),
        ("Großmann", "Bjørn", ["bjorn.grossmann"]),
        ("Kouamé", "Aya Rose", ["aya.kouame", "aya.r.kouame", "aya-rose.kouame"]),
        ("Kouamé", "Marie-Claire Aya", ["marie-claire.kouame", "marie-claire.a.kouame", "marie-claire-aya.kouame"]),
        ("Kouamé", "", ["kouame"]),
        ("", "Kouamé", ["kouame"]),
        ("Kouamé", "-", ["kouame"]),
        ("𝐊ouamé", "Ａya", ["aya.kouame"]),
        ("Koffi épse Kouadio", "Awa", ["awa.koffi"]),
        ("KOFFI EPSE KOUADIO", "Awa", ["awa.koffi"]),
        ("Koffi Ep. Kouadio", "Awa", ["awa.koffi"]),
        ("Koffi ép.Kouadio", "Awa", ["awa.koffi"]),
        ("Koffi (épouse Kouadio)", "Awa", ["awa.koffi"]),
        ("Koffi Vve Kouadio", "Awa", ["awa.koffi"]),
        ("Koffi veuve Kouadio", "Awa", ["awa.koffi"]),
        ("Koffi ex-épse Kouadio", "Awa", ["awa.koffi"]),
        ("Kouadio née Koffi", "Awa", ["awa.koffi"]),
        ("Kouadio (Née Koffi)", "Awa", ["awa.koffi"]),
        ("Tra Bi épse Kouadio", "Awa", ["awa.tra-bi"]),
        ("Koffi", "Awa épse Kouadio", ["awa.koffi"]),
        ("Kone\u00a0Bi", "Awa\u202fRose", ["awa.kone-bi", "awa.r.kone-bi", "awa-rose.kone-bi"]),
        ("Kone\u0301", "E\u0301ric", ["eric.kone"]),
        ("A" * 64, "B" * 64, ["b" * 20 + "." + "a" * 43]),
        ("A" * 64, "", ["a" * 64]),
        ("Ba", "B" * 64, ["b" * 61 + ".ba"]),
    ],
)
def test_a_name_gives_these_forms(last: str, first: str, forms: list[str]) -> None:
    assert list(natural_forms(read_name(last, first))) == forms


@pytest.mark.parametrize(
    ("last", "first", "said"),
    [
        ("Ko\0ne", "Awa", "invisible character U+0000"),
        ("Kone\nBi", "Awa", "invisible character U+000A"),
        ("Ko\u200bne", "Awa", "invisible character U+200B"),
        ("\u202eKone", "Awa", "invisible character U+202E"),
        ("*)(objectClass=*", "Awa", "“*” (U+002A) is not part of a name"),
        ("Kone", "Awa)(uid=*", "“)” (U+0029) is not part of a name"),
        ("Kone, Bi", "Awa", "“,” (U+002C) is not part of a name"),
        ('Ko"ne', "Awa", '“"” (U+0022) is not part of a name'),
        ("Kone\\", "Awa", "“\\” (U+005C) is not part of a name"),
        ("Kone", "Awa 😀", "“😀” (U+1F600) is not part of a name"),
        ("Kone2", "Awa", "“2” (U+0032) is not part of a name"),
        ("Kone (Paris)", "Awa", "“(” (U+0028) is not part of a name"),
        ("محمد", "Awa", "cannot be written in an address"),
        ("Kone", "王", "cannot be written in an address"),
        ("Коne", "Awa", "cannot be written in an address"),
        ("A" * 65, "Awa", "65 characters does not fit"),
        ("Kone", "A" * 65, "65 characters does not fit"),
        ("Vve Kouadio", "Awa", "holds no birth name"),
        ("’", "Awa", "holds no birth name"),
        ("", "", "The name is missing"),
    ],
)
def test_what_is_no_name_is_refused_and_says_why(last: str, first: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_name(last, first)
    assert said in refused.value.what.render("en")
    assert refused.value.next_step is not None


def test_the_display_name_keeps_everything_and_capitals_are_the_last_name_s() -> None:
    assert read_name("N’Guessan", "Éric").display == "N’GUESSAN Éric"
    assert read_name("Koffi épse Kouadio", "Awa").display == "KOFFI épse KOUADIO Awa"
    assert read_name("Kɔnɛ", "").display == "KƆNƐ"


def test_the_common_name_ends_in_the_staff_number_and_fits_into_64_characters() -> None:
    assert read_name("Kone", "Awa").common_name("100100A") == "KONE Awa 100100A"
    long = read_name("A" * 64, "B" * 64).common_name("100100A")
    assert long == "A" * 56 + " 100100A"
    assert len(long) == 64


def test_numbered_forms_end_in_more_and_more_of_the_staff_number() -> None:
    name = read_name("Kouamé", "Aya Rose")
    assert numbered_forms(name, "1234B") == ("aya.kouame.4b", "aya.kouame.34b", "aya.kouame.234b", "aya.kouame.1234b")
    assert all(len(form) <= 64 for form in numbered_forms(read_name("A" * 64, "B" * 64), "1234567890B"))


@given(st.text(st.sampled_from(LETTERS), max_size=70), st.text(st.sampled_from(LETTERS), max_size=70))
def test_any_name_gives_right_local_parts_or_a_refusal(last: str, first: str) -> None:
    try:
        name = read_name(last, first)
    except UsageError:
        return
    forms = [*natural_forms(name), *numbered_forms(name, "100100A")]
    assert all(LOCAL.fullmatch(form) and len(form) <= 64 for form in forms)
    assert len(set(forms)) == len(forms)
    assert len(name.common_name("100100A")) <= 64
    assert len(name.display) <= 256


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_a_name_or_a_refusal_never_an_accident(last: str, first: str) -> None:
    try:
        forms = natural_forms(read_name(last, first))
    except UsageError:
        forms = ("refused",)
    assert all(LOCAL.fullmatch(form) for form in forms)


@given(st.text(max_size=60))
def test_folding_is_stable_and_does_not_depend_on_the_form_of_the_accents(text: str) -> None:
    folded = fold(text, strictly=False)
    assert fold(folded) == folded
    assert fold(unicodedata.normalize("NFD", text), strictly=False) == fold(
        unicodedata.normalize("NFC", text), strictly=False
    )
    assert tidy(tidy(text)) == tidy(text)


def test_a_directory_s_name_is_this_person_s_whatever_its_accents_and_marital_form() -> None:
    name = read_name("Koffi épse Kouadio", "Éric Yao")
    assert all(same_surname(name, other) for other in ("KOFFI", "Kouadio", "KOFFI EPSE KOUADIO", "Kouadio née Koffi"))
    assert not any(same_surname(name, other) for other in ("Bamba", "", None))
    assert same_person(name, "KOFFI", "Eric")
    assert same_person(name, "Koffi épse Kouadio", "ERIC Jean")
    assert not same_person(name, "Kouadio", "Éric")
    assert not same_person(name, "Koffi", "Yao")
    assert not same_person(name, None, None)
    assert same_person(read_name("Kouamé", ""), None, "KOUAME")
