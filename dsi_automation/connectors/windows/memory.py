"""A Windows machine in memory: for the tests of what uses the connector. It keeps the same contract suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dsi_automation.connectors.windows import asked
from dsi_automation.connectors.windows.errors import FeatureAbsentError, NotFoundError
from dsi_automation.connectors.windows.port import (
    CimInstance,
    CimScalar,
    CimValue,
    Hive,
    MethodResult,
    WindowsEndpoint,
    WritePermit,
)
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

type RegistryValue = str | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A method call as a handler gets it; secrets stay secrets."""

    class_name: str
    method: str
    parameters: Mapping[str, CimValue | Secret]
    selectors: Mapping[str, str]


type Handler = Callable[[Call], int | MethodResult]


@dataclass(slots=True)
class MemoryMachine:
    """The state of a machine.

    Attributes:
        instances: per class, its instances; a class that is not there does not exist on the machine.
        registry: keys, each with its values; a key is `(hive, path)`, its parents exist too.
        handlers: what a method does, by `Class.Method`; it may change the state, return a code, or raise.
        calls: every method call that got through, in order.
        down: raised by every call while it is set: the machine does not answer.
    """

    endpoint: WindowsEndpoint
    instances: dict[str, list[dict[str, CimValue]]] = field(default_factory=dict)
    registry: dict[tuple[Hive, str], dict[str, RegistryValue]] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    down: DsiError | None = None
    closed: int = 0


class MemoryReader:
    """The read half over a `MemoryMachine`."""

    def __init__(self, machine: MemoryMachine) -> None:
        """Read from that machine."""
        self._machine = machine

    @property
    def endpoint(self) -> WindowsEndpoint:
        """Return where it reads."""
        return self._machine.endpoint

    def query(
        self, class_name: str, properties: Sequence[str], where: Mapping[str, CimScalar] | None = None
    ) -> Sequence[CimInstance]:
        """Return the instances of a class whose properties equal those of `where`; strings in any case, as in WQL."""
        known = asked.known_class(class_name)
        asked.known_properties(known, (*properties, *(where or {})))
        wanted = tuple(properties) or tuple(known.properties)
        return [
            {name: each.get(name, () if known.properties[name].array else None) for name in wanted}
            for each in self._instances(class_name)
            if all(_same(each.get(name), value) for name, value in (where or {}).items())
        ]

    def get(self, class_name: str, selectors: Mapping[str, str]) -> CimInstance | None:
        """Return one instance by its keys, or None when there is no such instance."""
        known = asked.known_class(class_name)
        asked.check_selectors(known, selectors)
        found = self._selected(class_name, selectors)
        empty: dict[str, CimValue] = {name: () if kind.array else None for name, kind in known.properties.items()}
        return None if found is None else {**empty, **found}

    def registry_value(self, hive: Hive, key: str, name: str) -> str | int | tuple[str, ...] | None:
        """Return a registry value, or None when key or value is absent."""
        self._answer()
        for there, values in self._keys(hive):
            if there == key.casefold():
                return next((value for each, value in values.items() if each.casefold() == name.casefold()), None)
        return None

    def registry_key_exists(self, hive: Hive, key: str) -> bool:
        """Tell whether a registry key exists."""
        self._answer()
        wanted = key.casefold()
        return any(there == wanted or there.startswith(wanted + "\\") for there, _ in self._keys(hive))

    def class_methods(self, class_name: str) -> Mapping[str, Sequence[str]]:
        """Return the methods that have a handler here, and their in-parameters."""
        known = asked.known_class(class_name)
        self._instances(class_name)
        return {
            name: tuple(method.inputs)
            for name, method in known.methods.items()
            if f"{class_name}.{name}" in self._machine.handlers
        }

    def close(self) -> None:
        """Count the closing."""
        self._machine.closed += 1

    def _answer(self) -> None:
        if self._machine.down is not None:
            raise self._machine.down

    def _instances(self, class_name: str) -> list[dict[str, CimValue]]:
        self._answer()
        if class_name not in self._machine.instances:
            raise FeatureAbsentError(
                T("The Windows of {machine} has no class {name}.", machine=self.endpoint.name, name=class_name),
                on=self.endpoint.name,
            )
        return self._machine.instances[class_name]

    def _selected(self, class_name: str, selectors: Mapping[str, str]) -> dict[str, CimValue] | None:
        for each in self._instances(class_name):
            if all(_same(str(each.get(name)), value) for name, value in selectors.items()):
                return each
        return None

    def _keys(self, hive: Hive) -> list[tuple[str, dict[str, RegistryValue]]]:
        return [(path.casefold(), values) for (there, path), values in self._machine.registry.items() if there == hive]


class MemoryWriter(MemoryReader):
    """The write half over a `MemoryMachine`."""

    def __init__(self, machine: MemoryMachine, permit: WritePermit) -> None:
        """Write to that machine as long as the permit allows it."""
        super().__init__(machine)
        self._permit = permit

    def invoke(
        self,
        class_name: str,
        method: str,
        parameters: Mapping[str, CimValue | Secret],
        selectors: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,  # noqa: ARG002  # a handler decides itself how long it takes
    ) -> MethodResult:
        """Call the handler of a method."""
        known = asked.known_class(class_name)
        called = asked.known_method(known, method, parameters)
        asked.check_selectors(known, selectors or {}, static=called.static)
        self._permit.check(self.endpoint.name)
        self._answer()
        if called.static and class_name == "StdRegProv":
            raise FeatureAbsentError(T("{name} has no method {method}.", name=class_name, method=method))
        if self._selected(class_name, selectors or {}) is None:
            raise NotFoundError(T("{machine} has no such object.", machine=self.endpoint.name), on=self.endpoint.name)
        handler = self._machine.handlers.get(f"{class_name}.{method}")
        if handler is None:
            raise FeatureAbsentError(
                T("The Windows of {machine} does not have what was asked.", machine=self.endpoint.name),
                on=self.endpoint.name,
            )
        given = {name: value for name, value in parameters.items() if value is not None}
        call = Call(class_name, method, given, dict(selectors or {}))
        self._machine.calls.append(call)
        answer = handler(call)
        return answer if isinstance(answer, MethodResult) else MethodResult(answer, {})


def _same(have: CimValue, wanted: CimScalar) -> bool:
    if isinstance(have, str) and isinstance(wanted, str):
        return have.casefold() == wanted.casefold()
    return have == wanted
