# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.prs.recovery.plugins.plugin_utils import on_control_node

__all__ = ["ActionModule"]


class ActionModule(on_control_node.ActionModule):
    """As of all modules, but for a host that cannot be reached."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Raises AnsibleConnectionFailure, in the words of Ansible's own connection: tasks of ansible.windows stand
        beside this one in a play, and it ends for a host as it does by them (C(ignore_unreachable)).
        """
        result = super().run(tmp, task_vars)
        if "connection_error" in result:
            raise AnsibleConnectionFailure(result["connection_error"])
        return result
