"""Answers have the shapes of MS-WSMV: namespaces, fragments, NULL, arrays, moments, pages, faults, schema."""

from datetime import datetime

import pytest
from winsim_wire import (
    ENUMERATION,
    GET,
    NAMESPACES,
    NIL,
    SCHEMA_URI,
    Bench,
    R,
    envelope,
    invoke,
    local,
    query,
    returned,
)

from dsi_automation.lab.windows.faults import Fault, FaultRule
from dsi_automation.lab.windows.spec import GIB, MemoryModule, RebootReason

N = f"{{{ENUMERATION}}}"
W = f"{{{NAMESPACES['w']}}}"


def registry(bench, method, key, value=None):
    given = {"hDefKey": "2147483650", "sSubKeyName": key, **({"sValueName": value} if value else {})}
    return bench.body(invoke("StdRegProv", method, **given))[0]


def texts(element):
    return [child.text for child in element]


def test_chosen_columns_come_as_a_fragment_in_no_namespace_alphabetically():
    response = Bench().body(query("select Version,LastBootUpTime,CSDVersion from Win32_OperatingSystem"))[0]
    assert [child.tag for child in response] == [f"{N}EnumerationContext", f"{W}Items", f"{W}EndOfSequence"]
    fragment = response.find("w:Items/w:XmlFragment", NAMESPACES)
    assert [child.tag for child in fragment] == ["CSDVersion", "LastBootUpTime", "Version"]
    assert fragment[0].get(NIL) == "true"
    assert datetime.fromisoformat(fragment.findtext("LastBootUpTime/Datetime")).tzinfo is not None


def test_a_star_gives_whole_instances_in_the_namespace_of_their_class():
    item = Bench().body(query("select * from Win32_OperatingSystem")).find(".//w:Items", NAMESPACES)[0]
    space = f"{{{R}/Win32_OperatingSystem}}"
    assert item.tag == f"{space}Win32_OperatingSystem"
    assert item.find(f"{space}LastBootUpTime/cim:Datetime", NAMESPACES) is not None
    assert item.find(f"{space}CSDVersion").get(NIL) == "true"
    assert item.find(f"{space}Description").text is None
    assert item.find(f"{space}Description").get(NIL) is None
    assert item.findtext(f"{space}Primary") == "true"


def test_an_array_repeats_its_element_and_a_null_array_is_one_nil():
    bench = Bench()
    item = bench.body(query("select Roles,Name from Win32_ComputerSystem")).find(".//w:XmlFragment", NAMESPACES)
    assert [child.text for child in item.findall("Roles")] == ["LM_Workstation", "LM_Server", "NT"]
    card = bench.body(query("select IPAddress,DefaultIPGateway from Win32_NetworkAdapterConfiguration"))
    fragment = card.find(".//w:XmlFragment", NAMESPACES)
    assert texts(fragment.findall("IPAddress")) == [bench.spec.address]
    assert fragment.find("DefaultIPGateway").get(NIL) == "true"


