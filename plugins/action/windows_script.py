# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.prs.recovery.plugins.plugin_utils import on_control_node

__all__ = ["ActionModule"]


class ActionModule(on_control_node.ActionModule):
    """As of all modules, but for a host that cannot be reached."""

    def _no_connection(self, words: str) -> None:
        """Raises AnsibleConnectionFailure: tasks of ansible.windows stand beside this one in a play, and it ends for a
        host as it does by them (C(ignore_unreachable)).
        """
        raise AnsibleConnectionFailure(words)
