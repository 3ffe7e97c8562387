"""What a router of the lab has of its own, as a Debian with FRRouting has it: /etc, /home, /usr/local/sbin, /var/lib.

The machine's own files are never touched, and a router sees no secret of them: only what its programs need is copied.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from dsi_automation.lab.sshd import ensure_key

COPIED: Final = (
    "alternatives",
    "debian_version",
    "host.conf",
    "iproute2",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "login.defs",
    "nsswitch.conf",
    "os-release",
    "pam.conf",
    "pam.d",
    "protocols",
    "python3",
    "security",
    "services",
    "shells",
    "ssl/openssl.cnf",
)
"""What of the machine's /etc a router has too."""
ADMINISTRATOR: Final = "netadmin"
"""Logs in to vtysh."""
HELPER: Final = "dsi-cc"
"""Runs `dsi-cc` and nothing else."""
NUMBERS: Final = {ADMINISTRATOR: 4242, HELPER: 4243}
SHELLS: Final = {ADMINISTRATOR: "/usr/bin/vtysh", HELPER: "/bin/sh"}
SCRIPT: Final = "dsi-cc"

DAEMONS: Final = """\
vtysh_enable=yes
zebra_options="-A 127.0.0.1 -s 90000000"
staticd_options="-A 127.0.0.1"
"""
FACTORY: Final = """\
frr defaults traditional
hostname {name}
no ipv6 forwarding
service integrated-vtysh-config
!
interface mgmt0
 description Administration hors bande
exit
!
end
"""
# Debian's own has `use_pty`, for which there must be a /dev/pts of one's own.
SUDOERS: Final = f"""\
Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
{HELPER} ALL=(root) NOPASSWD: /usr/local/sbin/{SCRIPT}
"""
PAM: Final = "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n"
"""Whoever may open FRRouting's sockets may use vtysh: else it says “Failed in account validation”."""
SSHD: Final = """\
ListenAddress {address}:22
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile none
AuthorizedKeysFile /etc/ssh/authorized_keys/%u
AuthenticationMethods publickey
AllowUsers {users}
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class RouterFiles:
    """The files of one router.

    Attributes:
        folder: where they are on the machine.
        name: the router's name.
        address: where its SSH server listens.
        administrators: public keys of those who log in.
    """

    folder: Path
    name: str
    address: str
    administrators: Path

    @property
    def host_key(self) -> Path:
        """The private key of its SSH server."""
        return self.folder / "etc" / "ssh" / "ssh_host_ed25519_key"

    @property
    def startup(self) -> Path:
        """What FRRouting starts with."""
        return self.folder / "etc" / "frr" / "frr.conf"

    @property
    def factory(self) -> str:
        """What it starts with when it leaves the factory."""
        return FACTORY.format(name=self.name)

    def ensure(self) -> bool:
        """Write them, unless they are there; the script is always today's.

        Returns:
            Whether they were written.
        """
        self._install_script()
        done = self.folder / "complete"
        if done.exists():
            return False
        shutil.rmtree(self.folder / "etc", ignore_errors=True)
        etc = self.folder / "etc"
        etc.mkdir()
        _copy(COPIED, etc)
        self._write_accounts(etc)
        (etc / "hostname").write_text(f"{self.name}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")
        (etc / "pam.d" / "frr").write_text(PAM)
        (etc / "sudoers").write_text(SUDOERS)
        (etc / "sudoers").chmod(0o440)
        self._write_ssh(etc / "ssh")
        self.restore()
        # Last, since it is the sign that all is there.
        done.touch()
        return True

    def restore(self) -> None:
        """Put back what a router leaves the factory with: what it starts with, and nothing kept by `dsi-cc`."""
        settings = self.folder / "etc" / "frr"
        shutil.rmtree(settings, ignore_errors=True)
        settings.mkdir()
        (settings / "daemons").write_text(DAEMONS)
        (settings / "vtysh.conf").write_text("service integrated-vtysh-config\n")
        (settings / "frr.conf").write_text(self.factory)
        owner, group = pwd.getpwnam("frr").pw_uid, grp.getgrnam("frrvty").gr_gid
        for path in (settings, *settings.iterdir()):
            os.chown(path, owner, group)
            path.chmod(0o750 if path.is_dir() else 0o640)
        shutil.rmtree(self.folder / "lib", ignore_errors=True)
        for name in ("sudo", SCRIPT):
            (self.folder / "lib" / name).mkdir(parents=True)
            (self.folder / "lib" / name).chmod(0o700)

    def _install_script(self) -> None:
        folder = self.folder / "sbin"
        folder.mkdir(parents=True, exist_ok=True)
        source = files("dsi_automation.connectors.routers") / "remote" / SCRIPT
        new = folder / f"{SCRIPT}.new"
        new.write_bytes(source.read_bytes())
        new.chmod(0o755)
        new.replace(folder / SCRIPT)

    def _write_accounts(self, etc: Path) -> None:
        passwd = [":".join((one.pw_name, "x", str(one.pw_uid), str(one.pw_gid), "", one.pw_dir, one.pw_shell))
                  for one in pwd.getpwall() if one.pw_uid < min(NUMBERS.values())]  # fmt: skip
        groups = [(one.gr_name, one.gr_gid, list(one.gr_mem)) for one in grp.getgrall()]
        for name, number in NUMBERS.items():
            passwd.append(f"{name}:x:{number}:{number}::/home/{name}:{SHELLS[name]}")
            groups.append((name, number, []))
            home = self.folder / "home" / name
            home.mkdir(parents=True, exist_ok=True)
            os.chown(home, number, number)
        members = {"frrvty": [ADMINISTRATOR]}
        group = [f"{name}:x:{number}:{','.join([*who, *members.get(name, ())])}" for name, number, who in groups]
        (etc / "passwd").write_text("".join(f"{line}\n" for line in passwd))
        (etc / "group").write_text("".join(f"{line}\n" for line in group))
        # Nobody has a password: `*` is not the sign of a locked account, which sshd refuses without PAM.
        names = [line.split(":", 1)[0] for line in passwd]
        (etc / "shadow").write_text("".join(f"{name}:*:20000:0:99999:7:::\n" for name in names))
        (etc / "shadow").chmod(0o600)

    def _write_ssh(self, folder: Path) -> None:
        (folder / "authorized_keys").mkdir(parents=True)
        ensure_key(folder / self.host_key.name, self.name)
        keys = self.administrators.read_text()
        forced = f'restrict,command="sudo -n /usr/local/sbin/{SCRIPT} \\"$SSH_ORIGINAL_COMMAND\\""'
        (folder / "authorized_keys" / ADMINISTRATOR).write_text(keys)
        (folder / "authorized_keys" / HELPER).write_text("".join(f"{forced} {key}\n" for key in keys.splitlines()))
        (folder / "sshd_config").write_text(SSHD.format(address=self.address, users=" ".join(NUMBERS)))


def _copy(names: Iterable[str], etc: Path) -> None:
    for name in names:
        source, target = Path("/etc", name), etc / name
        if not source.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)
