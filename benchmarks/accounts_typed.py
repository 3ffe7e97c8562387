"""In a process of its own: recorded calls of Microsoft Graph made again as msgraph-sdk's documentation shows.

`python -m benchmarks.accounts_typed INVENTORY CALLS` makes one call after the other with the SDK's request builders,
its own retries and its typed models. The first call of each kind, which imports its models, is made before the clock
starts. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from benchmarks import accounts_calls
from benchmarks.accounts_calls import Call
from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.connectors.m365.port import TenantEndpoint


class Loop:
    """The SDK's client, made as its documentation shows, and the calls."""

    def __init__(self, endpoint: TenantEndpoint) -> None:
        import httpx
        from azure.identity.aio import CertificateCredential
        from kiota_authentication_azure.azure_identity_authentication_provider import (
            AzureIdentityAuthenticationProvider,
        )

        factory = import_module("msgraph_core").GraphClientFactory
        options = import_module("msgraph.graph_request_adapter").options
        msgraph = import_module("msgraph")
        assert endpoint.certificate is not None  # the lab's inventory names one
        self.credential = CertificateCredential(
            endpoint.tenant_id,
            endpoint.client_id,
            endpoint.certificate,
            authority=endpoint.authority,
            disable_instance_discovery=True,
            connection_verify=endpoint.ca_file,
        )
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        self.http = factory.create_with_default_middleware(
            client=httpx.AsyncClient(verify=context, timeout=30), options=options
        )
        provider = AzureIdentityAuthenticationProvider(self.credential, scopes=[endpoint.scope])
        adapter = msgraph.GraphRequestAdapter(provider, client=self.http)
        adapter.base_url = endpoint.base_url
        self.graph = msgraph.GraphServiceClient(request_adapter=adapter)

    async def make(self, call: Call) -> Any:
        """Make one call; returns its typed model."""
        return await (self._read(call) if call.body is None else self._write(call))

    def _read(self, call: Call) -> Awaitable[Any]:
        graph = self.graph
        user = graph.users.by_user_id(call.ids[0]) if call.ids else None
        lists: dict[str, Any] = {
            "organisation": graph.organization,
            "skus": graph.subscribed_skus,
            "users": graph.users,
            "groups": graph.groups,
            "contacts": graph.contacts,
            "deleted_users": graph.directory.deleted_items.graph_user,
            "user": user,
        }
        builder = lists[call.kind] if user is None or call.kind == "user" else user.mailbox_settings
        read: Awaitable[Any] = builder.get(_query(builder, call))
        return read

    def _write(self, call: Call) -> Awaitable[Any]:
        body, graph = call.body or {}, self.graph
        sent: Awaitable[Any]
        if call.kind == "provision":
            jobs = graph.service_principals.by_service_principal_id(call.ids[0]).synchronization.jobs
            sent = jobs.by_synchronization_job_id(call.ids[1]).provision_on_demand.post(_provision(body))
            return sent
        user = graph.users.by_user_id(call.ids[0])
        if call.kind == "patch":
            sent = user.patch(_model("user", "User", usage_location=body["usageLocation"]))
        elif call.kind == "licence":
            sent = user.assign_license.post(_licence(body))
        else:
            sent = user.send_mail.post(_mail(body))
        return sent

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
        await self.credential.close()


def _query(builder: Any, call: Call) -> Any:
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    kinds = vars(type(builder))
    parameters = next(kinds[name] for name in kinds if name.endswith("GetQueryParameters"))
    words: dict[str, Any] = {}
    if "select" in call.query:
        words["select"] = call.query["select"].split(",")
    if "filter" in call.query:
        words["filter"] = call.query["filter"]
    if "top" in call.query:
        words["top"] = int(call.query["top"])
    return RequestConfiguration(query_parameters=parameters(**words))


def _model(module: str, name: str, **values: Any) -> Any:
    return getattr(import_module(f"msgraph.generated.models.{module}"), name)(**values)


def _licence(body: dict[str, Any]) -> Any:
    found = import_module("msgraph.generated.users.item.assign_license.assign_license_post_request_body")
    added = [_model("assigned_license", "AssignedLicense", sku_id=one["skuId"]) for one in body["addLicenses"]]
    return found.AssignLicensePostRequestBody(add_licenses=added, remove_licenses=body["removeLicenses"])


def _mail(body: dict[str, Any]) -> Any:
    found = import_module("msgraph.generated.users.item.send_mail.send_mail_post_request_body")
    message = body["Message"]
    to = [
        _model("recipient", "Recipient", email_address=_model("email_address", "EmailAddress", **one["emailAddress"]))
        for one in message["toRecipients"]
    ]
    kind = import_module("msgraph.generated.models.body_type").BodyType.Text
    text = _model("item_body", "ItemBody", content_type=kind, content=message["body"]["content"])
    made = _model("message", "Message", subject=message["subject"], body=text, to_recipients=to)
    return found.SendMailPostRequestBody(message=made, save_to_sent_items=body["SaveToSentItems"])


def _provision(body: dict[str, Any]) -> Any:
    found = import_module(
        "msgraph.generated.service_principals.item.synchronization.jobs.item.provision_on_demand."
        "provision_on_demand_post_request_body"
    )
    make = partial(_model, "synchronization_job_subject", "SynchronizationJobSubject")
    parameters = [
        _model(
            "synchronization_job_application_parameters",
            "SynchronizationJobApplicationParameters",
            rule_id=one["ruleId"],
            subjects=[
                make(object_id=subject["objectId"], object_type_name=subject["objectTypeName"])
                for subject in one["subjects"]
            ],
        )
        for one in body["parameters"]
    ]
    return found.ProvisionOnDemandPostRequestBody(parameters=parameters)


async def replayed(endpoint: TenantEndpoint, calls: Sequence[Call]) -> dict[str, Any]:
    """Make the calls and return what that cost."""
    loop = Loop(endpoint)
    first = {call.kind: call for call in reversed(calls)}
    for call in first.values():
        await loop.make(call)
    wall, cpu = time.perf_counter(), time.process_time()
    for call in calls:
        await loop.make(call)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await loop.close()
    return {"wall": wall, "cpu": cpu, "calls": len(calls)}


def main(inventory: str, file: str) -> None:
    """Make the calls and print."""
    endpoint = Toolkit(inventory=inventory, environ={}).equipment.look().tenant_endpoint()
    print(json.dumps(asyncio.run(replayed(endpoint, accounts_calls.read(file)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
