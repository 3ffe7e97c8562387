"""The prepared process that commands are forks of; see `forking.py`. Usage: forked_dsi.py CHANNEL CHANNEL ROOM."""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

NOT_OURS = ("dsi_automation.ansible_collections", "dsi_automation.ansible.", "dsi_automation.journal.migrations")
"""Not imported by commands: they run inside Ansible and Alembic."""
OF_ANSIBLE = (
    "ansible._internal._datatag._tags", "ansible.inventory.manager", "ansible.parsing.dataloader",
    "ansible.plugins.loader", "ansible.template", "ansible.vars.hostvars", "ansible.vars.manager",
)  # fmt: skip
THEIRS = (
    "alembic.command", "alembic.config", "azure.core.pipeline.transport", "azure.identity.aio", "fabric", "httpx",
    "jinja2.nativetypes", "kiota_authentication_azure.azure_identity_authentication_provider",
    "kiota_http.middleware.options", "msgraph", "msgraph.generated.users.users_request_builder",
    "multiprocessing.managers", "multiprocessing.popen_fork", "multiprocessing.queues", "paramiko", "rich.console",
    "rich.live", "rich.table", "sqlalchemy.dialects.sqlite", "winrm.protocol", "yaml",
)  # fmt: skip
"""What ours import only when they need it; Ansible's own apart."""
PROGRAMS = {"ansible": "adhoc", "ansible-doc": "doc", "ansible-playbook": "playbook"}
"""Ansible's programs, by the module of `ansible.cli` that each is."""
PR_SET_NAME = 15


def load(names):
    """Import modules that are there."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def prepare():
    """Import what commands import, but for Ansible."""
    import dsi_automation

    found = pkgutil.walk_packages(dsi_automation.__path__, "dsi_automation.", onerror=lambda _: None)
    ours = [part.name for part in found if not part.name.startswith(NOT_OURS) and "__main__" not in part.name]
    load((*ours, *THEIRS))
    assert "ansible" not in sys.modules, "it would have read settings that are not the command's"


def prepare_dsi():
    """Import what `dsi` imports of Ansible."""
    with tempfile.TemporaryDirectory(prefix="dsi-fork-") as home:
        os.environ["HOME"] = home  # Ansible reads its settings when it is imported: there are none
        load(OF_ANSIBLE)


def prepare_plugins():
    """Import what the plugins of our collection import."""
    load(("dsi_automation.ansible.plugin", "dsi_automation.ansible.standing"))
    assert "ansible" not in sys.modules


def run(program):
    """Be one of the programs."""
    if program in PROGRAMS:
        sys.exit(importlib.import_module(f"ansible.cli.{PROGRAMS[program]}").main())
    from dsi_automation.cli.main import main

    main()


def serve(channel):
    """Fork for each order; return in the fork, with its order, or with None when nobody orders any more."""
    while True:
        size, files, _, _ = socket.recv_fds(channel, 8, 3)
        if not size:
            return None
        order, (reader, writer) = json.loads(channel.recv(int.from_bytes(size, "little"))), os.pipe()
        between = os.fork()
        if between == 0:
            command = os.fork()
            if command == 0:
                os.close(reader)
                os.close(writer)
                channel.close()
                return order, files
            os.write(writer, str(command).encode())
            os._exit(0)
        os.waitpid(between, 0)
        os.close(writer)
        channel.send(os.read(reader, 100))
        os.close(reader)
        for file in files:
            os.close(file)


def become(order, files):
    """Take over what belongs to the command: its words, environment, folder and descriptors."""
    words, environment, folder = order
    kept = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}  # Python set it itself (PEP 538)
    os.environ.clear()
    os.environ.update({**kept, **environment})
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # Those that are there took the server's files for what they are: Ansible sets them up anew, and they could not.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        was = getattr(sys, name)
        mode, lines = ("r", -1) if number == 0 else ("w", 1 if number == 2 else -1)
        stream = os.fdopen(number, mode, lines, encoding=was.encoding, errors=was.errors, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = words
    sys.path[0] = str(Path(words[0]).parent)
    shebang = [sys.executable, *words]
    _show(shebang, [f"{name}={value}" for name, value in environment.items()])


def _show(words, environment):
    """Put a command line and an environment where /proc/PID/cmdline and /proc/PID/environ are read from (proc(5)).

    What is left of the room stays, as zero bytes: only who may do everything can make it smaller (prctl(2), PR_SET_MM).
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    arg_start, arg_end, env_start, env_end = map(int, fields[45:49])
    for start, end, texts in ((arg_start, arg_end, words), (env_start, env_end, environment)):
        shown = b"".join(os.fsencode(text) + b"\0" for text in texts)
        assert len(shown) < end - start, "too long for the room there is"
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, shown, len(shown))
    ctypes.CDLL(None).prctl(PR_SET_NAME, os.fsencode(Path(words[1]).name), 0, 0, 0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests' own end is theirs
    of_dsi, of_ansible = (socket.socket(fileno=int(word)) for word in sys.argv[1:3])
    prepare()
    # Two from here on, for what `dsi` imports of Ansible its programs must not find.
    both = os.fork()
    line, other, prepare_more = (of_dsi, of_ansible, prepare_dsi) if both else (of_ansible, of_dsi, prepare_plugins)
    other.close()
    prepare_more()
    gc.collect()
    gc.freeze()
    if asked := serve(line):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        become(*asked)
        run(Path(sys.argv[0]).name)
