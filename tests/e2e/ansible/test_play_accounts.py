"""Playbooks about people's accounts: the plan of `dsi`, one approval, done once, and no password anywhere."""

from fix_stage import ROOT

PLAYS = ROOT / "playbooks"
CREATE, CHECK = PLAYS / "mailbox_create.yml", PLAYS / "mailbox_check.yml"
DISABLE, LICENCE = PLAYS / "account_disable.yml", PLAYS / "licence.yml"


def result(stage, *arguments):
    """Run a playbook; return what it said, and the result of its last task."""
    said, found = stage.results(*arguments)
    assert set(found) == {"localhost"}, said
    return said, found["localhost"]


def written(stage):
    """Return everything that was said, recorded or kept, by where it is."""
    texts = {"said": "".join(stage.said)}
    for path in stage.folder.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("utf-8", "replace")
    return texts


def test_check_mode_is_the_very_plan_of_dsi_and_needs_no_approval(stage):
    person = stage.staff()
    file, number = stage.csv([person]), person["matricule"]
    plan = stage.plan("-i", f"people=@{file}", operation="mailbox.create").json
    said, found = result(stage, CREATE, "--check", "-e", f"mailbox_create_people_file={file}")
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    assert found["plan"]["digest"] == plan["digest"]
    assert found["targets"][number]["actions"] == [action["title"] for action in plan["actions"]]
    said, found = result(stage, CREATE, "-e", f"mailbox_create_people_file={file}")
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    assert f"dsi request mailbox.create -i people=@{file}" in found["msg"]
    assert stage.accounts(number) == []
    assert stage.entries() == []


def test_a_person_without_a_name_is_a_blocker_with_its_reason(stage):
    person = stage.staff(last_name="", first_names="")
    said, found = result(stage, CREATE, "--check", "-e", f"mailbox_create_people_file={stage.csv([person])}")
    assert found["kind"] == "failed", said
    assert [blocker["target"] for blocker in found["plan"]["blockers"]] == [person["matricule"]]


def test_from_the_approval_to_the_leave_each_play_does_it_once_and_tells_no_password(stage):
    person, other = stage.staff(2)
    file, number = stage.csv([person]), person["matricule"]
    asked = stage.approved("-i", f"people=@{file}", operation="mailbox.create")
    elsewhere = stage.csv([other], "other.csv")
    said, found = result(stage, CREATE, "-e", f"dsi_request={asked}", "-e", f"mailbox_create_people_file={elsewhere}")
    assert (found["kind"], found["exit_code"]) == ("failed", 4), said
    done = stage.dsi("playbook", "mailbox_create", "--request", asked, "--json")
    assert done.code == 0, done
    (account,) = stage.accounts(number)
    assert [str(value) for value in account["userAccountControl"]] == ["512"]
    said, found = result(stage, CREATE, "-e", f"dsi_request={asked}")
    assert (found["kind"], found["changed"]) == ("ok", False), said
    said, found = result(stage, CHECK, "-e", f"mailbox_check_targets={number}")
    assert (found["kind"], found["targets"][number]["compliant"]) == ("ok", True), said

    before = written(stage)
    handed = stage.dsi("mailbox", "handover", number, "--json")
    password = handed.json["accounts"][0]["password"]
    assert len(password) >= 12
    assert [name for name, text in before.items() if password in text] == []

    leave = stage.approved(number, operation="account.disable")
    said, found = result(stage, DISABLE, "-e", f"dsi_request={leave}", "-e", f"account_disable_targets={number}")
    assert (found["kind"], found["changed"]) == ("ok", True), said
    assert all(check["ok"] for check in found["targets"][number]["evidence"])
    said, found = result(stage, DISABLE, "-e", f"dsi_request={leave}")
    assert (found["kind"], found["changed"]) == ("ok", False), said
    assert stage.accounts(number)[0]["dn"].endswith("OU=Partis,DC=ad,DC=douanes,DC=lab")
    stage.assert_whole()


def test_a_licence_is_planned_as_dsi_plans_it(stage):
    more = ["-e", "licence_targets=100003C,100004D", "-e", "licence_name=bureau"]
    said, found = result(stage, LICENCE, "--check", *more)
    assert (said.code, found["kind"], found["changed"]) == (0, "ok", True), said
    plan = stage.plan("100003C", "100004D", "-i", "licence=bureau", operation="licence.assign").json
    assert found["plan"]["digest"] == plan["digest"]


def test_the_plugins_and_the_roles_are_documented(stage):
    names = ["mailbox_create", "mailbox_check", "account_disable", "licence"]
    plugins = stage.play("-j", *(f"dsi.ops.{name}" for name in names), program="ansible-doc").json
    assert all(plugins[f"dsi.ops.{name}"]["doc"]["options"] for name in names)
    roles = stage.play("-j", "-t", "role", "-r", str(ROOT / "roles"), *names, program="ansible-doc").json
    assert all(roles[name]["entry_points"]["main"]["options"] for name in names)
