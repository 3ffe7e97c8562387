# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: router_backup
short_description: Copy the configurations of routers into their repository
description:
  - Reads what runs on every router of the play and keeps it as one version in the git repository of configurations,
    secrets masked. Changes nothing on a router.
  - Carries out the operation C(router.backup) (procedure A), as C(dsi run) does, under an approved request or,
    without one, under the standing approval in force, on all hosts of the play at once.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.standing]
"""

EXAMPLES = r"""
- name: Copy the configurations of routers into their repository
  dsi.ops.router_backup: {}
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.hosts]
"""
