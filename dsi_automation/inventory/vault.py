"""Ansible Vault: the passwords there are, read when first needed, and values decrypted one by one."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsi_automation.core import secrets
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from ansible.parsing.dataloader import DataLoader


class Vault:
    """The vault passwords of this controller.

    They come from ANSIBLE_VAULT_PASSWORD_FILE, dsi.yml or Ansible's own configuration. None is read before a value
    has to be decrypted: a command that needs no secret needs no vault password either.
    """

    def __init__(self, password_file: Path | None, loader: DataLoader) -> None:
        """Use the password file that environment or dsi.yml name, else those of Ansible's configuration."""
        self._files = _password_files(password_file)
        self._secrets = [(vault_id, _lazy_secret(path, loader)) for vault_id, path in self._files]
        # A file that is encrypted as a whole has to be decrypted for its variables to be known at all.
        loader.set_vault_secrets(self._secrets)

    def decrypt(self, name: str, ciphertext: str) -> Secret:
        """Return the value of an encrypted variable.

        Raises:
            UsageError: no vault password is known, or none of them is the right one.
        """
        from ansible.errors import AnsibleError
        from ansible.parsing.vault import VaultLib

        if not self._files:
            raise UsageError(
                T("The variable {name} is encrypted and no vault password is known.", name=name),
                next_step=T("Name its file in ANSIBLE_VAULT_PASSWORD_FILE or as vault_password_file in dsi.yml."),
            )
        try:
            # A new line typed after the password at ansible-vault's prompt is no part of it.
            return Secret(VaultLib(self._secrets).decrypt(ciphertext).decode("utf-8").removesuffix("\n"))
        except (AnsibleError, UnicodeDecodeError) as error:
            raise UsageError(
                T(
                    "The variable {name} cannot be decrypted with the vault password of {files}.",
                    name=name,
                    files=", ".join(str(path) for _, path in self._files),
                ),
                next_step=T("Check the password file, or encrypt the value again with ansible-vault encrypt_string."),
            ) from error


def _password_files(named: Path | None) -> list[tuple[str, Path]]:
    """Return vault id and password file of each password; identities that would ask at the terminal are left out."""
    from ansible import constants

    default = named or constants.DEFAULT_VAULT_PASSWORD_FILE
    files = [(str(constants.DEFAULT_VAULT_IDENTITY), Path(str(default)))] if default else []
    for identity in constants.DEFAULT_VAULT_IDENTITY_LIST or ():
        vault_id, _, place = str(identity).rpartition("@")
        if place not in {"prompt", "prompt_ask_vault_pass"}:
            files.append((vault_id or str(constants.DEFAULT_VAULT_IDENTITY), Path(place).expanduser()))
    return files


def _lazy_secret(path: Path, loader: DataLoader) -> Any:
    """Return a vault secret of Ansible's that reads its file (or runs its program) at its first use."""
    from ansible.parsing.vault import VaultSecret, get_file_vault_secret

    class LazySecret(VaultSecret):  # type: ignore[misc]  # the class is imported late on purpose
        @cached_property
        def bytes(self) -> bytes:
            source = get_file_vault_secret(filename=str(path), loader=loader)
            source.load()
            password = bytes(source.bytes)
            secrets.register(password.decode("utf-8", "replace"))
            return password

    return LazySecret()
