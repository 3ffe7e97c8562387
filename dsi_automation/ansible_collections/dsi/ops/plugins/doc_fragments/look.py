"""What the documentation of modules says alike that only look."""

from __future__ import annotations


class ModuleDocFragment:
    """Parts of documentation; a module names them in C(extends_documentation_fragment)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  bypass_host_loop:
    support: full
notes:
  - It changes nothing and needs no approval.
"""
    FAIL = r"""
options:
  fail:
    description: Fail the task when something is not as it should be.
    type: bool
    default: true
"""
    RETURN = r"""
compliant:
  description: Whether everything that is not a mere warning is as it should be.
  returned: when it could be looked at
  type: bool
targets:
  description: For each target its comparisons, what was observed, and why it could not be looked at if it could not.
  returned: when it could be looked at
  type: dict
exit_code:
  description: The exit code C(dsi) ends with.
  returned: on failure
  type: int
"""
