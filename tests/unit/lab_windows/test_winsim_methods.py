"""Methods of the simulated workstations have their consequences, once, and refuse what Windows refuses."""

import asyncio

import pytest
from fix_winsim import WINSIM_JOIN_PASSWORD, WINSIM_JOINER, WINSIM_OU
from winsim_wire import ADMIN, NAMESPACES, Bench, R, envelope, fault_of, invoke, query, returned

from dsi_automation.lab.windows.faults import Fault, FaultRule
from dsi_automation.lab.windows.joining import MemoryAccount
from dsi_automation.lab.windows.spec import LocalUser, Membership, Profile

SYSTEM = "Win32_ComputerSystem"
AWA_IN_DOMAIN = "S-1-5-21-1-2-3-1104"
MEMBER = Membership(dns_name="ad.douanes.lab", netbios_name="DOUANES")


def rename(bench, name, **given):
    me = {"Name": bench.machine.state.computer_name}
    return returned(bench.body(invoke(SYSTEM, "Rename", me, Name=name, **given)))


def join(bench, **changes):
    given = {
        "Name": "ad.douanes.lab",
        "Password": WINSIM_JOIN_PASSWORD,
        "UserName": f"DOUANES\\{WINSIM_JOINER}",
        "AccountOU": WINSIM_OU,
        "FJoinOptions": "3",
        **changes,
    }
    given = {name: value for name, value in given.items() if value is not None}
    me = {"Name": bench.machine.state.computer_name}
    return returned(bench.body(invoke(SYSTEM, "JoinDomainOrWorkgroup", me, **given)))


def change_owner(bench, sid, new_owner, flags=0):
    request = invoke("Win32_UserProfile", "ChangeOwner", {"SID": sid}, NewOwnerSID=new_owner, Flags=str(flags))
    answer = bench.ask(request)
    return 0 if answer.status == 200 else int(bench.fault(request)["wmi"])


def test_a_rename_waits_for_the_restart():
    bench = Bench()
    assert rename(bench, "ABJ-PC-0001") == 0
    assert bench.machine.state.computer_name == "DESKTOP-7F3K2Q1"
    bench.machine.state.reboot(bench.machine.now())
    assert (bench.machine.state.computer_name, bench.machine.state.pending_name) == ("ABJ-PC-0001", None)


@pytest.mark.parametrize("name", ["A" * 16, "12345", "with space", "under/slash", ".dot"])
def test_a_name_windows_does_not_take_is_refused(name):
    bench = Bench()
    assert rename(bench, name) == 1210
    assert bench.machine.state.pending_name is None


def test_a_join_makes_the_account_under_the_new_name_and_shows_at_once():
    bench = Bench()
    rename(bench, "ABJ-PC-0001")
    assert join(bench, FJoinOptions="1027") == 0
    assert bench.domain.computers == {"ABJ-PC-0001": MemoryAccount(ou=WINSIM_OU, owner=WINSIM_JOINER)}
    shown = bench.body(query("select Domain,PartOfDomain from Win32_ComputerSystem"))
    assert (shown.findtext(".//Domain"), shown.findtext(".//PartOfDomain")) == ("ad.douanes.lab", "true")
    assert bench.machine.state.join_pending
    assert bench.machine.state.methods[f"{SYSTEM}.JoinDomainOrWorkgroup"] == 1


def test_without_the_new_name_flag_the_account_has_the_old_name():
    bench = Bench()
    rename(bench, "ABJ-PC-0001")
    assert join(bench) == 0
    assert set(bench.domain.computers) == {"DESKTOP-7F3K2Q1"}


def test_a_pending_join_shows_after_the_restart_where_the_machine_is_told_so():
    bench = Bench(membership_at_once=False)
    join(bench)
    assert bench.body(query("select PartOfDomain from Win32_ComputerSystem")).findtext(".//PartOfDomain") == "false"
    bench.machine.state.reboot(bench.machine.now())
    assert bench.body(query("select PartOfDomain from Win32_ComputerSystem")).findtext(".//PartOfDomain") == "true"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Password": "wrong"}, 1326),
        ({"UserName": "nobody"}, 1326),
        ({"AccountOU": "OU=Nowhere,DC=ad"}, 2),
        ({"Name": "other.lab"}, 1355),
        ({"FJoinOptions": "1"}, 1332),
        ({"FJoinOptions": "16"}, 87),
        ({"UserName": None}, 87),
        ({"Name": ""}, 87),
    ],
)
def test_a_join_that_cannot_be_returns_its_code_and_changes_nothing(changes, code):
    bench = Bench()
    assert join(bench, **changes) == code
    assert bench.machine.state.membership is None
    assert bench.domain.computers == {}
    assert bench.machine.state.methods == {}


