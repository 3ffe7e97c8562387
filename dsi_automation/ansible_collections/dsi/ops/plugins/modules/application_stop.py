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
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.standing
  - dsi.ops.gate.applications
  - dsi.ops.gate.stop
"""

EXAMPLES = r"""
- name: Stop an application under an approval
  dsi.ops.application_stop:
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
