"""Whether an access may be opened, and which routers enforce it: the policy of the inventory (procedure F). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network

from dsi_automation.connectors.routers.intent import INTERNET, AccessRule
from dsi_automation.core.errors import DsiError, NotCompliantError, UsageError
from dsi_automation.core.text import TN, T
from dsi_automation.inventory.network_model import AccessPolicy, service_parts
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.network.access_words import Asked, read_destination, read_service, read_source
from dsi_automation.operations.network.record import Access, AccessRecord


def read_asked(source: str, destination: str, service: str, until: datetime | None, network: Network) -> Asked:
    """Return the access that is asked for, in the words of the inventory.

    Raises:
        UsageError: a word means nothing here, or everything.
    """
    settings = network.settings
    return Asked(
        read_source(source, settings),
        read_destination(destination, settings),
        *read_service(service, settings),
        until,
    )


def site_of(asked: Asked, network: Network) -> str:
    """Return the code of the site whose LAN holds the source.

    Raises:
        NotCompliantError: it is not within the LAN of one site.
    """
    found = [code for code, site in network.settings.sites.items() if asked.source.subnet_of(IPv4Network(site.lan))]
    if found:
        return found[0]
    touched = [f"{code} {site.lan}" for code, site in network.settings.sites.items()
               if asked.source.overlaps(IPv4Network(site.lan))]  # fmt: skip
    if touched:
        raise NotCompliantError(
            T("{source} is not within the LAN of one site.", source=str(asked.source)),
            next_step=T("Ask for one access for each site: {sites}.", sites=", ".join(touched)),
        )
    raise NotCompliantError(
        T("{source} is in no site's LAN: no router of ours would enforce it.", source=str(asked.source)),
        next_step=T("Name machines of one of these LANs: {lans}.",
                    lans=", ".join(f"{code} {site.lan}" for code, site in network.settings.sites.items())),
    )  # fmt: skip


def enforcers(asked: Asked, network: Network) -> tuple[str, ...]:
    """Return the routers that enforce an access: those of the source's site that filter what comes in from its LAN.

    Raises:
        NotCompliantError: there is none.
    """
    site = site_of(asked, network)
    routers = network.of_site(site)
    found = tuple(router.name for router in routers if router.described.filter)
    if not found:
        raise NotCompliantError(
            T("No router of {site} filters what comes from its LAN: nothing is closed there.", site=site),
            next_step=T("Set filter: true in dsi_router of {routers}, then: dsi router configure",
                        routers=", ".join(router.name for router in routers) or site),
        )  # fmt: skip
    return found


def holders(ids: Iterable[str], record: AccessRecord) -> tuple[str, ...]:
    """Return the routers that enforce the accesses of these identifiers, by the record.

    Raises:
        UsageError: none is named, or one of them is not in the record.
    """
    found = {one: record.find(one.strip().lower()) for one in ids}
    if not found:
        raise UsageError(
            T("Nobody said which accesses: identifiers are needed, or all whose end is over (expired)."),
            next_step=T("See them: dsi access list --all"),
        )
    unknown = [one for one, access in found.items() if access is None]
    if unknown:
        raise UsageError(
            TN("No access is called {ids}.", "No accesses are called {ids}.", len(unknown), ids=", ".join(unknown)),
            next_step=T("See them: dsi access list --all. What no request opened is taken away with: "
                        "dsi access revoke ACCESS --router ROUTER"),
        )  # fmt: skip
    return tuple(dict.fromkeys(access.router for access in found.values() if access is not None))


def refusals(asked: Asked, network: Network, now: datetime) -> Iterator[DsiError]:
    """Yield all that the policy says against an access, whatever runs on the routers."""
    policy = network.settings.access
    try:
        enforcers(asked, network)
    except NotCompliantError as error:
        yield error
        return
    yield from _source(asked, policy)
    yield from _destination(asked, network, policy)
    yield from _ports(asked, policy)
    yield from _denied(asked, network, policy)
    yield from _until(asked, policy, now)


def _source(asked: Asked, policy: AccessPolicy) -> Iterator[DsiError]:
    if asked.source.prefixlen < policy.widest_source:
        yield NotCompliantError(
            T("The source {source} is wider than the policy allows: /{widest} at most.",
              source=str(asked.source), widest=policy.widest_source),
            next_step=T("Ask for fewer machines, or for several accesses."),
        )  # fmt: skip


def _destination(asked: Asked, network: Network, policy: AccessPolicy) -> Iterator[DsiError]:
    there = asked.destination
    if there is None:
        if not any(_within_service(asked, service) for service in policy.internet):
            yield NotCompliantError(
                T("The policy opens {service} to the Internet for nobody.", service=asked.rule("").service),
                next_step=T("Opened to the Internet may be: {services}.",
                            services=", ".join(policy.internet) or str(T("nothing"))),
            )  # fmt: skip
        return
    lan = IPv4Network(network.settings.sites[site_of(asked, network)].lan)
    if there.overlaps(lan):
        yield NotCompliantError(
            T("{destination} is in the same LAN as the source: what goes there passes by no router.",
              destination=str(there)),
            next_step=T("Nothing is closed between machines of one LAN: no access is needed."),
        )  # fmt: skip
        return
    reachable = policy.destinations or network.settings.ranges
    if not any(there.subnet_of(IPv4Network(one)) for one in reachable):
        yield NotCompliantError(
            T("{destination} is not among the destinations the policy allows.", destination=str(there)),
            next_step=T("Allowed are: {networks}. The Internet as a whole is written internet.",
                        networks=", ".join(reachable)),
        )  # fmt: skip
    elif there.prefixlen < policy.widest_destination:
        yield NotCompliantError(
            T("The destination {destination} is wider than the policy allows: /{widest} at most.",
              destination=str(there), widest=policy.widest_destination),
            next_step=T("Name the servers themselves, one access each."),
        )  # fmt: skip


def _ports(asked: Asked, policy: AccessPolicy) -> Iterator[DsiError]:
    ports = asked.last_port - asked.first_port + 1
    if ports > policy.most_ports:
        yield NotCompliantError(
            T("{n} ports are more than one access may open: {most} at most.", n=ports, most=policy.most_ports),
            next_step=T("Ask for the ports that are really used."),
        )


def _denied(asked: Asked, network: Network, policy: AccessPolicy) -> Iterator[DsiError]:
    for denied in policy.denied:
        protocol, first, last = service_parts(denied.service)
        if protocol != asked.protocol or last < asked.first_port or first > asked.last_port:
            continue
        if denied.destination == "any" or _meets(asked.destination, IPv4Network(denied.destination), network):
            said = T("{service} to {destination} is denied to everybody: {why}",
                     service=denied.service, destination=denied.destination, why=denied.why)  # fmt: skip
            if denied.destination == "any":
                said = T("{service} is denied to everybody: {why}", service=denied.service, why=denied.why)
            yield NotCompliantError(
                said,
                next_step=T("Ask for another service; only the inventory changes this: dsi_network.access.denied."),
            )


def _meets(destination: IPv4Network | None, denied: IPv4Network, network: Network) -> bool:
    if destination is not None:
        return destination.overlaps(denied)
    return not any(denied.subnet_of(IPv4Network(one)) for one in network.settings.ranges)


def _until(asked: Asked, policy: AccessPolicy, now: datetime) -> Iterator[DsiError]:
    if asked.until is None:
        yield UsageError(
            T("An access has an end, and none was given."),
            next_step=T("Say until when: --until 2026-12-31, or --until +8h."),
        )
    elif asked.until <= now:
        yield NotCompliantError(
            T("The end {until:%Y-%m-%d %H:%M} UTC is past.", until=asked.until),
            next_step=T("Give an end to come."),
        )
    elif asked.until > now + policy.longest:
        yield NotCompliantError(
            T("The end {until:%Y-%m-%d} is too far: the policy allows {days} days at most.",
              until=asked.until, days=policy.longest.days),
            next_step=T("Give an end until {latest:%Y-%m-%d}; an access can be prolonged.",
                        latest=now + policy.longest),
        )  # fmt: skip


def tried_elsewhere(asked: Asked, at: str | None, network: Network) -> Iterator[DsiError]:
    """Yield why a connection to the address `at` would prove nothing about an access, if so."""
    if at is None:
        return
    address, there = IPv4Address(at), asked.destination
    if there is not None and address not in there:
        yield NotCompliantError(
            T("{address} is not in {destination}: a connection there would prove nothing.",
              address=at, destination=str(there)),
            next_step=T("Give --try-at an address of the destination, at which somebody answers."),
        )  # fmt: skip
    elif there is None and any(address in IPv4Network(one) for one in network.settings.ranges):
        yield NotCompliantError(
            T("{address} is one of our own addresses: a connection there would prove nothing about the Internet.",
              address=at),
            next_step=T("Give --try-at an address of the Internet, at which somebody answers."),
        )  # fmt: skip


def covers(wide: AccessRule, narrow: AccessRule) -> bool:
    """Tell whether all that one rule lets through, another one lets through already."""
    return (
        wide.protocol == narrow.protocol
        and wide.first_port <= narrow.first_port
        and narrow.last_port <= wide.last_port
        and IPv4Network(narrow.source).subnet_of(IPv4Network(wide.source))
        and _destination_covers(wide.destination, narrow.destination)
    )


def _destination_covers(wide: str, narrow: str) -> bool:
    if INTERNET in {wide, narrow}:
        return wide == narrow
    return IPv4Network(narrow).subnet_of(IPv4Network(wide))


def same_access(standing: Sequence[Access], rule: AccessRule, now: datetime) -> Access | None:
    """Return the standing access that is exactly this one, its end aside; none whose end is over."""
    return next((one for one in standing if one.rule.key == rule.key and not one.expired(now)), None)


def covering(standing: Sequence[Access], rule: AccessRule, now: datetime) -> DsiError | None:
    """Return why an access is not needed, if another one, not ended, lets through all of it already."""
    for one in standing:
        if one.expired(now) or not covers(one.rule, rule):
            continue
        later = rule.until is None or (one.rule.until is not None and one.rule.until < rule.until)
        if one.rule.key == rule.key and (later or one.rule.until == rule.until):
            continue
        return NotCompliantError(
            T("{id} lets it through already: {source} to {destination}, {service}, until {until:%Y-%m-%d %H:%M} UTC.",
              id=one.rule.id, source=one.rule.source, destination=one.rule.destination, service=one.rule.service,
              until=one.rule.until),
            next_step=T("To have it last longer, ask for exactly that one with a later end.") if later
            else T("Nothing is needed; to have it end sooner: dsi access revoke {id}", id=one.rule.id),
        )  # fmt: skip
    return None


def _within_service(asked: Asked, service: str) -> bool:
    protocol, first, last = service_parts(service)
    return protocol == asked.protocol and first <= asked.first_port and asked.last_port <= last
