"""Makes a fault of the lab happen when a play begins: in the middle of a run, where nobody outside of it can hit the moment."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase
from prs_lab.client import CommandFailed, Lab

DOCUMENTATION = """
name: fault_at
type: aggregate
short_description: A fault when a play begins
description:
  - For tests of what a run makes of it.
"""


class CallbackModule(CallbackBase):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fault_at"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._waits = True

    def v2_playbook_on_play_start(self, play):
        if not self._waits or play.get_name() != os.environ["FAULT_AT_PLAY"]:
            return
        self._waits = False
        try:
            Lab(os.environ["FAULT_LAB"]).fault(os.environ["FAULT"], **json.loads(os.environ["FAULT_ARGUMENTS"]))
        except CommandFailed as problem:
            print(f"FAULT NOT POSSIBLE: {problem}", flush=True)
        else:
            print("FAULT MADE", flush=True)
