"""The synchronisation's clockwork: cycles by themselves, on demand, and of one account."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from uuid import uuid4

from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.text import T
from dsi_automation.lab.graph.directory import DirectoryReader
from dsi_automation.lab.graph.faults import Fault
from dsi_automation.lab.graph.store import stamp
from dsi_automation.lab.graph.sync import AdUser, Counts
from dsi_automation.lab.graph.tenant import Tenant

logger = logging.getLogger(__name__)


class Synchronisation:
    """Reads the directory in a thread, one reading at a time, and applies it in the server's loop."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        source = tenant.settings.hybrid.directory
        self._reader = DirectoryReader(source) if source is not None else None
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Event()
        self._full = True

    def rearm(self) -> None:
        """Take a new interval, or a tenant that was reset, into account at once."""
        self._full = True
        self._changed.set()

    async def cycles(self) -> None:
        """Synchronise again and again, until cancelled."""
        while True:
            self._changed.clear()
            every = self._tenant.every
            if self._tenant.hybrid and every > 0:
                await self._cycle()
            try:
                await asyncio.wait_for(self._changed.wait(), every or None)
            except TimeoutError:
                continue

    async def now(self, *, full: bool) -> Counts:
        """Synchronise now.

        Raises:
            RefusedError: the tenant is not hybrid, has no directory, or its synchronisation was stopped.
            UnreachableError: the directory does not answer.
        """
        self._check()
        if self._reader is None:
            self._tenant.spoke()
            return Counts()
        return await self._read(full=full)

    def take(self, users: list[AdUser], gone: list[str]) -> Counts:
        """Synchronise accounts that were handed in, as if a directory held them.

        Raises:
            RefusedError: the tenant is not hybrid, or its synchronisation was stopped.
        """
        self._check()
        return self._tenant.synchronise(users, None, gone=gone)

    async def one(self, dn: str) -> dict[str, str]:
        """Synchronise one account, and return `key` and `value` of provisionOnDemand's answer."""
        if self._tenant.faults.background(Fault.SYNC_STOPPED) is not None:
            return _told("Failure", dn, "HybridSynchronizationActiveDirectoryNoActiveAgents")
        found = None
        if self._reader is not None:
            async with self._one_at_a_time:
                try:
                    found = await asyncio.to_thread(self._reader.one, dn)
                except DsiError as error:
                    logger.warning("on demand: %s", error.what.render("en"))
                    return _told("Failure", dn, "HybridSynchronizationActiveDirectoryUnavailable")
        if found is None:
            return _told("Failure", dn, "EntrySynchronizationObjectNotFound")
        counts = self._tenant.synchronise([found], None)
        return _told("Success" if counts.added or counts.changed else "Skipped", dn)

    def close(self) -> None:
        """Sign out of the directory."""
        if self._reader is not None:
            self._reader.close()

    def _check(self) -> None:
        if not self._tenant.hybrid:
            raise RefusedError(T("The simulated tenant is not hybrid."))
        if self._tenant.faults.background(Fault.SYNC_STOPPED) is not None:
            raise RefusedError(T("The synchronisation of the simulated tenant was stopped by a fault."))

    async def _cycle(self) -> None:
        if self._reader is None or self._tenant.faults.background(Fault.SYNC_STOPPED) is not None:
            return
        try:
            counts = await self._read(full=self._full)
        except DsiError as error:
            logger.warning("cycle: %s", error.what.render("en"))
            return
        self._full = False
        if counts.added or counts.changed or counts.removed:
            logger.info("cycle: %d added, %d changed, %d removed", counts.added, counts.changed, counts.removed)

    async def _read(self, *, full: bool) -> Counts:
        if self._reader is None:
            return Counts()
        async with self._one_at_a_time:
            changes = await asyncio.to_thread(self._reader.changes, full=full)
            return self._tenant.synchronise(changes.users, changes.there)

    def last(self) -> str | None:
        """Return when the synchronisation last spoke."""
        return stamp(self._tenant.last_sync) if self._tenant.last_sync is not None else None


def _told(result: str, dn: str, code: str | None = None) -> dict[str, Any]:
    details: dict[str, str] = {"errorCode": code} if code else {}
    if result == "Skipped":
        details = {
            "errorCode": "RedundantExport",
            "errorMessage": "The state of the user in both the source and target systems already match.",
        }
    value = {"action": "Other", "changeId": str(uuid4()), "provisioningSteps": [], "reportableIdentifier": dn}
    return {"key": json.dumps({"result": result, "details": details}), "value": json.dumps(value)}
