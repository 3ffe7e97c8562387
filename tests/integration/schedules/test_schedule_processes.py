"""The scheduler as processes: stopped, killed, doubled, and with its clock set."""

import os
import signal
import time
from email.message import EmailMessage

import pytest
from schedule_house import PATIENCE, Controller, Started, every_minute, furnish, outcomes, stand
from waiting import wait_for


@pytest.fixture
def root(tmp_path):
    furnish(tmp_path, every_minute())
    stand(tmp_path, "t1")
    return tmp_path


@pytest.fixture
def start():
    running = []

    def begin(root, *arguments, ahead=50):
        """Start `dsi` with a clock that stands `ahead` seconds before a full minute; None leaves it as it is."""
        if ahead is not None:
            set_clock(root, (60 - ahead - time.time() % 60) % 60)
        running.append(Started(root, *arguments))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def set_clock(root, seconds):
    """Put the clock of all processes as many seconds before or after the machine's, at once."""
    new = root / "offset.new"
    new.write_text(str(seconds))
    new.replace(root / "offset")


def until_due(root, *schedulers):
    """Wait until the schedulers watch, then put the clock on the next full minute and have them look."""
    wait_for(
        lambda: words(root)[:1] == ["known"] and all("scheduler.started" in one.kinds() for one in schedulers), PATIENCE
    )
    now = float((root / "offset").read_text()) + time.time()
    set_clock(root, (now // 60 + 1) * 60 - time.time())
    wait_for(lambda: all(woken(one, lambda: acting(root) or "done" in words(root)) for one in schedulers), PATIENCE)


def finished_by_the_next(root, start):
    """Start another scheduler, let it finish what is left, and return what is written then."""
    again = start(root, "schedule", "run", "--json", ahead=None)
    wait_for(lambda: words(root)[-1] == "done", PATIENCE)
    wait_for(lambda: "scheduler.started" in again.kinds(), PATIENCE)
    again.send_signal(signal.SIGTERM)
    assert again.wait(200) == 0
    return written(root)


def woken(scheduler, condition):
    """Tell whether it has come to that, and have it look again: it would within a minute by itself."""
    scheduler.send_signal(signal.SIGCHLD)
    return condition()


def acting(root):
    return (root / "acting").exists()


def written(root):
    return {path.name: len(path.read_text().splitlines()) for path in (root / "targets" / "t1").iterdir()}


def words(root):
    return [item["outcome"] for item in outcomes(root)]


def test_what_is_due_is_started_and_a_first_signal_waits_for_it(root, start):
    (root / "slow").touch()
    scheduler = start(root, "schedule", "run", "--json", ahead=4)
    wait_for(lambda: acting(root), PATIENCE)
    scheduler.send_signal(signal.SIGTERM)
    wait_for(lambda: "scheduler.stopping" in scheduler.kinds(), PATIENCE)
    assert scheduler.poll() is None
    (root / "slow").unlink()
    assert scheduler.wait(200) == 0
    assert words(root) == ["known", "started", "done"]
    assert written(root) == {"a": 1, "b": 1, "c": 1}
    kinds = scheduler.kinds()
    assert kinds[0] == "scheduler.started"
    assert kinds[-1] == "scheduler.stopped"
    assert {"schedule.started", "scheduler.stopping", "schedule.ended"} <= set(kinds)


def test_a_second_signal_stops_what_runs_at_its_next_action_and_a_restart_finishes_it(root, start):
    (root / "slow").touch()
    scheduler = start(root, "schedule", "run", "--json")
    until_due(root, scheduler)
    scheduler.send_signal(signal.SIGTERM)
    wait_for(lambda: "scheduler.stopping" in scheduler.kinds(), PATIENCE)
    scheduler.send_signal(signal.SIGTERM)
    wait_for(lambda: "scheduler.interrupting" in scheduler.kinds(), PATIENCE)
    assert scheduler.poll() is None
    (root / "slow").unlink()
    assert scheduler.wait(200) == 0
    assert words(root) == ["known", "started", "interrupted"]
    assert written(root) == {"a": 1}
    assert finished_by_the_next(root, start) == {"a": 1, "b": 1, "c": 1}


def test_killed_with_all_it_started_the_next_scheduler_finishes_the_work_once(root, start):
    (root / "slow").touch()
    scheduler = start(root, "schedule", "run", "--json")
    until_due(root, scheduler)
    scheduler.kill()
    for line in scheduler.told():
        if line["event"] == "schedule.started":
            os.killpg(line["data"]["pid"], signal.SIGKILL)
    scheduler.wait()
    (root / "slow").unlink()
    assert finished_by_the_next(root, start) == {"a": 1, "b": 1, "c": 1}


def test_a_scheduler_that_dies_takes_nothing_with_it_and_the_next_starts_nothing_twice(root, start):
    (root / "slow").touch()
    scheduler = start(root, "schedule", "run", "--json")
    until_due(root, scheduler)
    scheduler.kill()
    scheduler.wait()
    again = start(root, "schedule", "run", "--json", ahead=None)
    (root / "slow").unlink()
    wait_for(lambda: "done" in words(root), PATIENCE)
    wait_for(lambda: "scheduler.started" in again.kinds(), PATIENCE)
    again.send_signal(signal.SIGTERM)
    assert again.wait(200) == 0
    assert words(root).count("started") == len({item["due"] for item in outcomes(root) if item["outcome"] == "started"})
    assert written(root) == {"a": 1, "b": 1, "c": 1}


def test_two_schedulers_on_one_journal_start_each_occurrence_once(root, start):
    both = [start(root, "schedule", "run", "--json", ahead=ahead) for ahead in (50, None)]
    until_due(root, *both)
    wait_for(lambda: "done" in words(root), PATIENCE)
    for scheduler in both:
        scheduler.send_signal(signal.SIGTERM)
    assert [scheduler.wait(200) for scheduler in both] == [0, 0]
    dues = [item["due"] for item in outcomes(root) if item["outcome"] == "started"]
    assert len(dues) == len(set(dues))
    assert "missed" not in words(root)


def test_many_timers_at_once_start_one_occurrence(root, start):
    racers = [start(root, "schedule", "run", "nuit", "--due", "last", ahead=ahead) for ahead in (50, *[None] * 3)]
    assert [racer.wait(200) for racer in racers] == [0] * 4
    dues = [item["due"] for item in outcomes(root) if item["outcome"] == "started"]
    assert len(dues) == len(set(dues)) == 1


def test_a_clock_set_forward_is_told_and_the_newest_occurrence_runs_once(root, start):
    (root / "inv" / "schedules.yml").write_text(every_minute(too_late_after="6h").replace("* * * * *", "0 * * * *"))
    scheduler = start(root, "schedule", "run", "--json", ahead=None)
    wait_for(lambda: words(root) == ["known"], PATIENCE)
    set_clock(root, 3 * 3600)
    scheduler.send_signal(signal.SIGCHLD)  # wakes it: it would look within a minute by itself
    wait_for(lambda: "done" in words(root), PATIENCE)
    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait(200) == 0
    told = {line["event"]: line["data"] for line in scheduler.told()}
    assert told["scheduler.clock"]["seconds"] == pytest.approx(3 * 3600, abs=5)
    (missed,) = [item for item in outcomes(root) if item["outcome"] == "missed"]
    assert (missed["count"], missed["reason"]) == (2, "superseded")
    assert words(root).count("started") == 1


def test_an_edited_file_is_seen_and_a_broken_one_stops_nothing(root, start):
    file = root / "inv" / "schedules.yml"
    good = file.read_text()
    file.write_text("version: 1\n")
    scheduler = start(root, "schedule", "run", "--json", ahead=10)
    wait_for(lambda: "scheduler.started" in scheduler.kinds(), PATIENCE)
    file.write_text("version: one\n")
    wait_for(lambda: woken(scheduler, lambda: "scheduler.trouble" in scheduler.kinds()), PATIENCE)
    file.write_text(good)
    wait_for(lambda: woken(scheduler, lambda: "known" in words(root)), PATIENCE)
    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait(200) == 0


def test_mails_that_wait_are_sent_by_the_scheduler(root, start, smtp_server):
    kept, port = smtp_server()
    with_mail(root, port)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "dsi@douanes.lab", "y.traore@douanes.lab", "ÉCHEC"
    mail.set_content("Hier soir.")
    Controller(root).teller.outbox.put(mail, "report/RUN-1/y.traore")
    scheduler = start(root, "schedule", "run", "--json")
    wait_for(lambda: len(kept.kept) == 1, PATIENCE)
    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait(200) == 0
    assert kept.kept[0].rcpt_tos == ["y.traore@douanes.lab"]


def test_what_was_missed_before_the_timers_are_installed_anew_is_told_too(root, start, smtp_server):
    kept, port = smtp_server()
    with_mail(root, port)
    file = root / "inv" / "people.yml"
    file.write_text(file.read_text().replace("name: y.traore\n", "name: Yao Traoré\n    mail: y.traore@douanes.lab\n"))
    install = ["schedule", "install", "--dir", str(root / "units")]
    assert start(root, *install).wait(200) == 0
    set_clock(root, 2 * 86400)
    again = start(root, *install, ahead=None)
    assert again.wait(200) == 0
    assert words(root) == ["known", "missed"]
    assert [mail.rcpt_tos for mail in kept.kept] == [["y.traore@douanes.lab"]]


def with_mail(root, port):
    (root / "inv" / "group_vars").mkdir()
    relay = f"dsi_mail: {{server: 127.0.0.1, port: {port}, security: none, sender: dsi@douanes.lab}}\n"
    (root / "inv" / "group_vars" / "all.yml").write_text(relay + "dsi_backup: {report_to: [y.traore]}\n")


def test_by_hand_one_schedule_runs_and_its_exit_code_says_how(root, start):
    assert start(root, "schedule", "run", "nuit").wait(200) == 0
    assert written(root) == {"a": 1, "b": 1, "c": 1}
    assert start(root, "schedule", "run", "nui").wait(200) == 2
