#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_restore
short_description: Bring a database back from its backups, ready to work with
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Reads the headers of all backups it is pointed at, decides which of them lead to the wanted point, and restores
    them. Names of files do not matter. Backups of other programs and people are as good as those of
    M(prs.recovery.sql_backup).
  - Everything is decided before anything is touched. In check mode the whole plan is shown and only queries are sent.
  - A database that is there is known by its identity (family), not by its name. A healthy one is never overwritten
    unless O(replace=always).
  - Before a living database is overwritten, the server reads the backups that are needed to their end (C(RESTORE
    VERIFYONLY)), and the tail of its log is saved; from a damaged one that is attempted.
  - Afterwards the database is open to everybody, has its owner, verifies its pages, and its users belong to the logins
    of the same name.
  - A restore that was interrupted continues, or starts over where that is better. RV(plan) says which.
options:
  database:
    description:
      - Name of the database on this server.
    type: str
    required: true
  source:
    description:
      - Where the backups are, as the SQL Server service account sees it.
    type: dict
    required: true
    suboptions:
      folders:
        description: Folders, looked into with everything below them. Of a backup that lies in several of them, the one
          in the first is read.
        type: list
        elements: str
        default: []
      skip_unreadable_folders:
        description: Whether a folder that cannot be read is left out with a warning, as long as another one can be. For
          copies at several sites.
        type: bool
        default: false
      finished_before:
        description:
          - A moment with its zone, V(2026-03-01T14:30:00+01:00). Backups that were finished later are kept back, so
            that a database which follows another one (O(recovery=norecovery)) stays that far behind.
          - Where no full backup is old enough yet, the oldest one is taken all the same. Backups of servers before SQL
            Server 2022 do not tell their zone, see O(source.time_zone).
        type: str
      files:
        description: Files. All stripes of a backup are needed.
        type: list
        elements: str
        default: []
      history:
        description:
          - Also the backups that this server's own history in C(msdb) knows, wherever they were written. Those that a
            plan would use are looked at first; what is no longer there, or is another backup by now, is left out.
        type: bool
        default: false
      attach:
        description:
          - Surviving files of the database, instead of backups. They become a database under O(database), where they
            lie. Nothing is overwritten, so there must be none of that name. Committed rows that the files hold are
            kept, but recovery and the upgrade by a newer server change the files for good. Where they are the only
            ones, O(source.attach.copy) leaves them as they are.
          - Without O(source.attach.log_files) the log is looked for where it was. A log that is gone is rebuilt, which
            SQL Server does only after the database was shut down cleanly.
          - The files do not tell the family of the database. With O(source.family_guid) another one is detached again.
        type: dict
        suboptions:
          data_files:
            description: All data files, the primary one first.
            type: list
            elements: str
            required: true
          log_files:
            description: The log.
            type: list
            elements: str
            default: []
          copy:
            description:
              - Whether the files are copied first, to the folders of O(relocate) or else the instance's own, compared
                there by their hashes, and the copies are attached. The originals are only read.
              - Windows does that, so it needs WinRM, and the account O(share_user) where the files are on a share. A
                log that is not named is not looked for.
              - Nothing in those folders is overwritten; where a name is taken, the copy gets another one. Copies that
                SQL Server does not attach are removed again.
            type: bool
            default: false
      otherwise:
        description: What whoever chose these backups advises where they do not lead to the target, such as another
          recovery set. It is added to the message.
        type: str
      database:
        description: Name of the database in the backups, by default that of O(database).
        type: str
      family_guid:
        description: Identity of the database in the backups, where several had the same name.
        type: str
      recovery_fork:
        description: Recovery path to follow, where the database was restored to an earlier point in between.
        type: str
      time_zone:
        description:
          - Time zone of the server that made the backups, V(Europe/Berlin). Before SQL Server 2022 backups do not tell,
            and a target given as a time needs it.
        type: str
  cache_headers:
    description:
      - Whether the headers of files in the folders of O(source) are kept on the control node (in
        C(~/.cache/prs.recovery) or C($XDG_CACHE_HOME/prs.recovery), for the user who runs ansible alone), so that the
        next run reads only what is new. This is done in check mode, too.
      - A file counts as the same while its size and its times are. What a plan uses is read again all the same before
        anything is touched.
      - Needs SQL Server 2017 and C(VIEW SERVER STATE); without them all headers are read each time.
      - A database that waits for logs is brought up to date by what was written beside the last log that it has, told
        by the names that M(prs.recovery.sql_backup) gives, where that is nothing but logs that go straight on. So one
        more log costs the same however many lie in the folders.
    type: bool
    default: true
  read_headers:
    description:
      - Who reads the headers of the files in O(source).
      - With V(server), SQL Server is asked about each file, and O(cache_headers) spares what an earlier run read.
      - With V(files), its host reads them out of the files, many in one call, which is much faster in large folders. It
        needs O(winrm_host) and an account that may read the files, O(share_user) where they are on a share. What a plan
        uses SQL Server reads all the same before anything is touched, and so it does what cannot be read that way, such
        as encrypted backups.
    type: str
    choices: [server, files]
    default: server
  target:
    description:
      - The point to go back to.
      - V(latest) is the newest one that the backups reach.
      - A time is ISO 8601 with its zone, V(2026-03-01T14:30:00+01:00).
      - V(lsn:NUMBER) and V(before-lsn:NUMBER) stop after or before that log record, V(mark:NAME) and
        V(before-mark:NAME) after or before a marked transaction.
    type: str
    default: latest
  mark_after:
    description:
      - Time with its zone after which the mark in O(target) counts.
    type: str
  relocate:
    description:
      - Folders for the database's files, by default those of the instance. They must be there. A file in the way that
        belongs to no database is never overwritten.
    type: dict
    default: {}
    suboptions:
      data_dir:
        description: Folder for data files.
        type: str
      log_dir:
        description: Folder for the log.
        type: str
  open_offline:
    description:
      - Whether to open a database first that somebody set offline. What is in it stays, and a healthy one is left as it
        is; where SQL Server cannot open it, nothing is restored over it. Otherwise it is refused, since that it is
        offline says nothing about its health. Means nothing with O(replace=always).
    type: bool
    default: false
  replace:
    description:
      - What may be overwritten.
      - V(never) restores only a database that is not there, or continues an interrupted restore.
      - V(damaged) also overwrites what is left of the same database when nobody can work with it. A healthy one of the
        same family stays as it is, and one of another family is an error.
      - The server is asked first to open a database that is C(RECOVERY_PENDING) or C(SUSPECT), unless it is V(never).
        When what it missed at its start, such as a drive, is back, nothing is lost and nothing needs to be restored.
      - V(always) overwrites whatever is there. A mirrored database leaves its session first, on the principal; the copy
        of its mirror stays RESTORING until it is mirrored again. The mirror's side of a session is never overwritten,
        because its principal serves.
    type: str
    choices: [never, damaged, always]
    default: damaged
  tail_log:
    description:
      - V(attempt) saves the tail of the log before a database is overwritten, and restores it too when it belongs to
        the same database. From a living database that must succeed; from a damaged one a failure is reported.
      - V(skip) gives it up, and with it everything since the last log backup.
    type: str
    choices: [attempt, skip]
    default: attempt
  tail_log_path:
    description:
      - Folder for the tail, by default the first folder of O(source), else the instance's backup folder.
    type: str
  recovery:
    description:
      - V(recovered) opens the database. V(norecovery) leaves it RESTORING, so that more backups can follow.
      - V(standby) leaves it readable, and more logs can follow, too. A later run with V(standby) restores the logs that
        came since, and ends the sessions that read. Backups of an older version of SQL Server cannot end so.
      - With the latter two a database that is there and open is refused unless O(replace=always), and one that waits
        for more logs is given up for a full backup only after the server read the backups to their end, and never while
        it holds what none of them brings back.
    type: str
    choices: [recovered, norecovery, standby]
    default: recovered
  standby_file:
    description:
      - Undo file of a database that ends in standby, as the SQL Server service account sees it. It keeps what the next
        log needs undone.
      - By default C(database.standby) in the folder for data files.
    type: str
  lock_timeout:
    description:
      - Seconds to wait for another run of this collection that works on the database, a restore above all whose control
        node went away. Afterwards there may be nothing left to do.
    type: int
    default: 3600
  owner:
    description:
      - Login that owns the database afterwards, by default the built-in one (C(sa), whatever it is called here).
    type: str
  compatibility_level:
    description:
      - Compatibility level afterwards, by default that of the backup.
    type: int
  repair_users:
    description:
      - Whether users without a login are given to the login of the same name.
    type: bool
    default: true
  expected_users:
    description:
      - Users that may have no login after the restore, because something else makes it, so that no warning is given of
        them.
    type: list
    elements: str
    default: []
  checkdb:
    description:
      - Checks the database with C(DBCC CHECKDB), V(physical) for damaged pages only. Every run that asks for it checks,
        also a database that stays as it is. RV(checked) tells.
      - Nobody else gets into a restored database until this and O(validation_query) were passed. It opens in
        C(RESTRICTED_USER), and the run takes its only place (C(SINGLE_USER)) at once. Where a check fails it is left in
        C(RESTRICTED_USER), which keeps out everybody but members of C(db_owner), C(dbcreator) and C(sysadmin). An
        application whose user is C(db_owner) gets in then, so stop it, or disable its login. A run that finds a
        database left so goes on from there, and one that asks for no check makes the V(full) one. A database in
        standby cannot be closed like that.
      - Copies of files (O(source.attach.copy)) that do not pass are dropped again.
    type: str
    choices: [none, physical, full]
    default: none
  validation_query:
    description:
      - A query that is run in the restored database, each time. The task fails when the first column of its first row
        is empty, zero or false.
    type: str
  stage_path:
    description:
      - Folder on a disk of the server, for the case that the SQL Server service account may not read O(source). Windows
        copies the files there first, by the account O(share_user) where they are on a share, and SQL Server reads them
        there. Needs WinRM.
      - Which files are needed, their headers tell, which SQL Server cannot read yet. So all of O(source.folders) is
        copied, unless a manifest of M(prs.recovery.sql_backup) lies beside each backup there. Then those that lead to
        the target are copied, and the rest only should they not suffice.
      - Name files in O(source.files) where that is too much. Check mode copies nothing, and shows the plan only of what
        an interrupted run brought.
      - What was brought is removed once the database is open, and stays for the next run where something fails or more
        logs can follow.
      - A healthy database that stays is not compared with backups that would have to be copied first.
    type: str
  lease_owner:
    description:
      - Name under which this run may hold the lease of the database in O(source), see M(prs.recovery.recovery_lease).
      - By default the user, the control node and the process of the playbook, as in that module.
    type: str
