"""Names of every shape of the region, from a file to both directories: the right account, or a refusal with its row."""

import csv
import json
from dataclasses import dataclass

import pytest

WANTED = ("cn", "sn", "givenName", "displayName", "mail", "userPrincipalName", "proxyAddresses", "sAMAccountName",
          "department", "userAccountControl")  # fmt: skip
LONG = "Kouadiokonan" * 5 + "abcd"


@dataclass(frozen=True)
class Fits:
    """A name that gets an account: as typed, and what both directories are to hold."""

    last: str
    first: str
    local: str
    display: str
    surname: str | None = None
    given: str | None = None


FIT = [
    Fits("N'GUESSAN", "Élie", "elie.nguessan", "N'GUESSAN Élie"),
    Fits("N’Guessan", "Ahou", "ahou.nguessan", "N’GUESSAN Ahou"),
    Fits("KOUAMÉ épse TRA BI", "Affoué Rose", "affoue.kouame", "KOUAMÉ épse TRA BI Affoué Rose"),
    Fits("Tra Bi Irié", "Jean-Luc Zoro", "jean-luc.tra-bi-irie", "TRA BI IRIÉ Jean-Luc Zoro"),
    Fits("Kɔnan", "Ɔbla", "obla.konan", "KƆNAN Ɔbla"),
    Fits("Souleymane", "", "souleymane", "SOULEYMANE"),
    Fits(LONG, "Aya", f"aya.{LONG.lower()}"[:64], f"{LONG.upper()} Aya"),
    Fits("D’ALMEIDA-DOS SANTOS", "Œuvre", "oeuvre.dalmeida-dos-santos", "D’ALMEIDA-DOS SANTOS Œuvre"),
]
UNFIT = [
    "*)(objectClass=*",
    'KO"UAME',
    "KOUAME, Jean",
    "KOFFI 🦁",
    LONG + "e",
    "株式",
    "=cmd|'/C calc'!A0",
    "\\2a",
    "123",
]


@pytest.fixture
def named(desk):
    """Return people with the names of `FIT`, by number, and rows whose names do not fit."""
    fit = {}
    for name in FIT:
        row = desk.office.staff(last_name=name.last, first_names=name.first, department='Bureau "A", rez-de-chaussée')
        fit[row["matricule"]] = (row, name)
    unfit = [desk.office.staff(last_name=name) for name in UNFIT]
    return fit, unfit


def test_each_name_gets_the_right_account_or_a_refusal_that_names_its_row(desk, named):
    fit, unfit = named
    twins = desk.office.staff(2, last_name="KOUASSI", first_names="Yao")
    for row, tail in zip(twins, ("41X", "87Z"), strict=True):
        row["matricule"] = row["matricule"][:4] + tail
    rows = [*unfit, *twins, *(row for row, _ in fit.values())]
    plans = [desk.plan(order).json for order in (rows, rows[::-1])]
    assert plans[0]["digest"] == plans[1]["digest"]
    blocked = {blocker["target"]: blocker for blocker in plans[0]["blockers"]}
    assert set(blocked) == {row["matricule"] for row in unfit}
    assert all(blocker["reason"] and blocker["next_step"] for blocker in blocked.values())
    there = {account["dn"] for account in desk.lab.search("(objectClass=user)", ["cn"])}
    said = desk.office.run(desk.ask(rows, "--partial"))
    assert (said.code, set(said.json["targets"])) == (0, {*fit, *(row["matricule"] for row in twins)}), said
    now = {account["dn"] for account in desk.lab.search("(objectClass=user)", ["cn"])}
    assert len(now - there) == len(fit) + 2
    for number, (row, name) in fit.items():
        account, user = desk.account(number, *WANTED), desk.user(number)
        address = f"{name.local}@douanes.lab"
        assert account["sn"] == [row["last_name"]]
        assert account["givenName"] == ([name.first] if name.first else [])
        assert account["displayName"] == [name.display]
        assert account["cn"][0].endswith(f" {number}")
        assert len(account["cn"][0]) <= 64
        assert (account["mail"], account["userPrincipalName"]) == ([address], [address])
        assert account["proxyAddresses"][0] == f"SMTP:{address}"
        assert account["sAMAccountName"] == [number.lower()]
        assert account["department"] == ['Bureau "A", rez-de-chaussée']
        assert (user["userPrincipalName"], user["mail"], user["displayName"]) == (address, address, name.display)
    # By staff number, whatever the order: the first gets the name alone, the other the end of the number.
    first, second = (row["matricule"] for row in twins)
    tails = {first: "yao.kouassi@douanes.lab", second: "yao.kouassi.7z@douanes.lab"}
    assert {number: desk.account(number)["mail"][0] for number in tails} == tails
    assert {number: desk.user(number)["mail"] for number in tails} == tails


def test_a_nul_in_a_file_is_its_rows_trouble(desk):
    rows = desk.office.staff(3)
    rows[1]["last_name"] = "KO\0FFI"
    file = desk.office.folder / "staff.json"
    file.write_text(json.dumps(rows))
    said = desk.office.plan("-i", f"people=@{file}", operation="mailbox.create")
    assert [blocker["target"] for blocker in said.json["blockers"]] == [rows[1]["matricule"]], said
    assert "U+0000" in said.json["blockers"][0]["reason"]
    assert said.json["targets"] == [rows[0]["matricule"], rows[2]["matricule"]]
    table = desk.office.folder / "staff.csv"
    with table.open("w", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    said = desk.office.plan("-i", f"people=@{table}", operation="mailbox.create")
    assert [blocker["target"] for blocker in said.json["blockers"]] == [rows[1]["matricule"]], said
