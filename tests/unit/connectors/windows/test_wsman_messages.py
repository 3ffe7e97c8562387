"""Requests and answers of WS-Management as bytes: hostile values stay data, real servers' variety is accepted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.connectors.windows import answers, asked, faults, markup, soap, values, wql
from dsi_automation.connectors.windows.classes import CLASSES, SINGLETONS
from dsi_automation.connectors.windows.errors import HostileValueError
from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.connectors.windows.schema import CimType
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret

TO = "http://198.18.1.1:5985/wsman"
JOIN = CLASSES["Win32_ComputerSystem"].methods["JoinDomainOrWorkgroup"]
XML_TEXT = st.text(
    st.characters(blacklist_categories=("Cs",)).filter(
        lambda c: c in "\t\n\r" or ("\x20" <= c <= "\ufffd") or c >= "\U00010000"
    )
)
HOSTILE = ["]]>", "<&>\"'", "$(rm -rf /)", "a\nb\r\nc\td", "' or 1=1 --", "\\", "é€🙂", "{to}{body}", "x" * 10_000]


def envelope(body: str, relates: str = "", extra: str = "") -> bytes:
    header = f"<a:RelatesTo>{relates}</a:RelatesTo>" if relates else ""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08'
        '/addressing" xmlns:w="urn:w" xmlns:n="urn:n" xmlns:f="urn:f" xmlns:cim="urn:cim"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body>{extra}</s:Envelope>"
    ).encode()


def content(body: str) -> ET.Element:
    return answers.body(envelope(body), "")


def parameter(data: bytes, name: str) -> str | None:
    uri = f"{soap.CIMV2}/Win32_ComputerSystem"
    return ET.fromstring(data).find(f".//{{{uri}}}{name}").text  # noqa: S314  # our own bytes


@given(XML_TEXT)
def test_any_parameter_comes_out_of_the_request_as_it_went_in(value):
    message = soap.invoke(TO, "Win32_ComputerSystem", JOIN, {"Name": value, "Password": Secret(value)}, {}, 20)
    assert (parameter(message.data, "Name") or "") == value
    assert (parameter(message.data, "Password") or "") == value


@given(XML_TEXT, XML_TEXT)
def test_any_selector_and_any_query_come_out_as_they_went_in(selector, value):
    root = ET.fromstring(soap.get(TO, "Win32_Service", {"Name": selector}, 20).data)  # noqa: S314
    assert [node.text or "" for node in root.iter() if node.tag.endswith("}Selector")] == [selector]
    statement = wql.select("Win32_Service", ["Name"], {"Name": value})
    root = ET.fromstring(soap.query(TO, statement, 20).data)  # noqa: S314
    assert [node.text for node in root.iter() if node.tag.endswith("}Filter")] == [statement]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_do_not_change_the_structure_of_a_request(value):
    plain = ET.fromstring(  # noqa: S314
        soap.invoke(TO, "Win32_ComputerSystem", JOIN, {"Name": "x"}, {"Name": "y"}, 20).data
    )
    hostile = ET.fromstring(  # noqa: S314
        soap.invoke(TO, "Win32_ComputerSystem", JOIN, {"Name": value}, {"Name": value}, 20).data
    )
    assert [node.tag for node in hostile.iter()] == [node.tag for node in plain.iter()]


@pytest.mark.parametrize("value", ["\0", "a\x01b", "\x1b[31m", "\ud800", "\ufffe", "\x0b"])
def test_characters_xml_cannot_carry_are_refused_before_anything_is_sent(value):
    with pytest.raises(HostileValueError) as caught:
        soap.invoke(TO, "Win32_ComputerSystem", JOIN, {"Name": value}, {}, 20)
    assert value not in str(caught.value)
    with pytest.raises(HostileValueError):
        soap.get(TO, "Win32_Service", {"Name": value}, 20)
    with pytest.raises(HostileValueError):
        soap.query(TO, wql.select("Win32_Service", ["Name"], {"Name": value}), 20)


def test_a_name_of_ten_megabytes_is_refused_before_anything_is_sent():
    with pytest.raises(HostileValueError):
        soap.get(TO, "Win32_Service", {"Name": "x" * 10_000_000}, 20)


def test_a_message_does_not_show_the_secret_it_carries():
    message = soap.invoke(TO, "Win32_ComputerSystem", JOIN, {"Password": Secret("canary-1234")}, {}, 20)
    assert b"canary-1234" in message.data
    assert "canary-1234" not in repr(message)


def test_a_null_parameter_is_left_out_and_an_empty_one_is_sent_empty():
    message = soap.invoke(TO, "Win32_ComputerSystem", JOIN, {"Password": None, "UserName": ""}, {}, 20)
    assert b"Password" not in message.data
    assert b"<p:UserName></p:UserName>" in message.data


@pytest.mark.parametrize(
    ("name", "value"), [("FJoinOptions", "3"), ("FJoinOptions", -1), ("FJoinOptions", True), ("Name", 3), ("Name", 1.5)]
)
def test_a_value_of_the_wrong_type_is_refused(name, value):
    with pytest.raises(HostileValueError):
        soap.invoke(TO, "Win32_ComputerSystem", JOIN, {name: value}, {}, 20)


def tokens(statement: str) -> list[str]:
    """Split WQL as Windows' documentation describes it, independently of the code that writes it."""
    found, position = [], 0
    while position < len(statement):
        letter = statement[position]
        if letter.isspace():
            position += 1
        elif letter == "'":
            value, position = "", position + 1
            while statement[position] != "'":
                if statement[position] == "\\":
                    position += 1
                value += statement[position]
                position += 1
            found.append(f"literal:{value}")
            position += 1
        else:
            word = re.match(r"\w+|.", statement[position:])[0]
            found.append(word)
            position += len(word)
    return found


