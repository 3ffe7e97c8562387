"""What every driver of a router refuses by itself, whatever the device would say: nothing was sent then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dsi_automation.connectors.routers import dangerous
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.core.errors import DsiError, GateClosedError, RefusedError, UsageError
from dsi_automation.core.text import T


def sendable(router: str, dialect: Dialect, protected: str | None, lines: Sequence[str]) -> None:
    """Make sure that lines of configuration mode may be sent.

    Args:
        router: its name.
        dialect: its words.
        protected: the interface it is managed through; None where nobody said.
        lines: one command each, in order.

    Raises:
        RefusedError: one is dangerous, leaves configuration mode, or touches the interface of the management.
    """
    found = dangerous.sequence(lines)
    if found is not None:
        line, why = found
        raise RefusedError(
            T("The line “{line}” is never sent to {router}: {why}", line=line.strip(), router=router, why=why),
            on=router,
            meaning=T("Nothing was sent."),
            next_step=T("Correct the inventory, or do this by hand on the router."),
            detail={"line": line.strip()},
        )
    if protected is None:
        return
    ours = dialect.interface_name(protected)
    for line in lines:
        words = line.split()
        # Blanks before it mean nothing to a device, and a filter at that interface shuts the controller out.
        if len(words) == 2 and words[0] in {"interface", "inside"} and dialect.interface_name(words[1]) == ours:
            raise managed_through(router, protected)


def managed_through(router: str, interface: str) -> RefusedError:
    """Return the error of a change that would touch the interface of the management."""
    return RefusedError(
        T("{router} is managed through {interface}: no change touches it.", router=router, interface=interface),
        on=router,
        next_step=T("Choose another interface in the inventory, or change the management by hand, on site."),
    )


def no_interface(router: str, name: str, there: Iterable[str]) -> RefusedError:
    """Return the error of a change for an interface that the router does not have."""
    return RefusedError(
        T("{router} has no interface {interface}, only: {interfaces}.", router=router, interface=name,
          interfaces=", ".join(sorted(there))),
        on=router,
        next_step=T("Correct the name in the inventory; make a subinterface or a VLAN by hand first."),
    )  # fmt: skip


def not_armed(router: str) -> RefusedError:
    """Return the error for lines that would be sent while no timer is armed."""
    return RefusedError(T("No rollback timer is armed on {router}: nothing was sent.", router=router), on=router)


def no_name(router: str, name: str) -> UsageError:
    """Return the error for a name that no snapshot has."""
    return UsageError(T("“{name}” is no name for a snapshot.", name=name), on=router)


def read_only(router: str) -> DsiError:
    """Return the error for a write without a permit."""
    return GateClosedError(
        T("{router} was opened to be looked at only: nothing is written to it.", router=router), on=router
    )
