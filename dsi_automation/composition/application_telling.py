"""Who is told what of applications: users of a stop and of its end, the DSI of how it ended, who asked of decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from dsi_automation.composition.deciding import DecisionTeller
from dsi_automation.core.clock import iso
from dsi_automation.core.text import speaking

if TYPE_CHECKING:
    from dsi_automation.composition.application_endings import Ending
    from dsi_automation.composition.application_mails import Mail
    from dsi_automation.core.errors import DsiError
    from dsi_automation.engine.model import Request, Run
    from dsi_automation.inventory.application_model import Application
    from dsi_automation.operations.applications.announcing import Announcement
    from dsi_automation.operations.applications.record import ApplicationRecord, Interruption

STOPPING: Final = frozenset({"application.stop", "application.start", "application.restart", "sources.integrate"})
"""Operations whose end says whether the application is available."""
CONTENT: Final = frozenset({"rules.update", "application.account"})
"""Operations on what is in it: who asked is told how they ended, whichever way."""
PERSONAL: Final = frozenset({"application.account"})
"""Operations that concern one person: the DSI is not told of each."""


class ApplicationTeller(DecisionTeller):
    """Mails about applications."""

    operations = STOPPING | CONTENT
    together: Final = False
    """Each run at its own end: that it is available again does not wait for the rest of a chain."""

    def announce(self, run: str, announcement: Announcement) -> None:
        """Put the mails to the users of an application.

        Raises:
            StorageError: one cannot be kept.
        """
        from dsi_automation.composition.application_mails import announcement_mail

        settings, described = self._mails.settings, self._described(announcement.application)
        if settings is None or described is None:
            return
        with speaking(self._mails.language):
            subject, body = announcement_mail(settings.prefix, described, announcement)
        # A stop that was put off and is announced anew has another moment; a run that is resumed has the same.
        moment = "" if announcement.stops_at is None else f"@{iso(announcement.stops_at)}"
        key = f"application/{run}/{announcement.kind.value}{moment}/{announcement.application}"
        self._mails.to_addresses(key, described.notice.users, subject, body)

    def tell(self, runs: Sequence[str], stopped: DsiError | None) -> None:  # noqa: ARG002  # a report's alone
        """Put the mails about the ends of runs: to the DSI, and to who asked where it did not end well."""
        if self._mails.settings is None:
            return
        record = self._toolkit.equipment.look().application_record()
        for run_id in runs:
            self._tell(run_id, record)

    def told_of(self, targets: Iterable[str]) -> list[str]:
        """Return who is told of these applications: ids in people.yml; none where they are no applications."""
        found = [self._described(name) for name in targets]
        return list(dict.fromkeys(person for one in found if one is not None for person in one.notice.dsi))

    def _tell(self, run_id: str, record: ApplicationRecord) -> None:
        from dsi_automation.composition.application_endings import ending_mail

        engine, settings = self._toolkit.engine, self._mails.settings
        assert settings is not None  # noqa: S101  # `tell` asked
        run = engine.run_by_id(run_id)
        request = engine.request_by_id(run.request_id)
        (end,) = self._told.ends([run_id])
        for target in request.plan.targets:
            ending = self._ending(run, request, target, record)
            with speaking(self._mails.language):
                subject, body = ending_mail(settings.prefix, ending)
            people = [] if run.operation in PERSONAL else self.told_of([ending.application])
            if run.operation in CONTENT or not ending.state.good:
                people.append(request.requester)
            self._mails.to_people(f"ended/{end}/{target}", people, subject, body)
            if run.operation in PERSONAL and ending.state.good:
                self._tell_requester(run_id, ending)

    def _tell_requester(self, run_id: str, ending: Ending) -> None:
        """Put the mail to who asked for a login by hierarchy: somebody who need not be in people.yml."""
        from dsi_automation.composition.login_mails import done_mail, requester_address

        inputs, settings = ending.request.plan.inputs, self._mails.settings
        address = requester_address(inputs)
        if address is None or settings is None:
            return
        described = ending.described
        title = ending.application if described is None else described.title
        accounts = None if described is None else described.accounts
        password = accounts is not None and accounts.store.kind == "sql"
        with speaking(self._mails.language):
            subject, body = done_mail(settings.prefix, ending.target, title, inputs, password=password)
        self._mails.to_addresses(f"login/{run_id}/{ending.target}", [address], subject, body)

    def _ending(self, run: Run, request: Request, target: str, record: ApplicationRecord) -> Ending:
        from dsi_automation.composition.application_endings import Ending

        application = target.rpartition("@")[2]
        names = [run.person, request.requester, *(one.person for one in request.decisions)]
        return Ending(
            target=target,
            application=application,
            described=self._described(application),
            run=run,
            request=request,
            names={name: self._name(name) for name in names},
            notes=tuple(note for note in record.of_run(run.id) if note.target == target),
            open=record.open_interruption(application),
            interruption=next(
                (item for item in reversed(record.interruptions)
                 if item.application == application and _of(run, item)), None
            ),
        )  # fmt: skip

    def _asked_mail(self, prefix: str, request: Request) -> Mail:
        from dsi_automation.composition.application_mails import asked_mail

        described = next((self._described(name.rpartition("@")[2]) for name in request.plan.targets), None)
        return asked_mail(prefix, request, self._title(request), self._name(request.requester), described)

    def _title(self, request: Request) -> str:
        found = {name: self._described(name.rpartition("@")[2]) for name in request.plan.targets}
        return ", ".join(
            name
            if one is None
            else one.title
            if name in self._toolkit.inventory.applications
            else f"{name}, {one.title}"
            for name, one in found.items()
        )

    def _described(self, application: str) -> Application | None:
        return self._toolkit.inventory.applications.get(application)


def _of(run: Run, item: Interruption) -> bool:
    """Tell whether a run began an interruption, or ended it."""
    return item.run == run.id or (item.ended_at is not None and item.ended_at >= run.started_at)
