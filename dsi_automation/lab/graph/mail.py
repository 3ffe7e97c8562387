"""Exchange Online's part: mailbox settings and mails.

Sources: Microsoft Graph, "Get user mailbox settings", "user: sendMail"; the refusal of a user without a mailbox as in
the facts of public code: MailboxNotEnabledForRESTAPI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dsi_automation.lab.graph.errors import GraphError, bad, no_mailbox
from dsi_automation.lab.graph.store import Entry, stamp
from dsi_automation.lab.graph.tenant import Tenant

_MESSAGE: Final = frozenset(
    {
        "@odata.type", "subject", "body", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "from", "sender",
        "importance", "categories", "attachments", "internetMessageHeaders", "isDeliveryReceiptRequested",
        "isReadReceiptRequested",
    }
)  # fmt: skip
_RECIPIENTS: Final = ("toRecipients", "ccRecipients", "bccRecipients", "replyTo")


def settings(entry: Entry, context: str) -> dict[str, Any]:
    """Return the settings of a mailbox that is ready.

    Raises:
        GraphError: 404, there is none yet or any more.
    """
    if entry.mailbox != "ready":
        raise no_mailbox()
    return {
        "@odata.context": context,
        "archiveFolder": f"AAMk{entry.id.replace('-', '')}",
        "timeZone": "Greenwich Standard Time",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "dd/MM/yyyy",
        "timeFormat": "HH:mm",
        "userPurpose": "user",
        "automaticRepliesSetting": {
            "status": "disabled",
            "externalAudience": "all",
            "internalReplyMessage": "",
            "externalReplyMessage": "",
        },
        "language": {"locale": "fr-CI", "displayName": "français (Côte d’Ivoire)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "07:30:00.0000000",
            "endTime": "16:30:00.0000000",
            "timeZone": {"name": "Greenwich Standard Time"},
        },
    }


def send(tenant: Tenant, entry: Entry, body: Mapping[str, Any]) -> None:
    """Keep a mail as sent.

    Raises:
        GraphError: the sender has no mailbox, or the message is not well formed.
    """
    if entry.mailbox != "ready":
        raise no_mailbox()
    unknown = set(body) - {"message", "Message", "saveToSentItems", "SaveToSentItems"}
    message = body.get("message", body.get("Message"))
    if unknown or not isinstance(message, Mapping):
        raise bad("The payload of the action 'sendMail' needs a 'message'.", code="ErrorInvalidRequest")
    for name in message:
        if name not in _MESSAGE:
            raise bad(
                f"The property '{name}' does not exist on type 'microsoft.graph.message'. Make sure to only use "
                "property names that are defined by the type.",
                code="RequestBodyRead",
            )
    content = message.get("body", {})
    if not isinstance(content, Mapping) or str(content.get("contentType", "text")).lower() not in ("text", "html"):
        raise bad("The property 'body' is not a 'microsoft.graph.itemBody'.", code="RequestBodyRead")
    to = [address for name in _RECIPIENTS[:3] for address in _addresses(message.get(name, []))]
    if not to:
        raise bad("At least one recipient is not valid.", code="ErrorInvalidRecipients")
    tenant.mails.append({"at": stamp(tenant.store.now()), "from": entry.upn, "message": dict(message)})
    tenant.store.changed = True


def _addresses(recipients: Any) -> list[str]:
    found = []
    for recipient in recipients if isinstance(recipients, list) else [None]:
        mailbox = recipient.get("emailAddress") if isinstance(recipient, Mapping) else None
        address = mailbox.get("address") if isinstance(mailbox, Mapping) else None
        if not isinstance(address, str) or "@" not in address:
            raise bad("At least one recipient is not valid.", code="ErrorInvalidRecipients")
        found.append(address)
    return found


def invalid_user(key: str) -> GraphError:
    """Return Exchange Online's 404 for somebody the directory does not know."""
    return GraphError(404, "ErrorInvalidUser", f"The requested user '{key}' is invalid.")
