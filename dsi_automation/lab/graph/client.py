"""The client of the control socket: what the lab and the tests do to a running tenant."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from dsi_automation.core.text import T
from dsi_automation.lab.control_client import ControlClient
from dsi_automation.lab.graph.faults import Fault, FaultRule


class GraphControl(ControlClient):
    """Talks to one simulated tenant."""

    simulator = T("The Microsoft 365 simulator")

    def info(self) -> dict[str, Any]:
        """Return `ready`, `port`, `tenant_id`, `client_id`, `hybrid`, `last_sync`, `users`, `deleted`, `requests`."""
        facts: dict[str, Any] = self._call("GET", "/ready")
        return facts

    def reset(self) -> None:
        """Bring the tenant back to its seeds and defaults: users, licences, faults, delays, roles, mails, counters."""
        self._call("POST", "/reset", {})

    def fault(self, fault: Fault, **options: Any) -> None:
        """Switch a fault on; `options` as in `FaultRule`: method, path, where, count, status, retry_after, ..."""
        self._call("POST", "/faults", FaultRule(fault=fault, **options).model_dump(mode="json"))

    def clear_faults(self) -> None:
        """Switch every fault off."""
        self._call("DELETE", "/faults")

    def delays(self, **seconds: float) -> None:
        """Change delays: create, location, licence, mailbox; seconds. Those not named stay."""
        self._call("POST", "/delays", seconds)

    def seats(self, part_number: str, total: int, *, status: str = "Enabled") -> None:
        """Set how many seats of a licence were bought, and its capabilityStatus."""
        self._call("POST", "/seats", {"part_number": part_number, "total": total, "status": status})

    def skus(self) -> list[dict[str, Any]]:
        """Return the licences as GET /subscribedSkus tells them."""
        rows: list[dict[str, Any]] = self._call("GET", "/skus")
        return rows

    def roles(self, *roles: str) -> None:
        """Set the application's permissions; tokens issued before keep theirs, as with Microsoft."""
        self._call("POST", "/roles", {"roles": list(roles)})

    def expire_tokens(self) -> None:
        """Make every token issued so far too old."""
        self._call("POST", "/tokens/expire", {})

    def seed_user(self, **properties: Any) -> dict[str, Any]:
        """Add a user at once, with any of Graph's properties, `licences` (part numbers) and `mailboxReady`."""
        return self._seed("users", properties)

    def seed_group(self, **properties: Any) -> dict[str, Any]:
        """Add a group: displayName, mail, proxyAddresses."""
        return self._seed("groups", properties)

    def seed_contact(self, **properties: Any) -> dict[str, Any]:
        """Add an organisational contact: displayName, mail, proxyAddresses."""
        return self._seed("contacts", properties)

    def seed_deleted_user(self, **properties: Any) -> dict[str, Any]:
        """Add a user that is deleted already, and still holds its addresses."""
        return self._seed("deleted_users", properties)

    def update_user(self, key: str, **properties: Any) -> dict[str, Any]:
        """Change a user's properties at once, read-only ones too: what an administrator or Microsoft does meanwhile."""
        changed: dict[str, Any] = self._call("POST", f"/users/{quote(key, safe='')}", properties)
        return changed

    def delete_user(self, key: str, *, purge: bool = False) -> None:
        """Delete a user (by id or UPN) as an administrator would; `purge`: for good."""
        self._call("DELETE", f"/users/{quote(key, safe='')}" + ("?purge=1" if purge else ""))

    def take_address(self, address: str) -> dict[str, Any]:
        """Let somebody else take an address now: a shared mailbox of another service."""
        name = f"Autre service {address}"
        return self.seed_user(
            userPrincipalName=address, displayName=name, proxyAddresses=[f"SMTP:{address}"], mail=address
        )

    def users(self, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Return every user with every property, `mailbox` (none, coming, ready, failed) and no password."""
        rows: list[dict[str, Any]] = self._call("GET", "/users" + ("?deleted=1" if deleted else ""))
        return rows

    def user(self, key: str) -> dict[str, Any] | None:
        """Return a user by id, UPN, staff number or address, or None."""
        found: dict[str, Any] | None = self._call("GET", f"/users/{quote(key, safe='')}")
        return found

    def sign_in(self, upn: str, password: str) -> str:
        """Try a password: `ok`, `must_change`, `wrong`, `disabled` or `unknown` (synchronised ones have none here)."""
        return str(self._call("POST", "/sign-in", {"upn": upn, "password": password})["outcome"])

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails sent: `from`, `message` as it was sent, `at`."""
        rows: list[dict[str, Any]] = self._call("GET", "/mails")
        return rows

    def requests(self, *, method: str | None = None, path: str = "*", since: int = 0) -> list[dict[str, Any]]:
        """Return requests recorded in this process's life, oldest first, those inside batches too.

        Args:
            method: only this method.
            path: only paths (without `/v1.0`) that fit this pattern.
            since: only those after this many.
        """
        asked = {"path": path, "since": str(since), **({"method": method} if method else {})}
        rows: list[dict[str, Any]] = self._call("GET", "/requests?" + urlencode(asked))
        return rows

    def hybrid(self, *, enabled: bool, every: float | None = None) -> None:
        """Turn the synchronisation on or off, and set the seconds between its cycles (0: on demand only)."""
        self._call("POST", "/hybrid", {"enabled": enabled, "every": every})

    def sync(self, *, full: bool = True) -> dict[str, Any]:
        """Synchronise now; return how many were `added`, `changed`, `removed`; `full` reads everything again.

        Raises:
            RefusedError: the tenant is not hybrid, or its directory does not answer.
        """
        done: dict[str, Any] = self._call("POST", "/sync", {"full": full})
        return done

    def sync_users(self, *rows: dict[str, Any], remove: tuple[str, ...] = ()) -> dict[str, Any]:
        """Synchronise these accounts as if a directory held them: for tests without one.

        Args:
            rows: each as `AdUser`: guid (text), dn, upn, login, mail, addresses, staff_number, display_name, ...
            remove: GUIDs of accounts that are gone.
        """
        done: dict[str, Any] = self._call("POST", "/sync", {"rows": list(rows), "remove": list(remove)})
        return done

    def _seed(self, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._call("POST", f"/seed/{kind}", properties)
        return made
