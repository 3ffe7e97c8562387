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
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing]
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
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.hosts]
"""
