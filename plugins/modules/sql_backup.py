#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_backup
short_description: Back up a database, and prove that the backup can be read
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Takes a full, differential or log backup of a database into files that the SQL Server service account writes,
    locally or on a share.
  - Reads every message of the server to the end, looks afterwards into C(msdb) whether the backup happened, and lets
    the server read the backup back (C(RESTORE VERIFYONLY)). A task that succeeds stands for a backup that can be
    restored.
  - Runs of this collection against one database exclude each other; the later one fails and says who is at work. So
    does one while somebody else holds the lease of the database in O(path), see M(prs.recovery.recovery_lease).
  - The files are SQL Server's own work. What it cannot do with files (a manifest beside them, copies on any edition,
    shares that its account has no rights on) Windows does, over WinRM, where the task's host is reached that way.
options:
  database:
    description:
      - Name of the database.
    type: str
    required: true
  kind:
    description:
      - V(full) is what every restore begins with. V(differential) holds what changed since the last full backup.
        V(log) holds the log since the last log backup, and lets the server reuse its space.
    type: str
    choices: [full, differential, log]
    default: full
    aliases: [type]
  copy_only:
    description:
      - Takes a backup that the other ones do not notice. A full one is no base for differentials, a log one leaves the
        log in place.
      - SQL Server ignores it for differential backups, so the combination is refused.
      - Password Reset Server's own backup page asks whether the log is to be truncated. What it calls truncating is
        O(kind=log) without this option here, what it calls keeping the log is this option.
    type: bool
    default: false
  missing_base:
    description:
      - What to do when there is no full backup that the differential or log backup could continue, after a restore for
        example or when the recovery model was switched. It is asked before anything is written, in check mode too.
      - V(fail) refuses. V(full) takes a full backup instead, warns of it, and says so in RV(backup.substitute_for).
      - V(full) and O(copy_only=true) exclude each other, because a copy-only backup is no base.
    type: str
    choices: [fail, full]
    default: fail
  min_full_interval_hours:
    description:
      - Hours in which O(missing_base=full) takes at most one full backup instead of something else, so that a chain
        which keeps breaking fills no disk unnoticed. The next one in that time fails. It is judged by the history in
        C(msdb). V(0) sets no limit.
    type: int
    default: 24
  path:
    description:
      - Folder for the backup as the SQL Server service account sees it, V(D:\\Backup) or V(\\\\server\\share\\folder).
        Made when missing.
      - By default the instance's own backup folder.
    type: str
  stage_path:
    description:
      - Folder on a disk of the server, for the case that the SQL Server service account has no rights in O(path). The
        server writes there and reads the backup back there; then Windows copies the files to O(path), by the account
        O(share_user) where that is on a share, compares them by SHA-256 where they lie, writes the manifest, and
        removes the local files.
      - When that cannot be done, the backup stays here, the task fails, and the next one brings there all that is left.
        So does a run after one that was interrupted. What it brought is in RV(delivered).
      - Needs WinRM. C(msdb) knows the files at this place only, where they are no more.
    type: str
  copy_to:
    description:
      - A second folder that gets a copy of each file, V(\\\\other\\share\\folder) for example. Made when missing.
      - Enterprise and Developer write it at the same time (C(MIRROR TO)), into new files only. When one of the two
        folders cannot be written, the whole backup fails.
      - On other editions, with O(stage_path), and where SQL Server has no rights there, Windows copies the files once
        they were read back, compares them by SHA-256, and leaves a manifest beside them. This needs WinRM, and an
        account that may write there. What cannot be copied now is copied by the next run.
    type: str
  copy_share_user:
    description:
      - Account for the share of O(copy_to), where that is another one than O(share_user).
    type: str
  copy_share_password:
    description:
      - Password of O(copy_share_user).
    type: str
  file_name:
    description:
      - Template of the file's name. It may hold V({database}), V({server}), V({kind}), V({time}), V({date}),
        V({extension}), V({stripe}) and V({stripes}). Times are UTC, V({time}) to the millisecond.
      - The default is a new name each time. A template without V({time}) may give a name that is there already, see
        O(overwrite).
      - Several stripes whose template has no V({stripe}) get C(_1of3) and so on before the extension.
    type: str
    default: "{database}_{kind}_{time}.{extension}"
  stripes:
    description:
      - Number of files to spread the backup over, up to 64. All of them are needed to restore it.
    type: int
    default: 1
  overwrite:
    description:
      - Whether files of the same name are overwritten. Otherwise the backup is appended to them.
    type: bool
    default: false
  compression:
    description:
      - V(auto) compresses where the edition of the server can (Express and Web cannot).
    type: str
    choices: [auto, always, never]
    default: auto
  checksum:
    description:
      - Verifies the pages while reading them, and writes a checksum of the backup itself.
    type: bool
    default: true
  verify:
    description:
      - Reads the backup back after it was written. A failure fails the task.
    type: bool
    default: true
  retention:
    description:
      - It is about this database's backups in O(path) and below it, once the new one is complete. What no rule keeps is
        removed, unless something that is kept needs it to be restored.
      - Files are told by their headers, not by their names. Those of other databases, those that cannot be read, and
        those that also hold something else stay.
      - Before anything is removed, the server reads back every backup of the newest chain that was not verified just
        now. A chain that fails counts for nothing. In check mode the files that would go are listed, without the new
        backup and without reading anything back.
      - Files are removed by C(xp_delete_file), as SQL Server's own Maintenance Cleanup Task does; it needs the server
        role C(sysadmin). Manifests beside them, and files that SQL Server has no right to remove, Windows removes,
        where it is reached over WinRM.
      - Where Windows brought the backups to the folder (O(stage_path), or copies), it goes by their manifests, and
        reads back by SHA-256. Files without a manifest stay there.
      - Every header in the folder is read each time, so it belongs to the daily full backup rather than to each log
        backup.
  copy_retention:
    description:
      - The same for the second copies in O(copy_to).
  description:
    description:
      - A text that stays with the backup.
    type: str
  manifest:
    description:
      - File on the control node that gets RV(backup) as JSON. It is written last, so its presence means that the backup
        is complete. That it can be written is looked at before the backup.
    type: path
  manifest_beside:
    description:
      - Whether Windows writes RV(backup) as JSON beside the files, with the SHA-256 of each, as C(<first
        file>.manifest.json). It is written last, so its presence means that the backup is complete; retention removes
        it before its files.
      - V(auto) does so where the task's host is reached over WinRM, and O(path) is on a disk of the server or
        O(share_user) is given. When it cannot be written, that is a warning. V(true) makes it an error.
      - Files that Windows copied always have one.
    type: str
    choices: [auto, 'true', 'false']
    default: auto
  lease_owner:
    description:
      - Name under which this run may hold the lease of the database in O(path), see M(prs.recovery.recovery_lease).
      - By default the user, the control node and the process of the playbook, as in that module.
    type: str
