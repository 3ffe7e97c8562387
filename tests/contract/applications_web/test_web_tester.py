"""The connection test against real servers: what a technician reads when each thing goes wrong."""

import socket
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from dsi_automation.connectors.applications.web_client import LARGEST
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.text import speaking
from dsi_automation.lab.ca import Authority

ALL = ["port", "page", "login", "query", "logout"]


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def told(tested):
    """Return the steps that were tried and what the last one met."""
    return [step.name for step in tested.steps], str(tested.steps[-1].problem)


def test_what_a_user_does_is_done_with_cookies_hidden_fields_and_redirections(application, tester):
    tested = tester(application.base).test()
    assert [(step.name, step.problem) for step in tested.steps] == [(name, None) for name in ALL]
    assert tested.conclusive
    assert all(step.seconds >= 0 for step in tested.steps)
    assert application.paths == [
        "GET /sydam/", "POST /sydam/login", "GET /sydam/home", "GET /sydam/declarations?id=1", "POST /sydam/logout",
    ]  # fmt: skip
    assert [known["user"] for known in application.sessions.values()] == [None]


def test_each_test_begins_as_a_new_user(application, tester):
    testing = tester(application.base)
    assert testing.test().conclusive
    assert testing.test().conclusive
    assert len(application.sessions) == 2


def test_a_closed_port_is_the_first_and_last_step(tester):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert told(tester(f"http://127.0.0.1:{port}").test()) == (
        ["port"], f"The port is closed: nothing listens at 127.0.0.1:{port}.",
    )  # fmt: skip


def test_a_name_nobody_knows_is_told_as_such(tester):
    steps, problem = told(tester("http://sydam.invalid:8080").test())
    assert steps == ["port"]
    assert "sydam.invalid" in problem


def test_a_wrong_password_is_a_refused_login_and_is_nowhere_in_the_words(application, tester):
    tested = tester(application.base, password="Faux-Mot-De-Passe-9").test()
    assert told(tested) == (["port", "page", "login"], "The login is refused: the page holds “refusée”.")
    assert "Faux-Mot" not in repr(tested)
    assert not any("Faux-Mot" in path for path in application.paths)


@pytest.mark.parametrize(
    ("path", "fault", "steps", "words"),
    [
        ("/sydam/", lambda one: one.answer("x", 500), 2, "It answers 500 Internal Server Error instead of 200."),
        ("/sydam/", lambda one: one.answer("x", 500, phrase=""), 2,
         "It answers 500 Internal Server Error instead of 200."),
        ("/sydam/", lambda one: one.answer("<title>Maintenance</title>"), 2,
         "The page, titled “Maintenance”, does not hold “Connexion”."),
        ("/sydam/", lambda one: one.answer("x"), 2, "The page does not hold “Connexion”."),
        ("/sydam/", lambda one: one.answer("x" * (LARGEST + 1)), 2, f"It answers more than {LARGEST} bytes."),
        ("/sydam/", lambda one: one.moved("http://ailleurs.example/sydam/"), 2,
         "It redirects to another host: ailleurs.example."),
        ("/sydam/", lambda one: one.moved("file:///etc/passwd"), 2, "It redirects to another host: file."),
        ("/sydam/", lambda one: one.moved("/sydam/"), 2, "It redirects more than 10 times."),
        ("/sydam/", lambda one: one.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), 2, "does not speak HTTP."),
        ("/sydam/", lambda one: one.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nConnexion"), 2,
         "closes the connection without a whole answer."),
        ("/sydam/", lambda one: None, 2, "closes the connection without a whole answer."),
        ("/sydam/declarations", lambda one: one.answer("Connexion"), 4, "The page does not hold “Déclaration 1”."),
        ("/sydam/logout", lambda one: one.answer("Non", 403), 5, "It answers 403 Forbidden instead of 200."),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_in_words_a_technician_can_act_on(application, tester, path, fault, steps, words):
    def broken(handler):
        handler.close_connection = True
        fault(handler)

    application.faults[path] = broken
    tried, problem = told(tester(application.base).test())
    assert tried == ALL[:steps]
    assert problem.endswith(words)


def test_after_a_login_it_is_logged_out_whatever_fails(application, tester):
    application.faults["/sydam/declarations"] = lambda one: one.answer("x", 500)
    tested = tester(application.base).test()
    assert [step.name for step in tested.steps] == ["port", "page", "login", "query"]
    assert application.paths[-1] == "POST /sydam/logout"
    assert [known["user"] for known in application.sessions.values()] == [None]


def test_without_a_login_nobody_is_logged_out(application, tester):
    application.faults["/sydam/"] = lambda one: one.answer("x", 500)
    tester(application.base).test()
    assert application.paths == ["GET /sydam/"]


def trickle(application):
    def slowly(handler):
        handler.send_response(200)
        handler.end_headers()
        while not application.released.wait(0.02):
            handler.wfile.write(b"x")

    return slowly


def test_an_answer_that_trickles_is_given_up_after_the_step_s_time(application, tester):
    application.faults["/sydam/"] = trickle(application)
    assert told(tester(application.base, timeout=0.3).test()) == (["port", "page"], "It took longer than 0.3 s.")


def test_a_server_that_never_answers_is_given_up(silent_port, tester):
    for scheme in ("http", "https"):
        assert told(tester(f"{scheme}://127.0.0.1:{silent_port}", timeout=0.3).test()) == (
            ["port", "page"], "It took longer than 0.3 s.",
        )  # fmt: skip


def test_a_certificate_of_the_inventory_s_ca_is_verified(secure_application, authority, tester, tmp_path):
    base = secure_application.base
    assert tester(base, ca_file=str(authority.certificate_file)).test().conclusive
    other = Authority(tmp_path / "other", SystemClock())
    other.ensure()
    for ca_file in (str(other.certificate_file), None):
        steps, problem = told(tester(base, ca_file=ca_file).test())
        assert steps == ["port", "page"]
        assert "is not to be trusted" in problem
    assert secure_application.paths[5:] == []
    named = base.replace("127.0.0.1", "localhost")
    assert "is not to be trusted" in told(tester(named, ca_file=str(authority.certificate_file)).test())[1]
    assert told(tester(base, ca_file="/nulle/part.pem").test())[1] == "The CA file /nulle/part.pem cannot be read."


def test_a_redirection_out_of_encryption_is_refused(secure_application, authority, tester):
    port = urlsplit(secure_application.base).port
    secure_application.faults["/sydam/"] = lambda one: one.moved(f"http://127.0.0.1:{port}/sydam/")
    problem = told(tester(secure_application.base, ca_file=str(authority.certificate_file)).test())[1]
    assert problem.startswith("It redirects from https to http")


def test_a_post_that_is_redirected_with_307_keeps_its_form(application, tester, usual_steps):
    application.faults["/sydam/entree"] = lambda one: one.moved("/sydam/login", 307)
    steps = (usual_steps[0], replace(usual_steps[1], path="/sydam/entree"))
    assert tester(application.base, steps=steps).test().conclusive
    assert [method for method, path, _ in application.seen if path == "/sydam/login"] == ["POST"]


def test_a_page_in_latin_1_and_a_path_with_accents_are_read(application, tester, usual_steps):
    application.faults["/sydam/accueil%20%C3%A9t%C3%A9"] = lambda one: one.answer("Été", charset="iso-8859-1")
    step = replace(usual_steps[0], path="/sydam/accueil été", expect="Été")
    assert tester(application.base, steps=(step,)).test().conclusive


def test_a_test_leaves_no_thread_behind(application, tester):
    tester(application.base).test()
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]
