"""RMAN and SQL*Plus on the host of the database, run as the operating-system user of the plan."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.oracle import failures, log, script, sql
from dsi_automation.connectors.backups.oracle.codes import trouble
from dsi_automation.connectors.backups.oracle.log import LogReader, Stack
from dsi_automation.connectors.backups.oracle.verdict import Step
from dsi_automation.connectors.backups.settings import OracleSettings
from dsi_automation.connectors.ssh.port import Finished, Program, Shell
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.text import T

_SHORT: Final = 300.0
"""Seconds for what only looks."""


class OracleHost:
    """One host and one instance on it."""

    def __init__(self, target: str, settings: OracleSettings, shell: Shell) -> None:
        """Take a machine; nothing is asked of it yet.

        Raises:
            UsageError: a setting holds characters that it may not hold.
        """
        script.check(settings)
        self._target = target
        self._settings = settings
        self._shell = shell
        self._login: str | None = None

    def instance(self) -> sql.Instance:
        """Look at the database.

        Raises:
            TransientError: it is down or does not answer. BackupFailedError: it lets us not ask.
        """
        mark = secrets.token_hex(8)
        said = self._ask(sql.look_script(mark))
        try:
            return sql.instance(said, mark)
        except sql.NoAnswerError as error:
            raise self._no_answer(said) from error

    def outcome(self, tag: str) -> sql.Outcome:
        """Ask what the control file records of one try.

        Raises:
            TransientError, BackupFailedError: as for `instance`.
        """
        mark = secrets.token_hex(8)
        said = self._ask(sql.outcome_script(mark, tag))
        try:
            return sql.outcome(said, mark)
        except sql.NoAnswerError as error:
            raise self._no_answer(said) from error

    def rman(self, folder: str, name: str, content: str, timeout: float) -> Step:
        """Have RMAN check the syntax of a command file, run it, and read its log.

        Args:
            folder: ours, on the host: the command file and the log are kept there as `name.rman` and `name.log`.
            timeout: seconds it may take.

        Raises:
            BackupFailedError: this RMAN does not understand the file; nothing was run.
            TransientError: the time was over, or the connection broke.
        """
        commands, said = f"{folder}/{name}.rman", f"{folder}/{name}.log"
        self._need(self._run(["tee", "--", commands], stdin=content.encode("ascii")))
        program = script.program(self._settings)
        checked = self._run([program, "checksyntax", f"@{commands}"])
        found = log.read(checked.text.splitlines())
        if checked.status != 0 or found.failures:
            if found.stacks:
                raise failures.of_stack(found.stacks[0], self._target)
            raise failures.syntax(self._target, checked.text)
        try:
            done = self._run([program, "target", "/", f"cmdfile={commands}", f"log={said}"], timeout=timeout)
        except UnreachableError as error:
            raise TransientError(
                T("RMAN on {host} was not seen to end.", host=self._shell.name),
                on=self._target,
                meaning=error.what,
                next_step=T("Look at the host; the next try begins from scratch."),
            ) from error
        return Step(done.status, self._log(said))

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file below a folder, by absolute path; empty when there is no folder."""
        done = self._run(["find", folder, "-type", "f", "-printf", "%s %p\\0"])
        found: dict[str, int] = {}
        for entry in done.stdout.decode(errors="surrogateescape").split("\0"):
            size, _, path = entry.partition(" ")
            if path:
                found[path] = int(size)
        return found

    def names(self, folder: str) -> Sequence[str]:
        """Return the names directly in a folder; none when there is no folder."""
        done = self._run(["find", folder, "-mindepth", "1", "-maxdepth", "1", "-type", "d", "-printf", "%f\\0"])
        return [name for name in done.stdout.decode(errors="surrogateescape").split("\0") if name]

    def make(self, folder: str) -> None:
        """Make a folder that only the user of the database enters."""
        self._need(self._run(["mkdir", "-p", "-m", "700", "--", folder]))

    def remove(self, folder: str) -> None:
        """Remove a folder of ours with all it holds."""
        self._need(self._run(["rm", "-rf", "--", folder]))

    def _log(self, path: str) -> log.RmanLog:
        reader = LogReader(self._settings.warnings)
        done = self._shell.run(self._program(["cat", "--", path], timeout=_SHORT * 4), on_line=reader.feed)
        found = reader.done()
        if done.status != 0:
            found.complete = False
        return found

    def _ask(self, question: str) -> str:
        program = script.program(self._settings, "sqlplus")
        return self._run([program, *sql.ARGUMENTS], stdin=question.encode("ascii")).text

    def _no_answer(self, said: str) -> DsiError:
        reader = LogReader()
        for line in said.splitlines():
            reader.feed(line)
        found = reader.done()
        if found.stacks:
            codes = [code for stack in found.stacks for code in stack.codes]
            lines = tuple(line for stack in found.stacks for line in stack.lines)
            told = failures.of_stack(Stack(tuple(codes), lines), self._target)
            told.detail["trouble"] = str(trouble(codes))
            return told
        return BackupFailedError(
            T("SQL*Plus on {host} gave no answer that can be read.", host=self._shell.name),
            on=self._target,
            next_step=T("Check oracle_home and oracle_sid of the plan, and try `sqlplus / as sysdba` there by hand."),
            detail={"said": said[-2000:]},
        )

    def _need(self, done: Finished) -> None:
        if done.status == 0:
            return
        full = "No space left" in done.complaint
        kind = TransientError if full else BackupFailedError
        raise kind(
            T("{host} cannot prepare the folder of the pieces.", host=self._shell.name),
            on=self._target,
            next_step=T("Check room and rights of stage_dir for the user {user}.", user=self._settings.user),
            detail={"said": done.complaint[-1000:]},
        )

    def _run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = _SHORT) -> Finished:
        return self._shell.run(replace(self._program(argv, timeout=timeout), stdin=stdin))

    def _program(self, argv: Sequence[str], timeout: float) -> Program:
        settings = self._settings
        return Program(
            argv,
            environment={
                **script.ENVIRONMENT,
                "ORACLE_HOME": settings.oracle_home,
                "ORACLE_SID": settings.oracle_sid,
            },
            user=self._other_user(),
            timeout=timeout,
        )

    def _other_user(self) -> str | None:
        # Who logs in as the user of the plan needs no right to become that user.
        if self._login is None:
            self._login = self._shell.run(Program(["id", "-un"], timeout=_SHORT)).text.strip()
        return None if self._login == self._settings.user else self._settings.user
