# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: access_list
short_description: List accesses and compare them with the record
description:
  - Says of the routers of the play who may reach what, until when and why, and where a router and the record differ.
  - Changes nothing and needs no approval.
version_added: "0.1.0"
author: dsi-automation
options:
  fail:
    description: Fail the task when a router and the record differ.
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
- name: List accesses and compare them with the record
  dsi.ops.access_list: {}
"""

RETURN = r"""
compliant:
  description: Whether everything that is not a mere warning is as it should be.
  returned: when it could be looked at
  type: bool
targets:
  description: For each router its accesses, and why it could not be looked at.
  returned: when it could be looked at
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
