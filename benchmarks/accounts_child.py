"""In a process of its own: make accounts end to end, and say what that cost and how much was exchanged.

`python -m benchmarks.accounts_child INVENTORY KEYS FIRST COUNT` plans, requests, approves and runs `mailbox.create`
for COUNT people of whom none has an account yet, up to mailboxes that are proven and letters that are written, and
prints JSON. What happens once per command (imports, reading the inventory, signing in) is done before, with one person
who is only looked at.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dsi_automation.composition.equipment import InventoryHands
from dsi_automation.composition.toolkit import Toolkit
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.engine.model import Window
from dsi_automation.engine.operation import Permit

OPERATION = "mailbox.create"
ASKS, APPROVES = "m.kouadio", "y.traore"
SURNAMES = ("KOUAMÉ", "N’GUESSAN", "TRA BI", "KOFFI épse KOUADIO", "OUATTARA", "BROU", "YAO", "DIABATÉ", "SORO", "AKÉ")
FIRST_NAMES = ("Aya Rose", "Éric", "Kouassi", "Fatou", "Jean-Marc", "Adjoua", "Ibrahim", "Mariam", "Ɔkɔ", "Cécile")


def person(number: int) -> dict[str, str]:
    """Return the row of one person: a hundred names, so that from the second hundred on there are homonyms."""
    return {
        "matricule": f"{400_000 + number}B",
        "last_name": SURNAMES[number % len(SURNAMES)],
        "first_names": FIRST_NAMES[number // len(SURNAMES) % len(FIRST_NAMES)],
        "contact": f"personne.{number}@example.org",
        "site": ("ABJ", "SPY", "BKE")[number % 3],
    }


class Spent:
    """What each part of the work took."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, float]] = {}

    def on[Result](self, part: str, work: Callable[[], Result]) -> Result:
        """Do a part and note its wall and CPU seconds, those of `ssh-keygen` included."""
        wall, cpu = time.perf_counter(), _cpu()
        result = work()
        self.parts[part] = {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}
        return result

    def total(self, kind: str) -> float:
        """Return the seconds of all parts."""
        return sum(part[kind] for part in self.parts.values())


def main(inventory: str, keys: str, first: str, count: str) -> None:
    """Make the accounts and print."""
    technician, head = (_toolkit(inventory, Path(keys, name)) for name in (ASKS, APPROVES))
    handed = _hands_of(technician)
    people = [person(int(first) + number) for number in range(int(count))]
    technician.engine.plan(OPERATION, (), {"people": [person(0)]}, Silent())
    look, spent = technician.equipment.look(), Spent()
    http, ldap = look.tenant().exchanges, look.accounts().exchanges
    plan = spent.on("plan", lambda: technician.engine.plan(OPERATION, (), {"people": people}, Silent()))
    if len(plan.targets) != len(people) or plan.blockers:
        raise RuntimeError(f"not everybody can have an account: {plan.blockers}")
    request = spent.on("request", lambda: technician.engine.request(plan, "Benchmark", Window()))
    spent.on("approve", lambda: head.engine.approve(request.id, "Benchmark"))
    run = spent.on("run", lambda: technician.engine.run(request.id, Silent()))
    if run.outcome is not Outcome.DONE or len(list(Path(inventory).parent.rglob("letters/*.pdf"))) < len(people):
        raise RuntimeError(f"{run.outcome}: {run.errors}")
    hands = handed[-1]
    tenants = (look.tenant().exchanges, hands.tenant().exchanges)
    found: dict[str, Any] = {
        "wall": spent.total("wall"),
        "cpu": spent.total("cpu"),
        "parts": spent.parts,
        "actions": len(plan.actions),
        "http": sum(one.http for one in tenants) - http.http,
        "inner": sum(one.inner for one in tenants) - http.inner,
        "retries": sum(one.retries for one in tenants) - http.retries,
        "ldap": look.accounts().exchanges + hands.accounts().exchanges - ldap,
    }
    print(json.dumps(found))


def _toolkit(inventory: str, key: Path) -> Toolkit:
    return Toolkit(inventory=inventory, key=str(key), environ={})


def _hands_of(toolkit: Toolkit) -> list[InventoryHands]:
    """Return where the write halves that the equipment will hand out are kept: their connectors count."""
    handed: list[InventoryHands] = []
    equipment = toolkit.equipment
    give = equipment.hands

    def hands(permit: Permit) -> InventoryHands:
        handed.append(give(permit))
        return handed[-1]

    equipment.hands = hands  # type: ignore[method-assign]
    return handed


def _cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
