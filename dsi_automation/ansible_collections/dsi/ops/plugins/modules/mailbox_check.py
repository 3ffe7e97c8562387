# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: mailbox_check
short_description: Check people's accounts, licences and mailboxes
description:
  - Reads the directory and the Microsoft 365 tenant, as C(dsi check mailbox.check) does, and says of each account
    whether its mailbox is ready, or why it is not.
  - Without O(targets) it looks at everybody, and at the seats of each licence.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: dsi.ops.look
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
"""

EXAMPLES = r"""
- name: Is the mailbox ready?
  dsi.ops.mailbox_check:
    targets: [100001A]
"""

RETURN = r"""
extends_documentation_fragment: dsi.ops.look
"""
