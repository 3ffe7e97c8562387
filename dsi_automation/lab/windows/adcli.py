"""Joins into a real Active Directory: asked of it over LDAPS with the given credentials, carried out by adcli.

What Windows checks itself before it touches the account (OU, existing account, KB5020276's reuse rule) is checked
here against what the directory answers; everything else is the directory's own answer, translated into the code
NetJoinDomain gives for it.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from dsi_automation.core.secrets import Secret
from dsi_automation.lab.windows.joining import Code, JoinFlag, JoinOutcome, JoinRequest
from dsi_automation.lab.windows.spec import Domain, Membership

TIMEOUT: Final = 60
"""Seconds adcli may take."""
SERVICES: Final = ("host", "RestrictedKrbHost", "WSMAN")
"""Service names a Windows machine with WinRM registers; HTTP is an alias of host in AD (sPNMappings)."""
_BIND_CODES: Final = {"533": Code.ACCOUNT_DISABLED, "532": Code.PASSWORD_EXPIRED, "775": Code.ACCOUNT_LOCKED_OUT}
"""The `data` of AD's AcceptSecurityContext error (52e wrong password, 525 no such user: both 1326)."""
_ADMINISTRATORS: Final = re.compile(r"^(S-1-5-32-544|S-1-5-21-.*-(512|519))$")
_ANSWERS: Final = (
    (re.compile(r"0000216D|machine account quota|quota", re.IGNORECASE), Code.MACHINE_ACCOUNT_QUOTA),
    (re.compile(r"insufficient (permissions|access)|insufficientAccess|denied", re.IGNORECASE), Code.ACCESS_DENIED),
    (re.compile(r"set(ting)? (computer )?password|constraint violation", re.IGNORECASE), Code.PASSWORD_RESTRICTION),
    (re.compile(r"couldn't authenticate|preauthentication|client not found", re.IGNORECASE), Code.LOGON_FAILURE),
    (re.compile(r"no such object", re.IGNORECASE), Code.FILE_NOT_FOUND),
    (re.compile(r"couldn't (find|resolve|discover)|not a valid ad|realm|unreachable", re.IGNORECASE), 1355),
)


