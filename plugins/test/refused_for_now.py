# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a task is worth another try."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.task_result import refused_for_now

DOCUMENTATION = r"""
name: refused_for_now
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Whether a task failed for a reason that passes by itself
description:
  - IIS and other services of Windows refuse to be started or stopped while an earlier change is under way
    (0x80070425). A moment later the same task succeeds.
positional: _input
options:
  _input:
    description: The result of a task.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Start the pool
  microsoft.iis.web_app_pool:
    name: PasswordResetServer
    state: started
  register: pool_start
  until: pool_start is not prs.recovery.refused_for_now
  retries: 12
  delay: 5
"""

RETURN = r"""
_value:
  description: Whether it failed for such a reason.
  type: bool
"""


class TestModule:
    """The tests of this file."""

    def tests(self):
        return {"refused_for_now": refused_for_now}