extends_documentation_fragment:
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
      - Shows the whole plan. Only queries are sent.
  diff_mode:
    support: none
notes:
  - RESTORE finds a moment by the local times that the server wrote. A target whose local time may mean another moment,
    since the clock was changed or the database was moved to another time zone, is refused, and the LSNs around it are
    named. Where no backup tells of a clock, before the first backup of the server that the database was moved to and
    after the last one of the old one, the plan goes ahead with a note that names them.
  - Restoring needs the server role C(dbcreator). Owner, users and C(DBCC CHECKDB) need C(sysadmin).
seealso:
  - module: prs.recovery.sql_backup
  - module: prs.recovery.sql_backup_info
  - module: prs.recovery.sql_login
"""

EXAMPLES = r"""
- name: Bring the newest state back, on whatever server is left
  prs.recovery.sql_restore:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    source:
      folders: ['\\files\backup\sql']
    checkdb: physical

- name: The data files outlived the server, so nothing is lost
  prs.recovery.sql_restore:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    source:
      attach:
        data_files: ['D:\Data\PasswordResetServer.mdf']
        log_files: ['E:\Log\PasswordResetServer_log.ldf']
        copy: true
    checkdb: physical

- name: The state before this afternoon's mistake, beside the living database
  prs.recovery.sql_restore:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer_before
    source:
      folders: ['\\files\backup\sql']
      database: PasswordResetServer
      time_zone: Europe/Berlin
    target: "2026-03-01T14:30:00+01:00"
    validation_query: SELECT COUNT(*) FROM dbo.tbUser
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
plan:
  description: What was done, or in check mode would be done. Empty when the database is healthy and stays.
  returned: always
  type: dict
  contains:
    steps:
      description: The restores in their order, each with C(action), C(kind), C(devices), C(position), C(moves), C(stop)
        and C(statement).
      type: list
      elements: dict
    recovery_point:
      description: The point that is reached, with C(time) (UTC), C(lsn), C(fork) and C(certain).
      type: dict
    loss_seconds:
      description: How much before now that point lies; V(null) where nothing tells.
      type: int
    resumes:
      description: Whether an interrupted restore is continued.
      type: bool
    source:
      description: C(database), C(server) and C(family_guid) of the backups.
      type: dict
    moves:
      description: Where each file of the database goes.
      type: list
      elements: dict
    bytes:
      description: Bytes to read.
      type: int
    space_needed:
      description: Bytes needed by drive.
      type: dict
    build_needed:
      description: Version of SQL Server that is needed at least.
      type: str
    rejected:
      description: Backups and files that are not used, each with C(code), C(reason) and C(path).
      type: list
      elements: dict
    notes:
      description: Whatever else there is to say, such as a clock of which no backup tells.
      type: list
      elements: str
    reason:
      description: Why the database that is there may be overwritten, or that there is none.
      type: str
    ends_mirroring:
      description: Whether the database leaves a mirroring session for that.
      type: bool
