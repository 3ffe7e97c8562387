"""Calling OpenSSH's own programs: documents by standard input, nothing secret among the arguments."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Final

from dsi_automation.core.text import T
from dsi_automation.journal.errors import SigningError

TIMEOUT: Final = 120
"""Seconds: somebody may have to type a passphrase or touch a hardware key."""


def ssh_keygen(arguments: Sequence[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `ssh-keygen`; a passphrase is asked on the terminal, by itself.

    Args:
        data: its standard input.

    Raises:
        SigningError: it is not installed, or nobody answered it in two minutes.
    """
    return run(["ssh-keygen", *arguments], data)


def run(command: Sequence[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a program of OpenSSH in the C locale, so that its messages can be told apart.

    Raises:
        SigningError: it is not installed, or nobody answered it in two minutes.
    """
    try:
        return subprocess.run(
            command, input=data, capture_output=True, timeout=TIMEOUT, check=False, env={**os.environ, "LC_ALL": "C"}
        )
    except FileNotFoundError as error:
        raise SigningError(
            T("The program {program} is not installed.", program=command[0]),
            next_step=T("Install it with: apt-get install openssh-client"),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SigningError(
            T("Nobody answered {program} within {seconds} s.", program=command[0], seconds=TIMEOUT),
            next_step=T("Type the passphrase or touch the hardware key when it is asked for."),
        ) from error
