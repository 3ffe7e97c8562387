"""What the documentation of modules says alike that pass the gate: requests, results, backups, applications, stops."""

from __future__ import annotations


class ModuleDocFragment:
    """Parts of documentation; a module names them in C(extends_documentation_fragment)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  bypass_host_loop:
    support: full
notes:
  - In check mode no approval is needed; the plan is made and shown, nothing is changed.
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
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
    HOSTS = r"""
hosts:
  description: For each host what is or was to be done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
"""
    TARGETS = r"""
targets:
  description: For each target what is or was to be done, how it ended, and the evidence of the independent look.
  returned: when a plan could be made
  type: dict
"""
    EACH = r"""
targets:
  description:
    - For each target what is or was to be done, how it ended, and the evidence of the independent look.
    - Of several targets under standing approvals, C(plan) and C(run) of each as well.
  returned: when a plan could be made
  type: dict
"""
    REQUEST = r"""
options:
  request:
    description:
      - The identifier of an approved request (C(dsi request), then C(dsi approve) by somebody else).
      - Not needed in check mode.
    type: str
    default: ""
"""
    STANDING = r"""
options:
  request:
    description: The identifier of an approved request; empty for the standing approval in force.
    type: str
    default: ""
"""
    BACKUPS = r"""
options:
  backups:
    description: Names of C(dsi_backups); with a request they may be left out, the request says which.
    type: list
    elements: str
    default: []
"""
    APPLICATIONS = r"""
options:
  applications:
    description: Names of C(dsi_applications); with a request they may be left out, the request says which.
    type: list
    elements: str
    default: []
"""
    INCIDENT = r"""
options:
  since:
    description: When the incident began, where there was one; the interruption counts from then.
    type: str
    default: ""
  servers:
    description: Servers of the application; none for all.
    type: list
    elements: str
    default: []
"""
    STOP = r"""
options:
  planned:
    description: Whether it is the planned stop of the evening, and not an incident.
    type: bool
    default: false
  why:
    description: What users are told about the reason; needed unless it is planned.
    type: str
    default: ""
  end_sessions:
    description: Process numbers of working database sessions that are ended although they work.
    type: list
    elements: str
    default: []
  notice:
    description: How users are told beforehand, C(full), C(none) or a duration such as C(5m).
    type: str
    default: ""
"""
