# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What to keep. The argument spec is retention_argument_spec() of module_utils/_core/retention_rules.py.

    DOCUMENTATION: O(retention). COPY: O(copy_retention), for the second place of sql_backup.
    """

    DOCUMENTATION = r"""
options:
  retention:
    description:
      - What to keep. Every rule only adds to what is kept; without this option everything is.
      - Days, weeks, months and years are those of UTC. What is dated in the future stays, and counts for no rule.
    type: dict
    suboptions:
      last:
        description: The newest so many full ones (an archive of the application is one), and all that was made since
          the oldest of them.
        type: int
      age:
        description: All that is needed to go back to any moment of so many days.
        type: int
      days:
        description: The last full one of each of the newest so many days that have one.
        type: int
      weeks:
        description: The same for weeks.
        type: int
      months:
        description: The same for months.
        type: int
      years:
        description: The same for years.
        type: int
"""

    COPY = r"""
options:
  copy_retention:
    description:
      - What to keep. Every rule only adds to what is kept; without this option everything is.
      - Days, weeks, months and years are those of UTC. What is dated in the future stays, and counts for no rule.
    type: dict
    suboptions:
      last:
        description: The newest so many full ones (an archive of the application is one), and all that was made since
          the oldest of them.
        type: int
      age:
        description: All that is needed to go back to any moment of so many days.
        type: int
      days:
        description: The last full one of each of the newest so many days that have one.
        type: int
      weeks:
        description: The same for weeks.
        type: int
      months:
        description: The same for months.
        type: int
      years:
        description: The same for years.
        type: int
"""
