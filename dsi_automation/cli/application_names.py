"""Names of applications as they are typed: found, completed, refused with what is near."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import argument
from dsi_automation.cli.completing import completing
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.application_model import Application, ApplicationServer
    from dsi_automation.operations.applications.record import ApplicationRecord


def applications_of(session: Session, names: Sequence[str] = ()) -> Mapping[str, Application]:
    """Return the applications named, or all of the inventory.

    Raises:
        UsageError: the inventory has none of that name, or none at all.
    """
    known = session.toolkit.inventory.applications
    if not known:
        raise UsageError(
            T("The inventory describes no application."),
            next_step=T("Describe it in group_vars/all.yml: dsi_applications; “dsi init” shows how."),
        )
    for name in names:
        if name not in known:
            from dsi_automation.inventory.near import did_you_mean

            raise UsageError(
                T("The inventory has no application “{name}”.", name=name),
                on=name,
                next_step=did_you_mean(name, known),
            )
    return {name: known[name] for name in dict.fromkeys(names)} if names else known


_completed = completing(applications_of)


def application_named(session: Session, name: str) -> Application:
    """Return one application.

    Raises:
        UsageError: there is none of that name.
    """
    return applications_of(session, (name,))[name]


def servers_of(described: Application, names: Sequence[str]) -> Sequence[ApplicationServer]:
    """Return the servers named, or all of the application.

    Raises:
        UsageError: it has none of that name.
    """
    known = {server.name: server for server in described.servers}
    for name in names:
        if name not in known:
            from dsi_automation.inventory.near import did_you_mean

            raise UsageError(
                T("{title} has no server “{name}”.", title=described.title, name=name),
                next_step=did_you_mean(name, known),
            )
    return [known[name] for name in dict.fromkeys(names)] if names else described.servers


def record_of(session: Session) -> ApplicationRecord:
    """Return interruptions, tests and releases, by the journal."""
    return session.toolkit.equipment.look().application_record()


def application_argument(*, many: bool = False, required: bool = True) -> Callable[[Any], Any]:
    """Declare the names of applications as arguments, completed by the Tab key."""
    if many:
        metavar = T("APPLICATION...") if required else T("[APPLICATION...]")
        words = T("Names of applications; all of the inventory by default.") if not required else T("Their names.")
        return argument("names", nargs=-1, required=required, metavar=metavar, help=words, shell_complete=_completed)
    return argument("name", metavar=T("APPLICATION"), help=T("Its name in the inventory."), shell_complete=_completed)
