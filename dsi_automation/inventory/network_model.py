"""The inventory's network (procedures A and F): ranges, circuits, routers, and who may be let through to what."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.model import Duration, NonEmpty, Strict
from dsi_automation.inventory.problems import WrongValueError

_SERVICE: Final = re.compile(r"(?P<protocol>tcp|udp)/(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")


def _network(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError as error:
        raise WrongValueError(T("an IPv4 network is expected, as in 10.64.8.0/24, without host bits.")) from error


def _address(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError as error:
        raise WrongValueError(T("an IPv4 address is expected, as in 10.64.8.1.")) from error


def service_parts(text: str) -> tuple[str, int, int]:
    """Return protocol, first and last port of a service: `tcp/8443`, `tcp/8000-8010`.

    Raises:
        ValueError: it is none.
    """
    found = _SERVICE.fullmatch(text)
    first, last = (0, 0) if found is None else (int(found["first"]), int(found["last"] or found["first"]))
    if found is None or not 1 <= first <= last <= 65535:
        raise ValueError(text)
    return found["protocol"], first, last


def _service(value: str) -> str:
    try:
        service_parts(value)
    except ValueError as error:
        raise WrongValueError(T("a service is expected, as in tcp/8443, udp/53 or tcp/8000-8010.")) from error
    return value


type NetworkPrefix = Annotated[str, AfterValidator(_network)]
type Address = Annotated[str, AfterValidator(_address)]
type ServiceName = Annotated[str, AfterValidator(_service)]
# What a router's command line takes as one word, and nothing that could end or begin a command.
type InterfaceName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9./_-]{0,31}$")]
type NetworkName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
# A description travels to a router's command line: printable, on one line, no “?” (help), no quote.
type Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9À-ÿ ()/.,:+_-]{1,80}$")]
type Megabits = Annotated[int, Field(gt=0)]

LINK_PREFIXES: Final = (30, 31)


class Coordinates(Strict):
    """Where a site is, decimal degrees, WGS 84.

    Attributes:
        latitude: north is positive.
        longitude: east is positive.
    """

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class ProbeHost(Strict):
    """A Linux machine in a site's LAN from which accesses are tried out.

    Attributes:
        host: name in the inventory; reached over SSH.
        interface: its interface in the LAN.
        addresses: addresses of the LAN it owns, from which it may try; none is anybody else's.
        borrow: whether it may take another free address of the LAN for the moment of one try (needs root or sudo).
    """

    host: NonEmpty
    interface: InterfaceName
    addresses: Annotated[tuple[Address, ...], Field(min_length=1)]
    borrow: bool = False


class SiteNetwork(Strict):
    """A site's addresses and place.

    Attributes:
        range: all addresses allotted to the site.
        lan: its LAN, within the range; its router has the first address of it.
        coordinates: where it is; without them it is never proposed as a neighbour.
        capacity: what its own circuit could carry for neighbours, Mbit/s; 0 for none.
        probe: from where accesses are tried out; None where nothing can be tried.
    """

    range: NetworkPrefix
    lan: NetworkPrefix
    coordinates: Coordinates | None = None
    capacity: Annotated[int, Field(ge=0)] = 0
    probe: ProbeHost | None = None


class LinkKind(StrEnum):
    """How two sites are joined (procedure A, step 8)."""

    NEIGHBOUR = "neighbour"
    """The department's own: radio, fibre, cable."""
    LEASED = "leased"
    """A leased line of an operator."""


class LinkEnd(Strict):
    """One end of a circuit.

    Attributes:
        router: host of the inventory.
        interface: of that router.
    """

    router: NonEmpty
    interface: InterfaceName


