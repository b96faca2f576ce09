#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_branch
short_description: Write down beside the recovery sets that the database was restored
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - A restore puts a database on a recovery fork of its own. Written down beside the recovery sets, it tells their
    backups from those of the database that was replaced, also from those which that one makes afterwards, as a lost
    site does that comes back.
  - M(prs.recovery.recovery_set_info) then passes over sets of a replaced database, and M(prs.recovery.recovery_set) and
    M(prs.recovery.recovery_set_copy) refuse its new ones.
options:
  fork:
    description:
      - Recovery fork of the restored database, RV(prs.recovery.sql_info#module:databases[].recovery_fork_guid).
    type: str
    required: true
  parent:
    description:
      - Recovery fork that was restored, C(fork) of RV(prs.recovery.sql_restore#module:plan.recovery_point).
    type: str
    default: ""
  left_lsn:
    description:
      - C(lsn) of the same. Sets of O(parent) up to it hold what the restored database has, too.
    type: int
  left_at:
    description:
      - C(time) of the same, which counts where there is no O(left_lsn).
    type: str
  site:
    description:
      - Name of the site that the database is at now.
    type: str
    default: ""
  server:
    description:
      - Name of its server.
    type: str
    default: ""
  label:
    description:
      - The recovery set that it was restored from.
    type: str
    default: ""
  decided:
    description:
      - Whether a person named what to restore, so that no other database goes on, whatever it made until now.
    type: bool
    default: false
extends_documentation_fragment:
  - prs.recovery.recovery_place
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: prs.recovery.recovery_set
  - module: prs.recovery.recovery_set_info
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: Record that the database goes on from here
  prs.recovery.recovery_branch:
    path: \\files.example.com\backup
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    fork: "{{ (instance.databases | selectattr('name', 'equalto', 'PRS') | first).recovery_fork_guid }}"
    parent: "{{ restored.plan.recovery_point.fork }}"
    left_lsn: "{{ restored.plan.recovery_point.lsn }}"
    site: site_b
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
branch:
  description: What was written down, or was there already.
  returned: always
  type: dict
file:
  description: The file that tells it; empty where one was there already.
  returned: always
  type: str
"""

import datetime as dt

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.branching import write_branch
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.repository import (
    recovery_place_argument_spec,
)


def main() -> None:
    module = windows_module(
        {
            **recovery_place_argument_spec(),
            "fork": {"type": "str", "required": True},
            "parent": {"type": "str", "default": ""},
            "left_lsn": {"type": "int"},
            "left_at": {"type": "str"},
            "site": {"type": "str", "default": ""},
            "server": {"type": "str", "default": ""},
            "label": {"type": "str", "default": ""},
            "decided": {"type": "bool", "default": False},
        }
    )
    now = dt.datetime.now(dt.timezone.utc)
    run(module, lambda files: write_branch(files, module.params, now=now))


if __name__ == "__main__":
    main()
