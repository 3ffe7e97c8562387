"""How the tenant is opened: by whoever has the extra `m365` installed."""

from __future__ import annotations

from importlib.util import find_spec

from dsi_automation.connectors.m365.client import Connection, GraphReader
from dsi_automation.connectors.m365.port import SyncTarget, TenantEndpoint, TenantReader, TenantWriter
from dsi_automation.connectors.m365.writer import GraphWriter, WritePermit
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T


def open_reader(endpoint: TenantEndpoint, clock: Clock) -> TenantReader:
    """Return the read half; nothing is sent, and the SDK is not imported, before it is asked something.

    Raises:
        UsageError: the extra `m365` is not installed.
    """
    _installed()
    return GraphReader(Connection(endpoint, clock))


def open_writer(
    endpoint: TenantEndpoint, clock: Clock, permit: WritePermit, sync_job: SyncTarget | None = None
) -> TenantWriter:
    """Return the write half, which asks its permit before each write.

    Args:
        endpoint: where, and how to prove who asks.
        clock: for deadlines.
        permit: what must agree.
        sync_job: the Cloud Sync job that can be hurried on, where there is one.

    Raises:
        UsageError: the extra `m365` is not installed.
    """
    _installed()
    return GraphWriter(Connection(endpoint, clock), permit, sync_job)


def _installed() -> None:
    """Refuse where the SDK is absent; looking for it imports nothing of it."""
    for package in ("msgraph", "azure.identity"):
        try:
            found = find_spec(package) is not None
        except (ImportError, ValueError):
            found = False
        if not found:
            raise UsageError(
                T("Microsoft 365 is not available: this installation lacks the package {package}.", package=package),
                meaning=T("The toolkit was installed without its part for Microsoft 365, which is large."),
                next_step=T("Install it: {command}", command="pip install 'dsi-automation[m365]'"),
            )
