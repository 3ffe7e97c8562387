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
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.backups]
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
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
