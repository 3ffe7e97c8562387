"""A callback plugin of the tests: one line of JSON per host's result, so that nothing is read out of prose."""

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: stdout
short_description: one line of JSON per result
description: See the tests.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "results"

    def _tell(self, kind, result):
        if "Validating arguments" in result.task_name:
            return
        told = {"host": result.host.get_name(), "kind": kind, "task": result.task_name, **dict(result.result)}
        self._display.display("RESULT " + json.dumps(told, default=str))

    def v2_runner_on_ok(self, result):
        self._tell("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._tell("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._tell("unreachable", result)
