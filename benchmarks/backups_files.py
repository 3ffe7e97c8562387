"""Backups of files: `server.backup` through gate and journal, and restic alone, on the same data behind one sshd."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.backups_house import Office, Server, Spent, Took, act, bare, folder, made
from benchmarks.results import Effort, Row, Samples, paired
from dsi_automation.connectors.backups import manifest
from dsi_automation.connectors.ssh.port import Shell

WITH_MANIFEST: Final = 1.25
ORCHESTRATION: Final = 1.05
RERUN: Final = 1.10
TEXT_SHARE: Final = 0.6
RERUNS: Final = 3
"""Re-runs with nothing changed after each first backup; never more than there are first backups."""


@dataclass(slots=True)
class Takes:
    """Takes of one kind of work."""

    wall: Samples = field(default_factory=Samples)
    cpu: Samples = field(default_factory=Samples)

    def add(self, took: Took) -> None:
        """Take one more."""
        self.wall.add(took.wall)
        self.cpu.add(took.cpu)


@dataclass(slots=True)
class _Found:
    """Takes of everything that is compared."""

    bare: Takes = field(default_factory=Takes)
    whole: Takes = field(default_factory=Takes)
    plain: Takes = field(default_factory=Takes)
    again: Takes = field(default_factory=Takes)
    again_bare: Takes = field(default_factory=Takes)
    again_act: Samples = field(default_factory=Samples)
    parts: dict[str, Samples] = field(default_factory=dict)


def measure(effort: Effort) -> Sequence[Row]:
    """Take both sides in turn, and the order of the two in turn, too."""
    found = _Found()
    with folder() as home:
        data, size, files = home / "srv", effort.backup_mb * 10**6, effort.backup_files
        make_data(data, size, files)
        server = Server(home / "sshd")
        try:
            if effort.backup_takes > 1:
                _warm_up(home / "warm", server)
            for number in range(effort.backup_takes):
                reruns = min(RERUNS, effort.backup_takes)
                _take(home / f"take{number}", server, data, found, number, reruns)
        finally:
            server.close()
        told = f"{files} files, {size / 1e9:g} GB"
    return _rows(found, told)


def _take(home: Path, server: Server, data: Path, found: _Found, number: int, reruns: int) -> None:
    home.mkdir()
    alone = _Alone(home / "alone", server, data)
    with _office(home / "whole", server, data) as whole, _office(home / "plain", server, data) as plain:

        def ours() -> None:
            took, _ = whole.run("server.backup", server)
            found.whole.add(took)

        def without() -> None:
            with no_manifest():
                took, _ = plain.run("server.backup", server)
            found.plain.add(took)

        def theirs() -> None:
            found.bare.add(alone.first())

        for work in turned((theirs, ours, without), number):
            work()
        for again in range(reruns):

            def ours_again() -> None:
                took, run = whole.run("server.backup", server)
                found.again.add(took)
                found.again_act.add(act(run))
                for name, seconds in made(run)["phases"].items():
                    found.parts.setdefault(name, Samples()).add(seconds)

            def theirs_again() -> None:
                found.again_bare.add(alone.again())

            for work in turned((theirs_again, ours_again), again):
                work()
    shutil.rmtree(home)


def _warm_up(home: Path, server: Server) -> None:
    """Run once on next to nothing: what a process imports once belongs to no backup."""
    make_data(home / "srv", 1000, 2)
    with _office(home / "office", server, home / "srv") as office:
        office.run("server.backup", server)
    shutil.rmtree(home)


class _Alone:
    """restic typed over ssh: nothing but what makes the snapshot."""

    def __init__(self, home: Path, server: Server, data: Path) -> None:
        home.mkdir()
        (home / "password").write_text("benchmark 7F3K2Q1")
        self._server = server
        options = f"-o sftp.command='{server.sftp_command}' --cache-dir {home}/cache"
        head = f"RESTIC_PASSWORD_FILE={home}/password RESTIC_REPOSITORY=sftp:root@127.0.0.1:{home}/repository restic"
        self._init = f"{head} {options} init"
        self._backup = f"{head} {options} backup --json {data}"

    def first(self) -> Took:
        """Make the repository and the first snapshot, in one login."""
        return self._ran(f"{self._init} && {self._backup}")

    def again(self) -> Took:
        """Make another snapshot."""
        return self._ran(self._backup)

    def _ran(self, command: str) -> Took:
        spent = Spent(self._server)
        bare([*self._server.ssh, command])
        return spent.took()


@contextmanager
def _office(home: Path, server: Server, data: Path) -> Generator[Office]:
    repository = {
        "url": f"sftp:root@127.0.0.1:{home}/repository",
        "read_url": f"{home}/repository",
        "password": {"file": f"{home}/password"},
        "sftp_command": server.sftp_command,
    }
    backup = {"kind": "files", "host": "srv1", "paths": [str(data)]}
    host = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": server.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(server.key),
        "dsi_ssh_known_hosts": str(server.known_hosts),
    }
    # Hashes are kept on the server by the backup's name: another name knows none of them.
    name = f"bench-{os.getpid()}-{home.parent.name}-{home.name}"
    office = Office(home, name, {"repository": repository, "backup": backup}, {"srv1": host})
    try:
        yield office
    finally:
        office.close()


@contextmanager
def no_manifest() -> Generator[None]:
    """Leave the manifest out: what is left is what gate, journal and driver add to the engine."""
    take = manifest.take

    def nothing(shell: Shell, order: manifest.Order, to: Path, *, timeout: float | None = None) -> manifest.Manifest:
        del shell, timeout
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(b"")
        numbers = manifest.Numbers(len(order.paths), 1, 0)
        return manifest.Manifest(to, manifest.sha256(to), numbers)

    manifest.take = nothing
    try:
        yield
    finally:
        manifest.take = take


def make_data(place: Path, size: int, files: int) -> None:
    """Write files of mixed sizes, most of them small: three fifths of the bytes text, the others random."""
    chance = random.Random(19)
    words = ["".join(chance.choices("aeioulnrstmdpc", k=chance.randint(2, 11))) for _ in range(4000)]
    pool = " ".join(chance.choices(words, k=700_000)).encode()
    weights = [chance.paretovariate(1.2) for _ in range(files)]
    scale = size / sum(weights)
    for number, weight in enumerate(weights):
        path = place / f"d{number // 100:03}" / f"f{number:06}"
        path.parent.mkdir(parents=True, exist_ok=True)
        length = max(1, int(weight * scale))
        with path.open("wb") as file:
            while length > 0:
                part = min(length, 1 << 20)
                start = chance.randrange(max(1, len(pool) - part))
                file.write(pool[start : start + part] if chance.random() < TEXT_SHARE else chance.randbytes(part))
                length -= part


def turned(works: Sequence[Callable[[], None]], number: int) -> Sequence[Callable[[], None]]:
    """Return them in another order each time: the first finds other caches than the last."""
    start = number % len(works)
    return [*works[start:], *works[:start]]


def _rows(found: _Found, told: str) -> list[Row]:
    parts = ", ".join(f"{name} {median(samples.values):.2f}" for name, samples in found.parts.items())
    return [
        paired("first", f"wall, `run` of server.backup / restic init and backup, {told}", found.whole.wall,
               found.bare.wall, limit=WITH_MANIFEST),
        paired("first_plain", "wall, the same with no manifest made / the same: orchestration", found.plain.wall,
               found.bare.wall, limit=ORCHESTRATION),
        paired("first_cpu", "CPU, `run` of server.backup / restic init and backup", found.whole.cpu, found.bare.cpu),
        paired("first_plain_cpu", "CPU, the same with no manifest made / the same", found.plain.cpu, found.bare.cpu),
        paired("again_act", "wall, nothing changed: making the set, manifest and all / restic backup",
               found.again_act, found.again_bare.wall, limit=RERUN),
        paired("again", "wall, nothing changed: whole `run`, two looks included / restic backup", found.again.wall,
               found.again_bare.wall),
        paired("again_cpu", "CPU, nothing changed: whole `run` / restic backup", found.again.cpu, found.again_bare.cpu),
        found.bare.wall.row("first_bare_wall", "restic init and backup over ssh, wall", "s"),
        found.whole.wall.row("first_wall", "`run` of server.backup, new repository, wall", "s"),
        found.plain.wall.row("first_plain_wall", "the same with no manifest made, wall", "s"),
        found.bare.cpu.row("first_bare_cpu", "restic init and backup over ssh, CPU of both ends", "s"),
        found.whole.cpu.row("first_cpu_s", "`run` of server.backup, new repository, CPU of both ends", "s"),
        found.again_bare.wall.row("again_bare_wall", "nothing changed: restic backup over ssh, wall", "s"),
        found.again_act.row("again_act_wall", f"nothing changed: making the set ({parts}), wall", "s"),
        found.again.wall.row("again_wall", "nothing changed: whole `run`, wall", "s"),
    ]  # fmt: skip
