"""The repair of a profile after it changed hands: a script on the machine, for what CIM cannot do (procedure C).

`ChangeOwner` may leave rights on files and in the user's registry with the old account. The script gives them to the
new one and leaves a mark in the registry, by which anybody can see afterwards, over CIM, that it ran to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, NonAction
from dsi_automation.core.text import T
from dsi_automation.operations.workstation import profile_plan
from dsi_automation.operations.workstation.facts import WorkstationFacts

if TYPE_CHECKING:
    from dsi_automation.operations.decided import Decided
    from dsi_automation.operations.tools import Hands

KIND: Final = "repair_profile"


def plan_repair(target: str, facts: WorkstationFacts, approved: Sequence[Action], decided: Decided) -> None:
    """Add to `decided` the repair that goes with a migration.

    Args:
        approved: in a run, what was approved for this machine: a migration may be done already and its repair not.
    """
    if decided.blockers:
        return
    migration = next((action for action in decided.actions if action.kind == profile_plan.KIND), None)
    if migration is not None:
        decided.actions.append(_action(migration))
        return
    promised = next((action for action in approved if action.kind == KIND), None)
    if promised is not None and facts.repaired.get(str(promised.args["to_sid"])) != promised.args["from_sid"]:
        decided.actions.append(promised)
        return
    reason = T("No profile changes hands, so that there is nothing to repair.")
    decided.non_actions.append(NonAction(target, KIND, reason))


def repair(action: Action, hands: Hands, observer: Observer) -> None:
    """Run the script on the machine."""
    observer.notify(Event("wait", T("Repairing the rights of {path} ...", path=action.args["path"]), action.target))
    with hands.scripts(action.target) as scripts:
        scripts.run(KIND, {"old_sid": str(action.args["from_sid"]), "new_sid": str(action.args["to_sid"])})


def _action(migration: Action) -> Action:
    args = {name: migration.args[name] for name in ("path", "from_sid", "to_sid")}
    return Action(
        migration.target,
        KIND,
        args,
        T("Repair the rights of {path} for its new owner, with PowerShell", path=args["path"]),
        T("It was asked for: the change of owner may leave rights on files and registry keys with the old account."),
        T("Nothing need be taken back: the old account keeps its rights."),
    )
