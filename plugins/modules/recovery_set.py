#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_set
short_description: Write down which backup of the database and which archive of the application belong together
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Makes a recovery set of what M(prs.recovery.sql_backup) and M(prs.recovery.app_backup) returned. Its manifest is
    written last, so its presence means that everything which it names is complete.
  - A differential or log backup makes a set too. Its manifest names all backups that it continues, so that each set is
    restored by what it names. Those come from earlier sets, or from the manifests that M(prs.recovery.sql_backup) left
    beside its files.
  - A set is healthy when the application answered before it was taken, both halves were read back, and the chain is
    complete.
  - Once the new set is complete, removes old ones with what only they need (O(retention)). The newest set and the
    newest healthy one stay, whatever the rules say. What failed runs left goes too, once it is older than all that is
    kept. Backups that were taken copy-only stay, and archives that were not made for a set.
options:
  label:
    description:
      - Name of the set, and of its file.
    type: str
    required: true
  site:
    description:
      - Name of the site that it was taken at.
    type: str
    default: ""
  database:
    description:
      - RV(prs.recovery.sql_backup#module:backup).
    type: dict
    required: true
  application:
    description:
      - RV(prs.recovery.app_backup#module:archive). Without it the archive of the newest earlier set is named, as fits a
        log backup.
    type: dict
  application_state:
    description:
      - Whether the application answered before the backup. Anything but V(answered) makes a set that is not healthy.
    type: str
    default: answered
  end_other_branches:
    description:
      - Once a restore was written down (M(prs.recovery.recovery_branch)), a backup of a database that it replaced is
        refused, since it would pass for a newer one of the living database. V(true) says that the database of this
        backup goes on, and that what others got since is given up.
    type: bool
    default: false
  other_places:
    description:
      - Further places, as M(prs.recovery.recovery_set_copy) takes one as O(prs.recovery.recovery_set_copy#module:to).
      - Restores that were written down there count as well. A place that was lost with its site and came back does not
        know that its database was restored elsewhere meanwhile. One that cannot be asked is passed over.
    type: list
    elements: dict
    default: []
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
  facts:
    description:
      - Whatever else the manifest says, such as logins and versions. No secrets.
    type: dict
    default: {}
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
      - Says what the manifest would hold and what would be removed.
  diff_mode:
    support: none
seealso:
  - module: prs.recovery.recovery_set_info
  - module: prs.recovery.recovery_set_copy
  - module: prs.recovery.recovery_branch
"""

EXAMPLES = r"""
- name: Join the two halves
  prs.recovery.recovery_set:
    path: \\files.example.com\backup
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    label: 20260301T020000Z
    database: "{{ taken.backup }}"
    application: "{{ archived.archive }}"
    retention:
      age: 14
      months: 12
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
set:
  description: The manifest.
  returned: always
  type: dict
  contains:
    label:
      description: Its name.
      type: str
    healthy:
      description: Whether it is one to rely on.
      type: bool
    problems:
      description: Why it is not healthy.
      type: list
      elements: str
    database:
      description: The backup, with all that it continues as C(chain).
      type: dict
    application:
      description: The archive.
      type: dict
manifest:
  description: Where the manifest is.
  returned: always
  type: str
removed:
  description: Labels of sets that were removed, or would be, oldest first.
  returned: always
  type: list
  elements: str
removed_files:
  description: The files that went with them.
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
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.creation import make_set
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.repository import (
    recovery_place_argument_spec,
)


def main() -> None:
    module = windows_module(
        {
            **recovery_place_argument_spec(),
            "label": {"type": "str", "required": True},
            "site": {"type": "str", "default": ""},
            "database": {"type": "dict", "required": True},
            "application": {"type": "dict"},
            "application_state": {"type": "str", "default": "answered"},
            "end_other_branches": {"type": "bool", "default": False},
            "other_places": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {**recovery_place_argument_spec(), **winrm_connection_share_argument_spec()},
            },
            "facts": {"type": "dict", "default": {}},
            **retention_argument_spec(),
        }
    )
    now = dt.datetime.now(dt.timezone.utc)
    run(module, lambda files: make_set(files, module.params, now=now))


if __name__ == "__main__":
    main()
