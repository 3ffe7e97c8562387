# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: application_check
short_description: Test the connection to an application as a user would
description:
  - Does on every server what a user does, as C(dsi check application.check) does. It reaches the port, gets the page,
    logs in with the test account, runs one query through to the database, logs out; each step with its time.
  - Looks at services, locks, caches and releases as well.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: dsi.ops.look
options:
  applications:
    description: Names of C(dsi_applications).
    type: list
    elements: str
    required: true
  servers:
    description: Servers of the application; none for all.
    type: list
    elements: str
    default: []
  log_lines:
    description: How many of the last lines of each log are in the result.
    type: int
    default: 0
  fail_when_not_available:
    description: Fail the task when users cannot work.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Can users work?
  dsi.ops.application_check:
    applications: [sydam]
"""

RETURN = r"""
extends_documentation_fragment: dsi.ops.look
"""
