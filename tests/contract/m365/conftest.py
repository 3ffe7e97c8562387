"""A small strict tenant over https: Microsoft's shapes as recorded, refusing what the real one refuses."""

import asyncio
import base64
import json
import re
import ssl
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from dsi_automation.connectors.m365.client import Connection, GraphReader
from dsi_automation.connectors.m365.port import SyncTarget, TenantEndpoint
from dsi_automation.connectors.m365.writer import GraphWriter
from dsi_automation.core.secrets import Secret

TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
APP_SECRET = "q8Q~the-secret-of-the-application"
CLAUSE = re.compile(r"(?:(\w+) eq '((?:[^']|'')*)'|proxyAddresses/any\(x:x eq '((?:[^']|'')*)'\))(?: or |$)")
SKU = "18181a46-0d4e-45cd-891e-60aabd171b4e"


SDK_WARNINGS = (
    "ignore:GetQueryParameters is deprecated:DeprecationWarning",
    "ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning",
)


def pytest_collection_modifyitems(items):
    """The SDK warns of itself when it is imported."""
    for item in items:
        if "contract/m365" in item.nodeid:
            for text in SDK_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(text))


def fault(code, message, *, details=(), status=400):
    inner = {"date": "2026-11-21T20:00:00", "request-id": "req-1", "client-request-id": "cli-1"}
    error = {"code": code, "message": message, "innerError": inner}
    return status, {}, {"error": {**error, "details": list(details)} if details else error}


def bad(message, **options):
    return fault("Request_BadRequest", message, **options)


@dataclass
class Fault:
    """Answers given in place of the tenant's own, in turn, to requests that match."""

    method: str
    pattern: str
    answers: list
    after: bool = False  # the request is carried out first, its answer lost
    drop: bool = False


