"""`dsi playbook`: run a playbook through ansible-runner, with its events in the journal."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.inputs import gather
from dsi_automation.cli.output import Output
from dsi_automation.cli.session import Session, session
from dsi_automation.core import secrets
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.ansible.runner import PlaybookRun

_SECRET_NAME: Final = re.compile(r"pass|secret|token", re.IGNORECASE)
"""Names of extra variables whose values are masked in the events; better are the secret sources of the inventory."""


@command(
    "playbook",
    T(
        "Run a playbook of the toolkit, its events in the journal.\n\n"
        "A playbook that changes something needs an approved request (--request), and then runs on its machines; "
        "those of backups also run under the standing approval of the backup plan. With --check it shows the plan. "
        "Ctrl-C lets the action under way finish, a second one ends everything at once; “dsi resume RUN” finishes "
        "what was interrupted."
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
def playbook(name: str, extra: tuple[str, ...], **given: Any) -> int:
    """Run a playbook."""
    from dsi_automation.ansible.processes import Cancel
    from dsi_automation.ansible.record import PlaybookRecorder
    from dsi_automation.ansible.runner import run_playbook

    current = session()
    run = _wanted(current, name, extra, given)
    recorder = PlaybookRecorder(current.toolkit.journal, run.id, _actor(current))
    recorder.started(run.playbook.stem, check=run.check, limit=run.limit, request=run.extra_vars.get("dsi_request"))
    cancel, artifacts = Cancel(), current.toolkit.settings.state_dir.value / "playbooks"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: cancel.ask())

    def take(event: Mapping[str, Any]) -> None:
        recorder.take(event)
        if not current.choices.json:
            _show(current.out, event)

    def stopping() -> None:
        current.out.note(T("Stopping: the action under way is finished first; Ctrl-C again ends everything at once."))

    try:
        result = run_playbook(
            run, artifacts=artifacts, on_event=take, on_stop=stopping, cancel=cancel, clock=current.clock
        )
    except DsiError:
        # Told before the error itself: which run it was, should the journal be whole again.
        current.out.note(T("The playbook run {id} was stopped.", id=run.id))
        raise
    recorder.ended(result.status, result.rc, result.exit_code)
    if current.choices.json:
        current.out.data({"id": run.id, "status": result.status, "rc": result.rc, "exit_code": result.exit_code})
    else:
        current.out.note(T("Recorded as {id}: dsi show {id}", id=run.id))
    return result.exit_code


def _wanted(current: Session, name: str, extra: tuple[str, ...], given: Mapping[str, Any]) -> PlaybookRun:
    from dsi_automation.ansible.find import find_config, find_playbook, home
    from dsi_automation.ansible.runner import PlaybookRun, new_run

    toolkit, settings = current.toolkit, current.toolkit.settings
    found = find_playbook(name, (home() / "playbooks",))
    variables, limit = gather(extra), given["limit"]
    if given["request"]:
        request = current.engine.request_by_id(given["request"])
        variables["dsi_request"] = request.id
        if _is_about_hosts(current, request.plan.operation):
            # An approval covers all its machines and no other.
            limit = limit or ",".join(request.plan.targets)
    if limit:
        toolkit.inventory.select([limit])
    _mask(current, variables)
    return PlaybookRun(
        id=new_run(settings.state_dir.value / "playbooks", current.clock.now()),
        playbook=found,
        inventory=settings.inventory.value,
        config=find_config(),
        key=settings.key.value,
        extra_vars=variables,
        limit=limit,
        tags=given["tags"],
        skip_tags=given["skip_tags"],
        check=given["check"],
        secret_names=[one.password.env for one in toolkit.inventory.credentials.values() if one.password.env],
    )


def _is_about_hosts(current: Session, operation: str) -> bool:
    """Tell whether an operation acts on hosts of the inventory: a play about people has the controller for its host."""
    from dsi_automation.engine.operation import TargetKind

    known = current.toolkit.operations.get(operation)
    return known is None or known.target_kind is TargetKind.HOST


def _mask(current: Session, variables: Mapping[str, Any]) -> None:
    """Make known what must appear in no event: the inventory's passwords, and variables named like one."""
    inventory = current.toolkit.inventory
    for source in inventory.credentials.values():
        # One that is not to be had cannot be shown either; the task that needs it will say so.
        with suppress(DsiError):
            inventory.secret(source.password)
    for name, value in variables.items():
        if _SECRET_NAME.search(name) and isinstance(value, str):
            secrets.register(value)


def _show(out: Output, event: Mapping[str, Any]) -> None:
    # Through a terminal of ansible-runner's, which ends its lines as terminals do.
    text = str(event.get("stdout") or "").replace("\r\n", "\n").strip("\n")
    if text:
        out.block(text)


def _actor(current: Session) -> str:
    toolkit = current.toolkit
    try:
        person = toolkit.inventory.people.by_key(toolkit.signer.public_key, current.clock.now())
    except DsiError:
        return "controller"
    return "controller" if person is None else person.id
