"""Words for what the record calls by a name: steps of the connection test, where it was made, states of services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsi_automation.connectors.applications.port import ServiceState
from dsi_automation.core.text import T, Text
from dsi_automation.operations.tools import USERS

STEPS: Final[Mapping[str, Text]] = {
    "port": T("port"),
    "page": T("page"),
    "login": T("login"),
    "query": T("query"),
    "logout": T("logout"),
    "start": T("start"),
    "stability": T("staying up"),
}
PLACES: Final[Mapping[str, Text]] = {
    USERS: T("address of the users"),
    "after": T("conditions after the start"),
}
SERVICES: Final[Mapping[ServiceState, Text]] = {
    ServiceState.RUNNING: T("running"),
    ServiceState.STOPPED: T("stopped"),
    ServiceState.FAILED: T("failed"),
    ServiceState.UNKNOWN: T("not known"),
}


def step_words(name: str) -> Text | str:
    """Return what people call a step of a test; a condition of the inventory has its own title."""
    return STEPS.get(name, name)


def place_words(name: str) -> Text | str:
    """Return where a test was made: a server by its name, the users' address, or the conditions after the start."""
    return PLACES.get(name, name)


def service_words(state: ServiceState) -> Text:
    """Return the state of a service, for people."""
    return SERVICES[state]
