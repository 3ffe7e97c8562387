"""In a process of its own: recorded calls of Microsoft Graph made again through the toolkit's connector.

`python -m benchmarks.accounts_ours INVENTORY CALLS WORKERS` makes each call's URL as the connector does, sends it, and
makes the connector's values of what comes back; so many threads ask at once, as a run does. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks import accounts_calls
from benchmarks.accounts_calls import Call
from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.connectors.m365 import records
from dsi_automation.connectors.m365.asks import Ask
from dsi_automation.connectors.m365.client import Connection
from dsi_automation.connectors.m365.permissions import Call as Permission
from dsi_automation.connectors.m365.port import HolderKind
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.text import T

ALONE: Final = {"patch", "mail", "provision"}
"""What the connector never puts into a batch."""
METHODS: Final = {"patch": "PATCH", "licence": "POST", "mail": "POST", "provision": "POST"}


class Replay:
    """Makes calls again.

    Args:
        connection: to the tenant.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def make(self, call: Call) -> None:
        """Make one call and read its answer."""
        answer = self._connection.get(self._ask(call))
        match call.kind:
            case "user":
                records.user(answer.data)
            case "organisation":
                records.tenant(answer.data["value"][0])
            case "skus":
                [records.sku(one) for one in answer.data["value"]]
            case "users" if "assignedPlans" in call.query["select"]:
                [records.user(one) for one in answer.data["value"]]
            case "users" | "groups" | "contacts" | "deleted_users":
                [(records.holder(HolderKind.USER, one), records.addresses(one)) for one in answer.data["value"]]

    def _ask(self, call: Call) -> Ask:
        return Ask(
            Permission.USERS,
            METHODS.get(call.kind, "GET"),
            self._url(call),
            T("call"),
            body=call.body,
            batch=call.kind not in ALONE,
            writes=call.ids[0] if call.kind in METHODS else None,
        )

    def _url(self, call: Call) -> str:
        sdk = self._connection.sdk
        graph, fields = sdk.graph, tuple(call.query.get("select", "").split(","))
        match call.kind:
            case "user" | "patch":
                return sdk.user_url(call.ids[0], fields=fields if "select" in call.query else ())
            case "mailbox":
                return sdk.user_url(call.ids[0], "mailbox_settings", fields)
            case "licence":
                return sdk.user_url(call.ids[0], "assign_license")
            case "mail":
                return sdk.user_url(call.ids[0], "send_mail")
            case "provision":
                jobs = graph.service_principals.by_service_principal_id(call.ids[0]).synchronization.jobs
                return sdk.url(jobs.by_synchronization_job_id(call.ids[1]).provision_on_demand)
        builders: dict[str, Any] = {
            "organisation": graph.organization,
            "skus": graph.subscribed_skus,
            "users": graph.users,
            "groups": graph.groups,
            "contacts": graph.contacts,
            "deleted_users": graph.directory.deleted_items.graph_user,
        }
        return sdk.url(builders[call.kind], call.query)


def main(inventory: str, file: str, workers: str) -> None:
    """Make the calls and print what that cost."""
    calls = accounts_calls.read(file)
    endpoint = Toolkit(inventory=inventory, environ={}).equipment.look().tenant_endpoint()
    connection = Connection(endpoint, SystemClock())
    replay = Replay(connection)
    replay.make(next(call for call in calls if call.kind == "users"))
    before = connection.exchanges().http
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(int(workers)) as pool:
        done = sum(1 for _ in pool.map(replay.make, calls))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    http = connection.exchanges().http - before
    connection.close()
    print(json.dumps({"wall": wall, "cpu": cpu, "calls": done, "http": http}))


if __name__ == "__main__":
    main(*sys.argv[1:])
