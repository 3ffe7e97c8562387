"""Repositories of restic for tests, opened in milliseconds.

Each call of restic derives the repository's key anew, half a second of a core by design. A repository of tests keeps
its key under a derivation that costs nothing: all else, and what reads and writes it, is restic's own.
Format of the key file: https://restic.readthedocs.io/en/stable/100_references.html#keys-encryption-and-mac
"""

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.poly1305 import Poly1305

from dsi_automation.connectors.backups.restic import Place, Restic
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.secrets import Secret

CHEAP = {"N": 2, "r": 1, "p": 1}
_BLOCK = 16


@pytest.fixture(scope="session")
def put_repository(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    """Return a function that puts an empty repository, one that opens at once, in a place."""
    made: dict[str, Path] = {}

    def put(place: Path, password: str) -> Path:
        if password not in made:
            new = tmp_path_factory.mktemp("restic") / "repository"
            Restic(Place(str(new), Secret(password)), LocalShell()).initialise()
            made[password] = hasten(new, password)
        return Path(shutil.copytree(made[password], place))

    return put


def hasten(place: Path, password: str) -> Path:
    """Put the key of a repository under a derivation that costs nothing."""
    (path,) = (place / "keys").iterdir()
    kept = json.loads(path.read_bytes())
    plain = _opened(base64.b64decode(kept["data"]), _derived(password, kept))
    kept |= CHEAP
    kept["data"] = base64.b64encode(_sealed(plain, _derived(password, kept))).decode()
    content = json.dumps(kept).encode()
    path.unlink()
    path.with_name(hashlib.sha256(content).hexdigest()).write_bytes(content)
    return place


def put_lock(place: Path, password: str, lock: dict[str, object]) -> Path:
    """Put a lock into a repository as restic writes it, whatever it says."""
    (path,) = (place / "keys").iterdir()
    kept = json.loads(path.read_bytes())
    master = json.loads(_opened(base64.b64decode(kept["data"]), _derived(password, kept)))
    parts = (master["encrypt"], master["mac"]["k"], master["mac"]["r"])
    sealed = _sealed(json.dumps(lock).encode(), b"".join(base64.b64decode(part) for part in parts))
    made = place / "locks" / hashlib.sha256(sealed).hexdigest()
    made.write_bytes(sealed)
    return made


def _derived(password: str, kept: dict[str, object]) -> bytes:
    n, r, p = (int(str(kept[name])) for name in "Nrp")
    salt = base64.b64decode(str(kept["salt"]))
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, dklen=64, maxmem=1 << 30)


def _opened(sealed: bytes, key: bytes) -> bytes:
    nonce, body, mac = sealed[:_BLOCK], sealed[_BLOCK:-_BLOCK], sealed[-_BLOCK:]
    assert _mac(body, nonce, key) == mac, "not the password of this repository"
    return _crypted(body, nonce, key)


def _sealed(plain: bytes, key: bytes) -> bytes:
    nonce = os.urandom(_BLOCK)
    body = _crypted(plain, nonce, key)
    return nonce + body + _mac(body, nonce, key)


def _crypted(content: bytes, nonce: bytes, key: bytes) -> bytes:
    return Cipher(AES(key[:32]), CTR(nonce)).encryptor().update(content)


def _mac(body: bytes, nonce: bytes, key: bytes) -> bytes:
    # Poly1305-AES: the second half of the one-time key is the nonce under a key of its own.
    one_time = Cipher(AES(key[32:48]), ECB()).encryptor().update(nonce)  # noqa: S305  # one block
    return Poly1305.generate_tag(key[48:64] + one_time, body)
