"""PowerShell scripts are whole by a real grammar, strict, and never built from values; never run on Windows here."""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from urllib.parse import urlsplit

import pytest
import tree_sitter_powershell
from fix_powershell import PlayedShell
from fix_winsim import WINSIM_ADMIN, WINSIM_PASSWORD
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Language, Parser

from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.connectors.windows.powershell import framing
from dsi_automation.connectors.windows.powershell.runner import ScriptRunner
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import GateClosedError, RefusedError, UnknownOutcomeError, UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

FOLDER = files("dsi_automation.connectors.windows.powershell")
SCRIPTS = sorted(place.name for place in FOLDER.iterdir() if place.name.endswith(".ps1"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def tree(source: bytes):
    return Parser(Language(tree_sitter_powershell.language())).parse(source).root_node


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_no_syntax_error_and_is_strict(name):
    source = (FOLDER / name).read_bytes()
    root = tree(source)
    assert [n.start_point for n in nodes(root) if n.type == "ERROR" or n.is_missing] == []
    commands = [n.text for n in nodes(root) if n.type == "command"]
    assert b"Set-StrictMode -Version 2.0" in commands
    assert b"$ErrorActionPreference = 'Stop'" in [n.text for n in nodes(root) if n.type == "assignment_expression"]
    assert not [text for text in commands if text.lower().startswith((b"invoke-expression", b"iex", b"add-type"))]
    assert source.isascii()


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "bootstrap.ps1"])
def test_a_script_takes_one_mandatory_object_and_builds_no_string_from_it(name):
    root = tree((FOLDER / name).read_bytes())
    blocks = [n for n in root.children[0].children if n.type == "param_block"] or [
        n for n in nodes(root) if n.type == "param_block"
    ]
    assert b"$InputObject" in blocks[0].text
    assert b"Mandatory = $true" in blocks[0].text
    assert [n.text for n in nodes(root) if n.type == "expandable_string_literal" and b"$" in n.text] == []


def test_the_grammar_does_find_a_broken_script():
    assert any(n.type == "ERROR" or n.is_missing for n in nodes(tree(b"if ($x { throw 'a' ")))


def test_powershell_is_started_with_the_bootstrap_alone_and_within_the_limit_of_a_command_line():
    arguments = framing.arguments()
    assert len(" ".join([framing.PROGRAM, *arguments])) < 8191
    code = base64.b64decode(arguments[-1]).decode("utf-16-le")
    assert "FromBase64String" in code
    assert [n for n in nodes(tree(code.encode())) if n.type == "ERROR" or n.is_missing] == []


@given(JSON)
def test_any_input_reaches_the_script_as_it_is_and_only_as_base64(value):
    lines = framing.standard_input("repair_profile", {"value": value}).split(b"\r\n")
    assert len(lines) == 3
    assert base64.b64decode(lines[0]).decode() == framing.script("repair_profile")
    assert json.loads(base64.b64decode(lines[1], validate=True)) == {"value": value}


def test_a_secret_is_revealed_only_inside_the_frame():
    given = framing.standard_input("repair_profile", {"a": [Secret("canary-1234")]})
    assert b"canary-1234" not in given
    assert json.loads(base64.b64decode(given.split(b"\r\n")[1])) == {"a": ["canary-1234"]}


@given(JSON)
def test_any_result_comes_back_whatever_is_printed_around_it(value):
    text = base64.b64encode(json.dumps({"ok": True, "result": value}).encode())
    assert framing.result(b"\xff noise\r\nDSI-BEGIN" + text + b"DSI-END\r\nmore") == value


def test_a_script_that_stopped_says_with_which_exception():
    text = base64.b64encode(b'{"ok": false, "error": "System.IO.IOException", "hresult": -2147024893}')
    found = framing.result(b"DSI-BEGIN" + text + b"DSI-END")
    assert found == framing.ScriptFailure("System.IO.IOException", 0x80070003)


@pytest.mark.parametrize(
    "output", [b"", b"DSI-BEGINDSI-END", b"DSI-BEGIN!DSI-END", b"DSI-BEGINe30=DSI-END", b"DSI-BEGIN"]
)
def test_a_result_that_is_none_is_one_clean_error(output):
    with pytest.raises(MalformedAnswerError):
        framing.result(output)


@pytest.mark.parametrize("name", ["nothing", "../runner", "Bootstrap", ""])
def test_only_scripts_of_the_package_can_be_run(name):
    with pytest.raises(UsageError):
        framing.script(name)


class Permit:
    def __init__(self, *, closed=False):
        self.closed = closed

    def check(self, target):
        if self.closed:
            raise GateClosedError(T("closed"))


ENDPOINT = WindowsEndpoint("ws1", "198.18.1.1", 5986, "https", Transport.NTLM, "u", Secret("canary-password"))
SIDS = {"old_sid": "S-1-5-21-1", "new_sid": "S-1-5-21-2'; Remove-Item C:\\"}


def run(output, permit=None):
    shell = PlayedShell(output)
    runner = ScriptRunner(ENDPOINT, permit or Permit(), SystemClock(), channel=shell)
    return shell, lambda: runner.run("repair_profile", SIDS)


def test_a_script_is_run_once_in_a_shell_that_is_closed_again():
    answer = base64.b64encode(b'{"ok": true, "result": {"hives": 2}}')
    shell, call = run(b"DSI-BEGIN" + answer + b"DSI-END")
    assert call() == {"hives": 2}
    assert [action for action, _ in shell.sent] == ["Create", "Command", "Send", "Receive", "Signal", "Delete"]
    assert b"Remove-Item" not in b"".join(data for _, data in shell.sent)
    assert shell.opened == [True]


def test_a_run_whose_end_was_not_seen_has_an_unknown_outcome():
    shell, call = run(b"half of it")
    with pytest.raises(UnknownOutcomeError):
        call()
    assert [action for action, _ in shell.sent].count("Command") == 1


def test_a_script_that_stopped_is_an_error_with_its_exception():
    text = base64.b64encode(b'{"ok": false, "error": "System.IO.IOException", "hresult": -2147024893}')
    _, call = run(b"DSI-BEGIN" + text + b"DSI-END")
    with pytest.raises(RefusedError) as caught:
        call()
    assert caught.value.detail == {"error": "System.IO.IOException", "hresult": "0x80070003"}


def test_nothing_is_started_without_a_permit():
    shell, call = run(b"", Permit(closed=True))
    with pytest.raises(GateClosedError):
        call()
    assert [action for action, _ in shell.sent] == ["Create", "Delete"]


def test_a_machine_without_a_remote_shell_is_said_to_be_one(winsim):
    url = urlsplit(winsim().url("ws1"))
    endpoint = WindowsEndpoint("ws1", url.hostname, url.port, user=WINSIM_ADMIN, password=Secret(WINSIM_PASSWORD))
    runner = ScriptRunner(endpoint, Permit(), SystemClock())
    with pytest.raises(RefusedError) as caught:
        runner.run("repair_profile", SIDS)
    runner.close()
    assert "ws1" in caught.value.what.render("fr")
    assert "AllowRemoteShellAccess" in str(caught.value.next_step)
