"""What goes wrong on the wire while workstations join: each thing is done once, or one sentence says why it was not."""

import pytest
import yaml
from fix_office import JOIN, ONCE, OWNER, RENAME, RESTART

from dsi_automation.lab.accounts import JOINER
from dsi_automation.lab.domain import site_ou

SHORT = {"ansible_winrm_operation_timeout_sec": 2, "ansible_winrm_read_timeout_sec": 3}
ALL_ONCE = {**ONCE, OWNER: 1}


@pytest.fixture
def fleet(office):
    """Return a function that makes one workstation per fault, has the join of all approved, and runs it."""

    def run(cases, **settings):
        keys = {}
        for number, (case, (_, variables)) in enumerate(cases.items()):
            keys[case] = office.add(name=f"FAULT-{number}-{len(office.lab.machines)}")
            if variables:
                office.host(keys[case], **variables)
        # A refresh of the inventory for a later workstation forgets the variables of earlier ones.
        for case, (_, variables) in cases.items():
            if variables:
                office.host(keys[case], **variables)
        office.settings(settle_seconds=1, **settings)
        users = ",".join(f"{key}:awa.kone" for key in keys.values())
        asked = office.approved(*keys.values(), "-i", f"users={users}")
        for case, (faults, _) in cases.items():
            for fault, options in faults:
                office.lab.fault(keys[case], fault, **options)
        return keys, office.run(asked)

    return run


def once(method, **more):
    return {"method": method, "count": 1, **more}


LOST_ANSWERS = {
    "the join happened and answered that it timed out": ([("timeout_after_join", {"count": 1})], {}),
    "the answer to Rename is cut": ([("reset_after_write", once("Rename"))], {}),
    "the answer to the join is cut": ([("reset_after_write", once("JoinDomainOrWorkgroup"))], {}),
    "the answer to Win32Shutdown is cut": ([("reset_after_write", once("Win32Shutdown"))], {}),
    "the answer to ChangeOwner is cut": ([("reset_after_write", once("ChangeOwner"))], {}),
    "the join is cut before it happened": ([("reset_before", once("JoinDomainOrWorkgroup"))], {}),
    "the session is forgotten before the join": ([("empty_400", once("JoinDomainOrWorkgroup"))], {}),
    "Rename hangs once": ([("hang", once("Rename"))], SHORT),
    "Rename is done after its answer was given up": ([("slow", once("Rename", value=3.2))], SHORT),
    "WMI refuses for a while after the restart": (
        [("wbem_shutting_down", {"class_name": "Win32_OperatingSystem", "count": 1, "method": ""})],
        {},
    ),
}


def test_lost_answers_and_passing_trouble_end_in_everything_done_once(office, fleet):
    # settle: longer than a Rename given up goes on.
    keys, said = fleet(LOST_ANSWERS)
    office.settings(settle_seconds=3)
    assert said.code == 0, said
    assert {case: office.methods(key) for case, key in keys.items()} == dict.fromkeys(keys, ALL_ONCE)
    for key in keys.values():
        (found,) = office.objects(office.name_of(key))
        assert "OU=Postes,OU=ABJ" in found["dn"]
    office.assert_whole()


REFUSALS = {
    "no domain controller": ([("no_dc", {})], "La machine ne trouve aucun contrôleur de ce domaine.", {RENAME: 1}),
    "too many operations": (
        [("quota", {"method": "JoinDomainOrWorkgroup"})],
        "n’a pas de place pour un autre appel",
        {RENAME: 1},
    ),
    "WMI refuses": ([("access_denied", {"method": "Rename"})], "refuse cela au compte utilisé", {}),
    "a fault without a code": ([("reason_only", {"method": "Rename"})], "a refusé l’appel", {}),
    "account reuse blocked": ([("join_returns", {"value": 2732})], "KB5020276", {RENAME: 1}),
    "machine account quota": ([("join_returns", {"value": 8557})], "autant de machines", {RENAME: 1}),
}
SILENCES = {
    "the session is forgotten again and again": (
        [("empty_400", {"method": "JoinDomainOrWorkgroup"})],
        "L’action a peut-être été exécutée.",
        {RENAME: 1},
    ),
    "the machine does not come back": (
        [("reboot_never_returns", {"count": 1})],
        "Le poste n’est pas revenu en 5 secondes.",
        {RENAME: 1, JOIN: 1, RESTART: 1},
    ),
}


def words(run, key):
    steps = [step["error"] for step in run["steps"] if step["target"] == key and step["error"]]
    return " ".join(str(steps[-1][name]) for name in ("what", "meaning", "next_step"))


def test_refusals_are_told_in_french_each_and_resume_finishes_once_they_are_over(office, fleet):
    expected = {**REFUSALS, **SILENCES}
    keys, said = fleet({case: (faults, {}) for case, (faults, _, _) in expected.items()}, reboot_timeout_seconds=5)
    run = said.json
    assert said.code == 3, said
    for case, (_, sentence, done) in expected.items():
        assert sentence in words(run, keys[case]), case
        assert office.methods(keys[case]) == done, case
    outcomes = {case: run["targets"][keys[case]] for case in expected}
    assert {outcomes[case] for case in REFUSALS} == {"failed"}
    assert [outcomes[case] for case in SILENCES] == ["unknown", "unreachable"]
    shown = office.dsi("show", run["id"])
    assert f"dsi resume {run['id']}" in shown.out
    for key in keys.values():
        office.lab.clear_faults(key)
    office.lab.simulator.control.reboot(keys["the machine does not come back"])
    office.settings(reboot_timeout_seconds=120)
    said = office.dsi("resume", run["id"], "--json")
    assert said.code == 0, said
    assert {case: office.methods(key) for case, key in keys.items()} == dict.fromkeys(keys, ALL_ONCE)
    assert office.dsi("resume", run["id"]).code == 2
    office.assert_whole()


def test_wrong_password_of_the_joining_account_then_the_right_one(office):
    key = office.add()
    asked = office.approved(key)
    wrong = office.folder / "wrong"
    wrong.write_text("Not-The-Password-1\n")
    wrong.chmod(0o600)
    source = office.inventory / "group_vars" / "all.yml"
    right = source.read_text()
    held = yaml.safe_load(right)
    held["dsi_credentials"]["directory_join"]["password"] = {"file": str(wrong)}
    source.write_text(yaml.safe_dump(held))
    said = office.run(asked)
    assert said.code == 1
    assert "1326" in words(said.json, key)
    assert "Windows ne connaît aucun compte" in words(said.json, key)
    assert office.methods(key) == {RENAME: 1}
    assert "Not-The-Password-1" not in said.out + said.err
    source.write_text(right)
    said = office.dsi("resume", said.json["id"], "--json")
    assert (said.code, office.methods(key)) == (0, ONCE)
    office.assert_whole()


def test_an_ou_where_the_joining_account_has_no_right(office):
    key = office.add()
    # svc-jonction has rights on OU=Postes of each site, not on the site's own OU.
    office.edit("group_vars/all.yml", lambda held: held["dsi_sites"]["ABJ"].update(workstation_ou=site_ou("ABJ")))
    said = office.run(office.approved(key))
    assert said.code == 1
    assert "n’a pas le droit" in words(said.json, key)
    assert "déléga" in words(said.json, key)
    assert (office.methods(key), JOINER in said.out) == ({RENAME: 1}, False)
    office.assert_whole()
