# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: application_restart
short_description: Restart an application under an approval
description:
  - Tells the users, stops the servers in order, empties caches, releases locks, starts again, tests the connection as
    a user would, and tells the users that it is back.
  - Carries out the operation C(application.restart) (procedure S), as C(dsi run) does, under an approved request or,
    without one, under the standing approval in force.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.applications, dsi.ops.gate.incident,
  dsi.ops.gate.stop]
"""

EXAMPLES = r"""
- name: Restart an application under an approval
  dsi.ops.application_restart:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
