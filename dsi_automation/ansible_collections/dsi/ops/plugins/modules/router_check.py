# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: router_check
short_description: Compare routers with the inventory
description:
  - Reads all routers of the play at once and says what differs from the inventory and from the accesses in force,
    line by line; also what was not saved, and a rollback timer that is armed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.look, dsi.ops.look.fail]
"""

EXAMPLES = r"""
- name: Compare routers with the inventory
  dsi.ops.router_check: {}
"""

RETURN = r"""
extends_documentation_fragment: dsi.ops.look
"""