@given(st.text(), st.text())
def test_a_hostile_value_stays_one_literal_of_the_query(first, second):
    statement = wql.select("Win32_UserAccount", ["Name", "SID"], {"Name": first, "Domain": second})
    expected = ["SELECT", "Name", ",", "SID", "FROM", "Win32_UserAccount", "WHERE", "Name", "="]
    assert tokens(statement) == [*expected, f"literal:{first}", "AND", "Domain", "=", f"literal:{second}"]


def test_booleans_numbers_nulls_and_dates_are_written_as_wql_writes_them():
    moment = datetime(2026, 11, 21, 20, 0, tzinfo=timezone(timedelta(hours=1)))
    statement = wql.select("X", ["A"], {"B": True, "C": 3, "D": None, "E": moment})
    tests = ["B = TRUE", "C = 3", "D IS NULL", "E = '20261121190000.000000+000'"]
    assert statement == " ".join(["SELECT A FROM X WHERE", " AND ".join(tests)])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2013-04-15T16:28:43Z", datetime(2013, 4, 15, 16, 28, 43, tzinfo=UTC)),
        ("2013-04-15T16:28:43.5Z", datetime(2013, 4, 15, 16, 28, 43, 500000, tzinfo=UTC)),
        ("2013-04-15T16:28:43.488171Z", datetime(2013, 4, 15, 16, 28, 43, 488171, tzinfo=UTC)),
        ("2013-04-15T16:28:43.488171+02:00", datetime(2013, 4, 15, 14, 28, 43, 488171, tzinfo=UTC)),
        ("2013-04-15T16:28:43-00:30", datetime(2013, 4, 15, 16, 58, 43, tzinfo=UTC)),
    ],
)
def test_dates_come_in_every_form_windows_writes(words, expected):
    assert values.moment(words) == expected


@pytest.mark.parametrize(
    "words", ["", "yesterday", "2013-13-01T00:00:00Z", "2013-04-15T16:28:43", "0001-01-01T00:00:00+10:00"]
)
def test_what_is_no_date_is_an_error_not_a_guess(words):
    with pytest.raises(MalformedAnswerError):
        values.moment(words)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 6), st.integers(-14 * 60, 14 * 60))
def test_a_date_survives_any_number_of_digits_and_any_offset(moment, digits, offset):
    moment = moment.replace(microsecond=moment.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits))
    try:
        there = moment.astimezone(timezone(timedelta(minutes=offset)))
    except OverflowError:
        return
    fraction = f".{there.microsecond:06}"[: digits + 1] if digits else ""
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    words = f"{there:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + fraction + f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    assert values.moment(words) == moment


@given(st.integers(0, 2**64 - 1))
def test_a_uint64_comes_whole(number):
    body = content(f"<p:I xmlns:p='u'><p:TotalPhysicalMemory>{number}</p:TotalPhysicalMemory></p:I>")
    assert answers.instance(body[0], CLASSES["Win32_ComputerSystem"])["TotalPhysicalMemory"] == number


@pytest.mark.parametrize("words", ["", "1_000", "٣", "0x10", "-1", str(2**64), "1.5", "true"])
def test_a_number_that_is_none_is_an_error(words):
    node = ET.fromstring(f"<Capacity>{words}</Capacity>")  # noqa: S314
    with pytest.raises(MalformedAnswerError):
        values.read(node, CimType.UINT64)


