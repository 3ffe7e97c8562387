"""msgraph-sdk, used for URLs, sign-in and sending alone: no typed model is made of an answer.

The first typed `User` imports 1,221 modules (seconds of CPU) and each later one costs milliseconds, so that answers
are taken raw (`NativeResponseHandler`). The SDK's own `$batch` has faults (no relative URLs, no retry of items,
`depends_on`), so that batches are put together here.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from dsi_automation.connectors.m365.asks import LOW_PRIORITY, Answer, Ask, Broken, Outcome, encode
from dsi_automation.connectors.m365.errors import refused_certificate, unanswered, untrusted
from dsi_automation.connectors.m365.port import TenantEndpoint
from dsi_automation.connectors.m365.sign_in import Tokens, trust
from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

_PLACE: Final = "PLACE-OF-THE-ID"
_VALUE: Final = re.compile(rf"{_PLACE}-(\d+)-")
_ENCODED_NAME: Final = re.compile(r"([?&])%24")


class Sdk:
    """The SDK's client of one tenant, and the two ways to send: one request, or up to 20 in a batch."""

    def __init__(self, endpoint: TenantEndpoint, clock: Clock) -> None:
        """Import the SDK and read the application's proof; nothing is sent yet."""
        import httpx
        from kiota_abstractions.native_response_handler import NativeResponseHandler
        from kiota_authentication_azure.azure_identity_authentication_provider import (
            AzureIdentityAuthenticationProvider,
        )
        from kiota_http.middleware.options import ResponseHandlerOption

        _keep_quiet()
        # By name: a type checker would otherwise read the 16,741 files of the SDK.
        msgraph = import_module("msgraph")
        self.tokens = Tokens(endpoint, clock)
        self.endpoint = endpoint
        self.base_url = endpoint.base_url.rstrip("/")
        # The host is named: the token goes nowhere else, wherever the link to a next page points.
        provider = AzureIdentityAuthenticationProvider(
            self.tokens,
            scopes=[endpoint.scope],
            allowed_hosts=[urlsplit(endpoint.base_url).hostname or ""],
        )
        # No middleware of the SDK's: neither its retries, nor redirects (none of these calls has any).
        self._http = httpx.AsyncClient(verify=trust(endpoint.ca_file), timeout=endpoint.timeout)
        self._adapter = msgraph.GraphRequestAdapter(provider, client=self._http)
        self._adapter.base_url = self.base_url
        self.graph = msgraph.GraphServiceClient(request_adapter=self._adapter)
        self._raw = ResponseHandlerOption(NativeResponseHandler())
        self._user_urls: dict[tuple[str, ...], str] = {}
        self._patterns: dict[tuple[Any, ...], Sequence[str]] = {}
        self.http = 0
        self.inner = 0

    def url(self, builder: Any, query: Mapping[str, str | int | bool] | None = None) -> str:
        """Return the URL of one of the SDK's request builders, below the base URL.

        Each kind of URL is expanded once: a template takes milliseconds for the filter of many people.
        """
        words = [str(value).lower() if isinstance(value, bool) else str(value) for value in (query or {}).values()]
        names = tuple(query or ())
        kind = (builder.url_template, *sorted(builder.path_parameters.items()), names)
        if kind not in self._patterns:
            self._patterns[kind] = _pattern(builder, names)
        parts = self._patterns[kind]
        # Every other part is the number of a value.
        return "".join(quote(words[int(part)], safe="") if odd % 2 else part for odd, part in enumerate(parts))

    def user_url(self, user_id: str, action: str = "", fields: Sequence[str] = ()) -> str:
        """Return the URL of one user, or of what the SDK calls `action` on it.

        The SDK writes each kind of URL once: expanding its templates costs more than a request of a batch.
        """
        kind = (action, *fields)
        pattern = self._user_urls.get(kind)
        if pattern is None:
            builder = self.graph.users.by_user_id(_PLACE)
            builder = getattr(builder, action) if action else builder
            pattern = self._user_urls[kind] = self.url(builder, {"select": ",".join(fields)} if fields else None)
        return pattern.replace(_PLACE, quote(user_id, safe=""))

    async def send(self, asks: Sequence[Ask]) -> Sequence[Outcome]:
        """Send one request, or several as one batch, and return what came of each, in their order."""
        self.inner += len(asks)
        if len(asks) == 1:
            ask = asks[0]
            absolute = ask.url if ask.url.startswith(f"{self.base_url}/") else f"{self.base_url}{ask.url}"
            return [await self._send(ask.method, absolute, ask.content(), ask.headers)]
        body = encode({"requests": [_item(str(number), ask) for number, ask in enumerate(asks, 1)]})
        outcome = await self._send("POST", f"{self.base_url}/$batch", body, LOW_PRIORITY)
        if isinstance(outcome, Broken) or not (outcome.ok and outcome.readable):
            return [outcome] * len(asks)
        return _by_id(outcome.data.get("responses"), len(asks))

    async def _send(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Outcome:
        import httpx
        from azure.core.exceptions import AzureError
        from kiota_abstractions.method import Method
        from kiota_abstractions.request_information import RequestInformation

        request = RequestInformation(Method(method))
        request.url = url
        request.add_request_options([self._raw])
        request.headers.add("Accept", "application/json")
        request.headers.add("client-request-id", str(uuid.uuid4()))
        for name, value in headers.items():
            request.headers.add(name, value)
        if content is not None:
            request.headers.add("Content-Type", "application/json")
            request.content = content
        try:
            response = await self._adapter.send_primitive_async(request, "bytes", {})
        except AzureError as error:
            # The token could not be fetched for now; a refusal is a DsiError and goes through.
            if refused_certificate(error):
                raise untrusted(self.endpoint.authority, error) from error
            answered = getattr(getattr(error, "response", None), "headers", None) or {}
            return Broken(error, sent=False, retry_after=answered.get("Retry-After"))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            self.http += 1
            if refused_certificate(error):
                raise untrusted(self.base_url, error) from error
            return Broken(error, sent=False)
        except httpx.TransportError as error:
            self.http += 1
            return Broken(error, sent=True)
        self.http += 1
        if response.status_code == 401:
            await self.tokens.forget(response.request.headers.get("Authorization", ""))
        return Answer.from_bytes(response.status_code, response.headers, response.content)

    async def token(self) -> AccessToken:
        """Return the token in use.

        Raises:
            SignInRefusedError, UnreachableError: there is none.
        """
        from azure.core.exceptions import AzureError

        try:
            return await self.tokens.get_token(self.endpoint.scope, enable_cae=True)
        except AzureError as error:
            detail = {"cause": type(error).__name__}
            raise unanswered(T("sign in"), on=None, server=self.endpoint.authority, detail=detail) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self.tokens.close()


def _pattern(builder: Any, names: Sequence[str]) -> Sequence[str]:
    """Return the URL of a request builder in parts: text, number of a value of its query, text, and so on."""
    from kiota_abstractions.request_information import RequestInformation

    request = RequestInformation(None, builder.url_template, dict(builder.path_parameters))
    request.path_parameters["baseurl"] = ""
    for number, name in enumerate(names):
        request.query_parameters[f"%24{name}"] = f"{_PLACE}-{number}-"
    return _VALUE.split(_ENCODED_NAME.sub(r"\1$", request.url))


def _keep_quiet() -> None:
    """Keep what these libraries log off the terminal: without a handler, Python prints their warnings there.

    What is wrong is told once, by the error; who sets logging up still gets all of it.
    """
    for name in ("azure", "msal", "httpx", "httpcore"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _item(number: str, ask: Ask) -> Mapping[str, Any]:
    headers = {**LOW_PRIORITY, **ask.headers}
    item: dict[str, Any] = {"id": number, "method": ask.method, "url": ask.url}
    if ask.body is not None:
        item["body"] = ask.body
        headers["Content-Type"] = "application/json"
    return {**item, "headers": headers}


def _by_id(responses: object, count: int) -> Sequence[Outcome]:
    """Return the answers of a batch, which come in any order, in the order of its requests."""
    found: dict[str, Answer] = {}
    for item in responses if isinstance(responses, list) else ():
        if isinstance(item, dict) and (answer := Answer.from_item(item)) is not None:
            found[str(item.get("id"))] = answer
    absent = Broken(LookupError("no answer in the batch"), sent=True)
    return [found.get(str(number), absent) for number in range(1, count + 1)]
