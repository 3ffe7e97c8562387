"""`dsi completion`: the script that makes the Tab key complete commands."""

from __future__ import annotations

import click

from dsi_automation.cli.base import argument, command
from dsi_automation.cli.session import session
from dsi_automation.core.text import T

SHELLS = ("bash", "zsh")


@command(
    "completion",
    T(
        "Print the script that completes commands with the Tab key, to be loaded by the shell.\n\n"
        "For bash: dsi completion bash > ~/.local/share/bash-completion/completions/dsi\n\n"
        "For zsh: dsi completion zsh > a file _dsi in a folder of $fpath"
    ),
)
@argument("shell", type=click.Choice(SHELLS), metavar="[bash|zsh]", help=T("The shell that will load it."))
def completion(shell: str) -> None:
    """Print a completion script."""
    from click.shell_completion import get_completion_class

    from dsi_automation.cli.main import dsi

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click ships both
    # The template is filled here: click's `source` would start bash to look at its version.
    maker = kind(dsi, {}, "dsi", "_DSI_COMPLETE")
    session().out.document(maker.source_template % maker.source_vars())
    example = {"bash": "~/.local/share/bash-completion/completions/dsi", "zsh": "${fpath[1]}/_dsi"}[shell]
    session().out.note(T("To install it: dsi completion {shell} > {file}", shell=shell, file=example))
