"""Checking signatures: does it hold, and was its key that person's to use at that moment."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import iso
from dsi_automation.core.text import T
from dsi_automation.journal import sshsig
from dsi_automation.journal.errors import BadSignatureError
from dsi_automation.journal.model import Signed
from dsi_automation.journal.ssh_keygen import ssh_keygen

_PRINCIPAL: Final = re.compile(r"[^\s,*?!#\"\\-][^\s,*?!\"\\]*")
"""No pattern, no list, no option: one name, as ssh-keygen reads it."""


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """A key somebody may sign with, and from when until when; both included, to the second, and not the same second.

    Attributes:
        principal: the person's identifier, as entries name their actor.
        key: `ssh-ed25519 AAAA...`; a comment after it is passed over.
    """

    principal: str
    key: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    namespaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _PRINCIPAL.fullmatch(self.principal):
            raise ValueError(f"not the name of a signer: {self.principal!r}")

    @property
    def bare_key(self) -> str:
        """Return the key's type and value, without a comment."""
        return bare(self.key)

    def in_force(self, at: datetime) -> bool:
        """Tell whether the key might be used at that moment."""
        moment = at.replace(microsecond=0)
        return (self.valid_from is None or moment >= self.valid_from.replace(microsecond=0)) and (
            self.valid_until is None or moment <= self.valid_until.replace(microsecond=0)
        )

    def to_line(self) -> str:
        """Return the line of an OpenSSH allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS)."""
        options = []
        if self.namespaces:
            options.append(f'namespaces="{",".join(self.namespaces)}"')
        if self.valid_from:
            options.append(f'valid-after="{stamp(self.valid_from)}"')
        if self.valid_until:
            options.append(f'valid-before="{stamp(self.valid_until)}"')
        return " ".join(part for part in (self.principal, ",".join(options), self.bare_key) if part)


def allowed_signers_file(signers: Iterable[AllowedSigner]) -> str:
    """Return the content of an OpenSSH allowed-signers file."""
    return "".join(f"{signer.to_line()}\n" for signer in signers)


def check(signed: Signed) -> None:
    """Make sure a signature is that of its document, for its namespace, by the key it names: about 0.2 ms.

    Raises:
        BadSignatureError: it is not.
    """
    try:
        signature = sshsig.parse(signed.signature)
        if signature.namespace != signed.namespace:
            raise _bad(
                T("it was made for {found}, not for {expected}", found=signature.namespace, expected=signed.namespace)
            )
        if signature.public_key != bare(signed.public_key):
            raise _bad(T("it was made by another key than the one written beside it"))
        try:
            good = sshsig.holds(signature, signed.document.encode())
        except sshsig.UnknownKeyTypeError:
            good = _holds_by_ssh_keygen(signed)
    except (ValueError, IndexError) as error:
        raise _bad(T("it cannot be read")) from error
    if not good:
        raise _bad(T("the document is not the one that was signed"))


def check_signer(signed: Signed, principal: str, signers: Sequence[AllowedSigner], at: datetime) -> None:
    """Make sure a signature holds and its key was `principal`'s to use at `at`; without a process.

    Raises:
        BadSignatureError: it does not hold, or the signer is unknown, or the key was not valid then.
    """
    check(signed)
    key = bare(signed.public_key)
    theirs = [item for item in signers if item.principal == principal and item.bare_key == key]
    if not theirs:
        raise _bad(T("the key is not one of {person}", person=principal))
    if not any(item.in_force(at) for item in theirs):
        raise _bad(T("the key of {person} was not valid on {at}", person=principal, at=iso(at)))
    if not any(item.in_force(at) and (not item.namespaces or signed.namespace in item.namespaces) for item in theirs):
        raise _bad(T("the key of {person} may not sign for {namespace}", person=principal, namespace=signed.namespace))


def verify(signed: Signed, principal: str, signers: Sequence[AllowedSigner], at: datetime) -> None:
    """Make the same sure as `check_signer`, by `ssh-keygen -Y verify`: the reference, 5 to 10 ms.

    Raises:
        BadSignatureError: `ssh-keygen` refuses the signature.
        SigningError: `ssh-keygen` is not installed.
    """
    if not _PRINCIPAL.fullmatch(principal):
        raise _bad(T("the key is not one of {person}", person=principal))
    with tempfile.TemporaryDirectory(prefix="dsi-verify-") as folder:
        allowed, signature = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text(allowed_signers_file(signers))
        signature.write_text(signed.signature)
        arguments = ["-Y", "verify", "-f", str(allowed), "-I", principal, "-n", signed.namespace]
        arguments += ["-s", str(signature), f"-Overify-time={stamp(at)}"]
        done = ssh_keygen(arguments, signed.document.encode())
    if done.returncode:
        raise _bad(
            T("the key is not valid for {person} on {at}, or the document is another", person=principal, at=iso(at)),
            _last_line(done),
        )
    if sshsig.parse(signed.signature).public_key != bare(signed.public_key):
        raise _bad(T("it was made by another key than the one written beside it"))


def bare(key: str) -> str:
    """Return a public key's type and value, without a comment."""
    return " ".join(key.split()[:2])


def stamp(moment: datetime) -> str:
    """Return a moment as `ssh-keygen` reads it, UTC: `20261121193000Z`."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


def _holds_by_ssh_keygen(signed: Signed) -> bool:
    with tempfile.TemporaryDirectory(prefix="dsi-verify-") as folder:
        signature = Path(folder, "signature")
        signature.write_text(signed.signature)
        arguments = ["-Y", "check-novalidate", "-n", signed.namespace, "-s", str(signature)]
        return ssh_keygen(arguments, signed.document.encode()).returncode == 0


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _bad(why: object, said: str = "") -> BadSignatureError:
    return BadSignatureError(
        T("The signature does not hold: {why}.", why=why),
        detail={"ssh_keygen": said} if said else {},
    )
