# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: access_allow
short_description: Open an access under an approval of the RSSI
description:
  - Lets some machines of a site through to a service until a day, on the routers of that site; proven by a connection
    that must pass and one that must not, or taken back at once.
  - Carries out the operation C(access.allow) (procedure F), as C(dsi run) does, under an approved request.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
options:
  source:
    description: Whom, an address, a network, a server's name, or a site's code for its LAN.
    type: str
    default: ""
  destination:
    description: Where to, an address, a network, a server's name, or C(internet).
    type: str
    default: ""
  service:
    description: To what, C(tcp/8443), C(tcp/8000-8010), or a service's name.
    type: str
    default: ""
  until:
    description: Until when, a day to its end in UTC, or a moment with its time zone.
    type: str
    default: ""
  why:
    description: Why it is needed.
    type: str
    default: ""
  reference:
    description: The reference of the request on paper or by mail.
    type: str
    default: ""
  beneficiary:
    description: For whom it is asked.
    type: str
    default: ""
  try_at:
    description: The address the proof connects to, where the destination is not one machine.
    type: str
    default: ""
  unproven:
    description: Open it although no connection can prove it; plan and record say so.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Open an access under an approval of the RSSI
  dsi.ops.access_allow:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.hosts]
"""
