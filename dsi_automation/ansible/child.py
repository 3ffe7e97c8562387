"""Starts a program that ends with whoever started it: `python -m dsi_automation.ansible.child PROGRAM ARGS...`.

ansible-runner has its child ignore the hang-up of its terminal, so that ansible-playbook would go on by itself when
`dsi playbook` is killed. The kernel's parent-death signal survives exec (prctl(2)).
"""

from __future__ import annotations

import os
import sys

from dsi_automation.ansible.stopping import end_with_parent


def main() -> None:
    """Replace this process with the program."""
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # a list of arguments, no shell


if __name__ == "__main__":
    main()
