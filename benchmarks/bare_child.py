"""In a process of its own: the exchanges of a check, replayed with nothing of the toolkit around them.

`python -m benchmarks.bare_child record INVENTORY FILE` keeps what one host is sent; `replay INVENTORY FILE N WORKERS`
sends the same bodies to the first N hosts with requests and requests_ntlm, as many at once as the toolkit would,
and prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HEADERS = {"Content-Type": "application/soap+xml;charset=UTF-8", "Accept-Encoding": "identity"}


def record(inventory: str, file: str) -> None:
    """Check one host and keep each body sent to it, and how the hosts are reached."""
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.connectors.windows.transport import Answer, WinrmChannel
    from dsi_automation.core.events import Silent

    bodies: list[str] = []
    exchange = WinrmChannel.exchange

    def kept(channel: WinrmChannel, data: bytes, timeout: float) -> Answer:
        bodies.append(data.decode())
        return exchange(channel, data, timeout)

    toolkit = Toolkit(inventory=inventory, environ={})
    targets = toolkit.inventory.select(["workstations"])
    WinrmChannel.exchange = kept  # type: ignore[method-assign, assignment]
    toolkit.engine.check("workstation.check", targets[:1], {}, Silent())
    look = toolkit.equipment.look()
    first = look.windows_endpoint(targets[0])
    told = {
        "bodies": bodies,
        "recorded_at": _url(first.host, first.port),
        "urls": [_url(look.windows_endpoint(name).host, first.port) for name in targets],
        "ca_file": first.ca_file,
        "user": first.user,
        "password": first.password.reveal(),
        "workers": look.workers,
    }
    Path(file).touch(mode=0o600)
    Path(file).write_text(json.dumps(told))


def replay(file: str, count: str) -> dict[str, Any]:
    """Send what was recorded to the first hosts, and return what it cost."""
    import requests
    import requests_ntlm

    told = json.loads(Path(file).read_text())
    urls = told["urls"][: int(count)]

    def one(url: str) -> int:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = told["ca_file"]
            session.headers.update(HEADERS)
            session.auth = requests_ntlm.HttpNtlmAuth(told["user"], told["password"])
            # As the toolkit does: sign in with an empty message, then one POST per message without the hook.
            session.post(url).raise_for_status()
            session.auth = None
            size = 0
            for body in told["bodies"]:
                answer = session.post(url, data=body.replace(told["recorded_at"], url).encode())
                answer.raise_for_status()
                size += len(answer.content)
            return size

    one(urls[0])
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(told["workers"]) as pool:
        sizes = list(pool.map(one, urls))
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "exchanges": len(told["bodies"]),
        "bytes": sum(sizes),
    }


def _url(host: str, port: int) -> str:
    return f"https://{host}:{port}/wsman"


def main() -> None:
    """Do what the first argument says."""
    what, *words = sys.argv[1:]
    if what == "record":
        record(*words)
    else:
        print(json.dumps(replay(*words)))


if __name__ == "__main__":
    main()
