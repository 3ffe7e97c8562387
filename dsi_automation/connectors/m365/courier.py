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
LANES: Final = 4
"""Batches that are not full under way at once."""
FULL_LANES: Final = 6
"""The same for full batches, and for requests that travel alone."""
LINGER: Final = 0.1
"""Seconds that a request waits for an answer that is under way, to travel with others then; after that it goes."""

FIRST_CONTACT: Final = 30.0
"""Seconds of trying for whoever never answered in this process: no Internet, most likely, and somebody who waits."""

type Send = Callable[[Sequence[Ask]], Awaitable[Sequence[Outcome]]]
type Pause = Callable[[float], Awaitable[None]]
type Reply = Answer | DsiError


@dataclass(slots=True, eq=False)
class _Parcel:
    ask: Ask
    reply: asyncio.Future[Reply]
    ends: float
    since: float
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
        self._alone = 0
        self._batches = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._spread = secrets.SystemRandom()
        self.retries = 0
        self._answered = False

    async def ask_all(self, asks: Sequence[Ask]) -> Sequence[Reply]:
        """Return the reply to each request, in their order: an answer, or the error it was given up with."""
        loop = asyncio.get_running_loop()
        ends = self._clock.monotonic() + self._deadline
        parcels = [_Parcel(ask, loop.create_future(), ends, loop.time()) for ask in asks]
        self._queue.extend(parcels)
        # Not now: other threads' requests that arrived together are put in the queue first.
        loop.call_soon(self._dispatch)
        return await asyncio.gather(*(parcel.reply for parcel in parcels))

    def _dispatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue = deque(parcel for parcel in self._queue if not parcel.reply.done())
        while group := self._take_alone() or self._take_batch():
            self._start(self._carry(group))
        if self._queue:
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._dispatch)

    def _take_alone(self) -> list[_Parcel]:
        """Take the first request that may travel with no other, if there is one."""
        if self._alone >= FULL_LANES:
            return []
        parcel = next((one for one in self._queue if not one.ask.batch), None)
        if parcel is None:
            return []
        self._queue.remove(parcel)
        self._alone += 1
        return [parcel]

    def _take_batch(self) -> list[_Parcel]:
        """Take what may travel together, in the order it came; nothing while it had better wait for more."""
        waiting = [one for one in self._queue if one.ask.batch]
        if not waiting or not self._may_go(waiting):
            return []
        taken: list[_Parcel] = []
        written: set[str] = set()
        for parcel in waiting:
            if len(taken) < BATCH and parcel.ask.writes not in written:
                taken.append(parcel)
                if parcel.ask.writes is not None:
                    written.add(parcel.ask.writes)
        self._queue = deque(one for one in self._queue if one not in taken)
        self._batches += 1
        return taken

    def _may_go(self, waiting: Sequence[_Parcel]) -> bool:
        """Tell whether a batch goes now: the more wait for the answer under way, the fewer exchanges they cost."""
        if self._batches == 0 or len(waiting) >= BATCH:
            return self._batches < FULL_LANES
        late = asyncio.get_running_loop().time() - min(one.since for one in waiting) >= LINGER
        return late and self._batches < LANES

    async def _carry(self, group: Sequence[_Parcel]) -> None:
        try:
            outcomes = await self._send([parcel.ask for parcel in group])
        except BaseException as error:  # noqa: BLE001  # whoever asked must hear of it, whatever it is
            for parcel in group:
                _settle(parcel, error)
        else:
            self._sort(group, outcomes)
        finally:
            if group[0].ask.batch:
                self._batches -= 1
            else:
                self._alone -= 1
            self._dispatch()

    def _sort(self, group: Sequence[_Parcel], outcomes: Sequence[Outcome]) -> None:
        """Hand over what is settled; what waits as long, to the second, is sent again together, in its order."""
        later: dict[int, list[_Parcel]] = {}
        waits: dict[int, float] = {}
        # A token endpoint that throttles has answered as well.
        self._answered |= any(isinstance(one, Answer) or one.retry_after is not None for one in outcomes)
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
        spare = 0.0 if self._answered else max(0.0, self._deadline - FIRST_CONTACT)
        return Moment(
            attempt=parcel.attempt,
            left=parcel.ends - spare - self._clock.monotonic(),
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
