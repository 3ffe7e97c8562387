"""Tokens for the application: by certificate, secret or managed identity, through azure-identity.

Its own retries are turned off: there is one layer of retry (`retry`).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from dsi_automation.connectors.m365.errors import SignInRefusedError
from dsi_automation.connectors.m365.port import TenantEndpoint
from dsi_automation.core import secrets
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

EARLY: Final = 300
"""Seconds before a token's end at which another is asked for."""

_CHECK: Final = T("Correct dsi_m365 in the inventory, then try `dsi doctor m365`.")

REASONS: Final[Mapping[str, tuple[Text, Text]]] = MappingProxyType(
    {
        "7000215": (
            T("The application's secret is wrong."),
            T("Store its value, not its identifier, again; a certificate is safer: `dsi_m365.certificate`."),
        ),
        "7000222": (
            T("The application's secret has expired."),
            T("Have an administrator of the tenant make another, or better a certificate, and store it."),
        ),
        "700016": (T("The tenant knows no application of this identifier."), _CHECK),
        "90002": (T("No tenant of this name or identifier exists in this cloud."), _CHECK),
        "900023": (T("What stands as tenant_id is neither an identifier nor a domain."), _CHECK),
        "700027": (
            T("The tenant does not know the application's certificate, or it has expired."),
            T("Have an administrator add the public part of this certificate to the application, or renew it."),
        ),
        "700024": (
            T("Microsoft finds the time of this machine wrong."),
            T("Set its clock right (`timedatectl`), then try `dsi doctor m365`."),
        ),
        "7000229": (
            T("The application is registered, but not in this tenant."),
            T("Have an administrator of the tenant consent to it."),
        ),
        "7000112": (
            T("The application is disabled in the tenant."),
            T("Ask an administrator of the tenant why, and have it enabled."),
        ),
        "53003": (
            T("A conditional access policy of the tenant keeps the application out."),
            T("Ask an administrator of the tenant to let this machine's address in."),
        ),
        "500011": (T("The tenant does not know Microsoft Graph under this scope."), _CHECK),
    }
)
"""What the codes of the token endpoint mean (learn.microsoft.com/entra/identity-platform/reference-error-codes)."""


class Tokens:
    """What the SDK asks for its token: one at a time for all, kept until shortly before its end, known to `redact`."""

    def __init__(self, endpoint: TenantEndpoint, clock: Clock) -> None:
        """Read the certificate, if that is the proof.

        Raises:
            UsageError: the file cannot be used.
        """
        self._endpoint = endpoint
        self._clock = clock
        self._credential = _credential(endpoint)
        self._lock = asyncio.Lock()
        self._held: AccessToken | None = None

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """Return a token good for some minutes; `claims` asks for another one, as a challenge of Graph's says.

        Raises:
            SignInRefusedError: the application is not let in.
            azure.core.exceptions.AzureError: no answer, or none that settles it: for the layer of retry.
        """
        from azure.core.exceptions import ClientAuthenticationError

        async with self._lock:
            held = self._held
            if held is not None and claims is None and held.expires_on - self._clock.now().timestamp() > EARLY:
                return held
            wanted: dict[str, Any] = {"tenant_id": tenant_id, "enable_cae": enable_cae}
            try:
                self._held = await self._credential.get_token(*scopes, claims=claims, **wanted)
            except ClientAuthenticationError as error:
                if passing(error):
                    raise
                raise _refused(error, self._endpoint) from error
            secrets.register(self._held.token)
            return self._held

    async def forget(self, bearer: str) -> None:
        """Drop the token that Graph did not accept, unless another has taken its place; azure-identity keeps one too.

        Args:
            bearer: the header it was sent in.
        """
        async with self._lock:
            if self._held is None or bearer != f"Bearer {self._held.token}":
                return
            self._held = None
            refused, self._credential = self._credential, _credential(self._endpoint)
            await refused.close()

    async def close(self) -> None:
        """Close the connections of the credential."""
        await self._credential.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def passing(error: Exception) -> bool:
    """Tell whether the token endpoint only failed for now."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return isinstance(status, int) and (status == 429 or status >= 500)


def roles(token: str) -> frozenset[str]:
    """Return the roles claim of an access token: the application permissions that were granted."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return frozenset(str(role) for role in claims.get("roles", ()))
    except (IndexError, ValueError, AttributeError, TypeError):
        # Graph's tokens are opaque by contract: without the claim, what is granted shows when it is used.
        return frozenset()