beyond_gap:
  description: Newer backups that do not follow where the database stands afterwards, since a log is missing or cannot
    be read, each with C(code), C(reason) and C(path). A differential or full backup bridges that.
  returned: when backups were read, unless a healthy database stays
  type: list
  elements: dict
stood_at:
  description: Where a database that waits for more logs stood before this run, with C(lsn), C(fork) and C(time) (UTC)
    of the last backup that it had, V(null) where none at hand ends there.
  returned: when O(database) was RESTORING or in standby
  type: dict
tail_log:
  description: The tail of the log that was saved, with C(file) and C(problem).
  returned: when a database with a log was overwritten
  type: dict
database:
  description: The database as it is now, as RV(prs.recovery.sql_info#module:databases) describes it. Empty in check
    mode when there is none.
  returned: always
  type: dict
staged:
  description: What was brought to O(stage_path), with C(path), C(files), C(bytes), C(sources), and how many files were
    C(left) where they are.
  returned: with O(stage_path), unless the database stays as it is
  type: dict
copied:
  description: The copies that were attached, each with C(source), C(target), C(size) and C(sha256). In check mode those
    that would be made.
  returned: with O(source.attach.copy), when files are attached
  type: list
  elements: dict
checked:
  description: The check of O(checkdb) that this run made, V(none), V(physical) or V(full).
  returned: when the database is open
  type: str
users:
  description: Names of users that were C(repaired), and of those C(left) without a login.
  returned: when the database is open
  type: dict
statements:
  description: The changes as T-SQL, in their order. In check mode those that would be made.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.backup_encryption import (
    backup_encryption_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.options import RestoreOptions
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.run import RestoreRun
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_host_and_share_argument_spec,
)


def restore(session: Session) -> dict[str, Any]:
    options = RestoreOptions.from_params(session.params)
    # A plain restore does not pay for the others: Python compiles all that a module imports anew in every run.
    if options.source.attach_data is not None:
        from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.attach import AttachRun

        return AttachRun(session, options).run()
    if options.stage_path:
        from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.staged_run import StagedRestoreRun

        return StagedRestoreRun(session, options).run()
    return RestoreRun(session, options).run()


def source_options() -> dict[str, dict[str, Any]]:
    attach = {
        "data_files": {"type": "list", "elements": "str", "required": True},
        "log_files": {"type": "list", "elements": "str", "default": []},
        "copy": {"type": "bool", "default": False},
    }
    return {
        "folders": {"type": "list", "elements": "str", "default": []},
        "files": {"type": "list", "elements": "str", "default": []},
        "skip_unreadable_folders": {"type": "bool", "default": False},
        "finished_before": {"type": "str"},
        "otherwise": {"type": "str"},
        "history": {"type": "bool", "default": False},
        "attach": {"type": "dict", "options": attach},
        "database": {"type": "str"},
        "family_guid": {"type": "str"},
        "recovery_fork": {"type": "str"},
        "time_zone": {"type": "str"},
    }


def argument_spec() -> dict[str, dict[str, Any]]:
    return {
        **sql_connection_argument_spec(failover_partner=True),
        **winrm_host_and_share_argument_spec(),
        "lease_owner": {"type": "str"},
        "stage_path": {"type": "str"},
        "database": {"type": "str", "required": True},
        "source": {"type": "dict", "required": True, "options": source_options()},
        "cache_headers": {"type": "bool", "default": True},
        "read_headers": {"type": "str", "choices": ["server", "files"], "default": "server"},
        "target": {"type": "str", "default": "latest"},
        "mark_after": {"type": "str"},
        "relocate": {
            "type": "dict",
            "default": {},
            "options": {"data_dir": {"type": "str"}, "log_dir": {"type": "str"}},
        },
        "open_offline": {"type": "bool", "default": False},
        "replace": {"type": "str", "choices": ["never", "damaged", "always"], "default": "damaged"},
        "tail_log": {"type": "str", "choices": ["attempt", "skip"], "default": "attempt"},
        "tail_log_path": {"type": "str"},
        **backup_encryption_argument_spec(),
        "recovery": {"type": "str", "choices": ["recovered", "norecovery", "standby"], "default": "recovered"},
        "standby_file": {"type": "str"},
        "lock_timeout": {"type": "int", "default": 3600},
        "owner": {"type": "str"},
        "compatibility_level": {"type": "int"},
        "repair_users": {"type": "bool", "default": True},
        "expected_users": {"type": "list", "elements": "str", "default": []},
        "checkdb": {"type": "str", "choices": ["none", "physical", "full"], "default": "none"},
        "validation_query": {"type": "str"},
    }


def main() -> None:
    run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), restore)


if __name__ == "__main__":
    main()
