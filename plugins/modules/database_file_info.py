#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: database_file_info
short_description: Read data and log files of a database without a SQL Server
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Reads C(.mdf), C(.ndf) and C(.ldf) files that somebody saved from a broken server, and says which of them belong to
    one database, of which moment they are, whether the database was closed cleanly, what is missing or damaged, which
    SQL Server can attach them, and how.
  - Opens files for reading alone, asks no server, and changes nothing. Files of SQL Server 2005 to 2025 are understood.
  - What cannot be known is said. No check of pages is a C(DBCC CHECKDB); and a copy that was taken while the database
    was in use can be inconsistent though every page of it is right.
options:
  paths:
    description:
      - Files and folders. In a folder those that end in C(.mdf), C(.ndf) or C(.ldf) are read.
      - Files of one database that lie in several folders are put together.
    type: list
    elements: str
    required: true
  remote_src:
    description:
      - Whether the files lie on the Windows host that the task targets, or on a share that it reaches, and not on the
        control node. Some pages of each are read over WinRM then, and a path is a file's where it ends as one. Files
        that a running SQL Server holds are said to be so.
      - Of rows (O(tables), O(last_change)) as much is read as 64 MB of a file hold, the smallest tables first for
        O(last_change); which tables that leaves out is told.
    type: bool
    default: false
  recurse:
    description:
      - Whether folders below a folder are searched, too.
    type: bool
    default: false
  skip_missing:
    description:
      - Whether a file or folder that is not there is left out, and not an error.
    type: bool
    default: false
  check:
    description:
      - V(headers) reads some pages of each file.
      - V(pages) reads every file to its end, and judges each page of data and each block of the log by its checksum.
    type: str
    choices: [headers, pages]
    default: headers
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.table_rows
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
notes:
  - A connection is needed with O(remote_src) alone, which does not know O(check=pages). M(prs.recovery.sql_restore)
    attaches copies of such files, and checks every page of them with C(checkdb).
seealso:
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: What is on the disk that was saved
  prs.recovery.database_file_info:
    paths: /mnt/saved/Data
    recurse: true
    check: pages
  register: saved

- name: Say how each database could be attached
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.attach }} on {{ item.needs }} ({{ item.sureness }})"
  loop: "{{ saved.databases }}"

