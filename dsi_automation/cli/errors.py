"""The one place where errors become sentences and exit codes."""

from __future__ import annotations

import traceback
from typing import Any

import click

from dsi_automation.cli.output import Output
from dsi_automation.cli.words import click_word
from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T

INTERRUPTED = 130
"""Exit code after Ctrl+C: 128 + SIGINT, as shells have it."""
BROKEN_PIPE = 141
"""Exit code when the reader of the output went away: 128 + SIGPIPE."""


def report(error: BaseException, out: Output, *, as_json: bool, debug: bool) -> int:
    """Say what went wrong: to people on standard error, and with `--json` as an object on standard output.

    Returns:
        The exit code of the command.
    """
    code, facts = described(error)
    if as_json:
        out.data({"error": facts})
    if isinstance(error, DsiError):
        _tell(error, out, debug=debug)
    elif isinstance(error, click.ClickException):
        _tell_usage(error, out)
    elif isinstance(error, KeyboardInterrupt | click.Abort):
        out.note()
        out.note(facts["what"])
    else:
        out.note(T("Error: {what}", what=facts["what"]), fg="red")
        out.note(facts["next_step"], indent=2)
    if debug:
        for line in "".join(traceback.format_exception(error)).splitlines():
            out.note(line)
    return code


def described(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the error as data; the keys are those of `DsiError.to_json`."""
    if isinstance(error, DsiError):
        return int(error.exit_code), error.to_json()
    if isinstance(error, click.ClickException):
        return int(ExitCode.USAGE), _facts("usage", ExitCode.USAGE, error.format_message())
    if isinstance(error, KeyboardInterrupt | click.Abort):
        what = T("Interrupted. If a run was under way, “dsi runs” shows it and “dsi resume RUN” finishes it.")
        return INTERRUPTED, _facts("interrupted", INTERRUPTED, str(what))
    what = T("Unexpected: {kind}: {message}", kind=type(error).__name__, message=str(error))
    facts = _facts("unexpected", ExitCode.UNEXPECTED, str(what))
    facts["next_step"] = str(T("Run the command again with --debug and send what it shows to the maintainers."))
    return int(ExitCode.UNEXPECTED), facts


def _facts(code: str, exit_code: int, what: str) -> dict[str, Any]:
    return {
        "code": code,
        "exit_code": int(exit_code),
        "what": what,
        "on": None,
        "meaning": None,
        "next_step": None,
        "retryable": False,
        "detail": {},
    }


def _tell(error: DsiError, out: Output, *, debug: bool) -> None:
    headline = T("Error: {what}", what=error.what)
    if error.on is not None and error.on not in str(error.what):
        headline = T("Error on {target}: {what}", target=error.on, what=error.what)
    out.note(headline, fg="red")
    if error.meaning is not None:
        out.note(error.meaning, indent=2)
    if error.next_step is not None:
        out.note(T("What to do: {step}", step=error.next_step), indent=2)
    if debug:
        for key, value in error.detail.items():
            out.note(f"{key}: {value}", indent=4)


def _tell_usage(error: click.ClickException, out: Output) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        out.block(error.format_message(), to_stderr=True)
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        out.block(context.get_usage(), to_stderr=True)
        hint = click_word("Try '{command} {option}' for help.")
        out.note(hint.format(command=context.command_path, option="--help"))
    out.note(T("Error: {what}", what=error.format_message()), fg="red")
