"""A real SMTP server of a test: keeps what it gets, or answers as it is told."""

import asyncio
import threading

import pytest
from aiosmtpd.smtp import SMTP


class Server:
    """Keeps mails, or answers as it is told."""

    def __init__(self):
        self.kept, self.answers, self.cut = [], {}, False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # aiosmtpd's name
        answer = self.answers.get(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        self.kept.append(envelope)
        if self.cut:
            server.transport.abort()
            return "250 never heard"
        return self.answers.get("DATA", "250 OK")


def _serve(loop, server):
    asyncio.set_event_loop(loop)
    loop.run_forever()
    server.close()
    loop.run_until_complete(server.wait_closed())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def smtp_server():
    running = []

    def start(tls=None):
        handler, loop = Server(), asyncio.new_event_loop()

        def session():
            return SMTP(handler, hostname="localhost", tls_context=tls, loop=loop)

        server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(loop, server))
        thread.start()
        running.append((loop, thread))
        return handler, server.sockets[0].getsockname()[1]

    yield start
    for loop, thread in running:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
