"""Settings of scratch servers and of recovery, as `postgres -c NAME=VALUE` takes them: values without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dsi_automation.connectors.backups.postgresql.parsing import Control
from dsi_automation.connectors.backups.postgresql.wal import format_lsn

HBA = "local all all trust\n"
"""Who may connect: only a folder that nobody else may enter holds the socket."""


_TARGETS = (
    "recovery_target",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_xid",
    "recovery_target_lsn",
)


@dataclass(frozen=True, slots=True)
class Target:
    """How far recovery goes: to the first of these that is given; the end of the logs when none is.

    Attributes:
        position: in the log: everything written before it, and nothing after.
        until: everything committed before that moment, and nothing after.
        timeline: the one to follow; None for the newest that the logs tell of.
    """

    position: int | None = None
    until: datetime | None = None
    timeline: int | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings for it: a target that is not reached keeps the server from starting."""
        follow = {"recovery_target_timeline": str(self.timeline or "latest")}
        if self.position is not None:
            aim = {"recovery_target_lsn": format_lsn(self.position)}
        elif self.until is not None:
            aim = {"recovery_target_time": self.until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")}
        else:
            return dict.fromkeys(_TARGETS, "") | follow
        # What ALTER SYSTEM once set on the original must not count; emptied first: only one target may ever be set.
        emptied = {name: "" for name in _TARGETS if name not in aim}
        return emptied | follow | aim | {"recovery_target_inclusive": "off", "recovery_target_action": "promote"}


def shell_quoted(word: str) -> str:
    """Return a word for restore_command: quoted for the shell, and its % doubled for PostgreSQL."""
    return "'" + word.replace("'", "'\\''").replace("%", "%%") + "'"


def restore_command(*folders: Path) -> str:
    """Return a restore_command that looks for a segment in each of the folders, in their order."""
    # The last command's failure is the answer "there is none": PostgreSQL then knows the log ends there.
    each = (f"{{ test -f {shell_quoted(str(f))}/%f && cp {shell_quoted(str(f))}/%f %p; }}" for f in folders)
    return " || ".join(each) or "false"


def server_settings(control: Control, socket: Path, *, durable: bool) -> dict[str, str]:
    """Return the settings of a server nobody but us may reach.

    Args:
        control: of the cluster: what the log of the original may ask for is granted.
        socket: folder of its socket.
        durable: whether what it writes must outlive a power cut: for a restore, not for a proof.
    """
    safe = "on" if durable else "off"
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "archive_mode": "off",
        "hot_standby": "off",
        "primary_conninfo": "",
        "shared_preload_libraries": "",
        "session_preload_libraries": "",
        "local_preload_libraries": "",
        "shared_buffers": "64MB",
        "dynamic_shared_memory_type": "posix",
        "max_wal_size": "4GB",
        "autovacuum": "off",
        "ssl": "off",
        "logging_collector": "off",
        "log_destination": "stderr",
        "lc_messages": "C",
        "fsync": safe,
        "full_page_writes": safe,
        "synchronous_commit": safe,
        "cluster_name": "dsi-scratch",
        **{name: str(value) for name, value in control.limits.items()},
    }
