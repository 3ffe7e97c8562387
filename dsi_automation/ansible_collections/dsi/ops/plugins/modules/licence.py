# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: licence
short_description: Assign or remove a licence under an approval
description:
  - Carries out an approved request of the operation C(licence.assign) or C(licence.remove), as C(dsi run) does, for all
    its people at once.
  - Where nothing is to be done no approval is needed either; the task is then unchanged.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
options:
  targets:
    description:
      - Staff numbers, logins or addresses.
      - With a request they may be left out, the request says who; if they are given they must be exactly those.
    type: list
    elements: str
    default: []
  licence:
    description: The licence, a name of C(dsi_accounts.licences) in the inventory.
    type: str
  state:
    description: Whether they are to have it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Assign what was approved
  dsi.ops.licence:
    request: REQ-20261121-7K3F
    state: present
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