def test_an_instance_has_nulls_empty_strings_booleans_in_any_case_and_arrays_by_the_schema():
    body = content(
        '<w:XmlFragment><Roles>A</Roles><Domain/><PartOfDomain>TRUE</PartOfDomain><UserName xsi:nil="true"/>'
        "<DomainRole> 1 </DomainRole><Unknown>x</Unknown></w:XmlFragment>"
    )
    wanted = ("Roles", "Domain", "PartOfDomain", "UserName", "DomainRole", "OEMStringArray", "Workgroup")
    assert answers.instance(body[0], CLASSES["Win32_ComputerSystem"], wanted) == {
        "Roles": ("A",),
        "Domain": "",
        "PartOfDomain": True,
        "UserName": None,
        "DomainRole": 1,
        "OEMStringArray": (),
        "Workgroup": None,
    }


def test_a_null_array_is_none_and_a_null_inside_an_array_stays():
    known = CLASSES["Win32_NetworkAdapterConfiguration"]
    body = content(
        '<p:I xmlns:p="u"><p:IPAddress xsi:nil="true"/><p:IPSubnet>a</p:IPSubnet><p:IPSubnet xsi:nil="1"/></p:I>'
    )
    assert dict(answers.instance(body[0], known, ("IPAddress", "IPSubnet"))) == {
        "IPAddress": None,
        "IPSubnet": ("a", None),
    }


def test_dates_are_read_prefixed_and_bare():
    known = CLASSES["Win32_OperatingSystem"]
    moment = datetime(2013, 4, 15, 16, 28, 43, tzinfo=UTC)
    for inner in ("<cim:Datetime>2013-04-15T16:28:43Z</cim:Datetime>", "<Datetime>2013-04-15T16:28:43Z</Datetime>"):
        body = content(f"<w:XmlFragment><LastBootUpTime>{inner}</LastBootUpTime></w:XmlFragment>")
        assert answers.instance(body[0], known, ("LastBootUpTime",)) == {"LastBootUpTime": moment}


CONTEXT = "<n:EnumerationContext>c</n:EnumerationContext>"
END = "<w:EndOfSequence/></n:EnumerateResponse>"


@pytest.mark.parametrize(
    ("response", "items", "context"),
    [
        ("<n:EnumerateResponse><n:EnumerationContext/><w:Items><a/></w:Items>" + END, 1, None),
        ("<n:EnumerateResponse><w:Items/>" + END, 0, None),
        (f"<n:EnumerateResponse>{CONTEXT}{END}", 0, None),
        (f"<n:EnumerateResponse>{CONTEXT}</n:EnumerateResponse>", 0, "c"),
        (f"<n:PullResponse>{CONTEXT}<n:Items><a/><a/></n:Items></n:PullResponse>", 2, "c"),
        ("<n:PullResponse><n:Items><a/></n:Items><n:EndOfSequence/></n:PullResponse>", 1, None),
    ],
)
def test_pages_end_and_go_on_as_windows_and_omi_say_it(response, items, context):
    page = answers.page(content(response))
    assert (len(page.items), page.context) == (items, context)


@pytest.mark.parametrize(
    "response", ["<n:EnumerateResponse/>", "<n:PullResponse><n:EnumerationContext/></n:PullResponse>", "<x/>", ""]
)
def test_a_page_without_end_and_without_a_way_on_is_an_error(response):
    with pytest.raises(MalformedAnswerError):
        answers.page(content(response))


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        LAUGHS,
        LAUGHS.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="cp037"?>' + LAUGHS[21:].decode().encode("cp037"),
        envelope("<a/>")[:-20],
        b"<a/>",
        envelope("<a/>", relates="uuid:OTHER"),
        envelope("<a/>"),
        b"<x>" * 10_000,
        b"\xff\xfe\x00",
        b"<s:Envelope xmlns:s='u'><s:Header/></s:Envelope>",
        b"<a>" + b"x" * (markup.LARGEST_ANSWER) + b"</a>",
    ],
    ids=range(13),
)
def test_an_answer_that_is_none_is_one_clean_error(data):
    with pytest.raises(MalformedAnswerError):
        answers.body(data, "uuid:MINE")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_one_clean_error(data):
    with pytest.raises(MalformedAnswerError):
        answers.body(data, "uuid:MINE")


def test_the_answer_to_ones_own_request_is_read_in_any_case_of_the_identifier():
    assert len(answers.body(envelope("<a/>", relates=" uuid:mine "), "uuid:MINE")) == 1


def test_a_method_answers_as_windows_and_as_omi_name_it():
    method = CLASSES["StdRegProv"].methods["EnumKey"]
    for name in ("EnumKey_OUTPUT", "EnumKey"):
        body = content(f"<p:{name} xmlns:p='u'><p:sNames>a</p:sNames><p:ReturnValue>0</p:ReturnValue></p:{name}>")
        assert answers.method_result(body, method).out == {"sNames": ("a",)}
    signed = content("<p:EnumKey_OUTPUT xmlns:p='u'><p:ReturnValue>-2147217403</p:ReturnValue></p:EnumKey_OUTPUT>")
    assert answers.method_result(signed, method).return_value == 0x80041005


