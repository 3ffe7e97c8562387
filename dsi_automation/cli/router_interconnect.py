"""`dsi router interconnect`: how a new site is best joined, what goes into the inventory, and the order of its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from dsi_automation.cli import times
from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.completing import completing
from dsi_automation.cli.files import write_whole
from dsi_automation.cli.line_letter import write_letter
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.views import report_exit_code, report_view
from dsi_automation.core.errors import UsageError
from dsi_automation.core.quantities import Number
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from datetime import date

OPERATION: Final = "router.interconnect"
_COLOURS: Final = {"chosen": "green"}
_INTERFACE: Final = T("INTERFACE")


@command(
    "interconnect",
    T(
        "Propose how a new site is joined: to the nearest existing site that can carry it, else by a leased line; with "
        "its addresses, the routes that will change, and what to put into the inventory. Connects to none, changes "
        "nothing.\n\n"
        "Every existing site is shown with what speaks for or against it. Exit code 5 when there is no way."
    ),
)
@argument("site", metavar="SITE", help=T("Its code in dsi_sites."),
          shell_complete=completing(lambda session: session.toolkit.inventory.sites))  # fmt: skip
@option("--bandwidth", type=click.IntRange(1), required=True, metavar="MBIT/S", help=T("What it needs, Mbit/s."))
@option("--at", "place", nargs=2, type=float, metavar=T("LATITUDE LONGITUDE"),
        help=T("Where it is, decimal degrees; by default what dsi_network.sites says."))  # fmt: skip
@option("--max-distance", type=float, metavar="KM", help=T("How far a neighbour may be; 40 km by default."))
@option("--leased", is_flag=True, help=T("A leased line, although a neighbour could carry it."))
@option("--operator", metavar=T("NAME"), help=T("Whom to lease from; by default who delivers soonest."),
        shell_complete=completing(lambda session: session.toolkit.inventory.network.settings.operators))  # fmt: skip
@option("--platform", type=click.Choice(["ios", "frr"]), metavar="[ios|frr]", help=T("The new router’s platform."))
@option("--router", metavar=T("NAME"), help=T("The new router’s name; rtr- and the site’s code by default."))
@option("--address", metavar="IPV4", help=T("Where the controller will reach it."))
@option("--lan", metavar=_INTERFACE, help=T("Its interface in the LAN."))
@option("--wan", metavar=_INTERFACE, help=T("Its interface of the circuit."))
@option("--management", metavar=_INTERFACE, help=T("Its interface of the management."))
@option("--peer", metavar=_INTERFACE, help=T("The interface of the router at the other end."))
@option("--write", "written", metavar=T("FILE"), help=T("Write what goes into the inventory into a file."))
@option("--letter", metavar=T("FILE.pdf"), help=T("Write the order of the leased line, a letter to the operator."))
@option("--wanted", metavar=T("DATE"), help=T("The day the line is wanted; the agreed delay from today by default."))
@option("--reference", metavar=T("TEXT"), help=T("The order’s reference; LL-, the site’s code and the day by default."))
@option("--contact", metavar=T("TEXT"), help=T("Whom the operator calls about its visits."))
def interconnect(site: str, **given: Any) -> int:
    """Propose an interconnection."""
    current = session()
    wanted = None if given["wanted"] is None else times.day(given["wanted"])
    if wanted is not None and wanted < current.clock.now().astimezone().date():
        raise UsageError(
            T("{moment} is past.", moment=given["wanted"]), next_step=T("Give a day to come, or leave --wanted out.")
        )
    _refuse_lost_words(given)
    with Progress([site]) as progress:
        report = current.engine.check(OPERATION, (site,), _inputs(given), progress)
    failure = report.failures.get(site)
    if failure is not None and not current.choices.json:
        raise failure
    files = {} if failure is not None else _write(current, site, report.facts[site], given, wanted)
    if current.choices.json:
        current.out.data({**report_view(OPERATION, report), "files": files})
    else:
        _show(current, site, report.facts[site], printed="inventory" not in files)
        for path in files.values():
            current.out.note(T("Written: {file}", file=path))
    return report_exit_code(report)


def _inputs(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of the operation; what was not said has its default."""
    asked: dict[str, Any] = {
        "bandwidth": given["bandwidth"],
        "leased": given["leased"],
        "max_distance_km": given["max_distance"],
    }
    if given["place"] is not None:
        asked |= dict(zip(("latitude", "longitude"), given["place"], strict=True))
    names = ("operator", "platform", "router", "address", "lan", "wan", "management", "peer")
    asked |= {name: given[name] for name in names}
    return {name: value for name, value in asked.items() if value is not None}


