"""A real Prometheus of the lab: scrapes the exporter by our rules, often, and keeps its data in the lab's folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T
from dsi_automation.lab.processes import Daemon

INTERVAL: Final = "1s"
READY_SECONDS: Final = 30.0
_PAUSE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One Prometheus: where it listens, what it scrapes, which rules it holds that against.

    Attributes:
        folder: its own, for configuration and data.
        address: `host:port` it listens on.
        targets: jobs and the addresses each scrapes: `{"dsi": ("198.18.0.1:9866",)}`.
        rules: files of rules.
    """

    folder: Path
    address: str
    targets: Mapping[str, Sequence[str]]
    rules: Sequence[Path]
    interval: str = INTERVAL

    @property
    def url(self) -> str:
        """Return where its HTTP API is."""
        return f"http://{self.address}"

    def configure(self) -> Path:
        """Write its configuration, and return the file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "global": {"scrape_interval": self.interval, "scrape_timeout": self.interval},
            "rule_files": [str(path) for path in self.rules],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
                for job, addresses in self.targets.items()
            ],
        }
        content["global"]["evaluation_interval"] = self.interval  # type: ignore[index]  # it is a mapping
        path = self.folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    def argv(self) -> list[str]:
        """Return the program and its arguments."""
        return [
            "prometheus",
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            "--storage.tsdb.retention.time=2d",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]

    def daemon(self, namespace: str) -> Daemon:
        """Return it as a daemon of the lab."""
        return Daemon("prometheus", namespace, self.folder / "run", self.folder / "prometheus.log")

    def start(self, namespace: str, clock: Clock) -> None:
        """Start it in a network namespace, and wait until it answers there.

        Raises:
            UnreachableError: it does not.
        """
        self.configure()
        daemon = self.daemon(namespace)
        if daemon.needs_start(clock):
            daemon.start(self.argv(), dict(os.environ))
        self.wait(clock)

    def stop(self, namespace: str, clock: Clock) -> bool:
        """Stop it; returns whether it ran."""
        return self.daemon(namespace).stop(clock)

    def wait(self, clock: Clock) -> None:
        """Wait until it is ready to be asked.

        Raises:
            UnreachableError: it is not, in time.
        """
        import requests

        until = clock.monotonic() + READY_SECONDS
        while True:
            try:
                if requests.get(f"{self.url}/-/ready", timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            if clock.monotonic() > until:
                raise UnreachableError(
                    T("Prometheus does not answer at {url}.", url=self.url),
                    next_step=T("Look at {log}.", log=str(self.folder / "prometheus.log")),
                )
            clock.sleep(_PAUSE)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the vector an expression gives now."""
        import requests

        answer = requests.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        answer.raise_for_status()
        return list(answer.json()["data"]["result"])

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """Return the alerts that fire, by name: the labels of each."""
        found: dict[str, list[dict[str, str]]] = {}
        for item in self.query('ALERTS{alertstate="firing"}'):
            found.setdefault(item["metric"]["alertname"], []).append(item["metric"])
        return found