@dataclass
class Graph:
    url: str = ""
    users: dict = field(default_factory=dict)
    deleted: list = field(default_factory=list)
    groups: list = field(default_factory=list)
    contacts: list = field(default_factory=list)
    seats: int = 300
    faults: list = field(default_factory=list)
    hidden: dict = field(default_factory=dict)  # id of a user -> how often it is not found yet
    unsearchable: int = 0  # how often a search does not show the newest user
    location_lag: int = 0
    page: int = 100
    token_faults: list = field(default_factory=list)
    tokens: int = 0
    token: str = ""
    expires_in: int = 3600
    roles: tuple = ("User.Read.All",)
    requests: list = field(default_factory=list)
    http: list = field(default_factory=list)
    sent: list = field(default_factory=list)
    in_flight: int = 0
    gate: threading.Event | None = None

    def add(self, **properties):
        one = {"id": str(uuid.uuid4()), "accountEnabled": True, "assignedLicenses": [], **properties}
        self.users[one["id"]] = one
        return one["id"]

    def fail(self, method, pattern, *answers, after=False, drop=False):
        self.faults.append(Fault(method, pattern, list(answers), after, drop))

    # --- carrying out ---
    def serve(self, method, target, headers, body):
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((method, parts.path, query, headers, body))
        lost = next((f for f in self.faults if f.answers and f.method == method and re.search(f.pattern, target)), None)
        if lost is None:
            return self.carry(method, parts.path, query, headers, body)
        answer = lost.answers.pop(0)
        if lost.after:
            self.carry(method, parts.path, query, headers, body)
        return "drop" if lost.drop else answer

    def carry(self, method, path, query, headers, body):
        if method == "GET" and "$select" not in query:
            return bad("No $select.")
        if method in ("POST", "PATCH") and headers.get("content-type") != "application/json" and body:
            return bad("Content-Type header is required.")
        for pattern, handler in self.routes():
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return handler(*found.groups(), query=query, headers=headers, body=body)
        return fault("Request_ResourceNotFound", f"no route {method} {path}", status=404)

    def routes(self):
        return [
            ("GET /organization", lambda **_: (200, {}, {"value": [ORGANISATION]})),
            ("GET /subscribedSkus", self.skus),
            ("GET /users", lambda **k: self.listing(list(self.users.values()), "/users", **k)),
            ("GET /groups", lambda **k: self.listing(self.groups, "/groups", **k)),
            ("GET /contacts", lambda **k: self.listing(self.contacts, "/contacts", **k)),
            ("GET (/directory/deletedItems/graph.user)", lambda p, **k: self.listing(self.deleted, p, **k)),
            ("GET /users/([^/]+)", self.read),
            ("GET /users/([^/]+)/mailboxSettings", self.mailbox),
            ("POST /users", self.create),
            ("PATCH /users/([^/]+)", self.patch),
            ("POST /users/([^/]+)/assignLicense", self.assign),
            ("POST /users/([^/]+)/revokeSignInSessions", lambda *_, **__: (200, {}, {"value": True})),
            ("POST /users/([^/]+)/sendMail", lambda *_, body, **__: self.sent.append(body) or (202, {}, None)),
            (
                "POST /servicePrincipals/sp-1/synchronization/jobs/job-1/provisionOnDemand",
                lambda **_: (200, {}, {"key": "Status", "value": "[]"}),
            ),
        ]

    def skus(self, query, **_):
        if "$filter" in query:
            return fault("Request_UnsupportedQuery", "no $filter here")
        used = sum(SKU in str(one["assignedLicenses"]) for one in self.users.values())
        units = {"enabled": self.seats, "warning": 2, "suspended": 50, "lockedOut": 0}
        plans = [{"servicePlanName": "EXCHANGE_S_STANDARD"}]
        one = {"skuId": SKU, "skuPartNumber": "STANDARDPACK", "capabilityStatus": "Enabled", "appliesTo": "User"}
        company = {
            "skuId": "c",
            "skuPartNumber": "WINDOWS_STORE",
            "appliesTo": "Company",
            "capabilityStatus": "Enabled",
        }
        return (
            200,
            {},
            {"value": [{**one, "consumedUnits": used, "prepaidUnits": units, "servicePlans": plans}, company]},
        )

    def listing(self, objects, path, query, headers, **_):
        found = objects
        if text := query.get("$filter"):
            clauses = CLAUSE.findall(text)
            if CLAUSE.sub("", text) or len(clauses) > 15:
                return fault("Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
            wanted = [(name or "proxyAddresses", (a or b).replace("''", "'").lower()) for name, a, b in clauses]
            found = [one for one in objects if any(value in values(one, name) for name, value in wanted)]
            if found and self.unsearchable:
                self.unsearchable -= 1
                found = []
        start, size = int(query.get("$skiptoken", 0)), min(self.page, int(query.get("$top", 100)))
        answer = {"value": [chosen(one, query) for one in found[start : start + size]]}
        if start + size < len(found):
            kept = "&".join(f"{name}={value}" for name, value in query.items() if name != "$skiptoken")
            answer["@odata.nextLink"] = f"{self.url}/v1.0{path}?{kept.replace(' ', '%20')}&$skiptoken={start + size}"
        return 200, {}, answer

    def one(self, user_id):
        if self.hidden.get(user_id, 0):
            self.hidden[user_id] -= 1
            return None
        return self.users.get(user_id)

    def read(self, user_id, query, **_):
        found = self.one(user_id)
        return (200, {}, chosen(found, query)) if found else absent(user_id)

    def mailbox(self, user_id, **_):
        if self.users.get(user_id, {}).get("ready"):
            return 200, {}, {"timeZone": "UTC"}
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        return fault("MailboxNotEnabledForRESTAPI", message, status=404)

    def create(self, body, **_):
        taken = {one["userPrincipalName"].lower() for one in self.users.values()}
        if body["userPrincipalName"].lower() in taken:
            message = "Another object with the same value for property userPrincipalName already exists."
            return bad(message, details=[{"code": "ObjectConflict", "target": "userPrincipalName", "message": message}])
        assert {"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"} <= set(body)
        user_id = self.add(**{name: value for name, value in body.items() if name != "passwordProfile"})
        self.hidden[user_id] = self.hidden.get("new", 0)
        return 201, {}, {"id": user_id, "userPrincipalName": body["userPrincipalName"], "employeeId": None}

    def patch(self, user_id, body, **_):
        found = self.one(user_id)
        if found is None:
            return absent(user_id)
        if found.get("onPremisesSyncEnabled") and "accountEnabled" in body:
            return bad("Unable to update the specified properties for on-premises mastered Directory Sync objects.")
        found.update(body)
        return 204, {}, None

    def assign(self, user_id, body, **_):
        if set(body) != {"addLicenses", "removeLicenses"}:
            return bad("One or more parameters of the operation are missing.")
        found = self.one(user_id)
        if found is None:
            return absent(user_id)
        held = {one["skuId"] for one in found["assignedLicenses"]}
        if body["addLicenses"] and (not found.get("usageLocation") or self.location_lag):
            self.location_lag = max(0, self.location_lag - 1)
            return bad("License assignment cannot be done for user with invalid usage location.")
        if not set(body["removeLicenses"]) <= held:
            return bad("User does not have a corresponding license.")
        added = {one["skuId"] for one in body["addLicenses"]} - held
        if added and self.skus({})[2]["value"][0]["consumedUnits"] >= self.seats:
            return bad(f"Subscription with SKU {SKU} does not have any available licenses.")
        found["assignedLicenses"] = [{"skuId": sku} for sku in sorted((held | added) - set(body["removeLicenses"]))]
        return 200, {}, {"id": user_id}

    # --- over https ---
    async def handle(self, request):
        body = await request.json() if request.can_read_body else None
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.http.append((request.method, request.path))
        if headers.get("authorization") != f"Bearer {self.token}":
            return web.json_response({"error": {"code": "InvalidAuthenticationToken", "message": "no"}}, status=401)
        if self.gate is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.gate.wait)
        target = request.raw_path.removeprefix("/v1.0")
        answer = self.batch(body) if target == "/$batch" else self.serve(request.method, target, headers, body)
        if answer == "drop":
            request.transport.abort()
            return web.Response()
        status, more, data = answer
        if isinstance(data, str):
            return web.Response(status=status, headers=more, text=data, content_type="text/html")
        content = b"" if data is None else json.dumps(data).encode()
        return web.Response(status=status, headers=more, body=content, content_type="application/json")

    def batch(self, body):
        items = body["requests"]
        ids = [item["id"].lower() for item in items]
        if (
            not 1 <= len(items) <= 20
            or len(set(ids)) != len(ids)
            or any(not item["url"].startswith("/") for item in items)
        ):
            return bad("Invalid batch payload format.")
        whole = next((f for f in self.faults if f.answers and f.method == "POST" and f.pattern == "^/\\$batch"), None)
        if whole is not None:
            return "drop" if whole.drop and whole.answers.pop(0) is None else whole.answers.pop(0)
        responses = []
        for item in items:
            headers = {name.lower(): value for name, value in item.get("headers", {}).items()}
            answer = self.serve(item["method"], item["url"], headers, item.get("body"))
            if answer != "drop":
                status, more, data = answer
                responses.append({"id": item["id"], "status": status, "headers": more, "body": data})
        return 200, {}, {"responses": responses[::-1]}  # any order

    async def give_token(self, request):
        form = await request.post()
        self.tokens += 1
        if self.token_faults:
            status, more, data = self.token_faults.pop(0)
            return web.json_response(data, status=status, headers=more)
        right = form.get("client_secret") == APP_SECRET or form.get("client_assertion")
        if not right or form["client_id"] != CLIENT or form["scope"] != "https://graph.microsoft.com/.default":
            return web.json_response(aadsts("7000215", "Invalid client secret provided."), status=401)
        claims = base64.urlsafe_b64encode(json.dumps({"roles": self.roles, "n": self.tokens}).encode()).decode()
        self.token = f"eyJhbGciOiJub25lIn0.{claims.rstrip('=')}.signature-of-the-token"
        return web.json_response({"token_type": "Bearer", "expires_in": self.expires_in, "access_token": self.token})


