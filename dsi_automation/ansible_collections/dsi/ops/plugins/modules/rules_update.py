# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: rules_update
short_description: Load a rule set under an approval
description:
  - Loads a version of the tariff or of the selectivity rules in one transaction, or puts a former one back.
  - Carries out the operation C(rules.update) (procedure J), as C(dsi run) does, under an approved request.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request, dsi.ops.gate.applications]
options:
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
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
