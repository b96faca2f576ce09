"""Ends ansible-playbook, as if its process was killed, before the task that follows the n-th one which changed
something.
"""

from __future__ import annotations

import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: stop_after
type: aggregate
short_description: End a run after some of its tasks
description:
  - For tests of what the next run makes of it.
"""


class CallbackModule(CallbackBase):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stop_after"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._left = int(os.environ["STOP_AFTER_CHANGES"])
        self._changed = False

    def v2_runner_on_ok(self, result):
        self._changed = self._changed or result._result.get("changed", False)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._left -= self._changed
        self._changed = False
        if self._left <= 0:
            print(f"STOPPED BEFORE: {task.get_name()}", flush=True)
            os._exit(77)
