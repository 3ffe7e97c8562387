"""Who is told of requests and decisions: those who may decide, then who asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from dsi_automation.core.text import speaking
from dsi_automation.engine.model import RequestState
from dsi_automation.inventory.model import Environment

if TYPE_CHECKING:
    from dsi_automation.composition.application_mails import Mail
    from dsi_automation.composition.mails import Mails
    from dsi_automation.composition.told import Told
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.engine.model import Request


class DecisionTeller(ABC):
    """Mails about requests of some operations; a mail of a key is put once, so that a run that is resumed repeats none.

    Attributes:
        operations: those it is about, by name.
    """

    operations: ClassVar[frozenset[str]]

    def __init__(self, toolkit: Toolkit, mails: Mails, told: Told) -> None:
        """Use the toolkit's inventory and journal."""
        self._toolkit, self._mails, self._told = toolkit, mails, told

    def asked(self, request: Request) -> bool:
        """Put the mails to those who may decide; returns whether there is anything to send."""
        settings = self._mails.settings
        if settings is None or not self._is_ours(request) or request.state is not RequestState.PENDING:
            return False
        with speaking(self._mails.language):
            subject, body = self._asked_mail(settings.prefix, request)
        people = [person for person in self._approvers(request) if person != request.requester]
        self._mails.to_people(f"asked/{request.id}", people, subject, body)
        return True

    def decided(self, request: Request) -> bool:
        """Put the mail to who asked about the last decision; returns whether there is anything to send."""
        from dsi_automation.composition.application_mails import decided_mail

        settings = self._mails.settings
        if settings is None or not self._is_ours(request) or not request.decisions:
            return False
        names = {one.person: self._name(one.person) for one in request.decisions}
        with speaking(self._mails.language):
            subject, body = decided_mail(settings.prefix, request, self._title(request), names)
        key = f"decided/{request.id}/{len(request.decisions)}"
        self._mails.to_people(key, [request.requester], subject, body)
        return True

    @abstractmethod
    def _asked_mail(self, prefix: str, request: Request) -> Mail:
        """Return what those who may decide are told."""

    @abstractmethod
    def _title(self, request: Request) -> str:
        """Return what a request is about, for people."""

    def _is_ours(self, request: Request) -> bool:
        return request.plan.operation in self.operations

    def _approvers(self, request: Request) -> Collection[str]:
        """Return the ids of those whose roles the policy names."""
        rules = self._toolkit.policy.operations.get(request.plan.operation, {})
        rule = rules.get(Environment(request.environment))
        if rule is None:
            return ()
        roles = set(rule.approvers)
        return [person.id for person in self._toolkit.inventory.people if roles & set(person.roles)]

    def _name(self, person: str) -> str:
        return next((one.name for one in self._toolkit.inventory.people if one.id == person), person)
