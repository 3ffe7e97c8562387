# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: router_check
short_description: Compare routers with the inventory
description:
  - Reads all routers of the play at once and says what differs from the inventory and from the accesses in force,
    line by line; also what was not saved, and a rollback timer that is armed.
  - Changes nothing and needs no approval.
version_added: "0.1.0"
author: dsi-automation
options:
  fail:
    description: Fail the task when something differs.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  bypass_host_loop:
    support: full
"""

EXAMPLES = r"""
- name: Compare routers with the inventory
  dsi.ops.router_check: {}
"""

RETURN = r"""
compliant:
  description: Whether everything that is not a mere warning is as it should be.
  returned: when it could be looked at
  type: bool
targets:
  description: For each router its comparisons, and why it could not be looked at.
  returned: when it could be looked at
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
