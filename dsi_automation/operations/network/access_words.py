"""What a person types for an access, read into a rule: addresses, networks, names, services (procedure F). Pure."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network
from typing import Final

from dsi_automation.connectors.routers.intent import INTERNET, AccessRule
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.network_model import NetworkSettings, service_parts

EVERYTHING: Final = frozenset({"any", "all", "*", "0.0.0.0/0", "tout", "toutes", "tous", "ip"})
"""Words for “whatever”: never an access."""
ID_LENGTH: Final = 6
"""Characters of base32 in an access's identifier: 30 bits, of which a router has some hundreds at most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An access as it is asked for.

    Attributes:
        source: the machines that are let through.
        destination: where to; None for the Internet.
        protocol: `tcp` or `udp`.
        first_port, last_port: destination ports, both included.
        until: when it ends, UTC; None where nobody said.
    """

    source: IPv4Network
    destination: IPv4Network | None
    protocol: str
    first_port: int
    last_port: int
    until: datetime | None

    def rule(self, router: str) -> AccessRule:
        """Return the rule on a router, with the identifier it gets there."""
        destination = INTERNET if self.destination is None else str(self.destination)
        rule = AccessRule(
            None, str(self.source), destination, self.protocol, self.first_port, self.last_port, self.until
        )
        return AccessRule(
            identifier(router, rule), *rule.key, until=None if self.until is None else self.until.replace(microsecond=0)
        )


def identifier(router: str, rule: AccessRule) -> str:
    """Return the identifier of a rule on a router: the same access has the same one again."""
    text = "\n".join((router, *map(str, rule.key)))
    digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()
    return f"ac-{digest[:ID_LENGTH]}"


def read_source(text: str, settings: NetworkSettings) -> IPv4Network:
    """Return the machines meant: an address, a network, a name of `servers`, or a site's code for its whole LAN.

    Raises:
        UsageError: it is none of these, or everything.
    """
    word = text.strip()
    if word.casefold() == INTERNET:
        raise UsageError(
            T("Nothing that comes from the Internet is let in by an access."),
            next_step=T("Name machines of a site's LAN: --from 10.64.8.8/29."),
        )
    if word in settings.sites:
        return IPv4Network(settings.sites[word].lan)
    return _machines(word, settings, T("Name the machines: an address, a network, or a site's code for its LAN."))


def read_destination(text: str, settings: NetworkSettings) -> IPv4Network | None:
    """Return where to: an address, a network, a name of `servers`; None for `internet`.

    Raises:
        UsageError: it is none of these, or everything.
    """
    word = text.strip()
    if word.casefold() == INTERNET:
        return None
    return _machines(word, settings, T("Name the servers: an address, a network, a name of the inventory, internet."))


def read_service(text: str, settings: NetworkSettings) -> tuple[str, int, int]:
    """Return protocol, first and last port: of a name of `services`, or of `tcp/8443`, `tcp/8000-8010`.

    Raises:
        UsageError: it is none of these, or everything.
    """
    word = text.strip().casefold()
    if word in EVERYTHING or word in {"tcp", "udp"}:
        raise UsageError(
            T("An access is for a service: every port of “{word}” is never opened.", word=text.strip()),
            next_step=T("Name the service: tcp/8443, tcp/8000-8010, or a name of the inventory."),
        )
    try:
        return service_parts(settings.services.get(word, word))
    except ValueError as error:
        raise UsageError(
            T("“{word}” is no service.", word=text.strip()),
            next_step=T("Write it as tcp/8443, udp/53 or tcp/8000-8010, or add its name to dsi_network.services. "
                        "{near}", near=did_you_mean(word, settings.services)),
        ) from error  # fmt: skip


def _machines(word: str, settings: NetworkSettings, everything: Text) -> IPv4Network:
    if word.casefold() in EVERYTHING:
        raise UsageError(
            T("An access is between machines that are named: “{word}” is everything.", word=word),
            next_step=everything,
        )
    found = settings.servers.get(word.casefold(), word)
    try:
        interface = ipaddress.IPv4Interface(found)
    except ValueError as error:
        raise UsageError(
            T("“{word}” is neither an address, nor a network, nor a name of the inventory.", word=word),
            next_step=T("Write 10.64.8.9 or 10.64.8.8/29, or add the name to dsi_network.servers. {near}",
                        near=did_you_mean(word, settings.servers)),
        ) from error  # fmt: skip
    if interface.ip != interface.network.network_address:
        raise UsageError(
            T("{word} is an address within a network: nobody knows which of both is meant.", word=word),
            next_step=T("Write {address} for the machine, or {network} for the network.",
                        address=str(interface.ip), network=str(interface.network)),
        )  # fmt: skip
    return interface.network
