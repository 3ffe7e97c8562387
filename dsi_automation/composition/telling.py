"""The engine that tells: every end of a backup run makes a report and a mail, good or bad, and changes no outcome."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.composition import reports
from dsi_automation.core.errors import DsiError, StorageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T, Text, speaking
from dsi_automation.engine.engine import GatedEngine
from dsi_automation.journal.model import Entry, Kind

if TYPE_CHECKING:
    from dsi_automation.composition.outbox import Flushed, Outbox
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.connectors.mail.port import MailRelay
    from dsi_automation.core.plan import Plan
    from dsi_automation.engine.model import Run

MADE_UP_FOR: Final = timedelta(days=30)
"""How far back a run that ended without a report is still reported."""

_BEGINS_AND_ENDS: Final = (Kind.RUN_STARTED, Kind.RUN_RESUMED, Kind.RUN_ENDED)


@dataclass
class Chain:
    """Runs whose ends wait to be told together."""

    runs: list[str] = field(default_factory=list)
    stopped: DsiError | None = None


class TellingEngine(GatedEngine):
    """An engine whose runs of backups are told of when they end, however they end."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's parts, and tell through its teller."""
        super().__init__(toolkit.parts)
        self._teller = toolkit.teller

    def run(self, request_id: str, observer: Observer, *, targets: Sequence[str] | None = None) -> Run:
        """Carry out an approved plan, then tell."""
        with self._teller.listening(observer) as heard:
            return super().run(request_id, heard, targets=targets)

    def emergency(self, plan: Plan, reason: str, observer: Observer) -> Run:
        """Run a plan now, then tell."""
        with self._teller.listening(observer) as heard:
            return super().emergency(plan, reason, heard)

    def resume(self, run_id: str, observer: Observer) -> Run:
        """Finish an interrupted run, then tell."""
        with self._teller.listening(observer) as heard:
            return super().resume(run_id, heard)


