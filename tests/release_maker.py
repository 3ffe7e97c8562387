"""Makes releases as whoever makes releases does: archives signed with ssh-keygen, tags signed with git."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

FILES: Mapping[str, str] = {
    "release.yml": (
        "version: 1.4.0\n"
        "title: Circuits de contrôle\n"
        "scripts:\n"
        "  - file: sql/010_circuits.sql\n"
        "    undo: sql/010_circuits.undo.sql\n"
        "  - file: sql/020_tarif.sql\n"
    ),
    "sql/010_circuits.sql": "CREATE TABLE circuit (code text);\n",
    "sql/010_circuits.undo.sql": "DROP TABLE circuit;\n",
    "sql/020_tarif.sql": "UPDATE tarif SET taux = 5;\n",
    "webapp/index.html": "<html>1.4.0</html>\n",
}


def member(name: str, **more: object) -> tarfile.TarInfo:
    """Return the head of a member, with what is special about it."""
    made = tarfile.TarInfo(name)
    made.mode = 0o644
    for key, value in more.items():
        setattr(made, key, value)
    return made


class Signer:
    """A key of ssh-keygen, and the file of allowed signers that names it."""

    def __init__(self, folder: Path, principal: str = "bpda@douanes.example", options: str = "") -> None:
        self.folder = folder
        self.key = folder / "signer"
        if not self.key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.key)], check=True)
        self.allowed = folder / "allowed_signers"
        self.allow(principal, options)

    def allow(self, principal: str, options: str = "") -> None:
        public = " ".join(self.key.with_suffix(".pub").read_text().split()[:2])
        self.allowed.write_text(f"{' '.join(part for part in (principal, options, public) if part)}\n")

    def sign(self, archive: Path, namespace: str = "dsi-release") -> None:
        archive.with_name(archive.name + ".sig").unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.key), str(archive)],
            check=True,
            capture_output=True,
        )


def archive(
    path: Path,
    files: Mapping[str, str] = FILES,
    special: Sequence[tarfile.TarInfo] = (),
    *,
    signer: Signer | None = None,
) -> Path:
    """Make an archive with its checksum, and its signature where somebody signs."""
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            content = text.encode()
            packed.addfile(member(name, size=len(content)), io.BytesIO(content))
        for one in special:
            packed.addfile(one)
    checksum(path)
    if signer is not None:
        signer.sign(path)
    return path


def checksum(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")


class Repository:
    """A git repository whose tags are signed with an SSH key."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self.folder, self.signer = folder, signer
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        settings = {"gpg.format": "ssh", "user.signingkey": f"{self.signer.key}.pub", "user.name": "BPDA"}
        settings |= {"user.email": "bpda@douanes.example", "commit.gpgsign": "false"}
        chosen = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *chosen, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env={**clean, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str] = FILES) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "A release")

    def tag(self, name: str, *, signed: bool = True) -> None:
        self.git("tag", "--force", "-s" if signed else "-a", name, "-m", name)
