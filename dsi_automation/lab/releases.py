"""Releases of the lab's SYDAM World: built from its sources, packed, with their checksums and signatures.

What they look like is described in `connectors/releases/port.py`.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from dsi_automation.lab.sshd import ensure_key
from dsi_automation.lab.system import run
from dsi_automation.lab.tomcat import compile_classes

SOURCE: Final = "sydam-world"
NAMESPACE: Final = "dsi-release"
"""What the signature is for (ssh-keygen(1), -Y sign -n)."""
SIGNER: Final = "integration@douanes.lab"
FIRST: Final = "1.4.0"
NEXT: Final = "1.5.0"
BROKEN: Final = "1.5.1"
WHEN: Final = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""Modification time of every file of a release: the same sources give the same archive."""


@dataclass(frozen=True, slots=True)
class ReleaseScript:
    """One database script of a release, and what takes it back; None when nothing does."""

    name: str
    text: str
    undo: str | None = None


OBSERVATION: Final = ReleaseScript(
    "010_observation",
    "ALTER TABLE declarations ADD COLUMN observation text;\n"
    "UPDATE declarations SET observation = 'Reprise' WHERE numero <= 10;\n",
    undo="ALTER TABLE declarations DROP COLUMN observation;\n",
)


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What a release is to be.

    Attributes:
        version: its name.
        observations: its pages show the column that the script of 1.5.0 adds, and fail without it.
        broken: the page that answers 500: `/connexion`; empty for a sound release.
        scripts: in order.
    """

    version: str
    title: str = "SYDAM World"
    observations: bool = False
    broken: str = ""
    scripts: tuple[ReleaseScript, ...] = ()


PLANS: Final = (
    ReleasePlan(FIRST, "Version de référence"),
    ReleasePlan(NEXT, "Observations sur les déclarations", observations=True, scripts=(OBSERVATION,)),
    ReleasePlan(BROKEN, "Correctif de la connexion", observations=True, broken="/connexion", scripts=(OBSERVATION,)),
)


@dataclass(frozen=True)
class ReleaseMaker:
    """Makes releases in a folder, and signs them with a key of its own.

    Attributes:
        folder: where they go.
        key_dir: where the signer's key and the file of allowed signers are.
        class_dir: where the compiled classes are kept: all releases share them.
    """

    folder: Path
    key_dir: Path
    class_dir: Path

    @property
    def key(self) -> Path:
        """The signer's private key."""
        return self.key_dir / "integration"

    @property
    def allowed_signers(self) -> Path:
        """Who may sign releases (ssh-keygen(1), ALLOWED SIGNERS)."""
        return self.key_dir / "allowed_signers"

    def archive(self, version: str) -> Path:
        """Return the path of a release's archive."""
        return self.folder / f"{SOURCE}-{version}.tar.gz"

    def ensure(self) -> bool:
        """Make the lab's releases, unless they are there.

        Returns:
            Whether any was made.
        """
        made = self._ensure_signer()
        for plan in PLANS:
            # The signature is written last.
            if not self.signature(plan.version).exists():
                self.make(plan)
                made = True
        return made

    def signature(self, version: str) -> Path:
        """Return the path of a release's signature."""
        return self.archive(version).with_name(self.archive(version).name + ".sig")

    def checksum(self, version: str) -> Path:
        """Return the path of a release's checksum."""
        return self.archive(version).with_name(self.archive(version).name + ".sha256")

    def make(self, plan: ReleasePlan, *, signed: bool = True) -> Path:
        """Build, pack, checksum and sign a release; one of that version is replaced.

        Args:
            plan: what it is.
            signed: false for one that nobody signed.

        Returns:
            Its archive.
        """
        self._ensure_signer()
        self.folder.mkdir(parents=True, exist_ok=True)
        archive, signature = self.archive(plan.version), self.signature(plan.version)
        signature.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as room:
            tree = Path(room, f"{SOURCE}-{plan.version}")
            self.build(plan, tree)
            packed = Path(room, archive.name)
            pack(tree, packed)
            packed.rename(archive)
        self.write_checksum(plan.version)
        if signed:
            self.sign(plan.version)
        return archive

    def build(self, plan: ReleasePlan, tree: Path) -> None:
        """Write the files of a release, as they are deployed."""
        source = files("dsi_automation.lab") / "sydam_app" / "sydam"
        web = tree / "sydam"
        shutil.copytree(str(source), web)
        shutil.copytree(self._classes(), web / "WEB-INF" / "classes")
        settings = {
            "version": plan.version,
            "observations": str(plan.observations).lower(),
            "broken": plan.broken,
        }
        lines = "".join(f"{key}={value}\n" for key, value in settings.items())
        (web / "WEB-INF" / "classes" / "version.properties").write_text(lines, encoding="utf-8")
        _write_scripts(tree, plan.scripts)
        (tree / "release.yml").write_text(_description(plan), encoding="utf-8")

    def write_checksum(self, version: str) -> None:
        """Write the checksum of a release as sha256sum does."""
        archive = self.archive(version)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        self.checksum(version).write_text(f"{digest}  {archive.name}\n")

    def sign(self, version: str, key: Path | None = None) -> None:
        """Sign a release, with the signer's key or another."""
        signature = self.signature(version)
        signature.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-Y", "sign", "-f", str(key or self.key), "-n", NAMESPACE, str(self.archive(version))])

    def _classes(self) -> Path:
        if not self.class_dir.exists():
            self.class_dir.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.class_dir.parent) as room:
                compiled = Path(room, "classes")
                compiled.mkdir()
                compile_classes(compiled)
                compiled.rename(self.class_dir)
        return self.class_dir

    def _ensure_signer(self) -> bool:
        made = ensure_key(self.key, SIGNER)
        public = self.key.with_name(self.key.name + ".pub").read_text().split()[:2]
        self.allowed_signers.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {" ".join(public)}\n')
        return made


def pack(tree: Path, archive: Path) -> None:
    """Pack what is in a folder: the same content gives the same bytes, whoever packs it and when."""
    import gzip

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as packed:
        for path in sorted(tree.rglob("*")):
            packed.add(path, str(path.relative_to(tree)), recursive=False, filter=_anonymous)
    with archive.open("wb") as target, gzip.GzipFile("", "wb", 6, target, mtime=WHEN) as squeezed:
        squeezed.write(content.getvalue())


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = WHEN
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def _write_scripts(tree: Path, scripts: Sequence[ReleaseScript]) -> None:
    if scripts:
        (tree / "sql").mkdir()
    for script in scripts:
        (tree / "sql" / f"{script.name}.sql").write_text(script.text, encoding="utf-8")
        if script.undo is not None:
            (tree / "sql" / f"{script.name}.undo.sql").write_text(script.undo, encoding="utf-8")


def _description(plan: ReleasePlan) -> str:
    import yaml

    scripts = [
        {"file": f"sql/{script.name}.sql"} | ({"undo": f"sql/{script.name}.undo.sql"} if script.undo else {})
        for script in plan.scripts
    ]
    described = {"version": plan.version, "title": plan.title, "scripts": scripts}
    return yaml.safe_dump(described, allow_unicode=True, sort_keys=False)
