"""The client against a real SMTP server: what it takes, refuses, cuts and delays is told as the port says."""

import asyncio
import ssl
import subprocess
import threading
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP

from dsi_automation.connectors.mail.client import SmtpRelay
from dsi_automation.connectors.mail.port import MailSecurity, RelayEndpoint
from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError


class Server:
    """Keeps mails, or answers as it is told."""

    def __init__(self):
        self.kept, self.answers, self.cut = [], {}, False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # aiosmtpd's name
        answer = self.answers.get(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        self.kept.append(envelope)
        if self.cut:
            server.transport.abort()
            return "250 never heard"
        return self.answers.get("DATA", "250 OK")


def _serve(loop, server):
    asyncio.set_event_loop(loop)
    loop.run_forever()
    server.close()
    loop.run_until_complete(server.wait_closed())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def started():
    running = []

    def start(tls=None):
        handler, loop = Server(), asyncio.new_event_loop()

        def session():
            return SMTP(handler, hostname="localhost", tls_context=tls, loop=loop)

        server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(loop, server))
        thread.start()
        running.append((loop, thread))
        return handler, server.sockets[0].getsockname()[1]

    yield start
    for loop, thread in running:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@pytest.fixture
def certificate(tmp_path):
    pem = tmp_path / "pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run(
        ["openssl", *words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", tmp_path / "crt"],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt", pem)
    return context, str(tmp_path / "crt")


def mail(*to):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "dsi@douanes.lab", ", ".join(to), "RÉUSSIE — sauvegarde"
    message.set_content("Vérifiée.\n.\nUne ligne d'un point seul.\n")
    return message


def relay(port, **more):
    return SmtpRelay(RelayEndpoint("127.0.0.1", port, **{"security": MailSecurity.NONE, "timeout": 5, **more}))


def test_a_mail_arrives_whole_for_every_recipient(started):
    server, port = started()
    relay(port).send(mail("a@x.lab", "b@x.lab"))
    (kept,) = server.kept
    assert kept.rcpt_tos == ["a@x.lab", "b@x.lab"]
    from email import message_from_bytes, policy

    got = message_from_bytes(kept.content, policy=policy.default)
    assert got["Subject"] == "RÉUSSIE — sauvegarde"
    assert got.get_content().replace("\r\n", "\n") == "Vérifiée.\n.\nUne ligne d'un point seul.\n"


@pytest.mark.parametrize(("answer", "kind"), [("451 later", UnreachableError), ("550 never", RefusedError)])
@pytest.mark.parametrize("where", ["b@x.lab", "DATA"])
def test_a_refusal_is_for_now_or_for_good(started, answer, kind, where):
    server, port = started()
    server.answers[where] = answer
    with pytest.raises(kind) as caught:
        relay(port).send(mail("a@x.lab", "b@x.lab"))
    assert type(caught.value) is kind
    assert answer[4:] in str(caught.value)


def test_a_mail_that_one_recipient_is_refused_goes_to_nobody(started):
    server, port = started()
    server.answers["b@x.lab"] = "550 unknown"
    with pytest.raises(RefusedError) as caught:
        relay(port).send(mail("a@x.lab", "b@x.lab"))
    assert "b@x.lab" in str(caught.value)
    assert server.kept == []


def test_a_connection_cut_after_the_content_leaves_it_unknown(started):
    server, port = started()
    server.cut = True
    with pytest.raises(UnknownOutcomeError):
        relay(port).send(mail("a@x.lab"))
    assert len(server.kept) == 1


def test_nobody_there_is_unreachable(started):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError):
        relay(port).send(mail("a@x.lab"))


def test_a_server_that_says_nothing_is_unreachable():
    import socket

    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(UnreachableError):
            relay(mute.getsockname()[1], timeout=0.3).send(mail("a@x.lab"))


def test_starttls_trusts_the_sites_ca_and_nothing_else(started, certificate):
    context, ca_file = certificate
    server, port = started(context)
    relay(port, security=MailSecurity.STARTTLS, ca_file=ca_file).send(mail("a@x.lab"))
    assert len(server.kept) == 1
    with pytest.raises(RefusedError):
        relay(port, security=MailSecurity.STARTTLS).send(mail("a@x.lab"))
    assert len(server.kept) == 1


def test_a_server_without_starttls_gets_no_mail_in_clear(started):
    server, port = started()
    with pytest.raises(RefusedError):
        relay(port, security=MailSecurity.STARTTLS).send(mail("a@x.lab"))
    assert server.kept == []
