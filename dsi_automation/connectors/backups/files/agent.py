"""The manifest agent: run on the server, from its standard input, by any Python from 3.6 on; standard library only.

It walks what is backed up as restic does, hashes files in threads while restic reads them, waits until restic has
ended, looks again at everything, and prints the manifest: gzip'ed JSON lines. Hashes of files that have not
changed since the last manifest (size, mtime, ctime, inode) are taken from a cache file on the server.

What it is told is put before it as `ORDER = "..."`, JSON. What it cannot do goes to stderr, as JSON lines.
"""

# Python 3.6, and names that are not UTF-8:
# ruff: noqa: PTH103, PTH105, PTH108, PTH110, PTH115, PTH120, PTH123, PTH208, UP031, RUF005, SIM117
import gzip
import hashlib
import json
import os
import re
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOCK = 1 << 20


def component(pattern: str) -> str:
    """Translate one part of a pattern as Go's filepath.Match reads it."""
    out, i = "", 0
    while i < len(pattern):
        letter = pattern[i]
        if letter == "*":
            out += "[^/]*"
        elif letter == "?":
            out += "[^/]"
        elif letter == "\\" and i + 1 < len(pattern):
            i += 1
            out += re.escape(pattern[i])
        elif letter == "[" and "]" in pattern[i + 2 :]:
            end = pattern.index("]", i + 2)
            inside = pattern[i + 1 : end]
            negated = inside.startswith("^")
            inside = inside[1:] if negated else inside
            out += "[" + ("^" if negated else "") + inside.replace("[", "\\[") + "]"
            i = end
        else:
            out += re.escape(letter)
        i += 1
    return out


def matcher(patterns: "Sequence[str]") -> "Callable[[str], object]":
    """Return a function that tells whether restic leaves a path out: `**` is any number of folders."""
    every = []
    for pattern in patterns:
        clean = pattern.rstrip("/") or "/"
        parts = [part for part in clean.split("/") if part]
        rule = "".join("(?:/[^/]+)*" if part == "**" else "/" + component(part) for part in parts)
        every.append(("" if clean.startswith("/") else "(?:/[^/]+)*") + rule)
    if not every:
        return lambda _: False
    return re.compile("(?:" + "|".join(every) + r")\Z", re.DOTALL).match


def identity(info: os.stat_result) -> "list[int]":
    """Return what tells a changed file from an unchanged one."""
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino]