OUTPUT = "<p:EnumKey_OUTPUT xmlns:p='u'>{}</p:EnumKey_OUTPUT>"


@pytest.mark.parametrize(
    "body",
    ["", "<p:Other_OUTPUT xmlns:p='u'/>", OUTPUT.format(""), OUTPUT.format("<p:ReturnValue>?</p:ReturnValue>")],
)
def test_a_method_answer_without_a_return_value_is_an_error(body):
    with pytest.raises(MalformedAnswerError):
        answers.method_result(content(body), CLASSES["StdRegProv"].methods["EnumKey"])


def test_a_schema_lists_methods_and_their_in_parameters_with_and_without_qualifiers():
    known = CLASSES["StdRegProv"]
    parameters = '<PARAMETER NAME="hDefKey" TYPE="uint32"/><PARAMETER NAME="sSubKeyName" TYPE="string"/>'
    out = '<PARAMETER.ARRAY NAME="sNames" TYPE="string"{}</PARAMETER.ARRAY>'
    bare = (
        f'<CLASS NAME="StdRegProv"><METHOD NAME="EnumKey" TYPE="uint32">{parameters}{out.format(">")}</METHOD></CLASS>'
    )
    assert answers.class_methods(content(bare), known) == {"EnumKey": ("hDefKey", "sSubKeyName")}
    marked = (
        '<METHOD NAME="New"><PARAMETER NAME="a"><QUALIFIER NAME="In"/></PARAMETER>'
        '<PARAMETER NAME="b"><QUALIFIER NAME="Out"/></PARAMETER></METHOD>'
    )
    assert answers.class_methods(content(f"<CLASS>{marked}</CLASS>"), known) == {"New": ("a",)}


WMI = "<p:MSFT_WmiError xmlns:p='u'>{}</p:MSFT_WmiError>"
NESTED = (
    '<f:WSManFault Code="2150859174"><f:Message><f:ProviderFault><f:WSManFault Code="2150858752"/><f:ExtendedError>'
    "<p:__ExtendedStatus xmlns:p='u'><p:ParameterInfo>canary</p:ParameterInfo><p:StatusCode>2147749890</p:StatusCode>"
    "</p:__ExtendedStatus></f:ExtendedError></f:ProviderFault></f:Message></f:WSManFault>"
)
FAULT = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{sub}</s:Value></s:Subcode></s:Code>"
    "<s:Reason><s:Text>{why}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>"
)


@pytest.mark.parametrize(
    ("sub", "detail", "codes"),
    [
        ("w:TimedOut", '<f:WSManFault Code="2150858793" Machine=""/>', (0x80338029,)),
        ("a:DestinationUnreachable", "", (0x80338000,)),
        ("w:Strange", "", ()),
        ("", WMI.format("<p:error_Code>2147749904</p:error_Code>"), (0x80041010,)),
        ("", WMI.format("<p:MessageID>HRESULT 0x80041003</p:MessageID>"), (0x80041003,)),
        (
            "w:InternalError",
            NESTED,
            (0x80041002, 0x80338000, 0x803381A6),
        ),
        ("", '<f:WSManFault Code="-2144108526"/>', (0x80338012,)),
        ("", '<f:WSManFault Code="what"/>', ()),
    ],
)
def test_faults_of_every_shape_give_their_codes_and_never_the_echo_of_the_request(sub, detail, codes):
    fault = faults.parse(content(FAULT.format(sub=sub, why="Zeitüberschreitung", detail=detail)))
    assert fault.codes == codes
    assert "canary" not in repr(fault)


def test_an_answer_without_a_fault_has_none():
    assert faults.parse(content("<a/>")) is None


def test_singletons_have_no_keys_and_every_other_instance_class_has():
    for name, known in CLASSES.items():
        static = all(method.static for method in known.methods.values()) and bool(known.methods)
        assert bool(known.keys) != (name in SINGLETONS or static)
        assert set(known.keys) <= set(known.properties)


@pytest.mark.parametrize(
    "call",
    [
        lambda: asked.known_class("Win32_Product"),
        lambda: asked.known_properties(CLASSES["Win32_BIOS"], ["version"]),
        lambda: asked.known_method(CLASSES["Win32_BIOS"], "Rename", ()),
        lambda: asked.known_method(CLASSES["Win32_UserProfile"], "ChangeOwner", ["newOwnerSID"]),
        lambda: asked.check_selectors(CLASSES["Win32_OperatingSystem"], {"Name": "x"}),
        lambda: asked.check_selectors(CLASSES["Win32_UserAccount"], {"Name": "x"}),
        lambda: asked.check_selectors(CLASSES["Win32_Service"], {}),
    ],
)
def test_names_that_the_schema_does_not_know_are_refused(call):
    with pytest.raises(UsageError):
        call()
