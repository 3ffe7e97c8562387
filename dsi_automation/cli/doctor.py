"""`dsi doctor`: is everything there that the toolkit needs on this machine?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from dsi_automation.cli.base import argument, command
from dsi_automation.cli.findings import Finding, show_finding
from dsi_automation.cli.session import Session, session
from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit


PARTS = ("m365",)


@command(
    "doctor",
    T(
        "Check that this machine has what the toolkit needs: programs, inventory, people, policy, key, journal.\n\n"
        "With m365: the Microsoft 365 tenant, the permissions each operation needs there, and the account that writes "
        "in the directory.\n\n"
        "Exit code 0 when nothing is wrong, else that of the worst problem; warnings do not count."
    ),
)
@argument("part", required=False, type=click.Choice(PARTS), metavar="[m365]", help=T("Check this part instead."))
def doctor(part: str | None) -> int:
    """Check this machine, or one part of what it works with."""
    current = session()
    findings = list(examine(current) if part is None else _examine_part(current))
    code = max(finding.exit_code for finding in findings)
    if current.choices.json:
        current.out.data({"findings": [finding.to_json() for finding in findings], "exit_code": int(code)})
    else:
        for finding in findings:
            show_finding(current.out, finding)
    return code


def _examine_part(session: Session) -> Iterator[Finding]:
    from dsi_automation.cli.doctor_m365 import examine_m365

    return examine_m365(session)


def examine(session: Session) -> Iterator[Finding]:
    """Yield what is found, one thing after the other; a problem stops none of the others."""
    yield _python()
    yield from (_program(name, package) for name, package in PROGRAMS)
    yield from _inventory_findings(session)
    yield from _strangers(session)
    for name, title, look in PROBES:
        yield _probe(session, name, title, look)


def _signer(toolkit: Toolkit) -> str:
    return toolkit.signer_name()


def _journal(toolkit: Toolkit) -> str:
    return toolkit.journal_summary()


PROGRAMS = (("ssh-keygen", "openssh-client"), ("ansible-playbook", "ansible-core"))
PROBES: tuple[tuple[str, Text, Callable[[Toolkit], str]], ...] = (
    ("key", T("your key"), _signer),
    ("journal", T("journal"), _journal),
)


def _probe(session: Session, name: str, title: Text, look: Callable[[Toolkit], str]) -> Finding:
    try:
        return Finding(name, title, "ok", look(session.toolkit))
    except DsiError as error:
        return Finding(name, title, "problem", error.what, error.next_step, error.exit_code)


def _python() -> Finding:
    import platform

    return Finding("python", T("Python"), "ok", platform.python_version())


def _program(name: str, package: str) -> Finding:
    import shutil
    import sys
    from pathlib import Path

    # A virtual environment's programs are found although nobody activated it.
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is not None:
        return Finding(name, T("program {name}", name=name), "ok", found)
    return Finding(
        name,
        T("program {name}", name=name),
        "problem",
        str(T("not found")),
        T("Install the package {package}.", package=package),
        ExitCode.UNEXPECTED,
    )


def _inventory_findings(session: Session) -> Iterator[Finding]:
    try:
        checks = session.toolkit.inventory_checks()
    except DsiError as error:
        yield Finding("inventory", T("inventory"), "problem", error.what, error.next_step, error.exit_code)
        return
    for check in checks:
        state = "ok" if check.ok else "warning" if check.warning else "problem"
        code = ExitCode.USAGE if state == "problem" else ExitCode.DONE
        title = T("{place}: {title}", place=check.target, title=check.title)
        yield Finding(f"{check.target}.{check.name}", title, state, check.observed, exit_code=code)


def _strangers(session: Session) -> Iterator[Finding]:
    """Yield a warning for what the policy lists and nobody can do: most likely a name misspelt, and so refused."""
    from dsi_automation.inventory.near import did_you_mean

    try:
        listed = session.toolkit.policy.operations
    except DsiError:
        return  # said already
    known = session.toolkit.operations
    for name in listed:
        if name not in known:
            found = T("there is no operation {name}", name=name)
            title = T("{place}: {title}", place="approval_policy.yml", title=T("Operations"))
            yield Finding(f"approval_policy.yml.{name}", title, "warning", found, did_you_mean(name, known))
