"""The `dsi` command: the list of its commands, and what surrounds each call."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Any

import click

from dsi_automation.cli.base import OPTIONS, Lazy, LazyGroup, Option
from dsi_automation.cli.errors import BROKEN_PIPE, report
from dsi_automation.cli.output import NobodyReadsError, lost, silence
from dsi_automation.cli.session import Session
from dsi_automation.cli.words import speak, wanted_language
from dsi_automation.core.text import T, Text

ROOM = "dsi_automation.cli"


DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def _lazy(module: str, summary: Text, attribute: str | None = None) -> Lazy:
    return Lazy(f"{ROOM}.{module}", attribute or module, summary)


SECTIONS = {
    T("Look (changes nothing, needs no approval)"): {
        "check": _lazy("check", T("Check targets with a read-only operation.")),
        "plan": _lazy("plan", T("Show what an operation would do, and why.")),
        "operations": _lazy("operations", T("List the operations, their inputs, risk and policy.")),
        "directory": _lazy("directory", T("Report what breaks the rules in the directory.")),
        "workstation": _lazy("workstation", T("Check a workstation, or plan its joining to the domain.")),
        "mailbox": _lazy("mailbox", T("Plan mail accounts, check them, hand them over.")),
        "account": _lazy("account", T("Plan the end of the accounts of people who leave.")),
        "licence": _lazy("licence", T("List licences and their seats, or plan who has one.")),
        "application": _lazy("application", T("Show, check, stop and start applications; their availability.")),
        "sources": _lazy(
            "sources", T("Show releases and where they are; plan their integration; accept them stage by stage.")
        ),
        "rules": _lazy("rules", T("Show rule sets, compare them with files, load them, put a former set back.")),
        "router": _lazy("router", T("Show, check and configure routers; their configurations, and new sites.")),
        "access": _lazy("access", T("Ask for accesses through the routers, take them away, list them.")),
        "backup": _lazy("backup", T("Show the backup plan and what there is; ask, run, verify, restore.")),
    },
    T("Ask and decide"): {
        "request": _lazy("requesting", T("Ask for a plan to be approved."), "request"),
        "requests": _lazy("requests", T("List the requests.")),
        "show": _lazy("show", T("Show a request or a run.")),
        "approve": _lazy("decisions", T("Approve a request, with your signature."), "approve"),
        "refuse": _lazy("decisions", T("Refuse a request, with your signature."), "refuse"),
        "revoke": _lazy("decisions", T("Take back a request or an approval."), "revoke"),
        "ratify": _lazy("decisions", T("Ratify an emergency after the fact."), "ratify"),
    },
    T("Do"): {
        "run": _lazy("running", T("Carry out an approved request."), "run"),
        "emergency": _lazy("requesting", T("Run now, to be ratified afterwards."), "emergency"),
        "runs": _lazy("runs", T("List the runs.")),
        "resume": _lazy("running", T("Finish an interrupted run."), "resume"),
        "schedule": _lazy("schedule", T("Run what comes round by itself: list, next, install, run.")),
        "playbook": _lazy("playbook", T("Run a playbook, its events in the journal.")),
    },
    T("Keep the record"): {
        "journal": _lazy("journal", T("Verify or export the journal.")),
        "media": _lazy("media", T("Show where every backup medium is; hand it over, store it, bring it back.")),
        "mail": _lazy("mail", T("See and send the mails that wait.")),
        "metrics": _lazy("metrics", T("Give Prometheus what it watches.")),
    },
    T("Set up"): {
        "init": _lazy("init", T("Write a commented inventory to start from.")),
        "doctor": _lazy("doctor", T("Check that this machine has what the toolkit needs.")),
        "lab": _lazy("lab", T("Start or stop the training lab.")),
        "completion": _lazy("completion", T("Complete commands with the Tab key.")),
    },
}

EPILOG = T(
    "Exit codes: 0 done, 1 unexpected, 2 usage, 3 unreachable, 4 gate closed, 5 not compliant, "
    "6 verification failed, 7 the world changed since the approval.\n\n"
    "Environment: DSI_INVENTORY, DSI_KEY, DSI_STATE (where the journal is), DSI_DATABASE_URL, DSI_LANG (fr, en), "
    "DSI_DEBUG, DSI_LAB_DIR, NO_COLOR."
)


def show_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ARG001  # click's signature
    """Print the version and stop."""
    if value:
        from importlib.metadata import version

        ctx.find_root().obj.out.line(f"dsi {version('dsi-automation')}")
        ctx.exit()


dsi = LazyGroup(
    "dsi",
    SECTIONS,
    help=T(
        "Operations of the IT department: look, plan, have it approved, do it, look again, keep the record.\n\n"
        "A technician asks, somebody entitled approves exactly that plan, the toolkit carries it out and verifies it."
    ),
    epilog=EPILOG,
    options_metavar=OPTIONS,
)
dsi.params.append(
    Option(
        ["--version"],
        help=T("Show the version and exit."),
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show_version,
    )
)


def run(arguments: Sequence[str], session: Session | None = None) -> int:
    """Run one call of `dsi` and return its exit code; every error ends here.

    Args:
        session: what the call starts from; tests hand in their own.
    """
    speak(wanted_language(arguments))
    session = session or Session()
    # A usage error comes before the options are read, and must know already whether programs listen.
    before = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    session.choices.json = session.choices.json or "--json" in before
    session.choices.debug = session.choices.debug or "--debug" in before
    session.choices.no_color = session.choices.no_color or "--no-color" in before
    try:
        code = dsi.main(list(arguments), prog_name="dsi", standalone_mode=False, obj=session)
        session.tell_unread_journal()
        _flush()
    except NobodyReadsError:
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as caught:  # noqa: BLE001  # the last resort, rendered for people
        error: BaseException = caught
        if isinstance(caught, OSError) and caught.errno in DISK_ERRORS:
            # Click writes the help itself; every disk of ours is watched where it is written.
            silence(sys.stdout)
            error = lost(caught)
        code = report(error, session.out, as_json=session.choices.json, debug=session.choices.debug)
    return int(code) if isinstance(code, int) else 0


def _flush() -> None:
    """Have what click wrote by itself (the help) reach its reader now, where its loss can still be told.

    Raises:
        NobodyReadsError, StorageError: it does not.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        raise lost(error) from error


def main() -> None:
    """Run `dsi` with the process's arguments."""
    sys.exit(run(sys.argv[1:]))
