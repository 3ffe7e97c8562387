"""What travels together: what is asked while an answer is under way, and nobody waits long for a slow one."""

import asyncio

from dsi_automation.connectors.m365.asks import Answer, Ask
from dsi_automation.connectors.m365.courier import BATCH, FULL_LANES, Courier
from dsi_automation.connectors.m365.permissions import Call
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.text import T


class Tenant:
    """Answers when it is let; remembers which requests came together."""

    def __init__(self):
        self.groups = []
        self.gates = {}
        self.came = asyncio.Event()

    async def send(self, asks):
        urls = [ask.url for ask in asks]
        self.groups.append(urls)
        self.came.set()
        if urls[0] in self.gates:
            await self.gates[urls[0]].wait()
        return [Answer(200) for _ in asks]

    def courier(self):
        return Courier(self.send, SystemClock(), asyncio.sleep, deadline=30.0, server="tenant")


def ask(url, *, batch=True, writes=None):
    return Ask(Call.USERS, "GET" if batch else "PATCH", url, T("read"), batch=batch, writes=writes)


async def hung(tenant, courier, first):
    """Have a request under way that is not answered before its gate opens."""
    tenant.gates[first.url] = asyncio.Event()
    task = asyncio.create_task(courier.ask_all([first]))
    await tenant.came.wait()
    return task


def test_what_is_asked_while_an_answer_is_under_way_travels_together():
    async def scene():
        tenant = Tenant()
        courier = tenant.courier()
        first = await hung(tenant, courier, ask("/0"))
        loop = asyncio.get_running_loop()
        others = [
            asyncio.Task(courier.ask_all([ask(f"/{n}")]), loop=loop, eager_start=True)  # each waits in the queue by now
            for n in range(1, 6)
        ]
        tenant.gates["/0"].set()
        await asyncio.gather(first, *others)
        return tenant.groups

    assert asyncio.run(scene()) == [["/0"], ["/1", "/2", "/3", "/4", "/5"]]


def test_nobody_waits_for_an_answer_that_does_not_come():
    async def scene():
        tenant = Tenant()
        courier = tenant.courier()
        first = await hung(tenant, courier, ask("/slow"))
        replies = await asyncio.gather(courier.ask_all([ask("/a")]), courier.ask_all([ask("/b")]))
        done = first.done()
        tenant.gates["/slow"].set()
        await first
        return replies, done

    replies, done = asyncio.run(scene())
    assert [reply[0].status for reply in replies] == [200, 200]
    assert not done


def test_a_request_that_travels_alone_waits_for_no_batch_and_holds_none_up():
    async def scene():
        tenant = Tenant()
        courier = tenant.courier()
        slow = [await hung(tenant, courier, ask(f"/w{n}", batch=False, writes=f"w{n}")) for n in range(FULL_LANES)]
        late = asyncio.create_task(courier.ask_all([ask("/w-late", batch=False)]))
        read = await courier.ask_all([ask("/r")])
        before = [group for group in tenant.groups if "/w-late" in group]
        for gate in tenant.gates.values():
            gate.set()
        await asyncio.gather(*slow, late)
        return read, before, tenant.groups

    read, before, groups = asyncio.run(scene())
    assert read[0].status == 200
    assert before == []
    assert groups[-1] == ["/w-late"]


def test_two_changes_of_one_object_never_share_a_batch_and_a_batch_holds_twenty():
    async def scene():
        tenant = Tenant()
        courier = tenant.courier()
        asks = [ask(f"/{n}", writes="same" if n in (3, 4) else None) for n in range(BATCH + 5)]
        await courier.ask_all(asks)
        return tenant.groups

    groups = asyncio.run(scene())
    assert sorted(url for group in groups for url in group) == sorted(f"/{n}" for n in range(BATCH + 5))
    assert max(map(len, groups)) == BATCH
    assert not any({"/3", "/4"} <= set(group) for group in groups)
