"""The rule 3-2-1-1-0 for one set: what it has of it, and which digit is missing. Pure.

Three copies, on two kinds of media, one off site, one offline, no error when verified. A copy counts only when its
last verification held; off site only with a receipt; offline only when it is out of reach of every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.engine.model import MediumState
from dsi_automation.inventory.backup_model import MediaSettings
from dsi_automation.operations.backups.catalogue import Catalogue

OFFLINE: Final = frozenset(set(MediumState) - {MediumState.ON_SITE, MediumState.DESTROYED})
OFF_SITE: Final = frozenset({MediumState.VAULT, MediumState.RETRIEVE_REQUESTED})


@dataclass(frozen=True, slots=True)
class Rule:
    """What one set has of the rule.

    Attributes:
        copies: the source, the repository when the set is proven there, and each medium that holds it.
        kinds: kinds of media among them.
        off_site, offline: how many copies are so.
        errors: verifications of the set or of a copy whose last word is that it did not hold.
    """

    copies: int
    kinds: tuple[str, ...]
    off_site: int
    offline: int
    errors: int

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the parts of the rule that are not kept: `copies`, `kinds`, `off_site`, `offline`, `errors`."""
        kept = {
            "copies": self.copies >= 3,
            "kinds": len(self.kinds) >= 2,
            "off_site": self.off_site >= 1,
            "offline": self.offline >= 1,
            "errors": self.errors == 0,
        }
        return tuple(name for name, ok in kept.items() if not ok)


def rule_of(set_id: str, catalogue: Catalogue, media: MediaSettings, places: Mapping[str, str]) -> Rule:
    """Return what a set has of the rule 3-2-1-1-0.

    Args:
        places: the state of each medium by the record of custody; one that is not there never moved.
    """
    proof = catalogue.last_proof(set_id)
    proven = set_id not in catalogue.forgotten and proof is not None and proof.ok
    held = [name for name, sets in catalogue.on_medium.items() if set_id in sets and name in media.media]
    states = {name: MediumState(places.get(name, MediumState.ON_SITE)) for name in held}
    there = [name for name in held if states[name] is not MediumState.DESTROYED]
    last = {copy.medium: copy.ok for copy in catalogue.copies if copy.set == set_id}
    kinds = {"disk_server"} | {media.media[name].kind for name in there}
    return Rule(
        copies=1 + proven + len(there),
        kinds=tuple(sorted(kinds)),
        off_site=sum(states[name] in OFF_SITE for name in there),
        offline=sum(states[name] in OFFLINE for name in there),
        errors=(proof is None or not proof.ok) + sum(not ok for ok in last.values()),
    )
