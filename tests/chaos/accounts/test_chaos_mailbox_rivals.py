"""Two runs at once: for one person, and for two people who are to have one address."""

from waiting import wait_for


def both(desk, *requests):
    """Run two requests at once, each slowly, the second as soon as the first has begun; return what they said."""
    desk.graph.fault("slow", seconds=0.3)
    processes = []
    for asked in requests:
        begun = desk.office.kinds().count("run.started")
        process = desk.office.start("run", asked, "--json")
        processes.append(process)
        wait_for(
            lambda begun=begun, process=process: (
                desk.office.kinds().count("run.started") > begun or process.poll() is not None
            )
        )
    desk.graph.clear_faults()
    return sorted((desk.office.finish(process) for process in processes), key=lambda said: said.code)


def test_two_requests_for_one_person_make_one_account(desk):
    (row,) = rows = desk.office.staff(1)
    number = row["matricule"]
    said = both(desk, desk.ask(rows), desk.ask(rows))
    assert said[0].code == 0, said[0]
    # The other one is told who is at it; or came later, and found nothing left to do.
    assert said[1].code in (0, 4), said[1]
    desk.assert_made_once(number)
    given = desk.handed(number)[number]
    assert "data 773" in desk.bind(given["address"], given["password"])
    desk.office.assert_whole()


def test_two_namesakes_in_two_requests_do_not_get_one_address(desk):
    first, second = desk.office.staff(2, last_name="ZADI", first_names="Gnépa")
    requests = [desk.ask([row], name=f"{row['matricule']}.csv") for row in (first, second)]
    said = both(desk, *requests)
    assert [one.code for one in said] == [0, 7], said[1]
    found = [desk.office.accounts(row["matricule"]) for row in (first, second)]
    assert sorted(map(len, found)) == [0, 1]
    late = (first, second)[found.index([])]
    assert desk.office.cloud_users(late["matricule"]) == []
    done = desk.make([late])
    assert done.code == 0, done
    addresses = {desk.account(row["matricule"])["mail"][0] for row in (first, second)}
    assert addresses == {"gnepa.zadi@douanes.lab", f"gnepa.zadi.{late['matricule'][-2:].lower()}@douanes.lab"}
    # Gone without a trace in either directory, an address is still nobody else's.
    early = (second, first)[found.index([])]["matricule"]
    with desk.lab.directory() as directory:
        assert directory.connection.delete(desk.account(early)["dn"])
    desk.graph.delete_user(desk.user(early)["id"], purge=True)
    third = desk.office.staff(last_name="ZADI", first_names="Gnépa")
    planned = {action["args"].get("address") for action in desk.plan([third]).json["actions"]}
    assert planned == {f"gnepa.zadi.{third['matricule'][-2:].lower()}@douanes.lab"}


def test_an_address_taken_in_the_tenant_after_the_account_was_made_is_7_and_a_question_for_a_person(desk):
    desk.graph.hybrid(enabled=False)
    (row,) = rows = desk.office.staff(1)
    number = row["matricule"]
    asked = desk.ask(rows)
    desk.hold("POST", "/users")
    since = desk.asked_so_far
    desk.killed_when(lambda: desk.sent("POST", "/users", since, status=503), "run", asked)
    desk.graph.clear_faults()
    address = desk.account(number)["mail"][0]
    desk.graph.take_address(address)
    before = desk.asked_so_far
    said = desk.office.dsi("resume", desk.office.runs()[0], "--json")
    assert (said.code, desk.writes(before)) == (7, []), said
    assert address in said.out
    plan = desk.plan(rows)
    assert (plan.code, plan.json["actions"]) == (5, []), plan
    assert address in plan.json["blockers"][0]["reason"]
    assert len(desk.office.accounts(number)) == 1
