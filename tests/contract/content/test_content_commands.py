"""`dsi rules` and the logins of `dsi application`, as typed, over the real engine and database."""

import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from shop import DOCUMENTS, LOGIN, OPERATIONS, Shop
from test_rules_loaded import NEW

from dsi_automation.cli.main import run
from dsi_automation.cli.session import Session

type Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Return what types a command and returns its exit code and what it wrote."""
    monkeypatch.setenv("DSI_LANG", "en")
    toolkit: Any = SimpleNamespace(
        inventory=SimpleNamespace(rule_sets={"tarif": shop.rule}, applications={"sydam": shop.application}),
        equipment=SimpleNamespace(look=shop.look),
        engine=shop.engine(),
        operations={operation.name: operation for operation in OPERATIONS},
        select=lambda _operation, words: tuple(words),
        journal_exists=True,
        language="en",
    )

    def type_(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(list(words), Session(assemble=lambda _choices: toolkit))
        told = capsys.readouterr()
        return code, told.out + told.err

    return type_


def data(answer: tuple[int, str]) -> Any:
    assert answer[0] == 0, answer[1]
    return json.loads(answer[1])


def test_a_difference_is_shown_whole_as_text_csv_and_json(shop: Shop, typed: Typed) -> None:
    file = shop.file(*NEW)
    code, text = typed("rules", "diff", "tarif", file)
    assert code == 0
    assert [line[0] for line in text.splitlines()[:3]] == ["-", "~", "+"]
    assert "1 row added, 1 changed, 1 removed" in text
    rows = typed("rules", "diff", "tarif", file, "--csv")[1].splitlines()
    assert rows[0].startswith("what;code_before;")
    assert [row.partition(";")[0] for row in rows[1:]] == ["removed", "changed", "added"]
    view = data(typed("--json", "rules", "diff", "tarif", file))
    assert (view["added"][0]["rate"], view["changed"][0]["before"]["rate"]) == ("0.125", "5")


def test_history_tells_who_when_under_which_request_and_export_writes_what_was(shop: Shop, typed: Typed) -> None:
    before = data(typed("--json", "rules", "show", "tarif"))["table_now"]["sha256"]
    request = shop.approved("rules.update", rules="tarif", file=shop.file(*NEW))
    assert shop.run(request).exit_code == 0
    (update,) = data(typed("--json", "rules", "history", "tarif"))["updates"]
    assert (update["person"], update["request"], update["before"]) == ("m.kouadio", request, before)
    assert request in typed("rules", "history", "tarif")[1]
    output = shop.root / "before.csv"
    assert typed("rules", "export", "tarif", "--sha256", before[:10], "--output", str(output))[0] == 0
    assert "0103.10;Porcins;10;3;2026-01-01;true" in output.read_text(encoding="utf-8")
    code, text = typed("rules", "diff", "tarif", str(output))
    assert (code, "+ 0103.10" in text) == (0, True)
    shown = typed("rules", "show", "tarif")[1]
    assert "by m.kouadio" in shown
    assert "sydam.tarif" in typed("rules", "list")[1]


def test_an_update_is_planned_and_ends_with_the_command_that_asks_for_it(shop: Shop, typed: Typed) -> None:
    code, text = typed("rules", "update", "tarif", shop.file(*NEW))
    assert code == 0
    assert f"dsi request rules.update sydam -i rules=tarif -i file={shop.root / 'tarif.csv'}" in text
    code, text = typed("rules", "update", "tarif", shop.file("0101.21;x;cinq;;2026-01-01;oui"))
    assert code == 5
    assert "line 2, column rate" in text


@pytest.mark.parametrize("words", [("diff", "tarif"), ("update", "tarif", "--back", "f.csv"), ("show", "tarrif")])
def test_what_is_not_clear_is_refused_as_usage(typed: Typed, words: Sequence[str]) -> None:
    code, text = typed("rules", *words)
    assert code == 2
    assert text


def test_a_login_is_planned_with_its_documents_and_the_missing_ones_are_listed(typed: Typed) -> None:
    options = [word for name, reference in DOCUMENTS.items() for word in ("--document", f"{name}={reference}")]
    person = ("--name", "KONÉ Awa", "--profile", "agent", "--requester", "Yao <y.kouassi@douanes.example>")
    code, text = typed("application", "account", "create", LOGIN, *person, *options)
    assert code == 0
    assert "dsi request application.account kone.a@sydam" in text
    code, text = typed("application", "account", "create", LOGIN, *person, *options[2:])
    assert code == 5
    assert "(lettre)" in text
    listed = data(typed("--json", "application", "account", "documents", "sydam"))["documents"]
    assert [one["name"] for one in listed["disable"]] == ["lettre", "cessation"]


def test_a_handover_shows_the_password_once_and_the_run_tells_the_command(shop: Shop, typed: Typed) -> None:
    from dsi_automation.cli.handing import handover_command

    person = {"name": "KONÉ Awa", "profile": "agent", "documents": DOCUMENTS}
    run_ = shop.run(shop.approved("application.account", LOGIN, case="create", **person))
    assert handover_command(run_) == f"dsi application handover {LOGIN}"
    assert handover_command(run_, [LOGIN]) is None
    password = shop.envelopes.peek(LOGIN)
    assert password is not None
    code, text = typed("application", "handover", LOGIN, "--to", "CBS")
    assert (code, password.reveal() in text) == (0, True)
    code, text = typed("application", "handover", LOGIN)
    assert (code, password.reveal() in text) == (5, False)
    assert "m.kouadio" in text


def test_a_login_of_an_application_that_nobody_described_is_refused(typed: Typed) -> None:
    code, text = typed("application", "account", "create", "kone.a@inconnu", "--name", "x", "--profile", "agent")
    assert (code, "inconnu" in text) == (2, True)