class Link(Strict):
    """A circuit between two routers, an entry of `dsi_links`.

    Attributes:
        kind: the department's own, or leased.
        ends: both ends, the one farther from headquarters first: it has the lower address of the prefix.
        prefix: its addresses, a /30 or /31 from the range of one of both sites, or from `link_ranges`.
        operator: key of `dsi_network.operators`; of a leased line.
        circuit: the operator's reference of the circuit.
        bandwidth: Mbit/s.
    """

    kind: LinkKind
    ends: Annotated[tuple[LinkEnd, ...], Field(min_length=2, max_length=2)]
    prefix: NetworkPrefix
    operator: NetworkName | None = None
    circuit: Label | None = None
    bandwidth: Megabits

    @model_validator(mode="after")
    def _fits(self) -> Link:
        if ipaddress.IPv4Network(self.prefix).prefixlen not in LINK_PREFIXES:
            raise WrongValueError(T("a circuit takes a /30 or a /31."))
        if self.ends[0].router == self.ends[1].router:
            raise WrongValueError(T("a circuit joins two different routers."))
        if (self.kind is LinkKind.LEASED) != (self.operator is not None):
            raise WrongValueError(T("a leased line has an operator, a circuit of our own has none."))
        return self

    def address(self, router: str) -> str:
        """Return a router's address on the circuit, with its prefix length: `10.255.0.1/30`."""
        network = ipaddress.IPv4Network(self.prefix)
        hosts = list(network.hosts())
        return f"{hosts[0] if self.ends[0].router == router else hosts[1]}/{network.prefixlen}"

    def end(self, router: str) -> LinkEnd:
        """Return the end at a router."""
        return self.ends[0] if self.ends[0].router == router else self.ends[1]

    def other(self, router: str) -> LinkEnd:
        """Return the end that is not at a router."""
        return self.ends[1] if self.ends[0].router == router else self.ends[0]


class Operator(Strict):
    """An operator leased lines are ordered from.

    Attributes:
        name: as a letter addresses it.
        address: lines of its postal address.
        mail: where its orders go.
        contract: the framework contract's reference.
        delay_days: how long it takes to deliver, days, as agreed.
    """

    name: NonEmpty
    address: tuple[NonEmpty, ...] = ()
    mail: str | None = None
    contract: str | None = None
    delay_days: Annotated[int, Field(gt=0)] | None = None


class DeniedAccess(Strict):
    """What nobody is let through to, whatever is asked; it comes before all that is allowed.

    Attributes:
        destination: an address or network, or `any`.
        service: `tcp/23`.
        why: what people read when they are refused.
    """

    destination: NetworkPrefix | Literal["any"] = "any"
    service: ServiceName
    why: NonEmpty


class AccessPolicy(Strict):
    """How wide an access may be (procedure F).

    Attributes:
        widest_source: shortest prefix length of a source: 24 for a whole LAN, 32 for single machines only.
        widest_destination: shortest prefix length of a destination.
        most_ports: how many ports one access may open.
        longest: how far its last day may be.
        destinations: networks whose machines may be reached; by default all of `ranges`.
        internet: services that may be opened to the Internet; none by default.
        denied: what nobody is let through to.
        warn_before: how long before its end an access is reported.
    """

    widest_source: Annotated[int, Field(ge=8, le=32)] = 24
    widest_destination: Annotated[int, Field(ge=8, le=32)] = 29
    most_ports: Annotated[int, Field(ge=1)] = 16
    longest: Duration = timedelta(days=366)
    destinations: tuple[NetworkPrefix, ...] = ()
    internet: tuple[ServiceName, ...] = ()
    denied: tuple[DeniedAccess, ...] = ()
    warn_before: Duration = timedelta(days=7)


class Rollout(Strict):
    """How a change reaches many routers.

    Attributes:
        canary: the router that goes first, alone with those whose circuits change with it; by default the first asked.
        wave: how many routers follow at once.
        stop_after: after how many failures the rest is left as it is.
        timer: after how long a router goes back by itself unless the change is confirmed. Cisco IOS counts whole
            minutes, from 1 to 120: it is rounded up there.
        verify_within: how long a line may take to come up and a route to appear.
    """

    canary: NonEmpty | None = None
    wave: Annotated[int, Field(ge=1)] = 10
    stop_after: Annotated[int, Field(ge=1)] = 1
    timer: Duration = timedelta(minutes=5)
    verify_within: Duration = timedelta(seconds=30)

    @model_validator(mode="after")
    def _time_to_verify(self) -> Rollout:
        if self.timer < 3 * self.verify_within:
            raise WrongValueError(T("timer must be at least three times verify_within."))
        return self


