# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: router_interconnect
short_description: Propose how a new site is joined to the network
description:
  - Proposes the nearest existing site that can carry a new one, or a leased line, with the addressing, the routes and
    what goes into the inventory. Looks into the inventory alone.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: dsi.ops.look
options:
  sites:
    description: Codes of C(dsi_sites) that have no circuit yet.
    type: list
    elements: str
    default: []
  bandwidth:
    description: What the site needs, Mbit/s; needed.
    type: int
  latitude:
    description: Where it is, decimal degrees, north positive.
    type: str
    default: ""
  longitude:
    description: Where it is, decimal degrees, east positive.
    type: str
    default: ""
  max_distance_km:
    description: How far a neighbour may be, kilometres.
    type: str
    default: ""
  leased:
    description: Whether a leased line is wanted although a neighbour could carry it.
    type: bool
    default: false
  operator:
    description: Whom a leased line is ordered from.
    type: str
    default: ""
  platform:
    description: The platform of the new router, C(ios) or C(frr).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Propose how a new site is joined to the network
  dsi.ops.router_interconnect:
    sites: [KOR]
    bandwidth: 10
"""

RETURN = r"""
extends_documentation_fragment: dsi.ops.look
"""
