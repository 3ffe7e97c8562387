# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: workstation_join
short_description: Join workstations to the domain under an approval
description:
  - Carries out an approved request of the operation C(workstation.join), as C(dsi run) does, on all hosts of the play
    at once. The hosts of the play must be exactly those of the request.
  - Where nothing is to be done no approval is needed either; the task is then unchanged.
  - Machines, accounts and addresses are those of the inventory; extra variables of the play do not change them.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
options:
  user:
    description: Login of the domain user who gets the local profile. For one machine only.
    type: str
  local_user:
    description: The local account whose profile it is.
    type: str
  users:
    description: Login of the domain user of each machine.
    type: dict
    default: {}
  leave_domain:
    description: Take machines that are members of another domain out of it.
    type: bool
    default: false
  repair_profile:
    description: Repair the rights of profiles that change hands, with PowerShell.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Join the workstations
  dsi.ops.workstation_join:
    request: REQ-20261121-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.hosts]
"""
