"""A person's key: a file, an encrypted file, the agent; and a sentence for each way it can fail."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.journal.errors import SigningError
from dsi_automation.journal.signatures import check
from dsi_automation.journal.signing import AgentKey, KeySource


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A running ssh-agent; returns a function that loads a key into it."""
    said = subprocess.run(["ssh-agent", "-s", "-a", tmp_path / "agent"], capture_output=True, text=True, check=True)
    pid = int(re.search(r"SSH_AGENT_PID=(\d+)", said.stdout).group(1))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield lambda path: subprocess.run(["ssh-add", "-q", path], check=True, capture_output=True) and None
    os.kill(pid, 15)


@pytest.fixture
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def test_a_key_file_signs_and_tells_its_public_half(new_key: Callable[..., Path]) -> None:
    path = new_key()
    source = KeySource(path)
    signed = source.sign("é", "dsi-request")
    check(signed)
    assert signed.public_key == source.public_key == " ".join(Path(f"{path}.pub").read_text().split()[:2])


def test_an_encrypted_key_tells_its_public_half_without_its_passphrase(new_key: Callable[..., Path]) -> None:
    path = new_key(passphrase="quite long")
    public = Path(f"{path}.pub").read_text()
    Path(f"{path}.pub").unlink()
    assert KeySource(path).public_key == " ".join(public.split()[:2])


def test_a_pem_key_tells_its_public_half(new_key: Callable[..., Path]) -> None:
    path = new_key(kind="rsa", bits=2048)
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f", path], check=True)
    assert "BEGIN RSA" in path.read_text()
    assert KeySource(path).public_key == " ".join(Path(f"{path}.pub").read_text().split()[:2])


def test_a_public_key_signs_through_the_agent(new_key: Callable[..., Path], agent, tmp_path: Path) -> None:
    path = new_key()
    agent(path)
    alone = tmp_path / "alone.pub"
    alone.write_text(Path(f"{path}.pub").read_text())
    check(KeySource(alone).sign("x", "dsi-request"))
    check(AgentKey().sign("x", "dsi-request"))


def test_among_several_keys_of_the_agent_the_known_one_signs(new_key: Callable[..., Path], agent) -> None:
    known, other = new_key("known"), new_key("other")
    agent(known)
    agent(other)
    with pytest.raises(UsageError, match="2"):
        assert AgentKey().public_key
    signed = AgentKey([Path(f"{known}.pub").read_text()]).sign("x", "dsi-request")
    assert signed.public_key == KeySource(known).public_key
    with pytest.raises(UsageError, match="people"):
        assert AgentKey(["ssh-ed25519 AAAA"]).public_key


def refusal(source: KeySource) -> DsiError:
    with pytest.raises(DsiError) as caught:
        source.sign("x", "dsi-request")
    return caught.value


def test_an_absent_key_says_how_to_make_one(tmp_path: Path) -> None:
    error = refusal(KeySource(tmp_path / "none"))
    assert isinstance(error, UsageError)
    assert "ssh-keygen -t ed25519" in str(error)


@pytest.mark.usefixtures("no_agent")
def test_a_key_others_can_read_says_chmod(new_key: Callable[..., Path]) -> None:
    path = new_key()
    path.chmod(0o644)
    assert "chmod 600" in str(refusal(KeySource(path)))


@pytest.mark.usefixtures("no_agent")
def test_a_passphrase_nobody_can_be_asked_for_says_ssh_add(new_key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    error = refusal(KeySource(new_key(passphrase="quite long")))
    assert isinstance(error, SigningError)
    assert "ssh-add" in str(error)


@pytest.mark.usefixtures("no_agent")
def test_without_an_agent_a_public_key_alone_says_so(new_key: Callable[..., Path], tmp_path: Path) -> None:
    alone = tmp_path / "alone.pub"
    alone.write_text(Path(f"{new_key()}.pub").read_text())
    assert "ssh-agent" in str(refusal(KeySource(alone)))
    with pytest.raises(SigningError, match="ssh-agent"):
        assert AgentKey().public_key


def test_an_agent_without_the_key_says_ssh_add(new_key: Callable[..., Path], agent, tmp_path: Path) -> None:
    agent(new_key("other"))
    alone = tmp_path / "alone.pub"
    alone.write_text(Path(f"{new_key()}.pub").read_text())
    error = refusal(KeySource(alone))
    assert isinstance(error, SigningError)
    assert "ssh-add" in str(error)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.write_text("junk")
    path.chmod(0o600)
    assert isinstance(refusal(KeySource(path)), UsageError)
    path.write_bytes(b"\xff\x00")
    assert isinstance(refusal(KeySource(path)), UsageError)
