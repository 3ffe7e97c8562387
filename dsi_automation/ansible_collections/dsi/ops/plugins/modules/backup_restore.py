# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: backup_restore
short_description: Bring a backup back under an approval
description:
  - Brings files or a database back to another place, or in place under an approval of its own.
  - Carries out the operation C(backup.restore) (procedures D and R), as C(dsi run) does, under
    an approved request; bringing something back has no standing approval.
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.backups
options:
  request:
    description: The identifier of an approved request; not needed in check mode.
    type: str
    default: ""
  set:
    description: The set; empty for the newest proven one.
    type: str
    default: ""
  at:
    description: A moment; the newest set from before it, instead of C(set).
    type: str
    default: ""
  paths:
    description: Files and folders, as at the source; none for all.
    type: list
    elements: str
    default: []
  destination:
    description: Folder that gets them; empty or absent.
    type: str
    default: ""
  in_place:
    description: Put it back where it came from, over what is there; another action, that the approver reads as such.
    type: bool
    default: false
  database:
    description: One database of a cluster; all of it by default.
    type: str
    default: ""
  until:
    description: For a database, the moment to recover to.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Bring a backup back
  dsi.ops.backup_restore:
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
  description: For each backup what was done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
