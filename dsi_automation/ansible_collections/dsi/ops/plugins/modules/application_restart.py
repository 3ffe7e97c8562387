# The documentation of the action plugin of the same name; Ansible reads it from here.
DOCUMENTATION = r"""
---
module: application_restart
short_description: Restart an application under an approval
description:
  - Tells the users, stops the servers in order, empties caches, releases locks, starts again, tests the connection as
    a user would, and tells the users that it is back.
  - Carries out the operation C(application.restart) (procedure S), as C(dsi run) does, under an approved request or,
    without one, under the standing approval in force.
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
version_added: "0.1.0"
author: dsi-automation
options:
  request:
    description: The identifier of an approved request; not needed in check mode, nor under a standing approval.
    type: str
    default: ""
  applications:
    description: Names of C(dsi_applications); with a request they may be left out, the request says which.
    type: list
    elements: str
    default: []
  planned:
    description: Whether it is the planned stop of the evening, and not an incident.
    type: bool
    default: false
  why:
    description: What users are told about the reason; needed unless it is planned.
    type: str
    default: ""
  since:
    description: When the incident began, where there was one; the interruption counts from then.
    type: str
    default: ""
  servers:
    description: Servers of the application; none for all.
    type: list
    elements: str
    default: []
  end_sessions:
    description: Process numbers of working database sessions that are ended although they work.
    type: list
    elements: str
    default: []
  notice:
    description: How users are told beforehand, C(full), C(none) or a duration such as C(5m).
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  bypass_host_loop:
    support: full
"""

EXAMPLES = r"""
- name: Restart an application under an approval
  dsi.ops.application_restart:
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