extends_documentation_fragment:
  - prs.recovery.retention
  - prs.recovery.retention.copy
  - prs.recovery.backup_encryption
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner.failover
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Shows the statement and the files. Folder, state of the database, its base, the certificate and the edition are
        checked.
  diff_mode:
    support: none
notes:
  - The files are written by the SQL Server service account. On a share, virtual accounts and C(NETWORK SERVICE) are
    C(DOMAIN\\SERVER$).
  - Over WinRM files are hashed and copied by the server itself; only names and hashes come to the control node.
seealso:
  - module: prs.recovery.sql_backup_info
  - module: prs.recovery.sql_restore
  - module: prs.recovery.recovery_lease
"""

EXAMPLES = r"""
- name: Full backup to a share
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    path: '\\files\backup\sql'

- name: Log backup every 15 minutes
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    kind: log
    path: '\\files\backup\sql'

- name: Log backups that begin by themselves where a full backup is missing
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    kind: log
    missing_base: full

- name: A copy for a drill that leaves the chain of backups alone
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    copy_only: true
    stripes: 4
    manifest: /var/lib/prs/drill.json

- name: A full backup each night; two weeks to any moment, then one per month for a year
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    path: '\\files\backup\sql'
    retention:
      age: 14
      months: 12

- name: A share that the service account of SQL Server has no rights on, and a copy at the other site
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    stage_path: D:\Stage
    path: '\\files\backup\sql'
    copy_to: '\\files-b\backup\sql'
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    retention:
      age: 14
    copy_retention:
      months: 12

- name: An encrypted backup
  prs.recovery.sql_backup:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    path: '\\files\backup\sql'
    encryption:
      certificate: PRS backup
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
answered_by:
  description: The server that the task worked on, with its C(login_host), and the C(role) and C(session) (state) of
    mirroring there, empty without a session.
  returned: when O(failover_partner) is given and a server was found
  type: dict
