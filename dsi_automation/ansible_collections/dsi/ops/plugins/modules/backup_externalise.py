# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: backup_externalise
short_description: Copy proven backups to an external medium under an approval
description:
  - Copies the newest proven set to a disk or a tape and reads the copy back.
  - Carries out the operation C(backup.externalise) (procedures D and R), as C(dsi run) does, under
    an approved request or, without one, the standing approval in force for each backup (C(dsi backup ask), then
    C(dsi approve) by somebody else).
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.backups]
options:
  medium:
    description: The medium; empty for the one of the rotation that is in and due.
    type: str
    default: ""
  set:
    description: The set; empty for the newest proven one.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Copy proven backups to an external medium
  dsi.ops.backup_externalise:
    backups: [sydam]
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
