"""The look at a tape: is the very tape of the inventory in the drive, and what does it hold?"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from dsi_automation.connectors.media import tape_records, token
from dsi_automation.connectors.media.drive import Drive
from dsi_automation.connectors.media.port import MediumFacts, MediumSettings, Token
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.text import T, Text


class TapeLook:
    """Looks, and changes nothing but where the tape stands."""

    def __init__(self, settings: MediumSettings, drive: Drive) -> None:
        """Look through a drive."""
        self._settings = settings
        self._drive = drive

    def look(self) -> MediumFacts:
        """Return what is found; a tape that is absent or wrong is a fact."""
        title, device = self._settings.title, str(self._settings.device)
        if not Path(device).exists():
            return self._absent(T("There is no drive {device}.", device=device))
        try:
            status = self._drive.status()
            if not status.online:
                return self._absent(T("No tape is in the drive {device}.", device=device))
            self._drive.rewind()
            first = self._drive.read()
            if first is None:
                return self._found(Token.BLANK, None, [], protected=status.write_protected)
            label = tape_records.record_of(first)
            if label is None or label.get("format") != token.FORMAT:
                why = T("it holds other things")
                return self._found(Token.OCCUPIED, why, [], protected=status.write_protected)
            verdict, wrong = token.judged(self._settings, label, self._settings.serial or "")
            sets = tape_records.sets_of(self._drive) if verdict is Token.OURS else []
            return self._found(verdict, wrong, sets, protected=status.write_protected, label=label)
        except OSError as error:
            return self._absent(T("{title} cannot be read: {why}.", title=title, why=os.strerror(error.errno or 0)))
        finally:
            self._drive.close()

    def label(self) -> dict[str, Any] | None:
        """Return the label of the tape in the drive."""
        self._drive.rewind()
        return tape_records.record_of(self._drive.read())

    @staticmethod
    def keep(label: dict[str, Any]) -> timedelta:
        """Return how long the label says that what the tape holds is kept."""
        return parse_iso(label["expires_at"]) - parse_iso(label["labelled_at"])

    def _found(
        self,
        verdict: Token,
        why: Text | None,
        sets: list[dict[str, Any]],
        *,
        protected: bool,
        label: dict[str, Any] | None = None,
    ) -> MediumFacts:
        title, capacity = self._settings.title, self._settings.capacity or 0
        problem = step = None
        if why is not None:
            problem = T("The tape in the drive is not the {title} that was registered: {why}.", title=title, why=why)
            step = T("Put in the right one. If this one is to be used, have it erased and described as a new medium.")
        elif protected:
            problem = T("{title} is write-protected.", title=title)
            step = T("Move its tab, or put in the next tape of the rotation.")
        used = sum(int(item.get("bytes", 0)) for item in sets)
        return MediumFacts(
            present=verdict in {Token.OURS, Token.BLANK},
            identity=None if label is None else str(label.get("identity")),
            writable=not protected,
            free=max(0, capacity - used),
            total=capacity,
            problem=problem,
            next_step=step,
            holds=tuple(str(item["id"]) for item in sets),
            details={
                "token": str(verdict),
                "device": str(self._settings.device),
                **({} if label is None else {"uses": label.get("uses"), "expires_at": label.get("expires_at")}),
            },
        )

    def _absent(self, problem: Text) -> MediumFacts:
        return MediumFacts(
            present=False,
            problem=problem,
            next_step=T("Put {title} into the drive and wait until it is ready.", title=self._settings.title),
        )
