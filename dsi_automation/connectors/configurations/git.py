"""The repository of configurations in git: bare, written with git's own plumbing, without an index or a work tree.

A version is a blob for each text, one tree, one commit, and last the move of the branch: until then nothing shows, and
that move is one rename. Whatever is killed leaves unreachable objects at most. See
https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dsi_automation.connectors.configurations.git_program import Git, GitRefusedError
from dsi_automation.connectors.configurations.port import Version
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

SUFFIX: Final = ".cfg"
BRANCH: Final = "refs/heads/main"
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{4,64}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_FORMAT: Final = "--format=%x01%H%x00%ct%x00%B%x00"
"""A mark that no message holds, then what a version is made of, then (`-z --name-only`) the names of its files."""


class GitConfigurations:
    """Configurations in a bare repository, one file `<router>.cfg` each; made at the first text that is kept.

    People read it with git itself: `git -C FOLDER log -p main -- rtr-abj.cfg`, or clone it.
    """

    def __init__(self, folder: Path) -> None:
        """Use the repository in a folder; nothing is read or made yet."""
        self._git = Git(folder)

    def latest(self, router: str) -> tuple[Version, str] | None:
        """Return the last version of a router's configuration and its text; None when there is none.

        Raises:
            StorageError: it cannot be read.
        """
        found = self.history(router, most=1)
        if not found:
            return None
        text = self._git.run("cat-file", "blob", f"{found[0].commit}:{_file(router)}").decode()
        return found[0], text

    def history(self, router: str | None = None, *, most: int = 50) -> Sequence[Version]:
        """Return versions, newest first; of one router, or of all.

        Raises:
            StorageError: it cannot be read.
        """
        head = self._head()
        if head is None:
            return ()
        paths = [] if router is None else [_file(router)]
        listed = self._git.run(
            "log", "-z", "--name-only", "--full-diff", "--no-renames", f"--max-count={most}", _FORMAT, head,
            "--", *paths,
        )  # fmt: skip
        return tuple(_version(record) for record in listed.decode().split("\x01")[1:])

    def difference(self, router: str, older: str, newer: str) -> str:
        """Return what changed between two versions, as a unified diff; empty when nothing did.

        Args:
            older, newer: identifiers of commits, or their beginnings.

        Raises:
            UsageError: there is no such version.
            StorageError: it cannot be read.
        """
        commits = [self._commit(asked) for asked in (older, newer)]
        found = self._git.run(
            "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", *commits, "--", _file(router)
        )
        return found.decode()

    def keep(self, texts: Mapping[str, str], message: str, *, author: str) -> Version | None:
        """Keep the configurations of some routers as one version, whole or not at all.

        Safe for several processes and threads: each waits for its turn.

        Raises:
            StorageError: the repository refuses: disk full, damaged, held too long by another process, no `git`.
        """
        files = {_file(router): text.encode() for router, text in texts.items()}
        if not files:
            return None
        with self._git.locked():
            head = self._head()
            if head is None:
                self._git.create(BRANCH)
            else:
                self._git.clean(BRANCH)
            tree = self._tree(head, files)
            if head is not None and tree == self._git.line("rev-parse", f"{head}^{{tree}}"):
                return None
            parents = [] if head is None else ["-p", head]
            commit = self._git.line(
                "commit-tree", tree, *parents, "-F", "-", data=_message(message).encode(), author=author
            )
            self._git.run("update-ref", "--no-deref", BRANCH, commit, head or "0" * len(commit))
        return self._one(commit)

    def _one(self, commit: str) -> Version:
        """Return one version, whatever followed it meanwhile."""
        listed = self._git.run("log", "-z", "--name-only", "--no-renames", "--max-count=1", _FORMAT, commit)
        return _version(listed.decode().split("\x01")[1])

    def _tree(self, head: str | None, files: Mapping[str, bytes]) -> str:
        """Return the tree of `head` with some files replaced; nothing refers to it yet."""
        entries: dict[str, str] = {}
        if head is not None:
            for entry in self._git.run("ls-tree", "-z", head).decode().split("\0")[:-1]:
                entries[entry.partition("\t")[2]] = entry
        for name, content in files.items():
            blob = self._git.line("hash-object", "-w", "--no-filters", "--stdin", data=content)
            entries[name] = f"100644 blob {blob}\t{name}"
        return self._git.line("mktree", "-z", data="".join(f"{entry}\0" for entry in entries.values()).encode())

    def _head(self) -> str | None:
        """Return the last commit; None before the first."""
        if not self._git.exists():
            return None
        try:
            return self._git.line("rev-parse", "--verify", "--quiet", f"{BRANCH}^{{commit}}")
        except GitRefusedError as error:
            if error.silent and not self._git.has(BRANCH):  # a branch that is there and leads nowhere is damage
                return None
            raise

    def _commit(self, asked: str) -> str:
        if _COMMIT.fullmatch(asked) and self._git.exists():
            try:
                return self._git.line("rev-parse", "--verify", "--quiet", f"{asked}^{{commit}}")
            except GitRefusedError as error:
                if not error.silent and not error.ambiguous:
                    raise
        raise UsageError(
            T("The repository of configurations has no single version “{version}”.", version=asked),
            next_step=T("See the versions: dsi router history"),
        )


def _file(router: str) -> str:
    """Return the name of a router's file: never a path, an option or a hidden file."""
    if not _NAME.fullmatch(router):
        raise UsageError(T("“{name}” cannot be the name of a file of configurations.", name=router), on=router)
    return f"{router}{SUFFIX}"


def _message(message: str) -> str:
    return _CONTROL.sub(" ", message).strip() + "\n"


def _version(record: str) -> Version:
    commit, moment, message, *names = record.split("\0")
    files = (name.strip("\n") for name in names)
    return Version(
        commit=commit,
        at=datetime.fromtimestamp(int(moment), UTC),
        routers=tuple(name.removesuffix(SUFFIX) for name in files if name),
        message=message.strip(),
    )
