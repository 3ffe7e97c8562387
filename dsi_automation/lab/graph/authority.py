"""The token endpoint: who the application says it is, proven by a secret or a signed assertion, and what it may do.

Sources: Microsoft identity platform, "OAuth 2.0 client credentials flow", "Application authentication certificate
credentials", "Access token claims reference", "Error codes" (AADSTS); the JSON of a refusal as published in
sap-automation issue 418 and microsoft-365-agents-toolkit issue 8621.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from dsi_automation.lab.graph import jwt
from dsi_automation.lab.graph.errors import bad_token
from dsi_automation.lab.graph.tenant import Tenant

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW: Final = 300.0
"""Seconds by which clocks may differ."""
GRAPH: Final = "https://graph.microsoft.com"
REMEMBERED: Final = 1000
"""Tokens whose signature is not checked again."""
_EXPIRED: Final = "Lifetime validation failed, the token is expired."


@dataclass(eq=False)
class AuthorityError(Exception):
    """A refusal of the token endpoint: `AADSTS<number>: <sentence>`."""

    number: str
    error: str
    sentence: str
    status: int = 400

    def body(self, correlation: str, now: float, base: str) -> dict[str, Any]:
        """Return the JSON body."""
        trace = str(uuid4())
        at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        said = f"AADSTS{self.number}: {self.sentence} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"
        return {
            "error": self.error,
            "error_description": said,
            "error_codes": [int(self.number)],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"{base}/error?code={self.number}",
        }


class Authority:
    """Issues and checks access tokens for one tenant and one application."""

    def __init__(self, tenant: Tenant) -> None:
        from cryptography.hazmat.primitives.asymmetric import rsa

        self._tenant = tenant
        self._app = tenant.settings.app
        self._key = rsa.generate_private_key(65537, 2048) if tenant.signing_key is None else _load(tenant.signing_key)
        tenant.signing_key = _pem(self._key)
        self._known: dict[str, dict[str, Any]] = {}
        self._certificates = self._read_certificates()
        secret = self._app.secret_file
        self._secret = secret.read_text(encoding="utf-8").rstrip("\n") if secret is not None else None

    def knows(self, tenant: str) -> bool:
        """Tell whether this is the tenant: its id or one of its domains."""
        return tenant.lower() in {self._tenant.settings.tenant_id, *(name.lower() for name in self._tenant.domains)}

    def configuration(self, tenant: str, base: str) -> dict[str, Any]:
        """Return the OpenID configuration (OpenID Connect Discovery 1.0, 3)."""
        self._check_tenant(tenant)
        identifier = self._tenant.settings.tenant_id
        return {
            "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{base}/{identifier}/v2.0",
            "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
            "end_session_endpoint": f"{base}/{tenant}/oauth2/v2.0/logout",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce"],
            "tenant_region_scope": "AF",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }

    def keys(self) -> dict[str, Any]:
        """Return the public key of the tokens (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        modulus, exponent = (
            jwt.encode(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.n, numbers.e)
        )
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": "lab", "n": modulus, "e": exponent}]}

    def token(self, tenant: str, form: Mapping[str, str], base: str) -> dict[str, Any]:
        """Answer a token request.

        Raises:
            AuthorityError: it is refused.
        """
        self._check_tenant(tenant)
        grant = form.get("grant_type")
        if grant != "client_credentials":
            raise AuthorityError(
                "70003", "unsupported_grant_type", f"The app requested an unsupported grant type '{grant}'."
            )
        client = form.get("client_id", "")
        if client.lower() != self._app.client_id.lower():
            raise AuthorityError(
                "700016",
                "unauthorized_client",
                f"Application with identifier '{client}' was not found in the directory "
                f"'{self._tenant.settings.tenant_name}'. This can happen if the application has not been installed by "
                "the administrator of the tenant or consented to by any user in the tenant.",
            )
        scope = form.get("scope", "")
        if not scope.endswith("/.default") or " " in scope:
            raise AuthorityError(
                "1002012",
                "invalid_scope",
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with /.default suffixed to the resource identifier (application ID URI).",
            )
        self._authenticate(tenant, form, base)
        return self._issue(base)

    def claims(self, header: str | None) -> dict[str, Any]:
        """Return the claims of the token a request bears.

        Raises:
            GraphError: there is none, it is not ours, or it is too old.
        """
        if not header:
            raise bad_token("Access token is empty.")
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise bad_token("Access token is empty.")
        claims = self._known.get(token)
        if claims is None:
            try:
                _, claims = jwt.parts(token)
                jwt.verify(token, self._key.public_key(), "RS256")
            except jwt.TokenError as error:
                raise bad_token("IDX14100: JWT is not well formed or its signature is invalid.") from error
        now = self._tenant.store.now()
        if now >= claims["exp"] or claims["iat"] < self._tenant.tokens_valid_from:
            self._known.pop(token, None)
            raise bad_token(_EXPIRED)
        return claims

    def _issue(self, base: str) -> dict[str, Any]:
        now = self._tenant.store.now()
        identifier = self._tenant.settings.tenant_id
        service = hashlib.sha256(self._app.client_id.encode()).hexdigest()[:32]
        claims = {
            "aud": GRAPH,
            "iss": f"{base}/{identifier}/",
            "iat": now,
            "nbf": int(now),
            "exp": now + self._app.token_seconds,
            "app_displayname": self._app.name,
            "appid": self._app.client_id,
            "appidacr": "2" if self._certificates else "1",
            "idtyp": "app",
            "oid": service,
            "roles": list(self._tenant.roles),
            "sub": service,
            "tid": identifier,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
        }
        token = jwt.sign({"typ": "JWT", "kid": "lab"}, claims, self._key)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = claims
        return {
            "token_type": "Bearer",
            "expires_in": int(self._app.token_seconds),
            "ext_expires_in": int(self._app.token_seconds),
            "access_token": token,
        }

    def _check_tenant(self, tenant: str) -> None:
        if not self.knows(tenant):
            raise AuthorityError(
                "90002",
                "invalid_request",
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud.",
            )

    def _authenticate(self, tenant: str, form: Mapping[str, str], base: str) -> None:
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION:
                raise AuthorityError("900144", "invalid_request", "The request has no known 'client_assertion_type'.")
            self._check_assertion(tenant, form["client_assertion"], base)
            return
        if "client_secret" not in form:
            raise AuthorityError(
                "7000218",
                "invalid_client",
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
                401,
            )
        if self._secret is None or not secrets.compare_digest(form["client_secret"].encode(), self._secret.encode()):
            raise AuthorityError(
                "7000215",
                "invalid_client",
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{self._app.client_id}'.",
                401,
            )

    def _check_assertion(self, tenant: str, assertion: str, base: str) -> None:
        try:
            header, claims = jwt.parts(assertion)
        except jwt.TokenError as error:
            raise AuthorityError("50027", "invalid_request", "JWT token is invalid or malformed.") from error
        key = next((self._certificates[one] for one in _thumbprints(header) if one in self._certificates), None)
        if key is None:
            raise _not_signed("The key was not found.")
        try:
            jwt.verify(assertion, key, str(header.get("alg")))
        except jwt.TokenError as error:
            raise _not_signed("The key was found, but the signature does not fit it.") from error
        self._check_claims(tenant, claims, base)

    def _check_claims(self, tenant: str, claims: Mapping[str, Any], base: str) -> None:
        client = self._app.client_id
        if claims.get("iss") != client or claims.get("sub") != client:
            raise AuthorityError(
                "700021",
                "invalid_client",
                "Client assertion application identifier doesn't match 'client_id' parameter.",
                401,
            )
        names = {tenant, self._tenant.settings.tenant_id}
        audiences = {f"{base}/{name}{path}" for name in names for path in ("/oauth2/v2.0/token", "/v2.0")}
        if claims.get("aud") not in audiences:
            raise AuthorityError(
                "700023", "invalid_client", "Client assertion audience claim does not match Realm issuer.", 401
            )
        now = self._tenant.store.now()
        until, since = claims.get("exp"), claims.get("nbf", now)
        if not isinstance(until, int | float) or until + SKEW <= now or since - SKEW > now:
            raise AuthorityError(
                "700024", "invalid_client", "Client assertion is not within its valid time range.", 401
            )

    def _read_certificates(self) -> dict[str, RSAPublicKey]:
        """Return the application's public key by its thumbprints, SHA-1 (x5t) and SHA-256 (x5t#S256)."""
        if self._app.certificate_file is None:
            return {}
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import Encoding

        certificate = x509.load_pem_x509_certificate(self._app.certificate_file.read_bytes())
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise TypeError(type(key).__name__)
        der = certificate.public_bytes(Encoding.DER)
        sha1 = hashlib.sha1(der, usedforsecurity=False).digest()
        return {jwt.encode(sha1): key, jwt.encode(hashlib.sha256(der).digest()): key}


def _load(pem: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(type(key).__name__)
    return key


def _pem(key: RSAPrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _thumbprints(header: Mapping[str, Any]) -> list[str]:
    """Return the thumbprints of an assertion; MSAL for Python pads them, RFC 7515 does not."""
    return [str(header[name]).rstrip("=") for name in ("x5t#S256", "x5t") if name in header]


def _not_signed(reason: str) -> AuthorityError:
    return AuthorityError(
        "700027", "invalid_client", f"Client assertion contains an invalid signature. [Reason - {reason}]", 401
    )
