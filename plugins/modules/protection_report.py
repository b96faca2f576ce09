#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: protection_report
short_description: Judge whether an estate is protected, and draw the table
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Judges what the role P(prs.recovery.verify#role) gathered against objectives, and draws the result as a table on the
    terminal, worst first.
  - Asks no server. It never fails for what it finds; RV(passed) says it.
options:
  facts:
    description:
      - What was gathered, as the role's README says.
    type: dict
    required: true
  recovery_point_objective:
    description:
      - Seconds of data that may be lost at most.
    type: int
    default: 93600
  certificate_days:
    description:
      - A certificate that is valid for fewer days is a warning.
    type: int
    default: 30
  drill_days:
    description:
      - Days after which a restore must have been tried again. V(0) asks for none, and warns where there never was one.
    type: int
    default: 0
  free_gb:
    description:
      - GB that must be free on every drive and share.
    type: int
    default: 5
  shared_readers:
    description:
      - Whether it is only a warning when somebody reads the keys and an unencrypted database together. He holds all
        that the application guards.
    type: bool
    default: false
  database:
    description:
      - Name of the database.
    type: str
    default: PasswordResetServer
  checks:
    description:
      - V(all) judges whether everything could be brought back now, V(service) only whether the page and its database
        serve.
    type: str
    choices: [all, service]
    default: all
extends_documentation_fragment:
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
"""

EXAMPLES = r"""
- name: Draw the table
  prs.recovery.protection_report:
    facts: "{{ verify_facts }}"
    recovery_point_objective: 86400
    drill_days: 92
  register: report

- name: Fail when the estate is not protected
  ansible.builtin.assert:
    that: report.protected
    fail_msg: "{{ report.summary }}"
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
passed:
  description: Whether nothing failed.
  returned: always
  type: bool
protected:
  description: The same, of all checks.
  returned: when O(checks=all)
  type: bool
summary:
  description: The result in one line.
  returned: always
  type: str
  sample: "NOT PROTECTED: 1 check failed, 2 warnings"
rows:
  description: The table's rows, worst first.
  returned: always
  type: list
  elements: dict
  contains:
    what:
      description: What was looked at.
      type: str
    where:
      description: On which server or place.
      type: str
    state:
      description: V(ok), V(warn) or V(fail).
      type: str
    value:
      description: What was found.
      type: str
    limit:
      description: What it should be.
      type: str
    next:
      description: What to do.
      type: str
    metric:
      description: Name of the metric without its prefix, where one was measured.
      type: str
    measure:
      description: Its value.
      type: float
checked_at:
  description: When this was judged (UTC).
  returned: always
  type: str
prometheus:
  description: The same as metrics in Prometheus' text format.
  returned: always
  type: str
drawn:
  description: The table, each line with its state.
  returned: always
  type: list
  elements: list
"""

import datetime as dt

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.protection.report import judge, metrics, summary, table
from ansible_collections.prs.recovery.plugins.module_utils._core.protection.row import FAIL, Objectives
from ansible_collections.prs.recovery.plugins.module_utils._outcome import failures_reported


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "facts": {"type": "dict", "required": True},
            "recovery_point_objective": {"type": "int", "default": 93600},
            "certificate_days": {"type": "int", "default": 30},
            "drill_days": {"type": "int", "default": 0},
            "free_gb": {"type": "int", "default": 5},
            "shared_readers": {"type": "bool", "default": False},
            "database": {"type": "str", "default": "PasswordResetServer"},
            "checks": {"type": "str", "choices": ["all", "service"], "default": "all"},
        },
        supports_check_mode=True,
    )
    params = module.params
    objectives = Objectives(
        recovery_point_seconds=params["recovery_point_objective"],
        certificate_days=params["certificate_days"],
        drill_days=params["drill_days"] or None,
        free_bytes=params["free_gb"] << 30,
        database=params["database"],
        shared_readers=params["shared_readers"],
    )
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    service_only = params["checks"] == "service"
    with failures_reported(module):
        rows = judge(params["facts"], objectives, now, service_only=service_only)
    passed = not any(row.state == FAIL for row in rows)
    module.exit_json(
        changed=False,
        passed=passed,
        **({} if service_only else {"protected": passed}),
        summary=summary(rows, service_only=service_only),
        rows=[row.as_dict() for row in rows],
        checked_at=now.isoformat(),
        prometheus=metrics(rows, now),
        drawn=table(rows),
    )


if __name__ == "__main__":
    main()
