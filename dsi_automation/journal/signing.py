"""Signing with a person's own key: a file, a key in the agent, or a hardware key through the agent."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.journal import sshsig
from dsi_automation.journal.errors import SigningError
from dsi_automation.journal.model import Signed
from dsi_automation.journal.signatures import bare
from dsi_automation.journal.ssh_keygen import run, ssh_keygen

_BEGIN: Final = "-----BEGIN OPENSSH PRIVATE KEY-----"
_END: Final = "-----END OPENSSH PRIVATE KEY-----"
_MAGIC: Final = b"openssh-key-v1\0"
_KINDS: Final = ("ssh-", "ecdsa-", "sk-")


class KeySource:
    """The key somebody signs with: a private key's file, or a public key's file whose other half the agent holds."""

    def __init__(self, path: Path) -> None:
        """Take note of the file; it is read when its key is asked for."""
        self.path = path.expanduser()

    @property
    def public_key(self) -> str:
        """Return `ssh-ed25519 AAAA...`, without a comment. No passphrase is asked for.

        Raises:
            UsageError: there is no such file, it cannot be read, or it holds no key.
        """
        text = _read(self.path)
        if text.startswith(_KINDS):
            return bare(text)
        if text.startswith(_BEGIN):
            return _public_half(text, self.path)
        done = ssh_keygen(["-y", "-f", str(self.path)])
        if done.returncode:
            raise _failed(done.stderr.decode("utf-8", "replace"), self.path)
        return bare(done.stdout.decode())

    def sign(self, document: str, namespace: str) -> Signed:
        """Sign the exact bytes of `document` (UTF-8) with `ssh-keygen -Y sign`.

        Raises:
            UsageError: there is no such key.
            SigningError: the key is too open, its passphrase wrong, or the agent absent or unwilling.
        """
        return _sign(self.path, document, namespace)


class AgentKey:
    """A key that only the agent has, chosen among those it holds."""

    def __init__(self, known: Collection[str] = ()) -> None:
        """Choose among the agent's keys.

        Args:
            known: public keys that count, those of the inventory's people; all of them when empty.
        """
        self._known = {bare(key) for key in known}

    @property
    def public_key(self) -> str:
        """Return the one key of the agent that counts.

        Raises:
            UsageError: it holds none, or several.
            SigningError: there is no agent.
        """
        held = agent_keys()
        found = [key for key in held if not self._known or key in self._known]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(
                T("The agent holds {n} keys that could sign.", n=len(found)),
                next_step=T("Say which one: --key PATH of the public key, or DSI_KEY."),
            )
        raise UsageError(
            T("The agent holds no key of somebody in people.yml."),
            next_step=T("Add yours with ssh-add, or name its file: --key PATH, or DSI_KEY."),
        )

    def sign(self, document: str, namespace: str) -> Signed:
        """Sign the exact bytes of `document` (UTF-8) with the agent's key.

        Raises:
            UsageError: the agent holds no key that counts, or several.
            SigningError: there is no agent, or it refused.
        """
        import tempfile

        with tempfile.TemporaryDirectory(prefix="dsi-sign-") as folder:
            path = Path(folder, "key.pub")
            path.write_text(f"{self.public_key}\n")
            return _sign(path, document, namespace)


def agent_keys() -> list[str]:
    """Return the public keys the agent holds, without comments.

    Raises:
        SigningError: there is no agent.
    """
    done = run(["ssh-add", "-L"])
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode not in {0, 1} or not os.environ.get("SSH_AUTH_SOCK"):
        raise _no_agent()
    return [bare(line) for line in output.splitlines() if line.startswith(_KINDS)]


def _sign(path: Path, document: str, namespace: str) -> Signed:
    _read(path)
    done = ssh_keygen(["-Y", "sign", "-f", str(path), "-n", namespace], document.encode())
    armoured = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise _failed(done.stderr.decode("utf-8", "replace"), path)
    return Signed(document, armoured, namespace, sshsig.parse(armoured).public_key)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError as error:
        raise UsageError(
            T("There is no key {path}.", path=str(path)),
            next_step=T(
                "Make one with: ssh-keygen -t ed25519 -f {path}; then have it put in people.yml.", path=str(path)
            ),
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            T("The key {path} cannot be read.", path=str(path)),
            next_step=T("Name a key file of your own: --key PATH, or DSI_KEY."),
        ) from error


def _public_half(text: str, path: Path) -> str:
    """Read the public key that OpenSSH's format keeps in clear (PROTOCOL.key)."""
    try:
        data = base64.b64decode("".join(text.removeprefix(_BEGIN).removesuffix(_END).split()), validate=True)
        reader = sshsig.Reader(data)
        reader.expect(_MAGIC)
        for _cipher_kdf_options in range(3):
            reader.string()
        reader.number()
        blob = reader.string()
        kind = sshsig.Reader(blob).string().decode()
    except (ValueError, binascii.Error) as error:
        raise _not_a_key(path) from error
    return f"{kind} {base64.b64encode(blob).decode()}"


def _failed(said: str, path: Path) -> DsiError:
    """Return the error for what `ssh-keygen` said.

    Raises:
        SigningError: the key's other half is in the agent, and there is none.
    """
    name = str(path)
    table: tuple[tuple[str, Text, Text], ...] = (
        (
            "UNPROTECTED PRIVATE KEY",
            T("Others can read the key {path}, so it is not used.", path=name),
            T("Run: chmod 600 {path}", path=name),
        ),
        (
            "incorrect passphrase",
            T("The passphrase of the key {path} is wrong, or nobody could be asked for it.", path=name),
            T("Try again on a terminal, or load the key once with ssh-add."),
        ),
        (
            "agent refused",
            T("The agent refused to sign with {path}.", path=name),
            T("Unlock the agent, confirm or touch the hardware key when asked, then try again."),
        ),
    )
    for words, what, next_step in table:
        if words in said:
            return SigningError(what, next_step=next_step)
    if "No private key found" in said:
        agent_keys()  # says so when there is no agent at all
        return SigningError(
            T("The agent does not hold the private half of {path}.", path=name),
            next_step=T("Load it with ssh-add, or name the private key's file."),
        )
    return _not_a_key(path)


def _no_agent() -> SigningError:
    return SigningError(
        T("No SSH agent answers."),
        next_step=T("Start one (eval $(ssh-agent); ssh-add), or name your key's file: --key PATH, or DSI_KEY."),
    )


def _not_a_key(path: Path) -> UsageError:
    return UsageError(
        T("The file {path} is not an SSH key that can sign.", path=str(path)),
        next_step=T("Name a key file of your own: --key PATH, or DSI_KEY."),
    )
