"""Runs a playbook through ansible-runner: minimal environment, events as they come, nothing left running.

ansible-runner writes the environment and the extra variables of a run to disk, and leaves the workers of a
cancelled run alive because each is a session of its own (measured with ansible-core 2.21, ansible-runner 2.4). So
the environment is made of the few variables that a play needs, the run's folder is reduced to its events once it
is over, and every process of the run carries a mark in its environment by which it is found and ended.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import redact, redact_json
from dsi_automation.core.text import T

MARK: Final = "DSI_PLAYBOOK_RUN"
GRACE_SECONDS: Final = 15.0
"""What a cancelled run gets to record where it stands, before it is killed."""
PASSED_ON: Final = (
    "HOME", "LANG", "LC_ALL", "PATH", "TERM", "TZ", "USER", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK",
    "KRB5_CONFIG", "KRB5CCNAME", "ANSIBLE_VAULT_PASSWORD_FILE",
    "DSI_LANG", "DSI_KEY", "DSI_STATE", "DSI_DATABASE_URL", "DSI_LAB_DIR",
)  # fmt: skip
"""Variables a play may need; a password handed over in the environment (a secret source `env`) is added by name."""


@dataclass(frozen=True, slots=True)
class PlaybookRun:
    """What to run.

    Attributes:
        id: identifier of this run, also the name of its folder of events.
        secret_names: environment variables that inventory secrets are read from.
    """

    id: str
    playbook: Path
    inventory: Path
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    limit: str | None = None
    tags: str | None = None
    skip_tags: str | None = None
    check: bool = False
    verbosity: int = 0
    secret_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PlaybookResult:
    """How it ended: ansible-runner's status, ansible-playbook's exit code, the exit code of ours if a task told one."""

    status: str
    rc: int
    task_exit_code: int | None


def find_playbook(name: str, roots: Sequence[Path]) -> Path:
    """Return the playbook of that name: a file, or a name in one of the folders of playbooks.

    Raises:
        UsageError: there is none; the message names those there are.
    """
    given = Path(name)
    if given.suffix in {".yml", ".yaml"} and given.is_file():
        return given.resolve()
    stem = name.replace(".", "_").replace("-", "_").removesuffix("_yml")
    known: set[str] = set()
    for root in roots:
        known |= {path.stem for path in root.glob("*.yml")}
        if (root / f"{stem}.yml").is_file():
            return (root / f"{stem}.yml").resolve()
    raise UsageError(
        T("There is no playbook {name}.", name=name),
        next_step=T("The known ones are: {names}.", names=", ".join(sorted(known)) or "-"),
    )


def environment(run: PlaybookRun, config: Path | None) -> dict[str, str]:
    """Return the environment of the run: what a play needs, and no more."""
    passed = {name: os.environ[name] for name in (*PASSED_ON, *run.secret_names) if name in os.environ}
    # The interpreter's own folder first: ansible-playbook must be the one of this environment.
    passed["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{passed.get('PATH', os.defpath)}"
    passed |= {MARK: run.id, "DSI_INVENTORY": str(run.inventory), "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
    if config is not None:
        passed["ANSIBLE_CONFIG"] = str(config)
    return passed


def run_playbook(
    run: PlaybookRun,
    *,
    config: Path | None,
    artifacts: Path,
    on_event: Callable[[Mapping[str, Any]], None],
    cancelled: threading.Event,
    clock: Clock,
) -> PlaybookResult:
    """Run a playbook to its end, or until `cancelled` is set.

    Args:
        config: the ansible.cfg to use.
        artifacts: folder that gets `<run id>/events.jsonl` and `<run id>/stdout`, without any secret.
        on_event: called with each event of ansible-runner, redacted, as it comes.
    """
    import ansible_runner

    private = Path(tempfile.mkdtemp(prefix="dsi-playbook-"))
    kept = artifacts / run.id
    kept.mkdir(parents=True, mode=0o700)
    codes: list[int] = []
    try:
        with (kept / "events.jsonl").open("w", encoding="utf-8") as events:

            def handle(event: dict[str, Any]) -> bool:
                clean = redact_json(event)
                events.write(json.dumps(clean, ensure_ascii=False, default=str) + "\n")
                code = _exit_code(clean)
                if code is not None:
                    codes.append(code)
                on_event(clean)
                return False

            def stop() -> bool:
                if cancelled.is_set():
                    _end_all(run.id, clock)
                    return True
                return False

            outcome = ansible_runner.run(
                private_data_dir=str(private),
                ident=run.id,
                playbook=str(run.playbook),
                project_dir=str(run.playbook.parent.parent),
                inventory=str(run.inventory),
                envvars=environment(run, config),
                cmdline=_command_line(run, private),
                settings={"suppress_env_files": True, "pexpect_timeout": 1},
                event_handler=handle,
                cancel_callback=stop,
                quiet=True,
                verbosity=run.verbosity or None,
            )
        stdout = private / "artifacts" / run.id / "stdout"
        (kept / "stdout").write_text(redact(stdout.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
    finally:
        _end_all(run.id, clock)
        shutil.rmtree(private, ignore_errors=True)
    return PlaybookResult(outcome.status, outcome.rc, max(codes, default=None))


def _command_line(run: PlaybookRun, private: Path) -> str:
    import shlex

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


def _exit_code(event: Mapping[str, Any]) -> int | None:
    if event.get("event") not in {"runner_on_failed", "runner_on_unreachable"}:
        return None
    code = event.get("event_data", {}).get("res", {}).get("exit_code")
    return code if isinstance(code, int) else None


def processes_of(run_id: str) -> Iterator[int]:
    """Yield the processes of a playbook's run that are still there, by the mark in their environment.

    A process that ended but was not waited for has no environment any more, so it is not among them.
    """
    wanted = f"{MARK}={run_id}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)
            except OSError:
                continue


def _end_all(run_id: str, clock: Clock) -> None:
    for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        deadline = clock.monotonic() + patience
        alive = list(processes_of(run_id))
        for pid in alive:
            _signal(pid, number)
        while alive and clock.monotonic() < deadline:
            clock.sleep(0.05)
            alive = list(processes_of(run_id))
        if not alive:
            return


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
