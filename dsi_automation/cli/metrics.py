"""`dsi metrics`: what Prometheus scrapes, served over HTTP, written for node_exporter, or printed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.cli.base import OPTIONS, Group, command, option
from dsi_automation.cli.session import Session, session
from dsi_automation.core.errors import UnreachableError, UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.metrics.collector import DsiCollector

metrics = Group(
    "metrics",
    help=T(
        "Metrics for Prometheus, read from the journal: a restart loses nothing.\n\n"
        "Alert rules and a dashboard are in docs/monitoring. Nothing is written to the journal, and none is made."
    ),
    options_metavar=OPTIONS,
)


@command(
    "serve",
    T(
        "Serve the metrics over HTTP until stopped: /metrics, and /-/healthy.\n\n"
        "The whole journal is verified at the start and again at each interval."
    ),
)
@option(
    "--listen",
    default="127.0.0.1:9866",
    show_default=True,
    metavar=T("ADDRESS:PORT"),
    help=T("Where to answer; port 0 takes one that is free."),
)
@option("--tls-cert", metavar=T("FILE"), help=T("Answer over HTTPS with this certificate, PEM."))
@option("--tls-key", metavar=T("FILE"), help=T("Its private key, PEM; else it is in the file of the certificate."))
@option("--verify-every", default="1h", show_default=True, metavar=T("DURATION"), help=T("How often to verify."))
def serve(listen: str, tls_cert: str | None, tls_key: str | None, verify_every: str) -> None:
    """Serve until stopped."""
    from dsi_automation.engine.signals import asked_to_stop
    from dsi_automation.metrics.server import Exporter

    current = session()
    host, port = _address(listen)
    interval = _duration(verify_every)
    collector = _collector(current)
    certificate, key = (None if name is None else Path(name) for name in (tls_cert, tls_key))
    exporter = Exporter(collector, host, port, certificate=certificate, key=key)
    scheme = "http" if certificate is None else "https"
    place = _shown(*exporter.address)
    current.out.note(T("Metrics are at {url}. Stop with Ctrl-C.", url=f"{scheme}://{place}/metrics"))
    with asked_to_stop() as stop:
        watch = threading.Thread(target=_watch, args=(current, collector, interval, stop), daemon=True)
        answer = threading.Thread(target=exporter.serve)
        watch.start()
        answer.start()
        try:
            while answer.is_alive() and not stop.wait(0.5):
                continue
        finally:
            exporter.stop()
            answer.join()
    current.out.note(T("Stopped."))


@command("write", T("Write the metrics into a file for node_exporter's textfile collector; run it from a timer."))
@option("--textfile", required=True, metavar=T("FILE"), help=T("The file, `….prom`; it is replaced at once."))
@option("--no-verify", is_flag=True, help=T("Do not verify the journal: dsi_journal_verified then says 0."))
def write(textfile: str, no_verify: bool) -> int:  # noqa: FBT001  # a flag
    """Write the textfile."""
    from dsi_automation.metrics.textfile import write_textfile

    current = session()
    collector = _collector(current)
    if not no_verify:
        _verify(current, collector)
    write_textfile(collector, Path(textfile), current.clock)
    return _told(current, collector)


@command("print", T("Print the metrics, in Prometheus' text format."))
@option("--no-verify", is_flag=True, help=T("Do not verify the journal: dsi_journal_verified then says 0."))
def print_(no_verify: bool) -> int:  # noqa: FBT001  # a flag
    """Print one scrape."""
    from dsi_automation.metrics.textfile import exposition

    current = session()
    collector = _collector(current)
    if not no_verify:
        _verify(current, collector)
    current.out.document(exposition(collector).decode())
    return _told(current, collector)


def _collector(current: Session) -> DsiCollector:
    from dsi_automation.metrics.wiring import collector_of

    # No inventory at all is told now, not at the first scrape.
    _ = current.toolkit.settings
    return collector_of(
        lambda: current.assemble(current.choices), current.clock, next_times=_next_times, waiting_mails=_waiting_mails
    )


def _next_times(toolkit: Toolkit, settled: Mapping[str, datetime]) -> Mapping[str, datetime | None]:
    from dsi_automation.schedules.upcoming import next_times

    return next_times(toolkit, settled)


def _waiting_mails(toolkit: Toolkit) -> tuple[int, int, datetime | None]:
    found = toolkit.teller.outbox.waiting()
    left = [mail for mail in found if not mail.aside]
    return len(left), len(found) - len(left), min((mail.put_at for mail in left), default=None)


def _verify(current: Session, collector: DsiCollector) -> None:
    from dsi_automation.metrics.wiring import verify

    collector.verified = verify(current.assemble(current.choices), current.clock)


def _watch(current: Session, collector: DsiCollector, interval: timedelta, stop: threading.Event) -> None:
    """Verify the journal now and then, beside the scrapes."""
    while True:
        _verify(current, collector)
        if stop.wait(interval.total_seconds()):
            return


def _told(current: Session, collector: DsiCollector) -> int:
    """Say which parts could not be read; the exit code tells programs."""
    for name, error in collector.errors.items():
        current.out.note(T("{part}: {error}", part=name, error=str(error)), fg="yellow")
    return int(UnreachableError.exit_code) if collector.errors else 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(
            T("“{text}” is no address.", text=text), next_step=T("Write ADDRESS:PORT, for instance 127.0.0.1:9866.")
        )
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # an empty address asks for all of them


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _duration(text: str) -> timedelta:
    from dsi_automation.inventory.durations import parse_duration
    from dsi_automation.inventory.problems import WrongValueError

    try:
        return parse_duration(text)
    except WrongValueError as error:
        raise UsageError(T("“{text}” is no duration.", text=text), next_step=T("Write 30m or 1h.")) from error


for step in (serve, write, print_):
    metrics.add_command(step)
