"""What may be asked of a machine: names come from the schema, whoever answers (WS-Management or memory)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dsi_automation.connectors.windows.classes import CLASSES, SINGLETONS
from dsi_automation.connectors.windows.schema import CimClass, Method
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T


def known_class(name: str) -> CimClass:
    """Return a class of the schema.

    Raises:
        UsageError: the toolkit does not know it; its values could only be guessed.
    """
    if name in CLASSES:
        return CLASSES[name]
    raise UsageError(T("The CIM class {name} is not one this toolkit knows.", name=name))


def known_properties(known: CimClass, names: Iterable[str]) -> None:
    """Make sure that a class has these properties.

    Raises:
        UsageError: it has not, by the schema; CIM names are case-sensitive here.
    """
    unknown = sorted(set(names) - set(known.properties))
    if unknown:
        raise UsageError(
            T("{name} has no such property: {unknown}.", name=known.name, unknown=", ".join(unknown)),
        )


def known_method(known: CimClass, name: str, parameters: Iterable[str]) -> Method:
    """Return a method of a class after a look at the names of the parameters.

    Raises:
        UsageError: no such method or parameter, by the schema.
    """
    if name not in known.methods:
        raise UsageError(T("{name} has no method {method}.", name=known.name, method=name))
    method = known.methods[name]
    unknown = sorted(set(parameters) - set(method.inputs))
    if unknown:
        raise UsageError(
            T(
                "{name}.{method} has no such parameter: {unknown}.",
                name=known.name,
                method=name,
                unknown=", ".join(unknown),
            )
        )
    return method


def check_selectors(known: CimClass, selectors: Mapping[str, str], *, static: bool = False) -> None:
    """Make sure that an instance is selected by exactly its keys; a singleton and a static method by none.

    Raises:
        UsageError: keys are missing or too many.
    """
    keys = () if static or known.name in SINGLETONS else known.keys
    if {key.casefold() for key in keys} != {key.casefold() for key in selectors} or len(keys) != len(selectors):
        raise UsageError(
            T("{name} is selected by {keys}.", name=known.name, keys=", ".join(keys) or T("no key at all"))
        )
