"""The textfile for node_exporter: replaced at once or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T
from dsi_automation.metrics.collector import WRITTEN, registry_of
from dsi_automation.metrics.spec import Sheet


def exposition(collector: Collector) -> bytes:
    """Return one scrape in Prometheus' text format 0.0.4."""
    return generate_latest(registry_of(collector))


def write_textfile(collector: Collector, path: Path, clock: Clock) -> None:
    """Write one scrape into a file that anybody may read; on an error the old file stays as it is.

    node_exporter reads whatever ends in `.prom`, at any moment: the name of the file before its renaming does not.

    Raises:
        UsageError: the name does not end in `.prom`. StorageError: it cannot be written.
    """
    if path.suffix != ".prom":
        raise UsageError(
            T("node_exporter reads only files whose name ends in “.prom”, not {file}.", file=path.name),
            next_step=T("Name the file dsi.prom, for instance."),
        )
    content = exposition(collector) + exposition(_Written(clock))
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            T("{file} cannot be written: {reason}.", file=str(path), reason=reason_of(error)),
            meaning=T("The file of before, if there is one, is unchanged; Prometheus sees how old it is."),
        ) from error


class _Written(Collector):
    """The moment at which the file was written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        sheet = Sheet()
        sheet.put(WRITTEN, self._clock.now())
        return list(sheet.metrics())
