"""The tenant over Microsoft Graph: the write half, which checks a permit before each write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dsi_automation.connectors.m365 import creation
from dsi_automation.connectors.m365.asks import Answer, Ask
from dsi_automation.connectors.m365.client import Connection, GraphReader, accepted
from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.connectors.m365.port import CloudUser, Letter, NewCloudUser, SyncTarget
from dsi_automation.connectors.m365.refusals import NO_SUCH_LICENCE, is_usage_location, not_yet_there
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text


class WritePermit(Protocol):
    """What must agree before each write; the engine's permit does."""

    def check(self, target: str) -> None:
        """Raise `GateClosedError` when this run may not write on behalf of `target`, or no longer."""
        ...


class GraphWriter(GraphReader):
    """Also writes. Nothing is repeated after a lost answer but what may be done twice without harm.

    Args:
        connection: to the tenant.
        permit: what must agree.
        sync_job: the Cloud Sync job that can be hurried on, where there is one.
        target: on whose behalf, a name of the run; by default the object itself.
    """

    def __init__(
        self, connection: Connection, permit: WritePermit, sync_job: SyncTarget | None = None, target: str | None = None
    ) -> None:
        super().__init__(connection)
        self._permit = permit
        self._sync_job = sync_job
        self._target = target

    def for_target(self, target: str) -> GraphWriter:
        """Return a writer on behalf of one target, which shares the connections of this one."""
        return GraphWriter(self._connection, self._permit, self._sync_job, target)

    def create_user(self, user: NewCloudUser, password: Secret) -> CloudUser:
        """Create a user; one that is there with the same staff number, because an answer was lost, is returned.

        Raises:
            GateClosedError: the permit does not cover this.
            AddressTakenError: of RefusedError; somebody else has the address.
            StaffNumberTakenError: of RefusedError; the staff number is somebody's who has another address.
            UnknownOutcomeError: its answer was lost, and it does not show.
        """
        self._check(user.staff_number)
        return creation.create(self._connection, user, password, lambda: self._check(user.staff_number))

    def set_usage_location(self, user_id: str, country: str) -> None:
        """Set usageLocation, in a call of its own: together with others it may be refused for another's reason."""
        doing = T("set the country of use of {id} to {country}", id=user_id, country=country)
        self._patch(Call.SET_LOCATION, user_id, {"usageLocation": country}, doing)
        self._connection.located[user_id] = country

    def change_licences(self, user_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Assign and remove licences, by skuId; a usage location set just now is waited for.

        Raises:
            GateClosedError: the permit does not cover this.
            NoSeatError, UnknownLicenceError, LicenceConflictError, UsageLocationError: of RefusedError.
        """
        self._check(user_id)
        # Both keys, even when empty: without one the tenant refuses.
        body = {"addLicenses": [{"skuId": sku, "disabledPlans": []} for sku in add], "removeLicenses": list(remove)}
        ask = self._ask_on(
            user_id, Call.CHANGE_LICENCES, "assign_license", T("change the licences of {id}", id=user_id), body
        )
        answer = self._connection.ask(ask)
        if is_usage_location(answer) and self._located(user_id):
            self._check(user_id)
            answer = self._connection.ask(_again_if(ask, is_usage_location))
        if not answer.ok and NO_SUCH_LICENCE in answer.fault.message and self._has(user_id, add, remove):
            return
        accepted(ask, answer)

    def set_enabled(self, user_id: str, *, enabled: bool) -> None:
        """Allow or forbid signing in; not for a synchronised user, whom its directory masters."""
        doing = T("allow {id} to sign in", id=user_id) if enabled else T("forbid {id} to sign in", id=user_id)
        self._patch(Call.SET_ENABLED, user_id, {"accountEnabled": enabled}, doing)

    def reset_password(self, user_id: str, password: Secret) -> None:
        """Set a temporary password, to be changed at the next sign-in; not for a synchronised user."""
        profile = {"password": password, "forceChangePasswordNextSignIn": True}
        doing = T("set a temporary password for {id}", id=user_id)
        self._patch(Call.RESET_PASSWORD, user_id, {"passwordProfile": profile}, doing)

    def revoke_sessions(self, user_id: str) -> None:
        """End every session of a user."""
        self._check(user_id)
        doing = T("end the sessions of {id}", id=user_id)
        ask = self._ask_on(user_id, Call.REVOKE_SESSIONS, "revoke_sign_in_sessions", doing)
        self._connection.get(ask)

    def send_mail(self, letter: Letter) -> None:
        """Send a mail from a service mailbox; after a lost answer it is not sent again."""
        self._check(letter.to)
        message = {
            "subject": letter.subject,
            "body": {"contentType": "text", "content": letter.body},
            "toRecipients": [{"emailAddress": {"address": letter.to}}],
        }
        ask = Ask(
            Call.SEND_MAIL,
            "POST",
            self._connection.sdk.user_url(letter.sender, "send_mail"),
            T("send a mail to {to}", to=letter.to),
            letter.to,
            # Capital letters as the published description of Graph and the SDK have them.
            {"Message": message, "SaveToSentItems": True},
            once=True,
        )
        self._connection.get(ask)

    def provision_now(self, directory_dn: str) -> bool:
        """Ask Entra Cloud Sync to synchronise one object now; false where the settings name no job.

        From Active Directory to Entra the object is named by its DN and its type is `user`. Source:
        learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand.
        """
        if self._sync_job is None:
            return False
        self._check(directory_dn)
        sdk, job = self._connection.sdk, self._sync_job
        principal = sdk.graph.service_principals.by_service_principal_id(job.service_principal)
        builder = principal.synchronization.jobs.by_synchronization_job_id(job.job).provision_on_demand
        doing = T("have {dn} synchronised now", dn=directory_dn)
        subject = {"objectId": directory_dn, "objectTypeName": "user"}
        body = {"parameters": [{"ruleId": job.rule, "subjects": [subject]}]}
        ask = Ask(Call.PROVISION_NOW, "POST", sdk.url(builder), doing, directory_dn, body)
        self._connection.get(ask)
        return True

    def _check(self, otherwise: str) -> None:
        self._permit.check(self._target or otherwise)

    def _patch(self, call: Call, user_id: str, body: dict[str, Any], doing: Text) -> None:
        self._check(user_id)
        url = self._connection.sdk.user_url(user_id)
        ask = Ask(call, "PATCH", url, doing, user_id, body, writes=user_id, again=self._waiting(user_id))
        self._connection.get(ask)

    def _ask_on(self, user_id: str, call: Call, action: str, doing: Text, body: dict[str, Any] | None = None) -> Ask:
        """Return the request for an action of the SDK on one user; licence changes travel in batches."""
        url = self._connection.sdk.user_url(user_id, action)
        batch = call is Call.CHANGE_LICENCES
        return Ask(call, "POST", url, doing, user_id, body, batch=batch, writes=user_id, again=self._waiting(user_id))

    def _waiting(self, user_id: str) -> Any:
        """Return what is waited out for a user created here; for anybody else, absent is absent."""
        return not_yet_there if user_id in self._connection.created.values() else None

    def _located(self, user_id: str) -> bool:
        """Tell whether the country is set as it should be, so that the refusal is the tenant lagging behind itself."""
        data = self._connection.get(
            self._queries.user(user_id, ("id", "usageLocation"), again=self._waiting(user_id))
        ).data
        seen = str(data.get("usageLocation") or "")
        return bool(seen) and seen == self._connection.located.get(user_id, seen)

    def _has(self, user_id: str, add: Sequence[str], remove: Sequence[str]) -> bool:
        """Tell whether the licences are as asked: the first of two tries may have done it, its answer lost."""
        seen = self.user(user_id)
        held = set() if seen is None else {sku.lower() for sku in seen.licences}
        kept = {sku.lower() for sku in remove} & held
        return seen is not None and not kept and {sku.lower() for sku in add} <= held


def _again_if(ask: Ask, applies: Any) -> Ask:
    def again(answer: Answer) -> bool:
        return bool(applies(answer)) or (ask.again is not None and ask.again(answer))

    return Ask(
        ask.call, ask.method, ask.url, ask.doing, ask.on, ask.body, batch=ask.batch, writes=ask.writes, again=again
    )
