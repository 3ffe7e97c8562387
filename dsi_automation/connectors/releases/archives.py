"""Releases as archives in a folder of the controller, each with its checksum and its signature beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases import bundle, versions
from dsi_automation.connectors.releases.description import wrong
from dsi_automation.connectors.releases.port import Release
from dsi_automation.connectors.releases.programs import KEYGEN_WITHIN, complaint, run
from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

NAMESPACE: Final = "dsi-release"
"""What a signature must have been made for: `ssh-keygen -Y sign -n dsi-release`."""
_SUM: Final = re.compile(r"([0-9a-f]{64}) [ *](\S+)\n?")
"""A line as sha256sum(1) writes it."""
_PRINCIPAL: Final = re.compile(r"[^\s,*?!#\"\\-][^\s,*?!\"\\]*")


class ArchiveStore:
    """The releases of one line of sources in a folder: `NAME-VERSION.tar.gz`; see `port.ReleaseStore`."""

    def __init__(self, source: str, folder: Path, allowed_signers: Path) -> None:
        """Look in `folder`; nothing is read yet.

        Args:
            source: the line of sources, with which the names of archives begin.
            allowed_signers: a file as ssh-keygen(1) describes it.
        """
        self._source, self._folder, self._allowed = source, folder, allowed_signers
        self._checked: dict[tuple[str, bytes, bytes], Release] = {}

    def names(self) -> tuple[str, ...]:
        """Return the releases there are, oldest version first.

        Raises:
            StorageError: the folder cannot be read.
        """
        start, end = f"{self._source}-", ".tar.gz"
        try:
            files = [path.name for path in self._folder.iterdir()]
        except OSError as error:
            raise _unread(self._folder, error) from error
        found = [name[len(start) : -len(end)] for name in files if name.startswith(start) and name.endswith(end)]
        return tuple(sorted((name for name in found if versions.may_be(name)), key=versions.order))

    def release(self, name: str) -> Release:
        """Return one release, after its checksum and its signature were checked.

        Raises:
            ReleaseError: see `port.ReleaseStore`. StorageError: a file cannot be read.
        """
        check_name(name)
        archive = self._folder / f"{self._source}-{name}.tar.gz"
        sha256 = bundle.sha256_of(archive, name)
        self._hold(archive, sha256, name)
        signature = self._beside(archive, ".sig", name)
        key = (sha256, signature, allowed(self._allowed))
        if key not in self._checked:
            signer = self._signer(archive, name)
            held = bundle.contents(archive, name)
            if bundle.sha256_of(archive, name) != sha256:
                raise wrong(name, T("its archive was changed while it was looked at."))
            self._checked[key] = Release(
                name, held.description.title, archive, sha256, signer, archive.name, held.scripts
            )
        return self._checked[key]

    def text(self, release: Release, file: str) -> str:
        """Return a script of a release, from the archive whose checksum held."""
        return bundle.text_of(release, file)

    def _hold(self, archive: Path, sha256: str, name: str) -> None:
        """Hold the archive against its checksum."""
        said = _SUM.fullmatch(self._beside(archive, ".sha256", name).decode("utf-8", "replace"))
        if said is None or Path(said[2]).name != archive.name:
            raise wrong(name, T("{file} is not what sha256sum writes for it.", file=f"{archive.name}.sha256"))
        if said[1] != sha256:
            raise wrong(name, T("its archive is not the one of its checksum: it was damaged or changed."))

    def _beside(self, archive: Path, ending: str, name: str) -> bytes:
        path = archive.with_name(archive.name + ending)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise wrong(name, T("{file} is missing.", file=path.name)) from error
        except OSError as error:
            raise _unread(path, error) from error

    def _signer(self, archive: Path, name: str) -> str:
        """Return who signed, after the signature was checked as of now (ssh-keygen(1), `-Y verify`)."""
        signature = archive.with_name(f"{archive.name}.sig")
        where = ["-s", str(signature), "-f", str(self._allowed)]
        found = run(["ssh-keygen", "-Y", "find-principals", *where], timeout=KEYGEN_WITHIN)
        if found.returncode:
            raise not_signed(name, complaint(found))
        principal = person(found.stdout.decode("utf-8", "replace"), name)
        command = ["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", principal, *where]
        with archive.open("rb") as content:
            done = run(command, timeout=KEYGEN_WITHIN, stdin=content)
        if done.returncode:
            raise not_signed(name, complaint(done))
        return principal


def check_name(name: str) -> None:
    """Make sure that a release may be called so.

    Raises:
        ReleaseError: it may not.
    """
    if not versions.may_be(name):
        raise ReleaseError(
            T("“{name}” is not the name of a release.", name=name), next_step=T("See which there are: dsi sources list")
        )


def allowed(path: Path) -> bytes:
    """Return the file of allowed signers.

    Raises:
        StorageError: it cannot be read: then nobody may sign.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unread(path, error) from error


def person(principals: str, name: str) -> str:
    """Return the one name that the file of allowed signers gives a key.

    Raises:
        ReleaseError: it gives a pattern, which is nobody.
    """
    first = principals.strip().partition("\n")[0].partition(",")[0].strip()
    if not _PRINCIPAL.fullmatch(first):
        raise not_signed(name, "no principal")
    return first


def not_signed(name: str, said: str) -> ReleaseError:
    """Return the error for a release that nobody allowed has signed."""
    return ReleaseError(
        T("Release {name} bears no signature that holds, of somebody who may sign it.", name=name),
        meaning=T("Nobody answers for what is in it."),
        next_step=T("Have it signed by one of the allowed signers of the line of sources."),
        detail={"said": said},
    )


def _unread(path: Path, error: OSError) -> StorageError:
    return StorageError(T("{path} cannot be read: {reason}.", path=str(path), reason=reason_of(error)))
