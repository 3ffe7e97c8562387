"""Whose place is where: the sites' organisational units, compared quickly. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dsi_automation.connectors.directory.names import key
from dsi_automation.inventory.account_model import AccountPolicy
from dsi_automation.inventory.model import Site
from dsi_automation.inventory.naming import matches

type Key = tuple[tuple[str, str], ...]


class Places:
    """The OUs of the inventory, taken apart once: a report compares each of them with every object."""

    def __init__(self, sites: Mapping[str, Site], policy: AccountPolicy) -> None:
        """Take the OUs of these sites and of this policy."""
        self.sites = sites
        self._computers = {code: key(site.workstation_ou) for code, site in sites.items()}
        self._users = {code: key(site.user_ou) for code, site in sites.items() if site.user_ou is not None}
        self._leavers = key(policy.leavers_ou)
        self._left_out = [key(ou) for ou in policy.service_ous]

    def is_left_out(self, dn: str) -> bool:
        """Tell whether an object is in an OU the report leaves out."""
        own = key(dn)
        return any(_below(own, ou) for ou in self._left_out)

    def site_of_name(self, name: str) -> str | None:
        """Return the code of the site whose naming rule a computer's name follows."""
        return next((code for code, site in self.sites.items() if matches(site.naming, name)), None)

    def site_of_computer(self, dn: str) -> str | None:
        """Return the code of the site in whose OU for workstations an object is."""
        return _nearest(key(dn), self._computers.items())

    def site_of_user(self, dn: str) -> str | None:
        """Return the code of the site in whose OU for people an object is."""
        return _nearest(key(dn), self._users.items())

    def is_leaver(self, dn: str) -> bool:
        """Tell whether an object is in the leavers' OU."""
        return _below(key(dn), self._leavers)


def _below(own: Key, ou: Key) -> bool:
    return own[-len(ou) :] == ou


def _nearest(own: Key, places: Iterable[tuple[str, Key]]) -> str | None:
    """Return the site with the deepest OU around the object: one site's OU may be inside another's."""
    around = [(len(ou), code) for code, ou in places if _below(own, ou)]
    return max(around)[1] if around else None
