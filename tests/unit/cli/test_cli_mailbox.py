"""`dsi mailbox`, `dsi account`, `dsi licence`: short ways to the operations, and the exact command that comes next."""

import shlex
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dsi_automation.composition.people_file import read_people
from dsi_automation.connectors.m365.port import Sku
from dsi_automation.core.plan import Action, Blocker, NonAction, Plan
from dsi_automation.core.text import T
from dsi_automation.engine.model import Step
from dsi_automation.operations.accounts.people import MailboxInputs

HEADER = "matricule;nom;prénoms;contact\n"
NAMES = ("mailbox.create", "account.disable", "licence.assign", "licence.remove")


@pytest.fixture
def toolkit(engine, make):
    known = make.toolkit(engine).operations
    paint, inspect = known["wall.paint"], known["wall.inspect"]
    return make.toolkit(engine, dict.fromkeys(NAMES, paint) | {"mailbox.check": inspect})


def account_actions(number, name="KONE Awa", address=None):
    address = address or f"{number.lower()}@douanes.example"
    common = {"login": number.lower(), "address": address}
    return (
        Action(number, "create_account", {**common, "display_name": name}, T("Create it"), T("There is none.")),
        Action(number, "set_password", common, T("Set it"), T("It has none.")),
        Action(number, "assign_licence", {"address": address, "licence": "bureau"}, T("Assign it"), T("Needed.")),
        Action(number, "hand_over", {"address": address, "mail_to": None}, T("Hand over"), T("Needed.")),
    )


def mailbox_plan(number_of_rows, blocked=0, wanted=0):
    numbers = [f"{300000 + n}A" for n in range(number_of_rows)]
    people = [
        {"matricule": number, "last_name": "KONE", "first_names": "Awa", "contact": "07", "line": line}
        for line, number in enumerate(numbers, 2)
    ]
    inputs = MailboxInputs(people=people).model_dump(mode="json")
    out, left = numbers[:blocked], numbers[blocked : blocked + wanted]
    acting = numbers[blocked + wanted :]
    return Plan(
        "mailbox.create", 1, (*left, *acting), inputs,
        tuple(action for number in acting for action in account_actions(number)),
        tuple(NonAction(number, "mailbox", T("It has its mailbox.")) for number in left),
        tuple(Blocker(number, T("No seat is left."), T("Buy seats.")) for number in out),
    )  # fmt: skip


def test_one_person_typed_becomes_inputs_and_a_request_that_a_shell_takes_apart_again(dsi, engine, toolkit):
    engine.made = mailbox_plan(1)
    arguments = ["--matricule", "300000a", "--last-name", "N’GUESSAN $(reboot)", "--first-names", "Éric 'Kouamé'",
                 "--contact", "@home", "--site", "ABJ", "--without-seat", "--reset", "-i", "in_cloud=true"]  # fmt: skip
    answer = dsi("mailbox", "create", *arguments, "--json", toolkit=toolkit)
    given = {
        "matricule": "300000a", "last_name": "N’GUESSAN $(reboot)", "first_names": "Éric 'Kouamé'", "contact": "@home",
        "site": "ABJ", "without_seat": "true", "reset": "true", "in_cloud": "true",
    }  # fmt: skip
    assert engine.calls[-1] == ("plan", "mailbox.create", (), given)
    words = shlex.split(answer.json["next_command"])
    assert words[:3] == ["dsi", "request", "mailbox.create"]
    dsi(*words[1:], toolkit=toolkit)
    assert engine.calls[-2][0] == "plan"
    assert engine.calls[-2][3] == given


def test_a_file_becomes_rows_and_staff_numbers_choose_among_them(dsi, engine, toolkit, tmp_path):
    path = tmp_path / "staff of November.csv"
    path.write_text(f"{HEADER}300000A;KONE;Awa;07\n300001A;YAO;Ama;05\n")
    engine.made = mailbox_plan(1)
    answer = dsi("mailbox", "create", "--csv", str(path), "300000a", "--json", toolkit=toolkit)
    assert engine.calls[-1] == ("plan", "mailbox.create", ("300000A",), {"people": read_people(path)})
    assert shlex.split(answer.json["next_command"])[:6] == [
        "dsi", "request", "mailbox.create", "300000A", "-i", f"people=@{path}",
    ]  # fmt: skip


