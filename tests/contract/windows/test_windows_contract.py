"""One contract for the machine in memory and for the simulator over every transport."""

from __future__ import annotations

import pytest

from dsi_automation.connectors.windows.errors import FeatureAbsentError, NotFoundError
from dsi_automation.connectors.windows.port import Hive
from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.core.secrets import Secret

LOCAL = Hive.LOCAL_MACHINE
CONTROL = r"SYSTEM\CurrentControlSet\Control"
HOSTILE = ["' or Name like '%", "\\", "]]>", "a\nb", "<&>\"'", "é€🙂", "x" * 10_000]


def test_a_query_gives_the_asked_properties_with_their_types(place):
    (found,) = place.writer.query("Win32_ComputerSystem", ("Name", "PartOfDomain", "Roles", "UserName"))
    assert list(found) == ["Name", "PartOfDomain", "Roles", "UserName"]
    assert (found["Name"], found["PartOfDomain"], found["UserName"]) == (place.name, False, None)
    assert isinstance(found["Roles"], tuple)
    (system,) = place.writer.query("Win32_OperatingSystem", ("LastBootUpTime", "ProductType", "MUILanguages"))
    assert system["LastBootUpTime"].tzinfo is not None
    assert (system["ProductType"], system["MUILanguages"]) == (1, ("en-US",))


def test_a_query_gives_every_instance_with_numbers_in_full(place):
    modules = place.writer.query("Win32_PhysicalMemory", ("Capacity",))
    assert [module["Capacity"] for module in modules] == [4 * 1024**3] * 2


def test_no_property_stands_for_all_of_them(place):
    (found,) = place.writer.query("Win32_ComputerSystem", ())
    assert found["Workgroup"] == "WORKGROUP"
    assert found["OEMStringArray"] == ()


def test_a_query_is_narrowed_by_equality(place):
    assert [row["Name"] for row in place.writer.query("Win32_UserAccount", ("Name",), {"Name": "AWA"})] == ["awa"]
    assert place.writer.query("Win32_LogicalDisk", ("DeviceID",), {"DriveType": 5}) == []
    both = {"LocalAccount": True, "Name": "awa"}
    assert len(place.writer.query("Win32_UserAccount", ("Name",), both)) == 1
    (profile,) = place.writer.query("Win32_UserProfile", ("LocalPath",), {"LocalPath": r"C:\Users\awa"})
    assert profile == {"LocalPath": r"C:\Users\awa"}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_finds_nothing_and_breaks_nothing(place, value):
    assert place.writer.query("Win32_UserAccount", ("Name",), {"Name": value}) == []
    assert place.writer.get("Win32_Service", {"Name": value}) is None
    assert place.writer.registry_value(LOCAL, CONTROL, value) is None
    assert not place.writer.registry_key_exists(LOCAL, f"no{value}")
    assert len(place.writer.query("Win32_UserAccount", ("Name",))) == 3


def test_one_instance_by_its_key_or_none(place):
    assert place.writer.get("Win32_ComputerSystem", {"Name": place.name})["Workgroup"] == "WORKGROUP"
    assert place.writer.get("Win32_OperatingSystem", {})["ProductType"] == 1
    assert place.writer.get("Win32_Service", {"Name": "no such service"}) is None


def test_registry_values_of_every_type_and_none(place):
    names = rf"{CONTROL}\ComputerName\ComputerName"
    assert place.writer.registry_value(LOCAL, names, "ComputerName") == place.name
    assert place.writer.registry_value(LOCAL, names.upper(), "computername") == place.name
    policies = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
    assert place.writer.registry_value(LOCAL, policies, "EnableLUA") == 1
    files = place.writer.registry_value(LOCAL, rf"{CONTROL}\Session Manager", "PendingFileRenameOperations")
    assert files == ("\\??\\C:\\WINDOWS\\Temp\\setup.tmp", "")
    assert place.writer.registry_value(LOCAL, names, "Nothing") is None
    assert place.writer.registry_value(LOCAL, rf"{CONTROL}\Nothing", "x") is None


def test_a_registry_key_exists_or_not(place):
    assert place.writer.registry_key_exists(LOCAL, rf"{CONTROL}\ComputerName\ComputerName")
    assert place.writer.registry_key_exists(LOCAL, rf"{CONTROL}\ComputerName")
    assert not place.writer.registry_key_exists(LOCAL, rf"{CONTROL}\Computer")


def test_the_methods_of_a_class_and_their_parameters(place):
    assert tuple(place.writer.class_methods("Win32_UserProfile")["ChangeOwner"]) == ("NewOwnerSID", "Flags")


def test_a_method_is_carried_out_and_answers_its_code(place):
    selectors = {"Name": place.name}
    assert place.writer.invoke("Win32_ComputerSystem", "Rename", {"Name": "ABJ-PC-0001"}, selectors).return_value == 0
    key = rf"{CONTROL}\ComputerName\ComputerName"
    assert place.writer.registry_value(LOCAL, key, "ComputerName") == "ABJ-PC-0001"
    assert place.done() == ["Rename"]
    assert place.writer.invoke("Win32_ComputerSystem", "Rename", {"Name": "12345"}, selectors).return_value == 1210


def test_a_secret_reaches_the_method_and_a_wrong_one_gets_its_code(place):
    parameters = {
        "Name": "ad.douanes.lab",
        "UserName": "DOUANES\\svc-jonction",
        "Password": Secret("wrong <&> ]]> '\""),
        "AccountOU": None,
        "FJoinOptions": 3,
    }
    selectors = {"Name": place.name}
    result = place.writer.invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", parameters, selectors, timeout=60)
    assert result.return_value == 1326


def test_an_instance_that_is_not_there_cannot_be_called(place):
    with pytest.raises(NotFoundError):
        place.writer.invoke("Win32_UserProfile", "ChangeOwner", {"Flags": 0}, {"SID": "S-1-5-21-0"})


def test_a_method_without_a_permit_is_not_sent(place):
    place.permit.is_open = False
    with pytest.raises(GateClosedError):
        place.writer.invoke("Win32_ComputerSystem", "Rename", {"Name": "ABJ-PC-0001"}, {"Name": place.name})
    assert place.permit.asked == ["ws1"]
    assert place.done() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda writer: writer.query("Win32_Product", ("Name",)),
        lambda writer: writer.query("Win32_Service", ("name",)),
        lambda writer: writer.query("Win32_Service", ("Name",), {"Nom": 1}),
        lambda writer: writer.get("Win32_OperatingSystem", {"Name": "x"}),
        lambda writer: writer.get("Win32_Service", {}),
        lambda writer: writer.class_methods("Nothing"),
        lambda writer: writer.invoke("Win32_OperatingSystem", "Format", {}),
        lambda writer: writer.invoke("Win32_OperatingSystem", "Reboot", {"Force": True}),
    ],
)
def test_what_the_schema_does_not_know_is_a_usage_error_everywhere(place, call):
    with pytest.raises(UsageError):
        call(place.writer)


def test_a_class_this_windows_does_not_have_is_a_missing_feature(place):
    if place.sim is not None:
        place.sim.control.fault("ws1", "invalid_class", class_name="Win32_BIOS")
    with pytest.raises(FeatureAbsentError):
        place.writer.query("Win32_BIOS", ("SerialNumber",))
