"""`dsi lab`: the training lab, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.base import OPTIONS, Group, argument, option
from dsi_automation.cli.lab_application import application
from dsi_automation.cli.lab_m365 import m365, name_option
from dsi_automation.cli.lab_network import console as open_console
from dsi_automation.cli.lab_network import network as routed_network
from dsi_automation.cli.lab_network import router_argument, show_network
from dsi_automation.cli.lab_servers import GROUPS
from dsi_automation.cli.session import Session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import TN, T

if TYPE_CHECKING:
    from dsi_automation.lab.lab import Lab

lab = Group(
    "lab",
    help=T(
        "The training lab on this machine: a real Active Directory, simulated workstations, servers, real routers.\n\n"
        "Everything lives in network namespaces of its own, on addresses set aside for tests (198.18.0.0/15); "
        "nothing on the machine's own interfaces changes, and `dsi lab down` leaves nothing behind."
    ),
    options_metavar=OPTIONS,
)
lab.add_command(m365)
for _group in (*GROUPS, application, routed_network):
    lab.add_command(_group)


def opened(session: Session, name: str, network: str | None = None) -> Lab:
    """Return the lab of that name; imported only here."""
    from dsi_automation.lab.lab import Lab

    found = Lab.open(name, network)
    found.clock = session.clock
    return found


@lab.command("up", help=T("Start the lab, or whatever of it is missing."), options_metavar=OPTIONS)
@name_option
@option("--network", help=T("Its addresses (default: 198.18.0.0/16)."), metavar=T("NETWORK"))
@option(
    "--workstations",
    type=click.IntRange(0, 500),
    default=7,
    metavar=T("NUMBER"),
    help=T("How many workstations: 7 named ones, then a fleet, up to 500."),
)
@option(
    "--fleet",
    type=click.Choice(["joined", "workgroup"]),
    default="joined",
    metavar="[joined|workgroup]",
    help=T("Whether the fleet is in the domain already."),
)
@option("--without-servers", is_flag=True, help=T("Without servers, database, mail and disks: quicker."))
@option("--without-application", is_flag=True, help=T("Without SYDAM World and its four servers: 400 MB less."))
@option(
    "--routers",
    type=click.IntRange(0, 30),
    default=0,
    metavar=T("NUMBER"),
    help=T("How many routers: headquarters and its sites, up to 30 (4: the network of the guides)."),
)
@option("--without-domain", is_flag=True, help=T("Routers alone: no domain, workstations, tenant and servers."))
@option("--install", is_flag=True, help=T("Install the missing Debian packages first, with apt-get."))
@click.pass_obj
def up(
    session: Session,
    name: str,
    network: str | None,
    workstations: int,
    fleet: str,
    *,
    without_servers: bool,
    without_application: bool,
    without_domain: bool,
    routers: int,
    install: bool,
) -> None:
    """Start the lab and say what to do next."""
    from dsi_automation.cli.progress import Progress
    from dsi_automation.lab.status import status
    from dsi_automation.lab.system import Parts, install_packages, missing_packages, require_root

    chosen = opened(session, name, network)
    servers = not without_servers and not without_domain
    application = servers and not without_application
    if install:
        require_root()
        parts = Parts(not without_domain, servers, application, routers > 0)
        missing = missing_packages(parts)
        if missing:
            session.out.note(T("Installing: {packages}.", packages=", ".join(missing)))
        install_packages(parts)
    with Progress(quiet=session.choices.json, patience=0.5) as progress:
        started = chosen.up(
            0 if without_domain else workstations,
            fleet_joined=fleet == "joined",
            servers=servers,
            application=application,
            routers=routers,
            domain=not without_domain,
            observer=progress,
        )
    found = status(chosen)
    if session.choices.json:
        session.out.data({"changed": started.changed, "seconds": round(started.seconds, 1), "lab": found})
        return
    sentence = (
        T("Lab {name} is up, in {seconds} s.", name=name, seconds=f"{started.seconds:.0f}")
        if started.changed
        else T("Lab {name} is up already; nothing to do.", name=name)
    )
    session.out.line(sentence, fg="green")
    _summary(session, found)


@lab.command("down", help=T("Stop the lab and remove everything of it."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def down(session: Session, name: str) -> None:
    """Take the lab away."""
    found = opened(session, name).down()
    if session.choices.json:
        session.out.data({"removed": found})
        return
    session.out.line(
        T("Lab {name} is down; nothing of it is left.", name=name)
        if found
        else T("Lab {name} was not there; nothing to do.", name=name)
    )


@lab.command("status", help=T("Show addresses, accounts, files and what runs."), options_metavar=OPTIONS)
@name_option
@click.pass_obj
def show_status(session: Session, name: str) -> None:
    """Show the lab."""
    from dsi_automation.lab.status import status

    found = status(opened(session, name))
    if session.choices.json:
        session.out.data(found)
        return
    if found["up"]:
        session.out.line(T("Lab {name} is up.", name=name), fg="green")
    else:
        session.out.line(T("Lab {name} is not up: start it with `dsi lab up`.", name=name), fg="yellow")
    if found["up"] or any(process["running"] for process in found["processes"]):
        _summary(session, found)
        _tables(session, found)


@lab.command("logs", help=T("Show what the processes of a part of the lab say."), options_metavar=OPTIONS)
@argument(
    "part",
    default="dc",
    metavar=T("PART"),
    help=T(
        "Whose log: dc, workstations, tenant, routers, a server (srv1, store, ora1, database, mail, app1, app2, "
        "apptest, appform), or one router by its name."
    ),
)
@name_option
@option("--lines", type=click.IntRange(1), default=50, metavar=T("NUMBER"), help=T("How many lines (default: 50)."))
@option("--follow", "-f", is_flag=True, help=T("Go on showing what comes, until Ctrl+C."))
@click.pass_obj
def logs(session: Session, part: str, name: str, lines: int, *, follow: bool) -> None:
    """Show the end of a log."""
    from dsi_automation.lab.logs import follow as followed
    from dsi_automation.lab.logs import tail

    chosen = opened(session, name)
    for line in tail(chosen, part, lines):
        session.out.line(line)
    if follow:
        for line in followed(chosen, part):
            session.out.line(line)


@lab.command("fault", help=T("Make a workstation misbehave, or behave again."), options_metavar=OPTIONS)
@argument(
    "workstation", required=False, metavar=T("WORKSTATION"), help=T("Which workstation; without it, list the faults.")
)
@argument("fault", required=False, metavar=T("FAULT"), help=T("Which fault; without it, list them."))
@name_option
@option("--off", is_flag=True, help=T("Switch all its faults off."))
@option(
    "--value", type=click.FloatRange(0), metavar=T("NUMBER"), help=T("Seconds, page size or return code: see the list.")
)
@option("--count", type=click.IntRange(1), metavar=T("NUMBER"), help=T("Strike only so many requests."))
@option("--method", metavar=T("NAME"), help=T("Strike only requests that invoke this CIM method."))
@option("--class-name", metavar=T("NAME"), help=T("Strike only requests about this CIM class."))
@click.pass_obj
def set_fault(
    session: Session, /, workstation: str | None, fault: str | None, name: str, *, off: bool, **options: Any
) -> None:
    """Switch a fault on, all off, or list those there are."""
    from dsi_automation.lab.windows.faults import DESCRIPTIONS, NEED_VALUE, Fault

    out = session.out
    if workstation is not None and off:
        opened(session, name).clear_faults(workstation)
        text = T("{workstation}: every fault is off.", workstation=workstation)
    elif workstation is None or fault is None:
        if session.choices.json:
            out.data({str(known): str(text) for known, text in DESCRIPTIONS.items()})
        else:
            out.table([T("Fault"), T("What happens")], [[str(known), text] for known, text in DESCRIPTIONS.items()])
        return
    elif fault in {str(known) for known in Fault}:
        given = {option: value for option, value in options.items() if value is not None}
        if fault in {str(known) for known in NEED_VALUE} and "value" not in given:
            raise UsageError(
                T("Fault {fault} needs a value: --value NUMBER.", fault=fault),
                next_step=T("`dsi lab fault` says what each value means."),
            )
        opened(session, name).fault(workstation, fault, **given)
        text = T("{workstation}: fault {fault} is on.", workstation=workstation, fault=fault)
    else:
        raise UsageError(T("There is no fault “{fault}”.", fault=fault), next_step=T("`dsi lab fault` lists them."))
    if session.choices.json:
        out.data({"workstation": workstation, "fault": None if off else fault})
    else:
        out.line(text)


@lab.command("reset", help=T("Put workstations, directory and tenant back as they were."), options_metavar=OPTIONS)
@argument("workstation", required=False, metavar=T("WORKSTATION"), help=T("Only this one."))
@name_option
@option("--m365", is_flag=True, help=T("Only people’s accounts and the Microsoft 365 tenant."))
@click.pass_obj
def reset(session: Session, workstation: str | None, name: str, *, m365: bool) -> None:
    """Put one workstation, the accounts and the tenant, or everything back to the start."""
    if m365 and workstation:
        raise UsageError(
            T("A workstation and --m365 exclude each other."), next_step=T("Give one of them, or neither for all.")
        )
    chosen = opened(session, name)
    if m365:
        chosen.reset_tenant()
        text = T("People’s accounts and the tenant are as they were at the start.")
    else:
        chosen.reset(workstation)
        text = (
            T("{workstation} is as it was at the start.", workstation=workstation)
            if workstation
            else T("Workstations, directory and tenant are as they were at the start.")
            if chosen.has_domain
            else T("The routers are as they were at the start.")
        )
    if session.choices.json:
        session.out.data({"reset": "m365" if m365 else workstation or "all"})
        return
    session.out.line(text)
    if workstation is None and not m365 and chosen.has_servers and chosen.facilities.keeps_backups:
        session.out.line(T("The backups stay, since the record counts on them; `dsi lab down` takes both away."))


@lab.command(
    "console",
    help=T("Open the console of a router: vtysh, over a cable that no change can cut."),
    options_metavar=OPTIONS,
)
@router_argument
@name_option
@option("--command", "-c", "commands", multiple=True, metavar=T("LINE"), help=T("Type this and leave; repeatable."))
@click.pass_obj
def console(session: Session, router: str, name: str, commands: tuple[str, ...]) -> None:
    """Open a console."""
    open_console(session, router, commands, name)


def _summary(session: Session, found: dict[str, Any]) -> None:
    out, files = session.out, found["files"]
    if found["domain"]:
        _domain_summary(session, found)
    routers = (found["routing"] or {}).get("routers", ())
    if routers:
        out.line(
            TN(
                "{n} router and a host behind it: `dsi lab network status`.",
                "{n} routers and a host behind each: `dsi lab network status`.",
                len(routers),
            )
        )
    out.line(T("Inventory: {path}", path=files["inventory"]))
    out.line(T("Certificate authority: {path}", path=files["ca"]))
    out.line()
    out.line(T("To look without the toolkit:"), bold=True)
    for example in found["try"].values():
        out.line(example, indent=2)


def _domain_summary(session: Session, found: dict[str, Any]) -> None:
    out, domain = session.out, found["domain"]
    out.line(
        T(
            "Domain {domain}: controller {controller}, {address}.",
            domain=domain["dns_name"],
            controller=domain["controller"],
            address=domain["address"],
        )
    )
    tenant = found["tenant"]
    out.line(T("Microsoft 365 tenant {domain}: {url}.", domain=tenant["domain"], url=tenant["base_url"]))
    count = len(found["workstations"])
    out.line(
        TN(
            "{n} simulated workstation on {network}.",
            "{n} simulated workstations on {network}.",
            count,
            network=found["network"],
        )
    )
    for server in (found["servers"] or {}).get("servers", ()):
        out.line(
            T(
                "Server {name}: {purpose}, {address}.",
                name=server["name"],
                purpose=server["purpose"],
                address=server["address"],
            )
        )
    if any(disk["folder"] for disk in (found["servers"] or {}).get("disks", ())):
        out.line(
            T("This machine has no loop device: the disks are folders, each with its UUID in a file."), fg="yellow"
        )


def _tables(session: Session, found: dict[str, Any]) -> None:
    out = session.out
    if found["domain"]:
        _domain_tables(session, found)
    if found["routing"]:
        out.line()
        show_network(session, found["routing"])
    out.line()
    out.table(
        [T("Person"), T("Role"), T("Key")],
        [[entry["name"], entry["role"], entry["key"]] for entry in found["persons"]],
    )
    out.line()
    out.table(
        [T("Process"), T("State"), T("Log")],
        [
            [entry["name"], f"PID {entry['pid']}" if entry["running"] else T("stopped"), entry["log"]]
            for entry in found["processes"]
        ],
    )


def _domain_tables(session: Session, found: dict[str, Any]) -> None:
    out = session.out
    out.line()
    out.table(
        [T("Workstation"), T("Address"), T("Site"), T("Name"), T("System"), T("Domain")],
        [
            [
                entry["key"],
                entry["address"],
                entry["site"],
                (entry["now"] or entry)["computer_name"],
                entry["system"] if entry["answers"] else T("never answers"),
                _domain_of(entry) or T("workgroup"),
            ]
            for entry in found["workstations"]
        ],
    )
    out.line()
    out.table(
        [T("Account"), T("What for"), T("Password file")],
        [[entry["account"], entry["purpose"], entry["password_file"]] for entry in found["accounts"]],
    )


def _domain_of(entry: dict[str, Any]) -> str | None:
    """Return the domain a workstation is in at this moment; as it was at the start when its process does not run."""
    from dsi_automation.lab.layout import DOMAIN

    if entry["now"] is not None:
        found: str | None = entry["now"]["domain"]
        return found
    return DOMAIN if entry["joined"] else None
