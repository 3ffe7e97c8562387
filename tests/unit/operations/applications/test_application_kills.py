"""Killed at any point, a resumed run ends with the application up, restarted once, tested, and users told once."""

import pytest
from apphouse import Office, session

from dsi_automation.core.errors import DsiError

NOTED = ("begun", "warned", "message", "stopping", "stopped", "down", "ended", "starting", "started", "tested", "up")
UNNOTED = ("warned", "stopped", "down", "started", "tested", "up")
EFFECTS = (
    "before announce before",
    "after announce before",
    "after stop app2",
    "after stop app1",
    "after end_session 7",
    "after empty_caches app1",
    "after start app1",
    "after start app2",
    "before announce back",
    "after announce back",
)
ACTIONS = ("warn", "stop.app2", "stop.app1", "caches.app1", "start.app2", "test", "back")
MESSAGE = {"show": "INSERT :text, :until", "clear": "DELETE"}
POINTS = (
    *(f"after note application.{name}" for name in NOTED),
    *(f"before note application.{name}" for name in UNNOTED),
    *EFFECTS,
    *(f"action.done sydam/{kind}" for kind in ACTIONS),
)


def office_of(root, **described):
    """Return an office whose countdown is short: a second of it costs as much as one of a quarter of an hour."""
    notice = {"users": ["agents@douanes.example"], "countdown": ["20s", "10s"], "message": MESSAGE}
    return Office(root, notice=notice, **described)


def killed(office, request, point):
    office.kill_at = point
    with pytest.raises(DsiError):
        office.run(request)
    assert office.killed == [point]
    office.clock.forward(minutes=2)
    return office.resume()


def assert_restarted_once(office, run):
    assert run.exit_code == 0
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    assert all(server.running for server in office.servers.values())
    assert office.told() == ["before", "back"]
    assert office.database.ended == [7]
    assert office.noted("tested")[-1]["conclusive"]
    (interruption,) = office.record().interruptions
    assert interruption.ended_at is not None
    assert len({step.action_id for step in run.steps}) == len(run.steps)


@pytest.mark.parametrize("point", POINTS)
def test_a_restart_that_was_approved_once_is_finished_by_resume(tmp_path, point):
    office = office_of(tmp_path)
    office.database.sessions = [session()]
    assert_restarted_once(office, killed(office, office.once(), point))


@pytest.mark.parametrize(
    "point",
    ["after note application.warned", "after stop app2", "after stop app1", "after start app1", "after start app2",
     "after note application.up", "action.done sydam/stop.app1", "action.done sydam/start.app1"],
)  # fmt: skip
def test_the_evening_restart_under_its_standing_approval_is_finished_by_resume(tmp_path, point):
    office = office_of(tmp_path)
    request = office.standing()
    office.database.sessions = [session()]
    assert_restarted_once(office, killed(office, request, point))


@pytest.mark.parametrize("standing", [False, True])
@pytest.mark.parametrize(
    "point", ["after stop app2", "after start app2", "after note application.tested", "after stop app1",
              "before note application.started"],
)  # fmt: skip
def test_a_rolling_restart_goes_on_in_turn_and_interrupts_nobody(tmp_path, point, standing):
    office = office_of(tmp_path, rolling=True)
    run = killed(office, office.standing() if standing else office.once(), point)
    assert run.exit_code == 0
    assert office.turns() == {"app1": (1, 1), "app2": (1, 1)}
    assert office.record().interruptions == ()
    assert office.told() == []


@pytest.mark.parametrize("standing", [False, True])
@pytest.mark.parametrize("point", ["after stop app2", "after stop app1", "after note application.stopped"])
def test_a_stop_is_finished_by_resume_and_its_interruption_counts_from_the_first(tmp_path, point, standing):
    office = office_of(tmp_path)
    request = office.standing("application.stop") if standing else office.once("application.stop")
    run = killed(office, request, point)
    assert run.exit_code == 0
    assert {name: stops for name, (stops, _) in office.turns().items()} == {"app1": 1, "app2": 1}
    assert len(office.noted("down")) == 1
    lasting = office.record().open_interruption("sydam")
    if point == "after stop app1":
        # It was down since before the kill, and not since the resumed run found it so.
        assert (office.clock.moment - lasting.began_at).total_seconds() > 120


def test_a_server_started_by_a_run_that_was_killed_is_not_stopped_again(tmp_path):
    office = office_of(tmp_path)
    office.servers["app1"].running = False
    office.servers["app2"].running = False
    run = killed(office, office.once(), "after start app1")
    assert run.exit_code == 0
    assert office.turns() == {"app1": (0, 1), "app2": (0, 1)}


@pytest.mark.parametrize("point", ["after note application.tested", "after stop app2", "after start app1"])
def test_a_run_killed_between_a_failed_test_and_the_next_try_makes_that_try_once(tmp_path, point):
    office = office_of(tmp_path, when_not_conclusive={"tries": 2})
    office.servers["app1"].lives = [5.0]
    request = office.once()
    seen = []

    def second_time(name, was=office.point):
        seen.append(name)
        # The first stop and start are those of the restart itself.
        if name == point and (seen.count(point) == 2 or point.endswith("tested")):
            office.kill_at = point
        was(name)

    office.point = second_time
    with pytest.raises(DsiError):
        office.run(request)
    assert office.killed == [point]
    assert office.resume().exit_code == 0
    assert office.turns() == {"app1": (1, 2), "app2": (2, 2)}
    assert [one["conclusive"] for one in office.noted("tested")] == [False, True]


def test_a_run_resumed_long_after_the_moment_announced_tells_users_a_new_one(tmp_path):
    office = office_of(tmp_path)
    office.kill_at = "after note application.message"
    request = office.once()
    with pytest.raises(DsiError):
        office.run(request)
    office.clock.forward(hours=2)
    assert office.resume().exit_code == 0
    assert office.told() == ["before", "before", "back"]
    assert len(office.noted("warned")) == 2
