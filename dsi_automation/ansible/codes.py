"""From Ansible's events to the exit code of `dsi`: the worst that a host reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dsi_automation.core.exit_codes import ExitCode

CANCELLED: Final = 130
"""As a shell says that a command was interrupted."""
_CANNOT_READ: Final = frozenset({4, 5})
"""ansible-playbook's exit codes for a playbook it cannot parse and for wrong options."""


class Codes:
    """Collects what the events of one run say."""

    def __init__(self) -> None:
        self._worst = ExitCode.DONE
        self._matched = True

    def take(self, event: Mapping[str, Any]) -> None:
        """Take note of an event of ansible-runner."""
        name, data = event.get("event"), event.get("event_data") or {}
        if name == "playbook_on_no_hosts_matched":
            self._matched = False
        elif name == "runner_on_unreachable":
            self._worst = max(self._worst, ExitCode.UNREACHABLE)
        elif name == "runner_on_failed" and not data.get("ignore_errors"):
            self._worst = max(self._worst, _failed(data.get("res") or {}))

    def exit_code(self, status: str, rc: int) -> int:
        """Return the exit code.

        Args:
            status: ansible-runner's.
            rc: ansible-playbook's.
        """
        if status == "canceled":
            return CANCELLED
        if not self._matched:
            return ExitCode.USAGE
        if rc == 0:
            return ExitCode.DONE
        if self._worst is not ExitCode.DONE:
            return self._worst
        return ExitCode.USAGE if rc in _CANNOT_READ else ExitCode.UNEXPECTED


def _failed(result: Mapping[str, Any]) -> ExitCode:
    code = result.get("exit_code")
    if isinstance(code, int) and code in ExitCode:
        return ExitCode(code)
    # Ansible's own check of a role's or a plugin's arguments.
    return ExitCode.USAGE if result.get("argument_errors") else ExitCode.UNEXPECTED
