"""How a program is started on any machine: a few lines of POSIX shell around it that never read its arguments.

The lines take environment, secrets and standard input from their own stdin, so that nothing of it is in any
argument list; they start the program in a session of its own, and end it with all its children when their stdin
closes: which it does when the controller gives up, is killed, or the connection breaks.
"""

from __future__ import annotations

import base64
import shlex
from typing import Final

from dsi_automation.connectors.ssh.port import Program

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELL: Final = "/bin/sh"
GRACE: Final = 3
"""Seconds between SIGTERM and SIGKILL."""

ABSENT: Final = (127, b"dsi: absent\n")
NO_FOLDER: Final = (126, b"dsi: no folder\n")

# `head` takes the counted bytes and no more, so that what follows on stdin is nothing but its end. The program is
# the last of its pipeline: `$!` is its process, the leader of its session and group.
WRAPPER: Final = f"""
IFS= read -r n || exit 125
eval "$(head -c "$n")"
cd -- "$dsi_cd" 2>/dev/null || {{ echo 'dsi: no folder' >&2; exit 126; }}
command -v -- "$1" >/dev/null 2>&1 || {{ echo 'dsi: absent' >&2; exit 127; }}
exec 3<&0
if [ -n "$dsi_in" ]
then printf %s "$dsi_in" | base64 -d 2>/dev/null 3<&- | setsid -- "$@" 3<&- &
else setsid -- "$@" </dev/null 3<&- &
fi
p=$!
unset dsi_in
(
  while read -r x; do :; done <&3
  kill -s TERM -- "-$p"
  i=0
  while [ "$i" -lt {GRACE * 10} ] && kill -s 0 -- "-$p"; do sleep 0.1; i=$((i+1)); done
  kill -s KILL -- "-$p"
) >/dev/null 2>&1 &
d=$!
wait "$p"
s=$?
kill -s KILL -- "-$p" 2>/dev/null
kill "$d" 2>/dev/null
exit "$s"
"""


def words(program: Program) -> list[str]:
    """Return the argument list that starts the program inside the wrapper."""
    return [SHELL, "-c", WRAPPER, "dsi", *program.argv]


def preamble(program: Program) -> bytes:
    """Return what the wrapper reads first: the length of a piece of shell code, and the code.

    Raises:
        ValueError: a value holds a NUL, or a name is none of a variable.
    """
    variables = {"PATH": PATH, "LC_ALL": "C.UTF-8", **program.environment}
    variables |= {name: secret.reveal() for name, secret in program.secret_environment.items()}
    if wrong := [name for name in variables if not (name.isidentifier() and name.isascii())]:
        raise ValueError(wrong[0])
    code = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    code += f"dsi_cd={shlex.quote(program.directory or '/')}\n"
    code += f"dsi_in={shlex.quote(base64.b64encode(program.stdin).decode())}\n"
    sent = code.encode("utf-8", "surrogateescape")
    if b"\0" in sent:
        raise ValueError("NUL")
    return b"%d\n%s" % (len(sent), sent)
