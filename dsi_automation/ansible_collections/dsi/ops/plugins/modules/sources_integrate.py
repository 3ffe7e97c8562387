# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: sources_integrate
short_description: Integrate a release of the sources under an approval
description:
  - Puts a signed release beside the old one, stops the application, runs the database scripts, switches the link,
    starts and tests; a failure goes back to the release before.
  - The stage before must have been accepted, and production needs a verified backup.
  - Carries out the operation C(sources.integrate) (procedure Q), as C(dsi run) does, under an approved request.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.request, dsi.ops.gate.stop]
options:
  applications:
    description: Names of C(dsi_applications), one for each stage; with a request they may be left out, the request
      says which.
    type: list
    elements: str
    default: []
  release:
    description: The release, as C(dsi sources list) shows it.
    type: str
    default: ""
  source:
    description: The line of sources, where the application is in several.
    type: str
    default: ""
  downgrade:
    description: Whether the release may be older than the one in use.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Integrate a release of the sources under an approval
  dsi.ops.sources_integrate:
    request: REQ-20261122-7K3F
"""

RETURN = r"""
extends_documentation_fragment: [dsi.ops.gate, dsi.ops.gate.targets]
"""
