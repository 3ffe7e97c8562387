"""The commands of an emulated router that change something: EXEC mode, and configuration mode."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import UTC, datetime

from dsi_automation.lab.ios.device import Device
from dsi_automation.lab.ios.shows import show
from dsi_automation.lab.ios.texts import say

type Talk = Generator[str, str, str]
"""Yields each question, is sent the reply, returns the answer."""


class CommandLine:
    """The command line of one session.

    Attributes:
        mode: `` in EXEC mode, `(config)`, `(config-if)`, ...
        heading: the heading of the lines under which it is in configuration mode.
    """

    def __init__(self, device: Device, user: str) -> None:
        """Begin in EXEC mode."""
        self.device = device
        self.user = user
        self.mode = ""
        self.heading: str | None = None

    @property
    def prompt(self) -> str:
        """Return the prompt; configuration mode cuts the name short."""
        name = self.device.running.hostname
        if self.device.faults.privilege < 15:
            return f"{name}>"
        return f"{name[:20] if self.mode else name}{self.mode}#"

    def run(self, line: str) -> Talk:
        """Run a line."""
        if not line or line.startswith("!"):
            return ""
        if self.mode:
            return self._configure(line)
        if re.fullmatch(r"terminal (?:length|width) \d+", line):
            return ""
        shown = show(self.device, line)
        if shown is not None:
            return shown
        return (yield from self._exec(line))

    def _exec(self, line: str) -> Talk:
        if found := re.fullmatch(r"configure terminal(?: revert timer (\d+))?", line):
            return self._enter(found[1])
        if found := re.fullmatch(r"copy running-config (\S+)", line):
            return (yield from self._copy(found[1]))
        if found := re.fullmatch(r"configure replace (\S+) force", line):
            return self._replace(found[1])
        match line:
            case "configure confirm":
                return self._confirm()
            case "configure revert now":
                return self._revert()
            case "write memory":
                return (yield from self._save())
        return say("invalid", caret=" " * 10)

    def _enter(self, minutes: str | None) -> str:
        device = self.device
        if device.faults.lock is not None:
            return say("locked", user=device.faults.lock)
        said = ""
        if minutes is not None:
            if device.running.archive is None:
                return say("arming_without_archive")
            if device.pending is not None:
                return say("armed_already")
            file = device.arm(self.user, int(minutes))
            said = say("armed", file=file)
            device.tell(say("log_armed", stamp=_stamp(), user=self.user, file=file, minutes=minutes))
        self.mode = "(config)"
        return said + say("config_mode")

    def _configure(self, line: str) -> str:
        device = self.device
        if line == "end" or (line == "exit" and self.heading is None):
            self.mode, self.heading = "", None
            device.tell(say("log_config", stamp=_stamp(), user=self.user))
            return ""
        if line == "exit":
            self.mode, self.heading = "(config)", None
            return ""
        device.changed_at = datetime.now(UTC)
        mode = device.running.enter(line)
        if mode is not None:
            self.mode, self.heading = mode, line
            return ""
        said = device.running.take(self.heading, line)
        if said and self.heading is not None:
            # A line of the top level leaves the mode it is typed in.
            at_top = device.running.take(None, line)
            if not at_top:
                self.mode, self.heading, said = "(config)", None, ""
        if line == device.faults.cut_by:
            device.cut()
        return said

    def _copy(self, file: str) -> Talk:
        yield say("copy_question", name=file.partition(":")[2])
        self.device.files[file] = self.device.running.copied()
        return say("copied", size=len(self.device.running.text()))

    def _confirm(self) -> str:
        pending = self.device.pending
        if pending is None:
            return say("no_timer")
        if pending.user != self.user:
            return say("not_owner")
        self.device.disarm()
        return say("confirmed")

    def _revert(self) -> str:
        pending = self.device.pending
        if pending is None:
            return say("no_timer")
        if pending.user != self.user:
            return say("not_owner")
        self.device.fire()
        return ""

    def _replace(self, file: str) -> str:
        kept = self.device.files.get(file)
        if kept is None:
            return say("no_file", file=file)
        if self.device.faults.replace_aborts:
            return say("replace_aborted")
        self.device.running = kept.copied()
        return say("replaced")

    def _save(self) -> Talk:
        device = self.device
        if device.faults.busy_saves > 0:
            device.faults.busy_saves -= 1
            return say("save_busy")
        if device.faults.other_version:
            yield say("save_other_version")
        if device.faults.nvram_too_small:
            reply = yield say("save_too_large")
            if not reply.startswith("y"):
                return ""
        device.startup = device.running.copied()
        return say("saved")


def _stamp() -> str:
    return f"{datetime.now(UTC):%b %d %H:%M:%S.000}"
