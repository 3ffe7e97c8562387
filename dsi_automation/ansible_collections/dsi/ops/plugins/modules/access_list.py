# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: access_list
short_description: List accesses and compare them with the record
description:
  - Says of the routers of the play who may reach what, until when and why, and where a router and the record differ.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.look, dsi.ops.look.fail]
"""

EXAMPLES = r"""
- name: List accesses and compare them with the record
  dsi.ops.access_list: {}
"""

RETURN = r"""
extends_documentation_fragment: dsi.ops.look
"""
