"""`dsi lab network` and `dsi lab console`: the lab's routers, and what goes wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.base import OPTIONS, Group, argument
from dsi_automation.cli.lab_m365 import name_option, said
from dsi_automation.cli.session import Session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.lab.lab import Lab
    from dsi_automation.lab.routed_network import RoutedNetwork

network = Group("network", help=T("Routers and circuits: look at them, disturb them."), options_metavar=OPTIONS)

router_argument = argument("router", metavar=T("ROUTER"), help=T("Which router: rtr-spy, for example."))
routers_argument = argument("routers", nargs=-1, metavar=T("ROUTER..."), help=T("Which routers; without it, all."))
interface_argument = argument("interface", metavar=T("INTERFACE"), help=T("Which interface: wan0, for example."))
circuit_argument = argument("circuit", metavar=T("CIRCUIT"), help=T("Which circuit: man-bke, for example."))


def opened_network(session: Session, name: str) -> tuple[Lab, RoutedNetwork]:
    """Return a lab that has routers, and its network; whether all of them run is another question.

    Raises:
        UsageError: it has none.
    """
    from dsi_automation.lab.lab import Lab

    lab = Lab.open(name)
    lab.clock = session.clock
    routed = lab.routed
    if not routed.count or not routed.wiring.is_complete():
        raise UsageError(
            T("Lab {name} has no routers.", name=name),
            next_step=T("Add them: `dsi lab up --name {name} --routers 4`.", name=name),
        )
    return lab, routed


@network.command("status", help=T("Show routers, their interfaces, and circuits."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def show_status(session: Session, name: str) -> None:
    """Show the network as it is now."""
    from dsi_automation.lab.network_status import network_status

    found = network_status(opened_network(session, name)[0])
    if session.choices.json:
        session.out.data(found)
    else:
        show_network(session, found)


def show_network(session: Session, found: dict[str, Any]) -> None:
    """Print routers and circuits."""
    out = session.out
    out.table(
        [T("Router"), T("Address"), T("Interface"), T("State"), T("Addresses")],
        [
            [
                router["name"] if number == 0 else "",
                router["address"] if number == 0 else "",
                interface["name"],
                _state(interface) if router["running"] else T("stopped"),
                ", ".join(interface["addresses"]) or "-",
            ]
            for router in found["routers"]
            for number, interface in enumerate(router["interfaces"])
        ],
    )
    out.line()
    out.table(
        [T("Circuit"), T("From"), T("To"), T("Kind"), T("State")],
        [
            [
                circuit["name"],
                *(f"{end['router']} {end['interface']}" for end in circuit["ends"]),
                T("leased line") if circuit["leased"] else T("neighbour"),
                T("cut") if circuit["cut"] else T("whole"),
            ]
            for circuit in found["circuits"]
        ],
    )
    server = found["server"]
    out.line()
    out.line(
        T(
            "Server {name} behind headquarters: {address}, {services}.",
            name=server["name"],
            address=server["address"],
            services=", ".join(server["services"]),
        )
    )


def _order(command: str, summary: Text, done: Text, act: Callable[[RoutedNetwork, str], None]) -> Any:
    @network.command(command, help=summary, options_metavar=OPTIONS)
    @circuit_argument
    @name_option
    @click.pass_obj
    def give(session: Session, circuit: str, name: str) -> None:
        act(opened_network(session, name)[1], circuit)
        said(session, done, circuit=circuit)

    return give


cut = _order(
    "cut",
    T("Cut a circuit: the line goes down at both ends."),
    T("The circuit is cut."),
    lambda routed, circuit: routed.cut(circuit),
)
mend = _order(
    "mend",
    T("Mend a circuit."),
    T("The circuit is whole again."),
    lambda routed, circuit: routed.mend(circuit),
)


def _by_hand(command: str, summary: Text, line: str, done: Text) -> Any:
    @network.command(command, help=summary, options_metavar=OPTIONS)
    @router_argument
    @interface_argument
    @name_option
    @click.pass_obj
    def type_it(session: Session, router: str, interface: str, name: str) -> None:
        chosen = opened_network(session, name)[1].router(router)
        if interface not in chosen.interfaces:
            raise UsageError(
                T("{router} has no interface {interface}.", router=router, interface=interface),
                next_step=T("It has: {names}.", names=", ".join(chosen.interfaces)),
            )
        chosen.configure(f"interface {interface}", line)
        said(session, done, router=router, interface=interface)

    return type_it


shut = _by_hand(
    "shut",
    T("Shut an interface at the console, as somebody does by hand."),
    "shutdown",
    T("The interface is shut; nothing was saved."),
)
unshut = _by_hand(
    "unshut",
    T("Bring an interface up again at the console."),
    "no shutdown",
    T("The interface is up; nothing was saved."),
)


@network.command(
    "change",
    help=T("Change a router by hand at its console: lines of configuration mode, not saved."),
    options_metavar=OPTIONS,
)
@router_argument
@argument(
    "lines", nargs=-1, required=True, metavar=T("LINE..."), help=T("Each line in quotes: 'interface lan0' 'shutdown'.")
)
@name_option
@click.pass_obj
def change(session: Session, router: str, lines: tuple[str, ...], name: str) -> None:
    """Type lines at a console."""
    opened_network(session, name)[1].router(router).configure(*lines)
    said(session, T("Changed by hand; nothing was saved."), router=router, lines=list(lines))


@network.command(
    "reboot", help=T("Take the power of routers away and give it back: what was not saved is gone."),
    options_metavar=OPTIONS,
)  # fmt: skip
@routers_argument
@name_option
@click.pass_obj
def reboot(session: Session, routers: tuple[str, ...], name: str) -> None:
    """Reboot routers."""
    routed = opened_network(session, name)[1]
    chosen = list(routers) or [router.name for router in routed.routers]
    routed.reboot(chosen)
    said(session, T("Rebooted: {names}.", names=", ".join(chosen)), routers=chosen)


@network.command(
    "reset", help=T("Put routers back to how they left the factory, and mend all circuits."), options_metavar=OPTIONS
)
@routers_argument
@name_option
@click.pass_obj
def reset(session: Session, routers: tuple[str, ...], name: str) -> None:
    """Reset routers."""
    changed = opened_network(session, name)[1].reset(routers or None)
    text = T("Put back: {names}.", names=", ".join(changed)) if changed else T("Nothing had been changed.")
    said(session, text, reset=changed)


@network.command(
    "ping",
    help=T("Ask an address for an answer, from a host behind a router. Exit code 3 when there is none."),
    options_metavar=OPTIONS,
)
@argument("host", metavar=T("HOST"), help=T("From where: lan-spy, for example."))
@argument("address", metavar=T("ADDRESS"), help=T("Whom."))
@name_option
@click.pass_obj
def ping(session: Session, host: str, address: str, name: str) -> ExitCode:
    """Ping."""
    answers = opened_network(session, name)[1].ping(host, address, count=3)
    text = T("{address} answers {host}.", address=address, host=host)
    missing = T("{address} does not answer {host}.", address=address, host=host)
    said(session, text if answers else missing, host=host, address=address, answers=answers)
    return ExitCode.DONE if answers else ExitCode.UNREACHABLE


def console(session: Session, router: str, commands: tuple[str, ...], name: str) -> None:
    """Open the console cable of a router: it needs no network, for whoever cut himself off.

    Raises:
        UsageError: a whole console is asked for as data.
    """
    if session.choices.json and not commands:
        raise UsageError(
            T("--json is for what is typed with --command."), next_step=T("Add: --command 'show interface brief'")
        )
    chosen = opened_network(session, name)[1].router(router)
    if commands:
        text = chosen.console(*commands)
        if session.choices.json:
            session.out.data({"router": router, "commands": list(commands), "said": text})
        else:
            for line in text.splitlines():
                session.out.line(line)
        return
    command = chosen.enter("vtysh")
    os.execvp(command[0], command)  # noqa: S606  # the terminal becomes the console; nothing is left to do here


def _state(interface: dict[str, Any]) -> Text:
    if not interface["up"]:
        return T("shut")
    return T("up") if interface["line"] else T("no line")
