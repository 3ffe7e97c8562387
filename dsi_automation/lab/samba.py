"""The lab's domain controller: a real Samba Active Directory in a namespace of its own, on LDAPS, Kerberos and DNS."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T
from dsi_automation.lab import network
from dsi_automation.lab.accounts import READER, Passwords
from dsi_automation.lab.ca import Authority
from dsi_automation.lab.layout import DC_HOST, DC_NAME, DOMAIN, NETBIOS, REALM, SYSTEM_PATH, Layout
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.system import run

POPULATE: Final = Path(__file__).with_name("populate.py")
DEBIAN_PYTHON: Final = "/usr/bin/python3"
"""The interpreter Debian's Samba bindings belong to, whatever `python3` is on PATH."""

TIED: Final = ("setpriv", "--pdeathsig", "KILL")
"""Ends a program with the one that started it: what a killed `up` leaves must not go on writing the database."""

# A training directory may be lost when the power fails; a start that is three times quicker may not.
FAST: Final = {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "TDB_NO_FSYNC": "1"}
START_SECONDS: Final = 90.0
LDAPS: Final = 636

SMB_CONF: Final = """\
[global]
\tserver role = active directory domain controller
\trealm = {realm}
\tworkgroup = {netbios}
\tnetbios name = {host}
\tinterfaces = lo {interface}
\tbind interfaces only = yes
\tserver services = s3fs, rpc, ldap, cldap, kdc, winbindd, dns
\tacl_xattr:ignore system acls = yes
\tprefork children = 1
\tprefork children:ldap = 2
\tload printers = no
\tprinting = bsd
\tprintcap name = /dev/null
\tdisable spoolss = yes
\tdns update command = /bin/true
\ttls enabled = yes
\ttls certfile = {certificate}
\ttls keyfile = {key}
\ttls cafile = {ca}
\tprivate dir = {dir}/private
\tstate directory = {dir}/state
\tcache directory = {dir}/cache
\tlock directory = {dir}/lock
\tpid directory = {dir}/run
\tbinddns dir = {dir}/bind-dns
\tncalrpc dir = {dir}/run/ncalrpc
\twinbindd socket directory = {dir}/run/winbindd
\tntp signd socket directory = {dir}/run/ntp_signd
\tlog file = {dir}/log/log.%m
\tmax log size = 10000

[sysvol]
\tpath = {dir}/state/sysvol
\tread only = no

[netlogon]
\tpath = {dir}/state/sysvol/{domain}/scripts
\tread only = no
"""

KRB5_CONF: Final = """\
[libdefaults]
\tdefault_realm = {realm}
\tdns_lookup_realm = false
\tdns_lookup_kdc = false
\tdns_canonicalize_hostname = false
\trdns = false
\tdefault_ccache_name = FILE:{root}/krb5cc_%{{uid}}

[realms]
\t{realm} = {{
\t\tkdc = {address}
\t\tadmin_server = {address}
\t\tkpasswd_server = {address}
\t}}

[domain_realm]
\t.{domain} = {realm}
\t{domain} = {realm}
"""


