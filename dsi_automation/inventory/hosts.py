"""One host of the inventory as the toolkit acts on it: its site, what it is for, how to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.model import Environment, NonEmpty
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.inventory.ssh_hosts import SshHost

HTTP_PORT: Final = 5985


@dataclass(frozen=True, slots=True)
class WindowsHost:
    """How to reach a Windows machine over WS-Management; the composition makes a connector's endpoint of it.

    Attributes:
        name: the name in the inventory.
        host: address or DNS name.
        scheme: `http` or `https`.
        transport: `ntlm`, `kerberos`, `certificate`, `credssp` or `basic`.
        credential: name in `dsi_credentials`; None for a client certificate or the Kerberos ticket at hand.
        ca_file, certificate, certificate_key: absolute paths of PEM files.
        kerberos_host: the name in the service ticket, when it is not `host`.
        read_timeout, connect_timeout, operation_timeout: seconds.
    """

    name: str
    host: str
    port: int
    scheme: str
    transport: str
    credential: str | None
    ca_file: str | None
    certificate: str | None
    certificate_key: str | None
    kerberos_host: str | None
    read_timeout: float
    connect_timeout: float
    operation_timeout: float


@dataclass(frozen=True, slots=True)
class Target:
    """A host of the inventory.

    Attributes:
        groups: every group it is in, without `all`.
        site: code of its site, or None.
        environment: what it is for; policy depends on it.
        windows: how to reach it when it is a Windows machine (`ansible_connection: winrm`).
        ssh: how to reach it over SSH (`ansible_connection: ssh`, the default).
    """

    name: str
    groups: tuple[str, ...]
    site: str | None
    environment: Environment
    windows: WindowsHost | None
    ssh: SshHost | None = None


class HostVariables(BaseModel):
    """Variables of any host that the toolkit reads.

    Attributes:
        dsi_site: code of the host's site, a key of `dsi_sites`.
        dsi_environment: what the host is for; approval policy depends on it.
        dsi_credential: name in `dsi_credentials` of the account to log in with: the local administrator's.
        ansible_connection: `winrm` for a Windows machine.
    """

    model_config = ConfigDict(frozen=True)

    dsi_site: NonEmpty | None = None
    dsi_environment: Environment = Environment.PRODUCTION
    dsi_credential: NonEmpty | None = None
    ansible_connection: str = "ssh"


def _one_transport(value: Any) -> Any:
    """Ansible takes a list; the first that works would be used, and nobody would know which."""
    if isinstance(value, list):
        if len(value) != 1:
            raise WrongValueError(T("exactly one transport is expected."))
        return value[0]
    return value


def _verified(value: Any) -> Any:
    if str(value) != "validate":
        raise WrongValueError(
            T("certificates are always verified: give the site's CA in ansible_winrm_ca_trust_path instead.")
        )
    return value


type _Seconds = Annotated[float, Field(gt=0)]


class WindowsVariables(BaseModel):
    """Ansible's own variables for WinRM, as far as the toolkit reads them.

    Attributes:
        ansible_host: address or DNS name; by default the name in the inventory.
        ansible_port: 5985 for HTTP, 5986 for HTTPS.
        ansible_winrm_scheme: by default `http` on port 5985, else `https`.
        ansible_winrm_transport: how the exchange is authenticated.
        ansible_winrm_path: only the standard path is served.
        ansible_winrm_ca_trust_path: the site's CA for HTTPS, PEM, relative to the inventory; by default the system's.
        ansible_winrm_server_cert_validation: certificates are always verified.
        ansible_winrm_cert_pem: client certificate, PEM, relative to the inventory.
        ansible_winrm_cert_key_pem: its key.
        ansible_winrm_kerberos_hostname_override: the name in the service ticket, when it is not ansible_host.
        ansible_winrm_read_timeout_sec: seconds to wait for one answer; more than the operation's.
        ansible_winrm_operation_timeout_sec: seconds the machine may take for one operation.
        ansible_winrm_connection_timeout: seconds to wait for a connection.
    """

    model_config = ConfigDict(frozen=True)

    ansible_host: NonEmpty | None = None
    ansible_port: Annotated[
        int, Field(ge=1, le=65535, validation_alias=AliasChoices("ansible_winrm_port", "ansible_port"))
    ] = 5986
    ansible_winrm_scheme: Literal["http", "https"] | None = None
    ansible_winrm_transport: Annotated[
        Literal["ntlm", "kerberos", "certificate", "credssp", "basic"], BeforeValidator(_one_transport)
    ] = "ntlm"
    ansible_winrm_path: Literal["/wsman", "wsman"] = "/wsman"
    ansible_winrm_ca_trust_path: NonEmpty | None = None
    ansible_winrm_server_cert_validation: Annotated[str, BeforeValidator(_verified)] = "validate"
    ansible_winrm_cert_pem: NonEmpty | None = None
    ansible_winrm_cert_key_pem: NonEmpty | None = None
    ansible_winrm_kerberos_hostname_override: NonEmpty | None = None
    ansible_winrm_read_timeout_sec: _Seconds = 30
    ansible_winrm_operation_timeout_sec: _Seconds = 20
    ansible_winrm_connection_timeout: _Seconds = 5

    @property
    def scheme(self) -> str:
        """Return the scheme, by Ansible's rule when it is not given."""
        return self.ansible_winrm_scheme or ("http" if self.ansible_port == HTTP_PORT else "https")

    @model_validator(mode="after")
    def _coherent(self) -> WindowsVariables:
        transport = self.ansible_winrm_transport
        if transport in {"basic", "certificate"} and self.scheme == "http":
            raise WrongValueError(
                T("the transport {transport} needs https: nothing would be sealed over http.", transport=transport),
                "ansible_winrm_transport",
            )
        if transport == "certificate" and not (self.ansible_winrm_cert_pem and self.ansible_winrm_cert_key_pem):
            raise WrongValueError(
                T("the transport certificate needs ansible_winrm_cert_pem and ansible_winrm_cert_key_pem."),
                "ansible_winrm_transport",
            )
        if self.ansible_winrm_read_timeout_sec <= self.ansible_winrm_operation_timeout_sec:
            raise WrongValueError(
                T("ansible_winrm_read_timeout_sec must be longer than ansible_winrm_operation_timeout_sec."),
                "ansible_winrm_read_timeout_sec",
            )
        return self

    def host(self, name: str, credential: str | None, home: Path) -> WindowsHost:
        """Return the machine these variables describe; file paths are taken from `home`."""
        return WindowsHost(
            name=name,
            host=self.ansible_host or name,
            port=self.ansible_port,
            scheme=self.scheme,
            transport=self.ansible_winrm_transport,
            credential=credential,
            ca_file=_absolute(home, self.ansible_winrm_ca_trust_path),
            certificate=_absolute(home, self.ansible_winrm_cert_pem),
            certificate_key=_absolute(home, self.ansible_winrm_cert_key_pem),
            kerberos_host=self.ansible_winrm_kerberos_hostname_override,
            read_timeout=self.ansible_winrm_read_timeout_sec,
            connect_timeout=self.ansible_winrm_connection_timeout,
            operation_timeout=self.ansible_winrm_operation_timeout_sec,
        )


HOST_NAMES: Final = tuple(HostVariables.model_fields)
WINDOWS_NAMES: Final = (*WindowsVariables.model_fields, "ansible_winrm_port")


def _absolute(home: Path, path: str | None) -> str | None:
    return None if path is None else str((home / Path(path).expanduser()).absolute())