@pytest.mark.parametrize(
    ("account", "flags", "code"),
    [
        (MemoryAccount(WINSIM_OU, WINSIM_JOINER), "3", 0),
        (MemoryAccount(WINSIM_OU, "somebody"), "3", 2732),
        (MemoryAccount(WINSIM_OU.replace("ABJ", "SPY"), WINSIM_JOINER), "3", 2224),
        (MemoryAccount(WINSIM_OU, WINSIM_JOINER), str(3 | 0x20000), 2224),
    ],
)
def test_an_existing_account_is_reused_only_as_kb5020276_allows(account, flags, code):
    bench = Bench()
    bench.domain.computers["DESKTOP-7F3K2Q1"] = account
    assert join(bench, FJoinOptions=flags) == code


def test_a_member_does_not_join_again_unless_told_so():
    bench = Bench(joined=MEMBER)
    assert join(bench) == 2691
    assert join(bench, FJoinOptions=str(3 | 0x20)) == 0


def test_an_unjoin_disables_the_account_where_asked_for():
    bench = Bench()
    join(bench)
    me = {"Name": bench.spec.computer_name}
    given = {"Password": WINSIM_JOIN_PASSWORD, "UserName": WINSIM_JOINER, "FUnjoinOptions": "4"}
    assert returned(bench.body(invoke(SYSTEM, "UnjoinDomainOrWorkgroup", me, **given))) == 0
    assert bench.domain.computers["DESKTOP-7F3K2Q1"].disabled
    assert bench.machine.state.membership is None
    assert returned(bench.body(invoke(SYSTEM, "UnjoinDomainOrWorkgroup", me, **given))) == 2692


def test_the_rename_of_a_member_renames_its_account():
    bench = Bench(joined=MEMBER)
    bench.domain.computers["DESKTOP-7F3K2Q1"] = MemoryAccount(WINSIM_OU, WINSIM_JOINER)
    assert rename(bench, "ABJ-PC-0009", Password="wrong", UserName=WINSIM_JOINER) == 1326
    assert rename(bench, "ABJ-PC-0009", Password=WINSIM_JOIN_PASSWORD, UserName=WINSIM_JOINER) == 0
    assert set(bench.domain.computers) == {"ABJ-PC-0009"}


def test_faults_of_a_join_come_without_the_join_or_after_it():
    bench = Bench()
    for fault, value, code in ((Fault.NO_DC, 0, 1355), (Fault.JOIN_RETURNS, 1323, 1323)):
        bench.machine.state.faults.append(FaultRule(fault=fault, value=value, count=1))
        assert join(bench) == code
    assert bench.domain.computers == {}
    bench.machine.state.faults.append(FaultRule(fault=Fault.TIMEOUT_AFTER_JOIN))
    me = {"Name": bench.spec.computer_name}
    given = {"Name": "ad.douanes.lab", "UserName": WINSIM_JOINER, "Password": WINSIM_JOIN_PASSWORD}
    request = invoke(SYSTEM, "JoinDomainOrWorkgroup", me, FJoinOptions="3", **given)
    assert bench.fault(request)["code"] == 2150858793
    assert set(bench.domain.computers) == {"DESKTOP-7F3K2Q1"}


def test_an_operation_slower_than_its_time_is_answered_timed_out_and_still_happens():
    bench = Bench(faults=[FaultRule(fault=Fault.SLOW, value=0.6, method="Rename")])
    request = invoke(SYSTEM, "Rename", {"Name": bench.spec.computer_name}, Name="NEW")

    async def too_short():
        answer = await bench.service.handle(request.replace(b"PT60.000S", b"PT0.1S"), ADMIN)
        before = bench.machine.state.pending_name
        await asyncio.gather(*bench.service._running)
        return fault_of(answer.body)["code"], before

    # below half a second counts as half a second (MS-WSMV 3.1.4.1), still less than the method takes
    assert asyncio.run(too_short()) == (2150858793, None)
    assert bench.machine.state.pending_name == "NEW"


@pytest.mark.parametrize(
    ("method", "given", "restarts"),
    [
        ("Reboot", {}, [True]),
        ("Shutdown", {}, [False]),
        ("Win32Shutdown", {"Flags": "6", "Reserved": "0"}, [True]),
        ("Win32Shutdown", {"Flags": "5", "Reserved": "0"}, [False]),
        ("Win32Shutdown", {"Flags": "4", "Reserved": "0"}, []),
    ],
)
def test_a_restart_takes_the_machine_away(method, given, restarts):
    bench = Bench()
    assert returned(bench.body(invoke("Win32_OperatingSystem", method, **given))) == 0
    assert bench.restarts == restarts


