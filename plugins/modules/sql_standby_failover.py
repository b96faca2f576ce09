#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_standby_failover
short_description: Open the warm standby of a database
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Lets the server that the task targets serve a database of which it holds a warm standby, a copy that
    M(prs.recovery.sql_restore) keeps RESTORING (or readable) and brings up to date by log backups. Where it serves
    already, nothing happens. Works with every edition.
  - While the old principal answers nothing is lost. First the standby is brought up to date. Then the tail of the
    principal's log is backed up C(WITH NORECOVERY), which takes the database there out of service, restored here, and
    the database is opened. The old principal is the standby from then on, and M(prs.recovery.sql_restore) with
    O(prs.recovery.sql_restore#module:recovery=norecovery) continues it by the new principal's logs, without a new full
    backup.
  - When the old principal is lost, what can be read is applied. What is lost is told as a moment and in minutes, and
    O(allow_data_loss) is needed.
  - An old principal that comes back with a database that was replaced meanwhile is known by its recovery fork. With
    O(allow_data_loss) it is taken out of service; the tail of its log is kept in O(unsent_path).
  - Interrupted anywhere, the same task again comes to the same end.
options:
  database:
    description:
      - Name of the database, the same on both servers.
    type: str
    required: true
  source:
    description:
      - Where the backups of the principal are, as the SQL Server service account of the standby sees it.
    type: dict
    required: true
    suboptions:
      folders:
        description: Folders, looked into with everything below them. Those that cannot be seen are left out, with a
          warning.
        type: list
        elements: str
        default: []
      files:
        description: Files. All stripes of a backup are needed.
        type: list
        elements: str
        default: []
      database:
        description: Name of the database in the backups, by default that of O(database).
        type: str
      family_guid:
        description: Identity of the database in the backups, by default that of the standby.
        type: str
      time_zone:
        description: Time zone of the server that made the backups, as in M(prs.recovery.sql_restore).
        type: str
  tail_path:
    description:
      - Folder for the tail of the log, which both servers' SQL Server service accounts reach. The tail belongs to the
        chain of log backups, so a folder of O(source) is the right one. Where the Windows of the standby is reached and
        sees it (O(share_user)), a manifest is written beside it, by which M(prs.recovery.recovery_set) knows it.
    type: str
    required: true
  unsent_path:
    description:
      - Folder for the tail of a database that is given up, with O(until) or of an old principal that comes back. It
        has to lie outside of the folders of O(source), so that no restore takes it for the newest backup.
    type: str
  until:
    description:
      - Goes to this moment, a time with its zone as in M(prs.recovery.sql_restore), instead of the newest one. A
        standby that is kept behind gets there by reading the logs in between only; one that is past it is restored
        anew.
      - What was committed since is given up, so O(allow_data_loss) is needed.
    type: str
  allow_data_loss:
    description:
      - Lets the standby be opened when the tail of the principal's log cannot be had, go back to a moment (O(until)),
        and an old principal that came back be taken out of service.
    type: bool
    default: false
  relocate:
    description:
      - Folders for the database's files where it has to be restored from a full backup, as in
        M(prs.recovery.sql_restore).
    type: dict
    default: {}
    suboptions:
      data_dir:
        description: Folder for data files.
        type: str
      log_dir:
        description: Folder for the log.
        type: str
  cache_headers:
    description:
      - As in M(prs.recovery.sql_restore).
    type: bool
    default: true
  lock_timeout:
    description:
      - Seconds to wait for another run of this collection that works on the database on either server.
    type: int
    default: 3600
  owner:
    description:
      - Login that owns the database afterwards, by default the built-in one (C(sa), whatever it is called here).
    type: str
  repair_users:
    description:
      - Whether users without a login are given to the login of the same name.
    type: bool
    default: true
  expected_users:
    description:
      - Users that may have no login afterwards, because something else makes it.
    type: list
    elements: str
    default: []
  lease_owner:
    description:
      - Name under which this run may hold the lease of the database in O(source), see M(prs.recovery.recovery_lease).
    type: str
extends_documentation_fragment:
  - prs.recovery.backup_encryption
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner.standby
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says which way would be taken, and its statements.
  diff_mode:
    support: none
notes:
  - Needs the server role C(sysadmin) on both servers.
  - Stop the application first. Sessions of the database on the old principal are ended before the tail is taken.
  - Make sure that a principal that is only unreachable from the control node is really down before O(allow_data_loss)
    is set.
seealso:
  - module: prs.recovery.sql_restore
  - module: prs.recovery.sql_mirror_failover
"""

EXAMPLES = r"""
- name: The other site takes over, as planned
  prs.recovery.sql_standby_failover:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    partner:
      login_host: sql-a.example.com
    source:
      folders: ['\\files-b\backup\database', '\\files\backup\database']
    tail_path: \\files\backup\database

- name: The moment before a mistake, from a standby that is kept an hour behind
  prs.recovery.sql_standby_failover:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    partner:
      login_host: sql-a.example.com
    source:
      folders: ['\\files\backup\database']
    tail_path: \\files\backup\database
    unsent_path: \\files\backup\unsent
    until: "2026-03-01T13:59:00+01:00"
    allow_data_loss: true
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
way:
  description:
    - V(stays), the server serves already; V(planned), the tail of the principal's log was taken over; V(finish), an
      interrupted move went on; V(force), without the old principal; V(rejoin), the server serves, and an old principal
      that came back was taken out of service.
  returned: always
  type: str
reason:
  description: Why that way.
  returned: always
  type: str
may_be_lost:
  description:
    - What the move may have lost, with C(since) (UTC), C(minutes) and C(reason). Everything that was committed until
      then is there.
    - Empty when nothing can be lost. Also returned by a task that fails because O(allow_data_loss) is not set.
  returned: always
  type: dict
tail_log:
  description: The tail of the old principal's log that was saved, with C(file) and C(problem). Empty without one.
  returned: always
  type: dict
plan:
  description: The restore that opened the database, as RV(prs.recovery.sql_restore#module:plan). Empty where none did.
  returned: always
  type: dict
users:
  description: Names of users that were C(repaired), and of those C(left) without a login.
  returned: always
  type: dict
branch:
  description: Where the database left the path of the one before, with C(fork), C(parent) and C(left_lsn), for
    M(prs.recovery.recovery_branch). Empty where it never did.
  returned: always
  type: dict
before:
  description: What the two servers said before, C(standby) and C(partner), each with C(server), C(state), C(fork) and
    C(stands_at).
  returned: always
  type: dict
interrupted_seconds:
  description: Seconds from the statement that took the old principal out of service until the database was handed over
    here.
  returned: when the database was opened by this run
  type: float
database:
  description: The database as it is now, as RV(prs.recovery.sql_info#module:databases) describes it.
  returned: always
  type: dict
statements:
  description: The changes as T-SQL on both servers, in their order. In check mode those that would be made.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.partner import (
    partner_session,
    sql_partner_standby_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.backup_encryption import (
    backup_encryption_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._sql.standby.failover import StandbyFailoverRun
from ansible_collections.prs.recovery.plugins.module_utils._sql.standby.options import StandbyFailoverOptions
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    winrm_host_and_share_argument_spec,
)


def apply(session: Session) -> dict[str, Any]:
    options = StandbyFailoverOptions.from_params(session.params)
    with partner_session(session, required=False) as (other, problem):
        result = StandbyFailoverRun(session, other, problem, options).run()
    return {"changed": session.changed, **result, "statements": session.statements}


def argument_spec() -> dict[str, dict[str, Any]]:
    source = {
        "folders": {"type": "list", "elements": "str", "default": []},
        "files": {"type": "list", "elements": "str", "default": []},
        "database": {"type": "str"},
        "family_guid": {"type": "str"},
        "time_zone": {"type": "str"},
    }
    folders = {"data_dir": {"type": "str"}, "log_dir": {"type": "str"}}
    return {
        **sql_connection_argument_spec(),
        **sql_partner_standby_argument_spec(),
        **backup_encryption_argument_spec(),
        **winrm_host_and_share_argument_spec(),
        "lease_owner": {"type": "str"},
        "database": {"type": "str", "required": True},
        "source": {"type": "dict", "required": True, "options": source},
        "tail_path": {"type": "str", "required": True},
        "unsent_path": {"type": "str"},
        "until": {"type": "str"},
        "allow_data_loss": {"type": "bool", "default": False},
        "relocate": {"type": "dict", "default": {}, "options": folders},
        "cache_headers": {"type": "bool", "default": True},
        "lock_timeout": {"type": "int", "default": 3600},
        "owner": {"type": "str"},
        "repair_users": {"type": "bool", "default": True},
        "expected_users": {"type": "list", "elements": "str", "default": []},
    }


def main() -> None:
    run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), apply)


if __name__ == "__main__":
    main()
