# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: server_backup
short_description: Back up servers of the backup plan under an approval
description:
  - Files and applications of servers, each into its encrypted repository.
  - Carries out the operation C(server.backup) (procedure D), as C(dsi run) does, under
    an approved request or, without one, the standing approval in force for each backup (C(dsi backup ask), then
    C(dsi approve) by somebody else).
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing, dsi.ops.gate.backups]
"""

EXAMPLES = r"""
- name: Back up servers of the backup plan
  dsi.ops.server_backup:
    backups: [sydam]
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.each]
"""
