"""What `dsi doctor` says of applications, sources and rule sets: hosts, secrets, people, stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.application_model import Application, ApplicationServer, WindowsService
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.people import FILE as PEOPLE
from dsi_automation.inventory.people import load_people
from dsi_automation.inventory.source_model import ReleaseArchives, Sources

APPLICATIONS: Final = "dsi_applications"
SOURCES: Final = "dsi_sources"
RULES: Final = "dsi_rules"


def application_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of the applications; nothing where there are none."""
    found = inventory.applications
    if not found:
        return
    observed = TN("{n} application", "{n} applications", len(found))
    yield _check(APPLICATIONS, "applications", T("Applications"), observed)
    for name, one in found.items():
        for server in one.servers:
            yield _server(inventory, name, server)
        if one.database is not None and one.database.password is not None:
            title = T("Database password of {name}", name=name)
            try:
                inventory.secret(one.database.password)
            except DsiError as error:
                yield _check(APPLICATIONS, f"{name}.database", title, str(error), ok=False)
            else:
                yield _check(APPLICATIONS, f"{name}.database", title, T("there"))
        yield from _told(inventory, name, one)


def source_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of the lines of sources and of the rule sets."""
    for name, line in inventory.sources.items():
        yield from _sources(inventory, name, line)
    for name, rules in inventory.rule_sets.items():
        title = T("Rule set {name}", name=name)
        yield _check(
            RULES, name, title, T("{table} of {application}", table=rules.table, application=rules.application)
        )


def _server(inventory: Inventory, name: str, server: ApplicationServer) -> Check:
    title = T("Server {server} of {name}", server=server.name, name=name)
    try:
        host = inventory.target(server.host)
    except DsiError as error:
        return _check(APPLICATIONS, f"{name}.{server.name}", title, str(error.what), ok=False)
    on_windows = isinstance(server.service, WindowsService)
    reached = host.windows is not None if on_windows else host.ssh is not None
    way = "WinRM" if on_windows else "SSH"
    observed = T("{host}", host=server.host) if reached else T("{host} is not reached over {way}", host=server.host,
                                                               way=way)  # fmt: skip
    return _check(APPLICATIONS, f"{name}.{server.name}", title, observed, ok=reached)


def _told(inventory: Inventory, name: str, one: Application) -> Iterator[Check]:
    """Yield who is told; an interruption that nobody is told of is worth a warning."""
    mails = {person.id: person.mail for person in load_people(inventory.home / PEOPLE)}
    field, title = f"{name}.notice", T("Who is told about {name}", name=name)
    unknown = [person for person in one.notice.dsi if person not in mails]
    if unknown:
        observed = T("people.yml knows no {people}", people=", ".join(unknown))
        yield _check(APPLICATIONS, field, title, observed, ok=False)
    without = [person for person in one.notice.dsi if person in mails and not mails[person]]
    if without:
        observed = T("no mail address in people.yml: {people}", people=", ".join(without))
        yield _check(APPLICATIONS, field, title, observed, ok=False)
    if not one.notice.users or not one.notice.dsi:
        observed = T("nobody among the users, or nobody of the DSI: set users and dsi in notice")
        yield _check(APPLICATIONS, field, title, observed, ok=False, warning=True)
    elif inventory.mail is None:
        observed = T("no mail relay: set dsi_mail")
        yield _check(APPLICATIONS, field, title, observed, ok=False, warning=True)
    elif not unknown and not without:
        told = [*one.notice.users, *(str(mails[person]) for person in one.notice.dsi)]
        yield _check(APPLICATIONS, field, title, ", ".join(told))


def _sources(inventory: Inventory, name: str, line: Sources) -> Iterator[Check]:
    title = T("Sources {name}", name=name)
    yield _check(SOURCES, name, title, " → ".join(stage.application for stage in line.stages))
    places = [("allowed_signers", Path(line.allowed_signers))]
    if isinstance(line.releases, ReleaseArchives):
        places.append(("releases", Path(line.releases.folder)))
    for field, place in places:
        if not place.exists():
            yield _check(SOURCES, f"{name}.{field}", title, T("{place} is not there", place=str(place)), ok=False)
    roles = {role for person in load_people(inventory.home / PEOPLE) for role in person.roles}
    for stage in line.stages:
        one = inventory.applications[stage.application]
        lacking = [role for role in stage.acceptors if role not in roles]
        if len(lacking) == len(stage.acceptors):
            observed = T("nobody in people.yml may accept at {stage}: {roles}", stage=stage.name,
                         roles=", ".join(lacking))  # fmt: skip
            yield _check(SOURCES, f"{name}.{stage.name}", title, observed, ok=False)
        if one.deployment is None:
            observed = T("{name} has no deployment: nothing says where releases go", name=stage.application)
            yield _check(SOURCES, f"{name}.{stage.name}", title, observed, ok=False)
        if stage.needs_backup is not None and (one.database is None or one.database.backup is None):
            observed = T("{application} names no backup of its database", application=stage.application)
            yield _check(SOURCES, f"{name}.{stage.name}", title, observed, ok=False)


def _check(
    target: str, name: str, title: Text, observed: Text | str, *, ok: bool = True, warning: bool = False
) -> Check:
    return Check(target, name, title, "", str(observed), ok=ok, source=target, warning=warning)
