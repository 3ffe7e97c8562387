"""What the documentation of several modules says alike: the gate, and the backups of the plan."""

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