def test_memory_is_installed_by_module_and_visible_in_total():
    bench = Bench(visible_memory=4080218931)
    modules = bench.body(query("select Capacity from Win32_PhysicalMemory")).findall(".//Capacity")
    assert sum(int(module.text) for module in modules) == 8 * 1024**3
    system = bench.body(query("select TotalVisibleMemorySize from Win32_OperatingSystem"))
    assert system.findtext(".//TotalVisibleMemorySize") == str(4080218931 // 1024)


def test_pages_go_on_until_the_end_and_pull_answers_in_the_other_namespace():
    bench = Bench()
    response = bench.body(query("select Name from Win32_Service", most=4))[0]
    context = response.findtext("n:EnumerationContext", None, NAMESPACES)
    assert len(response.find("w:Items", NAMESPACES)) == 4
    assert response.find("w:EndOfSequence", NAMESPACES) is None
    body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>9</n:MaxElements></n:Pull>"
    pull = envelope(f"{ENUMERATION}/Pull", f"{R}/*", body)
    last = bench.body(pull)[0]
    assert [child.tag for child in last] == [f"{N}Items", f"{N}EndOfSequence"]
    assert len(last[0]) == 2
    assert bench.fault(pull)["subcode"] == "n:InvalidEnumerationContext"


def test_a_list_can_be_released():
    bench = Bench()
    context = bench.body(query("select Name from Win32_Service", most=1)).findtext(
        ".//n:EnumerationContext", None, NAMESPACES
    )
    inner = f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    release = envelope(f"{ENUMERATION}/Release", f"{R}/*", f"<n:Release>{inner}</n:Release>")
    assert len(bench.body(release)) == 0
    assert bench.fault(release)["subcode"] == "n:InvalidEnumerationContext"


def test_without_optimization_the_first_answer_holds_only_the_context():
    response = Bench().body(envelope(f"{ENUMERATION}/Enumerate", f"{R}/Win32_Service", "<n:Enumerate/>"))[0]
    assert [child.tag for child in response] == [f"{N}EnumerationContext"]
    assert response[0].text.startswith("uuid:")


def test_a_page_ends_where_the_clients_envelope_is_full():
    small = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>"
    bench = Bench(memory=[MemoryModule(capacity=GIB)] * 40)
    response = bench.body(query("select * from Win32_PhysicalMemory", MaxEnvelopeSize=small))[0]
    assert 0 < len(response.find("w:Items", NAMESPACES)) < 40
    assert response.find("w:EndOfSequence", NAMESPACES) is None


def test_the_page_size_fault_makes_small_pages():
    bench = Bench(faults=[FaultRule(fault=Fault.PAGE_SIZE, value=2)])
    assert len(bench.body(query("select Name from Win32_Service")).find(".//w:Items", NAMESPACES)) == 2


def test_an_abandoned_list_counts_against_the_quota_of_an_old_system():
    bench = Bench(system="windows7")
    requests = [query("select Name from Win32_Service", most=1)] * 16
    assert bench.fault(*requests)["code"] == 2150859174


def test_simple_equality_needs_no_wql():
    body = (
        "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>9</w:MaxElements>"
        '<w:Filter Dialect="http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"><w:SelectorSet>'
        '<w:Selector Name="DriveType">3</w:Selector></w:SelectorSet></w:Filter></n:Enumerate>'
    )
    items = Bench().body(envelope(f"{ENUMERATION}/Enumerate", f"{R}/Win32_LogicalDisk", body))[0]
    assert [local(item) for item in items.find("w:Items", NAMESPACES)] == ["Win32_LogicalDisk"]


def test_the_class_schema_is_cim_xml_without_a_namespace():
    found = Bench().body(envelope(GET, SCHEMA_URI, selectors={"ClassName": "win32_computersystem"}))[0]
    assert (found.tag, found.get("NAME")) == ("CLASS", "Win32_ComputerSystem")
    join = found.find("METHOD[@NAME='JoinDomainOrWorkgroup']")
    assert [parameter.get("NAME") for parameter in join] == [
        "Name",
        "Password",
        "UserName",
        "AccountOU",
        "FJoinOptions",
    ]
    assert found.find("PROPERTY.ARRAY[@NAME='Roles']").get("TYPE") == "string"


def test_an_unknown_class_has_no_schema_and_says_so_as_a_wmi_error():
    fault = Bench().fault(envelope(GET, SCHEMA_URI, selectors={"ClassName": "Win32_Nothing"}))
    assert (fault["value"], fault["wmi"], fault["code"]) == ("s:Receiver", str(0x80041010), None)


def test_a_stale_schema_has_no_methods():
    bench = Bench(faults=[FaultRule(fault=Fault.STALE_SCHEMA)])
    assert bench.body(envelope(GET, SCHEMA_URI, selectors={"ClassName": "Win32_UserProfile"})).find(".//METHOD") is None


def test_identify_needs_no_header_and_tells_the_stack():
    body = '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>'
    data = f'<s:Envelope xmlns:s="{NAMESPACES["s"]}"><s:Header/><s:Body>{body}</s:Body></s:Envelope>'
    bench = Bench()
    assert b"Stack: 3.0" in bench.ask(data.encode()).body
    assert b"OS: 0.0.0" in bench.service.identify(authenticated=False)


def test_a_french_machine_says_its_reasons_in_french_and_the_same_codes():
    fault = Bench(language="fr-FR").fault(query("select * from Win32_Nothing"))
    assert fault["code"] == 2150858778
    assert "Le filtre n’a pas pu être traité" in fault["reason"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.QUOTA, {"code": 2150859174}),
        (Fault.ACCESS_DENIED, {"wmi": str(0x80041003), "code": None}),
        (Fault.WBEM_SHUTTING_DOWN, {"wmi": str(0x80041033)}),
        (Fault.INVALID_CLASS, {"wmi": str(0x80041010)}),
        (Fault.REASON_ONLY, {"code": None, "wmi": None, "reason": "Internal error."}),
    ],
)
def test_every_shape_of_fault_can_be_provoked_for_so_many_requests(fault, expected):
    bench = Bench(faults=[FaultRule(fault=fault, count=1)])
    said = bench.fault(query("select Name from Win32_Service"))
    assert {name: said[name] for name in expected} == expected
    assert bench.ask(query("select Name from Win32_Service")).status == 200


