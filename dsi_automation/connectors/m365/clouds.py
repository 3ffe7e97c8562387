"""Where Microsoft's clouds answer (learn.microsoft.com/graph/deployments)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three addresses of one cloud.

    Attributes:
        base_url: root of Microsoft Graph v1.0.
        authority: where tokens come from.
        scope: what is asked of it; never derived from the URL, which a test or a proxy may change.
    """

    base_url: str
    authority: str
    scope: str


def _cloud(graph: str, authority: str) -> Addresses:
    return Addresses(f"https://{graph}/v1.0", f"https://{authority}", f"https://{graph}/.default")


CLOUDS: Final[Mapping[str, Addresses]] = MappingProxyType(
    {
        "global": _cloud("graph.microsoft.com", "login.microsoftonline.com"),
        "us_government": _cloud("graph.microsoft.us", "login.microsoftonline.us"),
        "us_defense": _cloud("dod-graph.microsoft.us", "login.microsoftonline.us"),
        "china": _cloud("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
    }
)
