"""In a process of its own: lines sent to routers with netmiko, one thread each, and saved; nobody looks at anything.

`python -m benchmarks.routers_child FILE`: FILE is JSON: user, key, and of each router its address and its lines.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netmiko import ConnectHandler


def main() -> None:
    """Send them, as many at once as there are routers."""
    asked = json.loads(Path(sys.argv[1]).read_text())

    def send(router: dict[str, str | list[str]]) -> None:
        with ConnectHandler(
            device_type="cisco_ios", host=router["host"], username=asked["user"], use_keys=True, key_file=asked["key"]
        ) as connection:
            connection.send_config_set(router["lines"])
            connection.save_config()

    with ThreadPoolExecutor(len(asked["routers"])) as pool:
        list(pool.map(send, asked["routers"]))


if __name__ == "__main__":
    main()