def test_a_wmi_error_is_a_plain_code_on_windows_7():
    bench = Bench(system="windows7", faults=[FaultRule(fault=Fault.ACCESS_DENIED)])
    said = bench.fault(query("select Name from Win32_Service"))
    assert (said["wmi"], said["code"]) == (None, 0x80041003)


def test_a_fault_can_be_bound_to_a_class():
    bench = Bench(faults=[FaultRule(fault=Fault.QUOTA, class_name="Win32_BIOS")])
    assert bench.ask(query("select Name from Win32_Service")).status == 200
    assert bench.fault(query("select Name from Win32_BIOS"))["code"] == 2150859174


def test_the_registry_follows_the_state_of_the_machine():
    bench = Bench(pending_reboot={RebootReason.COMPONENT_SERVICING, RebootReason.FILE_RENAME})
    control = "SYSTEM\\CurrentControlSet\\Control"
    names = f"{control}\\ComputerName"
    bench.machine.state.pending_name = "ABJ-PC-0001"
    active = registry(bench, "GetStringValue", f"{names}\\ActiveComputerName", "ComputerName")
    pending = registry(bench, "GetStringValue", f"{names}\\computername", "computername")
    assert (texts(active)[0], texts(pending)[0]) == ("DESKTOP-7F3K2Q1", "ABJ-PC-0001")
    servicing = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"
    assert "RebootPending" in texts(registry(bench, "EnumKey", servicing))
    moved = registry(bench, "GetMultiStringValue", f"{control}\\Session Manager", "PendingFileRenameOperations")
    assert len(moved) == 3
    bench.machine.state.reboot(bench.machine.now())
    assert "RebootPending" not in texts(registry(bench, "EnumKey", servicing))


@pytest.mark.parametrize(
    ("method", "key", "value", "code"),
    [
        ("GetStringValue", "SOFTWARE\\Nothing", "x", 2),
        ("GetStringValue", "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "Nothing", 1),
        ("GetDWORDValue", "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "ProductName", 0x80041005),
        ("EnumKey", "SOFTWARE\\Nothing", None, 2),
        ("GetDWORDValue", "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "UBR", 0),
    ],
)
def test_the_registry_tells_what_is_absent_or_of_another_type(method, key, value, code):
    answer = registry(Bench(), method, key, value)
    assert int(answer[-1].text) == code


def test_what_xml_cannot_hold_is_shown_as_a_question_mark():
    bench = Bench(logged_on_user="DOM\\a\x01b<&>")
    found = bench.body(query("select UserName from Win32_ComputerSystem")).findtext(".//UserName")
    assert found == "DOM\\a?b<&>"


def test_an_answer_relates_to_its_request_and_names_its_action():
    request = query("select Name from Win32_Service")
    answer = Bench().ask(request).body.decode()
    sent = request.decode().split("<a:MessageID>")[1].split("<")[0]
    assert f"<a:RelatesTo>{sent}</a:RelatesTo>" in answer
    assert f"<a:Action>{ENUMERATION}/EnumerateResponse</a:Action>" in answer


def test_a_method_answers_in_the_namespace_of_its_class():
    bench = Bench()
    body = bench.body(invoke("Win32_ComputerSystem", "Rename", {"Name": bench.spec.computer_name}, Name="NEW"))
    assert body[0].tag == f"{{{R}/Win32_ComputerSystem}}Rename_OUTPUT"
    assert returned(body) == 0
