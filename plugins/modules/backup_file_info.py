#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: backup_file_info
short_description: Read SQL Server backup files without a SQL Server
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Reads what backup files (C(.bak), C(.trn), C(.dif)) say about themselves, on a machine that has no SQL Server. It
    says for each database in them to which newest point it can be brought back, what is missing, cut off or damaged,
    what a restore would need, and, with O(target), which statements it would consist of.
  - Files of SQL Server 2005 to 2025 are understood, compressed (C(MS_XPRESS)) or not, striped, with several backup sets
    in one file. Encrypted backups, and those compressed in another way, are told as such.
  - Both ends of each backup set are read, 48 KB of most files. O(check=pages) reads them whole.
options:
  folders:
    description:
      - Folders, looked into with everything below them.
    type: list
    elements: str
    default: []
  files:
    description:
      - Backup files.
    type: list
    elements: str
    default: []
  remote_src:
    description:
      - Whether the files lie on the Windows host that the task targets, or on a share that it reaches, and not on the
        control node. They are read over WinRM then, a few KB of each.
    type: bool
    default: false
  check:
    description:
      - V(headers) finds what is missing, cut off, or damaged in the headers.
      - V(pages) reads every file to its end as well. Of compressed backups every frame is proven by its checksum, and
        how much all of them hold by the last block of the set, so that no bit of what was written can change unnoticed;
        of others every page that carries a checksum or torn bits, not the log, nor pages that hold nothing but zeros.
        RV(checked) and RV(files[].judged) say what share that was.
      - With O(remote_src) the Windows host reads the files and judges them, so a share should be near it. Nothing of
        them but their headers comes over WinRM.
      - Neither replaces C(RESTORE VERIFYONLY), which M(prs.recovery.sql_backup_info) does where there is a server.
    type: str
    choices: [headers, pages]
    default: headers
  database:
    description:
      - Only the database that has this name in some of its backups.
    type: str
  family_guid:
    description:
      - Only the database of this identity, whatever it is called.
    type: str
  recovery_fork:
    description:
      - For O(target), the recovery fork that the database shall be on.
    type: str
  target:
    description:
      - Also plan a restore to this point, as O(prs.recovery.sql_restore#module:target) takes it. V(latest), a time with
        its zone such as V(2026-03-01T14:30:00+01:00), V(lsn:NUMBER) or V(before-lsn:NUMBER).
    type: str
  restore_as:
    description:
      - Name that the restored database shall have in RV(plan). By default its own.
    type: str
  relocate:
    description:
      - Folders for the restored database's files in RV(plan). By default each file goes where it was.
    type: dict
    suboptions:
      data_dir:
        description: Folder for data files.
        type: str
      log_dir:
        description: Folder for the log.
        type: str
  time_zone:
    description:
      - Time zone of the server that made the backups, V(Europe/Berlin), where files do not tell, or tell it wrongly.
    type: str
  recovery_point_objective:
    description:
      - Seconds that may be lost at most, for RV(databases[].within_objective).
    type: int
  prometheus:
    description:
      - Whether RV(prometheus) is returned.
    type: bool
    default: false
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.table_rows
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
notes:
  - A connection is needed with O(remote_src) alone.
  - What a file cannot tell is left out and named in RV(sets[].not_known), never guessed. This is so for encryption and
    its certificates, among others.
  - A set that is damaged, has no end or asks for a password is shown with its problem and used by no plan.
seealso:
  - module: prs.recovery.sql_backup_info
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: What could be brought back from these files, when no server is left to ask
  prs.recovery.backup_file_info:
    folders: [/srv/backup/sql]
    database: PasswordResetServer
    target: latest
  register: backups

- name: Show the statements that would do it
  ansible.builtin.debug:
    msg: "{{ backups.plan.steps | map(attribute='statement') }}"
  when: backups.plan is not none

- name: The same of a share, as an account of the file server sees it
  prs.recovery.backup_file_info:
    folders: ['\\files.example.com\backup\sql']
    remote_src: true
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    target: latest

- name: Are last night's backups whole, from their first to their last byte?
  prs.recovery.backup_file_info:
    folders: [/srv/backup/sql]
    check: pages
  register: night
  failed_when: night.files | rejectattr('state', 'equalto', 'whole') | list | length > 0
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
databases:
  description:
    - One entry for each database in the files, as RV(prs.recovery.sql_backup_info#module:databases) describes it,
      except for what is listed here.
  returned: always
  type: list
  elements: dict
  contains:
    database:
      description: Its name in the newest backup.
      type: str
    server:
      description: The instance that made the newest backup.
      type: str
    family_guid:
      description: Its identity.
      type: str
    recovery_point:
      description: The newest moment (UTC) that can be reached; V(null) when the database cannot be brought back at all.
      type: str
    within_objective:
      description: Whether no more than O(recovery_point_objective) would be lost; V(null) without an objective.
      type: bool
    chain:
      description: GUIDs of the sets that RV(databases[].recovery_point) needs, in the order of their restore.
      type: list
      elements: str
    reachable:
      description: Stretches of time to every moment of which the database can be brought.
      type: list
      elements: dict
    gaps:
      description: Stretches of the log that no backup holds.
      type: list
      elements: dict
    forks:
      description: Recovery paths.
      type: list
      elements: dict
    unusable:
      description: Sets that are there and cannot be used, each with the C(reason).
      type: list
      elements: dict
    certificates:
      description: Always V(null), because files do not tell which certificates a restore needs.
      type: raw
    unencrypted:
      description: Always V(null), because files do not tell whether they are encrypted.
      type: raw
    needs:
      description: What a restore to RV(databases[].recovery_point) needs; V(null) when there is none.
      type: dict
      contains:
        build:
          description: Version of SQL Server that made the newest of the backups. No older one restores them.
          type: str
        bytes:
          description: Room that the files of the database take.
          type: int
        read:
          description: Bytes of backups to read.
          type: int
    rows:
      description: As RV(prs.recovery.database_file_info#module:databases) describes it, of the newest full backup.
      returned: when O(tables) or O(last_change) is given
      type: list
      elements: dict
    last_change:
      description: As RV(prs.recovery.database_file_info#module:databases) describes it.
      returned: when O(tables) or O(last_change) is given
      type: dict
    rows_problem:
      description: Why no table could be read; empty otherwise.
      returned: when O(tables) or O(last_change) is given
      type: str
    rows_of:
      description: The files of the backup whose rows were read.
      returned: when O(tables) or O(last_change) is given, and some could be read
      type: list
      elements: str
    not_known:
      description: What the files do not tell, by the names of the columns of C(RESTORE HEADERONLY) and C(FILELISTONLY).
      type: list
      elements: str
sets:
  description: All backup sets, oldest first, as RV(prs.recovery.sql_backup_info#module:sets) describes them.
  returned: always
  type: list
  elements: dict
  contains:
    problem:
      description: Why it cannot be used; empty otherwise.
      type: str
    not_known:
      description: What its file does not tell.
      type: list
      elements: str
media:
  description: The media sets, each with the number of its C(stripes), its C(files), and the stripes that are
    C(missing).
  returned: always
  type: list
  elements: dict
files:
  description: All files that were looked at.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Where it is.
      type: str
    size:
      description: Its bytes.
      type: int
    state:
      description:
        - V(whole) when nothing is wrong with it, as far as O(check) looked.
        - V(damaged) when a checksum fails, its start and its end disagree, it tells what cannot be, or up to 1 MB that
          is no backup set follows its end.
        - V(cut_off) when it has no end, or ends within its last set; V(being_written) when that is so and it changed
          within the last minute.
        - V(not_a_backup) when it is something else, or a backup of a kind that only SQL Server reads.
        - V(unreadable) when the machine does not let it be read.
      type: str
    foreign:
      description: Whether it surely is something else, such as text, an archive or nothing. SQL Server reads it no more
        than this module; of other files that are V(not_a_backup) it may.
      type: bool
    problems:
      description: What is wrong with it.
      type: list
      elements: str
    sets:
      description: Number of backup sets in it.
      type: int
    compressed:
      description: Whether it is compressed; V(null) when it is no backup.
      type: bool
    media_set_id:
      description: The media set that it belongs to, as its C(stripe) of so many C(stripes).
      type: str
    judged:
      description: Share of it, 0 to 1, that checksums prove to be what was written; V(null) with O(check=headers).
      type: float
unreadable:
  description: Files, and places in files, that gave no backup, each with C(path), C(position) and C(reason).
  returned: always
  type: list
  elements: dict
checked:
  description: Of all files together the C(files), C(bytes), C(judged_bytes), C(share) and C(damaged_files); V(null)
    with O(check=headers).
  returned: always
  type: dict
plan:
  description:
    - What M(prs.recovery.sql_restore) would do with these files, each of its C(steps) with the C(statement). The paths
      of the backups are those that this module read; a server may see them under others.
    - V(null) when there is no way to O(target).
  returned: when O(target) is given
  type: dict
refusal:
  description: Why there is no RV(plan), with a C(code), a C(message), C(advice) and what is C(reachable) instead.
  returned: when O(target) is given
  type: dict
prometheus:
  description: Metrics as RV(prs.recovery.sql_backup_info#module:prometheus) describes them. Their C(server) is the
    machine that read the files.
  returned: when O(prometheus) is set
  type: str
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._backup_files.run import control_node_report, parse_wishes
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.tables import table_rows_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._outcome import failures_reported, show_warnings
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_host_and_share_argument_spec,
)

if TYPE_CHECKING:
    from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles


def from_windows(module: AnsibleModule) -> None:
    from ansible_collections.prs.recovery.plugins.module_utils._backup_files.run import windows_report
    from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run

    def act(files: WindowsFiles) -> dict[str, Any]:
        return windows_report(files, module.params, progress=files.progress, warnings=files.warnings)

    run(module, act)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **winrm_host_and_share_argument_spec(),
            **table_rows_argument_spec(),
            "folders": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "str", "default": []},
            "remote_src": {"type": "bool", "default": False},
            "check": {"type": "str", "choices": ["headers", "pages"], "default": "headers"},
            "database": {"type": "str"},
            "family_guid": {"type": "str"},
            "recovery_fork": {"type": "str"},
            "target": {"type": "str"},
            "restore_as": {"type": "str"},
            "relocate": {"type": "dict", "options": {"data_dir": {"type": "str"}, "log_dir": {"type": "str"}}},
            "time_zone": {"type": "str"},
            "recovery_point_objective": {"type": "int"},
            "prometheus": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    if module.params["remote_src"]:
        with failures_reported(module):
            parse_wishes(module.params)  # before anybody connects
        from_windows(module)
    warnings: list[str] = []
    with failures_reported(module, warnings=warnings):
        result = control_node_report(module.params, progress=Progress(), warnings=warnings)
    show_warnings(module, warnings)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
