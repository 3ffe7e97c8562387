"""What runs note about routers and accesses; `data` of each is made and read in this package alone.

`router.snapshot`   {name, running}: a named snapshot was taken, of the running configuration with that digest
`router.armed`      {seconds, at}: the device goes back by itself after that time, unless confirmed
`router.pushed`     {lines}: all lines were taken
`router.verified`   {checks: [Check as JSON]}: by a new connection
`router.confirmed`  {at}: the timer is off, the change stays
`router.saved`      {running}: it starts with it
`router.reverted`   {why, by: "timer" | "controller", same, remaining: [lines]}: it is back;
                    `same`: nothing remains of the change
`router.copied`     {commit, changed, drift}: its configuration is in the repository of configurations; in how many
                    things it has drifted from inventory and record, null where that was not looked at
`access.allowed`    {rule: AccessRule as JSON, why, reference, beneficiary, at: address its tries connect to, or null}
`access.revoked`    {id, why: "asked" | "expired" | "drift", key}
`access.tried`      {id, source, destination, port, expected, found}: a connection that had to pass, or had not to
"""

from __future__ import annotations

from typing import Final

SNAPSHOT: Final = "router.snapshot"
ARMED: Final = "router.armed"
PUSHED: Final = "router.pushed"
VERIFIED: Final = "router.verified"
CONFIRMED: Final = "router.confirmed"
SAVED: Final = "router.saved"
REVERTED: Final = "router.reverted"
COPIED: Final = "router.copied"
ALLOWED: Final = "access.allowed"
REVOKED: Final = "access.revoked"
TRIED: Final = "access.tried"
