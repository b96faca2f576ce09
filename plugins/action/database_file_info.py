# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.prs.recovery.plugins.plugin_utils import on_control_node

__all__ = ["ActionModule"]


class ActionModule(on_control_node.ActionModule):
    """Like the others, but only files on the host need something of its connection."""

    def _arguments(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        if boolean(self._task.args.get("remote_src", False), strict=False):
            return super()._arguments(task_vars)
        return dict(self._task.args)
