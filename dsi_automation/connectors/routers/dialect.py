"""What a platform's driver knows without talking to anything: its words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dsi_automation.connectors.routers.config import Config, Difference
from dsi_automation.connectors.routers.intent import AccessRule, RouterIntent, Scope


class Dialect(Protocol):
    """One platform's words. Implementations: `dialects.ios`, `dialects.frr`; the next one: `docs/how-to`."""

    def interface_name(self, name: str) -> str:
        """Return an interface's name as the device prints it: `gi0/1` is `GigabitEthernet0/1` on IOS."""
        ...

    def parse(self, text: str) -> Config:
        """Return a configuration as the device prints it, canonical; noise (banners, times, certificates) is left out.

        Raises:
            RefusedError: it is cut off (no `end`), or is no configuration.
        """
        ...

    def render(self, intent: RouterIntent, rules: Sequence[AccessRule] = ()) -> Config:
        """Return what is wanted, in the canonical form that `parse` would give it."""
        ...

    def difference(
        self, running: Config, intent: RouterIntent, rules: Sequence[AccessRule], scope: Scope
    ) -> Difference:
        """Return what leads from what runs to what is wanted, and back.

        Lines that are not ours are kept, but for those in our filter's place and in our ranges: `removed` names them.
        Applied, and parsed again, nothing is left: `difference` is then empty.
        The order of the lines opens nothing in between and never touches the entries of the management band.

        Raises:
            RefusedError: what runs cannot be brought there without touching what is protected.
        """
        ...

    def apply(self, running: Config, lines: Sequence[str]) -> Config:
        """Return what would run once `lines` were taken, in order, as the device itself would do it.

        Raises:
            RefusedError: a line the device would refuse; it is named.
        """
        ...

    def rules(self, running: Config) -> tuple[AccessRule, ...]:
        """Return the accesses that are open on a device, in order."""
        ...

    def shadowing(self, running: Config, rule: AccessRule) -> str | None:
        """Return the line of what runs that denies first all or a part of what a rule would let through."""
        ...

    def place(self, running: Config, rule: AccessRule) -> AccessRule:
        """Return the rule with the number it gets: the next free one of its band; as it is without numbers.

        Raises:
            RefusedError: the band is full.
        """
        ...

    def masked(self, text: str) -> str:
        """Return a configuration as printed, with every secret in it replaced (passwords, communities, keys)."""
        ...
