"""What is told of backups: a report as PDF and JSON for runs that belong together, and a mail with it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.composition import reports
from dsi_automation.composition.files import write
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event
from dsi_automation.core.text import T, speaking

if TYPE_CHECKING:
    from dsi_automation.composition.mails import Mails
    from dsi_automation.composition.told import Told
    from dsi_automation.composition.toolkit import Toolkit


class BackupTeller:
    """Makes reports of backups, and mails them to whom `dsi_backup.report_to` names."""

    operations: Final = reports.REPORTED
    together: Final = True

    def __init__(self, toolkit: Toolkit, mails: Mails, told: Told, folder: Path) -> None:
        """Keep reports in `folder`."""
        self._toolkit, self._mails, self._told, self._folder = toolkit, mails, told, folder

    def tell(self, runs: Sequence[str], stopped: DsiError | None) -> Event:
        """Report these runs together, and mail the report."""
        report = self.write(runs, stopped)
        self._send(report)
        path = str(self._folder / f"{report['id']}.pdf")
        return Event("report.made", T("Report: {path}", path=path), data={"report": report["id"]})

    def known(self) -> Iterator[dict[str, Any]]:
        """Yield the reports that were made, newest first."""
        for path in sorted(self._folder.glob("RUN-*.json"), reverse=True):
            with contextlib.suppress(OSError, ValueError):
                yield json.loads(path.read_text(encoding="utf-8"))

    def write(self, runs: Sequence[str], stopped: DsiError | None) -> dict[str, Any]:
        """Write the report of runs, as PDF and as JSON; returns it."""
        from dsi_automation.composition.report_pages import pages
        from dsi_automation.documents.backup_report import backup_report

        report = reports.build(self._toolkit, runs, stopped)
        with speaking(self._mails.language):
            title = T(
                "Report: {what} {names}",
                what=reports.NOUNS.get(report["operation"], T("run")),
                names=", ".join(report["targets"]),
            )
            pdf = backup_report(pages(report, self._organisation, title))
        content = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
        write(self._folder / f"{report['id']}.pdf", pdf)
        write(self._folder / f"{report['id']}.json", content.encode())
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

        settings = self._mails.settings
        if settings is None:
            return
        with speaking(self._mails.language):
            subject, body = str(reports.subject(report, settings.prefix)), mail_text(report)
        pdf = (self._folder / f"{report['id']}.pdf").read_bytes()
        ends = "+".join(self._told.ends([run["run"] for run in report["runs"]]))
        people = self._toolkit.inventory.backup_settings.report_to
        self._mails.to_people(f"report/{ends}", people, subject, body, {f"{report['id']}.pdf": pdf})
