"""Which host keys of a file are taken for a machine: its own, and nobody else's."""

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dsi_automation.connectors.ssh.connecting import trust
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.errors import UsageError


def public():
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def taken(file, lines, host="10.0.0.1", port=22):
    file.write_text("".join(f"{line}\n" for line in lines))
    client = paramiko.SSHClient()
    trust(client, SshEndpoint(name="r", host=host, port=port, user="u", known_hosts=str(file)))
    keys = client.get_host_keys()
    return {name: {kind: key.get_base64() for kind, key in keys[name].items()} for name in keys}


def test_only_the_keys_of_the_machine_itself_are_taken(tmp_path):
    mine, other, longer = public(), public(), public()
    lines = [f"10.0.0.2 {other}", f"10.0.0.11 {longer}", f"host,10.0.0.1 {mine}", f"# 10.0.0.1 {other}"]
    assert taken(tmp_path / "known", lines) == {"10.0.0.1": {"ssh-ed25519": mine.split()[1]}}


def test_of_two_keys_of_a_kind_the_first_one_counts(tmp_path):
    first, second = public(), public()
    lines = [f"10.0.0.1 {first}", f"10.0.0.1 {second}"]
    assert taken(tmp_path / "known", lines) == {"10.0.0.1": {"ssh-ed25519": first.split()[1]}}


def test_a_hashed_name_is_found(tmp_path):
    mine, other = public(), public()
    lines = [f"{paramiko.HostKeys.hash_host('10.0.0.2')} {other}", f"{paramiko.HostKeys.hash_host('10.0.0.1')} {mine}"]
    assert taken(tmp_path / "known", lines) == {"10.0.0.1": {"ssh-ed25519": mine.split()[1]}}


def test_another_port_is_another_machine(tmp_path):
    mine, other = public(), public()
    lines = [f"10.0.0.1 {other}", f"[10.0.0.1]:2222 {mine}"]
    assert taken(tmp_path / "known", lines, port=2222) == {"[10.0.0.1]:2222": {"ssh-ed25519": mine.split()[1]}}


def test_a_line_that_is_no_key_makes_no_machine_known(tmp_path):
    lines = ["10.0.0.1 ssh-ed25519 !!!", "10.0.0.1 ssh-ed25519", "10.0.0.1"]
    assert taken(tmp_path / "known", lines) == {}


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="known"):
        trust(paramiko.SSHClient(), SshEndpoint(name="r", host="h", user="u", known_hosts=str(tmp_path / "known")))
