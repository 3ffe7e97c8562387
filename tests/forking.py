"""`dsi`, and Ansible's programs, as processes of their own that need not import anything: forks of one that has.

Half of what a command costs is Python importing the same modules again. `Forked` is `subprocess.Popen` for the command:
the process is a child of the test's, has its own environment, folder, command line and descriptors, can be watched,
signalled and killed, and ends as any other; only the imports are there before it begins. Where the environment may
change what importing does (`LANG`, `PYTHON*`, `ANSIBLE_*`, faketime), the command is executed as people do.

What is forked for one of Ansible's programs has imported nothing of Ansible: that reads its settings, from the
environment and the folder it is started in, when it is imported. `forked_dsi.py` is the other side.
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
ANSIBLE = frozenset(
    str(Path(sys.executable).with_name(name)) for name in ("ansible", "ansible-doc", "ansible-playbook")
)
SERVER = Path(__file__).with_name("forked_dsi.py")
ROOM = 32 * 1024
"""Bytes that a command line, and an environment, of a fork may have; longer ones are executed."""
PR_SET_CHILD_SUBREAPER = 36
_turn = threading.Lock()


class Prepared:
    """The process that commands are forks of."""

    def __init__(self):
        ours, theirs = zip(*(socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)), strict=True)
        self._dsi, self._ansible = ours
        numbers = [line.fileno() for line in theirs]
        # What is here when it starts is as much room as the forks have to show their own.
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), *map(str, numbers), " " * ROOM],
            env={"PATH": os.environ["PATH"], "ROOM": " " * ROOM}, cwd="/", pass_fds=numbers,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for line in theirs:
            line.close()
        atexit.register(self.close)

    def close(self):
        """Let it end; commands that run go on."""
        self._dsi.close()
        self._ansible.close()
        self._process.wait()

    def fork(self, words, environment, folder, files):
        """Begin a command, a child of this process; return its number."""
        order = json.dumps([words, environment, folder]).encode()
        channel = self._ansible if words[0] in ANSIBLE else self._dsi
        with _turn:
            # It forks twice: the command's parent is gone at once, and then the nearest that takes orphans is we.
            _adopt(1)
            try:
                socket.send_fds(channel, [len(order).to_bytes(8, "little")], files)
                channel.sendall(order)
                return int(channel.recv(100))
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
    ansible = words[0] in ANSIBLE
    prefixes = ("DSI_", "ANSIBLE_") if ansible else ("DSI_",)
    known = all(name in {"PATH", "HOME"} or name.startswith(prefixes) for name in environment)
    return known and (ansible or words[0] == DSI) and sum(len(os.fsencode(word)) + 1 for word in words) < ROOM


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
