"""`router.interconnect`: how a new site is best joined to the network (procedure A, steps 5 to 7). Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.quantities import Number
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, ReadOnlyOperation, Report, TargetKind
from dsi_automation.operations.network.interconnect_inputs import InterconnectInputs
from dsi_automation.operations.network.inventory_text import inventory_text
from dsi_automation.operations.network.joining import Proposal, propose
from dsi_automation.operations.network.siting import why
from dsi_automation.operations.tools import Look


class RouterInterconnect(ReadOnlyOperation[InterconnectInputs, Look]):
    """Proposes the nearest existing site that can carry a new one, or a leased line, with all the addressing.

    Looks into the inventory alone: it connects to nothing, and the proposal is nothing but words until it is in the
    inventory and `router.configure` was approved.
    """

    name: ClassVar[str] = "router.interconnect"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A"
    summary: ClassVar[Text] = T("Propose how a new site is joined: a neighbour or a leased line, and the addressing")
    inputs_model: ClassVar[type[Inputs]] = InterconnectInputs
    target_kind: ClassVar[TargetKind] = TargetKind.SITE

    def check(self, targets: Sequence[str], inputs: InterconnectInputs, look: Look, observer: Observer) -> Report:  # noqa: ARG002  # nothing takes time
        """Propose for one site after the other: what one takes is not proposed to the next."""
        network = look.network
        checks: list[Check] = []
        failures: dict[str, DsiError] = {}
        facts: dict[str, dict[str, Any]] = {}
        for site in targets:
            try:
                found = propose(network, site, inputs)
            except DsiError as error:
                failures[site] = error
                continue
            network = found.network
            checks.append(_check(found))
            facts[site] = proposal_json(found, inputs)
        return Report(tuple(targets), tuple(checks), failures, facts)


def proposal_json(found: Proposal, inputs: InterconnectInputs) -> dict[str, Any]:
    """Return a proposal as data; `inventory` is the YAML to put in."""
    neighbour, addresses, link = found.neighbour, found.addresses, found.link
    own, other = addresses.ends
    return {
        "kind": link.kind.value,
        "neighbour": None if neighbour is None else neighbour.site,
        "distance_km": None if neighbour is None or neighbour.distance is None else round(neighbour.distance, 3),
        "operator": link.operator,
        "bandwidth_mbits": link.bandwidth,
        "candidates": [
            {
                "site": one.site,
                "router": one.router,
                "distance_km": None if one.distance is None else round(one.distance, 3),
                "capacity_mbits": one.capacity,
                "used_mbits": one.used,
                "left_mbits": one.left,
                "verdict": one.verdict.value,
                "why": str(why(one, link.bandwidth, inputs.max_distance_km)),
            }
            for one in found.candidates
        ],
        "range": addresses.range,
        "lan": addresses.lan,
        "lan_address": addresses.router,
        "link": found.link_name,
        "prefix": addresses.link,
        "ends": [
            {"router": end.router, "interface": end.interface, "address": address}
            for end, address in zip(link.ends, (own, other), strict=True)
        ],
        "router": found.router.name,
        "address": found.address,
        "guessed": list(found.guessed),
        "routes": [{"router": one.router, "prefix": one.prefix, "via": one.via} for one in found.routes],
        "coordinates": None if found.place is None else found.place.model_dump(),
        "inventory": inventory_text(found),
    }


def _check(found: Proposal) -> Check:
    neighbour = found.neighbour
    if neighbour is None:
        observed = T("leased line of {operator} to {router}", operator=found.link.operator, router=found.peer)
    else:
        observed = T(
            "circuit to {router} ({site}), {km} km",
            router=found.peer, site=neighbour.site, km=Number(neighbour.distance or 0.0, 1),
        )  # fmt: skip
    title, source = T("Interconnection"), T("inventory")
    return Check(found.site, "interconnection", title, str(T("a way")), str(observed), ok=True, source=str(source))
