"""The connection test: what a user does in a browser, step by step, with the time each takes (procedure S)."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from dsi_automation.connectors.applications.port import StepResult, StepSettings, Tested, TestSettings
from dsi_automation.connectors.applications.web_client import Browser, too_slow
from dsi_automation.connectors.applications.web_forms import Page
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import MASK, redact
from dsi_automation.core.text import T, Text

_LOGIN = "login"
_LOGOUT = "logout"
_SHOWN = 80
"""Characters of a page's title that are shown."""


class WebTester:
    """Tests one address; a `ConnectionTester`."""

    def __init__(self, settings: TestSettings, clock: Clock) -> None:
        """Take note of what is tested; each test begins without cookies."""
        self._settings, self._clock = settings, clock

    def test(self) -> Tested:
        """Go through the steps, the port first; the first that fails is the last.

        Never raises for what it meets. What was logged in is logged out: also after a later step failed, and then
        without a word about how that went.
        """
        browser = Browser(self._settings.base, self._settings.ca_file)
        results = [self._step("port", lambda: self._port(browser))]
        entered = False
        for step in self._settings.steps:
            if results[-1].problem is not None:
                break
            # A login that was not answered, or not as it should be, may have been one.
            entered = (entered or step.name == _LOGIN) and step.name != _LOGOUT
            results.append(self._step(step.name, lambda step=step: self._walk(browser, step)))  # type: ignore[misc]
        if entered:
            self._leave(browser)
        return Tested(self._settings.server, tuple(results))

    def _leave(self, browser: Browser) -> None:
        for step in self._settings.steps:
            if step.name == _LOGOUT:
                self._step(step.name, lambda step=step: self._walk(browser, step))  # type: ignore[misc]

    def _step(self, name: str, what: Callable[[], Text | None]) -> StepResult:
        began = self._clock.monotonic()
        try:
            problem = what()
        except DsiError as error:
            problem = error.what
        except (OSError, http.client.HTTPException) as error:
            problem = self._met(error)
        except Exception as error:  # noqa: BLE001  # a test that cannot be made is a test that failed
            problem = T("The test could not be made: {error}.", error=type(error).__name__)
        return StepResult(name, self._clock.monotonic() - began, problem)

    def _port(self, browser: Browser) -> None:
        browser.connect(self._settings.timeout)

    def _walk(self, browser: Browser, step: StepSettings) -> Text | None:
        settings = self._settings
        filled = None if step.form is None else tuple((name, self._filled(value)) for name, value in step.form)
        page = browser.open(step.path, filled, settings.timeout)
        if step.refuse is not None and page.holds(step.refuse):
            return (
                T("The login is refused: the page holds “{words}”.", words=self._clean(step.refuse))
                if step.name == _LOGIN
                else T("The page holds “{words}”.", words=self._clean(step.refuse))
            )
        if page.status != step.status:
            return T(
                "It answers {status} {reason} instead of {wanted}.",
                status=page.status,
                reason=self._clean(page.reason),
                wanted=step.status,
            )
        return None if page.holds(step.expect) else self._missing(page, step.expect)

    def _missing(self, page: Page, expect: str) -> Text:
        if not page.title:
            return T("The page does not hold “{words}”.", words=self._clean(expect))
        return T(
            "The page, titled “{title}”, does not hold “{words}”.",
            title=self._clean(page.title)[:_SHOWN],
            words=self._clean(expect),
        )

    def _filled(self, value: str) -> str:
        """Return a field's value; the placeholders are replaced at once, so that no value is looked into."""
        user, password = self._settings.user, self._settings.password.reveal()
        return password.join(part.replace("{user}", user) for part in value.split("{password}"))

    def _clean(self, words: str) -> str:
        """Return words of a page or of the inventory without the password, however short it is."""
        password = self._settings.password.reveal()
        return redact(words.replace(password, MASK) if password else words)

    def _met(self, error: OSError | http.client.HTTPException) -> Text:
        """Return what a technician can do something about."""
        parts = urlsplit(self._settings.base)
        place = parts.netloc
        match error:
            case ConnectionRefusedError():
                return T("The port is closed: nothing listens at {place}.", place=place)
            case socket.gaierror():
                return T("The name {host} is not known to the DNS.", host=parts.hostname or "")
            case ssl.SSLCertVerificationError():
                return T(
                    "The certificate of {place} is not to be trusted: {reason}.",
                    place=place,
                    reason=error.verify_message,
                )
            case ssl.SSLError():
                return T("{place} does not speak TLS as it should: {reason}.", place=place, reason=error.reason or "–")
            case TimeoutError():
                return too_slow(self._settings.timeout).what
            case http.client.RemoteDisconnected() | ConnectionError() | http.client.IncompleteRead():
                return T("{place} closes the connection without a whole answer.", place=place)
            case http.client.HTTPException():
                return T("What answers at {place} does not speak HTTP.", place=place)
            case _:
                return T("{place} cannot be reached: {reason}.", place=place, reason=error.strerror or "–")
