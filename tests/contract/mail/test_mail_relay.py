"""The client against a real SMTP server: what it takes, refuses, cuts and delays is told as the port says."""

import ssl
import subprocess
from email.message import EmailMessage

import pytest

from dsi_automation.connectors.mail.client import SmtpRelay
from dsi_automation.connectors.mail.port import MailSecurity, RelayEndpoint
from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError


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


def test_a_mail_arrives_whole_for_every_recipient(smtp_server):
    server, port = smtp_server()
    relay(port).send(mail("a@x.lab", "b@x.lab"))
    (kept,) = server.kept
    assert kept.rcpt_tos == ["a@x.lab", "b@x.lab"]
    from email import message_from_bytes, policy

    got = message_from_bytes(kept.content, policy=policy.default)
    assert got["Subject"] == "RÉUSSIE — sauvegarde"
    assert got.get_content().replace("\r\n", "\n") == "Vérifiée.\n.\nUne ligne d'un point seul.\n"


@pytest.mark.parametrize(("answer", "kind"), [("451 later", UnreachableError), ("550 never", RefusedError)])
@pytest.mark.parametrize("where", ["b@x.lab", "DATA"])
def test_a_refusal_is_for_now_or_for_good(smtp_server, answer, kind, where):
    server, port = smtp_server()
    server.answers[where] = answer
    with pytest.raises(kind) as caught:
        relay(port).send(mail("a@x.lab", "b@x.lab"))
    assert type(caught.value) is kind
    assert answer[4:] in str(caught.value)


def test_a_mail_that_one_recipient_is_refused_goes_to_nobody(smtp_server):
    server, port = smtp_server()
    server.answers["b@x.lab"] = "550 unknown"
    with pytest.raises(RefusedError) as caught:
        relay(port).send(mail("a@x.lab", "b@x.lab"))
    assert "b@x.lab" in str(caught.value)
    assert server.kept == []


def test_a_connection_cut_after_the_content_leaves_it_unknown(smtp_server):
    server, port = smtp_server()
    server.cut = True
    with pytest.raises(UnknownOutcomeError):
        relay(port).send(mail("a@x.lab"))
    assert len(server.kept) == 1


def test_nobody_there_is_unreachable(smtp_server):
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


def test_starttls_trusts_the_sites_ca_and_nothing_else(smtp_server, certificate):
    context, ca_file = certificate
    server, port = smtp_server(context)
    relay(port, security=MailSecurity.STARTTLS, ca_file=ca_file).send(mail("a@x.lab"))
    assert len(server.kept) == 1
    with pytest.raises(RefusedError):
        relay(port, security=MailSecurity.STARTTLS).send(mail("a@x.lab"))
    assert len(server.kept) == 1


def test_a_server_without_starttls_gets_no_mail_in_clear(smtp_server):
    server, port = smtp_server()
    with pytest.raises(RefusedError):
        relay(port, security=MailSecurity.STARTTLS).send(mail("a@x.lab"))
    assert server.kept == []
