"""What the connector promises about the process it runs in: imports, threads, the loop, secrets, the missing extra."""

import logging
import subprocess
import sys
import textwrap
import threading
import traceback

import pytest

from dsi_automation.connectors.m365.loop import process_loop
from dsi_automation.connectors.m365.port import Letter, NewCloudUser
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret, redact

SKU = "18181a46-0d4e-45cd-891e-60aabd171b4e"
PASSWORD = Secret("Tempo-raire-77")
AYA = NewCloudUser("aya@douanes.lab", "aya", "KOUAMÉ Aya", "100001A", "CI")


def full_round(writer):
    writer.tenant(), writer.skus(), writer.grant(), writer.users()
    made = writer.create_user(AYA, PASSWORD)
    writer.users_by_staff_number(["100001A"]), writer.users_by_immutable_id(["x"])
    writer.users_by_address(["aya@douanes.lab"]), writer.holders(["aya@douanes.lab"]), writer.mailboxes([made.id, "x"])
    writer.set_usage_location(made.id, "CI")
    writer.change_licences(made.id, [SKU], [])
    writer.set_enabled(made.id, enabled=False), writer.reset_password(made.id, PASSWORD)
    writer.revoke_sessions(made.id), writer.provision_now("CN=x")
    writer.send_mail(Letter("dsi@douanes.lab", "a@b.c", "s", "b"))
    return made


def test_no_typed_model_of_the_sdk_is_ever_imported(graph, writer):
    full_round(writer)
    models = {name for name in sys.modules if name.startswith("msgraph.generated.models.")}
    assert "msgraph.generated.users.users_request_builder" in sys.modules
    assert "msgraph.generated.models.user" not in models
    assert models == set()


def test_one_loop_in_one_daemon_thread_serves_every_client_and_thread(graph, writer, endpoint, clock):
    from dsi_automation.connectors.m365.client import Connection, GraphReader

    full_round(writer)
    with GraphReader(Connection(endpoint, clock, clock.pause)) as other:
        assert other.tenant() == writer.tenant()
    loops = [thread for thread in threading.enumerate() if thread.name == "m365"]
    assert [thread.daemon for thread in loops] == [True]
    assert process_loop() is process_loop()


def test_a_client_goes_on_after_it_was_closed(graph, writer):
    assert writer.users() == []
    writer.close()
    assert writer.users() == []


def test_many_threads_each_get_their_own_answers(graph, writer):
    found, errors = {}, []

    def work(number):
        try:
            made = writer.for_target(str(number)).create_user(
                NewCloudUser(f"u{number}@douanes.lab", f"u{number}", "x", f"{number:06}A", "CI"), PASSWORD
            )
            writer.change_licences(made.id, [SKU], [])
            found[number] = writer.user(made.id).upn
        except DsiError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert found == {number: f"u{number}@douanes.lab" for number in range(16)}
    assert len(graph.users) == 16


def test_no_secret_is_logged_even_when_everything_is(graph, writer, endpoint, papers, clock, caplog):
    from dataclasses import replace
    from pathlib import Path

    from dsi_automation.connectors.m365.client import Connection, GraphReader

    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    full_round(writer)
    by_certificate = replace(endpoint, secret=None, certificate=papers.app)
    with GraphReader(Connection(by_certificate, clock, clock.pause)) as reader:
        reader.tenant()
    key = Path(papers.app).read_text().splitlines()[1]
    assert caplog.text
    for secret in (graph.token, endpoint.secret.reveal(), PASSWORD.reveal(), key, "signature-of-the-token"):
        assert secret not in caplog.text


def test_no_secret_is_in_any_error_or_its_causes(graph, writer, endpoint):
    writer.tenant()
    echo = {"error": {"code": "x", "message": f"{graph.token} {endpoint.secret.reveal()} {PASSWORD.reveal()}"}}
    graph.fail("POST", "^/users$", (418, {}, echo))
    with pytest.raises(DsiError) as refused:
        writer.create_user(AYA, PASSWORD)
    graph.fail("POST", "sendMail", None, drop=True)
    with pytest.raises(DsiError) as lost:
        writer.send_mail(Letter("a@b.c", "d@e.f", "s", "b"))
    for caught in (refused.value, lost.value):
        told = "".join(traceback.format_exception(caught)) + repr(caught) + str(caught.to_json())
        for secret in (graph.token, endpoint.secret.reveal(), PASSWORD.reveal()):
            assert secret not in told


def test_the_token_is_known_to_the_redaction_of_all_output(graph, writer):
    writer.tenant()
    assert graph.token not in redact(f"Authorization: Bearer {graph.token}")


def run(code):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)


def test_a_refused_sign_in_prints_nothing_by_itself(graph, endpoint):
    done = run(f"""
        from dsi_automation.connectors.m365.opening import open_reader
        from dsi_automation.connectors.m365.port import TenantEndpoint
        from dsi_automation.core.clock import SystemClock
        from dsi_automation.core.errors import RefusedError
        from dsi_automation.core.secrets import Secret
        try:
            open_reader(
                TenantEndpoint(
                    {endpoint.tenant_id!r}, {endpoint.client_id!r}, {endpoint.base_url!r}, {endpoint.authority!r},
                    {endpoint.scope!r}, ca_file={endpoint.ca_file!r}, secret=Secret("wrong"), public_authority=False,
                ),
                SystemClock(),
            ).tenant()
        except RefusedError as error:
            print(error.what.render("en"))
    """)
    assert (done.stdout, done.stderr) == ("The application's secret is wrong.\n", "")


def test_without_the_extra_a_sentence_says_what_to_install():
    code = """
        import sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in ("msgraph", "azure", "kiota_abstractions", "httpx"):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Absent())
        from dsi_automation.connectors.m365.opening import open_reader, open_writer
        from dsi_automation.connectors.m365.port import TenantEndpoint
        from dsi_automation.core.errors import UsageError
        for opening in (lambda: open_reader(None, None), lambda: open_writer(None, None, None)):
            try:
                opening()
            except UsageError as error:
                print(error.next_step.render("en"))
    """
    done = run(code)
    assert done.stdout == "Install it: pip install 'dsi-automation[m365]'\n" * 2, done.stderr


def test_opening_imports_nothing_of_the_sdk():
    code = """
        import sys
        from dsi_automation.connectors.m365.opening import open_reader
        from dsi_automation.connectors.m365.port import TenantEndpoint
        from dsi_automation.core.clock import SystemClock
        reader = open_reader(TenantEndpoint("t", "c", "https://x/v1.0", "https://y", "s"), SystemClock())
        print(reader.exchanges.http, sorted({"msgraph", "httpx", "msal", "kiota_http"} & set(sys.modules)))
    """
    assert run(code).stdout == "0 []\n"
