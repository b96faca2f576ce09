# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What a module can do besides its work; a module adds check_mode and diff_mode with their support. One that
    changes nothing takes both from C(prs.recovery.attributes.reads_only), named behind this one.
    """

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and say what it would change, without changing anything.
  diff_mode:
    description: Can show what differs before and after, in diff mode.
  platform:
    description: Where the module runs, and what it works upon.
    platforms: posix
    support: full
    details:
      - The task targets the server's host, and the module runs on the control node, with the Python interpreter that
        runs ansible. The host itself is not connected to, so C(gather_facts) is not needed.
      - How to reach the server is taken from the host's own connection, where the task does not say it.
      - The directives C(become) and C(async) and the delegation to V(localhost) are refused.
"""

    READS_ONLY = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - Changes nothing in any mode.
  diff_mode:
    support: none
"""