@pytest.mark.parametrize(("fault", "restarts"), [(Fault.REBOOT_IGNORED, []), (Fault.REBOOT_NEVER_RETURNS, [False])])
def test_a_restart_can_be_told_to_go_wrong(fault, restarts):
    bench = Bench(faults=[FaultRule(fault=fault)])
    assert returned(bench.body(invoke("Win32_OperatingSystem", "Reboot"))) == 0
    assert bench.restarts == restarts


def test_a_profile_changes_hands_and_keeps_its_path():
    bench = Bench(joined=MEMBER)
    before = bench.machine.state.profiles[0].sid
    assert change_owner(bench, before, AWA_IN_DOMAIN) == 0
    rows = bench.body(query("select SID,LocalPath from Win32_UserProfile where Special = FALSE"))
    assert rows.findtext(".//SID") == AWA_IN_DOMAIN
    assert rows.findtext(".//LocalPath") == "C:\\Users\\awa"
    assert change_owner_missing(bench, before) == 2150858752


def change_owner_missing(bench, sid):
    request = invoke("Win32_UserProfile", "ChangeOwner", {"SID": sid}, NewOwnerSID=AWA_IN_DOMAIN, Flags="0")
    return bench.fault(request)["code"]


@pytest.mark.parametrize(
    ("changes", "new_owner", "flags", "status"),
    [
        ({"joined": None}, AWA_IN_DOMAIN, 0, 0x80070534),
        ({}, "not a sid", 0, 0x80041008),
        ({}, AWA_IN_DOMAIN, 8, 0x80041008),
        ({"profiles": [Profile(user="awa", path="C:\\Users\\awa", loaded=True)]}, AWA_IN_DOMAIN, 0, 0x80070020),
    ],
)
def test_a_profile_that_cannot_change_hands_stays(changes, new_owner, flags, status):
    bench = Bench(**{"joined": MEMBER, **changes})
    before = bench.machine.state.profiles[0].sid
    assert change_owner(bench, before, new_owner, flags) == status
    assert bench.machine.state.profiles[0].sid == before


def test_a_new_owner_who_has_a_profile_is_replaced_only_when_told_so():
    both = [Profile(user="awa", path="C:\\Users\\awa"), Profile(sid=AWA_IN_DOMAIN, path="C:\\Users\\awa.DOUANES")]
    bench = Bench(joined=MEMBER, profiles=both)
    before = bench.machine.state.profiles[0].sid
    assert change_owner(bench, before, AWA_IN_DOMAIN, 0) == 0x800700B7
    assert change_owner(bench, before, AWA_IN_DOMAIN, 3) == 0
    assert [(profile.sid, profile.path) for profile in bench.machine.state.profiles] == [
        (AWA_IN_DOMAIN, "C:\\Users\\awa")
    ]


def test_a_nil_parameter_is_absent_and_an_empty_one_is_empty():
    bench = Bench()
    request = invoke(SYSTEM, "Rename", {"Name": bench.spec.computer_name}, Name="NEW").replace(
        b"<p:Name>", b'<p:Password xsi:nil="true"/><p:Name>'
    )
    assert returned(bench.body(request)) == 0
    assert rename(bench, "") == 87


def test_an_account_without_a_password_does_not_sign_in_and_names_follow_the_domain():
    users = [LocalUser(name="Administrateur", rid=500, password="x"), LocalUser(name="empty", rid=1003)]
    machine = Bench(users=users, profiles=[]).machine
    assert machine.local_hash("EMPTY", "") is None
    assert machine.local_hash("administrateur", "ANYTHING") is not None
    member = Bench(users=users, profiles=[], joined=MEMBER).machine
    assert member.local_hash("Administrateur", "DOUANES") is None
    assert member.local_hash("Administrateur", "desktop-7f3k2q1") is not None


def test_the_log_and_the_snapshot_hold_names_and_never_a_secret():
    bench = Bench()
    join(bench)
    bench.ask(envelope("x", f"{R}/{SYSTEM}", f'<p:x xmlns:p="{NAMESPACES["w"]}">{WINSIM_JOIN_PASSWORD[:4]}</p:x>'))
    everything = repr(bench.machine.snapshot()) + repr(bench.machine.log_lines())
    assert "JoinDomainOrWorkgroup" in everything
    for user in bench.spec.users:
        assert user.password not in everything
    assert WINSIM_JOIN_PASSWORD not in everything
