"""The services of a server that is reached through the routers: each TCP port greets, each UDP port answers.

Run with `python -m dsi_automation.lab.listener ADDRESS SERVICE...`, a service being `tcp/8443` or `udp/53`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence


class Echo(asyncio.DatagramProtocol):
    """Sends back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer."""
        assert isinstance(self.transport, asyncio.DatagramTransport)  # noqa: S101  # what asyncio promises
        self.transport.sendto(data, addr)


async def serve(address: str, services: Sequence[str]) -> None:
    """Listen until ended."""
    loop = asyncio.get_running_loop()
    for service in services:
        protocol, _, port = service.partition("/")
        if protocol == "udp":
            await loop.create_datagram_endpoint(Echo, (address, int(port)))
            continue

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str = service) -> None:
            writer.write(f"{name}\r\n".encode())
            await writer.drain()
            # Until the other side has had it and leaves.
            await reader.read(1)
            writer.close()

        await asyncio.start_server(greet, address, int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2:]))
