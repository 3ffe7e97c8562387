"""The lab's mail server, as a process: takes every mail there is and keeps it, or behaves as it was told.

`python -m dsi_automation.lab.smtp ADDRESS FOLDER`. What it is to do stands in FOLDER/behaviour, read for each mail:
`accept`, `defer` (451: later) or `reject` (550: never).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

PORT: Final = 25
LARGEST: Final = 32 * 2**20
"""Bytes of one mail at most: told to clients (RFC 1870)."""
ANSWERS: Final = {
    "defer": "451 4.3.0 The lab's mail server was told to refuse for now",
    "reject": "550 5.7.1 The lab's mail server was told to refuse",
}


class Keeper:
    """Keeps each mail as a file of its own, whole or not at all, as Maildir does."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder."""
        self.folder = folder
        self.numbers = itertools.count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take or refuse one mail (RFC 5321 section 4.1.1.4)."""
        answer = ANSWERS.get(self._behaviour())
        if answer is not None:
            return answer
        content = envelope.content or b""
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        # A name that sorts by arrival.
        name = f"{time.time_ns()}.{os.getpid()}.{next(self.numbers)}.eml"
        temporary = self.folder / "tmp" / name
        temporary.write_bytes(head.encode() + (content if isinstance(content, bytes) else content.encode()))
        temporary.rename(self.folder / "new" / name)
        return f"250 2.0.0 Kept as {name}"

    def _behaviour(self) -> str:
        try:
            return (self.folder / "behaviour").read_text().strip()
        except FileNotFoundError:
            return "accept"


async def serve(address: str, folder: Path) -> None:
    """Serve until the process is ended."""
    from aiosmtpd.smtp import SMTP

    for name in ("new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    keeper = Keeper(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(keeper, hostname="mail.ad.douanes.lab", data_size_limit=LARGEST, enable_SMTPUTF8=True),
        address,
        PORT,
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
