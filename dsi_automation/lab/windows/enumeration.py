"""Enumerate, Pull and Release: lists given in pages (MS-WSMV 3.1.4.8 to 3.1.4.11; WS-Enumeration)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from dsi_automation.lab.windows.cim.instances import Instance, instances
from dsi_automation.lab.windows.cim.schema import CimClass, cim_class
from dsi_automation.lab.windows.faults import Fault
from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.soap import faults, names, xml
from dsi_automation.lab.windows.soap.faults import ProviderError, SoapFaultError
from dsi_automation.lab.windows.soap.request import WsmanRequest
from dsi_automation.lab.windows.wql import InvalidQueryError, Query, parse

_NUMBER: Final = re.compile(r"^0*[1-9][0-9]{0,9}$")
ENVELOPE_OVERHEAD: Final = 2048
"""Bytes kept free for the envelope around a page."""
CONTEXT_SECONDS: Final = 240.0
"""EnumerationTimeoutms, WinRM's default."""
CONTEXTS_MODERN, CONTEXTS_OLD = 1500, 15
"""MaxConcurrentOperationsPerUser of WinRM 3 and of WinRM 2."""


@dataclass
class _Rest:
    uri: str
    user: str
    items: list[str]
    expires: float


@dataclass
class Enumerations:
    """The lists that clients have begun and not finished, on one workstation."""

    machine: Machine
    _open: dict[str, _Rest] = field(default_factory=dict)

    def enumerate(self, request: WsmanRequest, target: CimClass | None, user: str) -> str:
        """Return the body of an EnumerateResponse.

        Args:
            request: its body is `n:Enumerate`.
            target: the class of the resource URI; None for `/*`.
            user: whose quota of open lists this counts against.
        """
        body = request.body
        if body is None or body.tag != f"{{{names.ENUMERATION}}}Enumerate":
            raise SoapFaultError(faults.SCHEMA, "n:Enumerate")
        if body.find(f"{{{names.WSMAN}}}EnumerationMode") is not None:
            raise SoapFaultError(faults.UNSUPPORTED, "EnumerationMode")
        items = list(self._items(request, body, target))
        self._check_quota(user)
        optimized = body.find(f"{{{names.WSMAN}}}OptimizeEnumeration") is not None
        page: list[str] = []
        if optimized:
            page, items = self._page(items, _number(body, names.WSMAN, "MaxElements"), request.largest_answer)
        finished = optimized and not items
        context = "" if finished else self._keep(_Rest(request.resource_uri, user, items, 0.0))
        return (
            f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>"
            + (f"<w:Items>{''.join(page)}</w:Items>" if optimized else "")
            + ("<w:EndOfSequence/>" if finished else "")
            + "</n:EnumerateResponse>"
        )

    def pull(self, request: WsmanRequest) -> str:
        """Return the body of a PullResponse, where the same names are in the other namespace."""
        body, context, rest = self._resume(request, "Pull")
        page, left = self._page(rest.items, _number(body, names.ENUMERATION, "MaxElements"), request.largest_answer)
        rest.items = left
        if not left:
            del self._open[context]
        else:
            rest.expires = time.monotonic() + CONTEXT_SECONDS
        again = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if left else ""
        end = "" if left else "<n:EndOfSequence/>"
        return f"<n:PullResponse>{again}<n:Items>{''.join(page)}</n:Items>{end}</n:PullResponse>"

    def release(self, request: WsmanRequest) -> str:
        """Drop a list; the answer's body is empty."""
        _, context, _ = self._resume(request, "Release")
        del self._open[context]
        return ""

    def clear(self) -> None:
        """Forget every list, as a restart does."""
        self._open.clear()

    def _items(self, request: WsmanRequest, body: Element, target: CimClass | None) -> Iterable[str]:
        found = body.find(f"{{{names.WSMAN}}}Filter")
        if found is None:
            found = body.find(f"{{{names.ENUMERATION}}}Filter")
        if found is None:
            if target is None:
                raise SoapFaultError(faults.RESOURCE, "*")
            return _whole(self.machine, target, request.resource_uri, instances(self.machine, target))
        dialect = found.get("Dialect", "")
        if dialect == names.WQL:
            return self._wql(found.text or "", request, target)
        if dialect == names.SELECTOR_FILTER and target is not None:
            return self._selected(found, target, request.resource_uri)
        raise SoapFaultError(faults.DIALECT)

    def _wql(self, text: str, request: WsmanRequest, target: CimClass | None) -> Iterable[str]:
        def refuse(status: int) -> SoapFaultError:
            return SoapFaultError(faults.FILTER, provider=ProviderError(status, "ExecQuery", text))

        if target is not None:
            raise refuse(faults.WBEM_INVALID_QUERY)  # a query goes to the namespace, `/*`, not to a class
        try:
            query = parse(text)
        except InvalidQueryError as error:
            raise refuse(faults.WBEM_INVALID_QUERY) from error
        found = cim_class(query.class_name)
        if found is None or not found.instances:
            raise refuse(faults.WBEM_INVALID_CLASS)
        if any(found.property_named(name) is None for name in (*(query.columns or ()), *query.used)):
            raise refuse(faults.WBEM_INVALID_QUERY)
        try:
            rows = [row for row in instances(self.machine, found) if _matches(query, row)]
        except InvalidQueryError as error:
            raise refuse(faults.WBEM_INVALID_QUERY) from error
        if query.columns is None:
            return _whole(self.machine, found, request.resource_uri[:-1] + found.name, rows)
        wanted = {found.property_named(name) for name in query.columns}
        columns = [column.name for column in wanted if column is not None]
        return (xml.fragment({name: row[name] for name in columns}) for row in rows)

    def _selected(self, found: Element, target: CimClass, uri: str) -> Iterable[str]:
        wanted: dict[str, str] = {}
        for selector in found.iter(f"{{{names.WSMAN}}}Selector"):
            known = target.property_named(selector.get("Name", ""))
            if known is None or known.array or known.type == "datetime":
                raise SoapFaultError(faults.FILTER)
            wanted[known.name] = selector.text or ""
        if not wanted:
            raise SoapFaultError(faults.FILTER)
        rows = [row for row in instances(self.machine, target) if selected(row, wanted)]
        return _whole(self.machine, target, uri, rows)

    def _page(self, items: list[str], asked: int | None, largest: int) -> tuple[list[str], list[str]]:
        """Take from the list what one answer may hold; without MaxElements that is one (DSP0226 8.7)."""
        most = min(1 if asked is None else asked, self.machine.spec.max_batch_items)
        if (rule := self.machine.strikes(Fault.PAGE_SIZE)) is not None:
            most = max(1, min(most, int(rule.value)))
        room = largest - ENVELOPE_OVERHEAD
        taken = 0
        for item in items[:most]:
            room -= len(item.encode())
            if room < 0:
                break
            taken += 1
        if items and not taken:
            raise SoapFaultError(faults.ANSWER_TOO_LARGE)
        return items[:taken], items[taken:]

    def _keep(self, rest: _Rest) -> str:
        context = f"uuid:{str(uuid.uuid4()).upper()}"
        rest.expires = time.monotonic() + CONTEXT_SECONDS
        self._open[context] = rest
        return context

    def _check_quota(self, user: str) -> None:
        now = time.monotonic()
        self._open = {context: rest for context, rest in self._open.items() if rest.expires > now}
        limit = CONTEXTS_MODERN if self.machine.modern else CONTEXTS_OLD
        if sum(rest.user == user for rest in self._open.values()) >= limit:
            raise SoapFaultError(faults.OPERATIONS_QUOTA)

    def _resume(self, request: WsmanRequest, verb: str) -> tuple[Element, str, _Rest]:
        body = request.body
        if body is None or body.tag != f"{{{names.ENUMERATION}}}{verb}":
            raise SoapFaultError(faults.SCHEMA, f"n:{verb}")
        context = (body.findtext(f"{{{names.ENUMERATION}}}EnumerationContext") or "").strip()
        rest = self._open.get(context)
        if rest is None or rest.uri != request.resource_uri or rest.expires <= time.monotonic():
            raise SoapFaultError(faults.CONTEXT)
        return body, context, rest


def selected(row: Instance, wanted: dict[str, str]) -> bool:
    """Tell whether an instance has these values, compared as WMI compares keys: without regard to case."""
    return all(_text(row.get(name)) == value.casefold() for name, value in wanted.items())


def _text(value: object) -> str:
    return str(value).casefold()


def _matches(query: Query, row: Instance) -> bool:
    return query.matches({name.lower(): value for name, value in row.items()})


def _whole(machine: Machine, found: CimClass, uri: str, rows: Iterable[Instance]) -> Iterable[str]:
    if not found.instances:
        raise faults.wbem_fault(faults.WBEM_INVALID_CLASS, "CreateInstanceEnum", modern=machine.modern)
    return (xml.instance(found.name, uri, row) for row in rows)


def _number(body: Element, namespace: str, name: str) -> int | None:
    text = body.findtext(f"{{{namespace}}}{name}")
    if text is None:
        return None
    if not _NUMBER.match(text.strip()):
        raise SoapFaultError(faults.SCHEMA, name)
    return int(text)
