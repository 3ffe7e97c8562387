"""A Windows machine over WS-Management: `CimReader` looks, `CimWriter` also calls methods, under a permit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.windows import answers, asked, errors, failures, fault_codes, faults, registry, soap, wql
from dsi_automation.connectors.windows.classes import CLASSES
from dsi_automation.connectors.windows.errors import HostileValueError
from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.connectors.windows.port import (
    CimInstance,
    CimScalar,
    CimValue,
    Hive,
    MethodResult,
    WindowsEndpoint,
    WritePermit,
)
from dsi_automation.connectors.windows.transport import Answer, Channel, WinrmChannel
from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BACKOFF: Final = (0.5, 1.0, 2.0)
"""Seconds between attempts when a machine has no room for another read."""
_EMPTY_PAGES: Final = 100
"""Pages without an item after which a query is taken to go round in circles."""
_MARGIN: Final = 10.0
"""Seconds the answer may take beyond the time the machine was given."""


class CimReader:
    """The read half: one HTTP exchange per call once connected. One thread at a time."""

    def __init__(
        self, endpoint: WindowsEndpoint, *, clock: Clock | None = None, channel: Channel | None = None
    ) -> None:
        """Check the endpoint; the connection is made by the first call.

        Raises:
            UsageError: the endpoint is not complete, or its channel would not be sealed.
        """
        self._endpoint = endpoint
        self._clock = clock or SystemClock()
        self._channel = channel or WinrmChannel(endpoint, self._clock)

    @property
    def endpoint(self) -> WindowsEndpoint:
        """Return where it reads."""
        return self._endpoint

    def identify(self) -> Mapping[str, str]:
        """Return what the service says of itself: vendor, product and protocol version."""
        return self._read(lambda: self._ask(soap.identify(), answers.product))

    def query(
        self, class_name: str, properties: Sequence[str], where: Mapping[str, CimScalar] | None = None
    ) -> Sequence[CimInstance]:
        """Return the instances of a class, all pages of them; see `WindowsReader.query`."""
        known = asked.known_class(class_name)
        asked.known_properties(known, (*properties, *(where or {})))
        statement = wql.select(class_name, properties, where or {})

        def convert(page: answers.Page) -> list[CimInstance]:
            return [answers.instance(item, known, tuple(properties)) for item in page.items]

        return self._read(lambda: self._pages(statement, convert))

    def get(self, class_name: str, selectors: Mapping[str, str]) -> CimInstance | None:
        """Return one instance by its keys, or None when there is no such instance."""
        known = asked.known_class(class_name)
        asked.check_selectors(known, selectors)
        message = soap.get(self._channel.to, class_name, selectors, self._endpoint.operation_timeout)
        try:
            return self._read(lambda: self._ask(message, lambda body: answers.single(body, known)))
        except errors.NotFoundError:
            return None

    def registry_value(self, hive: Hive, key: str, name: str) -> str | int | tuple[str, ...] | None:
        """Return a registry value (string, dword or multi-string), or None when key or value is absent."""
        return registry.value(self._static_read, self._endpoint.name, hive, key, name)

    def registry_key_exists(self, hive: Hive, key: str) -> bool:
        """Tell whether a registry key exists."""
        return registry.key_exists(self._static_read, self._endpoint.name, hive, key)

    def class_methods(self, class_name: str) -> Mapping[str, Sequence[str]]:
        """Return the methods of a class on this machine and their in-parameters, from its schema."""
        known = asked.known_class(class_name)
        message = soap.class_schema(self._channel.to, class_name, self._endpoint.operation_timeout)
        try:
            return self._read(lambda: self._ask(message, lambda body: answers.class_methods(body, known)))
        except errors.NotFoundError as error:
            raise errors.FeatureAbsentError(
                T("The Windows of {machine} has no class {name}.", machine=self._endpoint.name, name=class_name),
                on=self._endpoint.name,
                next_step=error.next_step,
                detail=error.detail,
            ) from error

    def close(self) -> None:
        """End the session with the machine."""
        self._channel.close()

    def _static_read(self, method: str, parameters: Mapping[str, CimValue]) -> MethodResult:
        """Call a method of StdRegProv that only reads, so that it may be repeated like any read."""
        known = CLASSES["StdRegProv"].methods[method]
        message = soap.invoke(self._channel.to, "StdRegProv", known, parameters, {}, self._endpoint.operation_timeout)
        return self._read(lambda: self._ask(message, lambda body: answers.method_result(body, known)))

    def _pages[T_](self, statement: str, convert: Callable[[answers.Page], list[T_]]) -> list[T_]:
        """Run a query to its end; what is not drained is released, or it would count against the machine's quota."""
        to, timeout = self._channel.to, self._endpoint.operation_timeout
        page = self._ask(soap.query(to, statement, timeout), answers.page)
        found: list[T_] = []
        empty = 0
        try:
            while True:
                found += self._converted(page, convert)
                if page.context is None:
                    return found
                empty = 0 if page.items else empty + 1
                if empty > _EMPTY_PAGES:
                    raise failures.bad_answer(self._endpoint, "pages without end")
                page = self._ask(soap.pull(to, page.context, timeout), answers.page)
        except DsiError as error:
            if page.context is not None and not isinstance(error, errors.ConnectionFailedError):
                with suppress(DsiError):
                    self._channel.exchange(soap.release(to, page.context, timeout).data, self._endpoint.read_timeout)
            raise

    def _converted[T_](self, page: answers.Page, convert: Callable[[answers.Page], list[T_]]) -> list[T_]:
        try:
            return convert(page)
        except MalformedAnswerError as error:
            raise failures.bad_answer(self._endpoint, str(error)) from error

    def _ask[T_](self, message: soap.Message, read: Callable[[Element], T_], timeout: float | None = None) -> T_:
        """Send one request and read its answer: one HTTP exchange."""
        answer = self._channel.exchange(message.data, timeout or self._endpoint.read_timeout)
        try:
            return read(self._body(answer, message))
        except MalformedAnswerError as error:
            raise failures.bad_answer(self._endpoint, str(error)) from error

    def _body(self, answer: Answer, message: soap.Message) -> Element:
        if answer.status not in {200, 500} or not answer.body:
            raise failures.from_status(self._endpoint, answer.status, empty=not answer.body)
        content = answers.body(answer.body, message.id if answer.status == 200 else "")
        fault = faults.parse(content)
        if fault is not None:
            raise failures.from_fault(self._endpoint, fault)
        if answer.status != 200:
            raise MalformedAnswerError("HTTP 500 without a fault")
        return content

    def _read[T_](self, call: Callable[[], T_]) -> T_:
        """Make a read, once more in a new session when the old one was gone, and later when there was no room."""
        again = True
        waits = iter(_BACKOFF)
        while True:
            try:
                return call()
            except errors.ConnectionLostError:
                if not again:
                    raise
                again = False
                self._channel.close()
            except errors.BusyError:
                wait = next(waits, None)
                if wait is None:
                    raise
                self._clock.sleep(wait)


