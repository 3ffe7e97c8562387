"""What the Tab key offers for a word that is being typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from dsi_automation.core.errors import DsiError

if TYPE_CHECKING:
    import click

    from dsi_automation.cli.session import Session


def completing(words: Callable[[Session], Iterable[str]]) -> Any:
    """Return what offers the words that begin as typed; the Tab key has nobody to tell an error to."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
        return completed(ctx, words, incomplete)

    return complete


def completed(ctx: click.Context, words: Callable[[Session], Iterable[str]], incomplete: str) -> list[str]:
    """Return the words that begin as typed, in any case; none where they cannot be had."""
    from dsi_automation.cli.session import Session

    root = ctx.find_root()
    session = root.obj if isinstance(root.obj, Session) else Session()
    try:
        return [word for word in words(session) if word.lower().startswith(incomplete.lower())]
    except DsiError:
        return []
