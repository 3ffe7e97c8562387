# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: application_start
short_description: Start an application under an approval
description:
  - Starts the servers in order, tests the connection as a user would, and tells the users that the application is
    available.
  - Carries out the operation C(application.start) (procedure S), as C(dsi run) does, under an approved request or,
    without one, under the standing approval in force.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.applications, dsi.ops.gate.incident]
options:
  why:
    description: What users are told about the reason.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Start an application under an approval
  dsi.ops.application_start:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
