# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: backup_restore
short_description: Bring a backup back under an approval
description:
  - Brings files or a database back to another place, or in place under an approval of its own.
  - Carries out the operation C(backup.restore) (procedures D and R), as C(dsi run) does, under
    an approved request; bringing something back has no standing approval.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request, dsi.ops.gate.backups]
options:
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
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
