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
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
  - dsi.ops.gate.standing
  - dsi.ops.gate.backups
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
plan:
  description: The plan, actions and non-actions with their reasons, and its digest.
  returned: when a plan could be made; of several backups under standing approvals, within C(targets)
  type: dict
run:
  description: Identifier, request, outcome and exit code of the run.
  returned: when a run began; of several backups under standing approvals, within C(targets)
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
