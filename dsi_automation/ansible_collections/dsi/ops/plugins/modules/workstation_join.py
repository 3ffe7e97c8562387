# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: workstation_join
short_description: Join workstations to the domain under an approval
description:
  - Carries out an approved request of the operation C(workstation.join), as C(dsi run) does, on all hosts of the play
    at once. The hosts of the play must be exactly those of the request.
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
options:
  request:
    description: The identifier of an approved request (C(dsi request), then C(dsi approve) by somebody else).
    type: str
  user:
    description: In check mode, login of the domain user who gets the local profile. For one machine only.
    type: str
  local_user:
    description: In check mode, the local account whose profile it is.
    type: str
  users:
    description: In check mode, login of the domain user of each machine.
    type: dict
    default: {}
  leave_domain:
    description: In check mode, take machines that are members of another domain out of it.
    type: bool
    default: false
  repair_profile:
    description: In check mode, repair the rights of profiles that change hands, with PowerShell.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  bypass_host_loop:
    support: full
"""

EXAMPLES = r"""
- name: Join the workstations
  dsi.ops.workstation_join:
    request: REQ-20261121-7K3F
"""

RETURN = r"""
plan:
  description: The plan, actions and non-actions with their reasons.
  returned: always
  type: dict
run:
  description: The run, its steps and the evidence of the independent look.
  returned: when not in check mode
  type: dict
"""
