"""What an archive of a release holds: read on the controller before anything of it is sent anywhere."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.core.text import T, Text

SEAL: Final = ".dsi-release.json"
"""At the root of a release that was put whole: its name, the archive's SHA-256, and how many files it holds."""
_SPECIAL: Final = 0o6000


def checked(archive: Path) -> int:
    """Make sure that nothing in an archive leads outside the folder it is unpacked in.

    A link may only go up with its first words, `../../x`: what stands above it are true folders, so that where it
    leads is known without following other links.

    Returns:
        How many files and links it holds.

    Raises:
        ReleaseError: it is no tar archive, is damaged or empty, or holds an absolute path, `..`, a link that leads
            outside, a device, or a file that runs with its owner's rights.
    """
    try:
        # Whatever compression: tar on the server recognises it as well.
        with tarfile.open(archive, "r:*", encoding="utf-8", errors="surrogateescape") as opened:
            count = counted(opened, lambda problem: _wrong(archive, problem))
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _wrong(archive, T("it is no tar archive, or it is damaged.")) from error
    if count == 0:
        raise _wrong(archive, T("it is empty."))
    return count


def counted(members: Iterable[tarfile.TarInfo], wrong: Callable[[Text], ReleaseError]) -> int:
    """Look at every member of an archive, and return how many files and links there are.

    Args:
        wrong: makes the error that is raised for the first one that must not be there.
    """
    kinds: dict[str, str] = {}
    for member in members:
        path = "/".join(part for part in member.name.split("/") if part not in {"", "."})
        shown = ascii(member.name)[1:-1]
        if (problem := _problem(member, path, kinds)) is not None:
            raise wrong(T("{name}: {problem}", name=shown, problem=problem))
        kinds[path] = "folder" if member.isdir() else "link" if member.issym() else "file"
    return sum(kind != "folder" for kind in kinds.values())


def _problem(member: tarfile.TarInfo, path: str, kinds: dict[str, str]) -> Text | None:
    """Return what is wrong with a member, given those before it."""
    parts = path.split("/")
    if member.name.startswith("/") or ".." in parts or "\\" in member.name or not member.name.isprintable():
        return T("its path is absolute, goes up, or is not plain.")
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return T("it is neither a file, nor a folder, nor a link.")
    if member.mode & _SPECIAL and not member.isdir():
        return T("it would run with its owner's rights (setuid).")
    if path in kinds and not (member.isdir() and kinds[path] == "folder"):
        return T("it is there twice.")
    if parts[0] == SEAL or (not path and not member.isdir()):
        return T("its name is the toolkit's own.")
    if any(kinds.get("/".join(parts[:end]), "folder") != "folder" for end in range(1, len(parts))):
        return T("it lies below what is no folder.")
    if member.issym() and not _within(member.linkname, len(parts) - 1):
        return T("it is a link that leads outside.")
    if member.islnk() and kinds.get("/".join(p for p in member.linkname.split("/") if p not in {"", "."})) != "file":
        return T("it is a link to a file that is not there.")
    return None


def _within(target: str, depth: int) -> bool:
    """Tell whether a link's target stays inside, from a folder so many folders deep."""
    words = [word for word in target.split("/") if word not in {"", "."}]
    up = next((number for number, word in enumerate(words) if word != ".."), len(words))
    return bool(target) and not target.startswith("/") and up <= depth and ".." not in words[up:]


def _wrong(archive: Path, problem: Text) -> ReleaseError:
    return ReleaseError(
        T("The archive {path} is no release: {problem}", path=str(archive), problem=problem),
        next_step=T("Have it made again, and approved again."),
    )
