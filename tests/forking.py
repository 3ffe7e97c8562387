"""`dsi` as a process of its own that need not import anything: a fork of one that has.

Half of what a command costs is Python importing the same modules again. `Forked` is `subprocess.Popen` for the command:
the process is a child of the test's, has its own environment, folder, command line and descriptors, can be watched,
signalled and killed, and ends as any other; only the imports are there before it begins. Where the environment may
change what importing does (`LANG`, `PYTHON*`, `ANSIBLE_*`, faketime), the command is executed as people do.
`forked_dsi.py` is the other side.
"""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path

DSI = str(Path(sys.executable).with_name("dsi"))
SERVER = Path(__file__).with_name("forked_dsi.py")
ROOM = 32 * 1024
"""Bytes that a command line, and an environment, of a fork may have; longer ones are executed."""
PR_SET_CHILD_SUBREAPER = 36
_turn = threading.Lock()


class Prepared:
    """The process that commands are forks of."""

    def __init__(self):
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # What is here when it starts is as much room as the forks have to show their own.
            self._process = subprocess.Popen(
                [sys.executable, str(SERVER), str(theirs.fileno()), " " * ROOM],
                env={"PATH": os.environ["PATH"], "ROOM": " " * ROOM}, cwd="/", pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self.close)

    def close(self):
        """Let it end; commands that run go on."""
        self._channel.close()
        self._process.wait()

    def fork(self, words, environment, folder, files):
        """Begin a command, a child of this process; return its number."""
        order = json.dumps([words, environment, folder]).encode()
        with _turn:
            # It forks twice: the command's parent is gone at once, and then the nearest that takes orphans is we.
            _adopt(1)
            try:
                socket.send_fds(self._channel, [len(order).to_bytes(8, "little")], files)
                self._channel.sendall(order)
                return int(self._channel.recv(100))
            finally:
                _adopt(0)


@lru_cache
def prepared():
    """Return this process's own."""
    return Prepared()


def _adopt(yes):
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, yes, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def plain(words, environment):
    """Tell whether a fork of a prepared process behaves as the command executed would."""
    known = all(name in {"PATH", "HOME"} or name.startswith("DSI_") for name in environment)
    return known and words[0] == DSI and sum(len(os.fsencode(word)) + 1 for word in words) < ROOM


class Forked(subprocess.Popen):
    """A command that is forked and not executed."""

    def _execute_child(self, args, *parts):
        _executable, _preexec, _close, _pass, cwd, env, _startup, _flags, _shell, *rest = parts
        stdin, _, _, stdout, _, stderr = pipes = rest[:6]
        files = [own if own != -1 else number for number, own in enumerate((stdin, stdout, stderr))]
        self.pid = prepared().fork(list(map(str, args)), env, str(cwd or Path.cwd()), files)
        self._child_created = True
        self._close_pipe_fds(*pipes)


def start(words, *, env, **more):
    """Start a command; return its `subprocess.Popen`."""
    return (Forked if plain(words, env) else subprocess.Popen)(words, env=env, **more)


def run(words, *, env, input=None, timeout=None, **more):  # noqa: A002  # as subprocess.run has it
    """Run a command to its end, as `subprocess.run` does with its output captured as text."""
    stdin = {} if input is None else {"stdin": subprocess.PIPE}
    with start(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **stdin, **more) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(words, process.returncode, out, err)
