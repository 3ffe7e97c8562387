"""What a metric is called, and a sheet that samples are written on.

Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for what only grows,
`_timestamp_seconds` for moments, `_info` for facts. No label holds a person, a run or a path: their number has no
bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from dsi_automation.metrics.view import View

NEVER = 0.0
"""The timestamp of what never happened: its age is then greater than any limit."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric family.

    Attributes:
        name: as it is queried, a counter's `_total` included.
        help: one English sentence.
        labels: their names.
    """

    name: str
    kind: Literal["gauge", "counter", "info"]
    help: str
    labels: tuple[str, ...] = ()


def gauge(name: str, text: str, *labels: str) -> Spec:
    """Return the description of a value that goes up and down."""
    return Spec(name, "gauge", text, labels)


def counter(name: str, text: str, *labels: str) -> Spec:
    """Return the description of a number that only grows; its name ends in `_total`."""
    return Spec(name, "counter", text, labels)


def info(name: str, text: str, *labels: str) -> Spec:
    """Return the description of facts told by labels, the value being 1; its name ends in `_info`."""
    return Spec(name, "info", text, labels)


@dataclass
class Sheet:
    """Samples of one scrape of one part."""

    samples: dict[Spec, dict[tuple[str, ...], float]] = field(default_factory=dict)

    def put(self, spec: Spec, value: float | datetime | None, *labels: str) -> None:
        """Write one sample; a moment as seconds since 1970, None as `NEVER`."""
        if len(labels) != len(spec.labels):
            raise ValueError(spec.name)
        if isinstance(value, datetime):
            value = value.timestamp()
        self.samples.setdefault(spec, {})[labels] = NEVER if value is None else float(value)

    def one_of(self, spec: Spec, among: Sequence[str], chosen: str, *labels: str) -> None:
        """Write a state: 1 for the one that is, 0 for the others."""
        for name in dict.fromkeys([*among, chosen]):
            self.put(spec, float(name == chosen), *labels, name)

    def count(self, spec: Spec, numbers: Mapping[Any, float]) -> None:
        """Write many samples of one family; the keys are tuples of labels."""
        for labels, value in numbers.items():
            self.put(spec, value, *labels)

    def metrics(self) -> Iterator[Metric]:
        """Yield the families as prometheus-client takes them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        for spec, values in self.samples.items():
            if spec.kind == "info":
                family = InfoMetricFamily(spec.name.removesuffix("_info"), spec.help, labels=())
                for labels in values:
                    family.add_metric((), dict(zip(spec.labels, labels, strict=True)))
                yield family
                continue
            kind = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
            made = kind(spec.name.removesuffix("_total"), spec.help, labels=spec.labels)
            for labels, value in values.items():
                made.add_metric(labels, value)
            yield made


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the exposition: its families, and who writes them on a sheet."""

    name: str
    specs: tuple[Spec, ...]
    fill: Callable[[View, Sheet], None]
