"""`mailbox.create` killed after every one of its writes: whoever goes on ends with one of everything."""

import pytest

ACCOUNT, PASSWORD, ENABLED = "account", "password", "enabled"
ON_DEMAND = "/servicePrincipals/*/synchronization/jobs/*/provisionOnDemand"
LICENCE, MAIL = ("POST", "/users/*/assignLicense"), ("POST", "/users/*/sendMail")
IN_DIRECTORY = {"synchronised": [ACCOUNT, PASSWORD, ENABLED], "cloud": [ENABLED]}
IN_TENANT = {
    "synchronised": [("POST", ON_DEMAND), ("PATCH", "/users/*"), LICENCE, MAIL],
    "cloud": [("POST", "/users"), LICENCE],
}


def shows(directory, number, what):
    """Tell whether the directory shows a write; read in one exchange."""
    found = directory.search(f"(employeeID={number})", ["pwdLastSet", "userAccountControl"])
    if what == ACCOUNT or not found:
        return bool(found)
    value = str(found[0]["userAccountControl"][0])
    if what == ENABLED:
        return value == "512"
    return value == "512" or not str(found[0]["pwdLastSet"][0]).startswith(("0", "1601"))


@pytest.mark.parametrize("tenant", ["synchronised", "cloud"])
def test_killed_after_each_write_it_ends_with_one_of_everything(desk, directory, tenant):
    desk.graph.hybrid(enabled=tenant == "synchronised", every=0)
    rows = desk.office.staff(2, contact=f"{tenant}@example.org")
    numbers = [row["matricule"] for row in rows]
    asked = desk.ask(rows)
    command = ["run", asked]
    desk.hold(*IN_TENANT[tenant][0])
    for step in IN_DIRECTORY[tenant]:
        desk.killed_when(lambda step=step: any(shows(directory, one, step) for one in numbers), *command)
        command = ["resume", desk.office.runs()[0]]
    for method, path in IN_TENANT[tenant]:
        desk.killed_after(method, path, *command)
    said = desk.office.dsi(*command, "--json")
    assert (said.code, said.json["targets"]) == (0, dict.fromkeys(numbers, "done")), said
    for number in numbers:
        desk.assert_made_once(number)
    # A mail that was under way when the run was killed is sent again, on purpose: twice is better than never.
    mails = [mail for mail in desk.graph.mails() if f"{tenant}@example.org" in str(mail)]
    assert len(mails) == len(rows) or (MAIL in IN_TENANT[tenant] and len(rows) < len(mails) <= 2 * len(rows))
    assert len(list(desk.office.letters.iterdir())) == 2
    for account in desk.handed(*numbers).values():
        assert "data 773" in desk.bind(account["address"], account["password"])
        expected = "unknown" if tenant == "synchronised" else "must_change"
        assert desk.graph.sign_in(account["address"], account["password"]) == expected
    again = desk.plan(rows)
    assert (again.code, again.json["actions"], again.json["blockers"]) == (0, [], []), again
    desk.office.assert_whole()
