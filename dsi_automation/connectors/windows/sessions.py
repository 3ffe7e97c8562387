"""Connections to machines, opened and closed: what the composition hands to operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dsi_automation.connectors.windows.client import CimReader, CimWriter
from dsi_automation.connectors.windows.port import (
    WindowsEndpoint,
    WindowsReader,
    WindowsScripts,
    WindowsWriter,
    WritePermit,
)
from dsi_automation.connectors.windows.powershell.runner import ScriptRunner
from dsi_automation.core.clock import Clock


@contextmanager
def open_reader(endpoint: WindowsEndpoint, clock: Clock) -> Iterator[WindowsReader]:
    """Give a reader for one machine, for one thread; nothing is shared between two of them.

    Raises:
        UsageError: the endpoint is not complete, or its channel would not be sealed.
    """
    reader = CimReader(endpoint, clock=clock)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def open_writer(endpoint: WindowsEndpoint, clock: Clock, permit: WritePermit) -> Iterator[WindowsWriter]:
    """Give a writer for one machine, bound to a permit that every call asks.

    Raises:
        UsageError: the endpoint is not complete, or its channel would not be sealed.
    """
    writer = CimWriter(endpoint, permit, clock=clock)
    try:
        yield writer
    finally:
        writer.close()


@contextmanager
def open_scripts(endpoint: WindowsEndpoint, clock: Clock, permit: WritePermit) -> Iterator[WindowsScripts]:
    """Give what runs the package's scripts on one machine, bound to a permit that every run asks.

    Raises:
        UsageError: the endpoint is not complete, or its channel would not be sealed.
    """
    runner = ScriptRunner(endpoint, permit, clock)
    try:
        yield runner
    finally:
        runner.close()
