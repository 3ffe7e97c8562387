"""Every code of a fault and of a method has its sentence, in both languages, and the right kind of error."""

from __future__ import annotations

import pytest

from dsi_automation.connectors.windows import errors, failures, fault_codes, methods
from dsi_automation.connectors.windows.faults import Fault
from dsi_automation.connectors.windows.port import WindowsEndpoint
from dsi_automation.core.errors import RefusedError

ENDPOINT = WindowsEndpoint("ws1", "198.18.1.1")
JOIN_CODES = [2, 5, 53, 87, 110, 1219, 1323, 1326, 1332, 1355, 2224, 2691, 2692, 2732, 8557]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2150858752, errors.NotFoundError),
        (2150858753, errors.FeatureAbsentError),
        (2150858778, errors.FeatureAbsentError),
        (2150858793, errors.AnswerTimeoutError),
        (2150858813, RefusedError),
        (2150858843, RefusedError),
        (2150859002, RefusedError),
        (2150859173, errors.BusyError),
        (2150859174, errors.BusyError),
        (2150859175, errors.BusyError),
        (2147749904, errors.FeatureAbsentError),
        (2147749891, errors.AccessDeniedError),
        (5, errors.AccessDeniedError),
        (87, RefusedError),
        (2147749939, errors.BusyError),
        (2147942583, RefusedError),
    ],
)
def test_each_fault_code_is_its_kind_of_error_with_the_machine_in_its_sentence(code, kind):
    error = failures.from_fault(ENDPOINT, Fault((code,), "", ""))
    assert type(error) is kind
    assert "ws1" in error.what.render("fr")
    assert error.next_step is not None
    assert code in fault_codes.KNOWN


def test_the_first_known_code_decides_and_an_unknown_one_is_shown():
    assert isinstance(failures.from_fault(ENDPOINT, Fault((4242, 5), "", "")), errors.AccessDeniedError)
    assert "0x00001092" in str(failures.from_fault(ENDPOINT, Fault((4242,), "", "")).what)
    assert "InternalError" in str(failures.from_fault(ENDPOINT, Fault((), "InternalError", "")).what)


@pytest.mark.parametrize("code", JOIN_CODES)
def test_each_code_of_a_join_says_what_it_means_and_what_to_do(code):
    error = methods.explain("JoinDomainOrWorkgroup", code, "ws1")
    assert str(code) in error.what.render("fr")
    assert error.meaning.render("fr") != error.meaning.render("en")
    assert error.next_step.render("fr") != error.next_step.render("en")


@pytest.mark.parametrize(
    ("method", "code", "meant"),
    [("ChangeOwner", 0x800700B7, 183), ("Rename", 0x80070005, 5), ("Win32Shutdown", 1191, 1191)],
)
def test_an_hresult_around_a_win32_code_means_that_code(method, code, meant):
    error = methods.explain(method, code, "ws1")
    assert str(meant) in str(error.what)
    assert error.meaning is not None
    assert error.detail == {"method": method, "code": code}


def test_an_unknown_code_is_shown_with_where_to_look_it_up():
    error = methods.explain("Rename", 4242, "ws1")
    assert error.meaning is None
    assert "4242" in str(error.next_step)
