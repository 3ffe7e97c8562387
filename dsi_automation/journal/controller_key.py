"""The controller's own ed25519 key: signs checkpoints, never a person's decision."""

from __future__ import annotations

import os
import secrets
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.core.text import T
from dsi_automation.journal import sshsig
from dsi_automation.journal.errors import SigningError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME: Final = "controller_key"
_TOO_OPEN: Final = 0o077


class ControllerKey:
    """The key in the state folder.

    Attributes:
        public_key: `ssh-ed25519 AAAA...`, without a comment.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Use this private key."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = key
        self.public_key = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, document: bytes, namespace: str) -> str:
        """Return the armoured SSH signature of `document`: about 0.1 ms, no process."""
        return sshsig.make(self._key, document, namespace)

    @classmethod
    def load_or_make(cls, state_dir: Path) -> ControllerKey:
        """Return the key of the state folder; make it the first time, readable by its owner only.

        Raises:
            SigningError: the file is not such a key, or others can read it.
            OSError: the folder cannot be read or written.
        """
        path = state_dir / NAME
        if not path.exists():
            _make(path)
        return cls(_load(path))


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    # Written aside, then linked: whoever comes second finds a whole key and uses that one.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(private)
            target.flush()
            os.fsync(target.fileno())
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            return
        path.with_name(f"{path.name}.pub").write_bytes(public + f" dsi@{socket.gethostname()}\n".encode())
    finally:
        aside.unlink(missing_ok=True)


def _load(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    if stat.S_IMODE(path.stat().st_mode) & _TOO_OPEN:
        raise SigningError(
            T("Others can read the controller's key {path}.", path=str(path)),
            next_step=T("Run: chmod 600 {path}", path=str(path)),
        )
    try:
        key = load_ssh_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _not_a_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path)
    return key


def _not_a_key(path: Path) -> SigningError:
    return SigningError(
        T("The file {path} is not the controller's key.", path=str(path)),
        next_step=T("Restore it from a copy, or move it away: a new key is then made and recorded in the journal."),
    )
