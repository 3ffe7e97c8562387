"""Which address each person gets; see docs/decisions/homonyms-in-one-batch.md.

Taken is what any object of either directory holds, what was ever issued to somebody else, and what another person of
the batch is to get. The order of the rows decides nothing: approved addresses stay, then come those that the request
names, then the others by staff number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.facts import AccountsWorld
from dsi_automation.operations.accounts.matching import same_number
from dsi_automation.operations.accounts.names import numbered_forms
from dsi_automation.operations.accounts.references import Problems, References


@dataclass(slots=True)
class AddressBook:
    """The addresses of one batch in the making.

    Attributes:
        promised: approved before, by target.
        planned: whose each address is to be.
    """

    world: AccountsWorld
    promised: Mapping[str, str] = field(default_factory=dict)
    planned: dict[str, str] = field(default_factory=dict)

    def plan(self, people: Sequence[References], problems: Mapping[str, Problems]) -> Mapping[str, str]:
        """Return the address of each person who has no account yet; who gets none has a problem more."""
        waiting = sorted(people, key=lambda person: person.target)
        self.planned |= {address: target for target, address in self.promised.items()}
        chosen: dict[str, str] = {}
        for person in waiting:
            address = self.promised.get(person.target)
            if address is None:
                continue
            # Not looked up when what was taken at the time is free by now; creating the account looks once more.
            if is_free(address, person.target, self.world, unasked=True) and person.address in {"", address}:
                chosen[person.target] = address
            else:
                del self.planned[address]
        self._asked_for([person for person in waiting if person.address and person.target not in chosen], chosen,
                        problems)  # fmt: skip
        for person in waiting:
            if not person.address and person.target not in chosen:
                self._by_rule(person, chosen, problems[person.target])
        return chosen

    def _asked_for(
        self, people: Sequence[References], chosen: dict[str, str], problems: Mapping[str, Problems]
    ) -> None:
        for person in people:
            rivals = sorted(one.target for one in people if one.address == person.address and one is not person)
            rival = self.planned.get(person.address)
            advice = T("Give another address, or none: then it is planned by the naming rule.")
            if rivals or rival:
                problems[person.target].add(
                    T("The address {address} is asked for or planned for {others} as well.",
                      address=person.address, others=", ".join(rivals) or rival),
                    advice,
                )  # fmt: skip
            elif not self._is_free(person.address, person):
                problems[person.target].add(self._who_has(person.address), advice)
            else:
                chosen[person.target] = person.address
        self.planned |= {person.address: person.target for person in people if person.target in chosen}

    def _by_rule(self, person: References, chosen: dict[str, str], problems: Problems) -> None:
        for address in candidates(person, self.world.policy.domain):
            if address not in self.planned and self._is_free(address, person):
                chosen[person.target] = address
                self.planned[address] = person.target
                return
        problems.add(
            T("Every address that the naming rule gives this person is taken."),
            T("Name one in the request: “address”."),
        )

    def _is_free(self, address: str, person: References) -> bool:
        """Tell whether nobody has an address; one that was not looked up is not known to be free."""
        return is_free(address, person.target, self.world)

    def _who_has(self, address: str) -> Text:
        held = [one.name for one in self.world.holders.get(address, ())]
        held += [one.name for one in self.world.cloud_holders.get(address, ())]
        if held:
            names = ", ".join(sorted(set(held)))
            return T("The address {address} is taken: {names} has it.", address=address, names=names)
        return T("The address {address} was somebody's before; none is ever given twice.", address=address)


def candidates(person: References, domain: str) -> tuple[str, ...]:
    """Return the addresses that may become a person's, in the order in which they are tried."""
    return (*person.natural_addresses(domain), *numbered_addresses(person, domain))


def numbered_addresses(person: References, domain: str) -> tuple[str, ...]:
    """Return those of them that end in characters of the staff number; none for who names an address."""
    return () if person.address else tuple(f"{part}@{domain}" for part in numbered_forms(person.name, person.target))


def is_free(address: str, staff_number: str, world: AccountsWorld, *, unasked: bool = False) -> bool:
    """Tell whether an address may be given to somebody who has no account.

    Args:
        unasked: what to say of one that was not looked up.
    """
    asked = unasked or (address in world.holders and address in world.cloud_holders)
    held = world.holders.get(address) or world.cloud_holders.get(address)
    issued = world.issued.get(address)
    return asked and not held and (issued is None or same_number(issued, staff_number))