def _refuse_lost_words(given: Mapping[str, Any]) -> None:
    """Make sure that nothing is said about a letter that is not written."""
    lost = [f"--{name}" for name in ("wanted", "reference", "contact") if given[name] is not None]
    if lost and given["letter"] is None:
        raise UsageError(T("{options} belong to the letter.", options=", ".join(lost)), next_step=T("Add --letter."))


def _write(
    session: Session, site: str, found: Mapping[str, Any], given: Mapping[str, Any], wanted: date | None
) -> dict[str, str]:
    files: dict[str, str] = {}
    if given["letter"] is not None:
        if found["operator"] is None:
            raise UsageError(
                T("No line is to be ordered: {neighbour} can carry {site}.", neighbour=found["neighbour"], site=site),
                on=site,
                next_step=T("Leave --letter out, or ask for a leased line: --leased"),
            )
        files["letter"] = str(write_letter(session, site, found, Path(given["letter"]), wanted, given))
    if given["written"] is not None:
        write_whole(Path(given["written"]), found["inventory"])
        files["inventory"] = str(given["written"])
    return files


def _show(session: Session, site: str, found: Mapping[str, Any], *, printed: bool) -> None:
    out = session.out
    out.line(_verdict(site, found), bold=True, fg="green")
    headers = (T("Site"), T("Router"), T("Distance (km)"), T("Left (Mbit/s)"), T("Verdict"))
    rows = [
        (
            one["site"],
            one["router"],
            None if one["distance_km"] is None else Number(one["distance_km"], 1),
            f"{max(one['left_mbits'], 0)}/{one['capacity_mbits']}",
            one["why"],
        )
        for one in found["candidates"]
    ]
    out.table(headers, rows, [_COLOURS.get(one["verdict"], "") for one in found["candidates"]])
    own, other = found["ends"]
    for title, value in (
        (T("Range of the site"), found["range"]),
        (T("LAN"), T("{lan}, router {address}", lan=found["lan"], address=found["lan_address"])),
        (T("Circuit"), f"{found['link']}: {found['prefix']}"),
        (T("New end"), f"{own['router']} {own['interface']} {own['address']}"),
        (T("Other end"), f"{other['router']} {other['interface']} {other['address']}"),
    ):
        out.line(T("{title}: {value}", title=title, value=value))
    out.table(
        (T("Router"), T("New route"), T("Via")),
        [(one["router"], one["prefix"], one["via"]) for one in found["routes"]],
    )
    if printed:
        out.line(T("To put into the inventory:"), bold=True)
        out.block(found["inventory"].rstrip("\n"))
    out.line(T("Then, once it is in the inventory: dsi router configure {router}", router=found["router"]), bold=True)


def _verdict(site: str, found: Mapping[str, Any]) -> Text:
    facts = {"site": site, "router": found["ends"][1]["router"], "bandwidth": found["bandwidth_mbits"]}
    if found["operator"] is None:
        return T(
            "{site}: a circuit of {bandwidth} Mbit/s to {router} ({neighbour}), {km} km",
            neighbour=found["neighbour"], km=Number(found["distance_km"], 1), **facts,
        )  # fmt: skip
    return T("{site}: a leased line of {bandwidth} Mbit/s to {router}, ordered from {operator}",
             operator=found["operator"], **facts)  # fmt: skip