class NetworkSettings(Strict):
    """What concerns the whole network: the variable `dsi_network`.

    Attributes:
        headquarters: code of the site all routes lead to.
        ranges: all addresses of the department; what is outside is the Internet.
        lan_ranges: where `router.interconnect` takes a new site's range from.
        site_prefix: prefix length of a new site's range; its LAN is the first half of it, its circuits come from the
            second one.
        link_ranges: where circuits get addresses that are from no site's range.
        sites: the network of each site, by its code.
        operators: whom leased lines are ordered from.
        services: names people may use for services: `sydam: tcp/8443`.
        servers: names people may use for destinations.
        access: how wide an access may be.
        rollout: how a change reaches many routers.
        configurations: folder of the git repository of configurations; by default in the state folder.
    """

    headquarters: NonEmpty
    ranges: Annotated[tuple[NetworkPrefix, ...], Field(min_length=1)]
    lan_ranges: tuple[NetworkPrefix, ...] = ()
    site_prefix: Annotated[int, Field(ge=8, le=28)] = 23
    link_ranges: tuple[NetworkPrefix, ...] = ()
    sites: dict[str, SiteNetwork]
    operators: dict[NetworkName, Operator] = {}  # noqa: RUF012  # pydantic copies it
    services: dict[NetworkName, ServiceName] = {}  # noqa: RUF012
    servers: dict[NetworkName, Address] = {}  # noqa: RUF012
    access: AccessPolicy = AccessPolicy()
    rollout: Rollout = Rollout()
    configurations: NonEmpty | None = None


class LegacyAlgorithms(Strict):
    """Algorithms an old router needs that OpenSSH no longer offers by itself; for this host alone.

    Attributes:
        key_exchange: `diffie-hellman-group14-sha1`.
        host_keys: `ssh-rsa`.
        ciphers: `aes128-cbc`.
        macs: `hmac-sha1`.
    """

    key_exchange: tuple[NonEmpty, ...] = ()
    host_keys: tuple[NonEmpty, ...] = ()
    ciphers: tuple[NonEmpty, ...] = ()
    macs: tuple[NonEmpty, ...] = ()


class ManagementAccess(Strict):
    """How the controller reaches a router: what no change may cut.

    Attributes:
        interface: through which it comes in.
        sources: networks of the controllers.
    """

    interface: InterfaceName
    sources: Annotated[tuple[NetworkPrefix, ...], Field(min_length=1)]


class RouterDescription(Strict):
    """A router: the host variable `dsi_router`. Its site is `dsi_site`, its address `ansible_host`.

    Attributes:
        platform: `ios` for Cisco IOS and IOS-XE, `frr` for FRRouting on Linux.
        lan: the interface in its site's LAN.
        management: how the controller reaches it.
        filter: whether it filters what comes in from its LAN: an extended access list, or nftables.
        archive: where an IOS keeps snapshots: `flash:dsi-`, `bootflash:dsi-`.
        helper: the account on a Linux router that keeps the rollback timer and the packet filter; see `dsi-cc`.
        legacy: algorithms of an old SSH server, for this router alone.
        read_timeout: how long one answer may take.
    """

    platform: Literal["ios", "frr"]
    lan: InterfaceName
    management: ManagementAccess
    filter: bool = True
    archive: Annotated[str, Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9/_-]*$")] = "flash:dsi-"
    helper: NonEmpty = "dsi-cc"
    legacy: LegacyAlgorithms = LegacyAlgorithms()
    read_timeout: Duration = timedelta(seconds=30)


type Links = dict[NetworkName, Link]
