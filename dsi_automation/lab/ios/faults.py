"""What can be made to go wrong with an emulated router."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """Set before or while a session runs.

    Attributes:
        privilege: of every login; below 15 a session ends up in user EXEC mode.
        lock: who holds the lock on the configuration.
        free: bytes free on its file system.
        busy_saves: how many times more the startup configuration is busy.
        other_version: saving asks before it overwrites what another version wrote.
        nvram_too_small: saving asks whether to cut the configuration off.
        replace_aborts: a replace ends after five passes.
        reverts_badly: the rollback leaves this line of the top level behind.
        chatter: a message of its own that it prints behind each prompt.
        hangs_on: a command that is never answered.
        breaks_on: a command in the middle of whose answer the connection breaks.
        cut_by: a line of configuration mode that cuts the management off until the timer went back.
    """

    privilege: int = 15
    lock: str | None = None
    free: int = 6612774912
    busy_saves: int = 0
    other_version: bool = False
    nvram_too_small: bool = False
    replace_aborts: bool = False
    reverts_badly: str | None = None
    chatter: str = ""
    hangs_on: str | None = None
    breaks_on: str | None = None
    cut_by: str | None = None
