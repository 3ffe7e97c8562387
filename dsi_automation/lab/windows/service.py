"""What a workstation does with one envelope: check it, let faults strike, carry it out, answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.lab.windows import invocation
from dsi_automation.lab.windows.cim.instances import instances
from dsi_automation.lab.windows.cim.schema import CimClass, cim_class, describe
from dsi_automation.lab.windows.enumeration import Enumerations, selected
from dsi_automation.lab.windows.faults import Fault
from dsi_automation.lab.windows.joining import DomainJoiner
from dsi_automation.lab.windows.machine import Caller, Machine
from dsi_automation.lab.windows.soap import faults, names
from dsi_automation.lab.windows.soap.faults import ProviderError, SoapFaultError, wbem_fault
from dsi_automation.lab.windows.soap.request import IdentifyRequest, WsmanRequest, message_id, parse
from dsi_automation.lab.windows.soap.xml import envelope, instance

LONGEST_OPERATION: Final = 1800.0
"""MaxTimeoutms of current Windows, in seconds: it wins over a larger OperationTimeout."""
_NAMESPACES: Final = ("root/cimv2", "root/default")
_VERBS: Final = {
    names.ENUMERATE: "Enumerate",
    names.PULL: "Pull",
    names.RELEASE: "Release",
    names.GET: "Get",
    names.PUT: "Put",
    names.CREATE: "Create",
    names.DELETE: "Delete",
}
_JOIN: Final = "JoinDomainOrWorkgroup"
_FROM: Final = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: an HTTP status and an envelope, or a cut connection."""

    status: int
    body: bytes = b""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a request is about, for faults, counters and the log: names only."""

    kind: str
    class_name: str = ""
    method: str = ""


class Service:
    """The WS-Management service of one workstation."""

    def __init__(self, machine: Machine, joiner: DomainJoiner) -> None:
        self._machine = machine
        self._joiner = joiner
        self._enumerations = Enumerations(machine)
        self._running: set[asyncio.Task[str]] = set()

    async def handle(self, data: bytes, caller: Caller) -> Answer:
        """Answer one envelope from somebody who has signed in."""
        subject = _Subject("Invalid")
        identifier = message_id(data)
        try:
            request = parse(data)
            if isinstance(request, IdentifyRequest):
                subject = _Subject("Identify")
                answer = Answer(200, self.identify(authenticated=True))
            else:
                identifier, subject = request.message_id, _subject(request)
                answer = await self._answer(request, subject, caller)
        except SoapFaultError as fault:
            answer = Answer(500, self._render(fault, identifier))
        outcome = "cut" if answer.cut else str(answer.status)
        self._machine.note(subject.kind, subject.class_name, subject.method, caller.user, outcome)
        return answer

    def identify(self, *, authenticated: bool) -> bytes:
        """Return the IdentifyResponse; strangers are not told the version of the system (MS-WSMV 3.1.4.14)."""
        system = self._machine.spec.os
        stack = "3.0" if self._machine.modern else "2.0"
        version = f"{system.version} SP: 0.0" if authenticated else "0.0.0 SP: 0.0"
        body = (
            f'<wsmid:IdentifyResponse xmlns:wsmid="{names.IDENTITY}">'
            "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
            "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
            f"<wsmid:ProductVersion>OS: {version} Stack: {stack}</wsmid:ProductVersion></wsmid:IdentifyResponse>"
        )
        start = f'<s:Envelope xmlns:s="{names.SOAP}" xml:lang="{self._machine.spec.language}"><s:Header/><s:Body>'
        return f"{start}{body}</s:Body></s:Envelope>".encode()

    def restarted(self) -> None:
        """Forget what a restart forgets."""
        self._enumerations.clear()

    async def _answer(self, request: WsmanRequest, subject: _Subject, caller: Caller) -> Answer:
        if self._strikes(Fault.RESET_BEFORE, subject):
            return Answer(0, cut=True)
        if self._strikes(Fault.EMPTY_400, subject):
            return Answer(400)
        if self._strikes(Fault.HANG, subject):
            await asyncio.Event().wait()  # until the client gives up, which cancels it
        self._refuse(subject, caller)
        task = asyncio.ensure_future(self._slowly(request, subject, caller))
        self._running.add(task)
        task.add_done_callback(self._finished)
        done, _ = await asyncio.wait({task}, timeout=min(request.timeout, LONGEST_OPERATION))
        if not done:
            raise SoapFaultError(faults.TIMED_OUT)  # the operation itself goes on, as it does on Windows
        body = task.result()
        writes = subject.method and subject.class_name != "StdRegProv"
        if writes and self._strikes(Fault.RESET_AFTER_WRITE, subject):
            return Answer(0, cut=True)
        named = any(rule.fault is Fault.TIMEOUT_AFTER_JOIN and rule.method for rule in self._machine.state.faults)
        if (named or subject.method == _JOIN) and self._strikes(Fault.TIMEOUT_AFTER_JOIN, subject):
            raise SoapFaultError(faults.TIMED_OUT)
        answer = envelope(f"{request.action}Response", request.message_id, body, self._machine.spec.language)
        if len(answer) > request.largest_answer:
            raise SoapFaultError(faults.ANSWER_TOO_LARGE)
        return Answer(200, answer)

    def _finished(self, task: asyncio.Task[str]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that an operation nobody waits for any more is not reported as lost

    async def _slowly(self, request: WsmanRequest, subject: _Subject, caller: Caller) -> str:
        rule = self._machine.strikes(Fault.SLOW, subject.class_name, subject.method)
        if rule is not None:
            await asyncio.sleep(rule.value)
        if subject.kind == "Invoke":
            return await self._invoke(request)
        handler: Mapping[str, Callable[[], str]] = {
            names.ENUMERATE: lambda: self._enumerate(request, caller),
            names.PULL: lambda: self._enumerations.pull(request),
            names.RELEASE: lambda: self._enumerations.release(request),
            names.GET: lambda: self._get(request),
        }
        if request.action not in handler:
            raise SoapFaultError(faults.ACTION, request.action)
        return handler[request.action]()

    def _refuse(self, subject: _Subject, caller: Caller) -> None:
        """Raise the fault that the switches or the caller's rights ask for."""
        modern = self._machine.modern
        provoked: Mapping[Fault, Callable[[], SoapFaultError]] = {
            Fault.QUOTA: lambda: SoapFaultError(faults.OPERATIONS_QUOTA),
            Fault.REASON_ONLY: lambda: SoapFaultError(faults.INTERNAL, "Internal error."),
            Fault.ACCESS_DENIED: lambda: wbem_fault(faults.WBEM_ACCESS_DENIED, "ExecQuery", modern=modern),
            Fault.WBEM_SHUTTING_DOWN: lambda: wbem_fault(faults.WBEM_SHUTTING_DOWN, "ExecQuery", modern=modern),
            Fault.INVALID_CLASS: lambda: wbem_fault(faults.WBEM_INVALID_CLASS, "ExecQuery", modern=modern),
        }
        for fault, make in provoked.items():
            if self._strikes(fault, subject):
                raise make()
        if caller.filtered:
            raise wbem_fault(faults.WBEM_ACCESS_DENIED, "ConnectServer", modern=modern)
        if not caller.administrator:
            raise SoapFaultError(faults.ACCESS)

    def _strikes(self, fault: Fault, subject: _Subject) -> bool:
        return self._machine.strikes(fault, subject.class_name, subject.method) is not None

    def _enumerate(self, request: WsmanRequest, caller: Caller) -> str:
        namespace, class_name = _resource(request.resource_uri)
        if class_name == "*":
            if _without_namespace(request, namespace):
                raise SoapFaultError(faults.UNEXPECTED_SELECTORS, next(iter(request.selectors)))
            return self._enumerations.enumerate(request, None, caller.user)
        return self._enumerations.enumerate(request, _known(namespace, class_name), caller.user)

    def _get(self, request: WsmanRequest) -> str:
        if request.resource_uri == names.CIM_SCHEMA:
            return self._schema(request)
        namespace, class_name = _resource(request.resource_uri)
        found = _known(namespace, class_name)
        keys = _keys(found, request, namespace)
        row = next((row for row in instances(self._machine, found) if selected(row, keys)), None)
        if row is None:
            raise _not_found(found.name)
        return instance(found.name, request.resource_uri, row)

    def _schema(self, request: WsmanRequest) -> str:
        wanted = {name.lower(): value for name, value in request.selectors.items()}
        if set(wanted) - {"__cimnamespace", "classname"}:
            raise SoapFaultError(faults.UNEXPECTED_SELECTORS, ", ".join(request.selectors))
        if "classname" not in wanted:
            raise SoapFaultError(faults.SELECTORS, "ClassName")
        found = cim_class(wanted["classname"], wanted.get("__cimnamespace", "root/cimv2").replace("\\", "/"))
        if found is None:
            raise wbem_fault(faults.WBEM_INVALID_CLASS, "GetObject", modern=self._machine.modern)
        stale = self._machine.strikes(Fault.STALE_SCHEMA, found.name) is not None
        return describe(found, change_owner=self._machine.modern, methods=not stale)

    async def _invoke(self, request: WsmanRequest) -> str:
        namespace, class_name = _resource(request.resource_uri)
        found = _known(namespace, class_name)
        method = invocation.method_of(found, request.action.rsplit("/", 1)[-1], modern=self._machine.modern)
        keys = _keys(found, request, namespace)
        rows = instances(self._machine, found)
        if found.instances and not any(selected(row, keys) for row in rows):
            raise _not_found(found.name)
        given = invocation.arguments(request, method)
        return await invocation.invoke(self._machine, self._joiner, found, method, given, keys, request.resource_uri)

    def _render(self, fault: SoapFaultError, relates_to: str) -> bytes:
        return faults.render(
            fault,
            relates_to=relates_to,
            machine=self._machine.spec.address,
            language=self._machine.spec.language,
        )


