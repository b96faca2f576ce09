# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible loads what lies here with every playbook beside it; nobody has to enable it."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_files_once

compile_files_once()  # for this process and the tasks that it forks

from ansible_collections.prs.recovery.plugins.plugin_utils._run_report import RunReporter

DOCUMENTATION = """
name: prs_report
author: prs.recovery contributors (@prs-recovery)
type: aggregate
short_description: Writes the report of a run
description:
  - At the end of a playbook of prs.recovery, also when it fails, a page and the same as JSON are written on the control
    node, where a task has handed on C(prs_report) with a C(path).
"""


class CallbackModule(RunReporter):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "prs_report"
    CALLBACK_NEEDS_ENABLED = False
