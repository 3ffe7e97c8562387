"""`workstation.join` as a technician does it: plan, ask, have approved, run, and look with other tools than ours."""

import os
import subprocess

import pytest
from fix_office import JOIN, ONCE, OWNER, RENAME, RESTART, SECTION_HEAD, UNJOIN
from winsim_wire import Pywinrm

from dsi_automation.lab.accounts import LOCAL_ADMINISTRATOR, READER
from dsi_automation.lab.domain import workstation_ou
from dsi_automation.lab.layout import DOMAIN
from dsi_automation.lab.windows.spec import Membership


def ldapsearch(lab, name):
    """Return what `ldapsearch` shows of a computer, as the reading account."""
    found = subprocess.run(
        [
            "ldapsearch", "-LLL", "-x", "-o", "ldif-wrap=no", "-H", f"ldaps://{lab.layout.dc_address}",
            "-D", f"{READER}@{DOMAIN}", "-y", str(lab.passwords.file(READER)), "-b", workstation_ou("ABJ"),
            f"(sAMAccountName={name}$)", "dn", "userAccountControl", "operatingSystem",
        ],
        env={**os.environ, "LDAPTLS_CACERT": str(lab.layout.ca_file)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return found.stdout


def raw(lab, key):
    """Return a client made of pywinrm alone."""
    address = lab.machine(key).spec.address
    password = lab.passwords.get(LOCAL_ADMINISTRATOR).reveal()
    return Pywinrm(f"http://{address}:5985/wsman", username=LOCAL_ADMINISTRATOR, password=password)


def texts(client, query, *names):
    found = client.query(query)
    return [found.findtext(f".//{name}") for name in names]


def test_plan_ask_approve_run_and_other_tools_see_the_same(office):
    lab, key = office.lab, office.add()
    wish = (key, "-i", "user=awa.kone")
    before = lab.search("(objectClass=computer)", ["distinguishedName", "whenChanged"])

    planned = office.plan(*wish)
    assert planned.code == 0, planned
    kinds = [action["kind"] for action in planned.json["actions"]]
    assert kinds == ["rename", "join", "reboot", "migrate_profile"]
    assert all(action["reason"] for action in planned.json["actions"])
    assert planned.json["non_actions"] == []
    new_name = next(action["args"]["to"] for action in planned.json["actions"] if action["kind"] == "rename")
    assert len(planned.json["digest"]) == 64
    assert office.plan(*wish).json["digest"] == planned.json["digest"]
    assert office.methods(key) == {}
    assert lab.search("(objectClass=computer)", ["distinguishedName", "whenChanged"]) == before
    assert not office.journal_file.exists()

    request = office.request(*wish)
    assert request["plan"]["digest"] == planned.json["digest"]
    assert office.run(request["id"]).code == 4
    assert office.dsi("approve", request["id"], "--comment", "vu", person=SECTION_HEAD).code == 0
    assert office.methods(key) == {}

    done = office.run(request["id"])
    assert done.code == 0, done
    assert (done.json["outcome"], done.json["targets"]) == ("done", {key: "done"})
    assert all(check["ok"] for check in done.json["evidence"])
    assert office.methods(key) == {**ONCE, OWNER: 1}

    seen = ldapsearch(lab, new_name)
    assert f"dn: CN={new_name},{workstation_ou('ABJ')}" in seen
    (flags,) = [line.split()[1] for line in seen.splitlines() if line.startswith("userAccountControl")]
    assert (int(flags) & 0x1000, int(flags) & 2) == (0x1000, 0)  # a workstation, not disabled
    assert new_name in lab.samba_tool("computer", "list")
    client = raw(lab, key)
    assert texts(client, "select Name,Domain,PartOfDomain from Win32_ComputerSystem", "Name", "Domain") == [
        new_name,
        DOMAIN,
    ]
    sid = lab.samba_tool("user", "show", "awa.kone", "--attributes=objectSid").split("objectSid: ")[1].split()[0]
    shown = texts(client, f"select LocalPath from Win32_UserProfile where SID = '{sid}'", "LocalPath")  # noqa: S608
    assert shown == [r"C:\Users\awa"]

    again = office.plan(*wish)
    assert (again.code, again.json["nothing_to_do"], again.json["actions"]) == (0, True, [])
    assert {item["kind"] for item in again.json["non_actions"]} == {
        "rename", "join", "reboot", "move", "migrate_profile",
    }  # fmt: skip
    assert all(item["reason"] for item in again.json["non_actions"])
    used = office.run(request["id"])
    assert (used.code, "une approbation vaut pour une seule exécution" in used.err) == (4, True), used
    assert office.dsi("check", "workstation.check", key).code == 0
    assert office.methods(key) == {**ONCE, OWNER: 1}
    office.assert_whole()


def test_a_joined_machine_in_the_wrong_ou_is_moved_and_nothing_else(office):
    lab = office.lab
    key = office.add(name="SPY-PC-0801", site="SPY", object_site="ABJ", local=None)
    done = office.run(office.approved(key))
    assert done.code == 0, done
    assert [step["action_id"] for step in done.json["steps"]] == [f"{key}/move"]
    assert office.methods(key) == {}
    assert lab.samba_tool("computer", "show", "SPY-PC-0801", "--attributes=dn").strip() == (
        f"dn: CN=SPY-PC-0801,{workstation_ou('SPY')}"
    )
    office.assert_whole()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["ws3"], 5, "Version de Windows"),
        (["ws4"], 5, "Mémoire installée : 2 GiB"),
        (["ws7"], 3, "ne répond pas"),
        (["ws1", "-i", "user=nobody"], 5, "L’utilisateur nobody n’existe pas dans le domaine."),
        (["ws1", "-i", "users=ws2:awa.kone"], 2, "ws2"),
        (["ws1", "ws2", "-i", "user=awa.kone"], 2, "un seul poste"),
        (["ws1", "-i", "usre=awa.kone"], 2, "usre n’est pas un paramètre"),
        (["ws1", "-i", "user"], 2, "user"),
        (["nowhere"], 2, "nowhere"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_sentence_and_nothing_is_written(office, arguments, code, sentence):
    said = office.dsi("request", "workstation.join", *arguments, "--reason", "essai")
    assert said.code == code, said
    assert sentence in (said.out + said.err).replace("\u00a0", " ").replace("\u202f", " "), said
    assert "Traceback" not in said.err
    assert "request.made" not in office.kinds()


def test_unknown_operations_and_a_check_that_is_planned(office):
    said = office.dsi("plan", "workstation.jion", "ws1")
    assert said.code == 2
    assert "workstation.jion" in said.err
    assert "workstation.join" in said.err
    said = office.dsi("request", "workstation.check", "ws1", "--reason", "x")
    assert (said.code, "dsi check workstation.check ws1" in said.err) == (2, True), said
    assert not office.journal_file.exists()


@pytest.mark.parametrize(("name", "renames"), [("ABJ-PC-0821", {}), ("OLD-PC-7", {RENAME: 1})])
def test_another_domain_is_left_only_when_asked(office, name, renames):
    key, control = office.add(name=name), office.lab.simulator.control
    elsewhere = Membership(dns_name="old.lab", netbios_name="OLD")
    control.remove(key)
    control.add(office.lab.machine(key).spec.model_copy(update={"joined": elsewhere}))
    said = office.plan(key)
    assert said.code == 5
    (blocker,) = said.json["blockers"]
    assert blocker["reason"] == "Le poste est membre d’un autre domaine, old.lab."
    assert "leave_domain=true" in blocker["next_step"]
    done = office.run(office.approved(key, "-i", "leave_domain=true"))
    assert done.code == 0, done
    assert office.methods(key) == {UNJOIN: 1, **renames, JOIN: 1, RESTART: 1}
    assert office.objects(office.name_of(key))


def test_an_ou_that_does_not_exist_and_names_that_are_used_up(office):
    key = office.add()
    office.edit(
        "group_vars/all.yml",
        lambda held: held["dsi_sites"]["ABJ"].update(workstation_ou="OU=Nulle,DC=ad,DC=douanes,DC=lab"),
    )
    (blocker,) = office.plan(key).json["blockers"]
    assert blocker["reason"] == "L’unité d’organisation OU=Nulle,DC=ad,DC=douanes,DC=lab n’existe pas dans l’annuaire."
    office.edit(
        "group_vars/all.yml",
        lambda held: held["dsi_sites"]["ABJ"].update(
            workstation_ou=workstation_ou("ABJ"), naming={"template": "BKE-PC-{number:04}", "first": 9999}
        ),
    )
    with office.lab.directory() as directory:
        taken = f"CN=BKE-PC-9999,{workstation_ou('BKE')}"
        assert directory.connection.add(taken, "computer", {"sAMAccountName": "BKE-PC-9999$"})
    try:
        said = office.plan(key)
    finally:
        with office.lab.directory() as directory:
            directory.connection.delete(taken)
    (blocker,) = said.json["blockers"]
    assert said.code == 5
    assert "n’a plus de nom libre" in blocker["reason"]
    assert "dsi_sites" in blocker["next_step"]


def test_one_switched_off_machine_does_not_shift_the_names_of_the_others(office):
    first, second = office.add(local=None), office.add(local=None)
    asked = office.request(first, second)
    names = {a["target"]: a["args"]["to"] for a in asked["plan"]["actions"] if a["kind"] == "rename"}
    office.dsi("approve", asked["id"], "--comment", "vu", person=SECTION_HEAD)
    office.lab.fault(first, "reset_before")
    done = office.run(asked["id"])
    assert done.code == 3, done
    assert done.json["targets"] == {first: "unreachable", second: "done"}
    assert office.name_of(second) == names[second]
    assert first in done.json["errors"]
    office.lab.clear_faults(first)
    done = office.dsi("resume", done.json["id"], "--json")
    assert (done.code, office.name_of(first)) == (0, names[first]), done
    assert (office.methods(first), office.methods(second)) == (ONCE, ONCE)
    office.assert_whole()


def test_partial_leaves_the_unfit_out_although_inputs_name_them(office):
    key = office.add()
    wish = ["workstation.join", key, "ws3", "-i", f"users={key}:awa.kone,ws3:awa.kone", "--reason", "essai"]
    assert office.dsi("request", *wish).code == 5
    asked = office.dsi("request", *wish, "--partial", "--json").json
    assert asked["plan"]["targets"] == [key]
    office.dsi("approve", asked["id"], "--comment", "vu", person=SECTION_HEAD)
    assert office.run(asked["id"]).code == 0
    assert office.methods(key) == {**ONCE, OWNER: 1}
