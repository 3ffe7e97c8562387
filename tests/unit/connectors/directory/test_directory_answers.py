"""Every answer of an Active Directory becomes an error that says what happened, on what, and what to do."""

import subprocess
import sys

import ldap3.core.results as ldap_results
import pytest

from dsi_automation.connectors.directory import errors
from dsi_automation.connectors.directory.answers import BY_BIND_DATA, Answer, bind_refused, refused
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T

SERVER_CODES = sorted(
    value
    for name, value in vars(ldap_results).items()
    # Success, the two answers of a comparison, invalidCredentials; above 80 are a client's own codes.
    if name.startswith("RESULT_") and isinstance(value, int) and value <= 80 and value not in {0, 5, 6, 49}
)


def error_of(code, message=""):
    return refused(Answer(code, "name", message), T("do it"), on="ABJ-PC-0001", server="dc1")


@pytest.mark.parametrize("code", SERVER_CODES)
def test_every_result_code_says_what_on_what_why_and_what_next(code):
    error = error_of(code)
    said = error.to_json()
    assert said["on"] == "ABJ-PC-0001"
    assert all(said[part] for part in ("what", "meaning", "next_step"))
    assert said["detail"]["ldap_result"] == code
    assert isinstance(error, RefusedError | UnreachableError)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (50, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", errors.AccessDeniedError),
        (1, "00000005: Operation unavailable", errors.AccessDeniedError),
        (53, "0000216D: SvcErr: DSID-031A1258, problem 5003 (WILL_NOT_PERFORM), data 0", errors.AccessDeniedError),
        (68, "00002071: UpdErr: DSID-03050328, problem 6005 (ENTRY_EXISTS), data 0", errors.AlreadyExistsError),
        (68, "00000524: UpdErr: DSID-031A11FA, problem 6005 (ENTRY_EXISTS), data 0", errors.AlreadyExistsError),
        (19, "0000202F: samldb: already in use", errors.AlreadyExistsError),
        (19, "000021C7: AtrErr: DSID-03200BBA", errors.AlreadyExistsError),
        (19, "0000052D: Password does not meet the rules", errors.PasswordRefusedError),
        (53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", errors.PasswordRefusedError),
        (32, "0000208D: NameErr: DSID-03100241, problem 2001 (NO_OBJECT), data 0", errors.NotFoundError),
        (80, "00002095: objectclass: Cannot rename CN=X, parent does not exist!", errors.NotFoundError),
        (51, "", errors.BusyError),
        (52, "", errors.BusyError),
    ],
)
def test_what_a_caller_must_tell_apart_has_a_class_of_its_own(code, message, kind):
    assert type(error_of(code, message)) is kind


def test_a_code_nobody_knows_is_still_an_error_with_its_number():
    assert error_of(4711, "strange").to_json()["detail"]["ldap_result"] == 4711


@pytest.mark.parametrize("data", sorted(BY_BIND_DATA))
def test_every_reason_to_refuse_a_bind_has_its_sentence(data):
    message = f"80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {data}, v4563"
    error = bind_refused(Answer(49, "invalidCredentials", message), user="svc@x", server="dc1")
    assert isinstance(error, errors.BindRefusedError)
    assert error.sub_code == data
    assert (error.meaning, error.next_step) == BY_BIND_DATA[data]


@pytest.mark.parametrize("code", [8, 13, 48, 53])
def test_a_bind_refused_for_another_reason_is_still_a_refused_bind(code):
    error = bind_refused(Answer(code, "x", ""), user="svc@x", server="dc1")
    assert isinstance(error, errors.BindRefusedError)
    assert error.sub_code is None


def test_a_busy_controller_at_bind_may_be_tried_again():
    assert bind_refused(Answer(51, "busy", ""), user="svc@x", server="dc1").retryable


def test_an_unknown_outcome_is_never_to_be_repeated():
    assert not errors.unknown_outcome(T("do it"), on="x", server="dc1").retryable


def test_ldap3_is_not_imported_before_the_directory_is_asked():
    """It costs 0.15 s, and `dsi --help` has 0.25."""
    code = "import sys, dsi_automation.connectors.directory.client, dsi_automation.connectors.directory.memory;"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code + "print([n for n in ('ldap3', 'pyasn1') if n in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
