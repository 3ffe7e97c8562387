"""What the client does when the other side misbehaves: writes are sent once, reads twice at most, no secret leaks."""

from __future__ import annotations

import dataclasses
import re
import socket
from datetime import UTC, datetime

import pytest

from dsi_automation.connectors.windows import errors, soap
from dsi_automation.connectors.windows.client import CimReader, CimWriter
from dsi_automation.connectors.windows.port import Hive, Transport, WindowsEndpoint
from dsi_automation.connectors.windows.transport import FRESH, check_sealed
from dsi_automation.core.errors import (
    DsiError,
    GateClosedError,
    RefusedError,
    UnknownOutcomeError,
    UnreachableError,
    UsageError,
)
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

QUERY = ("Win32_Service", ("Name",))


class Hands:
    """A clock that stands still until somebody waits, and a permit that can be taken away."""

    def __init__(self):
        self.waited, self.moved, self.asked, self.closed = [], 0.0, [], False

    def now(self):
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self):
        return self.moved

    def sleep(self, seconds):
        self.waited.append(seconds)

    def check(self, target):
        self.asked.append(target)
        if self.closed:
            raise GateClosedError(T("closed"))


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def writer(endpoint, hands):
    made = CimWriter(endpoint, hands, clock=hands)
    yield made
    made.close()


def http(status, body=b"", headers=""):
    def behave(_server, connection, _request):
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        )
        connection.sendall(head.encode() + body)
        return True

    return behave


def soap_answer(inner, status=200, relates=None):
    def behave(server, connection, request):
        found = re.search(rb"MessageID>([^<]*)<", request)
        mine = relates or (found[1].decode() if found else "")
        body = (
            '<s:Envelope xmlns:s="s" xmlns:a="a" xmlns:n="n" xmlns:w="w" xmlns:p="p" xmlns:f="f">'
            f"<s:Header><a:RelatesTo>{mine}</a:RelatesTo></s:Header><s:Body>{inner}</s:Body></s:Envelope>"
        ).encode()
        return http(status, body)(server, connection, request)

    return behave


def fault(code, sub="w:X", reason=""):
    return soap_answer(
        f"<s:Fault><s:Code><s:Subcode><s:Value>{sub}</s:Value></s:Subcode></s:Code><s:Reason><s:Text>{reason}</s:Text>"
        f'</s:Reason><s:Detail><f:WSManFault Code="{code}"/></s:Detail></s:Fault>',
        500,
    )


def page(*names, context=None, kind="EnumerateResponse"):
    items = "".join(f"<w:XmlFragment><Name>{name}</Name></w:XmlFragment>" for name in names)
    end = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else "<w:EndOfSequence/>"
    return soap_answer(f"<n:{kind}>{end}<w:Items>{items}</w:Items></n:{kind}>")


def returns(code, method="Win32Shutdown", inner=""):
    return soap_answer(f"<p:{method}_OUTPUT>{inner}<p:ReturnValue>{code}</p:ReturnValue></p:{method}_OUTPUT>")


def reset(_server, connection, _request):
    connection.close()
    return False


def cut(_server, connection, _request):
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n<s:Envelope")
    return False


def hang(server, _connection, _request):
    server.over.wait(10)
    return False


def shutdown(writer, **more):
    return writer.invoke("Win32_OperatingSystem", "Win32Shutdown", {"Flags": 6, "Reserved": 0}, **more)


def test_a_query_of_one_page_is_one_exchange(server, writer):
    server.will(page("Spooler", "W32Time"))
    assert [row["Name"] for row in writer.query(*QUERY)] == ["Spooler", "W32Time"]
    assert len(server.requests) == server.connections == 1


def test_all_pages_are_drained_over_one_connection(server, writer):
    server.will(page("a", context="c1"), page(context="c2", kind="PullResponse"), page("b", kind="PullResponse"))
    assert [row["Name"] for row in writer.query(*QUERY)] == ["a", "b"]
    assert b"<n:EnumerationContext>c2<" in server.requests[2]
    assert (len(server.requests), server.connections) == (3, 1)


def test_a_query_that_fails_half_way_is_released(server, writer):
    server.will(page("a", context="c1"), fault(2150858793), soap_answer(""))
    with pytest.raises(UnreachableError):
        writer.query(*QUERY)
    assert b"Release" in server.requests[2]
    assert b"c1" in server.requests[2]


