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
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.standing
  - dsi.ops.gate.applications
options:
  why:
    description: What users are told about the reason.
    type: str
    default: ""
  since:
    description: When the incident began, where there was one; the interruption counts from then.
    type: str
    default: ""
  servers:
    description: Servers of the application; none for all.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Start an application under an approval
  dsi.ops.application_start:
    request: REQ-20261122-7K3F
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
  description: For each of O(applications) what was done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
