"""What the documentation of several modules says alike: the gate, backups of the plan, applications and their stop."""

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
"""
    REQUEST = r"""
options:
  request:
    description: The identifier of an approved request (C(dsi request), then C(dsi approve) by somebody else).
    type: str
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
"""
