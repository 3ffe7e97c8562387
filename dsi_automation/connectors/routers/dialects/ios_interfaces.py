"""Lines of interfaces of a Cisco router, and the order in which they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.endpoints import address, interfaces, mask


def interface_line(text: str) -> str:
    """Return a line of an interface in its canonical form: masks in full."""
    given = address(text)
    if given is None:
        return text
    secondary = " secondary" if text.endswith(" secondary") else ""
    return f"ip address {given.ip} {mask(given.network.prefixlen)}{secondary}"


def is_address(line: str) -> bool:
    """Tell whether a line gives an interface an address."""
    return line.startswith(("ip address ", "ip unnumbered "))


def clashing(have: Config, want: Config) -> tuple[str, ...]:
    """Return the interfaces whose address must go before another one gets one of the same network."""
    before, after = interfaces(have), interfaces(want)
    found = []
    for name, lines in before.items():
        mine = [one for one in map(address, lines) if one is not None]
        changes = [line for line in lines if is_address(line)] != [
            line for line in after.get(name, ()) if is_address(line)
        ]
        others = [
            one for other, said in after.items() if other != name for one in map(address, said) if one is not None
        ]
        if changes and any(a.network.overlaps(b.network) for a in mine for b in others):
            found.append(f"interface {name}")
    return tuple(found)


def again(heading: str, cleared: Sequence[str], want: Config, come: Sequence[str]) -> list[str]:
    """Return the lines that come, with the addresses that were taken away for a while."""
    if heading not in cleared:
        return list(come)
    stays = [line for line in want.sections.get(heading, ()) if is_address(line) and line not in come]
    return [*come, *stays]


def interface_lines(gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    """Yield the lines of an interface: what filters first, addresses then, what brings it up last."""
    yield from (line for line in come if line.startswith("ip access-group "))
    if "shutdown" in come:
        yield "shutdown"
    if any(line.startswith("description ") for line in come):
        yield from (line for line in come if line.startswith("description "))
    elif any(line.startswith("description ") for line in gone):
        yield "no description"
    yield from _address_lines(gone, come)
    bound = {line.split()[-1] for line in come if line.startswith("ip access-group ")}
    yield from (f"no {line}" for line in gone if line.startswith("ip access-group ") and line.split()[-1] not in bound)
    if "shutdown" in gone:
        yield "no shutdown"


def _address_lines(gone: Sequence[str], come: Sequence[str]) -> Iterator[str]:
    old, new = [line for line in gone if is_address(line)], [line for line in come if is_address(line)]
    yield from (f"no {line}" for line in old if line.endswith(" secondary"))
    first = [line for line in new if not line.endswith(" secondary")]
    primary = [line for line in old if not line.endswith(" secondary")]
    if primary and (not first or any(line.startswith("ip unnumbered ") for line in (*primary, *first))):
        yield "no ip unnumbered" if primary[0].startswith("ip unnumbered ") else "no ip address"
    yield from first
    yield from (line for line in new if line.endswith(" secondary"))
