"""`dsi access list`: who may reach what, until when and why; where the routers and the record differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dsi_automation.cli.access_names import complete_site
from dsi_automation.cli.base import command, option
from dsi_automation.cli.moments import local
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.router_names import complete_router, network_of
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.views import report_exit_code
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.near import did_you_mean

OPERATION: Final = "access.list"


@command(
    "list",
    T(
        "List accesses: who may reach what, until when, and how it is on the routers now.\n\n"
        "Exit code 5 where a router and the record differ: something is missing, was opened by no request, or is over "
        "and still open; 3 when a router did not answer."
    ),
)
@option("--site", metavar=T("SITE"), help=T("Of this site only, by its code."), shell_complete=complete_site)
@option("--router", "routers", multiple=True, metavar=T("ROUTER"), help=T("Of this router only; repeatable."),
        shell_complete=complete_router)  # fmt: skip
@option("--expiring", is_flag=True, help=T("Those whose end is near or over only."))
@option("--all", "closed", is_flag=True, help=T("Those that were taken away as well."))
def list_(site: str | None, routers: tuple[str, ...], *, expiring: bool, closed: bool) -> int:
    """List accesses."""
    current = session()
    targets = _routers(current, site, routers)
    with Progress(targets) as progress:
        report = current.engine.check(OPERATION, targets, {"closed": closed}, progress)
    found = [one for facts in report.facts.values() for one in facts["accesses"]]
    shown = [one for one in found if not expiring or one["state"] in {"ending", "expired", "over"}]
    shown.sort(key=lambda one: (one["until"] is None, one["until"] or "", one["id"]))
    code = report_exit_code(report)
    if current.choices.json:
        failures = {name: error.to_json() for name, error in report.failures.items()}
        current.out.data({"accesses": shown, "failures": failures, "exit_code": int(code)})
        return code
    _show(current, shown, report.failures)
    return code


def _show(session: Session, shown: list[Mapping[str, Any]], failures: Mapping[str, DsiError]) -> None:
    from dsi_automation.operations.network.access_list import STATES, State

    out = session.out
    if shown:
        headers = (T("Access"), T("Router"), T("From"), T("To"), T("Service"), T("Until"), T("State"), T("For"))
        rows = [
            (
                one["id"], one["router"], _short(one["source"]), _short(one["destination"]), one["service"],
                None if one["until"] is None else local(parse_iso(one["until"])), STATES[State(one["state"])],
                one["beneficiary"],
            )
            for one in shown
        ]  # fmt: skip
        out.table(headers, rows, [_STYLES.get(one["state"], "") for one in shown])
    out.line(_total(shown))
    for advice in _advice({one["state"] for one in shown}):
        out.line(advice, indent=2)
    for name, error in failures.items():
        out.line(T("{name}: {problem}", name=name, problem=error.what), fg="red")
        if error.next_step is not None:
            out.line(error.next_step, indent=2)


def _total(shown: list[Mapping[str, Any]]) -> Text:
    if not shown:
        return T("No access.")
    return TN("{n} access.", "{n} accesses.", len(shown))


def _advice(states: set[str]) -> list[Text]:
    found = []
    if states & {"expired", "over"}:
        found.append(T("To take away what is over: dsi access revoke --expired --why '...'"))
    if "missing" in states:
        found.append(T("To open what is missing again: ask for the same access once more."))
    if "unknown" in states:
        found.append(T("To take away what no request opened: dsi access revoke ACCESS --router ROUTER --why '...'"))
    return found


def _routers(session: Session, site: str | None, routers: tuple[str, ...]) -> tuple[str, ...]:
    network = network_of(session)
    if site is not None and site not in network.settings.sites:
        raise UsageError(
            T("The network has no site “{site}”.", site=site), next_step=did_you_mean(site, network.settings.sites)
        )
    for name in routers:
        network.router(name)
    found = tuple(
        one.name for one in network.filtering() if site in {None, one.site} and (not routers or one.name in routers)
    )
    if not found:
        raise UsageError(T("No router that filters is meant."), next_step=T("See them: dsi router list"))
    return found


def _short(network: str) -> str:
    return network.removesuffix("/32")


_STYLES: Final = {
    "ending": "yellow", "over": "yellow", "unsaved": "yellow", "expired": "red", "missing": "red", "unknown": "red",
    "other_end": "red", "closed": "bright_black", "unseen": "red",
}  # fmt: skip
