"""restic run on a machine: its commands as methods, its failures as errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from dsi_automation.connectors.backups.errors import BackupFailedError, DamagedBackupError, NoRepositoryError
from dsi_automation.connectors.backups.restic import answers, failures, version
from dsi_automation.connectors.backups.restic.failures import IncompleteError, LockedError, failure, spoken
from dsi_automation.connectors.backups.restic.model import Checked, Lock, Node, Place, Stored, Summary, Wanted
from dsi_automation.connectors.backups.settings import RepositorySettings
from dsi_automation.connectors.ssh.port import Finished, Program, Shell
from dsi_automation.core.text import T

SHORT: Final = 300.0
"""Seconds for what reads a few small files of the repository."""

DEAD_AFTER: Final = timedelta(hours=24)
"""restic renews a lock every 5 minutes; one this old is of no living process, whatever clock is wrong by hours."""

type Told = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


class Restic:
    """restic on one machine, for one repository. Opens nothing until a method is called."""

    def __init__(self, place: Place, shell: Shell, *, peers: Sequence[Restic] = ()) -> None:
        """Use `place` through `shell`; `peers` can tell whether locks of their machines are of dead processes."""
        self.place = place
        self.shell = shell
        self.peers = tuple(peers)

    def version(self) -> version.Version:
        """Return which restic this is.

        Raises:
            VersionError: older than 0.14, or not restic.
        """
        return version.parse(self._start(["version"], timeout=60.0, opens=False).text, self.shell.name)

    require = version

    def identity(self) -> str | None:
        """Return the repository's identifier; None when there is none.

        Raises:
            WrongKeyError: the password does not open it. DamagedBackupError, TransientError: it cannot be read.
        """
        try:
            finished = self._succeed(self._start(["cat", "config"], lock=False))
        except NoRepositoryError:
            return None
        return str(self._json(finished)["id"])

    def initialise(self, like: Restic | None = None) -> str:
        """Make the repository unless it is there; with `like`, so that copies from that one share their chunks."""
        words = ["init"] if like is None else ["init", "--copy-chunker-params"]
        finished = self._start(words, source=like)
        # restic changes nothing where a repository is; whoever made it, what counts is that it opens.
        made = self.identity()
        if made is None:
            raise failure(finished, self.shell.name, self.place.url)
        return made

    def snapshots(self, ids: Sequence[str] = (), tags: Sequence[str] = ()) -> tuple[Stored, ...]:
        """Return the snapshots there are; with `ids` or `tags` those only."""
        words = ["snapshots", "--json", "--no-lock"]
        if tags:
            words += ["--tag", ",".join(tags)]
        finished = self._succeed(self._start(words))
        every = [answers.stored(item) for item in self._json(finished) or ()]
        return tuple(item for item in every if not ids or any(item.id.startswith(known) for known in ids))

    def back_up(self, wanted: Wanted, told: Told | None = None, ended: Callable[[], object] | None = None) -> Summary:
        """Make a snapshot; `ended` is called when it is whole, before its names are asked for.

        Raises:
            IncompleteError: something could not be read: the snapshot was removed again and does not count.
            TransientError, WrongKeyError, NoRepositoryError, DamagedBackupError, BackupFailedError: see there.
        """
        summary: dict[str, Any] = {}

        def line(text: str) -> None:
            message = _message(text)
            if message.get("message_type") == "status" and told is not None:
                told(int(message.get("bytes_done", 0)), int(message.get("total_bytes", 0)))
            elif message.get("message_type") == "summary":
                summary.update(message)

        finished = self._start(_backup_words(wanted), on_line=line, timeout=wanted.timeout)
        missing = "does not exist, skipping" in spoken(finished)
        if finished.status == failures.INCOMPLETE or (finished.status == 0 and missing):
            self._remove_incomplete(wanted, summary)
            raise IncompleteError(
                T("restic on {host} could not read all of the source.", host=self.shell.name),
                on=self.shell.name,
                meaning=T("A backup with holes is none: what was made of it was removed again."),
                next_step=T("See to the files it names: rights, disk, paths in the plan."),
                detail={"restic": spoken(finished)[-2000:]},
            )
        self._succeed(finished)
        if not summary.get("snapshot_id"):
            raise BackupFailedError(
                T("restic on {host} ended without naming a snapshot.", host=self.shell.name), on=self.shell.name
            )
        if ended is not None:
            ended()
        repository, whole = self._whole(str(summary["snapshot_id"]))
        return Summary(
            whole,
            repository,
            int(summary.get("total_files_processed", 0)),
            int(summary.get("total_bytes_processed", 0)),
            int(summary.get("data_added_packed", summary.get("data_added", 0))),
        )

    def check(self, part: str | None = None, timeout: float | None = None) -> Checked:
        """Check the repository's structure, and read its data: `all`, or a part such as `3/20`.

        Raises:
            TransientError: nothing can be said: locked, not reached. WrongKeyError, NoRepositoryError: see there.
        """
        words = ["check"]
        if part is not None:
            words.append("--read-data" if part == "all" else f"--read-data-subset={part}")
        finished = self._start(words, timeout=timeout)
        if finished.status == 0:
            return Checked(ok=True, complaint="")
        error = failure(finished, self.shell.name, self.place.url)
        said = spoken(finished)
        # "Fatal: repository contains errors" is its verdict; anything else that is fatal is not about the data.
        if isinstance(error, DamagedBackupError) or "contains errors" in said:
            return Checked(ok=False, complaint=said[-2000:])
        raise error

    def restore(
        self,
        snapshot: str,
        target: str,
        *,
        include: Sequence[str] = (),
        verify: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Bring a snapshot back below `target`; `include` are paths in it, each as it is named and no pattern.

        Raises:
            DamagedBackupError: some of it could not be read. FullError: there is no room for it.
        """
        words = ["restore", snapshot, "--target", target]
        words += ["--verify"] * verify
        for path in include:
            words += ["--include", escaped(path)]
        finished = self._start(words, timeout=timeout)
        if finished.status != 0:
            raise failure(finished, self.shell.name, self.place.url)

    def listing(self, snapshot: str, path: str | None = None) -> Iterator[Node]:
        """Return the entries of a snapshot; with `path`, that one and those directly below it."""
        words = ["ls", "--json", "--no-lock", snapshot] + ([] if path is None else [path])
        nodes: list[Node] = []

        def line(text: str) -> None:
            if (found := answers.node(text)) is not None:
                nodes.append(found)

        finished = self._start(words, on_line=line, timeout=None)
        self._succeed(finished)
        return iter(nodes)

    def copy(self, snapshots: Sequence[str], to: Restic, timeout: float | None = None) -> dict[str, Stored]:
        """Copy snapshots into another repository of the same machine; returns them there, by their identifier here."""
        finished = to._start(["copy", *snapshots], source=self, timeout=timeout)
        self._succeed(finished)
        made = {item.original or item.id: item for item in to.snapshots()}
        lost = [snapshot for snapshot in snapshots if snapshot not in made]
        if lost:
            raise BackupFailedError(
                T("restic on {host} copied without an error, but the copy does not hold {snapshots}.",
                  host=self.shell.name, snapshots=", ".join(item[:8] for item in lost)),
                on=self.shell.name,
            )  # fmt: skip
        return {snapshot: made[snapshot] for snapshot in snapshots}

    def drop(self, ids: Sequence[str]) -> None:
        """Remove these snapshots from the list; what they hold stays until the next `forget`."""
        if ids:
            self._succeed(self._start(["forget", *ids]))

    def forget(self, ids: Sequence[str], timeout: float | None = None) -> int:
        """Remove these snapshots, and no others, then what nothing needs any more; returns bytes freed, as it says."""
        known = {item.id for item in self.snapshots()}
        gone = [item for item in ids if item in known]
        self.drop(gone)
        finished = self._succeed(self._start(["prune"], timeout=timeout))
        return _bytes_freed(finished.text)

    def forget_of(self, job: str, ids: Sequence[str], timeout: float | None = None) -> int:
        """Remove those of these snapshots that carry a backup's own tags; returns bytes freed."""
        ours = {item.id for item in self.snapshots(tags=("dsi", f"job={job}"))}
        gone = [item for item in ids if item in ours]
        return self.forget(gone, timeout) if gone else 0

    def locks(self) -> tuple[Lock, ...]:
        """Return who holds the repository."""
        if self._plainly_free():
            return ()
        listed = self._succeed(self._start(["list", "locks", "--no-lock"], lock=False)).text.split()
        found = []
        for identifier in listed:
            shown = self._start(["cat", "lock", identifier, "--no-lock"], lock=False)
            if shown.status == 0:  # it may have been given back meanwhile
                found.append(answers.lock(identifier, self._json(shown)))
        return tuple(found)

    def _plainly_free(self) -> bool:
        """Tell whether it is a folder of this machine without a lock in it: that is seen without opening it."""
        folder = self.place.url.removeprefix("local:")
        if not folder.startswith("/"):
            return False
        program = Program(["ls", "-A", "--", f"{folder}/locks"], user=self.place.user, timeout=SHORT)
        listed = self.shell.run(program)
        return listed.status == 0 and not listed.text.strip()

    def unlock_dead(self) -> bool:
        """Remove the locks when every one is of a process of this machine that is dead; tell whether that was so.

        restic's own `unlock` goes by the clock too: with a clock that is wrong by an hour it would remove the lock
        of a backup that runs. It is therefore called only when nothing can be alive.
        """
        held = self.locks()
        if not held:
            return True
        here = self.shell.run(Program(["uname", "-n"])).text.strip()
        now = datetime.now(UTC)
        if any(now - one.at < DEAD_AFTER and (one.host != here or self._lives(one.pid)) for one in held):
            return False
        self._succeed(self._start(["unlock"], lock=False))
        return True

    def _lives(self, pid: int) -> bool:
        return self.shell.run(Program(["test", "-d", f"/proc/{pid}"])).status == 0

    def _remove_incomplete(self, wanted: Wanted, summary: Mapping[str, Any]) -> None:
        marked = self.snapshots(tags=wanted.tags) if wanted.tags else ()
        short = str(summary.get("snapshot_id", ""))
        found = [item.id for item in marked if short and item.id.startswith(short)]
        self.drop(found)

    def _whole(self, short: str) -> tuple[str, str]:
        """Return the identifiers of the repository and of a snapshot just made."""
        if self.place.cache is not None:
            # Opening the repository again costs as long as a backup of nothing: the cache has both names already.
            pattern = f"{'?' * 64}/snapshots/{short[:2]}/{short}*"
            script = 'cd -- "$1" && ls -t -d -- $2'
            listed = self.shell.run(
                Program(["sh", "-c", script, "dsi", self.place.cache, pattern], user=self.place.user, timeout=SHORT)
            )
            names = listed.text.split()
            if listed.status == 0 and len(names) == 1 and len(names[0]) == 64 + 14 + 64:
                return names[0][:64], names[0][-64:]
        found = self.snapshots([short])
        if len(found) != 1:
            raise BackupFailedError(
                T("The snapshot {snapshot} that restic named is not in the repository.", snapshot=short),
                on=self.shell.name,
            )
        return self.identity() or "", found[0].id

    def _start(
        self,
        words: Sequence[str],
        *,
        on_line: Callable[[str], None] | None = None,
        timeout: float | None = SHORT,
        source: Restic | None = None,
        lock: bool = True,
        opens: bool = True,
    ) -> Finished:
        program = self._program(words, timeout, source, opens=opens)
        finished = self.shell.run(program, on_line=on_line)
        if finished.status == 0 or not lock or not opens:
            return finished
        if isinstance(failure(finished, self.shell.name, self.place.url), LockedError) and self._unlocked(source):
            return self.shell.run(program, on_line=on_line)
        return finished

    def _unlocked(self, source: Restic | None) -> bool:
        every = [self, *self.peers, *([] if source is None else [source, *source.peers])]
        # One repository may be seen from two machines: whoever owns the dead processes can tell.
        return any([one.unlock_dead() for one in every])  # noqa: C419  # each may have locks of its own

    def _program(self, words: Sequence[str], timeout: float | None, source: Restic | None, *, opens: bool) -> Program:
        place = self.place
        options = ["--no-cache"] if place.cache is None else []
        if place.ca_file is not None:
            options += ["--cacert", place.ca_file]
        if place.sftp_command is not None and place.url.startswith("sftp:"):
            options += ["-o", f"sftp.command={place.sftp_command}"]
        if place.upload_kib is not None:
            options += ["--limit-upload", str(place.upload_kib)]
        # An address may hold a password of its own: it goes the way of secrets, and never among the words.
        plain = {"RESTIC_PROGRESS_FPS": "1"} | ({"RESTIC_REPOSITORY": place.url} if opens else {})
        hidden = {"RESTIC_PASSWORD": place.password} if opens else {}
        if source is not None:
            plain["RESTIC_FROM_REPOSITORY"] = source.place.url
            hidden["RESTIC_FROM_PASSWORD"] = source.place.password
        if place.cache is not None:
            plain["RESTIC_CACHE_DIR"] = place.cache
        return Program(
            [place.program, *words[:1], *options, *words[1:]] if opens else [place.program, *words],
            environment=plain,
            secret_environment=hidden,
            user=place.user,
            timeout=timeout,
        )

    def _succeed(self, finished: Finished) -> Finished:
        if finished.status != 0:
            raise failure(finished, self.shell.name, self.place.url)
        return finished

    def _json(self, finished: Finished) -> Any:
        try:
            return json.loads(finished.stdout or b"null")
        except ValueError as error:
            raise BackupFailedError(
                T("restic on {host} answered something that is not JSON.", host=self.shell.name), on=self.shell.name
            ) from error


