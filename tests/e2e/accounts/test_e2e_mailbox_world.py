"""Seats that are short, addresses that somebody else takes, accounts that were there before."""

import pytest
from waiting import wait_for

DESKLESS = "DESKLESSPACK"


def used(desk, part_number=DESKLESS):
    """Return how many seats of a licence are in use."""
    return next(sku["consumedUnits"] for sku in desk.graph.skus() if sku["skuPartNumber"] == part_number)


def address_of(plan, number):
    """Return the address that a plan gives somebody."""
    return next(a["args"]["address"] for a in plan.json["actions"] if a["target"] == number)


def test_nobody_gets_an_account_without_a_seat_unless_that_is_asked_for(desk):
    rows = desk.office.staff(4, licence="guichet")
    numbers = [row["matricule"] for row in rows]
    desk.graph.seats(DESKLESS, used(desk) + 2)
    plan = desk.plan(rows)
    short = {blocker["target"]: blocker for blocker in plan.json["blockers"]}
    assert (set(short), plan.json["targets"]) == (set(numbers[2:]), numbers[:2]), plan
    for number, blocker in short.items():
        assert number in blocker["reason"]
        assert " 2 places" in blocker["next_step"], blocker
    refused = desk.office.dsi("request", "mailbox.create", "-i", "people=@staff.csv", "--reason", "x", "--json")
    assert refused.code != 0
    assert all(number in refused.error["what"] for number in numbers[2:]), refused
    said = desk.make(rows, "--partial")
    assert (said.code, said.json["targets"]) == (0, dict.fromkeys(numbers[:2], "done")), said
    assert [desk.office.accounts(number) + desk.office.cloud_users(number) for number in numbers[2:]] == [[], []]
    # Asked for without a seat: accounts, no licence, and nothing that was not asked for.
    said = desk.make(rows, "-i", "without_seat=true")
    assert (said.code, said.json["targets"]) == (0, dict.fromkeys(numbers, "done") | {
        number: said.json["targets"][number] for number in numbers[:2]}), said  # fmt: skip
    for number in numbers[2:]:
        desk.assert_made_once(number, licence=False)
    for number in numbers[:2]:
        desk.assert_made_once(number)


def test_a_seat_that_vanishes_between_the_plan_and_the_run_is_nobodys_account(desk):
    rows = desk.office.staff(2, licence="guichet")
    first, second = (row["matricule"] for row in rows)
    desk.graph.seats(DESKLESS, used(desk) + 2)
    asked = desk.ask(rows)
    desk.graph.seats(DESKLESS, used(desk) + 1)
    said = desk.office.run(asked)
    assert (said.code, said.json["targets"]) == (5, {first: "done", second: "failed"}), said
    assert " 1 place" in said.json["errors"][second]["next_step"]
    assert desk.office.accounts(second) + desk.office.cloud_users(second) == []
    desk.assert_made_once(first)


def refused_with_7(desk, asked, number, address):
    """Run what was approved: it must find the address taken and write nothing at all."""
    before = desk.asked_so_far
    said = desk.office.run(asked)
    assert said.code == 7, said
    assert (desk.office.accounts(number), desk.writes(before)) == ([], [])
    return said


def test_an_address_taken_since_the_plan_ends_in_7_and_the_next_plan_has_the_next_one(desk):
    (row,) = rows = desk.office.staff(1)
    number = row["matricule"]
    asked = desk.ask(rows)
    first = address_of(desk.plan(rows), number)
    # A namesake of another service, with a staff number of its own.
    names = {"surname": row["last_name"], "givenName": row["first_names"], "displayName": "Homonyme"}
    taken = desk.graph.seed_user(userPrincipalName=first, mail=first, proxyAddresses=[f"SMTP:{first}"],
                                 employeeId="999999Z", **names)  # fmt: skip
    refused_with_7(desk, asked, number, first)
    second = address_of(desk.plan(rows), number)
    assert second == first.replace("@", f".{number[-2:].lower()}@")
    # Somebody of whom nobody knows who it is: 7 as well, and then a question for a person.
    desk.graph.delete_user(taken["id"], purge=True)
    desk.graph.take_address(first)
    said = refused_with_7(desk, asked, number, first)
    assert first in said.out
    plan = desk.plan(rows)
    assert (plan.code, plan.json["actions"]) == (5, []), plan
    assert first in plan.json["blockers"][0]["reason"]
    # Named with an address of its own, the person gets that one.
    said = desk.make([{**row, "address": second}])
    assert (said.code, desk.account(number)["mail"]) == (0, [second]), said


