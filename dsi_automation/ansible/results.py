"""What a task returns to Ansible: plain data, its sentences in the reader's language, a result per host."""

from __future__ import annotations

from typing import Any, Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import LANGUAGES, T, current_language
from dsi_automation.engine.model import Run
from dsi_automation.engine.operation import Report

type TaskResult = dict[str, Any]

_LANGUAGES: Final = frozenset(LANGUAGES)


def check_result(report: Report, host: str, *, fail: bool) -> TaskResult:
    """Return what a look at one host found; failed when it is not compliant and `fail` is set."""
    wrong = [check for check in report.checks if not check.ok and not check.warning]
    result: TaskResult = {
        "changed": False,
        "compliant": not wrong,
        "checks": [spoken(check.to_json()) for check in report.checks],
        "facts": dict(report.facts[host]),
    }
    if wrong and fail:
        sentences = [
            T("{title}: {observed}, expected {expected}", title=c.title, observed=c.observed, expected=c.expected)
            for c in wrong
        ]
        result |= {"failed": True, "msg": "; ".join(map(str, sentences)), "exit_code": int(ExitCode.NOT_COMPLIANT)}
    return result


def report_result(report: Report, *, fail: bool) -> TaskResult:
    """Return what a look at several targets found; failed when `fail` is set and one is wrong or does not answer."""
    wrong = [check for check in report.checks if not check.ok and not check.warning]
    named = dict.fromkeys((*report.targets, *(check.target for check in report.checks), *report.failures))
    result: TaskResult = {
        "changed": False,
        "compliant": not wrong and not report.failures,
        "targets": {
            target: {
                "compliant": target not in report.failures and not any(check.target == target for check in wrong),
                "checks": [spoken(check.to_json()) for check in report.checks if check.target == target],
                "facts": spoken(dict(report.facts.get(target, {}))),
                "error": str(report.failures[target]) if target in report.failures else None,
            }
            for target in named
        },
    }
    if fail and not result["compliant"]:
        sentences = [f"{target}: {error}" for target, error in report.failures.items()]
        sentences += [
            str(
                T(
                    "{target}: {title}: {observed}, expected {expected}",
                    target=check.target,
                    title=check.title,
                    observed=check.observed,
                    expected=check.expected,
                )
            )
            for check in wrong
        ]
        codes = [ExitCode.NOT_COMPLIANT] if wrong else [error.look_exit_code for error in report.failures.values()]
        result |= {"failed": True, "msg": "; ".join(sentences), "exit_code": int(max(codes))}
    return result


def plan_result(plan: Plan, per: str = "hosts") -> TaskResult:
    """Return a plan that is not carried out: of check mode, or without any action.

    Args:
        per: what the targets are, the name of their part of the result.
    """
    result: TaskResult = {
        "changed": bool(plan.actions),
        "plan": spoken(plan.to_json()),
        per: {
            target: {
                "changed": bool(plan.actions_for(target)),
                "actions": [str(action.title) for action in plan.actions_for(target)],
                "non_actions": [str(item.reason) for item in plan.non_actions if item.target == target],
            }
            for target in plan.targets
        },
        "diff": _diff(plan),
    }
    if plan.blockers:
        worst = max(plan.blockers, key=lambda blocker: blocker.exit_code)
        sentences = [f"{blocker.target}: {blocker.reason} {blocker.next_step}" for blocker in plan.blockers]
        return result | {"failed": True, "msg": " ".join(sentences), "exit_code": int(worst.exit_code)}
    if not plan.actions:
        result["msg"] = str(T("Nothing to do on {targets}: no approval is needed.", targets=", ".join(plan.targets)))
    return result


def run_result(run: Run, plan: Plan, per: str = "hosts") -> TaskResult:
    """Return a run of an approved plan."""
    result: TaskResult = {
        "changed": any(step.outcome is Outcome.DONE for step in run.steps),
        "plan": spoken(plan.to_json()),
        "run": {
            "id": run.id,
            "request": run.request_id,
            "outcome": None if run.outcome is None else run.outcome.value,
            "exit_code": run.exit_code,
        },
        per: {target: _host(run, target, outcome) for target, outcome in run.targets.items()},
        "diff": _diff(plan),
    }
    if run.exit_code or run.ended_at is None:
        text = T("Run {run} did not succeed; details: dsi show {run}; to finish it: dsi resume {run}", run=run.id)
        code = ExitCode.UNEXPECTED if run.exit_code is None else run.exit_code
        result |= {"failed": True, "msg": str(text), "exit_code": int(code)}
    return result


def error_result(error: DsiError) -> TaskResult:
    """Return a failed task."""
    result: TaskResult = {"changed": False, "failed": True, "msg": str(error), "exit_code": int(error.exit_code)}
    return result | ({"detail": spoken(error.detail)} if error.detail else {})


def spoken(value: Any) -> Any:
    """Return data with each sentence that is there in every language in the reader's alone."""
    if isinstance(value, dict):
        if value.keys() == _LANGUAGES:
            return value[current_language()]
        return {key: spoken(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [spoken(item) for item in value]
    return value


def _host(run: Run, target: str, outcome: Outcome) -> TaskResult:
    steps = [step for step in run.steps if step.target == target]
    return {
        "outcome": outcome.value,
        "changed": any(step.outcome is Outcome.DONE for step in steps),
        "steps": [
            {"action": step.action_id, "outcome": step.outcome.value, "error": spoken(step.error)} for step in steps
        ],
        "evidence": [spoken(check.to_json()) for check in run.evidence if check.target == target],
    }


def _diff(plan: Plan) -> dict[str, str]:
    lines: list[str] = []
    for action in plan.actions:
        lines.append(f"+ {action.target}: {action.title} ({action.reason})")
        # The commands a device is sent, where the action is made of them.
        commands = action.args.get("lines")
        lines += [f"    {command}" for command in commands] if isinstance(commands, list | tuple) else []
    lines += [f"  {item.target}: {item.reason}" for item in plan.non_actions]
    lines.append(str(T("Digest of the plan: {digest}", digest=plan.digest)))
    return {"prepared": "\n".join(lines) + "\n"}
