"""What operations ask of a Windows machine: typed reads, and methods for the write half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from dsi_automation.core.secrets import Secret

type CimScalar = str | int | bool | float | datetime | None
type CimValue = CimScalar | tuple[CimScalar, ...]
type CimInstance = Mapping[str, CimValue]
"""Property name to value, typed by the class schema the connector knows (`schema.py`)."""


class Transport(StrEnum):
    """How the exchange is authenticated, by pywinrm's names."""

    NTLM = "ntlm"
    KERBEROS = "kerberos"
    CERTIFICATE = "certificate"
    CREDSSP = "credssp"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class WindowsEndpoint:
    """Where a machine answers and how to prove who asks.

    Attributes:
        name: the name in the inventory, for messages.
        host: address or DNS name to connect to.
        scheme: `http` (then the transport must seal: NTLM, Kerberos, CredSSP) or `https`.
        ca_file: the site's CA for HTTPS, PEM; None for the system's.
        certificate, certificate_key: PEM files for the certificate transport.
        kerberos_host: the name in the service ticket, when it is not `host`.
        read_timeout: seconds to wait for one answer.
        connect_timeout: seconds to wait for a connection.
        operation_timeout: seconds the server may take for one method, asked of it in the request.
    """

    name: str
    host: str
    port: int = 5985
    scheme: str = "http"
    transport: Transport = Transport.NTLM
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    ca_file: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    kerberos_host: str | None = None
    read_timeout: float = 30.0
    connect_timeout: float = 5.0
    operation_timeout: float = 20.0


class Hive(IntEnum):
    """Registry hives by their StdRegProv numbers."""

    LOCAL_MACHINE = 2147483650
    USERS = 2147483651


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What a CIM method answered.

    Attributes:
        return_value: 0 is success; the meaning of others depends on the method.
        out: the other out-parameters.
    """

    return_value: int
    out: CimInstance


class WritePermit(Protocol):
    """Proof that writing is allowed, asked before every write; the engine's permit is one."""

    def check(self, target: str) -> None:
        """Make sure that `target`, a name of the inventory, may still be written to.

        Raises:
            GateClosedError: it may not, or no longer.
        """
        ...


class WindowsReader(Protocol):
    """The read half: one HTTP exchange per call. Not shared between threads."""

    @property
    def endpoint(self) -> WindowsEndpoint:
        """Return where it reads."""
        ...

    def query(
        self, class_name: str, properties: Sequence[str], where: Mapping[str, CimScalar] | None = None
    ) -> Sequence[CimInstance]:
        """Return the instances of a class, all pages of them; `where` is equality on each property.

        Raises:
            UnreachableError: no answer in time; RefusedError: the machine said no;
            FeatureAbsentError: the class does not exist there.
        """
        ...

    def get(self, class_name: str, selectors: Mapping[str, str]) -> CimInstance | None:
        """Return one instance by its keys, or None when there is no such instance."""
        ...

    def registry_value(self, hive: Hive, key: str, name: str) -> str | int | tuple[str, ...] | None:
        """Return a registry value (string, dword or multi-string), or None when key or value is absent."""
        ...

    def registry_key_exists(self, hive: Hive, key: str) -> bool:
        """Tell whether a registry key exists."""
        ...

    def class_methods(self, class_name: str) -> Mapping[str, Sequence[str]]:
        """Return the methods of a class on this machine and their in-parameters, from its schema."""
        ...

    def close(self) -> None:
        """End the session with the machine."""
        ...


class WindowsScripts(Protocol):
    """Runs scripts of the package on one machine, for what CIM cannot do. Each run checks its permit first."""

    def run(self, name: str, values: Mapping[str, Any], *, timeout: float = 600.0) -> Any:
        """Run a script once and return what it gives back.

        Args:
            name: a script of the package, without `.ps1`.
            values: its input: JSON values and secrets.
            timeout: seconds it may take in all.

        Raises:
            UnknownOutcomeError: it was started and its end not seen.
            RefusedError: the machine gives no shell, or the script stopped with an error.
            GateClosedError: the permit does not cover this machine, or no longer.
        """
        ...


class WindowsWriter(WindowsReader, Protocol):
    """The write half: also invokes methods. Each call checks its permit first."""

    def invoke(
        self,
        class_name: str,
        method: str,
        parameters: Mapping[str, CimValue | Secret],
        selectors: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> MethodResult:
        """Call a method once; never repeated by the connector.

        Args:
            parameters: a parameter that is None is left out (null); a Secret is sent only over a sealed channel.
            timeout: seconds the method may take, where that is more than the endpoint's.

        Raises:
            UnknownOutcomeError: the call was sent and its answer lost.
            UnreachableError: it could not be sent.
            RefusedError: the machine refused the call itself (a method's own code is in the result).
            GateClosedError: the permit does not cover this machine, or no longer.
        """
        ...