backup:
  description: The backup. In check mode the files that would be written.
  returned: always
  type: dict
  contains:
    format:
      description: Name and version of this shape.
      type: str
      sample: prs.recovery sql backup 1
    database:
      description: Name of the database.
      type: str
    server:
      description: Name of the instance.
      type: str
    kind:
      description: V(full), V(differential) or V(log).
      type: str
    substitute_for:
      description: The O(kind) that was asked for, where a full backup was taken instead.
      returned: when O(missing_base=full) took a full backup
      type: str
    copy_only:
      description: Whether it was a copy-only backup.
      type: bool
    files:
      description: All files where they are in the end, in the order of their stripes.
      type: list
      elements: str
    sets:
      description: The backup sets written, each with GUID, LSNs, recovery forks, times (UTC), sizes and versions.
      returned: not in check mode
      type: list
      elements: dict
    first_lsn:
      description: First LSN in the backup.
      returned: not in check mode
      type: int
    last_lsn:
      description: The LSN after the last one in the backup.
      returned: not in check mode
      type: int
    copy_files:
      description: The files of the second copy, in the order of their stripes.
      returned: when O(copy_to) was given
      type: list
      elements: str
    copied_by:
      description: V(server) (C(MIRROR TO)) or V(windows).
      returned: when O(copy_to) was given
      type: str
    manifest_beside:
      description: Path of the manifest beside the files.
      returned: when there is one
      type: str
    sha256:
      description: SHA-256 of each file, by its path.
      returned: when there is a manifest beside the files
      type: dict
    file_sizes:
      description: Size of each file in bytes, by its path.
      returned: when there is a manifest beside the files
      type: dict
    family_guid:
      description: Identity of the database.
      type: str
    parent_fork:
      description: Recovery fork that the database left at C(fork_point_lsn), where it was restored; else empty.
      type: str
    size:
      description: Size on disk in bytes, compressed where it was.
      returned: not in check mode
      type: int
    finished_at:
      description: When the backup was complete, UTC.
      returned: not in check mode
      type: str
    verified:
      description: Whether it was read back.
      type: bool
    encryption:
      description:
        - Certificate, algorithm, thumbprint, and as C(key_backed_up_at) when the private key was last backed up (the
          server's local time, or null).
      returned: when O(encryption) was given
      type: dict
delivered:
  description: Backups of interrupted runs that were brought where they belong, each as RV(backup). In check mode those
    that would be.
  returned: when there were some
  type: list
  elements: dict
retention:
  description: What became of old backups, one entry per folder.
  returned: when O(retention) or O(copy_retention) was given
  type: list
  elements: dict
  contains:
    folder:
      description: The folder.
      type: str
    remove:
      description: The files that were removed, manifests included; in check mode those that would be.
      type: list
      elements: str
    decisions:
      description: Every backup of the database, oldest first, with C(keep), the C(rule) and the C(reason).
      type: list
      elements: dict
manifest:
  description: Path of the manifest on the control node.
  returned: when O(manifest) was given
  type: str
statements:
  description: The changes as T-SQL. In check mode those that would be made.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.file_names import DEFAULT_TEMPLATE
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import retention_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.run import BackupRun
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.backup_encryption import (
    backup_encryption_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_host_and_share_argument_spec,
)


def back_up(session: Session) -> dict[str, Any]:
    return BackupRun(session).run()


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(failover_partner=True),
            **winrm_host_and_share_argument_spec(),
            "lease_owner": {"type": "str"},
            "database": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": [*map(str, BackupKind.taken())], "default": "full", "aliases": ["type"]},
            "copy_only": {"type": "bool", "default": False},
            "missing_base": {"type": "str", "choices": ["fail", "full"], "default": "fail"},
            "min_full_interval_hours": {"type": "int", "default": 24},
            "path": {"type": "str"},
            "stage_path": {"type": "str"},
            "copy_to": {"type": "str"},
            "copy_share_user": {"type": "str"},
            "copy_share_password": {"type": "str", "no_log": True},
            "file_name": {"type": "str", "default": DEFAULT_TEMPLATE},
            "stripes": {"type": "int", "default": 1},
            "overwrite": {"type": "bool", "default": False},
            "compression": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
            **backup_encryption_argument_spec(),
            "checksum": {"type": "bool", "default": True},
            "verify": {"type": "bool", "default": True},
            **retention_argument_spec(),
            **retention_argument_spec("copy_retention"),
            "description": {"type": "str"},
            "manifest": {"type": "path"},
            "manifest_beside": {"type": "str", "choices": ["auto", "true", "false"], "default": "auto"},
        },
        supports_check_mode=True,
    )
    run(module, back_up)


if __name__ == "__main__":
    main()
