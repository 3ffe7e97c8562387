"""Exports the journal so that an auditor verifies it with `ssh-keygen` and `sha256sum` alone, on another machine."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.journal.checkpoint_check import read_checkpoints
from dsi_automation.journal.checkpoints import NAMESPACE, PRINCIPAL, Checkpoint
from dsi_automation.journal.database_errors import translated
from dsi_automation.journal.export_readme import README
from dsi_automation.journal.model import Kind
from dsi_automation.journal.signatures import AllowedSigner, allowed_signers_file, stamp

if TYPE_CHECKING:
    from dsi_automation.journal.store import SqlJournal

ROOT: Final = "journal-export"
CHECK: Final = Path(__file__).with_name("check.sh")
"""The auditor's script; `docs/how-to/verify-a-journal-export.md` shows and explains it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many entries and signatures, and the hash of the last entry."""

    path: Path
    entries: int
    signatures: int
    head: str


class Sink(Protocol):
    """Takes the files of an export one by one."""

    def add(self, name: str, content: bytes) -> None:
        """Write one file."""
        ...


def export(
    journal: SqlJournal,
    path: Path,
    checkpoints: Path | None,
    signers: Sequence[AllowedSigner],
    *,
    folder: bool = False,
) -> Exported:
    """Write the whole journal to `path`: one archive, a `.tar.gz` unless the name ends in `.tar` or `.zip`.

    Args:
        checkpoints: the controller's `checkpoints.jsonl`.
        signers: the people's keys, for `allowed_signers`; the controllers' keys are added.
        folder: write a folder instead of an archive.

    Raises:
        UsageError: there is already something at `path`, or no folder to put it in.
        StorageError: it cannot be written; nothing is left there.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(
            T("There is already something at {path}.", path=str(path)),
            next_step=T("Choose another name, or move it away: an export never replaces another by itself."),
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(
            T("The folder {folder} does not exist.", folder=str(path.absolute().parent)),
            next_step=T("Make it, or give another name."),
        )
    journal.checkpoint()
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with translated(str(path)):
        try:
            with _sink(aside, "folder" if folder else path.suffix) as sink:
                done = _write(journal, sink, checkpoints, signers)
            aside.replace(path)
        except BaseException:
            _remove(aside)
            raise
    return Exported(path, *done)


def _write(
    journal: SqlJournal, sink: Sink, checkpoints: Path | None, signers: Sequence[AllowedSigner]
) -> tuple[int, int, str]:
    lines, hashes = io.BytesIO(), io.BytesIO()
    controllers: dict[str, None] = {}
    signatures, head, number = 0, "", 0
    with journal.rows() as rows:
        for number, row in enumerate(rows, start=1):
            lines.write(_bytes(row.line) + b"\n")
            hashes.write(_bytes(row.hash) + b"\n")
            head = str(row.hash)
            data = _data(row.line)
            # What was tampered with may lack anything: it is exported as it stands.
            with suppress(KeyError, TypeError, ValueError):
                if data["signed"] is not None:
                    _signature(sink, number, data)
                    signatures += 1
                if data["kind"] == Kind.JOURNAL_OPENED:
                    controllers[str(data["body"]["controller"]["public_key"])] = None
    sink.add("journal.jsonl", lines.getvalue())
    sink.add("hashes.txt", hashes.getvalue())
    kept = read_checkpoints(checkpoints)[0] if checkpoints else []
    for name, content in _checkpoint_files(kept):
        sink.add(name, content)
    keys = [*signers, *(AllowedSigner(PRINCIPAL, key, namespaces=(NAMESPACE,)) for key in controllers)]
    sink.add("allowed_signers", allowed_signers_file(keys).encode())
    sink.add("README.txt", README.encode())
    sink.add("check.sh", CHECK.read_bytes())
    return number, signatures, head


def _signature(sink: Sink, number: int, data: dict[str, Any]) -> None:
    signed = data["signed"]
    files = {
        "document": str(signed["document"]),
        "sig": str(signed["signature"]),
        "namespace": f"{signed['namespace']}\n",
        "principal": f"{data['actor']}\n",
        "time": f"{stamp(parse_iso(data['at']))}\n",
    }
    for ending, content in files.items():
        sink.add(f"signatures/{number}.{ending}", _bytes(content))


def _checkpoint_files(checkpoints: Sequence[Checkpoint]) -> Iterator[tuple[str, bytes]]:
    yield "checkpoints.jsonl", "".join(f"{item.to_line()}\n" for item in checkpoints).encode()
    if checkpoints:
        last = max(checkpoints, key=lambda item: item.seq)
        yield "checkpoint.document", last.document.encode()
        yield "checkpoint.sig", last.signature.encode()


class _Folder:
    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700)
        self._path = path

    def add(self, name: str, content: bytes) -> None:
        target = self._path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


class _Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(f"{ROOT}/{name}")
        info.size, info.mode = len(content), 0o644
        self._tar.addfile(info, io.BytesIO(content))


class _Zip:
    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._zip = packed

    def add(self, name: str, content: bytes) -> None:
        info = zipfile.ZipInfo(f"{ROOT}/{name}")  # dated 1980, as all that is in it
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED)


@contextmanager
def _sink(path: Path, form: str) -> Generator[Sink]:
    """Open a folder, or an archive whose bytes depend on its content alone."""
    if form == "folder":
        yield _Folder(path)
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw, ExitStack() as stack:
        if form == ".zip":
            yield _Zip(stack.enter_context(zipfile.ZipFile(raw, "w")))
            return
        packed = raw if form == ".tar" else stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        yield _Archive(stack.enter_context(tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT)))


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _data(line: object) -> dict[str, Any]:
    """Return what a line holds, or nothing."""
    try:
        data = json.loads(str(line))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _bytes(text: object) -> bytes:
    return str(text).encode("utf-8", "surrogateescape")
