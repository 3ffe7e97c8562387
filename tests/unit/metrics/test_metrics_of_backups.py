"""What Prometheus is told of backups is what the journal holds, and never more."""

from dsi_automation.metrics.spec import NEVER


def test_a_backup_that_never_ran_is_told_with_an_age_beyond_any_limit(world):
    seen = world.scrape()
    for name in ("last_success", "last_attempt", "last_verified", "verified_set", "last_set", "off_site_set"):
        assert seen[f"dsi_backup_{name}_timestamp_seconds", ("backup", "srv1")] == NEVER
    assert seen["dsi_backup_last_result", ("backup", "srv1"), ("result", "never")] == 1


def test_a_success_is_dated_by_the_journal_and_not_by_the_machine_that_was_backed_up(world):
    begun = world.begin("RUN-1")
    world.tried("RUN-1")
    noted = world.made("RUN-1")
    ended = world.end("RUN-1")
    seen = world.scrape()
    backup = ("backup", "srv1")
    assert seen["dsi_backup_last_attempt_timestamp_seconds", backup] == begun.timestamp()
    assert seen["dsi_backup_last_set_timestamp_seconds", backup] == noted.timestamp()
    assert seen["dsi_backup_last_success_timestamp_seconds", backup] == ended.timestamp()
    assert seen["dsi_backup_last_result", backup, ("result", "success")] == 1
    assert seen["dsi_backup_size_bytes", backup] == 1000
    assert seen["dsi_backup_duration_seconds", backup, ("phase", "backup")] == 2.5


def test_a_failure_after_a_success_is_never_told_as_success(world):
    world.begin("RUN-1")
    world.made("RUN-1")
    good = world.end("RUN-1")
    world.begin("RUN-2")
    world.tried("RUN-2", error={"what": "key"})
    world.end("RUN-2", "failed")
    seen = world.scrape()
    assert seen["dsi_backup_last_success_timestamp_seconds", ("backup", "srv1")] == good.timestamp()
    assert seen["dsi_backup_last_result", ("backup", "srv1"), ("result", "success")] == 0
    assert seen["dsi_backup_last_result", ("backup", "srv1"), ("result", "failed")] == 1
    assert seen["dsi_backup_failed_tries_total", ("backup", "srv1")] == 1


def test_a_run_that_ended_before_its_target_is_a_failure(world):
    world.begin("RUN-1")
    world.write("run.ended", "RUN-1", outcome="failed", exit_code=7, targets={}, errors={})
    assert world.one("dsi_backup_last_result", backup="srv1", result="failed") == 1


def test_a_run_whose_process_died_is_interrupted_and_to_be_resumed(world):
    world.begin("RUN-1")
    seen = world.scrape()
    assert seen["dsi_backup_last_result", ("backup", "srv1"), ("result", "interrupted")] == 1
    assert seen["dsi_runs_interrupted", ("operation", "server.backup")] == 1


def test_only_a_proof_that_held_makes_a_set_verified(world):
    world.begin("RUN-1")
    noted = world.made("RUN-1")
    world.end("RUN-1")
    assert world.one("dsi_backup_verified_set_timestamp_seconds", backup="srv1") == NEVER
    world.begin("RUN-2", "backup.verify")
    proven = world.proven("RUN-2")
    world.end("RUN-2")
    seen = world.scrape()
    assert seen["dsi_backup_verified_set_timestamp_seconds", ("backup", "srv1")] == noted.timestamp()
    assert seen["dsi_backup_last_verified_timestamp_seconds", ("backup", "srv1")] == proven.timestamp()
    assert seen["dsi_backup_verified_level", ("backup", "srv1")] == 3
    world.proven("RUN-2", ok=False)
    seen = world.scrape()
    assert seen["dsi_backup_verified_set_timestamp_seconds", ("backup", "srv1")] == NEVER
    assert seen["dsi_backup_last_proof_ok", ("backup", "srv1")] == 0


def test_occurrences_are_counted_and_the_next_one_is_past_when_nobody_looks(world):
    moment = world.house.clock.moment
    world.collector._next_times = lambda settled: dict.fromkeys(settled, settled["nuit"])
    due = moment.isoformat()
    for outcome, count in (("known", 1), ("started", 1), ("done", 1), ("missed", 3)):
        world.write("schedule.occurrence", "schedule:nuit", schedule="nuit", due=due, outcome=outcome, count=count)
    seen = world.scrape()
    assert seen["dsi_schedule_missed_total", ("schedule", "nuit")] == 3
    assert seen["dsi_schedule_occurrences_total", ("outcome", "done"), ("schedule", "nuit")] == 1
    assert seen["dsi_schedule_next_timestamp_seconds", ("schedule", "nuit")] == moment.timestamp()


def test_what_is_with_the_courier_is_not_off_site_and_is_overdue_in_time(world):
    world.begin("RUN-1")
    noted = world.made("RUN-1")
    copied = {"snapshot": "s", "size": 1, "total": 1, "extra_snapshots": [], "details": {}}
    world.note("RUN-1", "backup.copy", set="SET-1", medium="disque-01", copied=copied, ok=True, failed=[])
    world.write("custody.medium", "MOVE-1", medium="disque-01", state="courier")
    world.house.clock.forward(hours=23)
    assert world.one("dsi_medium_overdue", medium="disque-01") == 0
    assert world.one("dsi_backup_off_site_set_timestamp_seconds", backup="srv1") == NEVER
    world.house.clock.forward(hours=2)
    assert world.one("dsi_medium_overdue", medium="disque-01") == 1
    world.write("custody.medium", "MOVE-2", medium="disque-01", state="vault")
    seen = world.scrape()
    assert seen["dsi_medium_overdue", ("medium", "disque-01")] == 0
    assert seen["dsi_backup_off_site_set_timestamp_seconds", ("backup", "srv1")] == noted.timestamp()
    assert seen["dsi_medium_state", ("medium", "disque-01"), ("rotation", "externe"), ("state", "vault")] == 1
