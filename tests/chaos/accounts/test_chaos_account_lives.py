"""After the mailbox: its checks, its licences, the day somebody leaves; killed after each write, done once each."""

from waiting import wait_for

LICENCE = ("POST", "/users/*/assignLicense")
SESSIONS = ("POST", "/users/*/revokeSignInSessions")


def control(directory, number):
    """Return the account control flags and the place of an account."""
    (account,) = directory.search(f"(employeeID={number})", ["userAccountControl"])
    return str(account["userAccountControl"][0]), account["dn"]


def parts(desk, number):
    """Return the licences somebody has, by part number."""
    names = {sku["skuId"]: sku["skuPartNumber"] for sku in desk.graph.skus()}
    return [names[one["skuId"]] for one in desk.user(number)["assignedLicenses"]]


def test_from_the_first_licence_to_the_leave(desk, directory):
    office = desk.office
    rows = office.staff(2)
    number, leaver = (row["matricule"] for row in rows)
    said = desk.make(rows)
    assert said.code == 0, said
    check = office.dsi("mailbox", "check", number, "--json")
    assert (check.code, check.json["exit_code"]) == (0, 0), check

    # A licence taken away, the kill in between; then another one given, the kill in between as well.
    asked = office.approved(number, "-i", "licence=bureau", operation="licence.remove")
    desk.killed_after(*LICENCE, "run", asked)
    said = office.dsi("resume", office.runs()[-1], "--json")
    assert (said.code, parts(desk, number)) == (0, []), said
    check = office.dsi("mailbox", "check", number, "--json")
    assert check.code == 5, check
    asked = office.approved(number, "-i", "licence=guichet", operation="licence.assign")
    desk.killed_after(*LICENCE, "run", asked)
    said = office.dsi("resume", office.runs()[-1], "--json")
    assert (said.code, parts(desk, number)) == (0, ["DESKLESSPACK"]), said
    again = office.plan(number, "-i", "licence=guichet", operation="licence.assign")
    assert (again.code, again.json["actions"]) == (0, []), again
    everybody = office.dsi("mailbox", "check", "--json")
    assert everybody.code in (0, 5), everybody
    assert "DESKLESSPACK" in everybody.out

    # The leave: killed after each of its writes.
    asked = office.approved(leaver, operation="account.disable")
    desk.hold(*SESSIONS)
    desk.killed_when(lambda: control(directory, leaver)[0] == "514", "run", asked)
    command = ["resume", office.runs()[-1]]
    for write in (SESSIONS, LICENCE):
        desk.killed_after(*write, *command)
    # The proof reads the tenant after the move: slow enough to be killed in between.
    desk.graph.fault("slow", seconds=2.0)
    desk.killed_when(lambda: ",OU=Partis," in control(directory, leaver)[1], *command)
    desk.graph.clear_faults()
    said = office.dsi(*command, "--json")
    assert (said.code, said.json["targets"]) == (0, {leaver: "done"}), said
    flags, dn = control(directory, leaver)
    assert (flags, dn.partition(",")[2]) == ("514", "OU=Partis,DC=ad,DC=douanes,DC=lab")
    wait_for(lambda: not desk.user(leaver)["accountEnabled"])
    assert parts(desk, leaver) == []
    since = desk.asked_so_far
    again = office.plan(leaver, operation="account.disable")
    assert (again.code, again.json["actions"], desk.writes(since)) == (0, [], []), again
    office.assert_whole()
