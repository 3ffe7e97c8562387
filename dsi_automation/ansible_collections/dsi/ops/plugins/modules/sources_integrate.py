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
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
extends_documentation_fragment:
  - dsi.ops.gate
options:
  request:
    description: The identifier of an approved request; not needed in check mode.
    type: str
    default: ""
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
  planned:
    description: Whether it is the planned stop of the evening, and not an incident.
    type: bool
    default: false
  why:
    description: What users are told about the reason; needed unless it is planned.
    type: str
    default: ""
  notice:
    description: How users are told beforehand, C(full), C(none) or a duration such as C(5m).
    type: str
    default: ""
  end_sessions:
    description: Process numbers of working database sessions that are ended although they work.
    type: list
    elements: str
    default: []
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
plan:
  description: The plan, actions and non-actions with their reasons, and its digest.
  returned: when a plan could be made
  type: dict
run:
  description: Identifier, request, outcome and exit code of the run.
  returned: when a request was carried out
  type: dict
targets:
  description: For each of O(applications) what was done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
