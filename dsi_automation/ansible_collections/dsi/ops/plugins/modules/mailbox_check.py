# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: mailbox_check
short_description: Check people's accounts, licences and mailboxes
description:
  - Reads the directory and the Microsoft 365 tenant, as C(dsi check mailbox.check) does, and says of each account
    whether its mailbox is ready, or why it is not.
  - Without O(targets) it looks at everybody, and at the seats of each licence.
  - Changes nothing and needs no approval.
version_added: "0.1.0"
author: dsi-automation
options:
  targets:
    description: Staff numbers, logins or addresses; everybody when empty.
    type: list
    elements: str
    default: []
  fail_when_not_ready:
    description: Fail the task for an account that is not as it should be.
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
- name: Is the mailbox ready?
  dsi.ops.mailbox_check:
    targets: [100001A]
"""

RETURN = r"""
compliant:
  description: Whether everything that is not a mere warning is as it should be.
  returned: when the tenant answers
  type: bool
targets:
  description: For each account its comparisons, what was observed, and why it could not be looked at if it could not.
  returned: when the tenant answers
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
