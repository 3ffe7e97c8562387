# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: backup_verify
short_description: Prove backups by restoring them under an approval
description:
  - Restores a set beside the original, starts it where it is a database, and compares.
  - Carries out the operation C(backup.verify) (procedures D and R), as C(dsi run) does, under
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
  depth:
    description: How much is brought back; C(rhythm) for what the plan says.
    type: str
    choices: [rhythm, sample, full]
    default: rhythm
  set:
    description: The set to prove; empty for the newest.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Prove backups by restoring them
  dsi.ops.backup_verify:
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
