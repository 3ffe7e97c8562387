# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: application_stop
short_description: Stop an application under an approval
description:
  - Tells the users, waits for the countdown, stops the servers in order, ends the database sessions that the plan
    names and empties the caches.
  - Carries out the operation C(application.stop) (procedure S), as C(dsi run) does, under an approved request or,
    without one, under the standing approval in force.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.applications, dsi.ops.gate.incident,
  dsi.ops.gate.stop]
"""

EXAMPLES = r"""
- name: Stop an application under an approval
  dsi.ops.application_stop:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
