"""Carries requests: what is asked at the same moment travels in batches of up to 20, and is sent again as `retry` says.

It lives on the event loop; nothing in it is shared with other threads.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from dsi_automation.connectors.m365.asks import Answer, Ask, Outcome
from dsi_automation.connectors.m365.retry import Again, Failed, Moment, Settled, decide
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError

BATCH: Final = 20
"""Requests in one batch (learn.microsoft.com/graph/json-batching)."""
LANES: Final = 2
"""HTTP requests under way at once; beyond that, what is asked waits for the next batch."""
FULL_LANES: Final = 6
"""The same for full batches."""

type Send = Callable[[Sequence[Ask]], Awaitable[Sequence[Outcome]]]
type Pause = Callable[[float], Awaitable[None]]
type Reply = Answer | DsiError


@dataclass(slots=True, eq=False)
class _Parcel:
    ask: Ask
    reply: asyncio.Future[Reply]
    ends: float
    attempt: int = 0


class Courier:
    """Sends what it is given, one request by itself or up to 20 together.

    Args:
        send: sends some requests in one HTTP exchange and returns what came of each, in their order.
        clock: for deadlines.
        pause: waits on the loop.
        deadline: seconds for each request with all its tries.
        server: whom errors name.
    """

    def __init__(self, send: Send, clock: Clock, pause: Pause, *, deadline: float, server: str) -> None:
        self._send = send
        self._clock = clock
        self._pause = pause
        self._deadline = deadline
        self._server = server
        self._queue: deque[_Parcel] = deque()
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._spread = secrets.SystemRandom()
        self.retries = 0

    async def ask_all(self, asks: Sequence[Ask]) -> Sequence[Reply]:
        """Return the reply to each request, in their order: an answer, or the error it was given up with."""
        loop = asyncio.get_running_loop()
        ends = self._clock.monotonic() + self._deadline
        parcels = [_Parcel(ask, loop.create_future(), ends) for ask in asks]
        self._queue.extend(parcels)
        # Not now: other threads' requests that arrived together are put in the queue first.
        loop.call_soon(self._dispatch)
        return await asyncio.gather(*(parcel.reply for parcel in parcels))

    def _dispatch(self) -> None:
        while self._queue and self._busy < (FULL_LANES if len(self._queue) >= BATCH else LANES):
            group = self._take()
            if group:
                self._busy += 1
                self._start(self._carry(group))

    def _take(self) -> list[_Parcel]:
        """Take the next request, and whatever may travel with it, in the order it came."""
        taken: list[_Parcel] = []
        kept: list[_Parcel] = []
        written: set[str] = set()
        while self._queue and len(taken) < BATCH:
            parcel = self._queue.popleft()
            ask = parcel.ask
            if parcel.reply.done():
                continue
            if not taken and not ask.batch:
                taken.append(parcel)
                break
            if not ask.batch or ask.writes in written:
                kept.append(parcel)
                continue
            taken.append(parcel)
            if ask.writes is not None:
                written.add(ask.writes)
        self._queue.extendleft(reversed(kept))
        return taken

    async def _carry(self, group: Sequence[_Parcel]) -> None:
        try:
            outcomes = await self._send([parcel.ask for parcel in group])
        except BaseException as error:  # noqa: BLE001  # whoever asked must hear of it, whatever it is
            for parcel in group:
                _settle(parcel, error)
        else:
            self._sort(group, outcomes)
        finally:
            self._busy -= 1
            self._dispatch()

    def _sort(self, group: Sequence[_Parcel], outcomes: Sequence[Outcome]) -> None:
        """Hand over what is settled; what waits as long, to the second, is sent again together, in its order."""
        later: dict[int, list[_Parcel]] = {}
        waits: dict[int, float] = {}
        for parcel, outcome in zip(group, outcomes, strict=True):
            match decide(parcel.ask, outcome, self._moment(parcel)):
                case Settled(answer):
                    _settle(parcel, answer)
                case Failed(error):
                    _settle(parcel, error)
                case Again(seconds):
                    same = ceil(seconds)
                    later.setdefault(same, []).append(parcel)
                    waits[same] = max(seconds, waits.get(same, 0.0))
        for same, parcels in later.items():
            self._start(self._again(parcels, waits[same]))

    async def _again(self, parcels: Sequence[_Parcel], wait: float) -> None:
        await self._pause(wait)
        for parcel in parcels:
            parcel.attempt += 1
        self.retries += len(parcels)
        self._queue.extendleft(reversed(parcels))
        self._dispatch()

    def _moment(self, parcel: _Parcel) -> Moment:
        return Moment(
            attempt=parcel.attempt,
            left=parcel.ends - self._clock.monotonic(),
            deadline=self._deadline,
            now=self._clock.now(),
            spread=lambda most: self._spread.uniform(0, most),
            server=self._server,
        )

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        # The loop itself keeps only a weak reference to a task.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _settle(parcel: _Parcel, reply: Reply | BaseException) -> None:
    if parcel.reply.done():
        return
    if isinstance(reply, BaseException) and not isinstance(reply, DsiError):
        parcel.reply.set_exception(reply)
    else:
        parcel.reply.set_result(reply)