class _Ear:
    """Passes events on, and remembers which run they were about."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.run: str | None = None

    def notify(self, event: Event) -> None:
        if event.kind in {"run.started", "run.resumed"}:
            self.run = str(event.data["run"])
        self._observer.notify(event)


class Teller:
    """Makes reports and mails; whatever goes wrong with them is told and stops nothing."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's journal, inventory and state folder."""
        self._toolkit = toolkit
        self._chain: Chain | None = None

    @property
    def folder(self) -> Path:
        """Return where reports are kept."""
        return self._toolkit.settings.state_dir.value / "reports"

    @cached_property
    def outbox(self) -> Outbox:
        """Return the mails on their way out."""
        from dsi_automation.composition.outbox import Outbox

        settings = self._toolkit.inventory.mail
        folder, clock = self._toolkit.settings.state_dir.value / "outbox", self._toolkit.clock
        if settings is None:
            return Outbox(folder, None, clock)
        return Outbox(folder, _LateRelay(self._toolkit), clock, give_up_after=settings.give_up_after)

    @contextmanager
    def listening(self, observer: Observer) -> Generator[_Ear]:
        """Tell of the run that begins in this block when the block ends, by whatever way."""
        ear = _Ear(observer)
        try:
            yield ear
        finally:
            if ear.run is not None:
                self._ended(ear.run, observer)

    @contextmanager
    def deferred(self, observer: Observer) -> Generator[Chain]:
        """Tell of all runs of this block together, at its end."""
        outer, self._chain = self._chain, Chain()
        chain = self._chain
        try:
            yield chain
        finally:
            self._chain = outer
            if outer is not None:
                outer.runs += chain.runs
            elif chain.runs:
                self._tell(chain.runs, observer, chain.stopped)

    def make_up(self, observer: Observer) -> list[str]:
        """Report the runs of this machine that were never told of as they are now: their process was killed before.

        One that was cut short is told of as not finished; when it is resumed, its end is told of again.
        """
        told: list[str] = []
        with self._harmless(observer):
            for runs in self._untold():
                self._tell(runs, observer)
                told.append(runs[0])
        return told

    def report(self, run_id: str, *, again: bool = False) -> tuple[dict[str, Any], Path]:
        """Return a report and its PDF; made when there is none, or anew.

        Raises:
            UsageError: there is no such run. StorageError: it cannot be written.
        """
        found = self._toolkit.engine.run_by_id(run_id).id
        known = next((data for data in self.known() if any(run["run"] == found for run in data["runs"])), None)
        if known is None:
            known = self._write([found], None)
        elif again:
            known = self._write([run["run"] for run in known["runs"]], None)
        return known, self.folder / f"{known['id']}.pdf"

    def known(self) -> Iterator[dict[str, Any]]:
        """Yield the reports that were made, newest first."""
        for path in sorted(self.folder.glob("RUN-*.json"), reverse=True):
            with contextlib.suppress(OSError, ValueError):
                yield json.loads(path.read_text(encoding="utf-8"))

    def tell_missed(self, name: str, words: Text, due: datetime, reason: object, observer: Observer) -> None:
        """Mail that an occurrence of a schedule was missed.

        Args:
            words: what people read about it.
            due: the last occurrence that was missed: one mail for it, however often it is told.
        """
        with self._harmless(observer):
            settings = self._toolkit.inventory.mail
            if settings is None:
                return
            facts = {"prefix": settings.prefix, "name": name, "due": f"{due.astimezone():%d/%m/%Y %H:%M}"}
            with speaking(self._language):
                subject = str(T("{prefix} MISSED — {name} of {due}", **facts))
                body = f"{words}\n\n{reason}\n" if reason else f"{words}\n"
            self._mail(f"missed/{name}/{due.isoformat()}", subject, body, {})
            self.outbox.flush()

    def flush(self, *, now: bool = False, again: bool = False) -> Flushed:
        """Offer the mails that wait; see `Outbox.flush`."""
        return self.outbox.flush(now=now, again=again)

    @property
    def _language(self) -> str:
        return self._toolkit.inventory.backup_settings.report_language

    def _ended(self, run_id: str, observer: Observer) -> None:
        with self._harmless(observer):
            run = self._toolkit.engine.run_by_id(run_id)
            if run.operation not in reports.REPORTED:
                return
            if self._chain is not None:
                self._chain.runs.append(run.id)
            else:
                self._tell([run.id], observer)

    def _tell(self, runs: Sequence[str], observer: Observer, stopped: DsiError | None = None) -> None:
        with self._harmless(observer):
            report = self._write(list(dict.fromkeys(runs)), stopped)
            self._send(report)
            for name in self._ends(runs):
                self._mark(name)
            observer.notify(
                Event(
                    "report.made",
                    T("Report: {path}", path=str(self.folder / f"{report['id']}.pdf")),
                    data={"report": report["id"]},
                )
            )
            flushed = self.outbox.flush()
            if flushed.error is not None:
                observer.notify(Event("report.delayed", T("The mail waits: {why}", why=flushed.error.what)))

    def _write(self, runs: Sequence[str], stopped: DsiError | None) -> dict[str, Any]:
        from dsi_automation.composition.report_pages import pages
        from dsi_automation.documents.backup_report import backup_report

        report = reports.build(self._toolkit, runs, stopped)
        with speaking(self._language):
            title = T(
                "Report: {what} {names}",
                what=reports.NOUNS.get(report["operation"], T("run")),
                names=", ".join(report["targets"]),
            )
            pdf = backup_report(pages(report, self._organisation, title))
        content = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
        write(self.folder / f"{report['id']}.pdf", pdf)
        write(self.folder / f"{report['id']}.json", content.encode())
        return report

    @property
    def _organisation(self) -> str:
        try:
            return self._toolkit.inventory.accounts.organisation
        except DsiError:
            from dsi_automation.inventory.account_model import AccountPolicy

            return str(AccountPolicy.model_fields["organisation"].default)

    def _send(self, report: Mapping[str, Any]) -> None:
        from dsi_automation.composition.report_pages import mail_text

        settings = self._toolkit.inventory.mail
        if settings is None:
            return
        with speaking(self._language):
            subject, body = str(reports.subject(report, settings.prefix)), mail_text(report)
        pdf = (self.folder / f"{report['id']}.pdf").read_bytes()
        ends = "+".join(self._ends([run["run"] for run in report["runs"]]))
        self._mail(f"report/{ends}", subject, body, {f"{report['id']}.pdf": pdf})

    def _mail(self, key: str, subject: str, body: str, files: Mapping[str, bytes]) -> None:
        settings = self._toolkit.inventory.mail
        assert settings is not None  # noqa: S101  # the callers ask
        wanted = self._toolkit.inventory.backup_settings.report_to
        for person in self._toolkit.inventory.people:
            if person.id not in wanted or person.mail is None:
                continue
            message = EmailMessage()
            message["From"], message["To"] = settings.sender, person.mail
            message["Subject"] = redact(" ".join(subject.split()))
            message["Date"] = self._toolkit.clock.now()
            message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
            message.set_content(redact(body), cte="quoted-printable")
            for name, content in files.items():
                message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
            self.outbox.put(message, f"{key}/{person.id}")

    def _ends(self, runs: Sequence[str]) -> list[str]:
        """Return a name for each run as it ended, or was cut short: a run that is resumed ends again."""
        found = []
        for run in dict.fromkeys(runs):
            entries = self._toolkit.journal.read(subject=run, kinds=_BEGINS_AND_ENDS)
            ends = sum(entry.kind is Kind.RUN_ENDED for entry in entries)
            cut = "" if entries[-1].kind is Kind.RUN_ENDED else f"-{len(entries)}"
            found.append(f"{run}.{ends}{cut}")
        return found

    def _mark(self, name: str) -> None:
        write(self.folder / "told" / name, b"")

    def _untold(self) -> Iterator[list[str]]:
        """Yield runs whose process is gone, and that no report tells of as they are now; a process's together."""
        from dsi_automation.journal.owner import is_dead

        if not self._toolkit.journal_exists:
            return
        since = self._toolkit.clock.now() - MADE_UP_FOR
        begun: dict[str, Entry] = {}
        owners: dict[str, str] = {}
        last: dict[str, Entry] = {}
        for entry in self._toolkit.journal.read(kinds=_BEGINS_AND_ENDS):
            last[entry.subject] = entry
            if entry.kind is not Kind.RUN_ENDED:
                begun.setdefault(entry.subject, entry)
                owners[entry.subject] = str(entry.body["owner"])
        together: dict[tuple[str, ...], list[str]] = {}
        for run, entry in last.items():
            body = begun[run].body
            if entry.at < since or body["operation"] not in reports.REPORTED or not is_dead(owners[run]):
                continue
            if not (self.folder / "told" / self._ends([run])[0]).exists():
                together.setdefault((owners[run], *body["targets"]), []).append(run)
        yield from together.values()

    @contextmanager
    def _harmless(self, observer: Observer) -> Generator[None]:
        """Let nothing of a report change what became of the run; what goes wrong is told."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, the run's outcome stands
            why: object = error.what if isinstance(error, DsiError) else type(error).__name__
            observer.notify(Event("report.failed", T("The report could not be made or sent: {why}", why=why)))


def write(path: Path, content: bytes) -> None:
    """Write a file of the state folder, its owner's only, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(T("{path} cannot be written: {reason}.", path=str(path), reason=reason_of(error))) from error


class _LateRelay:
    """The relay of the inventory, made when a mail is sent: a password that cannot be read must not lose a mail."""

    def __init__(self, toolkit: Toolkit) -> None:
        self._toolkit = toolkit

    def send(self, message: EmailMessage) -> None:
        _relay(self._toolkit).send(message)


def _relay(toolkit: Toolkit) -> MailRelay:
    from dsi_automation.connectors.mail.client import SmtpRelay
    from dsi_automation.connectors.mail.port import MailSecurity, RelayEndpoint

    settings = toolkit.inventory.mail
    assert settings is not None  # noqa: S101  # the caller asks
    account = None if settings.credential is None else toolkit.equipment.look().account(settings.credential)
    return SmtpRelay(
        RelayEndpoint(
            server=settings.server,
            port=settings.port,
            security=MailSecurity(settings.security),
            ca_file=settings.ca_file,
            user=None if account is None else account.user,
            password=None if account is None else account.password,
            timeout=settings.timeout_seconds,
        )
    )