def test_pages_that_never_end_are_noticed_and_released(server, writer):
    server.will(page(context="c"), *[page(context="c", kind="PullResponse")] * 100, soap_answer(""))
    with pytest.raises(errors.BadAnswerError):
        writer.query(*QUERY)
    assert b"Release" in server.requests[-1]


@pytest.mark.parametrize("first", [http(400), reset, cut])
def test_a_read_is_made_once_more_after_a_lost_session(server, writer, first):
    server.will(first, page("a"))
    assert writer.query(*QUERY) == [{"Name": "a"}]
    assert len(server.requests) == server.connections == 2


@pytest.mark.parametrize("first", [http(400), reset, cut])
def test_a_read_is_not_made_a_third_time(server, writer, first):
    server.will(first, first, page("a"))
    with pytest.raises(UnreachableError):
        writer.query(*QUERY)
    assert len(server.requests) == 2


def test_a_read_waits_for_room_a_bounded_number_of_times(server, writer, hands):
    server.will(fault(2150859174), fault(2150859173), page("a"))
    assert writer.query(*QUERY) == [{"Name": "a"}]
    assert hands.waited == [0.5, 1.0]
    server.will(*[fault(2150859175)] * 4)
    with pytest.raises(errors.BusyError) as caught:
        writer.query(*QUERY)
    assert caught.value.retryable
    assert len(server.requests) == 7


@pytest.mark.parametrize(
    "behaviour",
    [
        reset,
        cut,
        hang,
        http(400),
        http(200),
        http(502, b"<html>"),
        http(302, b"", "Location: https://127.0.0.1:1/\r\n"),
        fault(2150858793),
        fault(0x80041033),
        soap_answer("<x/>"),
        returns(0, "Other"),
        soap_answer("<p:Win32Shutdown_OUTPUT/>", relates="uuid:OTHER"),
        http(500, b"<s:Envelope/>"),
    ],
)
def test_a_write_whose_answer_is_lost_is_sent_once_and_its_outcome_is_unknown(server, endpoint, hands, behaviour):
    quick = dataclasses.replace(endpoint, read_timeout=0.2, operation_timeout=0.1)
    writer = CimWriter(quick, hands, clock=hands)
    server.will(behaviour, returns(0))
    import dsi_automation.connectors.windows.client as module

    margin, module._MARGIN = module._MARGIN, 0.1
    try:
        with pytest.raises(UnknownOutcomeError) as caught:
            shutdown(writer)
    finally:
        module._MARGIN = margin
    assert len(server.requests) == 1
    assert caught.value.on == "ws1"
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (http(401, b"", "WWW-Authenticate: Basic\r\n"), errors.AuthenticationError),
        (http(403), errors.AccessDeniedError),
        (http(404, b"no"), RefusedError),
        (http(413, b"big"), RefusedError),
        (fault(5), errors.AccessDeniedError),
        (fault(2150859174), errors.BusyError),
        (fault(2147749904), errors.FeatureAbsentError),
        (fault(2150858753), errors.FeatureAbsentError),
        (fault(2150858813), RefusedError),
        (fault(4242), RefusedError),
    ],
)
def test_a_write_that_is_refused_is_sent_once_and_says_so(server, writer, behaviour, error):
    server.will(behaviour, returns(0))
    with pytest.raises(error) as caught:
        shutdown(writer)
    assert not isinstance(caught.value, UnreachableError)
    assert len(server.requests) == 1


def test_a_write_to_a_machine_that_is_gone_was_not_sent(server, writer):
    server.will(page("a"))
    writer.query(*QUERY)
    server.close()
    with pytest.raises(errors.ConnectionFailedError) as caught:
        shutdown(writer)
    assert not isinstance(caught.value, UnknownOutcomeError)


def test_a_write_after_a_long_pause_starts_a_new_session(server, writer, hands):
    server.will(page("a"), returns(0), returns(0))
    writer.query(*QUERY)
    hands.moved = FRESH + 1
    shutdown(writer)
    shutdown(writer)
    assert server.connections == 2


