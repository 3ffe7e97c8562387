"""What of a backup's plan is no longer what was signed: pure, for the refusal of a run and for the lists of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dsi_automation.core.plan import Plan
from dsi_automation.core.text import T, Text


class BoundByDefinition:
    """What operations on backups share: a standing approval covers the plan of the inventory as it was signed."""

    standing_binds_actions: ClassVar[bool] = True

    def changed(self, approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
        """Return which values of the inventory's plan are others than those that were approved, and what to do."""
        for target in fresh.targets:
            keys = differences(definition_in(approved, target), definition_in(fresh, target))
            if keys:
                return (
                    T("The plan of {target} is no longer what was signed; changed: {keys}.", target=target,
                      keys=", ".join(keys)),
                    T("Ask for a new approval of the plan as it is now: dsi backup ask {target}", target=target),
                )  # fmt: skip
        return None


def definition_in(plan: Plan, target: str) -> Mapping[str, Any]:
    """Return what the inventory said of a backup when a plan was made; empty when the plan does nothing about it."""
    for action in plan.actions_for(target):
        found = action.args.get("definition")
        if isinstance(found, Mapping):
            return found
    return {}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where two definitions differ, as dotted keys of the inventory: `backup.retention.daily`, `rhythm`.

    A list counts as one value: its order decides (media take turns in it). Nothing when one of the two is unknown.
    """
    return tuple(_walk(before, after, "")) if before and after else ()


def _walk(before: Any, after: Any, path: str) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _walk(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    else:
        yield path
