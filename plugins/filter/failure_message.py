# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed task said."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.task_result import failure_message

DOCUMENTATION = r"""
name: failure_message
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: What a failed task said
description:
  - The message of a result, as C(ansible_failed_result) is one. Of a loop it is that of the first item that failed;
    Ansible itself says no more than that one or more items did. Of a script that M(ansible.windows.win_powershell) ran
    it is that of the first error record, as such a result has no message of its own.
positional: _input
options:
  _input:
    description: The result of a task that failed.
    type: dict
    required: true
  succeeded:
    description: What to say of a result that neither failed nor was unreachable. By default it counts as failed.
    type: str
"""

EXAMPLES = r"""
- name: Say what went wrong
  ansible.builtin.debug:
    msg: "{{ ansible_failed_task.name }}: {{ ansible_failed_result | prs.recovery.failure_message }}"
"""

RETURN = r"""
_value:
  description: The message.
  type: str
"""


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"failure_message": failure_message}