def test_the_permit_is_asked_before_each_write_and_not_for_reads(server, writer, hands):
    server.will(page("a"), returns(0), returns(0))
    writer.query(*QUERY)
    assert hands.asked == []
    shutdown(writer)
    assert hands.asked == ["ws1"]
    hands.closed = True
    with pytest.raises(GateClosedError):
        shutdown(writer)
    assert len(server.requests) == 2


def test_the_machine_is_given_the_time_the_caller_allows(server, writer):
    server.will(returns(0), returns(5))
    shutdown(writer, timeout=180)
    assert b"<w:OperationTimeout>PT180.000S<" in server.requests[0]
    assert shutdown(writer).return_value == 5
    assert b"<w:OperationTimeout>PT20.000S<" in server.requests[1]


def test_a_method_sends_names_and_values_of_the_schema_only(server, writer):
    for parameters in ({"flags": 6}, {"Flags": "6"}, {"Flags": 2**31}):
        with pytest.raises(UsageError):
            writer.invoke("Win32_OperatingSystem", "Win32Shutdown", parameters)
    with pytest.raises(UsageError):
        writer.invoke("Win32_ComputerSystem", "Rename", {"Name": "x\0"}, {"Name": "ws1"})
    assert server.requests == []


def test_one_instance_or_none(server, writer):
    server.will(soap_answer("<p:Win32_Service><p:Name>Spooler</p:Name><p:Started>true</p:Started></p:Win32_Service>"))
    found = writer.get("Win32_Service", {"Name": "Spooler"})
    assert (found["Started"], found["State"]) == (True, None)
    server.will(fault(2150858752))
    assert writer.get("Win32_Service", {"Name": "x"}) is None


def test_registry_values_are_read_with_their_type(server, writer):
    key = r"SOFTWARE\X"
    server.will(returns(0, "GetStringValue", "<p:sValue>a</p:sValue>"))
    assert writer.registry_value(Hive.LOCAL_MACHINE, key, "n") == "a"
    server.will(returns(0x80041005, "GetStringValue"), returns(0, "GetDWORDValue", "<p:uValue>7</p:uValue>"))
    assert writer.registry_value(Hive.LOCAL_MACHINE, key, "n") == 7
    multi = returns(0, "GetMultiStringValue", "<p:sValue>a</p:sValue>")
    server.will(returns(0x80041005, "GetStringValue"), returns(-2147217403, "GetDWORDValue"), multi)
    assert writer.registry_value(Hive.LOCAL_MACHINE, key, "n") == ("a",)
    server.will(returns(1, "GetStringValue"), returns(2, "EnumKey"), returns(0, "EnumKey"), returns(5, "EnumKey"))
    assert writer.registry_value(Hive.LOCAL_MACHINE, key, "n") is None
    assert not writer.registry_key_exists(Hive.LOCAL_MACHINE, key)
    assert writer.registry_key_exists(Hive.LOCAL_MACHINE, key)
    with pytest.raises(errors.AccessDeniedError):
        writer.registry_key_exists(Hive.LOCAL_MACHINE, key)


def test_a_missing_class_is_a_missing_feature(server, writer):
    server.will(fault(2150858778), fault(2150858752))
    with pytest.raises(errors.FeatureAbsentError):
        writer.query(*QUERY)
    with pytest.raises(errors.FeatureAbsentError):
        writer.class_methods("Win32_UserProfile")


