"""Runs a playbook through ansible-runner: minimal environment, events as they come, nothing left running.

ansible-runner writes the environment and the extra variables of a run to disk, and leaves the workers of a
cancelled run alive because each is a session of its own (measured with ansible-core 2.21, ansible-runner 2.4). So
the environment is made of the few variables that a play needs, the run's folder is reduced to its events once it
is over, and every process of the run carries a mark in its environment by which it is found and ended.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dsi_automation.ansible.codes import Codes
from dsi_automation.ansible.processes import MARK, Cancel, end_all, interrupt_playbook
from dsi_automation.ansible.record import PREFIX
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import redact_json
from dsi_automation.engine.identifiers import new_id
from dsi_automation.journal.owner import is_dead, this_process

POLL_SECONDS: Final = 0.25
"""How often ansible-runner asks whether to cancel."""
PASSED_ON: Final = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TERM", "TZ", "USER", "XDG_STATE_HOME", "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK", "KRB5_CONFIG", "KRB5CCNAME", "ANSIBLE_VAULT_PASSWORD_FILE",
    "DSI_LANG", "DSI_STATE", "DSI_DATABASE_URL", "DSI_LAB_DIR",
)  # fmt: skip
"""Variables a play may need; a password handed over in the environment (a secret source `env`) is added by name."""
WORK: Final = "work"
"""ansible-runner's own folder within the folder of a run; gone when the run is over."""
OWNER: Final = "owner"
ENDED_BY_SIGNAL: Final = 254
"""The exit code of an ansible-playbook that has none, as ansible-runner gives it to one that it cancelled."""


@dataclass(frozen=True, slots=True)
class PlaybookRun:
    """What to run.

    Attributes:
        id: identifier of this run, also the name of its folder of events.
        config: the ansible.cfg to use; None for Ansible's own choice.
        key: the person's key file, if one was named.
        secret_names: environment variables that inventory secrets are read from.
    """

    id: str
    playbook: Path
    inventory: Path
    config: Path | None = None
    key: Path | None = None
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    limit: str | None = None
    tags: str | None = None
    skip_tags: str | None = None
    check: bool = False
    secret_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PlaybookResult:
    """How it ended: ansible-runner's status, ansible-playbook's exit code, and the exit code of `dsi`."""

    status: str
    rc: int
    exit_code: int


def new_run(artifacts: Path, now: datetime) -> str:
    """Return the identifier of a new run, whose folder is made: of two that begin at once, each has its own."""
    artifacts.mkdir(parents=True, exist_ok=True)
    while True:
        run_id = new_id(PREFIX, now, {path.name for path in artifacts.iterdir()})
        with suppress(FileExistsError):
            (artifacts / run_id).mkdir(mode=0o700)
            return run_id