def aadsts(code, text):
    ids = "Trace ID: 0000-aa Correlation ID: 1111-bb Timestamp: 2026-11-21 20:00:00Z"
    return {"error": "invalid_client", "error_description": f"AADSTS{code}: {text} {ids}", "error_codes": [int(code)]}


def absent(user_id):
    message = f"Resource '{user_id}' does not exist or one of its queried reference-property objects are not present."
    return fault("Request_ResourceNotFound", message, status=404)


def values(one, name):
    given = one.get(name)
    return {str(item).lower() for item in (given if isinstance(given, list) else [given])}


def chosen(one, query):
    return {name: one[name] for name in ("id", *query["$select"].split(",")) if name in one}


ORGANISATION = {
    "id": TENANT,
    "displayName": "Douanes",
    "verifiedDomains": [
        {"name": "Douaneslab.onmicrosoft.com", "isDefault": False, "isInitial": True},
        {"name": "douanes.lab", "isDefault": True, "isInitial": False},
    ],
    "onPremisesSyncEnabled": True,
    "onPremisesLastSyncDateTime": "2026-11-21T19:30:00Z",
}


@dataclass(frozen=True)
class Papers:
    ca: str
    chain: str
    app: str


def certificate(subject, key, issuer, issuer_key, *, ca=False):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if ca:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        import ipaddress

        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="session")
