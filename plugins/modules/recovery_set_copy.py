#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_set_copy
short_description: Bring recovery sets to another place, and compare them there
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Copies the recovery sets that another place does not have yet, and the newest one first of all where it has none.
    The Windows host copies from share to share; nothing travels over WinRM.
  - Every file is written under another name, read back at its destination, compared by SHA-256 and only then renamed.
    The manifest of a set follows last, and names the files where they are now.
  - Both places know of the same restores afterwards (M(prs.recovery.recovery_branch)). Sets of a database that was
    replaced before they were made are not brought; the module fails and says which database replaced it.
  - What an earlier run could not bring, the next one does.
  - When a set with a full backup was brought, old ones are removed from the other place (O(retention)).
options:
  to:
    description:
      - The other place.
    type: dict
    required: true
    suboptions:
      path:
        description: Folder of the recovery sets there.
        type: str
        required: true
      sets_path:
        description: Folder of the manifests, where it is not below C(path).
        type: str
      application_path:
        description: Folder of the archives, where it is not below C(path).
        type: str
      database_path:
        description: Folder of the database's backups, where it is not below C(path).
        type: str
      share_user:
        description: Account for it.
        type: str
      share_password:
        description: Password of C(share_user).
        type: str
      database_user:
        description: Account for the database's backups, where it is another one.
        type: str
      database_password:
        description: Password of C(database_user).
        type: str
extends_documentation_fragment:
  - prs.recovery.recovery_place
  - prs.recovery.retention
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says which sets and files would be copied and removed.
  diff_mode:
    support: none
seealso:
  - module: prs.recovery.recovery_set
  - module: prs.recovery.recovery_branch
"""

EXAMPLES = r"""
- name: What lies at site A also lies at site B
  prs.recovery.recovery_set_copy:
    path: \\files-a.example.com\backup
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    to:
      path: \\files-b.example.com\backup
      share_user: EXAMPLE\svc-backup
      share_password: "{{ prs_share_password }}"
    retention:
      age: 30
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
copied:
  description: Labels of the sets that were brought, oldest first.
  returned: always
  type: list
  elements: str
copied_files:
  description: The files, as they are called there.
  returned: always
  type: list
  elements: str
bytes:
  description: Size of these files.
  returned: always
  type: int
removed:
  description: Labels of sets that were removed there, or would be, oldest first.
  returned: always
  type: list
  elements: str
"""

import datetime as dt

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import retention_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_connection_share_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.replication import ReplicationRun
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.repository import (
    recovery_place_argument_spec,
)


def main() -> None:
    module = windows_module(
        {
            **recovery_place_argument_spec(),
            "to": {
                "type": "dict",
                "required": True,
                "options": {**recovery_place_argument_spec(), **winrm_connection_share_argument_spec()},
            },
            **retention_argument_spec(),
        }
    )
    now = dt.datetime.now(dt.timezone.utc)
    run(module, lambda files: ReplicationRun(files, module.params, now=now).run())


if __name__ == "__main__":
    main()
