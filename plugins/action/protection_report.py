# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible import constants as C
from ansible_collections.prs.recovery.plugins.plugin_utils import on_control_node

__all__ = ["ActionModule"]

COLOURS = {"ok": C.COLOR_OK, "warn": C.COLOR_WARN, "fail": C.COLOR_ERROR}


class ActionModule(on_control_node.ActionModule):
    """Asks no server, so it needs nothing of its host's connection; and it draws."""

    def _arguments(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        return dict(self._task.args)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        # Line by line: callbacks show a result as JSON, in which no table is one.
        for state, line in result.get("drawn", []):
            self._display.display(line, color=COLOURS.get(state))
        if "summary" in result:
            self._display.display(result["summary"], color=COLOURS["ok" if result["passed"] else "fail"])
        return result
