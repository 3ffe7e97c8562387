"""The simulated workstations refuse what Windows refuses."""

import pytest
from winsim_wire import GET, NAMESPACES, SCHEMA_URI, WSMAN, Bench, R, envelope, invoke, query

from dsi_automation.lab.windows.machine import Caller

OS = "select Caption from Win32_OperatingSystem"
ME = {"Name": "DESKTOP-7F3K2Q1"}
ANONYMOUS = f"{NAMESPACES['a']}/role/anonymous"


@pytest.mark.parametrize("header", ["To", "ResourceURI", "ReplyTo", "Action", "MessageID"])
def test_every_required_header_is_required(header):
    fault = Bench().fault(query(OS, **{header: ""}))
    assert fault["subcode"] == "a:MessageInformationHeaderRequired"
    assert header in fault["reason"]


@pytest.mark.parametrize(
    ("part", "text", "subcode"),
    [
        ("MessageID", "<a:MessageID>uuid:1</a:MessageID>", "a:InvalidMessageInformationHeader"),
        ("MessageID", "<a:MessageID>5e6fd101-710a-4eea-a50d-70c0bf863aa3</a:MessageID>", "a:InvalidMessage"),
        ("ReplyTo", "<a:ReplyTo><a:Address>http://me/</a:Address></a:ReplyTo>", "w:UnsupportedFeature"),
        ("MaxEnvelopeSize", "<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>", "w:EncodingLimit"),
        ("MaxEnvelopeSize", "<w:MaxEnvelopeSize>big</w:MaxEnvelopeSize>", "a:InvalidMessage"),
        ("OperationTimeout", "<w:OperationTimeout>60</w:OperationTimeout>", "a:InvalidMessage"),
        ("OperationTimeout", "<w:OperationTimeout>PT</w:OperationTimeout>", "a:InvalidMessage"),
        ("Locale", '<w:Locale xml:lang="en-US" s:mustUnderstand="true"/>', "w:UnsupportedFeature"),
    ],
)
def test_a_wrong_header_is_refused(part, text, subcode):
    assert Bench().fault(query(OS, **{part: text}))["subcode"].startswith(subcode)


def test_an_unknown_header_that_must_be_understood_is_refused():
    fault = Bench().fault(query(OS, Odd=f'<w:Odd xmlns:w="{WSMAN}" s:mustUnderstand="1"/>'))
    assert fault["value"] == "s:MustUnderstand"


def test_an_unknown_header_that_need_not_be_understood_is_passed_over():
    assert Bench().ask(query(OS, Odd="<w:Odd/>")).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<s:Envelope",
        b"<Envelope/>",
        b'<!DOCTYPE e [<!ENTITY x "y">]>' + query(OS),
        b'<!DOCTYPE e SYSTEM "http://192.0.2.1/evil.dtd">' + query(OS),
        query(OS)[:-20],
        query(OS).replace(b"PT60", b"\x00"),
    ],
)
def test_what_is_not_a_plain_envelope_is_a_schema_fault(data):
    assert Bench().fault(data)["subcode"] == "w:SchemaValidationError"


def test_a_singleton_takes_no_keys():
    fault = Bench().fault(envelope(GET, f"{R}/Win32_OperatingSystem", selectors={"Name": "Windows"}))
    assert fault["code"] == 0x803380FA


@pytest.mark.parametrize(
    ("selectors", "code"),
    [({}, 0x8033803D), ({"Name": "Spooler", "State": "x"}, 0x8033805B), ({"DisplayName": "x"}, 0x8033805B)],
)
def test_missing_and_superfluous_keys_are_refused(selectors, code):
    assert Bench().fault(envelope(GET, f"{R}/Win32_Service", selectors=selectors))["code"] == code


def test_keys_are_compared_without_regard_to_case_and_the_namespace_may_be_said():
    request = envelope(GET, f"{R}/win32_service", selectors={"NAME": "spooler", "__cimnamespace": "root/cimv2"})
    assert Bench().ask(request).status == 200


@pytest.mark.parametrize("uri", [f"{R}/Win32_Nothing", "http://schemas.example/x", f"{R[:-6]}/other/Win32_Service"])
def test_an_unknown_resource_is_not_found(uri):
    fault = Bench().fault(envelope(GET, uri, selectors={"Name": "x"}))
    assert (fault["subcode"], fault["code"]) == ("a:DestinationUnreachable", 2150858752)


