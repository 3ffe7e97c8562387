# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: workstation_check
short_description: Check a workstation against procedure C
description:
  - Reads a Windows workstation over WS-Management (CIM) and compares it with the specifications and the rules of its
    site, as the C(dsi check workstation.check) command does.
  - Changes nothing and needs no approval.
version_added: "0.1.0"
author: dsi-automation
options:
  require_domain:
    description: Count a machine that is in no domain yet as not compliant, instead of a warning.
    type: bool
    default: false
  fail_when_not_compliant:
    description: Fail the task for a machine that is not compliant.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Check the workstations
  dsi.ops.workstation_check:
    require_domain: true
"""

RETURN = r"""
compliant:
  description: Whether everything that is not a mere warning is as it should be.
  returned: when the machine answers
  type: bool
checks:
  description: Each comparison, with what was expected, what was observed and where it was read.
  returned: when the machine answers
  type: list
  elements: dict
facts:
  description: What was observed.
  returned: when the machine answers
  type: dict
"""
