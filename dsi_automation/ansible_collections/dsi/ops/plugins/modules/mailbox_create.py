# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: mailbox_create
short_description: Create professional mail accounts under an approval
description:
  - Carries out an approved request of the operation C(mailbox.create), as C(dsi run) does, for all its people at once.
  - Where nothing is to be done no approval is needed either; the task is then unchanged.
  - No result ever holds a password. C(dsi mailbox handover) reveals them, once, and records that it did.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request]
options:
  people:
    description:
      - People to make a mailbox for, each with C(matricule), C(last_name), C(first_names), C(contact), C(site), and
        where wanted C(department), C(licence), C(manager), C(address).
      - With a request they may be left out, the request holds them; if they are given and differ, the task stops.
    type: list
    elements: dict
    default: []
  people_file:
    description: The same as a CSV file with a header line, relative to the playbook, instead of O(people).
    type: str
  without_seat:
    description: Create the accounts for which no licence seat is left, without one.
    type: bool
    default: false
  reset:
    description: Give existing accounts a new temporary password as well.
    type: bool
    default: false
  in_cloud:
    description: Create users in the cloud although the tenant is synchronised from a directory.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what would be done
  dsi.ops.mailbox_create:
    people_file: staff.csv
  check_mode: true

- name: Create what was approved
  dsi.ops.mailbox_create:
    request: REQ-20261121-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
