#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_set_info
short_description: Read which recovery sets there are, and which of them to restore
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Chooses the newest healthy recovery set whose files are all there and as large as they were written, or the one of
    a label, or what leads to a moment, and says what M(prs.recovery.sql_restore) and M(prs.recovery.app_restore) need
    for it.
  - Sets of a database that a restore replaced are passed over (M(prs.recovery.recovery_branch)), unless O(label) names
    one. Where such a database made sets after it was replaced, as a lost site does that comes back, nothing is chosen
    and the module fails with both.
  - Files that are not where the manifest of a set names them are looked for in the folders of O(path) by their names,
    so that a folder can be moved. On file servers that have none of these folders, nor of O(other_folders), nothing is
    looked for. A manifest is a text that others may have written, and whoever asks such a server shows it his account.
options:
  label:
    description:
      - The set to choose. V(newest) is the newest one, healthy or not.
    type: str
  until:
    description:
      - Moment with its zone, V(2026-03-01T14:30:00+01:00). The database goes to that very moment where a log backup
        reaches it, the application to the newest healthy set from before it.
    type: str
  all:
    description:
      - Read every set, for RV(sets). Otherwise only as many as the choice needs.
    type: bool
    default: false
  choose:
    description:
      - Whether to choose a set. With V(false) all are read for RV(sets), RV(chosen) is empty, and databases that live
        more than once are no failure.
    type: bool
    default: true
  other_folders:
    description:
      - Further folders that files of a set may lie in, such as those that were used before.
    type: list
    elements: str
    default: []
  optional:
    description:
      - Where there is no set at all, RV(chosen) is empty, and the task does not fail.
    type: bool
    default: false
extends_documentation_fragment:
  - prs.recovery.recovery_place
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
seealso:
  - module: prs.recovery.recovery_set
  - module: prs.recovery.sql_restore
  - module: prs.recovery.app_restore
  - module: prs.recovery.recovery_branch
"""

EXAMPLES = r"""
- name: What would be restored
  prs.recovery.recovery_set_info:
    path: \\files.example.com\backup
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
  register: found
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
chosen:
  description: What to restore. Empty where there is no set and O(optional=true), and with O(choose=false).
  returned: always
  type: dict
  contains:
    label:
      description: Name of the set.
      type: str
    healthy:
      description: Whether it is one to rely on.
      type: bool
    taken_at:
      description: When it was taken, UTC, by the clock of the database server.
      type: str
    recovery_point:
      description: The moment (UTC) whose data the database will have.
      type: str
    files:
      description: Backups of the database, for C(source.files) of M(prs.recovery.sql_restore).
      type: list
      elements: str
    target:
      description: How far, for C(target) of M(prs.recovery.sql_restore).
      type: str
    archive:
      description: The archive, for C(source) of M(prs.recovery.app_restore).
      type: str
    notes:
      description: What the person who restores should know, such as newer sets that are not healthy.
      type: list
      elements: str
    manifest:
      description: The whole manifest of the set.
      type: dict
labels:
  description: Labels of all sets, newest first.
  returned: always
  type: list
  elements: str
sets:
  description: The sets that were read, newest first, each with C(label), C(site), C(taken_at), C(kind), C(healthy),
    C(problems), C(recovery_point), C(bytes) of the backups that bring its database back and of its archive, and
    C(replaced), true for a database that a restore replaced.
  returned: always
  type: list
  elements: dict
unusable:
  description: What lies in the folder and is no set, each with C(label) and C(problem).
  returned: always
  type: list
  elements: dict
living:
  description: The databases that go on, as far as restores were written down, each with C(fork), C(site), C(server),
    C(began_at) and C(label) of the set that it was restored from.
  returned: always
  type: list
  elements: dict
newer_files:
  description: Backups of the database that are newer than the chosen set and belong to none that was read; of failed
    runs, or of other programs.
  returned: always
  type: list
  elements: str
leases:
  description: Leases of M(prs.recovery.recovery_lease) that lie beside the backups of the database, whoever holds them.
    Empty with a chosen set means that nobody works there.
  returned: when a set was chosen
  type: list
  elements: str
"""

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.repository import (
    recovery_place_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.selection import SelectionRun


def main() -> None:
    module = windows_module(
        {
            **recovery_place_argument_spec(),
            "label": {"type": "str"},
            "until": {"type": "str"},
            "all": {"type": "bool", "default": False},
            "other_folders": {"type": "list", "elements": "str", "default": []},
            "optional": {"type": "bool", "default": False},
            "choose": {"type": "bool", "default": True},
        }
    )
    run(module, lambda files: SelectionRun(files, module.params).run())


if __name__ == "__main__":
    main()
