# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tables:
    description:
      - Also read rows of these tables, without a SQL Server. They are values of people, so nothing is returned that is
        not asked for here; say C(no_log) for the task where nobody else may see them.
      - Rows of compressed tables, sparse columns, encrypted databases and compressed backups are not read, which is
        said. Rows that are only in the log of a database that was not closed cleanly are missing, which is said, too.
    type: list
    elements: dict
    suboptions:
      name:
        description: The table, with its schema or without.
        type: str
        required: true
      columns:
        description:
          - The columns to show. By default all of them, but for those that are named like a secret.
        type: list
        elements: str
      newest:
        description: How many rows to show, at most 100000. All of them are counted.
        type: int
        default: 10
      newest_by:
        description:
          - The column whose greatest values are wanted. By default the last rows in the order of the clustered key.
        type: str
  last_change:
    description:
      - Also say when the database was last used, as far as its rows tell, how many users it knows, and the version of
        its schema. No other values are shown.
    type: bool
    default: false
"""
