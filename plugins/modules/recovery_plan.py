#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_plan
short_description: Decide how an estate comes back, from what was found of it
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Takes what was found of an estate (the wreck) and weighs every road back, from starting what is merely stopped to an
    empty product. Each is told with what stands in its way, what it loses, how long it takes, and what somebody has to
    say yes to.
  - Takes the road that loses least, then the fastest. What another road would keep is never given up without a yes, nor
    is a database or an application overwritten that may be whole. A server that answers but refuses is not lost.
  - Asks no server and changes nothing. It does not fail for what it finds, but where a fact is missing or misspelt.
options:
  facts:
    description:
      - What was found. Its fields are those of the class C(Wreck) in C(module_utils/_core/recovery_plan/wreck.py),
        without the time. Times are texts in ISO 8601.
    type: dict
    required: true
  road:
    description:
      - The road that shall be gone, by its name in RV(roads), instead of the best.
    type: str
    default: ""
  journal:
    description:
      - What phases of earlier runs took, oldest first, for the estimates.
    type: list
    elements: dict
    default: []
    suboptions:
      phase:
        description: What the time was spent with, as RV(steps) names it.
        type: str
        required: true
      seconds:
        description: How long it took.
        type: float
        required: true
      size:
        description: Bytes that were moved, 0 where nobody counted.
        type: int
        default: 0
extends_documentation_fragment:
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
seealso:
  - module: prs.recovery.preflight_report
"""

EXAMPLES = r"""
- name: Decide how to bring the service back
  prs.recovery.recovery_plan:
    facts: "{{ wreck }}"
  register: plan

- name: Show the roads and what will be lost
  ansible.builtin.debug:
    msg: "{{ plan.sentences }}"
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: option_invalid
road:
  description: Name of the road to go; empty where none may be gone.
  returned: always
  type: str
  sample: restore_set
source:
  description: What the database comes from on that road, empty for what is there.
  returned: always
  type: str
  sample: 20260301T100000Z
command:
  description: The playbook that goes the road, as it is called; empty where there is nothing to do, or no road.
  returned: always
  type: str
  sample: failover_prs -e prs_active_site=site_b
attach:
  description: What M(prs.recovery.sql_restore) is given to attach, as C(data_files) and C(log_files); empty on another
    road.
  returned: always
  type: dict
  sample: {}
otherwise:
  description: What to run where the road turns out to lead nowhere; empty where there is no other.
  returned: always
  type: str
  sample: ""
problem:
  description: Why no road may be gone, and what to do; empty where there is one.
  returned: always
  type: str
  sample: ""
awaited:
  description:
    - Hosts that do not answer, and without which nothing can be done. The roads, the steps and what is lost are then
      those that there will be once new, empty servers stand in their place; RV(problem) says so.
  returned: always
  type: list
  elements: str
  sample: []
tied:
  description: Roads that lose and take just as much.
  returned: always
  type: list
  elements: str
  sample: []
roads:
  description: Every road that there is anything for, those that can be gone first, the one that loses least first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: restore_set
    source:
      description: What the database comes from.
      type: str
      sample: 20260301T100000Z
    obstacle:
      description: Why it cannot be gone, and what to do; empty where it can.
      type: str
      sample: ""
    needs:
      description: Variables by which somebody has to say yes and has not yet, each with the reason.
      type: dict
      sample: {}
    loss_kind:
      description: C(none), C(time) (RV(roads[].loss_seconds) of work at most), C(unknown) or C(everything).
      type: str
      sample: time
    loss_seconds:
      description: Seconds of work that are lost at most; null where that is not known.
      type: float
      sample: 36000
    seconds:
      description: How long it takes.
      type: float
      sample: 840
    measured_runs:
      description: Of how many earlier runs that is the median; 0 for a guess.
      type: int
      sample: 3
steps:
  description: What the road consists of, in its order.
  returned: always
  type: list
  elements: dict
  contains:
    phase:
      description: What kind of work it is.
      type: str
      sample: restore the database
    host:
      description: Where it is done.
      type: str
      sample: sql-a
    sentence:
      description: What is done.
      type: str
      sample: restore the database from 20260301T100000Z
    size:
      description: Bytes that are moved, 0 where nobody knows.
      type: int
      sample: 1073741824
    seconds:
      description: How long it takes.
      type: float
      sample: 70
sentences:
  description: All of it for a person, the roads, the steps, and what will be lost.
  returned: always
  type: list
  elements: str
  sample:
    - "WHAT WILL BE LOST: nothing"
"""

import datetime as dt

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.reading import read_measured, read_wreck
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.report import plan_report
from ansible_collections.prs.recovery.plugins.module_utils._outcome import failures_reported


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "facts": {"type": "dict", "required": True, "no_log": False},
            "road": {"type": "str", "default": ""},
            "journal": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "phase": {"type": "str", "required": True},
                    "seconds": {"type": "float", "required": True},
                    "size": {"type": "int", "default": 0},
                },
            },
        },
        supports_check_mode=True,
    )
    with failures_reported(module):
        wreck = read_wreck(module.params["facts"], dt.datetime.now(dt.timezone.utc))
        report = plan_report(wreck, read_measured(module.params["journal"]), asked=module.params["road"])
    module.exit_json(changed=False, **report)


if __name__ == "__main__":
    main()
