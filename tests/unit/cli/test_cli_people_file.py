"""A file of people is read whatever program saved it, and what is wrong in it is told with its line."""

import codecs
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.cli.inputs import gather
from dsi_automation.composition.people_file import from_csv, read_people
from dsi_automation.composition.people_text import LARGEST
from dsi_automation.core.errors import UsageError
from dsi_automation.operations.accounts.people import MOST_ROWS, MailboxInputs

HEADER = "matricule;nom;prénoms;contact;site;service;licence;responsable;adresse"
ROW = "300101A;N’GUESSAN;Éric Kouamé;0707070707;ABJ;Comptabilité;bureau;100001A;"
EXPECTED = {
    "line": 2, "matricule": "300101A", "last_name": "N’GUESSAN", "first_names": "Éric Kouamé",
    "contact": "0707070707", "site": "ABJ", "department": "Comptabilité", "licence": "bureau",
    "manager": "100001A", "address": "",
}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def read_it(content, name="staff.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_people(path)

    return read_it


def refusal(read, content, name="staff.csv"):
    with pytest.raises(UsageError) as caught:
        read(content, name)
    return f"{caught.value.what.render('en')} {caught.value.next_step.render('en')}"


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
    ],
)
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_separator_and_line_end_gives_the_same_rows(read, encode, separator, end):
    text = f"{HEADER}\n{ROW}\n".replace(";", separator).replace("\n", end)
    assert read(encode(text)) == [EXPECTED]


@pytest.mark.parametrize(
    "header",
    [
        "Matricule,NOM,Prenoms,Contact",
        " N° matricule , Nom de famille,PRÉNOMS,Téléphone",
        "staff number,Last_Name,first-names,phone",
        '"Matricule","Nom","Prénoms","Contact"',
    ],
)
def test_columns_are_known_in_french_and_english_whatever_their_case_accents_and_spaces(read, header):
    rows = read(f"{header}\n1234A,KONE,Awa,awa@x.ci\n")
    assert rows == [{"line": 2, "matricule": "1234A", "last_name": "KONE", "first_names": "Awa", "contact": "awa@x.ci"}]


def test_the_columns_may_stand_in_any_order(read):
    assert read("contact;prénoms;nom;matricule\nc;p;n;1234A\n")[0] == {
        "line": 2, "contact": "c", "first_names": "p", "last_name": "n", "matricule": "1234A",
    }  # fmt: skip


def test_missing_unknown_and_double_columns_are_all_told_at_once_with_what_is_expected(read):
    told = refusal(read, "matricule;nom;Nom de famille;prenoms;servise;couleur\n1;2;3;4;5;6\n")
    for words in (
        "columns are missing: contact",
        "“couleur”",
        "“servise” (“service”, perhaps?)",
        "“last name” is there twice: nom, Nom de famille",
        "Columns: staff number",
        "dsi mailbox template",
    ):
        assert words in told


def test_quotes_commas_and_line_breaks_inside_fields_are_kept(read):
    text = 'matricule,nom,prénoms,contact\n1A,"KOFFI, épse ""LA BELLE""","Aya\nRose",c\n2B,K,B,d\n'
    first, second = read(text)
    assert first["last_name"] == 'KOFFI, épse "LA BELLE"'
    assert first["first_names"] == "Aya\nRose"
    assert (first["line"], second["line"]) == (2, 4)


def test_empty_lines_and_comments_are_passed_over_and_lines_still_counted(read):
    rows = read(f"# staff of November\n\nsep=;\n{HEADER}\n\n;;;;;;;;\n{ROW}\n# 300102B;X;Y\n   \n")
    assert [row["line"] for row in rows] == [7]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("300101A;KONE;Awa", "too_few_fields"),
        (f"{ROW};surplus", "too_many_fields"),
        ('300101A;"KONE" Awa;x;y;;;;;', "quotes"),
    ],
)
def test_a_line_that_cannot_be_taken_apart_is_a_row_of_its_own_and_not_the_end(read, line, problem):
    rows = read(f"{HEADER}\n{line}\n{ROW}\n")
    assert rows == [{"line": 2, "problem": problem}, {**EXPECTED, "line": 3}]
    inputs = MailboxInputs(people=rows)
    assert inputs.targets() == ("300101A", "line-2")
    assert inputs.rows()["line-2"][0].problem == problem


