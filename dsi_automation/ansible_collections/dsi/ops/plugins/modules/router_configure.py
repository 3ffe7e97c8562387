# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: router_configure
short_description: Configure routers under an approval
description:
  - Brings routers to what the inventory says, addresses, routes, packet filter. Each goes back by itself unless a new
    connection finds the change good and confirms it.
  - Both ends of a circuit are one change, confirmed together or back together; a canary goes first, then waves.
  - Carries out the operation C(router.configure) (procedure A), as C(dsi run) does, under an approved request, on all
    hosts of the play at once.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
options:
  canary:
    description: The router that goes first; by default what C(dsi_network.rollout) says.
    type: str
    default: ""
  wave:
    description: How many routers follow at once.
    type: int
  stop_after:
    description: After how many failures the rest is left as it is.
    type: int
  timer_seconds:
    description: After how many seconds a router goes back by itself.
    type: int
"""

EXAMPLES = r"""
- name: Configure routers under an approval
  dsi.ops.router_configure:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.hosts]
"""