def kind(mode: int) -> str:
    """Return restic's word for a type of file."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    return "symlink" if stat.S_ISLNK(mode) else "other"


def complain(path: str, error: OSError) -> None:
    """Tell what could not be read."""
    sys.stderr.write(json.dumps({"path": path, "error": getattr(error, "strerror", None) or str(error)}) + "\n")


class Agent:
    """One manifest being made."""

    def __init__(self, order: "dict[str, Any]") -> None:
        """Take the order: paths, exclude, one_file_system, cache, stop, threads."""
        self.order = order
        self.excluded = matcher(order.get("exclude", ()))
        self.known = self.load()
        self.entries = []  # type: list[tuple[dict[str, Any], list[int]]]
        self.todo = []  # type: list[tuple[dict[str, Any], os.stat_result]]
        self.lock = threading.Lock()

    def load(self) -> "dict[str, list[Any]]":
        """Return the hashes of the last manifest, by path; none when they cannot be read."""
        try:
            with gzip.open(self.order["cache"], "rt", encoding="ascii") as file:
                return {entry[0]: entry for entry in map(json.loads, file)}
        except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError):
            return {}

    def walk(self, path: str, device: "int | None") -> None:
        """Add an entry, and everything below it."""
        pending = [(path, device)]
        while pending:
            path, device = pending.pop()
            try:
                info = os.lstat(path)
                entry = {"path": path, "type": kind(info.st_mode), "mode": info.st_mode, "mtime_ns": info.st_mtime_ns}
                self.entries.append((entry, identity(info)))
                if entry["type"] == "file":
                    self.file(entry, info)
                elif entry["type"] == "symlink":
                    entry["target"] = os.readlink(path)
                elif entry["type"] == "dir" and (device is None or info.st_dev == device):
                    for name in os.listdir(path):
                        below = path.rstrip("/") + "/" + name
                        if not self.excluded(below):
                            pending.append((below, device))
            except OSError as error:
                complain(path, error)

    def file(self, entry: "dict[str, Any]", info: os.stat_result) -> None:
        """Take a file's hash from the last manifest, or have it computed."""
        entry["size"] = info.st_size
        known = self.known.get(entry["path"])
        if known is not None and known[1:5] == identity(info):
            entry["sha256"] = known[5]
            entry["reused"] = True
        else:
            self.todo.append((entry, info))

    def hash_all(self) -> None:
        """Compute what has to be computed, in threads: hashlib lets go of Python's lock."""
        threads = [threading.Thread(target=self.work) for _ in range(self.order.get("threads") or os.cpu_count() or 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(self) -> None:
        """Hash files until none is left."""
        buffer = bytearray(BLOCK)
        while True:
            with self.lock:
                # The controller gives up by making another file: nobody wants the rest.
                if not self.todo or self.given_up():
                    return
                entry, info = self.todo.pop()
            try:
                self.hash_one(entry, info, buffer)
            except OSError as error:
                complain(entry["path"], error)
                entry["changed"] = True

    def hash_one(self, entry: "dict[str, Any]", info: os.stat_result, buffer: bytearray) -> None:
        """Hash one file; one that is another than the walk saw is marked."""
        digest, view = hashlib.sha256(), memoryview(buffer)
        descriptor = os.open(entry["path"], os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            before = identity(os.fstat(descriptor))
            while True:
                count = file.readinto(buffer)
                if not count:
                    break
                digest.update(view[:count])
        entry["sha256"] = digest.hexdigest()
        if before != identity(info):
            entry["changed"] = True

    def given_up(self) -> bool:
        """Tell whether the backup failed, so that no manifest is needed."""
        stop = self.order.get("stop")
        return stop is not None and os.path.exists(stop + ".failed")

    def wait(self) -> None:
        """Wait until restic has ended: the controller makes a file then."""
        stop = self.order.get("stop")
        while stop and not os.path.exists(stop):
            if self.given_up():
                os.unlink(stop + ".failed")
                sys.exit(3)
            time.sleep(0.01)
        if stop:
            os.unlink(stop)

    def settle(self) -> bool:
        """Mark what is no more as it was when it was hashed; tell whether there was any."""
        moved = False
        for entry, before in self.entries:
            try:
                now = identity(os.lstat(entry["path"]))
            except OSError:
                now = []
            if now != before:
                entry["changed"] = moved = True
        return moved

    def packed(self) -> bytes:
        """Return the manifest: gzip'ed JSON lines."""
        lines = [json.dumps(entry, sort_keys=True, separators=(",", ":")) for entry, _ in self.entries]
        return gzip.compress("".join(line + "\n" for line in lines).encode("ascii"), 1)

    def summary(self) -> str:
        """Return what there is, in numbers, so that nobody has to unpack the manifest for them."""
        files = [entry for entry, _ in self.entries if entry["type"] == "file"]
        size, changed = sum(entry["size"] for entry in files), sum("changed" in entry for entry in files)
        return json.dumps({"files": len(files), "size": size, "changed": changed})

    def keep(self) -> None:
        """Write the cache file, whole or not at all; it is only ever a shortcut."""
        cache = self.order.get("cache")
        if not cache or (not any("sha256" in e and "reused" not in e for e, _ in self.entries) and self.same()):
            return
        beside = "%s.%d" % (cache, os.getpid())
        try:
            os.makedirs(os.path.dirname(cache), mode=0o700, exist_ok=True)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
                    for entry, state in self.entries:
                        if "sha256" in entry and "changed" not in entry:
                            line = json.dumps([entry["path"]] + state + [entry["sha256"]])
                            packed.write((line + "\n").encode("ascii"))
            os.replace(beside, cache)
        except OSError as error:
            complain(cache, error)

    def same(self) -> bool:
        """Tell whether the cache holds these files already, and no others."""
        return len(self.known) == sum("sha256" in entry for entry, _ in self.entries)

    def run(self) -> None:
        """Make the manifest, behind restic: what takes the processor from it makes the backup longer."""
        if hasattr(os, "nice"):
            os.nice(10)
        for path in self.order["paths"]:
            device = os.lstat(path).st_dev if self.order.get("one_file_system") else None
            self.walk(path, device)
        self.hash_all()
        # All that can be done before restic has ended is done by then.
        self.entries.sort(key=lambda item: item[0]["path"])
        self.keep()
        ready = self.packed()
        self.wait()
        if self.settle():
            ready = self.packed()
        sys.stdout.buffer.write(ready)
        sys.stdout.buffer.flush()
        sys.stderr.write(self.summary() + "\n")


if __name__ == "__main__":
    Agent(json.loads(globals()["ORDER"])).run()
