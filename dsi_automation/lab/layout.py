"""Where everything of one lab is: its names, addresses and files, all derived from its name and its network."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

DEFAULT_NAME: Final = "lab"
DEFAULT_NETWORK: Final = "198.18.0.0/16"
LONGEST_ROOT: Final = 107 - len("/dc/run/ncalrpc/np/protected_storage:0")
"""Bytes of the path of a lab's directory: sun_path holds 107 (unix(7)), and this is Samba's longest socket below."""
BENCHMARKING: Final = ipaddress.IPv4Network("198.18.0.0/15")
"""RFC 2544, RFC 6815: addresses set aside for tests between devices; they are routed nowhere."""
LONGEST_PREFIX: Final = 22
MOST_WORKSTATIONS: Final = 500

DOMAIN: Final = "ad.douanes.lab"
REALM: Final = "AD.DOUANES.LAB"
NETBIOS: Final = "DOUANES"
BASE_DN: Final = "DC=ad,DC=douanes,DC=lab"
DC_HOST: Final = "dc1"
DC_NAME: Final = f"{DC_HOST}.{DOMAIN}"

SERVERS: Final = {
    "srv1": 30,
    "store": 31,
    "db1": 32,
    "mail": 33,
    "ora1": 34,
    "prometheus": 35,
    "app1": 36,
    "app2": 37,
    "apptest": 38,
    "appform": 39,
}
"""Index of each server's address in the lab's network."""
APPLICATION_SERVERS: Final = ("app1", "app2", "apptest", "appform")

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# An interface name holds 15 characters (IFNAMSIZ): `dsi-` and the lab's name.
NAME: Final = re.compile(r"[a-z][a-z0-9]{0,10}")


@dataclass(frozen=True)
class Layout:
    """The names, addresses and paths of one lab.

    Attributes:
        name: the lab's name, which prefixes its namespaces and its interface.
        network: its addresses, within 198.18.0.0/15.
        root: the lab directory, where everything but the inventory of the default lab is kept.
    """

    name: str
    network: ipaddress.IPv4Network
    root: Path

    @classmethod
    def of(cls, name: str = DEFAULT_NAME, network: str = DEFAULT_NETWORK) -> Layout:
        """Return the layout of a lab, under `DSI_LAB_DIR` or /var/lib/dsi-lab.

        Raises:
            UsageError: the name or the network cannot be used.
        """
        if not NAME.fullmatch(name):
            raise UsageError(
                T("“{name}” cannot name a lab.", name=name),
                next_step=T("Use at most 11 lower-case letters and digits, starting with a letter."),
            )
        base = Path(os.environ.get("DSI_LAB_DIR") or "/var/lib/dsi-lab")
        return cls(name, _network(network), (base / name).absolute())

    def address(self, index: int) -> str:
        """Return the address at that index of the lab's network."""
        return str(self.network.network_address + index)

    def workstation_address(self, number: int) -> str:
        """Return the address of the n-th simulated workstation: x.y.1.1 for the first."""
        return self.address(256 + number)

    @property
    def controller_address(self) -> str:
        """The address of the controller's end, in the machine's own namespace."""
        return self.address(1)

    @property
    def dc_address(self) -> str:
        """The address of the domain controller."""
        return self.address(10)

    @property
    def tenant_address(self) -> str:
        """The address of the simulated Microsoft 365 tenant: Graph and the token endpoint."""
        return self.address(20)

    @property
    def server_addresses(self) -> dict[str, str]:
        """The addresses of the servers that are backed up and of those that backups need, by their names."""
        return {name: self.address(index) for name, index in SERVERS.items()}

    @property
    def interface(self) -> str:
        """The lab's one interface in the machine's own namespace."""
        return f"dsi-{self.name}"

    @property
    def dc_namespace(self) -> str:
        """The namespace of the domain controller."""
        return f"{self.name}-dc"

    @property
    def ws_namespace(self) -> str:
        """The namespace of the workstations; the lab's switch is in it too."""
        return f"{self.name}-ws"

    @property
    def namespaces(self) -> tuple[str, str]:
        """Both namespaces."""
        return (self.dc_namespace, self.ws_namespace)

    @property
    def config_file(self) -> Path:
        """What this lab was asked to be, and how far its start came."""
        return self.root / "lab.json"

    @property
    def ca_dir(self) -> Path:
        """The lab's certificate authority and what it issued."""
        return self.root / "ca"

    @property
    def ca_file(self) -> Path:
        """The certificate that clients trust, PEM."""
        return self.ca_dir / "ca.pem"

    @property
    def dc_dir(self) -> Path:
        """Samba's files."""
        return self.root / "dc"

    @property
    def smb_conf(self) -> Path:
        """Samba's settings."""
        return self.dc_dir / "smb.conf"

    @property
    def krb5_conf(self) -> Path:
        """Kerberos settings for clients of the lab: `KRB5_CONFIG`."""
        return self.root / "krb5.conf"

    @property
    def password_dir(self) -> Path:
        """One file a password, 0600."""
        return self.root / "passwords"

    @property
    def key_dir(self) -> Path:
        """The SSH keys of the lab's persons."""
        return self.root / "keys"

    @property
    def run_dir(self) -> Path:
        """Process records and sockets."""
        return self.root / "run"

    @property
    def log_dir(self) -> Path:
        """What the daemons say."""
        return self.root / "log"

    @property
    def ws_dir(self) -> Path:
        """The simulator's specification and state."""
        return self.root / "workstations"

    @property
    def control_socket(self) -> Path:
        """The simulator's control socket: HTTP and JSON."""
        return self.run_dir / "control.sock"

    @property
    def graph_dir(self) -> Path:
        """The tenant simulator's settings and state."""
        return self.root / "graph"

    @property
    def graph_socket(self) -> Path:
        """The tenant simulator's control socket: HTTP and JSON."""
        return self.run_dir / "graph.sock"

    @property
    def graph_record(self) -> Path:
        """Every request the tenant simulator was sent, JSON lines, without secrets."""
        return self.log_dir / "graph-requests.jsonl"

    @property
    def app_certificate(self) -> Path:
        """The certificate and the key of the application that works in the tenant, PEM, 0600."""
        return self.root / "m365" / "app.pem"

    @property
    def ssh_dir(self) -> Path:
        """Keys of the servers and of who logs in to them, and known_hosts."""
        return self.root / "ssh"

    @property
    def server_dir(self) -> Path:
        """What the servers hold, one folder each."""
        return self.root / "servers"

    @property
    def store_dir(self) -> Path:
        """What the storage server holds: the repositories of the backups."""
        return self.root / "store"

    @property
    def router_dir(self) -> Path:
        """What the routers hold, one folder each."""
        return self.root / "routers"

    @property
    def release_dir(self) -> Path:
        """The releases of SYDAM World that may be integrated, with their checksums and signatures."""
        return self.root / "releases"

    @property
    def db_dir(self) -> Path:
        """PostgreSQL's data, its archived log and its socket."""
        return self.root / "db"

    @property
    def mail_dir(self) -> Path:
        """What the mail server took."""
        return self.root / "mail"

    @property
    def disk_dir(self) -> Path:
        """The images of the external disks."""
        return self.root / "disks"

    @property
    def disk_mount(self) -> Path:
        """Where the external disk that is in is mounted."""
        return self.root / "media" / "externe"

    @property
    def scratch_dir(self) -> Path:
        """Where backups are verified, and where they are staged."""
        return self.root / "scratch"

    @property
    def state_dir(self) -> Path:
        """The toolkit's own state (journal, controller key) for work done on this lab."""
        return self.root / "state"

    @cached_property
    def inventory_dir(self) -> Path:
        """The generated inventory: in the source tree for the default lab, in the lab directory otherwise."""
        source = Path(__file__).resolve().parents[2]
        is_default = self.name == DEFAULT_NAME and not os.environ.get("DSI_LAB_DIR")
        if is_default and (source / "pyproject.toml").is_file():
            return source / "inventories" / "lab"
        return self.root / "inventory"

    def environment(self) -> dict[str, str]:
        """Return the environment of the lab's processes: the caller's PATH, and nothing that could carry a secret."""
        return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": "/root", "KRB5_CONFIG": str(self.krb5_conf)}


def refuse_long_path(root: Path) -> None:
    """Refuse a directory below which Samba could not make its sockets.

    Raises:
        UsageError: the path is too long.
    """
    if len(os.fsencode(root)) > LONGEST_ROOT:
        raise UsageError(
            T("The lab's directory {path} has too long a path.", path=str(root)),
            meaning=T("Samba makes sockets below it, and a socket's path holds 107 characters."),
            next_step=T("Set DSI_LAB_DIR to a shorter one, at most {n} characters with the name.", n=LONGEST_ROOT),
        )


def _network(text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise UsageError(
            T("“{network}” is not an IPv4 network.", network=text),
            next_step=T("Write it as in 198.19.0.0/16."),
        ) from error
    if network.prefixlen > LONGEST_PREFIX or not network.subnet_of(BENCHMARKING):
        raise UsageError(
            T("The lab cannot use {network}.", network=text),
            meaning=T("It keeps to the benchmarking range 198.18.0.0/15, so that it can never meet a real network."),
            next_step=T("Choose a network of that range, of size /22 or larger: 198.18.0.0/16 or 198.19.0.0/16."),
        )
    return network
