"""The proof that the gate is open, which every write of the connectors asks again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from dsi_automation.core.canonical import Json
from dsi_automation.core.text import T
from dsi_automation.engine.closed import closed


class RunPermit:
    """Given to one run, after the gate opened and while its leases are held; it dies with them.

    It looks at nothing outside the process, so that a write costs nothing more for asking: the heartbeat keeps
    `believed_held` true. Hours and revocation are asked of the journal before each action, not within one:
    an action once begun is better finished than cut in two.
    """

    def __init__(
        self,
        run_id: str,
        targets: Collection[str],
        believed_held: Callable[[str], bool],
        keep: Callable[[str, str, Mapping[str, Json]], None],
        interrupted: Callable[[], bool] = lambda: False,
        withdrawn: Callable[[], bool] = lambda: False,
    ) -> None:
        self._run_id = run_id
        self._targets = frozenset(targets)
        self._believed_held = believed_held
        self._keep = keep
        self._interrupted = interrupted
        self._withdrawn = withdrawn
        self._over = threading.Event()

    @property
    def run_id(self) -> str:
        """Return the run it was given to."""
        return self._run_id

    @property
    def interrupted(self) -> bool:
        """Tell whether somebody asked the run to stop."""
        return self._interrupted()

    @property
    def withdrawn(self) -> bool:
        """Tell whether the approval was taken back since; asks the journal."""
        return self._withdrawn()

    def check(self, target: str) -> None:
        """Make sure that this run may still write to `target`.

        Raises:
            GateClosedError: the target is not of this run, its lease is no longer held, or the run is over.
        """
        if target not in self._targets:
            raise closed(
                "permit_target",
                T("{target} is not among the targets approved for {run}.", target=target, run=self._run_id),
                T("Ask for an approval that covers it."),
            )
        if self._over.is_set():
            raise closed(
                "permit_over", T("The run {run} is over.", run=self._run_id), T("Start or resume a run instead.")
            )
        if not self._believed_held(target):
            raise closed(
                "lease",
                T("The run {run} no longer holds {target}.", run=self._run_id, target=target),
                T("See who does with `dsi runs`, then resume: `dsi resume {run}`.", run=self._run_id),
            )

    def note(self, target: str, name: str, data: Mapping[str, Json]) -> None:
        """Keep something of what was done in the run's record; it is in the journal on return."""
        self.check(target)
        self._keep(target, name, data)

    def end(self) -> None:
        """Refuse every write from now on."""
        self._over.set()