def test_an_instance_that_is_not_there_is_not_found():
    fault = Bench().fault(envelope(GET, f"{R}/Win32_Service", selectors={"Name": "nothing"}))
    assert (fault["code"], fault["provider"]) == (2150858752, 0x80041002)


@pytest.mark.parametrize("verb", ["Put", "Create", "Delete"])
def test_writing_instances_is_not_supported(verb):
    fault = Bench().fault(envelope(GET[:-3] + verb, f"{R}/Win32_Service", selectors={"Name": "Spooler"}))
    assert fault["code"] == 2150858753


@pytest.mark.parametrize(
    "text",
    [
        "select Nothing from Win32_Service",
        "select * from Win32_Service where Nothing = 1",
        "select * from Win32_Nothing",
        "drop table x",
        "select * from Win32_LogicalDisk where Size = 'big'",
    ],
)
def test_a_query_that_cannot_be_answered_is_a_filter_fault_with_the_providers_reason(text):
    fault = Bench().fault(query(text))
    assert fault["code"] == 2150858778
    assert fault["provider"] == (0x80041010 if "Win32_Nothing" in text else 0x80041017)


def test_a_query_goes_to_the_namespace_not_to_a_class():
    request = query(OS).replace(f"{R}/*".encode(), f"{R}/Win32_OperatingSystem".encode())
    assert Bench().fault(request)["code"] == 2150858778


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("Rename_INPUT", "RENAME_INPUT"), "w:SchemaValidationError"),
        ((f'xmlns:p="{R}/Win32_ComputerSystem"', f'xmlns:p="{R}/win32_computersystem"'), "w:SchemaValidationError"),
        (("p:Name>", "p:NewName>"), "w:InvalidParameter"),
        (("<p:Name>", "<p:Name xmlns:p='urn:x'>"), "w:InvalidParameter"),
        (("<p:Name>X</p:Name>", "<p:Name>X</p:Name><p:Name>Y</p:Name>"), "w:InvalidParameter"),
        (("<p:Name>X</p:Name>", "<p:Name><p:X/></p:Name>"), "w:InvalidParameter"),
    ],
)
def test_a_method_is_called_by_exactly_its_input(change, expected):
    bench = Bench()
    request = invoke("Win32_ComputerSystem", "Rename", ME, Name="X").decode().replace(*change)
    assert bench.fault(request.encode())["subcode"] == expected
    assert bench.machine.state.methods == {}


@pytest.mark.parametrize("flags", ["x", "-1", "1.5", "4294967296", ""])
def test_a_parameter_must_be_of_its_type(flags):
    request = invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, Name="d", FJoinOptions=flags)
    assert Bench().fault(request)["subcode"] == "w:InvalidParameter"


def test_an_unknown_method_is_an_unsupported_action():
    assert Bench().fault(invoke("Win32_ComputerSystem", "Explode", ME))["code"] == 2150858753


def test_a_method_of_another_instance_is_not_found():
    assert Bench().fault(invoke("Win32_ComputerSystem", "Rename", {"Name": "OTHER"}, Name="X"))["code"] == 2150858752


def test_windows_7_has_no_change_owner():
    bench = Bench(system="windows7")
    sid = bench.machine.state.profiles[0].sid
    request = invoke("Win32_UserProfile", "ChangeOwner", {"SID": sid}, NewOwnerSID="S-1-5-21-1-2-3-500", Flags="0")
    assert bench.fault(request)["code"] == 2150858753
    schema = envelope(GET, SCHEMA_URI, selectors={"ClassName": "Win32_UserProfile"})
    assert bench.body(schema).find(".//METHOD") is None


def test_a_user_who_is_no_administrator_is_refused():
    assert Bench().fault(query(OS), caller=Caller("awa", administrator=False))["code"] == 5


def test_a_filtered_administrator_is_refused_by_wmi():
    caller = Caller("second", administrator=False, filtered=True)
    assert Bench().fault(query(OS), caller=caller)["wmi"] == str(0x80041003)
    assert Bench(system="windows7").fault(query(OS), caller=caller)["code"] == 0x80041003
