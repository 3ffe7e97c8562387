# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: rules_update
short_description: Load a rule set under an approval
description:
  - Loads a version of the tariff or of the selectivity rules in one transaction, or puts a former one back.
  - Carries out the operation C(rules.update) (procedure J), as C(dsi run) does, under an approved request.
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.applications
options:
  request:
    description: The identifier of an approved request; not needed in check mode.
    type: str
    default: ""
  rules:
    description: Name of C(dsi_rules).
    type: str
    default: ""
  file:
    description: The CSV file with the new version.
    type: str
    default: ""
  back:
    description: Put the version from before the last update back.
    type: bool
    default: false
  sha256:
    description: Put the version with this digest back.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Load a rule set under an approval
  dsi.ops.rules_update:
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
