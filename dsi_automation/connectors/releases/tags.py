"""Releases as signed tags of a git repository; what is deployed is the archive of the tag, made once and kept."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.releases import bundle, versions
from dsi_automation.connectors.releases.archives import allowed, check_name, not_signed, person
from dsi_automation.connectors.releases.description import wrong
from dsi_automation.connectors.releases.port import Release
from dsi_automation.connectors.releases.programs import complaint, git
from dsi_automation.core.errors import StorageError, UnreachableError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

_GOOD: Final = re.compile(r'^Good "git" signature for (\S+) with ', re.MULTILINE)
"""What ssh-keygen says of a signature that holds, of a person of the file (sshsig.c, `-Y verify`)."""
_REF: Final = re.compile(r"[0-9a-f]{40,64}\trefs/tags/(\S+)")


class TagStore:
    """The releases of one line of sources in a git repository: signed tags `PREFIX` + version; see `port.ReleaseStore`.

    A tag's signature holds for the moment it says it was made at, as git checks it (gpg.ssh.allowedSignersFile): the
    key must have been valid then. Its namespace is `git`.
    """

    def __init__(self, source: str, repository: str, prefix: str, allowed_signers: Path, cache: Path) -> None:
        """Fetch from `repository`, a folder or an address, into `cache`; nothing is fetched yet."""
        self._source, self._repository, self._prefix = source, repository, prefix
        self._allowed, self._cache = allowed_signers, cache

    def names(self) -> tuple[str, ...]:
        """Return the releases there are, oldest version first.

        Raises:
            UnreachableError: the repository does not answer.
        """
        done = git(None, ["ls-remote", "--tags", "--refs", "--", self._repository])
        if done.returncode:
            raise self._silent(complaint(done))
        tags = [tag for tag in _REF.findall(done.stdout.decode("utf-8", "replace")) if tag.startswith(self._prefix)]
        found = {tag.removeprefix(self._prefix) for tag in tags}
        return tuple(sorted((name for name in found if versions.may_be(name)), key=versions.order))

    def release(self, name: str) -> Release:
        """Return one release, after the signature of its tag was checked.

        Raises:
            ReleaseError: see `port.ReleaseStore`. UnreachableError: the repository does not answer.
        """
        check_name(name)
        if name not in self.names():
            raise ReleaseError(
                T("There is no release {name}: {path} is missing.", name=name, path=f"{self._prefix}{name}"),
                next_step=T("See which there are: dsi sources list"),
            )
        with self._fetched(name) as repository:
            tag = self._resolved(repository, "tag", name)
            signer = self._signer(repository, tag, name)
            commit = self._resolved(repository, "commit", name)
            archive, sha256 = self._archive(repository, tag, name)
        held = bundle.contents(archive, name)
        origin = f"{self._prefix}{name} {commit[:12]}"
        return Release(name, held.description.title, archive, sha256, signer, origin, held.scripts)

    def text(self, release: Release, file: str) -> str:
        """Return a script of a release, from the archive whose checksum held."""
        return bundle.text_of(release, file)

    @contextmanager
    def _fetched(self, name: str) -> Iterator[Path]:
        """Fetch one tag into a bare repository of its own, so that nothing that was fetched before counts."""
        with self._beside() as folder:
            repository = folder / "repository.git"
            ref = f"refs/tags/{self._prefix}{name}"
            self._git(None, ["init", "--quiet", "--bare", "--template=", str(repository)], name)
            arguments = ["fetch", "--quiet", "--no-tags", "--depth=1", "--", self._repository, f"{ref}:{ref}"]
            done = git(repository, arguments)
            if done.returncode:
                raise self._silent(complaint(done))
            yield repository

    def _resolved(self, repository: Path, kind: str, name: str) -> str:
        done = git(repository, ["rev-parse", "--verify", "--quiet", f"refs/tags/{self._prefix}{name}^{{{kind}}}"])
        if done.returncode:
            # A light tag is a name and no object: it bears no signature.
            raise not_signed(name, complaint(done))
        return done.stdout.decode().strip()

    def _signer(self, repository: Path, tag: str, name: str) -> str:
        """Return who signed a tag, after git checked it, and that it is this release's own."""
        allowed(self._allowed)
        settings = [f"gpg.ssh.allowedSignersFile={self._allowed}", "gpg.minTrustLevel=fully"]
        done = git(repository, ["verify-tag", "--raw", tag], settings=settings)
        said = done.stderr.decode("utf-8", "replace")
        good = _GOOD.findall(said)
        if done.returncode or len(good) != 1:
            raise not_signed(name, complaint(done))
        body = git(repository, ["cat-file", "tag", tag]).stdout.partition(b"\n\n")[0].decode("utf-8", "replace")
        if f"tag {self._prefix}{name}" not in body.splitlines():
            # The signed object of another release under this name.
            raise wrong(name, T("the tag that was signed has another name."))
        return person(good[0], name)

    def _archive(self, repository: Path, tag: str, name: str) -> tuple[Path, str]:
        """Return the archive of a tag with its SHA-256; made once: another git may write it otherwise."""
        known = self._cache / f"{tag}.sha256"
        with suppress(FileNotFoundError):
            sha256 = known.read_text().strip()
            kept = self._cache / f"{sha256}.tar.gz"
            if kept.exists() and bundle.sha256_of(kept, name) == sha256:
                return kept, sha256
        with self._beside() as folder:
            plain, packed = folder / "release.tar", folder / "release.tar.gz"
            with plain.open("wb") as file:
                done = git(repository, ["archive", "--format=tar", f"{tag}^{{commit}}"], stdout=file)
            if done.returncode:
                raise wrong(name, T("git cannot make its archive: {said}.", said=complaint(done)))
            _pack(plain, packed)
            sha256 = bundle.sha256_of(packed, name)
            kept = self._cache / f"{sha256}.tar.gz"
            packed.replace(kept)
            note = folder / "note"
            note.write_text(f"{sha256}\n")
            note.replace(known)
        return kept, sha256

    @contextmanager
    def _beside(self) -> Iterator[Path]:
        try:
            self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = Path(tempfile.mkdtemp(prefix=".work-", dir=self._cache))
        except OSError as error:
            raise _unwritten(self._cache, error) from error
        try:
            yield folder
        except OSError as error:
            raise _unwritten(self._cache, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _git(self, folder: Path | None, arguments: Sequence[str], name: str) -> None:
        done = git(folder, arguments)
        if done.returncode:
            raise wrong(name, T("git refuses: {said}.", said=complaint(done)))

    def _silent(self, said: str) -> UnreachableError:
        return UnreachableError(
            T("The repository of {source} does not answer: {said}.", source=self._source, said=said.rstrip(".")),
            next_step=T("Look at its address in dsi_sources, at the network, and at who may read it."),
        )


def _pack(plain: Path, packed: Path) -> None:
    """Compress a tar without a name and without a moment: the same content, the same bytes (RFC 1952, 2.3)."""
    with plain.open("rb") as content, packed.open("wb") as raw:
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as file:
            shutil.copyfileobj(content, file)
        raw.flush()
        os.fsync(raw.fileno())


def _unwritten(path: Path, error: OSError) -> StorageError:
    return StorageError(T("{path} cannot be written: {reason}.", path=str(path), reason=reason_of(error)))