- name: When was it last used, and who were the last to reset a password?
  prs.recovery.database_file_info:
    paths: /mnt/saved/Data
    last_change: true
    tables:
      - name: dbo.ResetHistory
        columns: [UserId, ResetDate]
        newest: 20
        newest_by: ResetDate
  register: saved
  no_log: true      # names of people
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
databases:
  description: The databases that the files are of. Several copies of one are a row each, and are never mixed.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the database. Files that an application attached by itself have their path as its name.
      type: str
    files:
      description: The files that belong together.
      type: list
      elements: str
    attach:
      description: How they can be attached, in words.
      type: str
      sample: FOR ATTACH
    attach_code:
      description: >-
        The same as a word that stays: V(with_log), V(only_with_log), V(rebuild_log), V(not_as_it_is), V(incomplete),
        V(damaged), V(no_primary), V(not_sql_server) or V(unreadable).
      type: str
    sureness:
      description: V(sure), V(likely) or V(unsure).
      type: str
    problems:
      description: What speaks against them, a sentence each.
      type: list
      elements: str
    missing:
      description: Files that the database lists and that are not there, with the paths of its last server.
      type: list
      elements: dict
    log:
      description: The log file that was compared, empty where there is none.
      type: str
    log_fit:
      description: Of which moment the log is, beside the data file.
      type: str
    copies:
      description: How many copies of this database there are.
      type: int
    version:
      description: Version of the files.
      type: int
    needs:
      description: The oldest SQL Server that attaches them.
      type: str
      sample: SQL Server 2019 or later
    clean:
      description: Whether the database says that it was closed cleanly.
      type: bool
    checkpoint:
      description: LSN of the last checkpoint, which tells the moment of the files.
      type: str
    checkpoint_lsn:
      description: The same as a decimal number, as in backups.
      type: int
    recovery_model:
      description: V(FULL), V(BULK_LOGGED) or V(SIMPLE).
      type: str
    page_verify:
      description: How pages are protected.
      type: str
    compatibility_level:
      description: Compatibility level.
      type: int
    collation:
      description: Collation, where its name is known.
      type: str
    single_user:
      description: Whether the database will be in single-user mode after the attachment.
      type: bool
    read_only:
      description: Whether the database is read-only.
      type: bool
    family_guid:
      description: Identity of the database, which it shares with its backups.
      type: str
    recovery_fork_guid:
      description: Recovery fork that it is on.
      type: str
    last_log_backup:
      description: Time of the last log backup, in the time zone of its server.
      type: str
    full_backup_lsn:
      description: Checkpoint LSN of the last full backup.
      type: int
    last_good_checkdb:
      description: Time of the last C(DBCC CHECKDB) that found nothing, in the time zone of its server.
      type: str
    build:
      description: Build of the server that made or upgraded it last.
      type: str
    tables:
      description: Its user tables with the number of their rows.
      type: list
      elements: dict
    rows:
      description: One entry for each of O(tables).
      returned: when O(tables) or O(last_change) is given
      type: list
      elements: dict
      contains:
        table:
          description: Schema and name.
          type: str
        columns:
          description: The columns that are shown.
          type: list
          elements: str
        left_out:
          description: Columns that are not shown, because they are named like a secret.
          type: list
          elements: str
        total:
          description: How many rows were read; V(null) when the table could not be read.
          type: int
        rows:
          description: The newest last. Times by ISO 8601, bytes in hexadecimal, numbers with decimals as text.
          type: list
          elements: dict
        problems:
          description: What speaks against them, a sentence each.
          type: list
          elements: str
    last_change:
      description: When the database was last used, as far as its rows tell; V(null) when it was not asked.
      returned: when O(tables) or O(last_change) is given
      type: dict
      contains:
        moment:
          description: The newest moment, as the application wrote it, mostly in its local time.
          type: str
        table:
          description: Where it stands.
          type: str
        column:
          description: Where it stands.
          type: str
        witness:
          description: >-
            What speaks for it. V(stamped), the column's default is the present time; V(named), its name sounds so;
            V(any), nothing else, so that it may be a date of something planned.
          type: str
        users:
          description: Number of rows of the tables that are named like users.
          type: dict
        schema_versions:
          description: Rows of the tables that are named like the version of a schema.
          type: dict
        unread:
          description: Tables that could not be read, and why.
          type: dict
    rows_problem:
      description: Why no table could be read; empty otherwise.
      returned: when O(tables) or O(last_change) is given
      type: str
    listed_files:
      description: All files of the database, with the paths of its last server.
      type: list
      elements: dict
files:
  description: Every file by itself.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Where it lies.
      type: str
    kind:
      description: V(data), V(log) or V(unknown).
      type: str
    size:
      description: Bytes.
      type: int
    modified:
      description: When it was written last, in UTC. A copy may have another time than what it was made of.
      type: str
    file_id:
      description: Number of the file in its database.
      type: int
    logical_name:
      description: Logical name.
      type: str
    binding_id:
      description: The same in all files of one database.
      type: str
    problems:
      description: What is wrong with it, a sentence each.
      type: list
      elements: str
    faults:
      description: The same as words that stay.
      type: list
      elements: str
    pages:
      description: Pages that were judged.
      returned: for data files with O(check=pages)
      type: dict
    blocks:
      description: Blocks of the log that were judged.
      returned: for log files with O(check=pages)
      type: dict
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._backup_files.data_files import (
    control_node_files_report,
    refuse_wishes,
)
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.tables import table_rows_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._outcome import failures_reported
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_host_and_share_argument_spec,
)

if TYPE_CHECKING:
    from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles


def from_windows(module: AnsibleModule) -> None:
    from ansible_collections.prs.recovery.plugins.module_utils._backup_files.data_files import windows_files_report
    from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run

    def act(files: WindowsFiles) -> dict[str, Any]:
        return windows_files_report(files, module.params)

    run(module, act)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **winrm_host_and_share_argument_spec(),
            "paths": {"type": "list", "elements": "str", "required": True},
            "skip_missing": {"type": "bool", "default": False},
            "recurse": {"type": "bool", "default": False},
            "remote_src": {"type": "bool", "default": False},
            "check": {"type": "str", "choices": ["headers", "pages"], "default": "headers"},
            **table_rows_argument_spec(),
        },
        supports_check_mode=True,
    )
    with failures_reported(module):
        refuse_wishes(module.params)
    if module.params["remote_src"]:
        from_windows(module)
    with failures_reported(module):
        result = control_node_files_report(module.params, progress=Progress())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