def environment(run: PlaybookRun, mark: str) -> dict[str, str]:
    """Return the environment of the run: what a play needs, and no more; `mark` is how its processes are found."""
    passed = {name: os.environ[name] for name in (*PASSED_ON, *run.secret_names) if name in os.environ}
    if not any("utf" in passed.get(name, "").lower() for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        # ansible-playbook does not start otherwise: a schedule has no locale at all.
        passed["LC_ALL"] = "C.UTF-8"
    # The interpreter's own folder first: ansible-playbook must be the one of this environment.
    passed["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{passed.get('PATH', os.defpath)}"
    passed |= {MARK: mark, "DSI_INVENTORY": str(run.inventory), "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
    if run.config is not None:
        passed["ANSIBLE_CONFIG"] = str(run.config)
    if run.key is not None:
        passed["DSI_KEY"] = str(run.key)
    return passed


def run_playbook(
    run: PlaybookRun,
    *,
    artifacts: Path,
    on_event: Callable[[Mapping[str, Any]], None],
    on_stop: Callable[[], None],
    cancel: Cancel,
    clock: Clock,
) -> PlaybookResult:
    """Run a playbook to its end, or until it is cancelled.

    Args:
        artifacts: folder whose `<run id>`, made by `new_run`, gets `events.jsonl` and `stdout`, without any secret.
        on_event: called with each event of ansible-runner, redacted, as it comes; when it raises a DsiError the
            play is cancelled, and the error raised at the end.
        on_stop: called once the play was told to stop; it may still finish an action.

    Raises:
        DsiError: what `on_event` raised.
    """
    kept = artifacts / run.id
    mark = str(kept.resolve())
    codes, failures = Codes(), list[DsiError]()
    with (
        _work_folder(kept) as private,
        (kept / "events.jsonl").open("w", encoding="utf-8", buffering=1) as events,
        (kept / "stdout").open("w", encoding="utf-8", buffering=1) as shown,
    ):

        def handle(event: dict[str, Any]) -> bool:
            # ansible-playbook has read its variables by the time it tells of anything.
            (private / "extra_vars.json").unlink(missing_ok=True)
            clean = redact_json(event)
            codes.take(clean)
            events.write(json.dumps(clean, ensure_ascii=False, default=str) + "\n")
            shown.write(f"{clean['stdout']}\n" if clean.get("stdout") else "")
            try:
                if not failures:
                    on_event(clean)
            except DsiError as error:
                failures.append(error)
                cancel.ask()
            return False

        try:
            status, rc = _run(run, private, handle, _Stopper(mark, cancel, clock, on_stop))
        finally:
            end_all(mark, clock, at_once=cancel.at_once)
    if failures:
        raise failures[0]
    return PlaybookResult(status, rc, codes.exit_code(status, rc))


@dataclass(frozen=True, slots=True)
class _Stopper:
    """What ansible-runner asks again and again: whether to kill the play."""

    mark: str
    cancel: Cancel
    clock: Clock
    on_stop: Callable[[], None]

    def __call__(self) -> bool:
        if not self.cancel.asked:
            return False
        if self.cancel.deadline is None:
            self.cancel.begin(self.clock)
            interrupt_playbook(self.mark)
            self.on_stop()
        # The loop goes on reading until the play has ended by itself: only then is it killed.
        return self.cancel.is_over(self.clock)


def _run(
    run: PlaybookRun, private: Path, handle: Callable[[dict[str, Any]], bool], stopper: _Stopper
) -> tuple[str, int]:
    from ansible_runner.interface import init_runner

    minimal = environment(run, stopper.mark)

    def told(status: dict[str, Any], **_: Any) -> None:
        if status["status"] == "running":
            # It holds the whole environment, passwords of secret sources included.
            (private / "artifacts" / run.id / "command").unlink(missing_ok=True)

    runner = init_runner(
        private_data_dir=str(private),
        ident=run.id,
        playbook=str(run.playbook),
        # Paths in the environment and on the command line are relative to where the person is.
        project_dir=str(Path.cwd()),
        inventory=str(run.inventory),
        envvars=minimal,
        cmdline=_command_line(run, private),
        suppress_env_files=True,
        event_handler=handle,
        status_handler=told,
        cancel_callback=stopper,
        quiet=True,
    )
    config = runner.config
    config.pexpect_timeout = POLL_SECONDS
    # Its copy of the output is not masked; ours is made of the events.
    config.suppress_output_file = True
    # ansible-runner starts from our whole environment; what it added itself it needs.
    config.env = {name: value for name, value in config.env.items() if name in minimal or name not in os.environ}
    config.command = [sys.executable, "-m", "dsi_automation.ansible.child", *config.command]
    status, rc = runner.run()
    # ansible-runner has no exit code for a play that a signal ended, as the kernel's does when memory is short.
    return ("canceled" if stopper.cancel.asked else str(status)), ENDED_BY_SIGNAL if rc is None else int(rc)


@contextmanager
def _work_folder(kept: Path) -> Generator[Path]:
    """Make ansible-runner's folder; its owner's name is in it, so that what a killed run left is swept away."""
    sweep(kept.parent)
    path = kept / WORK
    path.mkdir(mode=0o700)
    (path / OWNER).write_text(this_process(), encoding="utf-8")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep(artifacts: Path) -> None:
    """Remove the work folders of runs whose process is gone."""
    for folder in artifacts.glob(f"*/{WORK}"):
        with suppress(OSError):
            if is_dead((folder / OWNER).read_text(encoding="utf-8")):
                shutil.rmtree(folder, ignore_errors=True)


def _command_line(run: PlaybookRun, private: Path) -> str:
    words: list[str] = []
    if run.extra_vars:
        # In a file: extra variables on a command line show in the process list.
        variables = private / "extra_vars.json"
        variables.touch(mode=0o600)
        variables.write_text(json.dumps(dict(run.extra_vars)), encoding="utf-8")
        words += ["-e", f"@{variables}"]
    for option, value in (("--limit", run.limit), ("--tags", run.tags), ("--skip-tags", run.skip_tags)):
        if value:
            words += [option, value]
    if run.check:
        words += ["--check", "--diff"]
    return shlex.join(words)
