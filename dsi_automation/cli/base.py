"""Click commands whose words are texts, whose global options may stand anywhere, and that load when used."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, override

import click
from click.core import ParameterSource

from dsi_automation.cli.words import Worded, click_word
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import LANGUAGES, T, Text


class Option(click.Option):
    """An option whose help and metavar are texts."""

    help: Any = Worded()
    metavar: Any = Worded()

    def __init__(self, decls: Any = None, /, *, help: Text, metavar: Text | None = None, **attrs: Any) -> None:  # noqa: A002  # click's own name
        super().__init__(decls, **attrs)
        self.help = help
        self.metavar = metavar


class Argument(click.Argument):
    """An argument whose help and metavar are texts."""

    help: Any = Worded()
    metavar: Any = Worded()

    def __init__(self, decls: Any, /, *, help: Text, metavar: Text, **attrs: Any) -> None:  # noqa: A002  # click's own name
        super().__init__(decls, **attrs)
        self.help = help
        self.metavar = metavar


def option(*decls: str, **attrs: Any) -> Callable[[Any], Any]:
    """Declare an option; `help` and `metavar` are texts."""
    return click.option(*decls, cls=Option, **attrs)


def argument(*decls: str, **attrs: Any) -> Callable[[Any], Any]:
    """Declare an argument; `help` and `metavar` are texts."""
    return click.argument(*decls, cls=Argument, **attrs)


_BEFORE_A_SIGN: Final = re.compile("(?<=«) | (?=[:;?!»])")
"""French has a space there, at which no line is broken."""


def _held_together(text: str) -> str:
    return _BEFORE_A_SIGN.sub("\N{NO-BREAK SPACE}", text)


class _Formatter(click.HelpFormatter):
    """Writes help by the reader's typography: French has a space before a colon."""

    @override
    def write_heading(self, heading: str) -> None:
        """Write the title of a section; click's own glues the colon to it in every language."""
        self.write(f"{'':>{self.current_indent}}{T('{heading}:', heading=heading)}\n")

    @override
    def write_text(self, text: str) -> None:
        """Write a paragraph, in which no line begins with a sign that belongs to the word before it."""
        super().write_text(_held_together(text))

    @override
    def write_dl(self, rows: Iterable[tuple[str, str | None]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names with what they mean, the same way."""
        super().write_dl([(name, _held_together(said or "")) for name, said in rows], col_max, col_spacing)


class _Context(click.Context):
    """A call of a command of `dsi`."""

    formatter_class = _Formatter


class _Speaking(click.Command):
    """What commands and groups of `dsi` share."""

    context_class = _Context

    help: Any = Worded()
    epilog: Any = Worded()
    short_help: Any = Worded()
    options_metavar: Any = Worded()

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return click's `--help`, in the language of this call and not of the first one."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = click_word("Show this message and exit.")
        return found

    @override
    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first paragraph whole: the list folds it."""
        return str(self.short_help or self.help or "").partition("\n\n")[0]


class Command(_Speaking):
    """A command of `dsi`. The global options are understood after its name as well as before."""

    def __init__(self, name: str | None, **attrs: Any) -> None:
        attrs.setdefault("epilog", T("The global options (see “dsi --help”) may also stand here."))
        super().__init__(name, **attrs)
        self.params += global_options(hidden=True)


class Group(_Speaking, click.Group):
    """A command that has commands."""

    subcommand_metavar: Any = Worded()
    options_hidden: ClassVar[bool] = True

    def __init__(self, name: str | None = None, **attrs: Any) -> None:
        attrs.setdefault("subcommand_metavar", T("COMMAND [ARGUMENTS]..."))
        super().__init__(name, **attrs)
        self.command_class = Command
        self.params += global_options(hidden=self.options_hidden)

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order they were declared: the order of the work."""
        return list(self.commands)


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is, and its line in the list, known without importing it."""

    module: str
    attribute: str
    summary: Text


class LazyGroup(Group):
    """A group that imports a command when it is called: `dsi --help` imports none.

    Args:
        sections: the commands by name, under a title each.
    """

    options_hidden = False

    def __init__(self, name: str, sections: Mapping[Text, Mapping[str, Lazy]], **attrs: Any) -> None:
        super().__init__(name, **attrs)
        self.sections = sections
        self.lazy = {key: lazy for commands in sections.values() for key, lazy in commands.items()}

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, section by section."""
        return list(self.lazy)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command.

        Raises:
            UsageError: it needs packages that this machine does without.
        """
        lazy = self.lazy.get(cmd_name)
        if lazy is None:
            return None
        try:
            command = getattr(importlib.import_module(lazy.module), lazy.attribute)
        except ModuleNotFoundError as error:
            raise UsageError(
                T(
                    "“dsi {name}” needs the Python package {package}, which is not installed.",
                    name=cmd_name,
                    package=error.name,
                ),
                next_step=T(
                    "Install the toolkit with its extras: pip install 'dsi-automation[{name}]'.", name=cmd_name
                ),
            ) from error
        assert isinstance(command, click.Command)  # noqa: S101  # the table is ours; a test walks it
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, proposing those whose name is near when there is none."""
        if args[0] not in self.lazy and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=self.lazy, ctx=ctx)
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, a section each, from the table alone."""
        for title, commands in self.sections.items():
            with formatter.section(str(title)):
                formatter.write_dl([(name, str(lazy.summary)) for name, lazy in commands.items()])


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """Return the options every command understands; after a command's name only `--json` is listed."""
    return [
        _global(
            "--inventory",
            "-I",
            choice="inventory",
            hidden=hidden,
            metavar=T("PATH"),
            help=T("The Ansible inventory, a file or a folder (DSI_INVENTORY; else that of ansible.cfg here)."),
        ),
        _global(
            "--key",
            choice="key",
            hidden=hidden,
            metavar=T("PATH"),
            help=T("The SSH key you sign with (DSI_KEY; else the agent's)."),
        ),
        _global("--json", choice="json", is_flag=True, help=T("Write the result as JSON.")),
        _global(
            "--no-color",
            choice="no_color",
            is_flag=True,
            hidden=hidden,
            help=T("No colours (also NO_COLOR; never any when the output is not a terminal)."),
        ),
        _global(
            "--debug",
            choice="debug",
            is_flag=True,
            hidden=hidden,
            help=T("Show details and tracebacks of errors (DSI_DEBUG=1)."),
        ),
        _global(
            "--lang",
            choice="lang",
            hidden=hidden,
            type=click.Choice(LANGUAGES),
            metavar="[fr|en]",
            help=T("The language of the texts (DSI_LANG; French by default)."),
        ),
    ]


def _global(*decls: str, choice: str, **attrs: Any) -> Option:
    def take(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        # A default must not undo what was said before the command's name.
        if ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE:
            setattr(ctx.find_root().obj.choices, choice, value)

    return Option([*decls, f"global_{choice}"], callback=take, expose_value=False, is_eager=True, **attrs)


def command(name: str, help: Text, **attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:  # noqa: A002  # click's own name
    """Declare a command of `dsi`."""
    return click.command(name, cls=Command, help=help, options_metavar=OPTIONS, **attrs)


OPTIONS: Final = T("[OPTIONS]")
