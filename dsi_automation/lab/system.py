"""Programs of the system: run one, and say clearly what is missing when it is not there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T
from dsi_automation.lab.layout import SYSTEM_PATH

PACKAGES: Final = ("iproute2", "nftables", "openssh-client")
"""What every lab is made of, in Debian's names."""
DOMAIN_PACKAGES: Final = (
    "adcli",
    "krb5-user",
    "ldap-utils",
    "samba",
    "samba-ad-dc",
    "samba-ad-provision",
    "samba-dsdb-modules",
    "samba-vfs-modules",
    "winbind",
)
"""What the domain and its workstations are made of besides."""
SERVER_PACKAGES: Final = ("e2fsprogs", "openssh-server", "postgresql", "restic")
"""What the lab's servers, their backups and the external disks are made of besides."""
APPLICATION_PACKAGES: Final = ("libpostgresql-jdbc-java", "tomcat10-common")
"""What SYDAM World runs on besides: Tomcat without its service, which brings a Java where none is."""
ROUTER_PACKAGES: Final = (
    "conntrack",
    "frr",
    "frr-pythontools",
    "iputils-arping",
    "iputils-ping",
    "openssh-server",
    "sudo",
)
"""What the routers are made of besides."""
POLICY: Final = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a lab consists of, as far as it takes programs of the system; all of it by default.

    Attributes:
        domain: the directory, workstations and tenant.
        servers: what backups work on and with.
        application: SYDAM World, where there are servers.
        routers: the network.
    """

    domain: bool = True
    servers: bool = True
    application: bool = True
    routers: bool = True


EVERYTHING: Final = Parts()


def system_packages(parts: Parts = EVERYTHING) -> list[str]:
    """Return the Debian packages a lab of these parts needs."""
    needed = [
        *PACKAGES,
        *(DOMAIN_PACKAGES if parts.domain else ()),
        *(SERVER_PACKAGES if parts.servers else ()),
        *(APPLICATION_PACKAGES if parts.servers and parts.application else ()),
        *(ROUTER_PACKAGES if parts.routers else ()),
    ]
    return list(dict.fromkeys(needed))


def missing_packages(parts: Parts = EVERYTHING) -> list[str]:
    """Return those of `system_packages` that are not installed.

    Raises:
        UsageError: this is not Debian.
    """
    needed = system_packages(parts)
    try:
        known = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *needed],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        ).stdout
    except FileNotFoundError as error:
        raise UsageError(
            T("The lab runs on Debian."),
            meaning=T("Its domain controller is Debian's Samba, and dpkg-query is not here to find it."),
            next_step=T("Use a Debian 12 machine; a container or a virtual machine will do."),
        ) from error
    installed = {line.split()[0] for line in known.splitlines() if line.endswith(" installed")}
    return [package for package in needed if package not in installed]


def require_root() -> None:
    """Check that this is root.

    Raises:
        UsageError: it is not.
    """
    if os.geteuid() != 0:
        raise UsageError(
            T("The lab needs to be root."),
            meaning=T("It makes network namespaces and runs a domain controller in one of them."),
            next_step=T("Run the same command as root, or with sudo."),
        )


def require_system(parts: Parts = EVERYTHING) -> None:
    """Check that this is root, on a machine that has what the lab needs.

    Raises:
        UsageError: it is not; one error that names everything missing.
    """
    require_root()
    missing = missing_packages(parts)
    if missing:
        raise UsageError(
            T("Packages of the system are missing: {packages}.", packages=", ".join(missing)),
            next_step=T(
                "Run `apt-get install --no-install-recommends {packages}`, or `dsi lab up --install`.",
                packages=" ".join(missing),
            ),
            detail={"missing": missing},
        )


def install_packages(parts: Parts = EVERYTHING) -> list[str]:
    """Install the missing packages with apt-get, starting none of their services on the machine itself.

    Returns:
        What was installed.

    Raises:
        DsiError: apt-get failed.
    """
    missing = missing_packages(parts)
    if missing:
        environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": SYSTEM_PATH}
        run(["apt-get", "update", "-qq"], env=environment, timeout=600)
        with _no_service_starts():
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=environment, timeout=1800)
    return missing


@contextmanager
def _no_service_starts(path: Path = POLICY) -> Iterator[None]:
    """Have Debian's packages start nothing meanwhile: Samba would listen on the machine's own interfaces.

    `policy-rc.d` is how Debian is told so (invoke-rc.d(8)); one that is there already is left as it is.
    """
    try:
        with path.open("x") as policy:
            policy.write("#!/bin/sh\nexit 101\n")
        path.chmod(0o755)
    except FileExistsError:
        yield
        return
    try:
        yield
    finally:
        path.unlink()


def run(argv: Sequence[str], *, stdin: str = "", env: Mapping[str, str] | None = None, timeout: float = 120) -> str:
    """Run a program and return what it printed.

    Args:
        argv: the program and its arguments; never a secret, which goes to `stdin`.
        stdin: what it reads.
        env: its whole environment, by default a minimal one.
        timeout: seconds.

    Raises:
        DsiError: it is missing, failed or took too long.
    """
    name = argv[0]
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
            env=dict(env or {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}),
        )
    except FileNotFoundError as error:
        raise DsiError(
            T("The program {name} is not installed.", name=name),
            next_step=T("Run `dsi lab up --install`, or install the packages it names."),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DsiError(T("{name} did not finish within {seconds} s.", name=name, seconds=int(timeout))) from error
    if done.returncode != 0:
        said = redact((done.stderr or done.stdout).strip())
        raise DsiError(
            T("{command} failed: {said}", command=redact(" ".join(argv[:6])), said=said[-600:] or done.returncode),
            detail={"exit": done.returncode, "said": said[-4000:]},
        )
    return done.stdout
