#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_lease
short_description: Keep others from a database while it is rebuilt, by a file beside its backups
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Runs of this collection against one living instance of SQL Server exclude each other by a lock of that instance. A
    rebuild outlives instances, and may happen on two servers at once; what both see is the folder of the backups. The
    lease is a file there.
  - Of two who try at the same moment one gets it. The other one fails and says who holds it, since when, and how to end
    it.
  - A lease counts until it was not renewed for O(stale_after), or until its owner's process, where it was one of this
    control node, is gone. Then the next one takes it over, with a warning.
  - After a control node was lost, a container of AWX among them, nobody can tell that its run is over. O(take_over)
    says so.
  - M(prs.recovery.sql_backup) and M(prs.recovery.sql_restore) respect a lease of others where they reach the folder
    over WinRM.
options:
  path:
    description:
      - Folder that the lease lies in, the one of the database's backups. It is made when it is not there.
    type: str
    required: true
  database:
    description:
      - Name of the database.
    type: str
    required: true
  state:
    description:
      - V(held) takes the lease, or renews it where O(owner) holds it already. Renew it before each long step.
      - V(released) gives it back. A lease of another owner stays.
    type: str
    choices: [held, released]
    default: held
  owner:
    description:
      - Who holds the lease. The same name may take it again, from whatever control node.
      - By default the user, the control node and the process of the playbook, so that all tasks of one run are one
        owner.
    type: str
  stale_after:
    description:
      - Minutes after which the lease counts as given up unless it was renewed. More than the longest step takes.
    type: int
    default: 720
  take_over:
    description:
      - Takes the lease of another owner as well. Say so only when that run surely does nothing any more.
    type: bool
    default: false
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says whether the lease could be taken. Nothing is written.
  diff_mode:
    support: none
notes:
  - How old a lease is, is judged by the clock of the machine that the folder is on.
seealso:
  - module: prs.recovery.sql_backup
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: Rebuild alone
  prs.recovery.recovery_lease:
    path: '\\files\backup\sql'
    database: PasswordResetServer
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"

- name: Go on after the control node was lost
  prs.recovery.recovery_lease:
    path: D:\Backup
    database: PasswordResetServer
    take_over: true
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
held:
  description: Whether O(owner) holds the lease now.
  returned: always
  type: bool
lease:
  description: The lease that lies there now, or would in check mode. Empty when there is none.
  returned: always
  type: dict
  contains:
    path:
      description: Path of its file.
      type: str
      sample: \\files\backup\sql\PasswordResetServer.lease.json
    database:
      description: Name of the database.
      type: str
    owner:
      description: Who holds it.
      type: str
      sample: admin@control01 pid 4711
    taken_at:
      description: Since when, UTC.
      type: str
    renewed_at:
      description: When it was renewed last, UTC, by the clock of the folder's machine.
      type: str
    stale_at:
      description: From when on it counts as given up, UTC.
      type: str
taken_from:
  description: The lease that was taken over, with the same fields.
  returned: when somebody else's lease counted no more
  type: dict
"""

import datetime as dt
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.lease import ABANDONED, OURS, STALE, Lease
from ansible_collections.prs.recovery.plugins.module_utils._core.text import counted
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_paths import check_folder, full_path
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.lease_file import LeaseFile


def act(files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    """now: aware, the control node's clock."""
    if not params["owner"]:
        raise RecoveryError(
            "No owner is named", code="option_invalid", advice="Let the task target the Windows host, or give owner"
        )
    if params["stale_after"] < 1:
        raise RecoveryError("'stale_after' is at least 1 minute", code="option_invalid")
    if not params["database"].strip():
        raise RecoveryError(
            "'database' is empty", code="option_invalid", advice="Give the name of the database that the lease is for"
        )
    check_folder(params["path"])
    folder = full_path(params["path"], option="path")
    lease = LeaseFile(files, folder, database=params["database"], owner=params["owner"], now=now)
    with files.share(folder, user=params["share_user"], password=params["share_password"]):
        return held(files, lease, params) if params["state"] == "held" else released(lease)


def held(files: WindowsFiles, lease: LeaseFile, params: dict[str, Any]) -> dict[str, Any]:
    ours, before, other = lease.acquire(
        stale_after=dt.timedelta(minutes=params["stale_after"]), take_over=params["take_over"]
    )
    result = {"changed": before != OURS, "held": True, "lease": described(ours, lease.path)}
    if other is None:
        return result
    minutes = counted(round(other.stale_after.total_seconds() / 60), "minute")
    reasons = {STALE: f"was not renewed for {minutes}", ABANDONED: "is held by a process that is gone"}
    why = reasons.get(before, "counts no more, as take_over says")
    files.warnings.append(f"The lease {lease.path} of {other.owner} {why}: it was taken over")
    return {**result, "taken_from": described(other, lease.path)}


def released(lease: LeaseFile) -> dict[str, Any]:
    ours = lease.release()
    left = None if ours else lease.look()
    return {"changed": ours is not None, "held": False, "lease": described(left, lease.path) if left else {}}


def described(lease: Lease, path: str) -> dict[str, Any]:
    return {"path": path, **lease.to_dict()}


def main() -> None:
    module = windows_module(
        {
            "path": {"type": "str", "required": True},
            "database": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
            "owner": {"type": "str"},
            "stale_after": {"type": "int", "default": 720},
            "take_over": {"type": "bool", "default": False},
        }
    )
    run(module, lambda files: act(files, module.params, now=dt.datetime.now(dt.timezone.utc)))


if __name__ == "__main__":
    main()
