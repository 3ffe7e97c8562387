# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: database_backup
short_description: Back up databases of the backup plan under an approval
description:
  - The SYDAM database, PostgreSQL with its archived logs or Oracle through RMAN.
  - Carries out the operation C(database.backup) (procedure R), as C(dsi run) does, under
    an approved request or, without one, the standing approval in force for each backup (C(dsi backup ask), then
    C(dsi approve) by somebody else).
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.backups]
"""

EXAMPLES = r"""
- name: Back up databases of the backup plan
  dsi.ops.database_backup:
    backups: [sydam]
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
