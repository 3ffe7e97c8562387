# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: account_disable
short_description: Disable the accounts of people who leave under an approval
description:
  - Carries out an approved request of the operation C(account.disable), as C(dsi run) does, for all its people at once.
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
  - Where nothing is to be done no approval is needed either; the task is then unchanged.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.request
options:
  targets:
    description:
      - Staff numbers, logins or addresses of the people who leave.
      - With a request they may be left out, the request says who; if they are given they must be exactly those.
    type: list
    elements: str
    default: []
  licence:
    description: What becomes of the licence, C(keep) or C(free); empty for what the inventory says.
    type: str
    choices: ["", keep, free]
    default: ""
"""

EXAMPLES = r"""
- name: Disable what was approved
  dsi.ops.account_disable:
    request: REQ-20261121-7K3F
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
  description: For each person what is or was to be done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