def certificate_ends(path: str | None) -> datetime | None:
    """Return when the application's certificate ends; None without one.

    Raises:
        UsageError: the file holds none.
    """
    if path is None:
        return None
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(Path(path).read_bytes())[0].not_valid_after_utc
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error


def trust(ca_file: str | None) -> ssl.SSLContext:
    """Return whose certificates are trusted: of a test's CA, else of the system's, where a department puts its own.

    Raises:
        UsageError: the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise UsageError(
            T("The file of certification authorities cannot be used: {path}.", path=ca_file),
            next_step=T("Check dsi_m365.ca_file in the inventory: a PEM file is expected."),
            detail={"cause": type(error).__name__},
        ) from error


def _credential(endpoint: TenantEndpoint) -> AsyncTokenCredential:
    from azure.core.pipeline.transport import AsyncioRequestsTransport
    from azure.identity.aio import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential

    # The transport over requests, which is installed anyway: the default one would want aiohttp as well.
    transport = AsyncioRequestsTransport(
        connection_verify=_authorities(endpoint.ca_file),
        connection_timeout=endpoint.timeout,
        read_timeout=endpoint.timeout,
    )
    options: dict[str, Any] = {"transport": transport, "retry_total": 0}
    if endpoint.managed_identity:
        return ManagedIdentityCredential(client_id=endpoint.client_id, **options)
    options["authority"] = endpoint.authority
    options["disable_instance_discovery"] = not endpoint.public_authority
    try:
        if endpoint.secret is not None:
            secret = endpoint.secret.reveal()
            return ClientSecretCredential(endpoint.tenant_id, endpoint.client_id, secret, **options)
        if endpoint.certificate is not None:
            password = endpoint.certificate_password
            return CertificateCredential(
                endpoint.tenant_id,
                endpoint.client_id,
                endpoint.certificate,
                password=None if password is None else password.reveal(),
                **options,
            )
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(endpoint.certificate or endpoint.authority, error) from error
    raise UsageError(
        T("Nothing says how the application proves who it is to Microsoft 365."),
        next_step=T("Set certificate, secret or managed_identity of dsi_m365 in the inventory."),
    )


def _authorities(ca_file: str | None) -> str | bool:
    """Return the CAs to trust: the given ones, else the system's, where a department puts its proxy's."""
    if ca_file is not None:
        return ca_file
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


def _unusable(path: str, error: Exception) -> UsageError:
    return UsageError(
        T("The application cannot sign in to Microsoft 365 with {path}.", path=path),
        meaning=T("A PEM file with the certificate and its RSA private key is expected, and an https authority."),
        next_step=T("Check the file, its password and dsi_m365 in the inventory."),
        detail={"cause": type(error).__name__},
    )


def _refused(error: Exception, endpoint: TenantEndpoint) -> SignInRefusedError:
    message = str(error)
    codes = re.findall(r"AADSTS(\d+)", message)
    known = next((code for code in codes if code in REASONS), None)
    detail: dict[str, Any] = {"tenant": endpoint.tenant_id, "client": endpoint.client_id}
    if codes:
        detail["aadsts"] = codes[0]
    for name, pattern in (("trace_id", r"Trace ID: ([\w-]+)"), ("correlation_id", r"Correlation ID: ([\w-]+)")):
        if found := re.search(pattern, message):
            detail[name] = found[1]
    if known is not None:
        what, next_step = REASONS[known]
    elif endpoint.managed_identity:
        what = T("This machine has no managed identity that may sign in.")
        next_step = T("Assign one to the machine in Azure, or set certificate of dsi_m365 in the inventory.")
    else:
        what, next_step = T("Microsoft Entra does not let the application in."), _CHECK
    return SignInRefusedError(
        what, meaning=T("Nothing was read or changed in the tenant."), next_step=next_step, detail=detail
    )
