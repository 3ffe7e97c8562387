"""`dsi licence assign|remove|list`: the licences of the Microsoft 365 tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.asking import DETAILS, Wish, targets_of
from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.output import Output
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import session
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.connectors.m365.port import Sku

licence = Group(
    "licence",
    help=T("List the licences of the tenant, or plan who has one."),
    options_metavar=OPTIONS,
)


def _planning(name: str, words: Text) -> click.Command:
    @command(name, words)
    @argument(
        "targets", nargs=-1, required=True, metavar=T("ACCOUNT..."), help=T("Staff numbers, logins or addresses.")
    )
    @option(
        "--licence", "chosen", required=True, metavar=T("NAME"), help=T("The licence: a name of dsi_accounts.licences.")
    )
    @DETAILS
    def change(targets: tuple[str, ...], chosen: str, *, details: bool) -> int:
        value = f"@{chosen}" if chosen.startswith("@") else chosen
        wish = Wish(f"licence.{name}", targets_of(targets), (f"licence={value}",))
        return run_plan(session(), wish, details=details)

    return change


@dataclass(frozen=True, slots=True)
class Seats:
    """A licence of the tenant, with its names in the inventory; None where the inventory does not name it."""

    name: str | None
    sku: Sku

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {
            "name": self.name,
            "part_number": self.sku.part_number,
            "sku_id": self.sku.id,
            "total": self.sku.total,
            "used": self.sku.used,
            "free": self.sku.free,
            "enabled": self.sku.enabled,
            "mailbox": self.sku.has_mailbox,
        }


def seats_of(skus: Sequence[Sku], names: Mapping[str, str]) -> tuple[list[Seats], list[str]]:
    """Return the licences, those of the inventory first, and the names of the inventory the tenant does not have."""
    by_part = {sku.part_number.casefold(): sku for sku in skus}
    known = [Seats(name, by_part[part.casefold()]) for name, part in names.items() if part.casefold() in by_part]
    named = {seats.sku.id for seats in known}
    missing = [name for name, part in names.items() if part.casefold() not in by_part]
    return [*known, *(Seats(None, sku) for sku in skus if sku.id not in named)], missing


@command(
    "list",
    T(
        "List the licences of the tenant: seats bought, used and free.\n\n"
        "Exit code 5 when the tenant has no licence for a name of dsi_accounts."
    ),
)
def list_() -> int:
    """List licences."""
    current = session()
    inventory = current.toolkit.inventory
    names, _ = inventory.accounts.licences, inventory.tenant
    found, missing = seats_of(current.toolkit.equipment.look().tenant().skus(), names)
    code = ExitCode.NOT_COMPLIANT if missing else ExitCode.DONE
    if current.choices.json:
        view = {"licences": [seats.to_json() for seats in found], "missing": missing, "exit_code": int(code)}
        current.out.data(view)
        return code
    show_seats(current.out, found)
    for name in missing:
        sentence = T("{name}: the tenant has no licence {part}.", name=name, part=names[name])
        current.out.line(sentence, fg="red")
    return code


def show_seats(out: Output, found: Sequence[Seats]) -> None:
    """Write a row per licence."""
    headers = (T("Licence"), T("In the tenant"), T("Bought"), T("Used"), T("Free"), T("Mailbox"), T("State"))
    rows = [
        (
            seats.name,
            seats.sku.part_number,
            seats.sku.total,
            seats.sku.used,
            seats.sku.free,
            T("yes") if seats.sku.has_mailbox else T("no"),
            T("may be assigned") if seats.sku.enabled else T("suspended"),
        )
        for seats in found
    ]
    out.table(headers, rows, ["red" if seats.name and not seats.sku.free else "" for seats in found])


licence.add_command(_planning("assign", T("Plan the assignment of a licence: short for “dsi plan licence.assign”.")))
licence.add_command(_planning("remove", T("Plan the removal of a licence: short for “dsi plan licence.remove”.")))
licence.add_command(list_)
