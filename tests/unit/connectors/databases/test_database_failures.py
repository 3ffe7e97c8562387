"""Why a connection was not made, told by libpq's words: a server that is away may be tried again, a refusal not."""

import psycopg
import pytest

from dsi_automation.connectors.databases.errors import LoginRefusedError
from dsi_automation.connectors.databases.failures import Told, connect_failure
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.secrets import MASK

AT = 'connection failed: connection to server at "192.0.2.1", port 5432 failed: '


def made(said, *, starting=False):
    return connect_failure(psycopg.OperationalError(said), "sydam", "192.0.2.1:5432", starting=starting)


@pytest.mark.parametrize(
    "said",
    [
        AT + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
        AT + "timeout expired",
        "connection timeout expired",
        "[Errno -2] Name or service not known",
        AT + "FATAL:  sorry, too many clients already",
        AT + "FATAL:  désolé, trop de clients sont déjà connectés",
        AT + "FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        AT + "server closed the connection unexpectedly",
    ],
)
def test_a_server_that_is_away_or_crowded_may_be_tried_again(said):
    error = made(said)
    assert isinstance(error, UnreachableError)
    assert error.retryable


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (AT + 'FATAL:  password authentication failed for user "dsi"', "password authentication failed"),
        (AT + "FATAL:  authentification par mot de passe échouée pour l'utilisateur « dsi »", "mot de passe échouée"),
        (AT + 'FATAL:  no pg_hba.conf entry for host "192.0.2.9"', "pg_hba.conf"),
        (AT + "fe_sendauth: no password supplied", "no password supplied"),
        (AT + "SSL error: certificate verify failed", "192.0.2.1:5432"),
        ('root certificate file "/x.pem" does not exist', "192.0.2.1:5432"),
    ],
)
def test_a_server_that_lets_us_not_in_is_an_error_to_correct(said, shown):
    error = made(said)
    assert isinstance(error, LoginRefusedError)
    assert not error.retryable
    assert shown in str(error)


def test_a_server_that_starts_or_stops_may_be_tried_again_whatever_its_language():
    assert isinstance(made(AT + "FATAL:  le système de bases de données se lance", starting=True), UnreachableError)


def test_secrets_are_masked_the_longest_first():
    told = Told("sydam")
    told.remember(["ab", "abcd", ""])
    assert told.clean(" x abcd ab ") == f"x {MASK} {MASK}"
