"""The archive of a release: what is in it, held against its description, before anything of it reaches a server."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from dsi_automation.connectors.applications.contents import counted
from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases import description
from dsi_automation.connectors.releases.description import FILE, Description, ScriptPaths, wrong
from dsi_automation.connectors.releases.port import Release, Script
from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

LARGEST_SCRIPT: Final = 64 << 20
"""Bytes: a script is read whole, as it is run whole."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds: its description, and its scripts with their digests."""

    description: Description
    scripts: tuple[Script, ...]


def sha256_of(path: Path, name: str) -> str:
    """Return the SHA-256 of an archive, hexadecimal.

    Raises:
        ReleaseError: there is none. StorageError: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    except FileNotFoundError as error:
        raise ReleaseError(
            T("There is no release {name}: {path} is missing.", name=name, path=str(path)),
            next_step=T("See which there are: dsi sources list"),
        ) from error
    except OSError as error:
        raise StorageError(T("{path} cannot be read: {reason}.", path=str(path), reason=reason_of(error))) from error
    return found.hexdigest()


def contents(archive: Path, name: str) -> Contents:
    """Return what an archive holds, after every member of it was looked at.

    Raises:
        ReleaseError: it is no archive, a member leads outside or is nothing that a release holds, its description is
            not right, or a script it names is not there.
    """
    with _opened(archive, name) as file:
        counted(file.getmembers(), lambda problem: wrong(name, problem))
        members = {_path(member): member for member in file.getmembers()}
        said = description.read(_member(file, members, FILE, name), name)
        scripts = tuple(_script(file, members, one, name) for one in said.scripts)
    return Contents(said, scripts)


def text_of(release: Release, file: str) -> str:
    """Return a script of a release; its digest is that of when the release was checked.

    Raises:
        ReleaseError: it is not, or the release names no such script.
    """
    known = {one.file: one.sha256 for one in release.scripts}
    known |= {one.undo: one.undo_sha256 for one in release.scripts if one.undo and one.undo_sha256}
    if file not in known:
        raise wrong(release.name, T("{file} does not name {path}.", file=FILE, path=file))
    with _opened(release.archive, release.name) as opened:
        members = {_path(member): member for member in opened.getmembers()}
        content = _member(opened, members, file, release.name)
    if hashlib.sha256(content).hexdigest() != known[file]:
        raise wrong(release.name, T("{path} is not what was checked before.", path=file))
    return content.decode("utf-8-sig")


@contextmanager
def _opened(archive: Path, name: str) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz", encoding="utf-8", errors="strict") as file:
            yield file
    except (tarfile.TarError, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise wrong(name, T("its archive is damaged, or is none.")) from error
    except OSError as error:
        # gzip tells damage by an OSError without a number.
        if error.errno is None:
            raise wrong(name, T("its archive is damaged, or is none.")) from error
        raise StorageError(T("{path} cannot be read: {reason}.", path=str(archive), reason=reason_of(error))) from error


def _path(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").rstrip("/") or "."


def _script(file: tarfile.TarFile, members: dict[str, tarfile.TarInfo], paths: ScriptPaths, name: str) -> Script:
    digests: list[str | None] = []
    for path in (paths.file, paths.undo):
        if path is None:
            digests.append(None)
            continue
        content = _member(file, members, path, name)
        try:
            content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise wrong(name, T("{path} is not UTF-8.", path=path)) from error
        digests.append(hashlib.sha256(content).hexdigest())
    return Script(paths.file, str(digests[0]), paths.undo, digests[1])


def _member(file: tarfile.TarFile, members: dict[str, tarfile.TarInfo], path: str, name: str) -> bytes:
    member = members.get(str(PurePosixPath(path)))
    opened = None if member is None or not member.isfile() else file.extractfile(member)
    if member is None or opened is None:
        raise wrong(name, T("its archive does not hold {path}.", path=path))
    if member.size > LARGEST_SCRIPT:
        raise wrong(name, T("{path} is larger than a script may be.", path=path))
    return opened.read()
