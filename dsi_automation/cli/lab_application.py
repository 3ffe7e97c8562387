"""`dsi lab application`: SYDAM World on its servers, and what goes wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.base import OPTIONS, Group, argument, option
from dsi_automation.cli.lab_m365 import name_option, said
from dsi_automation.cli.lab_servers import opened
from dsi_automation.cli.session import Session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.lab.application import LabApplication
    from dsi_automation.lab.lab import Lab

application = Group(
    "application", help=T("SYDAM World on its servers: look at it, disturb it."), options_metavar=OPTIONS
)


def opened_application(session: Session, name: str) -> tuple[Lab, LabApplication]:
    """Return a lab that is up, and its application.

    Raises:
        UsageError: it is not up, or has no application.
    """
    lab = opened(session, name)
    if not lab.has_application:
        raise UsageError(
            T("Lab {name} has no SYDAM World.", name=name),
            next_step=T("Add it: `dsi lab up --name {name}`, without --without-application.", name=name),
        )
    return lab, lab.facilities.application


@application.command("status", help=T("Show the servers, their releases and their faults."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def show_status(session: Session, name: str) -> None:
    """Show every application server."""
    from dsi_automation.lab.server_status import application_status

    found = application_status(opened_application(session, name)[0])
    if session.choices.json:
        session.out.data({"servers": found})
        return
    session.out.table(
        [T("Server"), T("Address"), T("State"), T("Release"), T("Memory"), T("Faults")],
        [
            [
                one["name"],
                one["url"],
                _state(one),
                one["release"] or "-",
                T("{n} MB", n=one["resident_bytes"] // 1_000_000),
                ", ".join(one["faults"]) or "-",
            ]
            for one in found
        ],
    )


@application.command("fault", help=T("Make a server misbehave, or behave again."), options_metavar=OPTIONS)
@argument("server", required=False, metavar=T("SERVER"), help=T("Which server; without it, list the faults."))
@argument("fault", required=False, metavar=T("FAULT"), help=T("Which fault; without it, with --off, all of them."))
@name_option
@option("--off", is_flag=True, help=T("Switch it off."))
@option("--seconds", type=click.FloatRange(0.1), metavar=T("NUMBER"), help=T("How many: see the list."))
@click.pass_obj
def set_fault(
    session: Session, server: str | None, fault: str | None, name: str, seconds: float | None, *, off: bool
) -> None:
    """Switch a fault on or off, or list those there are."""
    from dsi_automation.lab.tomcat import DESCRIPTIONS, ServerFault

    if server is None or (fault is None and not off):
        if session.choices.json:
            session.out.data({str(known): str(text) for known, text in DESCRIPTIONS.items()})
        else:
            session.out.table(
                [T("Fault"), T("What happens")], [[str(known), text] for known, text in DESCRIPTIONS.items()]
            )
        return
    if fault is not None and fault not in set(ServerFault):
        raise UsageError(
            T("There is no fault “{fault}”.", fault=fault), next_step=T("`dsi lab application fault` lists them.")
        )
    chosen = opened_application(session, name)[1].server(server)
    one = None if fault is None else ServerFault(fault)
    if off or one is None:
        chosen.clear_faults(one)
        text = (
            T("{server}: every fault is off.", server=server)
            if one is None
            else T("{server}: fault {fault} is off.", server=server, fault=fault)
        )
    else:
        chosen.fault(one, seconds)
        text = T("{server}: fault {fault} is on.", server=server, fault=fault)
    said(session, text, server=server, faults=[str(known) for known in chosen.faults])


def _order(command: str, summary: Text, done: Text) -> Callable[..., None]:
    @application.command(command, help=summary, options_metavar=OPTIONS)
    @argument("server", required=False, metavar=T("SERVER"), help=T("Which server; without it, all."))
    @name_option
    @click.pass_obj
    def give(session: Session, server: str | None, name: str) -> None:
        found = opened_application(session, name)[1]
        names = [one.name for one in found.servers] if server is None else [server]
        if command == "start":
            changed = found.start(names)
            found.wait(names)
        else:
            changed = found.stop(names)
        said(session, done, changed=changed, servers=names)

    made: Callable[..., None] = give
    return made


start = _order("start", T("Start it where it does not run."), T("SYDAM World answers."))
stop = _order("kill", T("End it at once, as a power cut does."), T("SYDAM World is stopped."))


def _state(one: dict[str, Any]) -> Text | str:
    if one["version"] is not None:
        return T("answers ({version})", version=one["version"])
    if one["pids"]:
        return T("runs, does not answer")
    return T("stopped")