def test_a_file_and_the_options_of_one_person_exclude_each_other(dsi, engine, toolkit):
    answer = dsi("mailbox", "create", "--csv", "x.csv", "--last-name", "KONE", "--lang", "en", toolkit=toolkit)
    assert answer.code == 2
    assert "--last-name" in answer.err
    assert engine.calls == []


def test_a_wrong_file_is_told_before_anything_is_looked_at(dsi, engine, toolkit, tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text("matricule;nom\n1;2\n")
    answer = dsi("mailbox", "create", "--csv", str(path), "--lang", "en", toolkit=toolkit)
    assert answer.code == 2
    assert "columns are missing: first names, contact" in answer.err
    assert engine.calls == []


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (["account", "disable", "300000A", "awa.kone"], ("account.disable", ("300000A", "awa.kone"), {})),
        (
            ["account", "disable", "300000A", "--licence", "free"],
            ("account.disable", ("300000A",), {"licence": "free"}),
        ),
        (["licence", "assign", "a@b.ci", "--licence", "cadre"], ("licence.assign", ("a@b.ci",), {"licence": "cadre"})),
        (["licence", "remove", "300000A", "--licence", "x"], ("licence.remove", ("300000A",), {"licence": "x"})),
    ],
)
def test_the_short_commands_plan_their_operation(dsi, engine, toolkit, words, call):
    dsi(*words, toolkit=toolkit)
    assert engine.calls[-1] == ("plan", *call)


def test_checking_without_a_target_looks_at_everything(dsi, engine, toolkit):
    dsi("mailbox", "check", toolkit=toolkit)
    assert engine.calls[-1] == ("check", "mailbox.check", (), {})


@pytest.fixture
def staff(tmp_path):
    """Write the file that `mailbox_plan` is made from."""
    path = tmp_path / "staff.csv"
    path.write_text(HEADER + "".join(f"{300000 + n}A;KONE;Awa;07\n" for n in range(200)))
    return str(path)


def test_a_batch_is_a_table_with_a_row_for_each_person(dsi, engine, toolkit, staff):
    engine.made = mailbox_plan(200, blocked=2, wanted=3)
    answer = dsi("--lang", "en", "mailbox", "create", "--csv", staff, toolkit=toolkit)
    lines = answer.out.splitlines()
    assert "Inputs: people=(200 rows)" in answer.out
    assert sum(line.split()[1:2] == [f"{300000 + n}A"] for n in range(200) for line in lines) == 200
    row = next(line for line in lines if "300199A" in line)
    assert row.split()[0] == "201"
    what = "account, password, licence, mailbox proven"
    for words in ("KONE Awa", "300199a@douanes.example", "bureau", "to do", what):
        assert words in row
    assert next(line for line in lines if "300000A" in line and "blocked" in line).endswith("No seat is left.")
    assert "It has its mailbox." in next(line for line in lines if "300002A" in line)
    assert "200 rows: 195 with something to do, 3 already right, 2 without a plan." in answer.out
    assert "300000A, 300001A: Buy seats." in answer.out
    assert len(lines) < 220
    assert "--partial" in answer.out
    assert answer.code == 5


def test_two_people_are_a_table_already_whatever_is_done_with_them(dsi, engine, toolkit):
    made = mailbox_plan(2)
    engine.made = made
    assert "300001A" in dsi("mailbox", "create", "--matricule", "x", toolkit=toolkit).out
    assert "+ Create it" not in dsi("mailbox", "create", "--matricule", "x", toolkit=toolkit).out
    acts = tuple(
        Action(target, "revoke_sessions", {"upn": f"{target}@x.y"}, T("End them"), T("Needed."))
        for target in ("a", "b")
    )
    engine.made = Plan("account.disable", 1, ("a", "b"), {}, acts)
    told = dsi("account", "disable", "a", "b", "--lang", "en", toolkit=toolkit).out
    assert "+ End them" not in told
    assert any(line.split() == ["a", "a@x.y", "to", "do", "sessions", "ended"] for line in told.splitlines())


