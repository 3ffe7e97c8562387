"""The machines the contract suite runs on: one in memory, and the simulator over every transport it speaks."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from fix_winsim import WINSIM_ADMIN, WINSIM_PASSWORD, winsim_workstation

from dsi_automation.connectors.windows.client import CimReader, CimWriter
from dsi_automation.connectors.windows.memory import MemoryMachine, MemoryWriter
from dsi_automation.connectors.windows.port import Hive, Transport, WindowsEndpoint
from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.lab.windows.spec import Tls

NAME = "DESKTOP-7F3K2Q1"
PENDING = r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"
POLICIES = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
MANAGER = r"SYSTEM\CurrentControlSet\Control\Session Manager"


@dataclass
class Permit:
    is_open: bool = True
    asked: list[str] = field(default_factory=list)

    def check(self, target: str) -> None:
        self.asked.append(target)
        if not self.is_open:
            raise GateClosedError(T("No."), on=target)


@dataclass
class Place:
    """One machine: a writer, its permit, and how to see which methods it carried out."""

    writer: CimWriter | MemoryWriter
    permit: Permit
    done: object
    sim: object = None

    @property
    def name(self) -> str:
        return NAME


def memory_place() -> Place:
    endpoint = WindowsEndpoint("ws1", "192.0.2.1", password=Secret("none-at-all"))
    machine = MemoryMachine(endpoint)
    permit = Permit()

    def rename(call):
        if str(call.parameters["Name"]).isdigit():
            return 1210
        machine.registry[Hive.LOCAL_MACHINE, PENDING]["ComputerName"] = call.parameters["Name"]
        return 0

    machine.instances = {
        "Win32_ComputerSystem": [{"Name": NAME, "Workgroup": "WORKGROUP", "PartOfDomain": False, "Roles": ("NT",)}],
        "Win32_OperatingSystem": [
            {"ProductType": 1, "LastBootUpTime": dt.datetime(2026, 11, 20, tzinfo=dt.UTC), "MUILanguages": ("en-US",)}
        ],
        "Win32_PhysicalMemory": [{"Tag": f"Physical Memory {n}", "Capacity": 4 * 1024**3} for n in (0, 1)],
        "Win32_LogicalDisk": [{"DeviceID": "C:", "DriveType": 3, "Size": 10**11}],
        "Win32_UserAccount": [
            {"Name": name, "Domain": NAME, "LocalAccount": True} for name in ("Administrateur", "awa", "second")
        ],
        "Win32_UserProfile": [{"SID": "S-1-5-21-1-2-3-1001", "LocalPath": r"C:\Users\awa", "Loaded": False}],
        "Win32_Service": [{"Name": "Winmgmt"}],
    }
    machine.registry = {
        (Hive.LOCAL_MACHINE, PENDING): {"ComputerName": NAME},
        (Hive.LOCAL_MACHINE, POLICIES): {"EnableLUA": 1},
        (Hive.LOCAL_MACHINE, MANAGER): {"PendingFileRenameOperations": ("\\??\\C:\\WINDOWS\\Temp\\setup.tmp", "")},
    }
    machine.handlers = {
        "Win32_ComputerSystem.Rename": rename,
        "Win32_ComputerSystem.JoinDomainOrWorkgroup": lambda _call: 1326,
        "Win32_UserProfile.ChangeOwner": lambda _call: 87,
    }
    return Place(MemoryWriter(machine, permit), permit, lambda: [call.method for call in machine.calls])


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Tls:
    """A CA in files, with a client certificate beside it (`client.pem`, certificate and key)."""
    folder: Path = tmp_path_factory.mktemp("ca")
    now, pem = dt.datetime.now(dt.UTC), serialization.Encoding.PEM
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def issue(name, subject_key, *extensions):
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")]))
            .public_key(subject_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )
        for extension in extensions:
            made = made.add_extension(extension, critical=True)
        return made.sign(ca_key, hashes.SHA256()).public_bytes(pem)

    def private(of):
        return of.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    (folder / "ca.pem").write_bytes(issue("Test CA", ca_key, x509.BasicConstraints(ca=True, path_length=None), usage))
    (folder / "ca.key").write_bytes(private(ca_key))
    client = issue("admin", key, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
    (folder / "client.pem").write_bytes(client + private(key))
    ssl.create_default_context(cafile=folder / "ca.pem")
    return Tls(ca_certificate=folder / "ca.pem", ca_key=folder / "ca.key", client_ca=folder / "ca.pem")


def simulated_endpoint(sim, tls: Tls, scheme: str, transport: Transport) -> WindowsEndpoint:
    url = urlsplit(sim.url("ws1", secure=scheme == "https"))
    client = str(tls.ca_certificate.with_name("client.pem")) if transport is Transport.CERTIFICATE else None
    return WindowsEndpoint(
        "ws1",
        url.hostname,
        url.port,
        scheme,
        transport,
        WINSIM_ADMIN,
        Secret(WINSIM_PASSWORD),
        ca_file=str(tls.ca_certificate),
        certificate=client,
        certificate_key=client,
    )


def simulated_place(winsim, tls: Tls, scheme: str, transport: Transport) -> Place:
    credssp = transport is Transport.CREDSSP
    sim = winsim(winsim_workstation(pending_reboot={"file_rename"}, credssp=credssp), tls=tls)
    permit = Permit()
    writer = CimWriter(simulated_endpoint(sim, tls, scheme, transport), permit)

    def done():
        return [line.rpartition(".")[2] for line in sim.control.workstation("ws1")["methods"]]

    return Place(writer, permit, done, sim)


WIRES = {
    "ntlm-http": ("http", Transport.NTLM),
    "ntlm-https": ("https", Transport.NTLM),
    "basic-https": ("https", Transport.BASIC),
    "certificate-https": ("https", Transport.CERTIFICATE),
    "credssp-http": ("http", Transport.CREDSSP),
    "credssp-https": ("https", Transport.CREDSSP),
}


@pytest.fixture(params=["memory", *WIRES])
def place(request, winsim, authority):
    made = memory_place() if request.param == "memory" else simulated_place(winsim, authority, *WIRES[request.param])
    yield made
    made.writer.close()


@pytest.fixture(params=["ntlm-http", "ntlm-https", "credssp-http"])
def wired(request, winsim, authority):
    """Give a place on the wire only, for what memory has not: connections that break."""
    made = simulated_place(winsim, authority, *WIRES[request.param])
    yield made
    made.writer.close()


@pytest.fixture
def plain(winsim, authority):
    """Give a place that offers what a Windows offers by itself: no CredSSP."""
    made = simulated_place(winsim, authority, "http", Transport.NTLM)
    yield made
    made.writer.close()


@pytest.fixture
def old_reader(winsim, authority):
    """A reader of a Windows 7."""
    sim = winsim(winsim_workstation(system="windows7"), tls=authority)
    reader = CimReader(simulated_endpoint(sim, authority, "http", Transport.NTLM))
    yield reader
    reader.close()
