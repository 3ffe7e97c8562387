"""The reference of the command line, made from the commands themselves: `docs/reference/cli.md`.

usage: python -m dsi_automation.cli.reference FOLDER   (of the documentation; writes reference/cli.md there)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from dsi_automation.cli.main import SECTIONS, dsi
from dsi_automation.cli.words import speak

INTRODUCTION = """\
# The `dsi` command

Made from the commands themselves by `python -m dsi_automation.cli.reference docs`; a test holds it against them.

The global options are understood before and after a command's name. Results go to standard output, everything
else (progress, warnings, errors) to standard error. With `--json` the result is one JSON object, described in
[json.md](json.md), and an error is `{"error": {...}}` on standard output beside its sentence on standard error.
Exit codes are in [exit-codes.md](exit-codes.md).
"""


def reference() -> str:
    """Return the reference in English, as Markdown."""
    before = os.environ.get("DSI_LANG")
    speak("en")
    try:
        context = click.Context(dsi, info_name="dsi", terminal_width=100, max_content_width=100)
        parts = [INTRODUCTION, _fenced(dsi.get_help(context))]
        for title, commands in SECTIONS.items():
            parts.append(f"## {title.render('en')}\n")
            for name in commands:
                command = dsi.get_command(context, name)
                assert command is not None  # noqa: S101  # the table is ours; a test walks it
                parts += _chapters(command, name, context)
        return "\n".join(parts)
    finally:
        if before is None:
            os.environ.pop("DSI_LANG", None)
        else:
            os.environ["DSI_LANG"] = before
        speak()


def _chapters(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield f"### {context.command_path}\n"
    yield _fenced(command.get_help(context))
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None  # noqa: S101  # it was listed
            yield from _chapters(found, below, context)


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    Path(sys.argv[1], "reference", "cli.md").write_text(reference(), encoding="utf-8")
