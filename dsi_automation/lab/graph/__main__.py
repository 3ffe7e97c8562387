"""`python -m dsi_automation.lab.graph SETTINGS.json`: serve the simulated tenant until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from dsi_automation.core.errors import DsiError
from dsi_automation.lab.graph.control_server import ControlServer
from dsi_automation.lab.graph.server import GraphServer
from dsi_automation.lab.graph.settings import GraphSettings

logger = logging.getLogger("dsi_automation.lab.graph")


def main() -> int:
    """Run the simulator; exit 0 after SIGTERM or SIGINT, 2 when the settings are wrong, 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m dsi_automation.lab.graph")
    parser.add_argument("settings", type=Path, help="what to serve, JSON")
    parser.add_argument("--log", type=Path, help="log file; standard error without it")
    arguments = parser.parse_args()
    logging.basicConfig(
        filename=arguments.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        settings = GraphSettings.model_validate_json(arguments.settings.read_bytes())
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        logger.error("the settings cannot be used: %s", said)  # noqa: TRY400  # a traceback would show values
        return 2
    except OSError as error:
        logger.error("the settings cannot be read: %s", error)  # noqa: TRY400
        return 2
    try:
        asyncio.run(_serve(settings))
    except DsiError as error:
        logger.error("%s %s", error.what.render("en"), error.detail)  # noqa: TRY400
        return 1
    except OSError as error:
        logger.error("cannot listen: %s", error)  # noqa: TRY400
        return 1
    return 0


async def _serve(settings: GraphSettings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = GraphServer(settings)
    control = ControlServer(server)
    try:
        await server.start()
        await control.start()
        logger.info("serving the tenant %s on %s:%d", settings.tenant_name, settings.address, server.port)
        await stopping.wait()
    finally:
        await control.stop()
        await server.stop()
    logger.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
