"""Logins in a real database: one password whatever happens, sealed, stored as a hash, in no record."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from shop import DOCUMENTS, LOGIN, Shop

from dsi_automation.composition.login_handover import LoginDesk
from dsi_automation.connectors.applications.logins import hashed
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.operations.applications.notes import ACCOUNT
from dsi_automation.operations.applications.notes import DOCUMENTS as LISTED

PERSON = {"name": "KONÉ Awa", "profile": "agent", "office": "ABJ"}
CHANGE = {key: DOCUMENTS[key] for key in ("lettre", "affectation", "identite")}
DISABLE = {"lettre": "12", "cessation": "16"}


def creation(shop: Shop) -> str:
    return shop.approved("application.account", LOGIN, case="create", documents=DOCUMENTS, **PERSON)


def row(shop: Shop) -> dict[str, Any]:
    names = ("name", "profile", "office", "password", "active", "must_change")
    (found,) = shop.sql(
        "SELECT name, profile, office, password, active, must_change FROM sydam.users WHERE login = 'kone.a'"
    )
    return dict(zip(names, found, strict=True))


def is_hash_of(stored: str, password: Secret) -> bool:
    """Ask another implementation than ours."""
    name, iterations, salt, key = stored.split("$")
    derive = PBKDF2HMAC(SHA256(), 32, base64.b64decode(salt), int(iterations))
    return name == "pbkdf2-sha256" and derive.derive(password.reveal().encode()) == base64.b64decode(key)


def test_a_hash_is_what_another_implementation_makes_of_the_same_password_and_salt() -> None:
    made = hashed(Secret("Kp7+mQ2x"), 10_000, b"0123456789abcdef").reveal()
    assert made.startswith("pbkdf2-sha256$10000$MDEyMzQ1Njc4OWFiY2RlZg==$")
    assert is_hash_of(made, Secret("Kp7+mQ2x"))
    assert not is_hash_of(made, Secret("Kp7+mQ2y"))


def test_a_login_is_made_with_the_sealed_password_that_must_be_changed(shop: Shop) -> None:
    run = shop.run(creation(shop))
    assert run.exit_code == 0
    made, password = row(shop), shop.envelopes.peek(LOGIN)
    assert (made["name"], made["profile"], made["office"]) == ("KONÉ Awa", "agent", "ABJ")
    assert (made["active"], made["must_change"]) == (True, True)
    assert password is not None
    assert is_hash_of(made["password"], password)
    assert {check.name for check in run.evidence} == {"state", "name", "profile", "office", "must_change", "envelope"}
    (listed,), (done,) = shop.noted(LISTED), shop.noted(ACCOUNT)
    assert listed.data["documents"] == DOCUMENTS
    assert done.data == {"case": "create", "login": "kone.a", "profile": "agent", "office": "ABJ"}


def test_neither_the_password_nor_its_hash_is_in_anything_that_is_kept_or_told(shop: Shop) -> None:
    assert shop.run(creation(shop)).exit_code == 0
    password = shop.envelopes.peek(LOGIN)
    assert password is not None
    written = shop.everything_written()
    assert password.reveal().encode() not in written
    assert row(shop)["password"].rpartition("$")[2].encode() not in written


@pytest.mark.parametrize(
    "point",
    ["envelopes", "before account.documents", "after account.documents", "committed", "before account.done",
     "after account.done"],
)  # fmt: skip
def test_a_run_killed_anywhere_ends_with_one_login_and_the_password_that_is_sealed(shop: Shop, point: str) -> None:
    request = creation(shop)
    shop.die_at = [point]
    with pytest.raises(DsiError, match="Killed"):
        shop.run(request)
    run = shop.resumed()
    password = shop.envelopes.peek(LOGIN)
    assert (run.exit_code, password is not None) == (0, True)
    assert password is not None
    assert is_hash_of(row(shop)["password"], password)
    assert (len(shop.noted(LISTED)), len(shop.noted(ACCOUNT))) == (1, 1)


def test_a_password_handed_over_between_a_kill_and_the_resume_stays_the_login_s(shop: Shop) -> None:
    request = creation(shop)
    shop.die_at = ["before account.done"]
    with pytest.raises(DsiError, match="Killed"):
        shop.run(request)
    desk = LoginDesk(shop.engine(), shop.look(), shop.envelopes)  # type: ignore[arg-type]  # the part of Look it uses
    with desk.handing_over([LOGIN], to=None) as (rows, _):
        password = rows[0].password
    assert shop.resumed().exit_code == 0
    assert password is not None
    assert is_hash_of(row(shop)["password"], password)


def test_a_handover_is_recorded_before_it_shows_and_shows_once(shop: Shop) -> None:
    assert shop.run(creation(shop)).exit_code == 0
    desk = LoginDesk(shop.engine(), shop.look(), shop.envelopes)  # type: ignore[arg-type]
    with desk.handing_over([LOGIN], to="le CBS") as (rows, record):
        assert record is not None
        assert [item.target for item in shop.engine().handovers()[0].items] == [LOGIN]
        assert rows[0].password is not None
    assert shop.envelopes.peek(LOGIN) is None
    with desk.handing_over([LOGIN], to=None) as (rows, record):
        assert (record, rows[0].password) == (None, None)
        assert rows[0].error is not None
        assert "m.kouadio" in rows[0].error.what.render("en")


def test_a_password_that_was_changed_already_is_not_shown(shop: Shop) -> None:
    assert shop.run(creation(shop)).exit_code == 0
    shop.sql("UPDATE sydam.users SET must_change = false")
    desk = LoginDesk(shop.engine(), shop.look(), shop.envelopes)  # type: ignore[arg-type]
    with desk.handing_over([LOGIN], to=None) as (rows, record):
        assert (record, rows[0].password, rows[0].error is not None) == (None, None, True)


def test_a_change_gives_another_password_and_keeps_what_was_not_said(shop: Shop) -> None:
    assert shop.run(creation(shop)).exit_code == 0
    desk = LoginDesk(shop.engine(), shop.look(), shop.envelopes)  # type: ignore[arg-type]
    with desk.handing_over([LOGIN], to=None) as (rows, _):
        first = rows[0].password
    shop.sql("UPDATE sydam.users SET must_change = false")
    request = shop.approved("application.account", LOGIN, case="change", documents=CHANGE, profile="verificateur")
    assert shop.run(request).exit_code == 0
    made, second = row(shop), shop.envelopes.peek(LOGIN)
    assert (made["name"], made["profile"], made["must_change"]) == ("KONÉ Awa", "verificateur", True)
    assert second not in {None, first}
    assert second is not None
    assert is_hash_of(made["password"], second)


def test_a_login_is_disabled_and_its_sealed_password_forgotten(shop: Shop) -> None:
    assert shop.run(creation(shop)).exit_code == 0
    assert shop.run(shop.approved("application.account", LOGIN, case="disable", documents=DISABLE)).exit_code == 0
    assert (row(shop)["active"], shop.envelopes.peek(LOGIN)) == (False, None)
    plan = shop.plan("application.account", LOGIN, case="disable", documents=DISABLE)
    assert (plan.actions, len(plan.non_actions)) == ((), 1)


def test_a_login_somebody_else_made_since_the_approval_is_left(shop: Shop) -> None:
    request = creation(shop)
    shop.sql("INSERT INTO sydam.users VALUES ('kone.a', 'KONÉ Awa', 'agent', 'ABJ', 'h', true, false, now())")
    run = shop.run(request)
    assert (run.exit_code, row(shop)["password"]) == (7, "h")


def test_a_statement_that_changes_more_than_one_login_changes_none(shop: Shop) -> None:
    assert shop.run(creation(shop)).exit_code == 0
    shop.sql("INSERT INTO sydam.users VALUES ('autre', 'Autre', 'agent', 'ABJ', 'h', true, false, now())")
    accounts = shop.application.accounts
    assert accounts is not None
    store = accounts.store.model_copy(update={"disable": "UPDATE sydam.users SET active = false"})
    shop.application = shop.application.model_copy(
        update={"accounts": accounts.model_copy(update={"store": store})}
    )  # fmt: skip
    run = shop.run(shop.approved("application.account", LOGIN, case="disable", documents=DISABLE))
    assert run.exit_code != 0
    assert shop.sql("SELECT count(*) FROM sydam.users WHERE active") == [(2,)]


@pytest.mark.parametrize("target", ["x@sydam"])
def test_a_login_that_is_not_there_cannot_be_changed(shop: Shop, target: str) -> None:
    (blocker,) = shop.plan("application.account", target, case="change", documents=CHANGE).blockers
    assert int(blocker.exit_code) == 5