class CimWriter(CimReader):
    """The write half: each call asks the permit first, is sent once, and is never repeated."""

    def __init__(
        self,
        endpoint: WindowsEndpoint,
        permit: WritePermit,
        *,
        clock: Clock | None = None,
        channel: Channel | None = None,
    ) -> None:
        """Keep the permit; see `CimReader`."""
        super().__init__(endpoint, clock=clock, channel=channel)
        self._permit = permit

    def invoke(
        self,
        class_name: str,
        method: str,
        parameters: Mapping[str, CimValue | Secret],
        selectors: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> MethodResult:
        """Call a method once; see `WindowsWriter.invoke`."""
        known = asked.known_class(class_name)
        called = asked.known_method(known, method, parameters)
        asked.check_selectors(known, selectors or {}, static=called.static)
        allowed = max(timeout or 0.0, self._endpoint.operation_timeout)
        try:
            message = soap.invoke(self._channel.to, class_name, called, parameters, selectors or {}, allowed)
        except HostileValueError as error:
            error.on = self._endpoint.name
            raise
        self._channel.open(fresh=True)
        # Last thing before the write: the lease may have been lost while the connection was made.
        self._permit.check(self._endpoint.name)
        return self._once(method, message, lambda body: answers.method_result(body, called), allowed)

    def _once[T_](self, name: str, message: soap.Message, read: Callable[[Element], T_], allowed: float) -> T_:
        """Send a write once and sort out what is known of it afterwards."""
        try:
            return self._ask(message, read, max(allowed + _MARGIN, self._endpoint.read_timeout))
        except (errors.ConnectionLostError, errors.AnswerTimeoutError, errors.BadAnswerError) as error:
            raise failures.unknown_outcome(self._endpoint, name, error) from error
        except DsiError as error:
            codes = {int(code, 16) for code in error.detail.get("codes", ())}
            if codes & fault_codes.UNCERTAIN or error.detail.get("http_status", 0) >= 500:
                raise failures.unknown_outcome(self._endpoint, name, error) from error
            raise
