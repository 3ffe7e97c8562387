"""Who is told of routers and accesses: who asked, those who may approve it, and for whom an access was asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dsi_automation.composition.deciding import DecisionTeller
from dsi_automation.core.clock import iso
from dsi_automation.core.text import speaking

if TYPE_CHECKING:
    from dsi_automation.composition.application_mails import Mail
    from dsi_automation.composition.network_mails import NetworkEnding
    from dsi_automation.core.errors import DsiError
    from dsi_automation.engine.model import Request
    from dsi_automation.inventory.model import Person
    from dsi_automation.operations.network.record import Access, AccessRecord

CONFIGURE: Final = "router.configure"
ALLOW: Final = "access.allow"
REVOKE: Final = "access.revoke"
_ADDRESS: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")


class NetworkTeller(DecisionTeller):
    """Mails about routers and accesses.

    Who decides is who the policy names: for accesses the RSSI, for routers the section heads and the DSI, in the words
    of the roles of people.yml.
    """

    operations = frozenset({CONFIGURE, ALLOW, REVOKE})
    together: Final = False

    def tell(self, runs: Sequence[str], stopped: DsiError | None) -> None:  # noqa: ARG002  # a report's alone
        """Put the mails about the ends of runs."""
        if self._mails.settings is None:
            return
        record = self._toolkit.equipment.look().access_record()
        for run_id in runs:
            self._tell(run_id, record)

    def _asked_mail(self, prefix: str, request: Request) -> Mail:
        from dsi_automation.composition.network_mails import asked_mail

        return asked_mail(prefix, request, self._title(request), self._name(request.requester))

    def _title(self, request: Request) -> str:
        return ", ".join(request.plan.targets)

    def _tell(self, run_id: str, record: AccessRecord) -> None:
        from dsi_automation.composition.network_mails import ending_mail

        settings = self._mails.settings
        assert settings is not None  # noqa: S101  # `tell` asked
        ending = self._ending(run_id, record)
        (end,) = self._told.ends([run_id])
        if ending.run.operation == REVOKE and ending.request.plan.inputs.get("expired"):
            self._tell_expired(end, ending, record)
            return
        with speaking(self._mails.language):
            subject, body = ending_mail(settings.prefix, ending)
        people = {ending.request.requester, *self._approvers(ending.request)}
        beneficiaries = [one.beneficiary for one in ending.accesses]
        people |= {person.id for person in self._toolkit.inventory.people if _is_one_of(person, beneficiaries)}
        self._mails.to_people(f"ended/{end}", people, subject, body)
        known = {person.mail for person in self._toolkit.inventory.people if person.mail is not None}
        addresses = [one for one in beneficiaries if _ADDRESS.fullmatch(one) and one not in known]
        self._mails.to_addresses(f"ended/{end}", addresses, subject, body)

    def _tell_expired(self, end: str, ending: NetworkEnding, record: AccessRecord) -> None:
        """Report to those who decide: what was removed, what is still open, what ends soon.

        The schedule runs every hour: where nothing was to be removed, the same accesses that end soon are told once.
        """
        from dsi_automation.composition.network_mails import expiry_mail

        settings, now = self._mails.settings, self._toolkit.clock.now()
        assert settings is not None  # noqa: S101  # `tell` asked
        limit = now + self._toolkit.inventory.network.settings.access.warn_before
        standing = [one for one in record.standing() if one.rule.until is not None]
        overdue = [one for one in standing if one.expired(now) and one.router in ending.request.plan.targets]
        soon = [one for one in standing if one.rule.until is not None and now < one.rule.until <= limit]
        removed = [one for one in ending.accesses if one.revoked_at is not None]
        if not removed and not overdue and not soon:
            return
        with speaking(self._mails.language):
            subject, body = expiry_mail(settings.prefix, ending, overdue, soon, now)
        key = f"accesses/{end}" if removed else f"accesses/{_digest(overdue)}/{_digest(soon)}"
        self._mails.to_people(key, self._approvers(ending.request), subject, body)

    def _ending(self, run_id: str, record: AccessRecord) -> NetworkEnding:
        from dsi_automation.composition.network_mails import NetworkEnding
        from dsi_automation.operations.network import notes

        engine = self._toolkit.engine
        run = engine.run_by_id(run_id)
        request = engine.request_by_id(run.request_id)
        opened = [one for one in record.accesses if one.run == run.id and run.operation == ALLOW]
        taken = {(note.target, note.data["id"]): note.at for note in run.notes if note.name == notes.REVOKED}
        closed = [
            one
            for one in record.accesses
            if one.revoked_at is not None and taken.get((one.router, one.rule.id)) == one.revoked_at
        ]
        people = [run.person, request.requester, *(one.person for one in request.decisions)]
        routers = self._toolkit.inventory.network.routers
        return NetworkEnding(
            run=run,
            request=request,
            names={person: self._name(person) for person in people},
            sites={name: router.site for name, router in routers.items()},
            accesses=(*opened, *closed),
        )


def _is_one_of(person: Person, words: Sequence[str]) -> bool:
    """Tell whether a person of people.yml is meant: by id, name, staff number, login or address."""
    known = {person.id, person.name, person.staff_number, *person.logins, person.mail or person.id}
    return not {one.casefold() for one in known}.isdisjoint(one.strip().casefold() for one in words)


def _digest(accesses: Sequence[Access]) -> str:
    """Return what tells a set of accesses and their ends from another one."""
    parts = sorted(f"{one.router} {one.rule.id} {'' if one.rule.until is None else iso(one.rule.until)}"
                   for one in accesses)  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
