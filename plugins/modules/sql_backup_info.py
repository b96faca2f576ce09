#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_backup_info
short_description: Read which backups there are, and how far back and forward they reach
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Reads backup sets from folders and files, as the SQL Server service account sees them, or from the history in
    C(msdb), or from both, each against the other.
  - Says for each database in them to which newest point it can be brought back, how much that would lose, what is
    missing or damaged, and whether this server has the certificates that a restore needs.
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
  history:
    description:
      - Whether the history in C(msdb) of this instance is read too. It says where backups were written, not that they
        are still there.
      - By default only where neither O(folders) nor O(files) is given.
    type: bool
  crosscheck:
    description:
      - Whether the files that the history names are looked for, also outside of O(folders), and what they hold is read.
        A set whose files are gone, or are other backups by now, then counts as lost. Only with O(history).
      - By default where O(folders) or O(files) are given too.
    type: bool
  verify:
    description:
      - Whether the server reads backups from their first to their last byte (C(RESTORE VERIFYONLY)). Headers alone do
        not tell that a backup is damaged.
      - V(chain) reads what the newest recovery point needs; when something of it is damaged, what the next best one
        needs. V(all) reads everything.
    type: str
    choices: [none, chain, all]
    default: none
  database:
    description:
      - Only the database that has this name in some of its backups.
    type: str
  family_guid:
    description:
      - Only the database of this identity, whatever it is called.
    type: str
  time_zone:
    description:
      - Time zone of the server that made the backups, V(Europe/Berlin). Before SQL Server 2022 files do not tell; the
        history does. Where nothing tells, times are taken for UTC, and a warning says so.
    type: str
  read_headers:
    description:
      - Who reads the headers of the files in O(folders) and O(files).
      - With V(server), SQL Server is asked about each file.
      - With V(files), its host reads them out of the files, many in one call, which is much faster in large folders. It
        needs O(winrm_host) and an account that may read the files, O(share_user) where they are on a share. What cannot
        be read that way, such as encrypted backups, SQL Server is asked for.
    type: str
    choices: [server, files]
    default: server
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
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner.failover
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
seealso:
  - module: prs.recovery.sql_backup
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: What could be brought back from the share
  prs.recovery.sql_backup_info:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    folders: ['\\files\backup\sql']
    database: PasswordResetServer
    recovery_point_objective: 86400
  register: backups

- name: No more than a day may be lost
  ansible.builtin.assert:
    that: backups.databases[0].within_objective

- name: Tell monitoring whether what msdb knows of is still there and can be read
  prs.recovery.sql_backup_info:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    crosscheck: true
    verify: chain
    prometheus: true
  register: backups

- name: Where node_exporter of the control node reads it
  ansible.builtin.copy:
    content: "{{ backups.prometheus }}"
    dest: /var/lib/node_exporter/textfile_collector/prs_backup_{{ inventory_hostname }}.prom
    mode: "0644"
  delegate_to: localhost
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
databases:
  description: One entry for each database in the backups.
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
    newest:
      description: End (UTC) of the newest V(full), V(differential) and V(log) backup that can be used.
      type: dict
    recovery_point:
      description: The newest moment (UTC) that can be reached; V(null) when the database cannot be brought back at all.
      type: str
    age_seconds:
      description: How long ago that moment is, which is what would be lost.
      type: int
    within_objective:
      description: Whether that is no more than O(recovery_point_objective); V(null) without an objective.
      type: bool
    chain:
      description: GUIDs of the sets that RV(databases[].recovery_point) needs, in the order of their restore.
      type: list
      elements: str
    reachable:
      description: Stretches of time to every moment of which the database can be brought, each with C(from), C(until)
        (UTC) and C(fork).
      type: list
      elements: dict
    gaps:
      description: Stretches of the log that no backup holds, each with C(fork), C(from_lsn), C(until_lsn), C(from) and
        C(until).
      type: list
      elements: dict
    forks:
      description: Recovery paths, each with C(guid), C(parent), C(fork_point_lsn), C(sets) and C(newest).
      type: list
      elements: dict
    unusable:
      description:
        - Sets that are there and cannot be used, each with C(guid), C(kind), C(reason) and C(files). A stripe is
          missing, the set is damaged, or its full backup is not there.
      type: list
      elements: dict
    lost:
      description:
        - Sets of which nothing but the history is left, in the same form. Those that retention removed are among them.
          Empty where history and files were not compared.
      type: list
      elements: dict
    counts:
      description: Number of sets that are C(usable), C(unusable) and C(lost).
      type: dict
    unencrypted:
      description: Files whose backups are not encrypted, so that whoever reads them can restore the database.
      type: list
      elements: str
    certificates:
      description: Thumbprints of the certificates that a restore needs, for encrypted backups and for an encrypted
        database (TDE).
      type: list
      elements: str
    certificates_missing:
      description: Those of them that this server does not have with their private key; V(null) where the login may not
        ask.
      type: list
      elements: str
