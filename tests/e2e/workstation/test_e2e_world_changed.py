"""Between the approval and the run the world moves: what is new is refused, what became less is done."""

from fix_office import ONCE, RESTART
from winsim_wire import Pywinrm

from dsi_automation.lab.accounts import JOINER, LOCAL_ADMINISTRATOR
from dsi_automation.lab.domain import workstation_ou
from dsi_automation.lab.layout import DOMAIN

SYSTEM = "Win32_ComputerSystem"


def by_hand(office, key):
    """Return a client with which somebody works on the machine beside the toolkit."""
    address = office.lab.machine(key).spec.address
    password = office.lab.passwords.get(LOCAL_ADMINISTRATOR).reveal()
    return Pywinrm(
        f"http://{address}:5985/wsman", username=LOCAL_ADMINISTRATOR, password=password,
        read_timeout_sec=90, operation_timeout_sec=80,
    )  # fmt: skip


def test_a_name_taken_since_the_approval_stops_the_run_and_says_what_is_new(office):
    key = office.add()
    asked = office.approved(key)
    plan = office.dsi("show", asked, "--json").json["request"]["plan"]
    name = next(action["args"]["to"] for action in plan["actions"] if action["kind"] == "rename")
    dn = f"CN={name},{workstation_ou('ABJ')}"
    with office.lab.directory() as directory:
        assert directory.connection.add(dn, "computer", {"sAMAccountName": f"{name}$"})
    try:
        said = office.run(asked)
        assert said.code == 7, said
        assert said.error["detail"]["new"][0]["kind"] == "rename"
        assert said.error["detail"]["new"][0]["args"]["to"] != name
        assert "nouvelle approbation" in said.err
        assert office.methods(key) == {}
    finally:
        with office.lab.directory() as directory:
            directory.connection.delete(dn)
    # Nothing was done, so the approval was not used: as the world is again, it holds again.
    assert office.run(asked).code == 0
    assert office.methods(key) == ONCE
    office.assert_whole()


def test_a_machine_joined_by_hand_under_the_approved_name_leaves_less_to_do(office):
    key = office.add()
    asked = office.approved(key, "-i", "user=awa.kone")
    plan = office.dsi("show", asked, "--json").json["request"]["plan"]
    name = next(action["args"]["to"] for action in plan["actions"] if action["kind"] == "rename")
    client, old = by_hand(office, key), {"Name": office.name_of(key)}
    assert client.invoke(SYSTEM, "Rename", old, Name=name) == 0
    given = {"UserName": f"{JOINER}@{DOMAIN}", "Password": office.lab.passwords.get(JOINER).reveal()}
    ou = workstation_ou("ABJ")
    code = client.invoke(SYSTEM, "JoinDomainOrWorkgroup", old, Name=DOMAIN, AccountOU=ou, FJoinOptions="1027", **given)
    assert code == 0
    said = office.run(asked)
    assert said.code == 0, said
    assert [step["action_id"].partition("/")[2] for step in said.json["steps"]] == ["reboot", "migrate_profile"]
    assert office.methods(key)[RESTART] == 1
    office.assert_whole()


def test_an_object_moved_elsewhere_since_needs_a_new_approval(office):
    key = office.add(name="BKE-PC-0811", site="BKE", object_site="BKE", local="awa")
    asked = office.approved(key, "-i", "user=awa.kone")
    office.lab.samba_tool("computer", "move", "BKE-PC-0811", workstation_ou("SPY"))
    said = office.run(asked)
    assert said.code == 7, said
    assert [item["kind"] for item in said.error["detail"]["new"]] == ["move"]
    assert office.methods(key) == {}
    shown = office.dsi("runs", "--json").json["runs"][0]
    assert shown["exit_code"] == 7
    assert "n’est pas ce qui a été approuvé" in office.dsi("show", shown["id"]).out
    office.assert_whole()
