"""What `dsi doctor` says of the network: routers, circuits, ways to headquarters, probes, operators, approvers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.network_parts import Network
from dsi_automation.inventory.people import FILE as PEOPLE
from dsi_automation.inventory.people import load_people
from dsi_automation.inventory.policy import FILE as POLICY

NETWORK: Final = "dsi_network"
LINKS: Final = "dsi_links"
WEAK: Final = ("key_exchange", "host_keys", "ciphers", "macs")


def network_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of the network; nothing where none is described."""
    if not inventory.has_network():
        return
    network = inventory.network
    yield _check(NETWORK, "routers", T("Routers"), TN("{n} router", "{n} routers", len(network.routers)))
    yield _check(LINKS, "links", T("Circuits"), TN("{n} circuit", "{n} circuits", len(network.links)))
    yield from _routers(inventory, network)
    yield from _sites(inventory, network)
    yield from _operators(network)
    yield from _approvers(inventory)


def _routers(inventory: Inventory, network: Network) -> Iterator[Check]:
    for name, router in network.routers.items():
        title = T("Router {name}", name=name)
        try:
            reached = inventory.target(name).ssh is not None
        except DsiError as error:
            yield _check(NETWORK, f"{name}.ssh", title, str(error.what), ok=False)
            continue
        if not reached:
            observed = T("{host} is not reached over {way}", host=name, way="SSH")
            yield _check(NETWORK, f"{name}.ssh", title, observed, ok=False)
        if router.site != network.settings.headquarters and network.uplink(name) is None:
            observed = T("no circuit leads to headquarters: nothing behind it would be reached")
            yield _check(NETWORK, f"{name}.uplink", title, observed, ok=False, warning=True)
        legacy = [algorithm for kind in WEAK for algorithm in getattr(router.described.legacy, kind)]
        if legacy:
            observed = T("speaks with old algorithms: {algorithms}", algorithms=", ".join(legacy))
            yield _check(NETWORK, f"{name}.legacy", title, observed, ok=False, warning=True)


def _sites(inventory: Inventory, network: Network) -> Iterator[Check]:
    for code, site in network.settings.sites.items():
        title = T("Network of {site}", site=code)
        if not network.of_site(code):
            yield _check(NETWORK, f"{code}.router", title, T("no router: no host of the group routers has this site"),
                         ok=False, warning=True)  # fmt: skip
        elif any(router.described.filter for router in network.of_site(code)) and site.probe is None:
            yield _check(NETWORK, f"{code}.probe", title, T("no probe: accesses from there cannot be tried out"),
                         ok=False, warning=True)  # fmt: skip
        if site.probe is None:
            continue
        try:
            reached = inventory.target(site.probe.host).ssh is not None
        except DsiError as error:
            yield _check(NETWORK, f"{code}.probe", title, str(error.what), ok=False)
            continue
        if not reached:
            observed = T("{host} is not reached over {way}", host=site.probe.host, way="SSH")
            yield _check(NETWORK, f"{code}.probe", title, observed, ok=False)


def _operators(network: Network) -> Iterator[Check]:
    for name, operator in network.settings.operators.items():
        if not operator.address:
            yield _check(NETWORK, f"operators.{name}", T("Operator {name}", name=operator.name),
                         T("no address: an order would not say where it goes"), ok=False, warning=True)  # fmt: skip


def _approvers(inventory: Inventory) -> Iterator[Check]:
    """Yield what the policy says about accesses: the guide gives them to the head of security (procedure F)."""
    rules = inventory.policy.operations.get("access.allow", {})
    roles = {role for person in load_people(inventory.home / PEOPLE) for role in person.roles}
    for environment, rule in rules.items():
        if not roles.intersection(rule.approvers):
            observed = T("nobody in people.yml may approve an access in {environment}", environment=environment.value)
            yield _check(POLICY, f"access.allow.{environment.value}", T("Accesses"), observed, ok=False)


def _check(
    target: str, name: str, title: Text, observed: Text | str, *, ok: bool = True, warning: bool = False
) -> Check:
    return Check(target, name, title, "", str(observed), ok=ok, source=target, warning=warning)