def endless(_server, connection, _request):
    connection.sendall(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def dripping(hands):
    def behave(_server, connection, _request):
        connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(1000):
            hands.moved += 1.0
            connection.sendall(b"x")
        return False

    return behave


def test_an_endless_answer_is_cut_off(server, writer):
    server.will(endless)
    with pytest.raises(errors.BadAnswerError):
        writer.query(*QUERY)


def test_an_answer_that_drips_is_cut_off_at_the_time_allowed(server, writer, hands):
    server.will(dripping(hands))
    with pytest.raises(errors.AnswerTimeoutError):
        writer.query(*QUERY)


def test_a_hung_machine_is_cut_off_by_the_read_timeout(server, endpoint, hands):
    server.will(hang)
    with pytest.raises(errors.AnswerTimeoutError):
        CimReader(dataclasses.replace(endpoint, read_timeout=0.2), clock=hands).query(*QUERY)


def test_a_redirection_is_not_followed(server, writer):
    server.will(http(307, b"", f"Location: https://127.0.0.1:{server.port}/other\r\n"), page("a"))
    with pytest.raises(errors.BadAnswerError):
        writer.query(*QUERY)
    assert len(server.requests) == 1


def test_nothing_of_the_environment_reaches_the_exchange(server, endpoint, hands, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.will(page("a"))
    assert CimReader(endpoint, clock=hands).query(*QUERY) == [{"Name": "a"}]
    assert "b3RoZXI6b3RoZXI=" not in server.heads[0]


def test_a_certificate_that_does_not_hold_stops_everything(server, endpoint, certificates, hands):
    stranger = str(certificates[0].with_name("stranger.pem"))
    other = dataclasses.replace(endpoint, ca_file=stranger)
    with pytest.raises(errors.TrustError) as caught:
        CimWriter(other, hands, clock=hands).invoke("Win32_OperatingSystem", "Reboot", {})
    assert stranger in str(caught.value)
    with pytest.raises(errors.TrustError):
        CimReader(dataclasses.replace(endpoint, host="localhost"), clock=hands).query(*QUERY)
    assert server.requests == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"host": "no-such-host.invalid"}, errors.ConnectionFailedError),
        ({"host": "a..b"}, DsiError),
        ({"host": "x" * 300}, DsiError),
        ({"port": 1}, errors.ConnectionFailedError),
        ({"scheme": "http", "transport": Transport.NTLM}, DsiError),
    ],
)
def test_a_machine_that_cannot_be_reached_is_one_clear_error(endpoint, hands, change, error):
    with pytest.raises(error) as caught:
        CimReader(dataclasses.replace(endpoint, **change), clock=hands).query(*QUERY)
    assert caught.value.on == "ws1"


@pytest.mark.parametrize("transport", [Transport.BASIC, Transport.CERTIFICATE])
def test_plain_http_without_sealing_is_refused_before_anything_is_sent(transport):
    endpoint = WindowsEndpoint("ws1", "127.0.0.1", 1, "http", transport, "u", Secret("canary-password"))
    for make in (lambda: CimReader(endpoint), lambda: check_sealed(endpoint)):
        with pytest.raises(errors.UnsealedChannelError):
            make()


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "ftp"},
        {"user": ""},
        {"password": Secret("")},
        {"ca_file": "/nonexistent"},
        {"transport": Transport.CERTIFICATE},
        {"transport": Transport.CERTIFICATE, "certificate": "/nonexistent", "certificate_key": "/nonexistent"},
    ],
)
def test_an_incomplete_endpoint_is_a_mistake_in_the_inventory(endpoint, change):
    with pytest.raises(UsageError):
        CimReader(dataclasses.replace(endpoint, **change))


@pytest.mark.parametrize("behaviour", [reset, http(401), http(500, b"<x>"), fault(87, reason="canary-password"), cut])
def test_no_error_holds_the_password(server, writer, behaviour):
    server.will(behaviour, behaviour)
    parameters = {"Name": "X", "Password": Secret("canary-password"), "UserName": "u"}
    with pytest.raises(DsiError) as caught:
        writer.invoke("Win32_ComputerSystem", "Rename", parameters, {"Name": "ws1"})
    assert b"canary-password" in server.requests[0]
    chain = [caught.value]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    for each in chain:
        assert getattr(each, "request", None) is None
        assert "canary-password" not in repr(each)
        assert "canary-password" not in str(each)
    assert "canary-password" not in str(caught.value.to_json())


def test_a_listener_that_is_not_winrm_is_said_to_be_none(endpoint, hands):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        plain = dataclasses.replace(endpoint, port=listener.getsockname()[1], connect_timeout=0.3, read_timeout=0.3)
        with pytest.raises(UnreachableError):
            CimReader(plain, clock=hands).query(*QUERY)


def test_the_service_says_what_it_is(server, writer):
    server.will(
        soap_answer("<p:IdentifyResponse><p:ProductVendor>Microsoft Corporation</p:ProductVendor></p:IdentifyResponse>")
    )
    assert writer.identify() == {"ProductVendor": "Microsoft Corporation"}
    assert server.requests[0] == soap.identify().data
