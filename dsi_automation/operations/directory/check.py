"""`directory.check`: which computers and accounts break the rules? Read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field

from dsi_automation.connectors.directory.accounts import Account, ComputerAccount
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import ALL, Inputs, ReadOnlyOperation, Report, TargetKind
from dsi_automation.operations.directory.places import Places
from dsi_automation.operations.directory.rules import (
    TITLES,
    Finding,
    Measure,
    of_account,
    of_computer,
    shared_numbers,
)
from dsi_automation.operations.tools import Look


class DirectoryCheckInputs(Inputs):
    """Inputs of `directory.check`."""

    grace_days: int = Field(
        default=30, ge=0, description=T("Days a new object may be there without a first logon.").template
    )


class DirectoryCheck(ReadOnlyOperation[DirectoryCheckInputs, Look]):
    """Holds every computer and account of the directory, or of some sites, against the inventory's rules."""

    name: ClassVar[str] = "directory.check"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "C, E, L"
    summary: ClassVar[Text] = T("Report the computers and accounts of the directory that break the rules")
    inputs_model: ClassVar[type[Inputs]] = DirectoryCheckInputs
    target_kind: ClassVar[TargetKind] = TargetKind.SITE
    may_look_at_all: ClassVar[bool] = True

    def check(self, targets: Sequence[str], inputs: DirectoryCheckInputs, look: Look, observer: Observer) -> Report:
        """Read the whole directory in pages; the report's targets are the objects: logins, then names of computers.

        A site's objects are those in its OUs, and the computers named after it wherever they are. Objects in no
        site's OU, and the leavers, are looked at when no site is named.
        """
        asked = None if ALL in targets else frozenset(targets)
        places = Places(look.site_codes, look.account_policy)
        try:
            reader = look.accounts()
            observer.notify(Event("look.started", T("Reading the computers of the directory ...")))
            computers = reader.all_computers()
            observer.notify(Event("look.started", T("Reading the accounts of the directory ...")))
            accounts = reader.all_accounts()
        except DsiError as error:
            everything = look.directory_settings.domain
            failed = (everything,) if asked is None else tuple(targets)
            return Report(failed, (), dict.fromkeys(failed, error))
        measure = Measure(
            places,
            look.account_policy,
            look.clock.now(),
            timedelta(days=inputs.grace_days),
            shared_numbers(accounts),
        )
        chosen = _Chosen(places, asked)
        people = sorted(chosen.accounts(accounts), key=lambda pair: pair[0].login.casefold())
        machines = sorted(chosen.computers(computers), key=lambda pair: pair[0].name.casefold())
        return _report([*people, *machines], measure)


class _Chosen:
    """The objects that were asked about, each with its site."""

    def __init__(self, places: Places, asked: frozenset[str] | None) -> None:
        self._places = places
        self._asked = asked

    def computers(self, every: Iterable[ComputerAccount]) -> Iterator[tuple[ComputerAccount, str | None]]:
        """Yield the computers."""
        places = self._places
        yield from self._those(
            every,
            lambda one: (places.site_of_name(one.name), places.site_of_computer(one.dn), places.site_of_user(one.dn)),
        )

    def accounts(self, every: Iterable[Account]) -> Iterator[tuple[Account, str | None]]:
        """Yield the accounts."""
        places = self._places
        yield from self._those(every, lambda one: (places.site_of_user(one.dn), places.site_of_computer(one.dn)))

    def _those[ObjectT: (Account, ComputerAccount)](
        self, every: Iterable[ObjectT], sites_of: Callable[[ObjectT], Iterable[str | None]]
    ) -> Iterator[tuple[ObjectT, str | None]]:
        for one in every:
            if self._places.is_left_out(one.dn):
                continue
            # An object in the wrong OU concerns both sites: the one it is found in and the one it belongs to.
            sites = [site for site in sites_of(one) if site is not None]
            if self._asked is None or not self._asked.isdisjoint(sites):
                yield one, sites[0] if sites else None


def _report(objects: Sequence[tuple[Account | ComputerAccount, str | None]], measure: Measure) -> Report:
    checks: list[Check] = []
    facts: dict[str, dict[str, Any]] = {}
    for one, site in objects:
        is_account = isinstance(one, Account)
        name = one.login if isinstance(one, Account) else one.name
        if name in facts:
            # A computer X is X$ in the directory, where an account may be called X.
            name = f"{name}$"
        findings = list(of_account(one, measure) if isinstance(one, Account) else of_computer(one, measure))
        checks += [_check(name, one.dn, finding) for finding in findings] or [_in_order(name, one.dn)]
        facts[name] = {
            "kind": "user" if is_account else "computer",
            "dn": one.dn,
            "site": site,
            "enabled": one.enabled,
        }
    return Report(tuple(facts), tuple(checks), {}, facts)


def _check(target: str, dn: str, finding: Finding) -> Check:
    return Check(
        target,
        finding.rule,
        TITLES[finding.rule],
        finding.expected,
        finding.observed,
        ok=False,
        source=dn,
        warning=finding.warning,
    )


def _in_order(target: str, dn: str) -> Check:
    return Check(target, "rules", T("Rules of the directory"), "", "", ok=True, source=dn)
