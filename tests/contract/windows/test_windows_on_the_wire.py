"""What only a wire has, over sealed NTLM and HTTPS, on the simulator: lost sessions, lost answers, restarts."""

from __future__ import annotations

import dataclasses

import pytest
from fix_winsim import WINSIM_JOIN_PASSWORD, WINSIM_JOINER, WINSIM_OU

from dsi_automation.connectors.windows import errors, methods
from dsi_automation.connectors.windows.client import CimReader, CimWriter
from dsi_automation.connectors.windows.port import Transport
from dsi_automation.core.errors import UnknownOutcomeError, UnreachableError
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.windows.faults import Fault

NAMES = ("Win32_UserAccount", ("Name",))


def rename(place):
    return place.writer.invoke("Win32_ComputerSystem", "Rename", {"Name": "ABJ-PC-0001"}, {"Name": place.name})


def join(place):
    parameters = {
        "Name": "ad.douanes.lab",
        "UserName": f"DOUANES\\{WINSIM_JOINER}",
        "Password": Secret(WINSIM_JOIN_PASSWORD),
        "AccountOU": WINSIM_OU,
        "FJoinOptions": 3,
    }
    return place.writer.invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", parameters, {"Name": place.name})


def counted(place):
    return place.sim.control.workstation("ws1")["requests"]


def test_a_read_is_one_exchange_once_connected(wired):
    wired.writer.query(*NAMES)
    before = sum(counted(wired).values())
    wired.writer.query(*NAMES)
    assert sum(counted(wired).values()) == before + 1


def test_pages_are_drained(wired):
    wired.sim.control.fault("ws1", Fault.PAGE_SIZE, value=1)
    assert len(wired.writer.query(*NAMES)) == 3
    assert counted(wired)["Pull"] >= 2


@pytest.mark.parametrize("fault", [Fault.EMPTY_400, Fault.RESET_BEFORE])
def test_a_read_survives_one_lost_session_and_not_two(wired, fault):
    wired.writer.query(*NAMES)
    wired.sim.control.fault("ws1", fault, count=1)
    assert len(wired.writer.query(*NAMES)) == 3
    wired.sim.control.fault("ws1", fault, count=2)
    with pytest.raises(UnreachableError):
        wired.writer.query(*NAMES)


def test_a_read_survives_a_quota_for_a_moment(wired):
    wired.sim.control.fault("ws1", Fault.QUOTA, count=1)
    assert len(wired.writer.query(*NAMES)) == 3


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER_WRITE, Fault.TIMEOUT_AFTER_JOIN])
def test_a_write_whose_answer_is_lost_was_done_once_and_says_it_does_not_know(wired, fault):
    wired.sim.control.fault("ws1", fault, method="JoinDomainOrWorkgroup", count=1)
    with pytest.raises(UnknownOutcomeError):
        join(wired)
    assert wired.sim.control.workstation("ws1")["methods"] == {"Win32_ComputerSystem.JoinDomainOrWorkgroup": 1}
    assert len(wired.writer.query(*NAMES)) == 3


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.EMPTY_400, Fault.WBEM_SHUTTING_DOWN])
def test_a_write_that_may_have_been_lost_on_the_way_is_not_sent_again(wired, fault):
    wired.sim.control.fault("ws1", fault, method="Rename", count=1)
    with pytest.raises(UnknownOutcomeError):
        rename(wired)
    assert wired.done() == []


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.QUOTA, errors.BusyError), (Fault.ACCESS_DENIED, errors.AccessDeniedError)]
)
def test_a_write_that_is_refused_is_not_sent_again(wired, fault, error):
    wired.sim.control.fault("ws1", fault, method="Rename", count=1)
    with pytest.raises(error):
        rename(wired)
    assert wired.done() == []


def test_a_fault_that_gives_only_a_reason_is_an_error_all_the_same(wired):
    wired.sim.control.fault("ws1", Fault.REASON_ONLY, count=1)
    with pytest.raises(errors.RefusedError):
        wired.writer.query(*NAMES)


def test_a_restart_is_accepted_then_the_machine_is_away_and_comes_back(wired):
    (before,) = wired.writer.query("Win32_OperatingSystem", ("LastBootUpTime",))
    done = wired.writer.invoke("Win32_OperatingSystem", "Win32Shutdown", {"Flags": 6, "Reserved": 0})
    assert done.return_value == 0
    wired.sim.control.reboot("ws1")
    (after,) = wired.writer.query("Win32_OperatingSystem", ("LastBootUpTime",))
    assert after["LastBootUpTime"] > before["LastBootUpTime"]


def test_a_hung_machine_is_cut_off(wired):
    wired.sim.control.fault("ws1", Fault.HANG)
    quick = dataclasses.replace(wired.writer.endpoint, read_timeout=0.3)
    with pytest.raises(errors.AnswerTimeoutError):
        CimReader(quick).query(*NAMES)


@pytest.mark.parametrize("change", [{"password": Secret("wrong-password")}, {"user": "nobody"}])
def test_wrong_credentials_are_told_apart_from_everything_else(wired, change):
    with pytest.raises(errors.AuthenticationError):
        CimReader(dataclasses.replace(wired.writer.endpoint, **change)).query(*NAMES)


def test_an_administrator_without_the_right_is_refused_not_unknown(wired):
    other = dataclasses.replace(wired.writer.endpoint, user="second", password=Secret("second-pass"))
    with pytest.raises(errors.AccessDeniedError):
        CimWriter(other, wired.permit).query(*NAMES)


def test_a_method_the_machine_does_not_offer_is_said_so(plain):
    endpoint = dataclasses.replace(plain.writer.endpoint, transport=Transport.CREDSSP)
    with pytest.raises(errors.AuthenticationError) as caught:
        CimReader(endpoint).query(*NAMES)
    assert "credssp" in str(caught.value)


def test_a_message_larger_than_one_sealed_part_goes_both_ways(wired):
    names = [f"ABJ-{number:07}-{'x' * 900}" for number in range(40)]
    where = {"Name": "".join(names)}
    assert wired.writer.query("Win32_UserAccount", ("Name",), where) == []
    assert len(str(wired.writer.query("Win32_Service", ()))) > 0


def test_kerberos_without_a_ticket_says_how_to_get_one(wired, monkeypatch, tmp_path):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    endpoint = dataclasses.replace(wired.writer.endpoint, transport=Transport.KERBEROS, user="awa@AD.DOUANES.LAB")
    with pytest.raises(errors.AuthenticationError) as caught:
        CimReader(endpoint).query(*NAMES)
    assert "kinit" in str(caught.value)


@pytest.mark.parametrize("code", [2, 5, 53, 87, 110, 1219, 1323, 1326, 1332, 1355, 2224, 2691, 2692, 2732, 8557])
def test_every_code_of_a_join_arrives_and_has_its_sentence(plain, code):
    plain.sim.control.fault("ws1", Fault.JOIN_RETURNS, value=code)
    answered = join(plain)
    assert answered.return_value == code
    said = methods.explain("JoinDomainOrWorkgroup", answered.return_value, "ws1")
    assert said.meaning is not None
    assert said.next_step is not None


def test_an_old_windows_lacks_a_method(old_reader):
    assert "ChangeOwner" not in old_reader.class_methods("Win32_UserProfile")
