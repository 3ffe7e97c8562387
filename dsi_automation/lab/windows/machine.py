"""One simulated workstation while it runs: its specification, its state, what it was asked, what goes wrong."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dsi_automation.lab.windows.auth.md4 import nt_hash
from dsi_automation.lab.windows.faults import Fault, FaultRule
from dsi_automation.lab.windows.spec import Domain, LocalUser, Membership, WorkstationSpec
from dsi_automation.lab.windows.state import State, StateStore

logger = logging.getLogger(__name__)

LOG_LENGTH: Final = 2000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, after the sign-in.

    Attributes:
        user: account name as the machine knows it.
        administrator: whether WMI lets them in remotely.
        filtered: a local administrator whose token is filtered by UAC (not RID 500).
    """

    user: str
    administrator: bool
    filtered: bool = False
    how: str = "negotiate"


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One line of the request log: names only, never a value, so that no secret can be in it."""

    at: str
    kind: str
    class_name: str
    method: str
    user: str
    outcome: str


def _no_endpoint(comes_back: bool) -> None:  # noqa: FBT001  # the shape of a callback
    """Stand in until an endpoint serves the machine."""


class Machine:
    """A workstation.

    Args:
        spec: what it is.
        store: where its state is kept.
        domain: the domain it can join, for names and rights.
    """

    def __init__(self, spec: WorkstationSpec, store: StateStore, domain: Domain | None) -> None:
        self.spec = spec
        self.domain = domain
        self.store = store
        self.state = store.load(spec)
        self.requests: Counter[str] = Counter()
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)
        self.restart: Callable[[bool], None] = _no_endpoint
        """Set by the endpoint: takes the machine down and, if told so, brings it back."""
        self.joining = False
        self._hashes = {user.name.lower(): nt_hash(user.password) for user in spec.users if user.password}

    def save(self) -> None:
        """Keep the state."""
        self.store.save(self.spec.key, self.state)

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)

    @property
    def modern(self) -> bool:
        """Tell whether it runs Windows 8 or later (WinRM 3), whose faults and methods differ from Windows 7's."""
        return self.spec.os.has_change_owner

    @property
    def shown_membership(self) -> Membership | None:
        """Return the domain Win32_ComputerSystem shows now."""
        return self.state.membership if self.spec.membership_at_once else self.state.boot_membership

    @property
    def dns_name(self) -> str:
        """Return the active host name, with the domain where it booted in one."""
        name = self.state.computer_name
        member = self.state.boot_membership
        return f"{name}.{member.dns_name}" if member else name

    @property
    def keytab(self) -> Path | None:
        """Return the keys Kerberos callers are let in with; those of a join count from the next boot."""
        member = self.state.boot_membership
        return member.keytab if member else None

    def local_user(self, name: str) -> LocalUser | None:
        """Return an account of the machine by name."""
        return next((user for user in self.spec.users if user.name.lower() == name.lower()), None)

    def local_hash(self, user: str, domain: str) -> bytes | None:
        """Return the NT hash of a local account that may sign in over the network.

        A workgroup machine takes any domain name for its own; a member only its own name. Accounts without a
        password cannot sign in over the network (Windows' LimitBlankPasswordUse).
        """
        own = {"", ".", self.state.computer_name.lower()}
        if self.state.boot_membership is not None and domain.lower() not in own:
            return None
        account = self.local_user(user)
        if account is None or account.disabled:
            return None
        return self._hashes.get(account.name.lower())

    def local_caller(self, user: str, how: str) -> Caller:
        """Return what a local account may do: UAC filters remote administrators other than RID 500."""
        account = self.local_user(user)
        administrator = account is not None and (account.rid == 500 or account.administrator)
        filtered = (
            administrator
            and account is not None
            and account.rid != 500
            and not self.spec.local_account_token_filter_policy
        )
        return Caller(user, administrator and not filtered, filtered=filtered, how=how)

    def domain_caller(self, principal: str) -> Caller:
        """Return what a Kerberos principal may do here."""
        user = principal.split("@", 1)[0]
        administrators = self.domain.administrators if self.domain else []
        return Caller(principal, user.lower() in {name.lower() for name in administrators}, how="kerberos")

    def done(self, class_name: str, method: str) -> None:
        """Count a method that was really carried out, and keep the state."""
        name = f"{class_name}.{method}"
        self.state.methods[name] = self.state.methods.get(name, 0) + 1
        self.save()

    def note(self, kind: str, class_name: str, method: str, user: str, outcome: str) -> None:
        """Write a line of the request log."""
        self.requests[kind] += 1
        moment = self.now().isoformat(timespec="milliseconds")
        self.log.append(LoggedRequest(moment, kind, class_name, method, user, outcome))
        logger.info("%s %s %s %s %s %s", self.spec.key, kind, class_name or "-", method or "-", user, outcome)

    def strikes(self, fault: Fault, class_name: str = "", method: str = "") -> FaultRule | None:
        """Return the rule by which a fault strikes this request, counting it; None when it does not."""
        for rule in self.state.faults:
            if rule.fault is not fault:
                continue
            if rule.method is not None and rule.method.lower() != method.lower():
                continue
            if rule.class_name is not None and rule.class_name.lower() != class_name.lower():
                continue
            if rule.count is not None:
                rule.count -= 1
                if rule.count == 0:
                    self.state.faults.remove(rule)
                self.save()
            return rule
        return None

    def reset(self) -> None:
        """Go back to the specification, as if it had just been unpacked; the object in AD is not touched."""
        self.store.forget(self.spec.key)
        self.state = State.initial(self.spec, self.now())
        self.requests.clear()
        self.log.clear()
        self.save()

    def snapshot(self) -> dict[str, Any]:
        """Return everything the control socket shows of it; no password is in it."""
        spec = self.spec.model_dump(mode="json", exclude={"users", "faults", "profiles"})
        spec["users"] = [user.model_dump(mode="json", exclude={"password"}) for user in self.spec.users]
        return {
            "key": self.spec.key,
            "spec": spec,
            "state": self.state.model_dump(mode="json"),
            "join_pending": self.state.join_pending,
            "requests": dict(self.requests),
            "methods": dict(self.state.methods),
        }

    def log_lines(self) -> list[dict[str, str]]:
        """Return the request log, oldest first."""
        return [asdict(line) for line in self.log]
