"""`workstation.check`: is this machine what procedure C asks for? Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dsi_automation.core.events import Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, ReadOnlyOperation, Report
from dsi_automation.operations.tools import Look
from dsi_automation.operations.workstation.facts import WorkstationFacts, read_facts
from dsi_automation.operations.workstation.requirements import everything


class CheckInputs(Inputs):
    """Inputs of `workstation.check`."""

    require_domain: bool = Field(
        default=False,
        description=T("Count a machine that is in no domain yet as not compliant, instead of a warning.").template,
    )


class WorkstationCheck(ReadOnlyOperation[CheckInputs, Look]):
    """Compares workstations with the specifications of procedure C and the rules of their site."""

    name: ClassVar[str] = "workstation.check"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "C"
    summary: ClassVar[Text] = T("Check workstations: Windows, memory, name, domain, disk, restart, support")
    inputs_model: ClassVar[type[Inputs]] = CheckInputs

    def check(self, targets: Sequence[str], inputs: CheckInputs, look: Look, observer: Observer) -> Report:
        """Look at every machine at once, within `look.workers`; a dead one is a failure and delays nobody."""
        seen = fan_out(
            targets, lambda target: _read(look, target), workers=look.workers, deadline=look.deadline, observer=observer
        )
        checks: list[Check] = []
        for target, facts in seen.results.items():
            checks += everything(
                target,
                facts,
                look.sites[target],
                look.directory_settings.domain,
                look.workstation_policy,
                look.clock.now(),
                require_domain=inputs.require_domain,
            )
        facts_by_target = {target: facts.to_json() for target, facts in seen.results.items()}
        return Report(tuple(targets), tuple(checks), seen.failures, facts_by_target)


def _read(look: Look, target: str) -> WorkstationFacts:
    with look.windows(target) as reader:
        return read_facts(reader)
