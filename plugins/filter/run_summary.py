# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences that a run of a role says, from the facts that the role gathered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.prs.recovery.plugins.plugin_utils._named_functions import call_named

DOCUMENTATION = r"""
name: run_summary
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Sentences that a run of a role says
description:
  - The roles of this collection gather facts, and this makes of them what a run says - its plan, its result, its
    warnings, and what is left to a person.
  - A fact that is missing is an error, never another sentence.
positional: _input, name
options:
  _input:
    description: The facts; which ones stands beside each function below C(plugins/module_utils/_core/summaries/).
    type: dict
    required: true
  name:
    description: What is to be said, as the role and what of it.
    type: str
    required: true
    choices:
      - backup.problems
      - backup.no_set
      - backup.shortcomings
      - backup.summary
      - recovery_sets.listing
      - recovery_sets.problems
      - recovery_sets.seen
      - restore.choice_notes
      - restore.other_set
      - restore.planned
      - restore.left_to_do
      - restore.summary
      - mirroring.kind_problems
      - mirroring.inventory_problems
      - mirroring.account_problems
      - mirroring.unreached
      - mirroring.not_reached
      - mirroring.planned_instance
      - mirroring.planned_session
      - mirroring.two_databases
      - mirroring.stops_what_serves
      - mirroring.consequences
      - mirroring.surviving
      - mirroring.summary
      - standby.inventory_problems
      - standby.problems
      - standby.not_reached
      - standby.unreached
      - standby.caught_up
      - standby.summary
      - failover.problems
      - failover.unstopped
      - failover.new_site_unreached
      - failover.runs_on
      - standby_failover.not_moved
      - failover.plan
      - failover.left_alone
      - failover.summary
      - drill.existing
      - drill.problems
      - drill.plan
      - drill.page_answer
      - drill.left
      - drill.not_cleared
      - drill.result
      - verify.login_problems
      - verify.problems
      - sql_server.setup_failed
      - configure_awx.inventory_problems
      - configure_awx.answer_problems
      - configure_awx.organization_problems
"""

EXAMPLES = r"""
- name: Say what a restore left to a person
  ansible.builtin.debug:
    msg: "{{ {'host': 'web-a', 'fips': 1, 'site': 'PRS', 'bindings': [], 'database': 'PRS', 'archived_on': ''} |
      prs.recovery.run_summary('restore.left_to_do') }}"
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
"""

PACKAGE = "ansible_collections.prs.recovery.plugins.module_utils._core.summaries"
SUMMARIES = (
    "backup.problems",
    "backup.no_set",
    "backup.shortcomings",
    "backup.summary",
    "recovery_sets.listing",
    "recovery_sets.problems",
    "recovery_sets.seen",
    "restore.choice_notes",
    "restore.other_set",
    "restore.planned",
    "restore.left_to_do",
    "restore.summary",
    "mirroring.kind_problems",
    "mirroring.inventory_problems",
    "mirroring.account_problems",
    "mirroring.unreached",
    "mirroring.not_reached",
    "mirroring.planned_instance",
    "mirroring.planned_session",
    "mirroring.two_databases",
    "mirroring.stops_what_serves",
    "mirroring.consequences",
    "mirroring.surviving",
    "mirroring.summary",
    "standby.inventory_problems",
    "standby.problems",
    "standby.not_reached",
    "standby.unreached",
    "standby.caught_up",
    "standby.summary",
    "failover.problems",
    "failover.unstopped",
    "failover.new_site_unreached",
    "failover.runs_on",
    "standby_failover.not_moved",
    "failover.plan",
    "failover.left_alone",
    "failover.summary",
    "drill.existing",
    "drill.problems",
    "drill.plan",
    "drill.page_answer",
    "drill.left",
    "drill.not_cleared",
    "drill.result",
    "verify.login_problems",
    "verify.problems",
    "sql_server.setup_failed",
    "configure_awx.inventory_problems",
    "configure_awx.answer_problems",
    "configure_awx.organization_problems",
)
"""Each a module of the package, and a function of it."""


def run_summary(facts: Mapping[str, Any], name: str) -> list[str]:
    """See DOCUMENTATION."""
    return call_named(PACKAGE, SUMMARIES, facts, name, of="run_summary")


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"run_summary": run_summary}
