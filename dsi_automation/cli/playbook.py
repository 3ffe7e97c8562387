"""`dsi playbook`: run a playbook through ansible-runner, with its events in the journal."""

from __future__ import annotations

import importlib.resources
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.inputs import gather
from dsi_automation.cli.output import Output
from dsi_automation.cli.session import Session, session
from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.ansible.runner import PlaybookResult

CANCELLED: Final = 130
"""As a shell says that a command was interrupted."""


@command(
    "playbook",
    T(
        "Run a playbook of the toolkit, its events in the journal.\n\n"
        "A playbook that changes something needs an approved request (--request); with --check it shows the plan. "
        "Ctrl-C ends it with everything it started."
    ),
)
@argument("name", metavar=T("NAME"), help=T("Name of a playbook, workstation_join, or a file."))
@option("--request", "request", metavar=T("REQUEST"), help=T("The approved request to carry out."))
@option("--limit", metavar=T("PATTERN"), help=T("Hosts of the play, as Ansible understands it."))
@option("--check", is_flag=True, help=T("Change nothing, show what would be done."))
@option(
    "-e",
    "--extra-var",
    "extra",
    multiple=True,
    metavar=T("KEY=VALUE"),
    help=T("A variable of the play, or @FILE."),
)
@option("--tags", metavar=T("TAGS"), help=T("Only tasks with these tags."))
@option("--skip-tags", metavar=T("TAGS"), help=T("No task with these tags."))
def playbook(
    name: str,
    request: str | None,
    limit: str | None,
    check: bool,  # noqa: FBT001  # click hands options in by name
    extra: tuple[str, ...],
    tags: str | None,
    skip_tags: str | None,
) -> int:
    """Run a playbook."""
    from dsi_automation.ansible.record import PREFIX, PlaybookRecorder
    from dsi_automation.ansible.runner import PlaybookRun, find_playbook, run_playbook
    from dsi_automation.engine.identifiers import new_id

    current = session()
    toolkit, settings = current.toolkit, current.toolkit.settings
    root = _root()
    variables = gather(extra)
    if request:
        variables["dsi_request"] = current.engine.request_by_id(request).id
    artifacts = settings.state_dir.value / "playbooks"
    taken = {path.name for path in artifacts.glob(f"{PREFIX}-*")}
    run = PlaybookRun(
        id=new_id(PREFIX, current.clock.now(), taken),
        playbook=find_playbook(name, (root / "playbooks",)),
        inventory=settings.inventory.value,
        extra_vars=variables,
        limit=limit,
        tags=tags,
        skip_tags=skip_tags,
        check=check,
        secret_names=[one.password.env for one in toolkit.inventory.credentials.values() if one.password.env],
    )
    recorder = PlaybookRecorder(toolkit.journal, run.id, _actor(current))
    recorder.started(run.playbook.stem, check=check, limit=limit, request=request)
    cancelled, config = threading.Event(), root / "ansible.cfg"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: cancelled.set())

    def take(event: Mapping[str, Any]) -> None:
        recorder.take(event)
        if not current.choices.json:
            _show(current.out, event)

    result = run_playbook(
        run,
        config=config if config.is_file() else None,
        artifacts=artifacts,
        on_event=take,
        cancelled=cancelled,
        clock=current.clock,
    )
    recorder.ended(result.status, result.rc)
    code = _code(result)
    if current.choices.json:
        current.out.data({"id": run.id, "status": result.status, "rc": result.rc, "exit_code": code})
    else:
        current.out.note(T("Events: {path}", path=str(artifacts / run.id / "events.jsonl")))
    return code


def _code(result: PlaybookResult) -> int:
    if result.status == "canceled":
        return CANCELLED
    if result.rc == 0:
        return ExitCode.DONE
    # A task of ours told which code; otherwise Ansible's own failure is what nobody foresaw.
    return result.task_exit_code or ExitCode.UNEXPECTED


def _show(out: Output, event: Mapping[str, Any]) -> None:
    text = str(event.get("stdout") or "").strip("\r\n")
    if text:
        out.line(redact(text))


def _actor(current: Session) -> str:
    toolkit = current.toolkit
    try:
        person = toolkit.inventory.people.by_key(toolkit.signer.public_key, current.clock.now())
    except DsiError:
        return "controller"
    return "controller" if person is None else person.id


def _root() -> Path:
    """Return the folder of playbooks and roles: the source tree, or what the package was installed with."""
    package = Path(str(importlib.resources.files("dsi_automation")))
    return package.parent if (package.parent / "playbooks").is_dir() else package / "share"
