"""One piece of work on many targets at once: bounded, with progress, and nobody waits for a hung one."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.events import Event, Observer, Silent
from dsi_automation.core.text import T, Text

LISTEN_SECONDS: Final = 0.05
"""How long a signal may wait while targets are worked on."""


@dataclass(frozen=True, slots=True)
class Outcomes[T_]:
    """What came back, and what did not, per target, in the order asked."""

    results: dict[str, T_]
    failures: dict[str, DsiError]


def fan_out[T_](
    targets: Sequence[str],
    work: Callable[[str], T_],
    *,
    workers: int = 16,
    deadline: float | None = None,
    clock: Clock | None = None,
    observer: Observer | None = None,
    kind: str = "look",
    doing: Text | None = None,
) -> Outcomes[T_]:
    """Do `work` on each target, at most `workers` at a time.

    A target that takes longer than `deadline` seconds becomes an `UnreachableError`; its thread is left behind
    (a daemon: it delays neither the others nor the end of the process) and what it returns later is thrown
    away. Give a deadline to reads only: a write left behind would go on unseen.

    Args:
        targets: each is worked on once.
        work: raises a `DsiError` for what went wrong with one target; any other error becomes one.
        workers: threads at once.
        deadline: seconds per target, from its start; None for no limit.
        clock: tells how long a target has taken, in monotonic seconds; by default the machine's.
        observer: told `<kind>.progress` after each target, with how many are done.
        kind: the prefix of the events.
        doing: the sentence of the events.
    """
    timer, listener, sentence = clock or SystemClock(), observer or Silent(), doing or T("Looking at the targets.")
    arrivals: queue.Queue[tuple[str, T_ | DsiError, bool]] = queue.Queue()
    waiting, running = deque(targets), dict[str, float]()
    results: dict[str, T_] = {}
    failures: dict[str, DsiError] = {}
    while waiting or running:
        while waiting and len(running) < max(1, workers):
            target = waiting.popleft()
            running[target] = timer.monotonic()
            threading.Thread(target=_one, args=(target, work, arrivals), name=f"fleet-{target}", daemon=True).start()
        finished = _next_arrival(arrivals, running, deadline, timer)
        for target, value, good in finished:
            if running.pop(target, None) is None:
                continue
            if good:
                results[target] = value  # type: ignore[assignment]  # `good` says which of the two it is
            else:
                failures[target] = value  # type: ignore[assignment]
            done = len(results) + len(failures)
            listener.notify(Event(f"{kind}.progress", sentence, target=target, done=done, total=len(targets)))
    return Outcomes(
        {name: results[name] for name in targets if name in results},
        {name: failures[name] for name in targets if name in failures},
    )


def _one[T_](target: str, work: Callable[[str], T_], arrivals: queue.Queue[tuple[str, T_ | DsiError, bool]]) -> None:
    try:
        arrivals.put((target, work(target), True))
    except DsiError as error:
        arrivals.put((target, error, False))
    except BaseException as error:  # noqa: BLE001  # a thread has nobody else to tell
        arrivals.put((target, unforeseen(error, target), False))


def _next_arrival[T_](
    arrivals: queue.Queue[tuple[str, T_ | DsiError, bool]],
    running: dict[str, float],
    deadline: float | None,
    clock: Clock,
) -> list[tuple[str, T_ | DsiError, bool]]:
    """Wait for one target to finish, or for those that are too late."""
    longest = math.inf if deadline is None else deadline
    until = min(running.values()) + longest
    while (left := until - clock.monotonic()) > 0:
        # In slices: a wait without end lets no signal handler run (seen with CPython 3.13), and the wish to stop would
        # be noticed after the last action.
        with contextlib.suppress(queue.Empty):
            return [arrivals.get(timeout=min(left, LISTEN_SECONDS))]
    late = [name for name, started in running.items() if clock.monotonic() - started >= longest]
    return [(name, _too_late(name, longest), False) for name in late]


def unforeseen(error: BaseException, target: str) -> DsiError:
    """Return an error nobody foresaw as one of ours, with its cause."""
    wrapped = DsiError(
        T("An unforeseen error: {problem}", problem=f"{type(error).__name__}: {error}"),
        on=target,
        meaning=T("This is a defect of the toolkit."),
        next_step=T("Report it with the output of `--debug`."),
    )
    wrapped.__cause__ = error
    return wrapped


def _too_late(target: str, deadline: float) -> DsiError:
    return UnreachableError(
        T("{target} did not finish within {seconds} s.", target=target, seconds=f"{deadline:g}"),
        on=target,
        next_step=T("Check that it is switched on and not overloaded, then try again."),
    )
