"""The lab's daemons: started in a namespace, known by a record of their own, ended without touching anybody else's.

A record is the daemon's line of /proc/PID/stat, written by the daemon's own process before it becomes the daemon, so
that a start killed at any moment leaves no daemon without a record. A process number alone proves nothing, because
numbers are reused: the start time in the record must agree too.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock
from dsi_automation.lab.system import run

# Becomes the daemon by two execs (this shell's and that of `ip netns exec`): same process, same start time.
LAUNCHER: Final = 'cat /proc/$$/stat >"$0.new" && mv "$0.new" "$0" && exec "$@" </dev/null'
MARK: Final = "DSI_LAB_DAEMON"
"""Environment variable that children of a daemon inherit: Samba's file server and winbindd leave its session."""
GRACE: Final = 5.0
"""Seconds a daemon gets to end by itself."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What identifies a process: number, session, start in clock ticks since boot, and whether it is dead."""

    pid: int
    session: int
    started: int
    zombie: bool


@dataclass(frozen=True, slots=True)
class Daemon:
    """One daemon of the lab.

    Attributes:
        name: its name: the record's and the log's.
        namespace: the network namespace it lives in.
        run_dir: where the record is.
        log: where its output goes.
    """

    name: str
    namespace: str
    run_dir: Path
    log: Path

    @property
    def record(self) -> Path:
        """The file that identifies the running daemon."""
        return self.run_dir / f"{self.name}.pid"

    def start(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the daemon in its namespace, in a session of its own."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # The launcher's standard input is a pipe that it lets go once the record is written.
        reader, writer = os.pipe()
        with self.log.open("ab") as output, os.fdopen(reader, "rb") as recorded, os.fdopen(writer, "wb") as held:
            child = subprocess.Popen(
                ["/bin/sh", "-c", LAUNCHER, str(self.record), "ip", "netns", "exec", self.namespace, *argv],
                stdin=held,
                stdout=output,
                stderr=output,
                env={**env, MARK: self._mark},
                cwd="/",
                start_new_session=True,
            )
            held.close()
            recorded.read()
        # It outlives this process on purpose, so nobody waits for it; the record is how it is found again.
        child.returncode = 0

    def needs_start(self, clock: Clock) -> bool:
        """Tell whether the daemon must be started; what a leader killed by hand left behind is ended then.

        Children of a dead leader hold its ports.
        """
        if self.pid() is not None:
            return False
        self.stop(clock)
        return True

    def pid(self) -> int | None:
        """Return the process number of the running daemon, or None."""
        recorded = _read(self.record)
        if recorded is None:
            return None
        now = _read(Path(f"/proc/{recorded.pid}/stat"))
        if now is None or now.zombie or now.started != recorded.started:
            return None
        return now.pid

    @property
    def _mark(self) -> str:
        return str(self.record)

    def members(self) -> list[int]:
        """Return every process of the daemon: in its namespace, in its session or in one that its children began."""
        stats = {pid: stat for pid in pids_in(self.namespace) if (stat := _read(Path(f"/proc/{pid}/stat")))}
        recorded = _read(self.record)
        sessions = {recorded.session} if recorded else set()
        mark = f"{MARK}={self._mark}".encode()
        sessions |= {stat.session for pid, stat in stats.items() if mark in _environment(pid)}
        return [pid for pid, stat in stats.items() if stat.session in sessions and not stat.zombie]

    def stop(self, clock: Clock) -> bool:
        """End the daemon and its children, politely and then surely.

        Returns:
            Whether anything ran.
        """
        leader = self.pid()
        members = set(self.members()) | ({leader} if leader else set())
        if members:
            _signal(members, signal.SIGTERM)
            self._wait(clock, members)
            while members := set(self.members()):
                _signal(members, signal.SIGKILL)
                clock.sleep(0.02)
            found = True
        else:
            found = False
        self.record.unlink(missing_ok=True)
        return found

    def _wait(self, clock: Clock, members: set[int]) -> None:
        until = clock.monotonic() + GRACE
        while clock.monotonic() < until and any(_alive(pid) for pid in members):
            clock.sleep(0.05)


def pids_in(namespace: str) -> list[int]:
    """Return the processes in a network namespace; none when it does not exist."""
    if not Path("/run/netns", namespace).exists():
        return []
    return [int(pid) for pid in run(["ip", "netns", "pids", namespace]).split()]


def pids_by_namespace(namespaces: Collection[str]) -> dict[str, list[int]]:
    """Return the processes in each of these network namespaces, by one look at all processes."""
    places = {_place(Path("/run/netns", name)): name for name in namespaces}
    places.pop(None, None)
    found: dict[str, list[int]] = {name: [] for name in namespaces}
    for entry in Path("/proc").iterdir():
        place = _place(entry / "ns" / "net") if places and entry.name.isdigit() else None
        if place in places:
            found[places[place]].append(int(entry.name))
    return found


def end_all(namespaces: Collection[str]) -> bool:
    """End every process in these namespaces at once, as a power cut does; returns when none is left.

    Returns:
        Whether there was any.
    """
    found = False
    while pids := {pid for members in pids_by_namespace(namespaces).values() for pid in members}:
        found = True
        _signal(pids, signal.SIGKILL)
        _wait_for_end(pids)
    return found


def _wait_for_end(pids: set[int]) -> None:
    """Return once none of these runs: a dead process shows itself readable (pidfd_open(2)), whoever its parent is."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                select.select([descriptor], [], [], GRACE)
            finally:
                os.close(descriptor)


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _alive(pid: int) -> bool:
    stat = _read(Path(f"/proc/{pid}/stat"))
    return stat is not None and not stat.zombie


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _read(path: Path) -> Stat | None:
    """Return a line of /proc/PID/stat (proc(5)); the command in brackets may hold anything, brackets too."""
    try:
        line = path.read_text(errors="replace")
        rest = line[line.rindex(")") + 2 :].split()
        return Stat(int(line.split(" ", 1)[0]), int(rest[3]), int(rest[19]), rest[0] in "ZX")
    except (OSError, ValueError, IndexError):
        return None
