"""Which attributes the forest's schema has: Exchange adds some that a plain Active Directory does not know."""

from __future__ import annotations

import threading

from dsi_automation.connectors.directory import names
from dsi_automation.connectors.directory.pool import Pool
from dsi_automation.connectors.directory.records import text
from dsi_automation.core.text import T


class Schema:
    """The schema, asked once per attribute: it does not change while we run."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[str, bool] = {}
        self._lock = threading.Lock()

    def has(self, attribute: str) -> bool:
        """Tell whether objects may have this attribute.

        Raises:
            UnreachableError, RefusedError: the directory does not say.
        """
        with self._lock:
            if attribute not in self._known:
                self._known[attribute] = self._ask(attribute)
            return self._known[attribute]

    def _ask(self, attribute: str) -> bool:
        doing, server = T("ask whether the schema has {attribute}", attribute=attribute), self._pool.endpoint.server
        root = self._pool.read(lambda wire: wire.find("", ("schemaNamingContext",)), doing, on=server)
        below = None if root is None else text(root.values, "schemaNamingContext")
        if below is None:
            return False
        filter_ = f"(&(objectClass=attributeSchema)(lDAPDisplayName={names.filter_value(attribute)}))"
        return bool(self._pool.read(lambda wire: wire.search(below, filter_, ("lDAPDisplayName",)), doing, on=server))
