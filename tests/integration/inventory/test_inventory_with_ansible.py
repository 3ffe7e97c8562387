"""Our reading of inventories against Ansible's own programs: ansible-inventory and ansible-vault."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.init import EXAMPLE
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.model import Environment, SecretSource
from dsi_automation.inventory.problems import InventoryError

BIN = Path(sys.executable).parent
CANARY = "canary-4711-pâss"
COMMON = {
    "dsi_sites": {"ABJ": {"name": "Abidjan", "workstation_ou": "OU=Postes,DC=x", "naming": {"template": "A-{number}"}}},
    "dsi_directory": {"domain": "ad.x", "netbios": "X", "server": "dc1.ad.x", "ca_file": "ca.pem",
                      "read_credential": "reader", "join_credential": "reader"},
    "dsi_credentials": {"reader": {"user": "r", "password": {"env": "R"}}},
}  # fmt: skip
HOSTS = {"all": {"children": {
    "workstations": {"hosts": {f"ws{n}": {"ansible_host": f"198.18.1.{n}"} for n in range(1, 8)}},
    "abj": {"hosts": {"ws1": None, "ws2": None, "ws7": None}, "vars": {"dsi_site": "ABJ"}},
}}}  # fmt: skip
WINDOWS = {
    "ansible_connection": "winrm",
    "ansible_port": "5985",
    "dsi_credential": "reader",
    "ansible_winrm_kerberos_hostname_override": "{{ inventory_hostname }}.{{ dsi_directory.domain }}",
}


def ansible(program, *arguments, **more):
    environ = {**os.environ, "LC_ALL": "C.UTF-8"}
    command = [BIN / program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environ, **more).stdout


@pytest.fixture
def folder(tmp_path):
    """Write an inventory; each file may be replaced."""

    def write(hosts=HOSTS, common=COMMON, workstations=WINDOWS, **host_vars):
        files = {"group_vars/all.yml": common, "group_vars/workstations.yml": workstations, "hosts.yml": hosts}
        files |= {f"host_vars/{host}.yml": content for host, content in host_vars.items()}
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True))
        return tmp_path / "hosts.yml"

    return write


@pytest.fixture
def example(folder):
    return Inventory(folder(), {})


@pytest.fixture
def vault_password(tmp_path):
    path = tmp_path / "vault-password"
    path.write_text("the vault's own password\n")
    path.chmod(0o600)
    return path


def test_hosts_groups_and_variables_are_those_ansible_inventory_lists():
    source = EXAMPLE / "hosts.yml"
    listed = json.loads(ansible("ansible-inventory", "-i", source, "--list"))
    inventory = Inventory(source, {})
    variables = listed["_meta"]["hostvars"]
    assert set(inventory.ansible.hosts) == set(variables)
    for group, hosts in inventory.ansible.groups.items():
        if group not in {"all", "ungrouped"}:
            assert set(hosts) == set(listed[group]["hosts"])
    for target in inventory.targets(["all"]):
        theirs = variables[target.name]
        assert target.site == theirs.get("dsi_site")
        assert target.environment == theirs.get("dsi_environment", "production")
        way = target.windows or target.ssh
        assert way.host == theirs["ansible_host"]
        assert way.port == theirs.get("ansible_port", way.port)
        assert way.credential == theirs.get("dsi_credential")
        assert (target.windows is not None) == (theirs.get("ansible_connection") == "winrm")
        assert {g for g in target.groups if target.name in listed[g]["hosts"]} == set(target.groups)
        evaluated = {"ansible_winrm_ca_trust_path"}
        ours = inventory.ansible.values(target.name, theirs)
        assert {k: v for k, v in ours.items() if k not in evaluated} == {
            k: v for k, v in theirs.items() if k not in evaluated
        }
    debug = ansible("ansible", "-i", source, "abj-compta-01", "-m", "debug", "-a", "var=ansible_winrm_ca_trust_path")
    assert inventory.target("abj-compta-01").windows.ca_file in debug.replace(str(EXAMPLE.resolve()), str(EXAMPLE))


PATTERNS = ("ws1", "workstations", "abj:&workstations", "workstations:!ws7", "ws*", "~ws[1-3]$", "workstations[0:2]",
            "all:!abj", "ws1,ws2")  # fmt: skip


def test_host_patterns_choose_what_ansible_chooses_in_its_order(folder, tmp_path):
    source, playbook = folder(), tmp_path / "chosen.yml"
    # One play for each pattern: Ansible takes a second to start.
    told = {"debug": {"msg": "chosen: {{ ansible_play_hosts_all | join(' ') }}"}, "run_once": True}
    play = {"gather_facts": False, "vars": {"ansible_connection": "local"}, "tasks": [told]}
    playbook.write_text(yaml.safe_dump([{"hosts": pattern, **play} for pattern in PATTERNS]))
    said = re.findall(r"chosen: ([\w ]+)", ansible("ansible-playbook", "-i", source, playbook))
    theirs = dict(zip(PATTERNS, map(str.split, said), strict=True))
    inventory = Inventory(source, {})
    assert {pattern: list(inventory.select([pattern])) for pattern in PATTERNS} == theirs


def test_patterns_may_be_several_arguments_and_keep_their_order(folder):
    inventory = Inventory(folder(), {})
    assert inventory.select(["abj", "!ws7"]) == ("ws1", "ws2")
    assert inventory.select(["ws3", "ws1", "ws3"]) == ("ws3", "ws1")


@pytest.mark.parametrize(
    ("patterns", "named"),
    [(["WS11"], "ws1"), (["workstation"], "workstations"), (["ws1", "!wsx"], "ws"), (["abj:&nowhere"], "abj"),
     (["zz*"], "ws1"), (["~("], "~("), (["ws1:!ws1"], "ws1"), (["localhost"], "localhost")],
)  # fmt: skip
def test_a_pattern_that_names_nothing_is_refused_and_names_what_is_near(folder, patterns, named):
    with pytest.raises(UsageError) as raised:
        Inventory(folder(), {}).select(patterns)
    assert named in str(raised.value)


@given(st.lists(st.text(max_size=12) | st.sampled_from(["ws1", "abj", "!ws7", "&abj", "ws*"]), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_any_text_as_a_pattern_chooses_hosts_or_is_a_usage_error(example, patterns):
    try:
        chosen = example.select(patterns)
    except UsageError:
        return
    assert chosen
    assert set(chosen) <= set(example.ansible.hosts)


def test_windows_variables_become_an_endpoint_of_plain_types(folder):
    inventory = Inventory(folder(ws1={"ansible_winrm_transport": ["kerberos"], "dsi_environment": "test"}), {})
    target = inventory.target("ws1")
    windows = target.windows
    assert (target.site, target.environment, target.groups) == ("ABJ", Environment.TEST, ("abj", "workstations"))
    assert (windows.host, windows.port, windows.scheme) == ("198.18.1.1", 5985, "http")
    assert (windows.transport, windows.kerberos_host) == ("kerberos", "ws1.ad.x")
    values = [getattr(windows, name) for name in windows.__slots__]
    assert {type(value) for value in (*values, *target.groups, target.site)} <= {str, int, float, type(None)}
    assert inventory.target("ws3").site is None
    assert inventory.site_of(target).name == "Abidjan"
    assert inventory.directory.ca_file == str(inventory.home / "ca.pem")


def test_every_problem_of_every_host_is_told_with_file_line_and_key(folder):
    wrong = {"dsi_site": "ZZZ", "dsi_credential": "nobody"}
    source = folder(ws1=wrong, ws2={"dsi_environment": "prod", "ansible_port": 99999}, ws3={"ansible_port": "a"})
    with pytest.raises(InventoryError) as raised:
        Inventory(source, {}).targets(["workstations"])
    found = {(Path(p.source).name, p.path) for p in raised.value.problems}
    assert found == {("ws1.yml", "ws1: dsi_site"), ("ws1.yml", "ws1: dsi_credential"),
                     ("ws2.yml", "ws2: dsi_environment"), ("ws3.yml", "ws3: ansible_port")}  # fmt: skip
    assert all(problem.line for problem in raised.value.problems)


@pytest.mark.parametrize(
    "variables",
    [{"ansible_winrm_server_cert_validation": "ignore"}, {"ansible_winrm_transport": "basic"},
     {"ansible_winrm_transport": "certificate"}, {"ansible_winrm_transport": ["ntlm", "kerberos"]},
     {"ansible_winrm_transport": "plaintext"}, {"ansible_winrm_read_timeout_sec": 10}, {"ansible_winrm_path": "/x"},
     {"ansible_host": "{{ absent }}"}, {"ansible_port": "{{ 1 // 0 }}"}, {"dsi_sites": {}}],
)  # fmt: skip
def test_a_connection_that_would_not_be_safe_or_not_work_is_refused(folder, variables):
    with pytest.raises(InventoryError, match=r"ws1\.yml:1|ws1\.yml"):
        Inventory(folder(ws1=variables), {}).target("ws1")


def test_a_yaml_file_with_a_double_key_or_bad_syntax_is_refused_before_ansible_reads_it(folder):
    with pytest.raises(InventoryError) as raised:
        Inventory(folder(common="a: 1\na: 2\n", workstations="b: [\n"), {}).targets(["ws1"])
    assert [Path(problem.source).name for problem in raised.value.problems] == ["all.yml", "workstations.yml"]


def test_wrong_sites_accounts_and_domain_are_told_with_their_keys(folder):
    common = {
        "dsi_sites": {"ABJ": {"name": "A", "workstation_ou": "Postes", "naming": {"template": "abj"}}},
        "dsi_credentials": {"x": {"user": "", "password": {"env": "A", "file": "b"}}},
        "dsi_directory": {**COMMON["dsi_directory"], "read_credential": "nobody", "port": 0},
    }
    inventory = Inventory(folder(common=common), {})
    for part, paths in (
        ("sites", {"dsi_sites.ABJ.workstation_ou", "dsi_sites.ABJ.naming.template"}),
        ("credentials", {"dsi_credentials.x.user", "dsi_credentials.x.password"}),
        ("directory", {"dsi_directory.port"}),
    ):
        with pytest.raises(InventoryError) as raised:
            getattr(inventory, part)
        assert {problem.path for problem in raised.value.problems} == paths
        assert {Path(problem.source).name for problem in raised.value.problems} == {"all.yml"}


def test_a_password_in_clear_is_refused_and_not_repeated(folder):
    common = {**COMMON, "dsi_credentials": {"reader": {"user": "r", "password": CANARY}}}
    with pytest.raises(InventoryError) as raised:
        _ = Inventory(folder(common=common), {}).credentials
    assert CANARY not in str(raised.value)
    with pytest.raises(InventoryError) as raised:
        Inventory(folder(ws1={"ansible_password": CANARY}), {}).target("ws1")
    assert CANARY not in str(raised.value)
    assert "ansible-vault" in str(raised.value)


def encrypted(name, value, password):
    return ansible(
        "ansible-vault", "encrypt_string", "--vault-password-file", password, "--stdin-name", name, input=value
    )


def test_a_vault_variable_is_decrypted_when_asked_for_and_the_password_is_not_read_before(folder, vault_password):
    common = yaml.safe_dump(COMMON) + encrypted("vault_reader", CANARY, vault_password)
    common += 'vault_alias: "{{ vault_reader }}"\nvault_clear: hello\n'
    source = folder(common=common, ws1={"ansible_password": "{{ vault_reader }}"})
    vault_password.rename(vault_password.with_suffix(".away"))
    inventory = Inventory(source, {}, vault_password_file=vault_password)
    assert len(inventory.targets(["all"])) == 7
    vault_password.with_suffix(".away").rename(vault_password)
    for name in ("vault_reader", "vault_alias"):
        secret = inventory.secret(SecretSource(vault=name))
        assert secret.reveal() == CANARY
        assert CANARY not in repr(secret)
    with pytest.raises(InventoryError, match="vault_clear"):
        inventory.secret(SecretSource(vault="vault_clear"))
    with pytest.raises(UsageError, match="vault_absent"):
        inventory.secret(SecretSource(vault="vault_absent"))


def test_a_vault_variable_may_differ_from_host_to_host(folder, vault_password):
    source = folder(ws1=encrypted("vault_admin", "first-one", vault_password),
                    ws2=encrypted("vault_admin", "second-one\n", vault_password))  # fmt: skip
    inventory = Inventory(source, {}, vault_password_file=vault_password)
    found = [inventory.secret(SecretSource(vault="vault_admin"), target=name).reveal() for name in ("ws1", "ws2")]
    assert found == ["first-one", "second-one"]


def test_a_wholly_encrypted_variables_file_works_too(folder, vault_password):
    source = folder()
    whole = source.parent / "group_vars" / "all" / "vault.yml"
    whole.parent.mkdir()
    (source.parent / "group_vars" / "all.yml").rename(whole.parent / "main.yml")
    whole.write_text(f"vault_reader: {CANARY}\nansible_password: {CANARY}\n")
    ansible("ansible-vault", "encrypt", "--vault-password-file", vault_password, whole)
    inventory = Inventory(source, {}, vault_password_file=vault_password)
    assert inventory.secret(SecretSource(vault="vault_reader")).reveal() == CANARY
    assert inventory.target("ws1").windows is not None
    with pytest.raises(UsageError):
        Inventory(source, {}).target("ws1")


def test_without_the_right_vault_password_the_error_says_what_to_do(folder, vault_password, tmp_path):
    source = folder(common=yaml.safe_dump(COMMON) + encrypted("vault_reader", CANARY, vault_password))
    wrong = tmp_path / "wrong"
    wrong.write_text("something else")
    for password_file, hint in ((None, "ANSIBLE_VAULT_PASSWORD_FILE"), (wrong, "wrong"), (tmp_path / "no", "no")):
        with pytest.raises(UsageError, match=hint) as raised:
            Inventory(source, {}, vault_password_file=password_file).secret(SecretSource(vault="vault_reader"))
        assert "something else" not in str(raised.value)


def test_an_encrypted_value_in_the_wrong_place_is_explained(folder, vault_password):
    inline = encrypted("password", CANARY, vault_password).replace("\n", "\n      ")
    common = f"dsi_credentials:\n  reader:\n    user: r\n    {inline.rstrip()}\n"
    with pytest.raises(InventoryError, match="vault:"):
        _ = Inventory(folder(common=common), {}, vault_password_file=vault_password).credentials


def test_a_file_secret_must_be_its_owners_alone(folder):
    source = folder()
    path = source.parent / "secret"
    inventory = Inventory(source, {"P": CANARY})
    secret = SecretSource(file="secret")
    with pytest.raises(UsageError, match="secret"):
        inventory.secret(secret)
    path.write_text(f"{CANARY}\n")
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(UsageError, match="chmod 600") as raised:
            inventory.secret(secret)
        assert CANARY not in str(raised.value)
    path.chmod(0o600)
    assert inventory.secret(secret).reveal() == CANARY
    path.write_text("\n")
    with pytest.raises(UsageError, match="secret"):
        inventory.secret(secret)
    assert inventory.secret(SecretSource(env="P")).reveal() == CANARY
    with pytest.raises(UsageError, match="ABSENT"):
        inventory.secret(SecretSource(env="ABSENT"))


def test_five_hundred_hosts_are_read_and_checked(folder):
    hosts = {"all": {"children": {"workstations": {"hosts": {f"ws{n}": {"dsi_site": "ABJ"} for n in range(500)}}}}}
    targets = Inventory(folder(hosts=hosts), {}).targets(["workstations"])
    assert len(targets) == 500
    assert {target.windows.kerberos_host for target in targets} == {f"ws{n}.ad.x" for n in range(500)}


def test_an_ini_inventory_and_a_program_are_read_like_a_yaml_one(folder, tmp_path):
    folder()
    (tmp_path / "hosts.ini").write_text("[workstations]\nws1 ansible_host=192.0.2.1 dsi_site=ABJ\n")
    target = Inventory(tmp_path / "hosts.ini", {}).target("ws1")
    assert (target.site, target.windows.host, target.windows.port) == ("ABJ", "192.0.2.1", 5985)
    program = tmp_path / "list.sh"
    program.write_text('#!/bin/sh\necho \'{"workstations": {"hosts": ["ws9"]}, "_meta": {"hostvars": {}}}\'\n')
    program.chmod(0o755)
    assert Inventory(program, {}).target("ws9").windows.host == "ws9"


def test_an_inventory_ansible_cannot_read_is_an_error_that_says_how_to_look_closer(tmp_path):
    (tmp_path / "hosts.yml").write_text("[]\n")
    with pytest.raises(UsageError, match="ansible-inventory"):
        Inventory(tmp_path / "hosts.yml", {}).targets(["all"])


def test_a_value_marked_unsafe_is_text_and_not_a_template(folder):
    source = folder(ws1='ansible_winrm_kerberos_hostname_override: !unsafe "{{ inventory_hostname }}"\n')
    assert Inventory(source, {}).target("ws1").windows.kerberos_host == "{{ inventory_hostname }}"


def test_filters_and_other_hosts_variables_work_in_templates(folder):
    source = folder(ws1={"ansible_host": "{{ inventory_hostname | upper }}-{{ hostvars['ws2'].ansible_host }}"})
    assert Inventory(source, {}).target("ws1").windows.host == "WS1-198.18.1.2"


def test_a_variable_of_the_current_directorys_playbooks_is_not_the_inventorys(folder, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "group_vars").mkdir(parents=True)
    (elsewhere / "group_vars" / "all.yml").write_text("dsi_environment: test\n")
    source = folder()
    monkeypatch.chdir(elsewhere)
    assert Inventory(source, {}).target("ws1").environment is Environment.PRODUCTION


def test_a_host_and_a_group_of_one_name_are_told_apart(folder):
    hosts = {"all": {"children": {"workstations": {"hosts": {"a": None, "b": None}}, "b": {"hosts": {"a": None}}}}}
    assert Inventory(folder(hosts=hosts), {}).target("b").name == "b"
    with pytest.raises(UsageError, match="workstations"):
        Inventory(folder(), {}).target("workstations")


def test_people_and_policy_are_read_without_importing_ansible():
    code = """
import sys
from pathlib import Path
from dsi_automation.inventory.load import Inventory
inventory = Inventory(Path(sys.argv[1]), {})
assert inventory.people and inventory.policy.operations
assert not [name for name in sys.modules if name.split(".")[0] in {"ansible", "jinja2", "sqlalchemy"}]
"""
    subprocess.run([sys.executable, "-c", code, EXAMPLE / "hosts.yml"], check=True)
    assert (EXAMPLE / "people.yml").exists()