class _RefusedError(Exception):
    """Carries the code out of the steps of one call; never leaves this module."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class AdcliJoiner:
    """The lab's real domain, from inside the workstations' namespace."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def join(self, request: JoinRequest) -> JoinOutcome:
        """Make or reuse the computer's account, with its keys in `request.keytab`."""
        try:
            self._check_domain(request.domain)
            with self._connected(request.user, request.password) as connection:
                self._check_account(connection, request)
            code = self._adcli(request)
        except _RefusedError as refused:
            code = refused.code
        if code != Code.OK:
            return JoinOutcome(code)
        member = Membership(
            dns_name=self._domain.dns_name, netbios_name=self._domain.netbios_name, keytab=request.keytab
        )
        return JoinOutcome(Code.OK, member)

    def unjoin(self, computer: str, user: str | None, password: Secret | None, *, disable: bool) -> int:
        """Disable the account where asked for."""
        if not disable:
            return Code.OK
        try:
            with self._connected(user, password) as connection:
                account = self._account(connection, computer, ["userAccountControl"])
                control = int(account["userAccountControl"].value) | 0x2
                self._modify(connection, account.entry_dn, {"userAccountControl": [("MODIFY_REPLACE", [control])]})
        except _RefusedError as refused:
            return refused.code
        return Code.OK

    def rename(self, computer: str, new_name: str, user: str | None, password: Secret | None) -> int:
        """Rename a member's account: its name, its logon name, its DNS name and its service names."""
        fqdn = f"{new_name}.{self._domain.dns_name}".lower()
        services = [f"{kind}/{name}" for kind in ("HOST", "RestrictedKrbHost") for name in (new_name, fqdn)]
        try:
            with self._connected(user, password) as connection:
                account = self._account(connection, computer, ["cn"])
                changes = {
                    "sAMAccountName": [("MODIFY_REPLACE", [f"{new_name}$"])],
                    "dNSHostName": [("MODIFY_REPLACE", [fqdn])],
                    "servicePrincipalName": [("MODIFY_REPLACE", services)],
                }
                self._modify(connection, account.entry_dn, changes)
                connection.modify_dn(account.entry_dn, f"CN={new_name}")
                _demand(connection)
        except _RefusedError as refused:
            return refused.code
        return Code.OK

    def _check_domain(self, name: str) -> None:
        known = {self._domain.dns_name.lower(), self._domain.netbios_name.lower()}
        if name.lower() not in known:
            raise _RefusedError(Code.NO_SUCH_DOMAIN)

    @contextmanager
    def _connected(self, user: str | None, password: Secret | None) -> Iterator[Any]:
        """Sign in over LDAPS as a join does, with the given credentials and nothing else."""
        import ldap3
        from ldap3.core.exceptions import LDAPException

        if user is None or password is None:
            raise _RefusedError(Code.ACCESS_DENIED)  # a network logon has no identity of its own in the domain
        host = self._domain.controller or self._domain.dns_name
        try:
            socket.create_connection((host, 636), timeout=5).close()
        except OSError as error:
            raise _RefusedError(Code.NO_SUCH_DOMAIN) from error
        validate = ssl.CERT_NONE if self._domain.ca_file is None else ssl.CERT_REQUIRED
        # ldap3 does not match addresses in certificates; a controller's certificate also names the domain
        names = [host, self._domain.dns_name]
        ca_file = self._domain.ca_file and str(self._domain.ca_file)
        tls = ldap3.Tls(validate=validate, ca_certs_file=ca_file, valid_names=names)
        server = ldap3.Server(host, port=636, use_ssl=True, tls=tls, connect_timeout=10, get_info=ldap3.DSA)
        connection = ldap3.Connection(server, self._principal(user), password.reveal(), receive_timeout=30)
        try:
            if not connection.bind():
                raise _RefusedError(_bind_code(connection.result))
            yield connection
        except LDAPException as error:
            raise _RefusedError(Code.BAD_NETPATH) from error
        finally:
            connection.unbind()

    def _principal(self, user: str) -> str:
        return user if "@" in user or "\\" in user else f"{user}@{self._domain.dns_name}"

    @property
    def _base(self) -> str:
        return ",".join(f"DC={part}" for part in self._domain.dns_name.split("."))

    def _check_account(self, connection: Any, request: JoinRequest) -> None:
        """Check the OU, the account's existence and the reuse rule, as NetJoinDomain does (KB5020276)."""
        ou = self._ou(connection, request.account_ou) if request.account_ou is not None else None
        account = self._find(connection, f"{request.computer}$", ["mS-DS-CreatorSID", "nTSecurityDescriptor"])
        if account is None:
            if JoinFlag.ACCT_CREATE not in request.flags:
                raise _RefusedError(Code.NONE_MAPPED)
            return
        parent = account.entry_dn.split(",", 1)[1]
        if JoinFlag.NO_ACCT_REUSE in request.flags or (ou is not None and parent.lower() != ou.lower()):
            raise _RefusedError(Code.USER_EXISTS)
        joiner, groups = self._identity(connection, request.user or "")
        owner = _owner(account["nTSecurityDescriptor"].raw_values)
        creator = _sid(account["mS-DS-CreatorSID"])
        if (
            (joiner and joiner in {owner, creator})
            or _ADMINISTRATORS.match(owner)
            or any(map(_ADMINISTRATORS.match, groups))
        ):
            return
        raise _RefusedError(Code.ACCOUNT_REUSE_BLOCKED)

    def _ou(self, connection: Any, dn: str) -> str:
        from ldap3.core.exceptions import LDAPException

        try:
            found = connection.search(dn, "(|(objectClass=organizationalUnit)(objectClass=container))", "BASE")
        except LDAPException as error:
            raise _RefusedError(Code.FILE_NOT_FOUND) from error
        if not found:
            raise _RefusedError(Code.FILE_NOT_FOUND)
        return str(connection.entries[0].entry_dn)

    def _find(self, connection: Any, account: str, attributes: list[str]) -> Any | None:
        from ldap3.protocol.microsoft import security_descriptor_control
        from ldap3.utils.conv import escape_filter_chars

        connection.search(
            self._base,
            f"(sAMAccountName={escape_filter_chars(account)})",
            attributes=attributes,
            controls=security_descriptor_control(sdflags=0x01),
        )
        return connection.entries[0] if connection.entries else None

    def _account(self, connection: Any, computer: str, attributes: list[str]) -> Any:
        account = self._find(connection, f"{computer}$", attributes)
        if account is None:
            raise _RefusedError(Code.NONE_MAPPED)
        return account

    def _identity(self, connection: Any, user: str) -> tuple[str, list[str]]:
        """Return the SID of the joining account and of every group it is in, nested ones too."""
        from ldap3.protocol.formatters.formatters import format_sid

        name = user.rsplit("\\", 1)[-1].split("@", 1)[0]
        account = self._find(connection, name, ["objectSid"])
        if account is None:
            return "", []
        connection.search(account.entry_dn, "(objectClass=*)", "BASE", attributes=["tokenGroups"])
        raw = connection.entries[0]["tokenGroups"].raw_values if connection.entries else []
        return _sid(account["objectSid"]), [str(format_sid(sid)) for sid in raw]

    @staticmethod
    def _modify(connection: Any, dn: str, changes: dict[str, Any]) -> None:
        connection.modify(dn, changes)
        _demand(connection)

    def _adcli(self, request: JoinRequest) -> int:
        fqdn = f"{request.computer}.{self._domain.dns_name}".lower()
        user = (request.user or "").rsplit("\\", 1)[-1].split("@", 1)[0]
        command = ["adcli", "join", "--verbose", f"--domain={self._domain.dns_name}", f"--login-user={user}"]
        command += ["--login-type=user", "--stdin-password", f"--computer-name={request.computer}"]
        command += [f"--host-fqdn={fqdn}", f"--host-keytab={request.keytab or '/dev/null'}"]
        command += [f"--service-name={service}" for service in SERVICES]
        command += [f"--os-name={request.system}", f"--os-version={request.version}"]
        if request.account_ou is not None:
            command.append(f"--domain-ou={request.account_ou}")
        if request.keytab is not None:
            request.keytab.unlink(missing_ok=True)
        password = request.password.reveal() if request.password else ""
        try:
            done = subprocess.run(
                command,
                input=password.encode(),
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _RefusedError(Code.GENERAL_FAILURE) from error
        if done.returncode == 0:
            return Code.OK
        said = done.stderr.decode(errors="replace")
        return next((code for pattern, code in _ANSWERS if pattern.search(_last_lines(said))), Code.GENERAL_FAILURE)


def _last_lines(said: str) -> str:
    """Return adcli's complaints without its progress lines, which start with ` * `."""
    return "\n".join(line for line in said.splitlines() if not line.startswith(" * "))


def _bind_code(result: dict[str, Any]) -> int:
    found = re.search(r"data ([0-9a-f]+)", str(result.get("message", "")))
    return _BIND_CODES.get(found.group(1) if found else "", Code.LOGON_FAILURE)


def _demand(connection: Any) -> None:
    if connection.result["result"] != 0:
        raise _RefusedError(_ldap_code(connection.result["result"]))


def _ldap_code(result: int) -> int:
    """Translate an LDAP result (RFC 4511 4.1.9) into the code Windows gives for it."""
    codes = {32: Code.FILE_NOT_FOUND, 50: Code.ACCESS_DENIED, 53: Code.MACHINE_ACCOUNT_QUOTA, 68: Code.USER_EXISTS}
    return codes.get(result, Code.GENERAL_FAILURE)


def _sid(attribute: Any) -> str:
    from ldap3.protocol.formatters.formatters import format_sid

    return str(format_sid(attribute.raw_values[0])) if attribute.raw_values else ""


def _owner(descriptors: list[bytes]) -> str:
    """Return the owner in a self-relative security descriptor (MS-DTYP 2.4.6)."""
    from ldap3.protocol.formatters.formatters import format_sid

    if not descriptors or len(descriptors[0]) < 20:
        return ""
    (offset,) = struct.unpack_from("<I", descriptors[0], 4)
    sid = descriptors[0][offset:]
    return str(format_sid(sid[: 8 + 4 * sid[1]])) if offset else ""