sets:
  description: All backup sets, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    guid:
      description: Identity of the set.
      type: str
    kind:
      description: V(full), V(differential) or V(log); of others, such as V(partial), only that they are there is known.
      type: str
    started_at:
      description: When it began (UTC); C(finished_at) is its end.
      type: str
    files:
      description: Its files, one for each stripe, and C(position) inside them.
      type: list
      elements: str
    problem:
      description: Why it cannot be used; empty otherwise.
      type: str
    verified:
      description: Whether this run has read it to its end.
      type: bool
    in_history:
      description: Whether C(msdb) knows it; V(null) where the history was not asked.
      type: bool
    in_files:
      description: Whether some of its files were found; V(null) where nobody looked, or the folder cannot be looked
        into.
      type: bool
unreadable:
  description: Files that gave no backup, each with C(path), C(position) and C(reason).
  returned: always
  type: list
  elements: dict
prometheus:
  description:
    - The same for monitoring, as lines of Prometheus' text format for the textfile collector of node_exporter or
      windows_exporter. Write it to a file of its own for each server.
    - The metrics are C(prs_backup_read_timestamp_seconds), C(prs_backup_unreadable_files), and for each C(database) and
      C(family) C(prs_backup_recoverable), C(prs_backup_recovery_point_timestamp_seconds),
      C(prs_backup_recovery_point_objective_seconds), C(prs_backup_reachable_since_timestamp_seconds),
      C(prs_backup_newest_timestamp_seconds) by C(kind), C(prs_backup_sets) by C(state), C(prs_backup_gaps),
      C(prs_backup_forks) and C(prs_backup_certificates_missing). All carry the C(server) that was asked. What is not
      known is left out.
  returned: when O(prometheus) is set
  type: str
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet, guid
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.chain_report import (
    by_age,
    examine,
    families,
    metrics,
    needed_for_newest,
    unknown_zones_warning,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.prometheus import lines
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog.crosscheck import (
    add_file_lists_of_fulls,
    gather,
    read_to_the_end,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog.read_headers import require_windows
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.server import private_keys, utc_now
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    has_windows,
    winrm_host_and_share_argument_spec,
)


def gather_backups(session: Session) -> dict[str, Any]:
    params = session.params
    if params["read_headers"] == "files":
        require_windows(has_windows=has_windows(params))
    gathered = gather(session, {**params, "family_guid": guid(params["family_guid"])})
    if params["verify"] != "none":
        read_to_the_end(session, gathered.inventory, lambda sets: _to_verify(session, sets))
    chosen = _chosen(session, gathered.inventory.sets)
    if gathered.in_files is not None:
        add_file_lists_of_fulls(session.connection, chosen)
    warning = unknown_zones_warning(backup_set for sets in chosen for backup_set in sets)
    if warning:
        session.warnings.append(warning)
    now = utc_now(session.connection)
    seconds = params["recovery_point_objective"]
    asked_for = {
        "now": now,
        "recovery_point_objective": None if seconds is None else dt.timedelta(seconds=seconds),
        "certificates": private_keys(session.connection),
        "lost": gathered.lost(),
    }
    databases = [
        {
            "database": sets[-1].database,
            "server": sets[-1].server,
            "family_guid": sets[-1].family_guid,
            **examine(sets, **asked_for),
        }
        for sets in chosen
    ]
    unreadable = [
        {"path": item.path, "position": item.position, "reason": item.reason} for item in gathered.inventory.unreadable
    ]
    result = {
        "changed": False,
        "databases": databases,
        "sets": [
            {
                **backup_set.to_dict(),
                "problem": backup_set.problem,
                "verified": backup_set.verified,
                **gathered.whereabouts(backup_set.guid),
            }
            for backup_set in sorted((backup_set for sets in chosen for backup_set in sets), key=by_age)
        ],
        "unreadable": unreadable,
    }
    if params["prometheus"]:
        asked = session.connection.value("SELECT @@SERVERNAME AS name")
        result["prometheus"] = lines(
            metrics(databases, asked=asked, now=now, recovery_point_objective=seconds, unreadable=len(unreadable))
        )
    return result


def _chosen(session: Session, sets: Iterable[BackupSet]) -> list[list[BackupSet]]:
    """The sets of each database that was asked for."""
    return families(sets, database=session.params["database"], family_guid=guid(session.params["family_guid"]) or None)


def _to_verify(session: Session, sets: Iterable[BackupSet]) -> list[BackupSet]:
    choose = needed_for_newest if session.params["verify"] == "chain" else list
    return [backup_set for mine in _chosen(session, sets) for backup_set in choose(mine)]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(failover_partner=True),
            **winrm_host_and_share_argument_spec(),
            "folders": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "str", "default": []},
            "history": {"type": "bool"},
            "crosscheck": {"type": "bool"},
            "verify": {"type": "str", "choices": ["none", "chain", "all"], "default": "none"},
            "database": {"type": "str"},
            "family_guid": {"type": "str"},
            "time_zone": {"type": "str"},
            "read_headers": {"type": "str", "choices": ["server", "files"], "default": "server"},
            "recovery_point_objective": {"type": "int"},
            "prometheus": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run(module, gather_backups)


if __name__ == "__main__":
    main()
