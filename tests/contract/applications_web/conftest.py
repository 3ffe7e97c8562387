"""A small web application in this process: cookies, a hidden field against forgery, faults that can be switched on."""

import secrets
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from dsi_automation.connectors.applications.port import StepSettings, TestSettings
from dsi_automation.connectors.applications.web import WebTester
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.ca import Authority

USER, PASSWORD = "essai", "Mot&De=Passe d'été {user}"
STEPS = (
    StepSettings("page", "/sydam/", None, 200, "Connexion", None),
    StepSettings("login", "/sydam/login", (("user", "{user}"), ("pass", "{password}")), 200, "Bienvenue", "refusée"),
    StepSettings("query", "/sydam/declarations?id=1", None, 200, "Déclaration 1", None),
    StepSettings("logout", "/sydam/logout", (("ok", "1"),), 200, "Au revoir", None),
)


@dataclass
class Application:
    """What the application knows, and what is wrong with it.

    Attributes:
        faults: path to what it does instead: called with the handler.
        seen: method, path and form of each request.
    """

    sessions: dict = field(default_factory=dict)
    faults: dict = field(default_factory=dict)
    seen: list = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    base: str = ""

    @property
    def paths(self):
        return [f"{method} {path}" for method, path, _ in self.seen]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, text, status=200, charset="utf-8", phrase=None, **headers):
        content = text.encode(charset)
        self.send_response(status, phrase)
        for name, value in {
            "Content-Type": f"text/html; charset={charset}", "Content-Length": str(len(content)), **headers,
        }.items():  # fmt: skip
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def moved(self, where, status=302, **headers):
        self.answer("", status, Location=where, **headers)

    @property
    def session(self):
        cookies = dict(
            part.strip().split("=", 1) for part in (self.headers.get("Cookie") or "").split(";") if "=" in part
        )
        return cookies.get("JSESSIONID", "")

    def do_GET(self):
        self.handle_with({})

    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.handle_with(
            {name: values[0] for name, values in parse_qs(content.decode(), keep_blank_values=True).items()}
        )

    def handle_with(self, form):
        application = self.server.application
        path = self.path.split("?")[0]
        application.seen.append((self.command, self.path, form))
        if path in application.faults:
            application.faults[path](self)
            return
        getattr(self, "on_" + (path.removeprefix("/sydam/") or "page"), self.absent)(application, form)

    def absent(self, *_):
        self.answer("absent", 404)

    def on_page(self, application, _form):
        token, session = secrets.token_hex(8), secrets.token_hex(8)
        application.sessions[session] = {"token": token, "user": None}
        form = f'<form><input type=hidden name=_csrf value="{token}"><input name=user></form>'
        self.answer(
            f"<title>SYDAM</title>Connexion{form}",
            Set_Cookie=f"JSESSIONID={session}; Path=/sydam; HttpOnly",
        )

    def on_login(self, application, form):
        known = application.sessions.get(self.session)
        right = known and form == {"_csrf": known["token"], "user": USER, "pass": PASSWORD}
        if not right or "Referer" not in self.headers:
            self.answer("<title>SYDAM</title>Connexion refusée")
            return
        known["user"] = USER
        self.moved("home", 303)

    def on_home(self, application, _form):
        known = application.sessions.get(self.session)
        self.answer(f'Bienvenue<form><input type=hidden name=_csrf value="{known["token"]}"></form>')

    def on_declarations(self, application, _form):
        logged_in = (application.sessions.get(self.session) or {}).get("user")
        self.answer("D&eacute;claration 1" if logged_in else "Connexion", 200 if logged_in else 403)

    def on_logout(self, application, form):
        known = application.sessions.get(self.session)
        if known and form.get("_csrf") == known["token"]:
            known["user"] = None
            self.answer("Au revoir")
        else:
            self.answer("Non", 403)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: a client that goes away is what is tested."""


def serve(application, certificate=None):
    server = Server(("127.0.0.1", 0), Handler)
    server.application = application
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    application.base = f"{scheme}://127.0.0.1:{server.server_address[1]}"

    def stop():
        application.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


@pytest.fixture
def application():
    made = Application()
    stop = serve(made)
    yield made
    stop()


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path / "ca", SystemClock())
    made.ensure()
    return made


@pytest.fixture
def secure_application(authority):
    made = Application()
    stop = serve(made, authority.issue("app1", ["app1.example"], ["127.0.0.1"]))
    yield made
    stop()


@pytest.fixture
def silent_port():
    """Return a port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def usual_steps():
    return STEPS


@pytest.fixture
def tester():
    """Return a function that makes a tester."""

    def made(base, *, steps=STEPS, password=PASSWORD, ca_file=None, timeout=10.0):
        return WebTester(TestSettings("app1", base, ca_file, USER, Secret(password), steps, timeout), SystemClock())

    return made
