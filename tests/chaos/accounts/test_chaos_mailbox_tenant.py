"""A tenant at its worst while mailboxes are made: every run ends with one of everything, or says why and goes on."""

import signal

from waiting import wait_for

BATCH = 30
"""People in a batch: as many as arrive after a competition."""


def test_a_tenant_that_loses_answers_after_doing_it_is_not_asked_to_do_it_twice(desk):
    desk.graph.hybrid(enabled=False)
    rows = desk.office.staff(3)
    numbers = [row["matricule"] for row in rows]
    asked = desk.ask(rows)
    desk.graph.fault("status", method="POST", path="/users", status=504, after_commit=True, count=1)
    desk.graph.fault("cut", method="POST", path="/users", after_commit=True, count=1)
    desk.graph.fault("not_json", method="POST", path="/users", status=502, after_commit=True, count=1)
    desk.graph.fault("cut", method="POST", path="/users/*/assignLicense", after_commit=True, count=1)
    desk.graph.fault("status", method="POST", path="/users/*/assignLicense", status=504, after_commit=True, count=1)
    since = desk.asked_so_far
    said = desk.office.run(asked)
    assert (said.code, said.json["targets"]) == (0, dict.fromkeys(numbers, "done")), said
    for number in numbers:
        desk.assert_made_once(number)
    assert {line["status"] for line in desk.sent("POST", "/users", since)} >= {504, 502, None}
    for number, account in desk.handed(*numbers).items():
        assert "data 773" in desk.bind(account["address"], account["password"]), number
        assert desk.graph.sign_in(account["address"], account["password"]) == "must_change"


def test_throttled_in_every_way_inside_batches_and_out_it_ends_done(desk):
    rows = desk.office.staff(3)
    numbers = [row["matricule"] for row in rows]
    asked = desk.ask(rows)
    for where, waits in {"item": ("0.4", None, "2"), "outer": ("0.4", "0")}.items():
        for after in waits:
            desk.graph.fault("throttle", retry_after=after, where=where, count=1)
    desk.graph.fault("throttle", status=503, retry_after="1", method="POST", path="/users/*/assignLicense", count=1)
    before = desk.asked_so_far
    said = desk.office.run(asked)
    assert (said.code, said.json["targets"]) == (0, dict.fromkeys(numbers, "done")), said
    throttled = [line for line in desk.graph.requests(since=before) if line["status"] in (429, 503)]
    assert len(throttled) == 6
    assert {"batch" in line for line in throttled} == {True, False}
    for number in numbers:
        desk.assert_made_once(number)


def test_a_synchronisation_that_is_dead_is_told_with_its_age_and_the_run_goes_on_once_it_is_back(desk):
    (row,) = rows = desk.office.staff(1)
    number = row["matricule"]
    asked = desk.ask(rows)
    desk.m365(sync_deadline="2s")
    desk.graph.fault("sync_stopped")
    said = desk.office.run(asked)
    assert (said.code, said.json["targets"]) == (3, {number: "unreachable"}), said
    error = said.json["errors"][number]
    assert "dsi resume" in error["next_step"]
    last = desk.graph.info()["last_sync"]
    assert last[11:16] in error["meaning"], (last, error)
    assert desk.office.cloud_users(number) == []
    desk.graph.clear_faults()
    desk.graph.sync()
    resumed = desk.office.dsi("resume", said.json["id"], "--json")
    assert resumed.code == 0, resumed
    desk.assert_made_once(number)


def test_a_batch_that_is_asked_to_stop_twice_goes_on_where_it_stopped(desk):
    rows = desk.office.staff(BATCH)
    numbers = [row["matricule"] for row in rows]
    command = ["run", desk.ask(rows), "--json"]
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        before = desk.office.kinds().count("action.done")
        process = desk.office.start(*command)
        wait_for(lambda before=before: desk.office.kinds().count("action.done") >= before + BATCH)
        process.send_signal(signal_number)
        said = desk.office.finish(process)
        assert said.code == 1, said
        assert "interrupted" in said.json["targets"].values()
        command = ["resume", said.json["id"], "--json"]
    assert any(desk.office.accounts(number) for number in numbers)
    resumed = desk.office.dsi(*command)
    assert (resumed.code, resumed.json["targets"]) == (0, dict.fromkeys(numbers, "done")), resumed
    for number in numbers:
        desk.assert_made_once(number)
    desk.office.assert_whole()
