"""One application server over its shell: the scripts of `remote/`, and what they could not do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from dsi_automation.connectors.applications import addresses
from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.applications.port import PortHolder, ServerSettings
from dsi_automation.connectors.applications.remote import Said, script
from dsi_automation.connectors.ssh.errors import ConnectionLostError, NotInstalledError, ProgramTimeoutError
from dsi_automation.connectors.ssh.port import Finished, Program, Shell
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UsageError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T, Text

LOOK_WITHIN: Final = 60.0
"""Seconds a look may take: a status command has 20, the caches may hold many files."""


class Asking:
    """Runs the package's scripts on one server."""

    def __init__(self, settings: ServerSettings, shell: Shell) -> None:
        """Ask this server through that shell."""
        self.settings = settings
        self.shell = shell

    def ask(
        self,
        name: str,
        words: Sequence[str] = (),
        *,
        given: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = LOOK_WITHIN,
    ) -> Said:
        """Run a script and return what it said.

        Raises:
            UnreachableError: see `Shell.run`. ReleaseError, RefusedError, UsageError: what the script refused.
        """
        finished = self.shell.run(self._program(name, words, given or {}, stdin, timeout))
        said = Said.of(finished.text)
        for problem in said.every("problem"):
            raise self._problem(problem[0], *problem[1:])
        if finished.status != 0:
            raise self._broken(finished)
        return said

    def change(
        self,
        name: str,
        words: Sequence[str] = (),
        *,
        given: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = LOOK_WITHIN,
    ) -> Said:
        """Run a script that writes: when its end was not seen, what it did is not known.

        Raises:
            UnknownOutcomeError: it was begun, and its end not seen.
        """
        try:
            return self.ask(name, words, given=given, stdin=stdin, timeout=timeout)
        except (ConnectionLostError, ProgramTimeoutError) as error:
            raise UnknownOutcomeError(
                error.what,
                on=error.on,
                meaning=T("What was under way there may have been done, or not."),
                next_step=T("Look at the server before anything else is done to it."),
                detail=error.detail,
            ) from error

    def holders(self, said: Said, word: str = "holder") -> tuple[PortHolder, ...]:
        """Return the processes a script told of."""
        start, hertz = said.number("btime"), said.number("hertz") or 100
        found = []
        for pid, ticks, command, user in (line for line in said.every(word) if len(line) == 4):
            at = datetime.fromtimestamp(start + int(ticks) / hertz, UTC)
            found.append(PortHolder(int(pid), at, redact(command), user))
        return tuple(found)

    def _program(
        self, name: str, words: Sequence[str], given: Mapping[str, str], stdin: bytes, timeout: float
    ) -> Program:
        one = self.settings
        environment = {
            "DSI_KIND": one.kind,
            "DSI_UNIT": one.unit,
            "DSI_STATUS": shlex.join(one.status),
            "DSI_USER": "" if one.user is None else shlex.quote(one.user),
            "DSI_RELEASES": one.releases or "",
            "DSI_LINK": one.link or "",
            "DSI_OWNER": one.owner or "",
            **addresses.variables(one.port, addresses.resolved(one)),
            **given,
        }
        argv = ["sh", "-c", script(name), f"dsi-{name}", *words]
        return Program(argv, stdin=stdin, environment=environment, timeout=timeout)

    def _broken(self, finished: Finished) -> DsiError:
        return DsiError(
            T("What was run on {host} for {server} ended with {status}.", host=self.settings.host,
              server=self.settings.name, status=finished.status),
            on=self.settings.host,
            next_step=T("Look at the machine: its memory, its disk, and who may have ended it."),
            detail={"said": redact(finished.complaint)[-1000:]},
        )  # fmt: skip

    def _problem(self, code: str, *rest: str) -> DsiError:
        one, host = self.settings, self.settings.host
        first, second = (*rest, "", "")[:2]
        known: dict[str, DsiError] = {
            "absent": NotInstalledError(
                T("{host} has no program {program}.", host=host, program=first),
                on=host,
                next_step=T("See `service` of {server} in dsi_applications.", server=one.name),
            ),
            "systemctl": RefusedError(
                T("systemd on {host} does not answer for {unit}: {reason}", host=host, unit=one.unit,
                  reason=redact(second or first)),
                on=host,
            ),
            "unit": UsageError(
                T("systemd on {host} has no usable unit {unit} ({state}).", host=host, unit=first, state=second),
                on=host,
                next_step=T("See `service` of {server} in dsi_applications.", server=one.name),
            ),
            "unusable": UsageError(
                T("The status command of {server} cannot be run on {host}: {command}", server=one.name, host=host,
                  command=redact(first)),
                on=host,
                next_step=T("See that it is there and may be run by the user of `service` in dsi_applications."),
            ),
            "scratch": RefusedError(
                T("{host} has no room for temporary files.", host=host),
                on=host,
                next_step=T("See that /tmp there can be written to and is not full."),
            ),
        }  # fmt: skip
        cache, release = _cache_problem(one, code, first, second), _release_problem(one, code, first, second)
        if cache is not None:
            return RefusedError(cache, on=host, next_step=T("See `caches` of the server in dsi_applications."))
        if release is not None:
            return ReleaseError(release, on=host)
        return known.get(code) or DsiError(
            T("{host} refused: {reason}", host=host, reason=redact(" ".join((code, *rest)))), on=host
        )


def _cache_problem(one: ServerSettings, code: str, folder: str, reason: str) -> Text | None:
    return {
        "up": T("{server} runs: its caches are emptied only while it is stopped.", server=one.name),
        "link": T("The cache folder {folder} is a link: what it points to is not emptied.", folder=folder),
        "no_folder": T("{folder} on {host} is no folder, or may not be entered.", folder=folder, host=one.host),
        "shallow": T("The cache folder {folder} is too close to / to be emptied.", folder=folder),
        "holds_release": T("The cache folder {folder} holds releases or the link to them: it is not emptied.",
                           folder=folder),
        "mounted": T("The cache folder {folder} is or holds a mount point: it is not emptied.", folder=folder),
        "not_emptied": T("The cache folder {folder} could not be emptied: {reason}", folder=folder,
                         reason=redact(reason)),
    }.get(code)  # fmt: skip


def _release_problem(one: ServerSettings, code: str, first: str, second: str) -> Text | None:
    return {
        "not_ours": T("{folder} is there on {host} and was not put by the toolkit: it is left as it is.",
                      folder=f"{one.releases}/{first}", host=one.host),
        "other": T("Another release is called {name} on {host}: its archive had SHA-256 {sha256}.", name=first,
                   host=one.host, sha256=second),
        "not_whole": T("Release {name} is not there whole on {host}.", name=first, host=one.host),
        "write": T("The release could not be written on {host}: {reason}", host=one.host, reason=redact(first)),
        "full": T("The disk of {host} that holds {folder} is full: nothing of the release was left there.",
                  host=one.host, folder=first),
        "changed": T("What was sent to {host} was changed there while it was sent.", host=one.host),
        "checksum": T("The archive that arrived on {host} is not the one approved: its SHA-256 is {sha256}.",
                      host=one.host, sha256=first),
        "unpacked": T("The release unpacked to {found} files on {host} instead of {expected}.", found=first,
                      host=one.host, expected=second),
        "owner": T("The release cannot be given to {owner} on {host}: {reason}", owner=one.owner or "",
                   host=one.host, reason=redact(first)),
        "elsewhere": T("{link} on {host} points to {path}, which is none of the releases.", link=first,
                       host=one.host, path=second),
        "no_link": T("{path} on {host} is there and is no link.", path=first, host=one.host),
    }.get(code)  # fmt: skip
