"""What a run noted of a router, on the terminal: where its snapshot is, its timer, what became of the change, accesses.

What a step of the run says already, that lines were sent or saved, is not said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dsi_automation.cli.moments import local
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import TN, T, Text


def _snapshot(data: Mapping[str, Any]) -> Text:
    return T("snapshot {name}, on the router and on the controller", name=data["name"])


def _armed(data: Mapping[str, Any]) -> Text:
    moment, time = local(parse_iso(data["at"]), seconds=True), Seconds(float(data["seconds"]))
    return T("rollback timer armed on {when}: back by itself after {time}", when=moment, time=time)


def _verified(data: Mapping[str, Any]) -> Text:
    return TN("proven by a new connection: {n} check", "proven by a new connection: {n} checks", len(data["checks"]))


def _confirmed(data: Mapping[str, Any]) -> Text:
    return T("confirmed on {when}: the change stays", when=local(parse_iso(data["at"]), seconds=True))


def _reverted(data: Mapping[str, Any]) -> Text:
    how = T("by itself, by its timer") if data["by"] == "timer" else T("at once")
    if data["same"]:
        return T("back as it was before, {how}: {why}", how=how, why=data["why"])
    return T("NOT back as it was before ({how}): {why}", how=how, why=data["why"])


def _copied(data: Mapping[str, Any]) -> Text:
    words = {"version": data["commit"][:12]}
    said = T("configuration unchanged since version {version}", **words)
    if data["changed"]:
        said = T("configuration kept as version {version}", **words)
    drift = data.get("drift")
    if not drift:
        return said
    return TN("{said}; it has drifted in {n} thing", "{said}; it has drifted in {n} things", drift, said=said)


def _allowed(data: Mapping[str, Any]) -> Text:
    words = {"access": _access(data["rule"])}
    until = data["rule"]["until"]
    if until is None:
        return T("access {access} open, without end", **words)
    return T("access {access} open until {when}", when=local(parse_iso(until)), **words)


def _revoked(data: Mapping[str, Any]) -> Text:
    return T("access {access} closed: {why}", access=data["id"] or "-", why=_WHY.get(data["why"], data["why"]))


def _tried(data: Mapping[str, Any]) -> Text:
    words = {name: data[name] for name in ("source", "destination", "port")}
    if data["expected"] == "open":
        return T("try {source} → {destination}, tcp/{port}: had to pass, {found}", found=_found(data), **words)
    return T("try {source} → {destination}, tcp/{port}: had not to pass, {found}", found=_found(data), **words)


def _found(data: Mapping[str, Any]) -> Text | str:
    return _FOUND.get(data["found"], str(data["found"]))


def _access(rule: Mapping[str, Any]) -> str:
    first, last = rule["first_port"], rule["last_port"]
    ports = f"{first}" if first == last else f"{first}-{last}"
    return f"{rule['id'] or ''} {rule['source']} → {rule['destination']} {rule['protocol']}/{ports}".strip()


def lines(data: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines in which a router is not as it was before the change that was taken back."""
    yield from data.get("remaining", ())


def is_bad(name: str, data: Mapping[str, Any]) -> bool:
    """Tell whether a note is bad news."""
    if name == "access.tried":
        reached = data["found"] != "blocked"  # refused by the machine itself: it was reached
        return bool(reached != (data["expected"] == "open"))
    return name == "router.reverted"


_WHY: Final[Mapping[str, Text]] = {
    "asked": T("it was asked for"),
    "expired": T("its end was over"),
    "drift": T("nobody had approved it"),
}
_FOUND: Final[Mapping[str, Text]] = {
    "open": T("passed"),
    "refused": T("reached, and nobody listened"),
    "blocked": T("was stopped"),
}
KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Text | None]]] = {
    "router.snapshot": _snapshot,
    "router.armed": _armed,
    "router.verified": _verified,
    "router.confirmed": _confirmed,
    "router.reverted": _reverted,
    "router.copied": _copied,
    "access.allowed": _allowed,
    "access.revoked": _revoked,
    "access.tried": _tried,
}