@dataclass(frozen=True)
class DomainController:
    """The domain controller of one lab."""

    layout: Layout
    clock: Clock

    @property
    def daemon(self) -> Daemon:
        """Samba's process."""
        return Daemon("dc", self.layout.dc_namespace, self.layout.run_dir, self.layout.log_dir / "dc.log")

    @property
    def _provisioned(self) -> Path:
        return self.layout.dc_dir / "provisioned"

    def provision(self, authority: Authority) -> bool:
        """Make the domain, unless it is made: empty, with TLS, its administrator's password unknown so far.

        Returns:
            Whether it was made.
        """
        if self._provisioned.exists():
            return False
        # What a killed start left is half a domain: from the beginning, then.
        shutil.rmtree(self.layout.dc_dir, ignore_errors=True)
        for folder in ("private", "state", "cache", "lock", "run", "bind-dns", "log"):
            (self.layout.dc_dir / folder).mkdir(parents=True)
        certificate, key = authority.issue(DC_HOST, [DC_NAME, DOMAIN, DC_HOST], [self.layout.dc_address])
        self.layout.smb_conf.write_text(
            SMB_CONF.format(
                realm=REALM,
                netbios=NETBIOS,
                host=DC_HOST.upper(),
                domain=DOMAIN,
                interface=network.DC_INTERFACE,
                certificate=certificate,
                key=key,
                ca=authority.certificate_file,
                dir=self.layout.dc_dir,
            )
        )
        self.layout.krb5_conf.write_text(
            KRB5_CONF.format(realm=REALM, domain=DOMAIN, address=self.layout.dc_address, root=self.layout.root)
        )
        run(
            [
                *TIED,
                *("ip", "netns", "exec", self.layout.dc_namespace),
                *("samba-tool", "domain", "provision", "--quiet", f"--configfile={self.layout.smb_conf}"),
                *(f"--realm={REALM}", f"--domain={NETBIOS}", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL"),
                *(f"--host-name={DC_HOST}", f"--host-ip={self.layout.dc_address}"),
            ],
            env=FAST,
            timeout=600,
        )
        self._provisioned.touch()
        return True

    def populate(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an order of `populate.py` on the directory; passwords travel on its standard input only.

        Raises:
            DsiError: the database refuses; nothing of the order was done then.
        """
        order = {**order, "smb_conf": str(self.layout.smb_conf)}
        said = run([*TIED, DEBIAN_PYTHON, "-I", str(POPULATE)], stdin=json.dumps(order), env=FAST, timeout=600)
        answer: dict[str, Any] = json.loads(said)
        return answer

    def start(self) -> bool:
        """Start Samba, unless it runs.

        Returns:
            Whether it was started.
        """
        if not self.daemon.needs_start(self.clock):
            return False
        self.daemon.start(
            ["samba", "--foreground", "--no-process-group", "--debug-stdout", "-s", str(self.layout.smb_conf)],
            {**self.layout.environment(), **FAST},
        )
        return True

    def wait_until_ready(self, passwords: Passwords) -> None:
        """Return once the controller lets an account in by LDAPS and by Kerberos.

        Raises:
            DsiError: Samba ended, or did not get there within 90 s.
        """
        until = self.clock.monotonic() + START_SECONDS
        while True:
            if self.daemon.pid() is None:
                raise DsiError(
                    T("The domain controller has stopped."),
                    next_step=T("Read why: `dsi lab logs dc`."),
                    detail=self._logs,
                )
            missing = self.missing_services(passwords)
            if not missing:
                return
            if self.clock.monotonic() > until:
                raise DsiError(
                    T("The domain controller does not answer: {services}.", services=", ".join(missing)),
                    next_step=T("Read why: `dsi lab logs dc`."),
                    detail=self._logs,
                )
            self.clock.sleep(0.1)

    @property
    def _logs(self) -> dict[str, Any]:
        return {"log": str(self.daemon.log)}

    def missing_services(self, passwords: Passwords) -> list[str]:
        """Return what does not work yet: of LDAPS and Kerberos, each tried with the reading account."""
        found = []
        if not self._kerberos_works(passwords):
            found.append("Kerberos")
        if found or not self._ldaps_works(passwords):
            found.append("LDAPS")
        return found

    def _ldaps_works(self, passwords: Passwords) -> bool:
        from dsi_automation.lab.ldap import LabDirectory

        try:
            # First without ldap3, which leaves the socket of a refused connection open.
            socket.create_connection((self.layout.dc_address, LDAPS), timeout=1).close()
            with LabDirectory.bind(self.layout, READER, passwords) as directory:
                return bool(directory.search(f"(sAMAccountName={READER})"))
        except (DsiError, OSError):
            return False

    def _kerberos_works(self, passwords: Passwords) -> bool:
        environment = {**self.layout.environment(), "KRB5CCNAME": "MEMORY:"}
        secret = passwords.get(READER).reveal()
        try:
            run(["kinit", f"{READER}@{REALM}"], stdin=f"{secret}\n", env=environment, timeout=10)
        except DsiError:
            return False
        return True

    def stop(self) -> bool:
        """Stop Samba and all its children.

        Returns:
            Whether it ran.
        """
        return self.daemon.stop(self.clock)

    def samba_tool(self, *args: str, stdin: str = "") -> str:
        """Run `samba-tool` on this controller's own database, in its namespace.

        Raises:
            DsiError: it failed.
        """
        where: Sequence[str] = ("ip", "netns", "exec", self.layout.dc_namespace)
        return run(
            [*where, "samba-tool", *args, f"--configfile={self.layout.smb_conf}"],
            stdin=stdin,
            env={**self.layout.environment(), **FAST},
        )