def written(
    repository: RepositorySettings,
    shell: Shell,
    program: str,
    *,
    upload_kib: int | None = None,
    user: str | None = None,
    cache: str | None = None,
) -> Restic:
    """Return restic on the machine that writes."""
    place = Place(
        repository.url,
        repository.password,
        program,
        repository.sftp_command,
        repository.ca_file,
        cache,
        user,
        upload_kib,
    )
    return Restic(place, shell)


def read(repository: RepositorySettings, shell: Shell, *, peers: Sequence[Restic] = ()) -> Restic:
    """Return restic on the controller, by the path of verification: nothing is taken from a cache."""
    return Restic(Place(repository.read_url, repository.password, repository.restic), shell, peers=peers)


def at(restic: Restic, **changes: Any) -> Restic:
    """Return the same restic with some of its place changed."""
    return Restic(replace(restic.place, **changes), restic.shell)


def escaped(path: str) -> str:
    r"""Return a path as a pattern that means that path only: `*`, `?`, `[` and `\` are letters of names."""
    return "".join("\\" + letter if letter in "*?[\\" else letter for letter in path)


def _backup_words(wanted: Wanted) -> list[str]:
    words = ["backup", "--json"]
    for tag in wanted.tags:
        words += ["--tag", tag]
    for pattern in wanted.exclude:
        words += ["--exclude", pattern]
    words += ["--one-file-system"] * wanted.one_file_system
    words += ["--use-fs-snapshot"] * wanted.shadow
    words += [] if wanted.host is None else ["--host", wanted.host]
    return [*words, "--", *wanted.paths]


def _message(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_UNITS: Final = {"B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def _bytes_freed(said: str) -> int:
    for line in said.splitlines():
        name, _, rest = line.partition(":")
        if name.strip().lower() in ("total prune", "frees"):
            parts = rest.replace("/", " ").split()
            for number, unit in pairwise(parts):
                if unit.upper() in _UNITS:
                    return int(float(number) * _UNITS[unit.upper()])
    return 0