def _subject(request: WsmanRequest) -> _Subject:
    class_name = request.resource_uri.rsplit("/", 1)[-1]
    verb = _VERBS.get(request.action)
    if verb is None:
        expected = request.action.rsplit("/", 1)
        if expected[0] != request.resource_uri:
            return _Subject("Unknown", class_name)
        return _Subject("Invoke", class_name, expected[-1])
    if request.resource_uri == names.CIM_SCHEMA:
        return _Subject("Schema", request.selectors.get("ClassName", ""))
    if class_name == "*" and request.body is not None:
        found = _FROM.search("".join(request.body.itertext()))
        return _Subject(verb, found.group(1) if found else "*")
    return _Subject(verb, class_name)


def _resource(uri: str) -> tuple[str, str]:
    """Return the WMI namespace and the class of a resource URI."""
    path = uri.removeprefix(names.WMI_ROOT)
    namespace, _, class_name = path.rpartition("/")
    if path == uri or namespace.lower() not in _NAMESPACES or not class_name:
        raise SoapFaultError(faults.RESOURCE, uri)
    return namespace.lower(), class_name


def _known(namespace: str, class_name: str) -> CimClass:
    found = cim_class(class_name, namespace)
    if found is None:
        error = ProviderError(faults.WBEM_INVALID_CLASS, "GetObject", class_name)
        raise SoapFaultError(faults.RESOURCE, class_name, provider=error)
    return found