def test_the_details_of_a_batch_are_there_on_request(dsi, engine, toolkit):
    engine.made = mailbox_plan(30, blocked=1)
    answer = dsi("mailbox", "create", "--matricule", "x", "--details", "--lang", "en", toolkit=toolkit)
    assert answer.out.count("+ Create it") == 29
    assert "why: There is none." in answer.out


def test_a_row_without_a_staff_number_is_told_with_its_line_and_its_name(dsi, engine, toolkit, tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text(HEADER + "300000A;KONE;Awa;07\n;YAO;Ama;05\n")
    inputs = MailboxInputs(people=read_people(path))
    blocker = Blocker("line-3", T("There is no staff number."), T("Write it."))
    acting = account_actions("300000A")
    engine.made = Plan("mailbox.create", 1, ("300000A",), inputs.model_dump(mode="json"), acting, blockers=(blocker,))
    rows = dsi("mailbox", "create", "--csv", str(path), "--json", toolkit=toolkit).json["rows"]
    assert [(row["target"], row["lines"], row["person"]) for row in rows] == [
        ("300000A", [2], "KONE Awa"),
        ("line-3", [3], "YAO Ama"),
    ]
    told = dsi("mailbox", "create", "--csv", str(path), toolkit=toolkit).out
    assert "ligne 3" in told
    assert "line-3" not in told


def test_one_person_is_shown_in_full(dsi, engine, toolkit):
    engine.made = mailbox_plan(1)
    answer = dsi("mailbox", "create", "--matricule", "x", toolkit=toolkit)
    assert "+ Create it" in answer.out


def test_json_of_a_plan_holds_its_rows(dsi, engine, toolkit, staff):
    engine.made = mailbox_plan(8, blocked=1)
    rows = dsi("mailbox", "create", "--csv", staff, "--json", "--lang", "en", toolkit=toolkit).json["rows"]
    assert rows[1] == {
        "target": "300001A", "lines": [3], "person": "KONE Awa", "address": "300001a@douanes.example",
        "licence": "bureau", "state": "to_do", "remarks": [],
        "actions": ["create_account", "set_password", "assign_licence", "hand_over"],
    }  # fmt: skip
    assert (rows[0]["state"], rows[0]["lines"], rows[0]["remarks"]) == ("blocked", [2], ["No seat is left."])


def batch_run(make, plan, failed=()):
    from dsi_automation.core.results import Outcome

    steps = tuple(
        Step(action.id, action.target, Outcome.DONE, make.now) for action in plan.actions if action.target not in failed
    )
    why = {"what": "The mailbox is not ready.", "meaning": None, "next_step": "dsi resume RUN", "exit_code": 3}
    outcomes = {name: Outcome.UNREACHABLE if name in failed else Outcome.DONE for name in plan.targets}
    return make.run(
        operation="mailbox.create",
        targets=outcomes,
        steps=steps,
        evidence=(),
        exit_code=3 if failed else 0,
        outcome=Outcome.UNREACHABLE if failed else Outcome.DONE,
        errors=dict.fromkeys(failed, why),
    )


def test_a_run_of_a_batch_is_a_table_with_each_result_and_the_command_that_hands_over(dsi, engine, toolkit, make):
    plan = mailbox_plan(50)
    engine.run_result = batch_run(make, plan, failed=("300007A",))
    engine.kept = [make.request(plan=plan)]
    answer = dsi("--lang", "en", "run", "REQ", toolkit=toolkit)
    lines = answer.out.splitlines()
    good, bad = (next(line for line in lines if number in line) for number in ("300006A", "300007A"))
    assert "KONE Awa" in good
    assert "account, password, licence, mailbox proven" in good
    assert bad.endswith("The mailbox is not ready. dsi resume RUN")
    assert "50 rows: done 49, unreachable 1." in answer.out
    assert "To finish it: dsi resume RUN-20261121-8AAA" in answer.out
    assert "dsi mailbox handover RUN-20261121-8AAA" in answer.out
    assert dsi("run", "REQ", "--json", toolkit=toolkit).json["next_command"] == "dsi mailbox handover RUN-20261121-8AAA"
    assert "· account: done" in dsi("show", "RUN", "--details", "--lang", "en", toolkit=toolkit).out


def test_without_anybody_the_command_says_how_to_name_them(dsi, toolkit):
    answer = dsi("mailbox", "create", "--lang", "en", toolkit=toolkit)
    assert answer.code == 2
    assert "--csv FILE" in answer.err


def test_a_resumed_run_whose_accounts_were_handed_over_does_not_send_to_the_hand_over(
    dsi, engine, toolkit, make, monkeypatch
):
    plan = mailbox_plan(2)
    engine.run_result = batch_run(make, plan)
    assert "dsi mailbox handover" in dsi("resume", "RUN", toolkit=toolkit).out
    handed = SimpleNamespace(items=[SimpleNamespace(target=target) for target in plan.targets])
    monkeypatch.setattr(type(engine), "handovers", lambda self, run=None: [handed])
    assert "dsi mailbox handover" not in dsi("resume", "RUN", toolkit=toolkit).out
    assert dsi("resume", "RUN", "--json", toolkit=toolkit).json["next_command"] is None


@pytest.mark.parametrize(("exit_code", "resumed"), [(3, True), (7, False)])
def test_what_takes_a_new_plan_is_not_told_to_be_resumed(dsi, engine, toolkit, make, exit_code, resumed):
    run = batch_run(make, mailbox_plan(3), failed=("300001A",))
    engine.run_result = replace(run, errors={"300001A": {**run.errors["300001A"], "exit_code": exit_code}})
    assert ("dsi resume RUN-" in dsi("show", "RUN", toolkit=toolkit).out) is resumed


def test_a_run_says_who_was_left_out_of_its_request_and_where_the_reasons_are(dsi, engine, toolkit, make):
    plan = mailbox_plan(50, blocked=2)
    engine.run_result = batch_run(make, plan)
    engine.kept = [make.request(plan=plan)]
    for words in (("run", "REQ"), ("show", "RUN"), ("show", "RUN", "--details")):
        told = dsi("--lang", "en", *words, toolkit=toolkit).out
        assert "2 targets were left out of the request: 300000A, 300001A. Why: dsi show REQ-20261121-7K3F" in told


def test_a_refused_batch_is_shown_with_its_lines_and_is_not_given_the_reason_of_one_row(dsi, engine, toolkit, staff):
    plan = mailbox_plan(8, blocked=2)
    other = Blocker("300001A", T("There is no site."), T("Name it."))
    engine.made = replace(plan, blockers=(plan.blockers[0], other))
    words = ("request", "mailbox.create", "-i", f"people=@{staff}", "--reason", "r", "--lang", "en")
    refused = dsi(*words, toolkit=toolkit)
    assert refused.code == 5
    assert "No plan can be made for 300000A, 300001A, each for its own reason." in refused.err
    asked = dsi(*words, "--partial", toolkit=toolkit)
    assert asked.code == 0
    for answer in (refused, asked):
        shown = [line.split()[:2] for line in answer.out.splitlines() if line.split()[1:2] and "A" in line.split()[1]]
        assert [line for line in shown if line[0].isdigit()] == [[str(n + 2), f"{300000 + n}A"] for n in range(8)]


def test_the_arguments_of_an_action_are_told_one_a_line_where_they_are_many_and_without_the_empty_ones(
    dsi, engine, toolkit
):
    args = {"ou": "OU=Utilisateurs,OU=ABJ,DC=ad", "manager": None, "other_addresses": [], "name": "N’GUESSAN " * 9}
    act = Action("300000A", "create_account", args, T("Create it"), T("There is none."))
    stays = NonAction("300000A", "set_location", T("It is CI."))
    engine.made = Plan("mailbox.create", 1, ("300000A",), {}, (act,), (stays,))
    told = dsi("plan", "mailbox.create", "300000A", "--lang", "en", toolkit=toolkit).out.splitlines()
    first = told.index("      create_account")
    assert told[first + 1] == '        ou="OU=Utilisateurs,OU=ABJ,DC=ad"'
    assert told[first + 2].startswith('        name="N’GUESSAN')
    assert told[first + 3] == "      why: There is none."
    assert "  = country: It is CI." in told


def test_a_run_is_told_by_its_targets_when_its_request_cannot_be_read(dsi, engine, toolkit, make):
    engine.run_result = batch_run(make, mailbox_plan(30))
    assert "300029A" in dsi("run", "REQ", toolkit=toolkit).out


def test_two_thousand_rows_are_shown_whole(dsi, engine, toolkit):
    engine.made = mailbox_plan(2000, blocked=300)
    answer = dsi("mailbox", "create", "--matricule", "x", toolkit=toolkit)
    assert all(f"{300000 + n}A" in answer.out for n in (0, 299, 300, 1999))
    assert len(answer.out.splitlines()) < 2020


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_template_is_a_file_that_is_read_again_in_every_language(dsi, tmp_path, language):
    path = tmp_path / "staff.csv"
    assert dsi("mailbox", "template", str(path), "--lang", language).code == 0
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    filled = content.decode("utf-8-sig").replace("# 30", "30")
    path.write_text(filled, encoding="utf-8-sig", newline="")
    first, second = read_people(path)
    assert (first["last_name"], first["licence"], second["first_names"]) == ("N’GUESSAN", "bureau", "Aya Rose")
    again = dsi("mailbox", "template", str(path))
    assert again.code == 2
    assert path.read_text(encoding="utf-8-sig").count("30") == filled.count("30")


def test_the_template_alone_asks_for_nobody(dsi, engine, toolkit, tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text(dsi("mailbox", "template").out)
    assert dsi("mailbox", "create", "--csv", str(path), toolkit=toolkit).code == 2
    assert engine.calls == []


def tenant(toolkit, *skus):
    names = {"bureau": "STANDARDPACK", "guichet": "deskLESSpack"}
    toolkit.inventory = SimpleNamespace(accounts=SimpleNamespace(licences=names), tenant=object())
    reader = SimpleNamespace(skus=lambda: skus)
    toolkit.equipment = SimpleNamespace(look=lambda: SimpleNamespace(tenant=lambda: reader))
    return toolkit


def test_licences_are_listed_with_their_seats_and_a_missing_one_is_told(dsi, toolkit):
    plans = ("EXCHANGE_S_STANDARD",)
    skus = (Sku("1", "STANDARDPACK", True, 300, 298, plans), Sku("9", "FLOW_FREE", True, 10, 1))
    answer = dsi("licence", "list", "--json", toolkit=tenant(toolkit, *skus))
    assert answer.code == 5
    assert answer.json["missing"] == ["guichet"]
    assert answer.json["licences"] == [
        {"name": "bureau", "part_number": "STANDARDPACK", "sku_id": "1", "total": 300, "used": 298, "free": 2,
         "enabled": True, "mailbox": True},
        {"name": None, "part_number": "FLOW_FREE", "sku_id": "9", "total": 10, "used": 1, "free": 9, "enabled": True,
         "mailbox": False},
    ]  # fmt: skip
    shown = dsi("licence", "list", "--lang", "en", toolkit=tenant(toolkit, *skus))
    assert "guichet: the tenant has no licence deskLESSpack." in shown.out
    assert shown.out.splitlines()[1].split()[:5] == ["bureau", "STANDARDPACK", "300", "298", "2"]
    whole = (*skus, Sku("2", "DESKLESSPACK", False, 5, 5, plans))
    assert dsi("licence", "list", toolkit=tenant(toolkit, *whole)).code == 0


HEAVY = (
    "msgraph",
    "azure",
    "kiota_abstractions",
    "httpx",
    "ldap3",
    "sqlalchemy",
    "ansible",
    "pydantic",
    "reportlab",
    "rich",
)


@pytest.mark.parametrize("words", [("mailbox", "--help"), ("mailbox", "create", "--help"), ("licence", "--help"),
                                   ("account", "--help"), ("mailbox", "template"), ("doctor", "--help")])  # fmt: skip
def test_the_help_of_the_commands_imports_nothing_heavy(words):
    code = (
        "import sys; from dsi_automation.cli.main import run\n"
        f"assert run({list(words)!r}) == 0\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "HEAVY []"


def test_operations_show_what_a_row_of_people_may_hold_and_what_may_be_chosen(dsi, engine, make):
    from dsi_automation.operations.registry import operations

    out = dsi("operations", "--lang", "en", toolkit=make.toolkit(engine, operations())).out
    assert "-i people=@...  (optional)" in out
    assert (
        "each of them: matricule, last_name, first_names, contact, site, department, licence, manager, address" in out
    )
    assert "-i licence=keep|free  (optional)" in out
    assert "-i without_seat=true|false" in out
