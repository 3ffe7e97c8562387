"""From where a secret is to the secret itself, at the moment it is needed and not before."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from dsi_automation.core.errors import UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.inventory.model import SecretSource


class VaultVariables(Protocol):
    """Encrypted variables of the inventory."""

    def vault_value(self, name: str, target: str | None) -> Secret:
        """Decrypt one variable."""
        ...


def resolve(
    source: SecretSource, home: Path, environ: Mapping[str, str], vault: VaultVariables, target: str | None = None
) -> Secret:
    """Return the secret a source points to.

    Args:
        source: where it is.
        home: the inventory's folder, which files are relative to.
        environ: the environment variables.
        vault: the inventory's encrypted variables.
        target: the host it is for: an encrypted variable may differ from host to host.

    Raises:
        UsageError: it is not there, is empty, or others can read it.
    """
    if source.file is not None:
        return _from_file(home / Path(source.file).expanduser())
    if source.env is not None:
        return _from_environment(source.env, environ)
    return vault.vault_value(str(source.vault), target)


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(name, "")
    if not value:
        raise UsageError(
            T("The environment variable {name}, which should hold a password, is not set.", name=name),
            next_step=T("Set it in the shell that starts dsi, without writing it on a command line."),
        )
    return Secret(value)


def _from_file(path: Path) -> Secret:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UsageError(
            T("The password file {path} does not exist.", path=path),
            next_step=T("Write the password alone in it, then: chmod 600 {path}", path=path),
        ) from error
    except OSError as error:
        raise UsageError(
            T("The password file {path} cannot be read: {reason}.", path=path, reason=reason_of(error)),
            next_step=T("Write the password alone in it, then: chmod 600 {path}", path=path),
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        # The mode of what was opened, not of what the name pointed to a moment earlier.
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(T("The password file {path} is not an ordinary file.", path=path))
        if stat.S_IMODE(status.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(
                T("The password file {path} can be read by others than its owner.", path=path),
                meaning=T("The password in it is to be taken as known: change it."),
                next_step=T("Close the file with: chmod 600 {path}", path=path),
            )
        content = file.read()
    try:
        value = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(T("The password file {path} is not UTF-8 text.", path=path)) from error
    if not value:
        raise UsageError(
            T("The password file {path} is empty.", path=path), next_step=T("Write the password alone in it.")
        )
    return Secret(value)
