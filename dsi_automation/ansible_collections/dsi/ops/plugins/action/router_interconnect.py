"""Action plugin: `router.interconnect` for new sites."""

from __future__ import annotations

from typing import Any

from dsi_automation.ansible.action import OnceAction
from dsi_automation.ansible.plugin import call_of
from dsi_automation.ansible.tasks import report_task


class ActionModule(OnceAction):
    """Looks into the inventory in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Propose."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "sites": {"type": "list", "elements": "str", "default": []},
                "bandwidth": {"type": "int"},
                "latitude": {"type": "str", "default": ""},
                "longitude": {"type": "str", "default": ""},
                "max_distance_km": {"type": "str", "default": ""},
                "leased": {"type": "bool", "default": False},
                "operator": {"type": "str", "default": ""},
                "platform": {"type": "str", "default": ""},
            }
        )
        sites = [str(site) for site in args.pop("sites")]
        return report_task(call_of("router.interconnect", args), sites, fail=True)