def test_separators_too_many_at_the_end_of_a_line_are_nothing(read):
    assert read(f"{HEADER};;\n{ROW};;;;\n") == [EXPECTED]


def test_a_quotation_mark_never_closed_is_told_with_its_line(read):
    assert "line 3" in refusal(read, f'{HEADER}\n{ROW}\n300102B;"KONE;Awa;c\n{ROW}\n{ROW}\n')


def test_a_byte_of_no_encoding_is_told_with_its_line(read):
    damaged = (HEADER + "\n" + ROW + "\n").encode() + b"300102B;KON\xe9;Awa;c;;;;;\n"
    assert "line 3" in refusal(read, damaged)
    assert "line 2" in refusal(read, HEADER.encode("cp1252") + b"\n300102B;KON\x81;Awa;c;;;;;\n")
    assert "line 2" in refusal(read, (HEADER + "\n" + ROW).encode("utf-16")[:-1])


def test_what_is_no_file_of_people_is_refused(read, tmp_path):
    for content in ("", "\n\n", "# only a comment\n", HEADER, "[", "a: b"):
        with pytest.raises(UsageError):
            read(content)
    assert "workbook" in refusal(read, b"PK\x03\x04", "staff.xlsx")
    assert "MiB" in refusal(read, b"x" * (LARGEST + 1))
    with pytest.raises(UsageError):
        read_people(tmp_path / "absent.csv")
    with pytest.raises(UsageError):
        read_people(tmp_path)


def test_more_people_than_one_request_takes_are_refused_and_as_many_are_not(read):
    row = "{};N;P;C;;;;;\n"
    most = HEADER + "\n" + "".join(row.format(1000 + n) for n in range(MOST_ROWS))
    assert len(read(most)) == MOST_ROWS
    assert str(MOST_ROWS) in refusal(read, most + row.format(9999))


def test_a_list_in_yaml_or_json_is_read_too_and_numbers_stay_as_written(read):
    rows = read(
        "- matricule: 012345\n  nom: NO\n  contact: 0707070707\n\n- {staff number: 1e5, licence: null}\n", "a.yml"
    )
    assert rows == [
        {"line": 1, "matricule": "012345", "last_name": "NO", "contact": "0707070707"},
        {"line": 5, "matricule": "1e5", "licence": ""},
    ]
    assert read(json.dumps([{"matricule": "1A", "nom": "É"}]), "a.json") == [
        {"line": 1, "matricule": "1A", "last_name": "É"}
    ]
    for content in ("a: b", "[", "- [1]", "- a", "- {matricule: [1]}", "- {colour: red}", "[]"):
        with pytest.raises(UsageError):
            read(content, "a.yml")


def test_a_file_after_people_is_read_as_people_and_makes_inputs(tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text(f"{HEADER}\n{ROW}\n")
    gathered = gather([f"people=@{path}", "reset=true"])
    assert gathered["people"] == [EXPECTED]
    assert MailboxInputs(**gathered).targets() == ("300101A",)


FIELD = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r"), max_size=20)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD, FIELD), min_size=1, max_size=8), st.sampled_from(";,\t"))
def test_whatever_a_correct_writer_wrote_comes_back(rows, separator):
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["matricule", "nom", "prénoms", "contact"])
    writer.writerows(rows)
    names = ("matricule", "last_name", "first_names", "contact")
    wanted = [tuple(value.strip() for value in row) for row in rows]
    wanted = [row for row in wanted if any(row) and not row[0].startswith("#")]
    found = [tuple(row[name] for name in names) for row in from_csv(target.getvalue(), "x")]
    assert found == [row for row in wanted if row[0].lower() != "sep=" or any(row[1:])]
