# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: account_disable
short_description: Disable the accounts of people who leave under an approval
description:
  - Carries out an approved request of the operation C(account.disable), as C(dsi run) does, for all its people at once.
  - Where nothing is to be done no approval is needed either; the task is then unchanged.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
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
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
