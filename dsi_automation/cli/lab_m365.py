"""`dsi lab m365`: the lab's simulated Microsoft 365 tenant, and what goes wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.base import OPTIONS, Group, argument, option
from dsi_automation.cli.session import Session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.lab.graph.client import GraphControl

m365 = Group("m365", help=T("The simulated Microsoft 365 tenant: look at it, disturb it."), options_metavar=OPTIONS)


def name_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--name`, which every command of the lab has."""
    choose: Callable[[Callable[..., Any]], Callable[..., Any]] = option(
        "--name", default="lab", help=T("Which lab (default: lab)."), metavar=T("NAME")
    )
    return choose(function)


def control_of(session: Session, name: str) -> GraphControl:
    """Return the tenant's control of a lab that is up; imported only here."""
    from dsi_automation.lab.lab import Lab

    lab = Lab.open(name)
    lab.clock = session.clock
    lab.require_domain()
    return lab.tenant.control


def said(session: Session, text: Text, **data: Any) -> None:
    """Say what was done, as a sentence or as data."""
    if session.choices.json:
        session.out.data(data)
    else:
        session.out.line(text)


@m365.command("status", help=T("Show the tenant: synchronisation, licences, users."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def show_status(session: Session, name: str) -> None:
    """Show the tenant as it is now."""
    control = control_of(session, name)
    found, users = {**control.info(), "skus": control.skus()}, control.users()
    if session.choices.json:
        session.out.data({**found, "users": users})
        return
    synced = T("synchronised from the directory") if found["hybrid"] else T("not synchronised")
    last = found["last_sync"] or "-"
    session.out.line(
        T(
            "Tenant {tenant}: {synced}; last synchronisation: {last}.",
            tenant=found["tenant_id"],
            synced=synced,
            last=last,
        )
    )
    session.out.line()
    session.out.table(
        [T("Licence"), T("Bought"), T("Used")],
        [[sku["skuPartNumber"], sku["prepaidUnits"]["enabled"], sku["consumedUnits"]] for sku in found["skus"]],
    )
    session.out.line()
    session.out.table(
        [T("User"), T("Staff number"), T("Licences"), T("Mailbox")],
        [
            [
                user["userPrincipalName"],
                user.get("employeeId") or "-",
                str(len(user.get("assignedLicenses") or [])),
                user["mailbox"],
            ]
            for user in users
        ],
    )


@m365.command("sync", help=T("Synchronise with the directory now."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def synchronise(session: Session, name: str) -> None:
    """Run one cycle."""
    done = control_of(session, name).sync()
    counts = {key: done[key] for key in ("added", "changed", "removed")}
    said(session, T("Synchronised: {added} added, {changed} changed, {removed} removed.", **counts), **done)


@m365.command("hybrid", help=T("Switch the synchronisation with the directory on or off."), options_metavar=OPTIONS)
@argument("state", type=click.Choice(["on", "off"]), metavar="on|off", help=T("What the tenant is to be."))
@name_option
@option(
    "--every",
    type=click.FloatRange(0),
    metavar=T("SECONDS"),
    help=T("Seconds between two cycles (0: only when asked)."),
)
@click.pass_obj
def set_hybrid(session: Session, state: str, name: str, every: float | None) -> None:
    """Make the tenant hybrid or a cloud of its own."""
    control_of(session, name).hybrid(enabled=state == "on", every=every)
    text = T("The tenant is synchronised from the directory.") if state == "on" else T("The tenant is a cloud alone.")
    said(session, text, hybrid=state == "on")


@m365.command("seats", help=T("Set how many seats of a licence there are."), options_metavar=OPTIONS)
@argument("sku", metavar=T("LICENCE"), help=T("Its part number: STANDARDPACK, DESKLESSPACK or ENTERPRISEPACK."))
@argument("total", type=click.IntRange(0), metavar=T("NUMBER"), help=T("How many seats, those in use included."))
@name_option
@click.pass_obj
def set_seats(session: Session, sku: str, total: int, name: str) -> None:
    """Buy or give back seats."""
    control_of(session, name).seats(sku, total)
    said(session, T("{licence}: {total} seats.", licence=sku, total=total), licence=sku, seats=total)


@m365.command("take", help=T("Let somebody else take an address now."), options_metavar=OPTIONS)
@argument("address", metavar=T("ADDRESS"), help=T("The mail address."))
@name_option
@click.pass_obj
def take(session: Session, address: str, name: str) -> None:
    """Give an address to a mailbox of another service."""
    user = control_of(session, name).take_address(address)
    said(session, T("{address} belongs to somebody else now.", address=address), address=address, id=user["id"])


@m365.command("fault", help=T("Make the tenant misbehave."), options_metavar=OPTIONS)
@argument("fault", required=False, metavar=T("FAULT"), help=T("Which fault; without it, list them."))
@name_option
@option("--method", metavar=T("NAME"), help=T("Strike only requests with this HTTP method."))
@option("--path", metavar=T("PATTERN"), help=T("Strike only requests to this path: /users/*/assignLicense."))
@option(
    "--where",
    type=click.Choice(["any", "outer", "item"]),
    metavar="[any|outer|item]",
    help=T("Strike any request, only those by themselves, or only those inside a batch."),
)
@option("--count", type=click.IntRange(1), metavar=T("NUMBER"), help=T("Strike only so many requests."))
@option("--status", type=click.IntRange(400, 599), metavar=T("NUMBER"), help=T("The HTTP status to answer."))
@option("--retry-after", metavar=T("TEXT"), help=T("What the Retry-After header says."))
@option("--after-commit", is_flag=True, default=None, help=T("Carry the request out first."))
@option("--seconds", type=click.FloatRange(0), metavar=T("SECONDS"), help=T("How long slow answers take."))
@option("--error", metavar=T("NAME"), help=T("The error: CountViolation, or an AADSTS number."))
@option("--user", metavar=T("PATTERN"), help=T("Only users whose address fits this pattern."))
@click.pass_obj
def set_fault(session: Session, /, fault: str | None, name: str, **options: Any) -> None:
    """Switch a fault on, or list those there are."""
    from dsi_automation.lab.graph.faults import DESCRIPTIONS, Fault

    if fault is None:
        if session.choices.json:
            session.out.data({str(known): str(text) for known, text in DESCRIPTIONS.items()})
        else:
            session.out.table(
                [T("Fault"), T("What happens")], [[str(known), text] for known, text in DESCRIPTIONS.items()]
            )
        return
    if fault not in {str(known) for known in Fault}:
        raise UsageError(
            T("There is no fault “{fault}”.", fault=fault), next_step=T("`dsi lab m365 fault` lists them.")
        )
    given = {option: value for option, value in options.items() if value is not None}
    control_of(session, name).fault(Fault(fault), **given)
    said(session, T("Fault {fault} is on.", fault=fault), fault=fault)


@m365.command("clear", help=T("Switch every fault of the tenant off."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def clear(session: Session, name: str) -> None:
    """Let the tenant behave again."""
    control_of(session, name).clear_faults()
    said(session, T("Every fault of the tenant is off."), fault=None)


@m365.command("delays", help=T("Change how long Microsoft takes, seconds."), options_metavar=OPTIONS)
@name_option
@option("--create", type=click.FloatRange(0), metavar=T("SECONDS"), help=T("Until a new user can be read."))
@option("--location", type=click.FloatRange(0), metavar=T("SECONDS"), help=T("Until a usage location counts."))
@option("--licence", type=click.FloatRange(0), metavar=T("SECONDS"), help=T("Until a licence says that it is active."))
@option("--mailbox", type=click.FloatRange(0), metavar=T("SECONDS"), help=T("From the licence to the mailbox."))
@click.pass_obj
def set_delays(session: Session, /, name: str, **seconds: float | None) -> None:
    """Make the tenant slower or quicker."""
    given = {kind: value for kind, value in seconds.items() if value is not None}
    if not given:
        raise UsageError(
            T("No delay was given."), next_step=T("Give one: dsi lab m365 delays --mailbox 30, for example.")
        )
    control_of(session, name).delays(**given)
    said(session, T("The delays are set."), **given)


@m365.command("mails", help=T("List the mails that were sent."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def show_mails(session: Session, name: str) -> None:
    """Show what the tenant was asked to send."""
    found = control_of(session, name).mails()
    if session.choices.json:
        session.out.data({"mails": found})
        return
    if not found:
        session.out.line(T("No mail was sent."))
    for mail in found:
        message = mail["message"]
        to = ", ".join(one["emailAddress"]["address"] for one in message.get("toRecipients", []))
        session.out.line(
            T("{at}, to {to}: {subject}", at=mail["at"], to=to, subject=message.get("subject", "")), bold=True
        )
        session.out.block(message.get("body", {}).get("content", ""))
