"""`python -m dsi_automation.lab.windows`: serve simulated workstations until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import resource
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from dsi_automation.core.errors import DsiError
from dsi_automation.lab.windows.control_server import ControlServer
from dsi_automation.lab.windows.simulator import Simulator
from dsi_automation.lab.windows.spec import SimulatorSpec

logger = logging.getLogger("dsi_automation.lab.windows")


FILES_EACH = 12
"""Open files allowed for a workstation: two ports, and connections of several clients."""


def main() -> int:
    """Run the simulator; exit 0 after SIGTERM or SIGINT, 2 when the specification is wrong, 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m dsi_automation.lab.windows")
    parser.add_argument("--spec", type=Path, required=True, help="what to serve, JSON")
    parser.add_argument("--state", type=Path, required=True, help="directory of what changes")
    parser.add_argument("--control", type=Path, required=True, help="control socket to open")
    parser.add_argument("--log", type=Path, help="log file; standard error without it")
    arguments = parser.parse_args()
    logging.basicConfig(
        filename=arguments.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    try:
        spec = SimulatorSpec.model_validate_json(arguments.spec.read_bytes())
        _allow_files(FILES_EACH * len(spec.workstations))
    except (OSError, ValueError) as error:  # ValidationError is a ValueError
        reason = _without_values(error) if isinstance(error, ValidationError) else str(error)
        logger.error("the specification cannot be used: %s", reason)  # noqa: TRY400  # a traceback would show values
        return 2
    try:
        asyncio.run(_serve(Simulator(spec, arguments.state), arguments.control))
    except DsiError as error:
        logger.error("%s %s", error.what.render("en"), error.detail)  # noqa: TRY400
        return 1
    return 0


def _allow_files(needed: int) -> None:
    """Raise the limit of open files: past it, asyncio would only spin on the ports it cannot accept from.

    Raises:
        OSError, ValueError: the machine allows fewer, and this is not root.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, needed + 512)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


async def _serve(simulator: Simulator, socket: Path) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    control = ControlServer(simulator, socket)
    try:
        await simulator.start()
        await control.start()
        logger.info("serving %d workstations", len(simulator.endpoints))
        await stopping.wait()
    finally:
        await control.stop()
        await simulator.stop()
    logger.info("stopped")


def _without_values(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())


if __name__ == "__main__":
    sys.exit(main())
