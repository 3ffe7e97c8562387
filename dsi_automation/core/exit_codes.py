"""What a command's exit code says. The documented table is tested against this enum."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the `dsi` command, from best to worst news within one run."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    UNREACHABLE = 3
    GATE_CLOSED = 4
    NOT_COMPLIANT = 5
    VERIFICATION_FAILED = 6
    WORLD_CHANGED = 7
