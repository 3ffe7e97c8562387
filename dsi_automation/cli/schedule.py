"""`dsi schedule list|next|install|run`: what runs by itself, when, and what starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.schedule_install import install
from dsi_automation.cli.schedule_run import run
from dsi_automation.cli.schedule_show import next_table, show_list
from dsi_automation.cli.session import session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.near import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsi_automation.inventory.schedule_model import Schedule

schedule = Group(
    "schedule",
    help=T("What runs by itself, and when: schedules.yml, systemd timers, or a scheduler in the foreground."),
    options_metavar=OPTIONS,
)


@command("list", T("List the schedules: when each runs next, how it ended last, what was missed."))
def list_() -> None:
    """List the schedules."""
    current = session()
    show_list(current, current.toolkit.schedules())


@command("next", T("Show when schedules run next, to the second."))
@argument("name", required=False, metavar=T("[NAME]"), help=T("One schedule; all of them by default."))
@option("-n", "count", type=int, default=5, show_default=True, metavar=T("NUMBER"), help=T("How many times of each."))
def next_(name: str | None, count: int) -> None:
    """Show the next occurrences."""
    current = session()
    found = current.toolkit.schedules()
    next_table(current, {name: one(found, name)} if name else found, max(count, 1))


def one(schedules: Mapping[str, Schedule], name: str) -> Schedule:
    """Return the schedule of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in schedules:
        raise UsageError(
            T("schedules.yml has no schedule “{name}”.", name=name), next_step=did_you_mean(name, schedules)
        )
    return schedules[name]


for part in (list_, next_, install, run):
    schedule.add_command(part)
