#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: preflight_report
short_description: Judge what was gathered of a host before anything is touched
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Judges what the role P(prs.recovery.preflight#role) gathered of one host. Says what would stop a run on it, and
    where nothing would, what will be done.
  - Asks no server; it only looks whether the control node has the files and the Python package that are needed. It does
    not fail for what it finds, but where a fact is missing, as a plan that is guessed may say the opposite of what will
    be done.
options:
  facts:
    description:
      - What was gathered of the host, in the shape of the role's variable C(_preflight_facts).
    type: dict
    required: true
  authorities:
    description:
      - Files on the control node with the authorities to trust. What holds no slash is no file, and left out.
    type: list
    elements: str
    default: []
  trusted_roots:
    description:
      - Files on the control node with the authorities that web servers are to trust, in PEM or DER.
    type: list
    elements: path
    default: []
  secrets:
    description:
      - Names of secrets, each with what P(prs.recovery.secret_states#filter) says of it.
    type: dict
    default: {}
  ha:
    description:
      - How the database is protected by another site.
    type: str
    default: none
extends_documentation_fragment:
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
"""

EXAMPLES = r"""
- name: Judge what was gathered
  prs.recovery.preflight_report:
    facts: "{{ _preflight_facts }}"
    authorities: ["{{ prs_ca_file }}"]
  register: report

- name: Stop before anything is touched
  ansible.builtin.assert:
    that: report.problems | length == 0
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: option_invalid
problems:
  description:
    - What is wrong, a sentence each, which begins with the host, C(backups) or C(control node), and says what to do.
  returned: always
  type: list
  elements: str
  sample:
    - "sql-a: has 12 GB free on C:, 20 GB are needed. Make room."
problems_of_backups:
  description: Those of them that are none where nothing is restored from backups.
  returned: always
  type: list
  elements: str
plan:
  description: What will be done on the host, a sentence each. Empty where there are other problems than of backups.
  returned: always
  type: list
  elements: str
  sample:
    - "sql-a: keep SQL Server 15.0.4430.1 (MSSQLSERVER)"
wreck:
  description:
    - What the host says of the estate, as fields of the facts of M(prs.recovery.recovery_plan). Those of all hosts make
      the whole.
  returned: always
  type: dict
  sample: {"sql": {"host": "sql-a"}, "instance": "running", "database": {"state": "healthy"}}
"""

import datetime as dt
import sys
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._control_node import (
    driver_problem,
    unusable_authorities,
    unusable_roots,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.control_node import ControlNode
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.plan import plan
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.problems import problems, problems_of_backups
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.wreck import wreck_of
from ansible_collections.prs.recovery.plugins.module_utils._outcome import failures_reported


def report(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    node = ControlNode(
        ha=params["ha"],
        python=sys.executable,
        driver_problem=driver_problem(),
        authorities=unusable_authorities(params["authorities"]),
        roots=unusable_roots(params["trusted_roots"]),
        secrets=params["secrets"],
    )
    facts = host_facts(params["facts"])
    wrong = problems(facts, node, dt.datetime.now(dt.timezone.utc))
    of_backups = problems_of_backups(facts)
    return {
        "problems": wrong,
        "problems_of_backups": of_backups,
        "plan": [] if set(wrong) - set(of_backups) else plan(facts),
        "wreck": wreck_of(facts),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "facts": {"type": "dict", "required": True},
            "authorities": {"type": "list", "elements": "str", "default": []},
            "trusted_roots": {"type": "list", "elements": "path", "default": []},
            "secrets": {"type": "dict", "default": {}, "no_log": False},
            "ha": {"type": "str", "default": "none"},
        },
        supports_check_mode=True,
    )
    with failures_reported(module):
        result = report(module)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
