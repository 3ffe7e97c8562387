# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: access_revoke
short_description: Take accesses away under an approval of the RSSI
description:
  - Takes away accesses that are named, or all whose end is over; established connections end with them, and nothing
    passes any more.
  - Carries out the operation C(access.revoke) (procedure F), as C(dsi run) does, under an approved request or,
    without one, under the standing approval in force.
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.standing
options:
  ids:
    description: Identifiers of accesses, as in C(ac-k7m2qx).
    type: list
    elements: str
    default: []
  expired:
    description: All whose end is over, on all routers that filter.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Take accesses away under an approval of the RSSI
  dsi.ops.access_revoke:
    expired: true
"""

RETURN = r"""
plan:
  description: The plan, actions and non-actions with their reasons, and its digest.
  returned: when a plan could be made
  type: dict
run:
  description: Identifier, request, outcome and exit code of the run.
  returned: when a request was carried out
  type: dict
targets:
  description: For each router what was done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
