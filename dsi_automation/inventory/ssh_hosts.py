"""How a host of the inventory is reached over SSH: Ansible's own variables, as far as the toolkit reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from dsi_automation.inventory.model import NonEmpty


@dataclass(frozen=True, slots=True)
class SshHost:
    """How to reach a machine over SSH.

    Attributes:
        name: the name in the inventory.
        host: address or DNS name.
        credential: name in `dsi_credentials` of the account, when it logs in with a password.
        key, known_hosts: absolute paths, or None.
        sudo: run programs through sudo.
        connect_timeout: seconds.
    """

    name: str
    host: str
    port: int
    user: str
    credential: str | None
    key: str | None
    known_hosts: str | None
    sudo: bool
    connect_timeout: float


class SshVariables(BaseModel):
    """Ansible's variables for SSH.

    Attributes:
        ansible_host: address or DNS name; by default the name in the inventory.
        ansible_port: of sshd.
        ansible_user: who logs in.
        ansible_ssh_private_key_file: private key, relative to the inventory; by default the agent's keys.
        ansible_become: run programs as root, through sudo.
        ansible_timeout: seconds to wait for a connection.
        dsi_ssh_known_hosts: file with the host's key, relative to the inventory; by default the user's and the
            system's known_hosts. A host key that is not in it is refused.
    """

    model_config = ConfigDict(frozen=True)

    ansible_host: NonEmpty | None = None
    ansible_port: Annotated[
        int, Field(ge=1, le=65535, validation_alias=AliasChoices("ansible_ssh_port", "ansible_port"))
    ] = 22
    ansible_user: Annotated[NonEmpty, Field(validation_alias=AliasChoices("ansible_ssh_user", "ansible_user"))] = "root"
    ansible_ssh_private_key_file: NonEmpty | None = None
    ansible_become: bool = False
    ansible_timeout: Annotated[float, Field(gt=0)] = 10
    dsi_ssh_known_hosts: NonEmpty | None = None

    def host(self, name: str, credential: str | None, home: Path) -> SshHost:
        """Return the machine these variables describe; file paths are taken from `home`."""
        return SshHost(
            name=name,
            host=self.ansible_host or name,
            port=self.ansible_port,
            user=self.ansible_user,
            credential=credential,
            key=_absolute(home, self.ansible_ssh_private_key_file),
            known_hosts=_absolute(home, self.dsi_ssh_known_hosts),
            sudo=self.ansible_become,
            connect_timeout=self.ansible_timeout,
        )


SSH_NAMES: Final = (*SshVariables.model_fields, "ansible_ssh_port", "ansible_ssh_user")


def _absolute(home: Path, path: str | None) -> str | None:
    return None if path is None else str((home / Path(path).expanduser()).absolute())