def papers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m365")
    root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    root = certificate("Test CA", root_key, None, root_key, ca=True)
    leaf = certificate("127.0.0.1", key, root.subject, root_key)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(private + leaf.public_bytes(pem))
    (folder / "app.pem").write_bytes(private + leaf.public_bytes(pem))
    return Papers(*(str(folder / name) for name in ("ca.pem", "server.pem", "app.pem")))


@pytest.fixture(scope="session")
def listener(papers):
    """The https server, for the session; each test hands it a tenant of its own."""
    served = {}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def give_token(request):
        return await served["graph"].give_token(request)

    async def handle(request):
        return await served["graph"].handle(request)

    async def start():
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", give_token)
        app.router.add_route("*", "/v1.0/{rest:.*}", handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(papers.chain)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    served["url"] = f"https://127.0.0.1:{port}"
    yield served

    async def stop():
        # Connections that clients keep open end now; a transport closes its socket in the loop's next round.
        left = [handler.transport for handler in runner.server.connections]
        await runner.cleanup()
        for transport in left:
            if transport is not None:
                transport.abort()
        closed = loop.create_future()
        loop.call_soon(closed.set_result, None)  # after what the aborts have put there
        await closed

    asyncio.run_coroutine_threadsafe(stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def graph(listener):
    listener["graph"] = Graph(url=listener["url"])
    return listener["graph"]


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.seconds = 0.0
        self.waits = []

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.seconds += seconds

    async def pause(self, seconds):
        self.sleep(seconds)


class Permit:
    def __init__(self):
        self.asked = []
        self.refuses = None

    def check(self, target):
        self.asked.append(target)
        if self.refuses is not None:
            raise self.refuses


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def permit():
    return Permit()


@pytest.fixture
def endpoint(graph, papers):
    return TenantEndpoint(
        tenant_id=TENANT,
        client_id=CLIENT,
        base_url=f"{graph.url}/v1.0",
        authority=graph.url,
        scope="https://graph.microsoft.com/.default",
        ca_file=papers.ca,
        secret=Secret(APP_SECRET),
        public_authority=False,
        timeout=10,
    )


@pytest.fixture
def connection(endpoint, clock):
    made = Connection(endpoint, clock, clock.pause)
    yield made
    made.close()


@pytest.fixture
def reader(connection):
    return GraphReader(connection)


@pytest.fixture
def writer(connection, permit):
    return GraphWriter(connection, permit, SyncTarget("sp-1", "job-1", "rule-1"))
