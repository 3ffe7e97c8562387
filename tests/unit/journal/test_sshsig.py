"""Signatures made and checked in this process agree with OpenSSH's own program, both ways."""

import base64
import hashlib
import struct
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.journal import sshsig
from dsi_automation.journal.controller_key import ControllerKey
from dsi_automation.journal.errors import BadSignatureError
from dsi_automation.journal.model import Signed
from dsi_automation.journal.signatures import AllowedSigner, check, check_signer, verify
from dsi_automation.journal.signing import KeySource

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_ssh_keygen_accepts_what_the_controller_signs(tmp_path: Path) -> None:
    key = ControllerKey.load_or_make(tmp_path)
    signed = Signed("héllo\n", key.sign("héllo\n".encode(), "dsi-checkpoint"), "dsi-checkpoint", key.public_key)
    verify(signed, "controller", [AllowedSigner("controller", key.public_key)], NOW)
    other = Signed("hello", signed.signature, signed.namespace, signed.public_key)
    with pytest.raises(BadSignatureError):
        verify(other, "controller", [AllowedSigner("controller", key.public_key)], NOW)


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", 0), ("rsa", 3072), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521)]
)
def test_what_ssh_keygen_signs_is_checked_here(new_key: Callable[..., Path], kind: str, bits: int) -> None:
    signed = KeySource(new_key(kind=kind, bits=bits)).sign("a document", "dsi-request")
    check(signed)
    for wrong in (
        Signed("another", signed.signature, signed.namespace, signed.public_key),
        Signed("a document", signed.signature, "dsi-decision", signed.public_key),
        Signed("a document", signed.signature, signed.namespace, "ssh-ed25519 AAAA"),
        Signed("a document", "nothing", signed.namespace, signed.public_key),
    ):
        with pytest.raises(BadSignatureError):
            check(wrong)


def test_the_armour_is_the_one_ssh_keygen_writes(awa: KeySource) -> None:
    armoured = awa.sign("a document", "dsi-request").signature
    assert sshsig.armour(sshsig.dearmour(armoured)) == armoured


@pytest.mark.parametrize("touched", [1, 0])
def test_a_hardware_key_counts_when_somebody_touched_it(touched: int, tmp_path: Path) -> None:
    """A hardware key's signature, made by hand after PROTOCOL.u2f; `ssh-keygen` says the same of it."""
    signed = hardware_signature("a document", touched)
    (tmp_path / "sig").write_text(signed.signature)
    command = ["ssh-keygen", "-Y", "check-novalidate", "-n", "dsi-request", "-s", tmp_path / "sig"]
    accepted = subprocess.run(command, input=b"a document", capture_output=True, check=False).returncode == 0
    try:
        check(signed)
        ours = True
    except BadSignatureError:
        ours = False
    assert ours == bool(touched)
    assert accepted or not touched


def hardware_signature(document: str, touched: int) -> Signed:
    def string(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    kind, key = b"sk-ssh-ed25519@openssh.com", Ed25519PrivateKey.generate()
    public = string(kind) + string(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)) + string(b"ssh:")
    inner = string(b"dsi-request") + string(b"") + string(b"sha512")
    data = b"SSHSIG" + inner + string(hashlib.sha512(document.encode()).digest())
    counter = bytes([touched]) + struct.pack(">I", 7)
    raw = key.sign(hashlib.sha256(b"ssh:").digest() + counter + hashlib.sha256(data).digest())
    blob = string(kind) + string(raw) + counter
    armoured = sshsig.armour(b"SSHSIG" + struct.pack(">I", 1) + string(public) + inner + string(blob))
    return Signed(document, armoured, "dsi-request", f"{kind.decode()} {base64.b64encode(public).decode()}")


@given(st.text(max_size=300))
def test_text_that_is_no_signature_is_refused_with_one_error(text: str) -> None:
    with pytest.raises(BadSignatureError):
        check(Signed("a document", text, "dsi-request", "ssh-ed25519 AAAA"))


@given(st.data())
def test_a_changed_byte_of_a_signature_never_passes(data: st.DataObject) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    blob = bytearray(sshsig.dearmour(sshsig.make(key, b"a document", "dsi-request")))
    place = data.draw(st.integers(0, len(blob) - 1))
    blob[place] ^= data.draw(st.integers(1, 255))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    with pytest.raises(BadSignatureError):
        check(Signed("a document", sshsig.armour(bytes(blob)), "dsi-request", public))


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("principal", "valid_from", "valid_until", "namespaces", "good"),
    [
        ("awa", None, None, (), True),
        ("yao", None, None, (), False),
        ("awa", NOW, NOW + DAY, (), True),
        ("awa", NOW - DAY, NOW, (), True),
        ("awa", NOW + DAY, None, (), False),
        ("awa", None, NOW - DAY, (), False),
        ("awa", None, None, ("dsi-request",), True),
        ("awa", None, None, ("dsi-decision",), False),
    ],
)
def test_who_may_sign_when_is_judged_alike_here_and_by_ssh_keygen(
    awa: KeySource, principal: str, valid_from, valid_until, namespaces: tuple[str, ...], good: bool
) -> None:
    signed = awa.sign("a document", "dsi-request")
    signers = [AllowedSigner(principal, f"{awa.public_key} comment", valid_from, valid_until, namespaces)]
    for judge in (check_signer, verify):
        if good:
            judge(signed, "awa", signers, NOW + timedelta(milliseconds=400))
        else:
            with pytest.raises(BadSignatureError):
                judge(signed, "awa", signers, NOW + timedelta(milliseconds=400))


@pytest.mark.parametrize("name", ["", "*", "a,b", "a b", "a?", "!a", 'a"', "-a", "#a", "a\nb"])
def test_a_name_that_is_a_pattern_is_no_signer(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        AllowedSigner(name, "ssh-ed25519 AAAA")