def test_an_address_taken_while_the_run_is_about_to_write_is_not_written_over(desk):
    (row,) = rows = desk.office.staff(1)
    number = row["matricule"]
    asked = desk.ask(rows)
    address = address_of(desk.plan(rows), number)
    # Its last look before the write takes a moment: time for somebody else, with the very logon name.
    desk.graph.fault("slow", seconds=1.5)
    process = desk.office.start("run", asked, "--json")
    wait_for(lambda: "action.about_to" in desk.office.kinds())
    dn = f"CN=Intrus {number},OU=Utilisateurs,OU=SPY,OU=Sites,DC=ad,DC=douanes,DC=lab"
    with desk.lab.directory() as directory:
        assert directory.connection.add(dn, ["user"], {
            "sAMAccountName": f"i{number}", "userPrincipalName": address, "mail": address,
            "employeeID": "999998Y",
        }), directory.connection.result  # fmt: skip
    desk.graph.clear_faults()
    said = desk.office.finish(process)
    assert said.code == 7, said
    assert "Intrus" in said.out
    assert desk.office.accounts(number) == []
    assert address_of(desk.plan(rows), number) != address


def test_who_has_an_account_already_keeps_it_and_doubts_are_for_a_person(desk):
    kept = {"matricule": "100001A", "last_name": "Koné", "first_names": "Awa", "contact": "0701020304", "site": "ABJ"}
    by_address, twice, other = desk.office.staff(3)
    other["last_name"], other["first_names"] = "SORO", "Drissa"
    ou = "OU=Utilisateurs,OU=ABJ,OU=Sites,DC=ad,DC=douanes,DC=lab"
    address = address_of(desk.plan([by_address]), by_address["matricule"])
    with desk.lab.directory() as directory:
        for cn, fields in {
            "old": {
                "mail": address,
                "userPrincipalName": address,
                "sn": by_address["last_name"],
                "givenName": "Affoué",
                "userAccountControl": "544",
            },
            "one": {"employeeID": twice["matricule"], "sn": twice["last_name"]},
            "two": {"employeeID": twice["matricule"], "sn": twice["last_name"]},
            "married": {"employeeID": other["matricule"], "sn": "Coulibaly", "givenName": "Drissa"},
        }.items():
            login = f"{cn}{by_address['matricule']}".lower()
            done = directory.connection.add(f"CN={login},{ou}", ["user"], {"sAMAccountName": login, **fields})
            assert done, directory.connection.result
    plan = desk.plan([kept, by_address, twice, other])
    reasons = {}
    for blocker in plan.json["blockers"]:
        reasons[blocker["target"]] = reasons.get(blocker["target"], "") + blocker["reason"]
    assert {twice["matricule"], other["matricule"]} <= set(reasons), plan
    assert "Coulibaly" in reasons[other["matricule"]]
    assert {twice["matricule"], other["matricule"]} == set(reasons), plan
    assert not [action for action in plan.json["actions"] if action["kind"] in {"create_account", "set_password"}]
    assert not [action for action in plan.json["actions"] if action["target"] == "100001A"]
    told = [item["reason"] for item in plan.json["non_actions"] if item["target"] == "100001A"]
    assert any("dsi mailbox handover 100001A" in reason for reason in told), told
    settings = desk.handed("100001A")["100001A"]
    assert (settings["address"], settings["password"]) == ("awa.kone@douanes.lab", None)
    # Who is found by address alone keeps the account, and gets the mailbox that was missing.
    said = desk.make([kept, by_address, twice, other], "--partial")
    assert (said.code, said.json["targets"][by_address["matricule"]]) == (0, "done"), said
    again = desk.plan([kept, by_address])
    assert (again.code, again.json["actions"]) == (0, []), again


@pytest.fixture(autouse=True)
def tidy(desk):
    """Give the directory back as it was: objects made here by hand hold addresses and numbers."""
    yield
    desk.lab.reset_tenant()