def _not_found(class_name: str) -> SoapFaultError:
    return SoapFaultError(
        faults.RESOURCE, class_name, provider=ProviderError(faults.WBEM_NOT_FOUND, "GetObject", class_name)
    )


def _without_namespace(request: WsmanRequest, namespace: str) -> dict[str, str]:
    """Return the selectors without `__cimnamespace`, which may be there if it says what the URI says."""
    kept: dict[str, str] = {}
    for name, value in request.selectors.items():
        if name.lower() != "__cimnamespace":
            kept[name] = value
        elif value.replace("\\", "/").lower() != namespace:
            raise SoapFaultError(faults.SELECTORS, name)
    return kept


def _keys(found: CimClass, request: WsmanRequest, namespace: str) -> dict[str, str]:
    """Return the key values of the instance a request names.

    Raises:
        SoapFaultError: a singleton or static class was given keys, a key is missing, one is too many.
    """
    given = _without_namespace(request, namespace)
    if given and not found.keys:
        raise SoapFaultError(faults.SINGLETON if found.instances else faults.UNEXPECTED_SELECTORS, ", ".join(given))
    keys: dict[str, str] = {}
    for name, value in given.items():
        known = next((key for key in found.keys if key.lower() == name.lower()), None)
        if known is None:
            raise SoapFaultError(faults.UNEXPECTED_SELECTORS, name)
        keys[known] = value
    missing = set(found.keys) - set(keys)
    if missing:
        raise SoapFaultError(faults.SELECTORS, ", ".join(sorted(missing)))
    return keys
