#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_mirror
short_description: Mirror a database to another server
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Brings the mirroring of one database into the wanted state. Which of the two servers is the principal it sees by
    itself, so the task may target either of them, and a second run changes nothing.
  - Copies the database to the mirror by a backup and a restore where that is needed, restores the log backups that came
    in between, and waits until both are in step.
  - It never changes who is principal. That is what M(prs.recovery.sql_mirror_failover) is for.
options:
  database:
    description:
      - Name of the database. It is the same on both servers.
    type: str
    required: true
  state:
    description:
      - V(running) mirrors. V(suspended) keeps the session and sends nothing, while the log of the principal grows.
      - V(absent) ends the session. The mirror's copy stays RESTORING, and can be recovered or removed.
    type: str
    choices: [running, suspended, absent]
    default: running
  address:
    description:
      - Address of the mirroring endpoint of the server that the task targets, as O(partner.address).
      - By default the name that it is reached by and the port of its endpoint.
    type: str
  witness:
    description:
      - Address of the witness' endpoint, C(TCP://witness.example.com:5022). With it the mirror takes over by itself
        when the principal is lost.
      - An empty text means none. Without this option a witness stays as it is.
    type: str
  safety:
    description:
      - V(FULL) commits on both servers (synchronous). V(OFF) commits on the principal and sends afterwards, which needs
        Enterprise.
      - A new session is V(FULL).
    type: str
    choices: [FULL, 'OFF']
  timeout:
    description:
      - Seconds without an answer after which a server counts as lost. SQL Server makes V(5) of less, and its own V(10)
        is the least that it recommends.
    type: int
  seed_path:
    description:
      - Folder for the backups by which the mirror is made, which the service accounts of both servers reach, a share
        above all. The files are removed once the mirror has them.
      - The chain of log backups is not disturbed. Only where there was none yet, the log backup here begins it, and
        both files stay, as they belong to the other backups.
      - With O(encryption) both servers need the certificate, with its private key.
    type: str
  relocate:
    description:
      - Folders for the mirror's files, by default those of its instance.
    type: dict
    default: {}
    suboptions:
      data_dir:
        description: Folder for data files.
        type: str
      log_dir:
        description: Folder for the log.
        type: str
  wait:
    description:
      - Seconds to wait until both are in step.
    type: int
    default: 600
extends_documentation_fragment:
  - prs.recovery.backup_encryption
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
notes:
  - Needs the server role C(sysadmin) on both servers.
  - Mirroring copies the database alone. Logins, jobs, certificates and settings of the server must be made equal on
    both.
  - Microsoft calls mirroring deprecated since SQL Server 2012, and still has it in SQL Server 2025.
seealso:
  - module: prs.recovery.sql_endpoint
  - module: prs.recovery.sql_certificate
  - module: prs.recovery.sql_mirror_failover
"""

EXAMPLES = r"""
- name: Both servers hold every commit, and the mirror takes over by itself
  prs.recovery.sql_mirror:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    partner:
      login_host: sql-b.example.com
    witness: TCP://witness.example.com:5022
    safety: FULL
    seed_path: '\\files\backup\sql'

- name: No mirror any more
  prs.recovery.sql_mirror:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    partner:
      login_host: sql-b.example.com
    state: absent
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
mirroring:
  description: The session as it is now. Empty without one.
  returned: always
  type: dict
  contains:
    principal:
      description: Which server is the principal.
      type: str
    mirror:
      description: Which server is the mirror.
      type: str
    state:
      description: V(SYNCHRONIZED), V(SYNCHRONIZING), V(SUSPENDED) or V(DISCONNECTED).
      type: str
    safety:
      description: V(FULL) or V(OFF).
      type: str
    witness:
      description: Address of the witness, empty without one.
      type: str
    witness_state:
      description: V(CONNECTED), V(DISCONNECTED) or V(UNKNOWN), empty without one.
      type: str
    timeout:
      description: Seconds.
      type: int
seeded:
  description: Files by which the mirror was made. They are gone, unless the chain of log backups begins with them.
  returned: always
  type: list
  elements: str
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

from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.session import MIRROR, PRINCIPAL, Side
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.partner import (
    partner_session,
    sql_partner_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.backup_encryption import (
    backup_encryption_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.mirroring.run import MirrorRun
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec


def apply(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    with partner_session(session, required=session.params["state"] != "absent") as (other, problem):
        mirrors = MirrorRun(session, other)
        before = mirrors.look()
        if session.params["state"] == "absent":
            mirrors.end()
            if problem and session.changed:
                session.warnings.append(
                    f"The session was ended on {session.connection.target.server} alone: {problem}. The partner "
                    "learns of it when it is back"
                )
        else:
            mirrors.establish()
        after = mirrors.look()
    return {
        "changed": session.changed,
        "mirroring": session_report(after),
        "seeded": mirrors.seeded,
        "statements": session.statements,
        "diff": {
            "before": session_report(before),
            "after": mirrors.expected(session_report(before)) if session.check_mode else session_report(after),
        },
    }


def session_report(sides: list[Side]) -> dict[str, Any]:
    """The session for the result."""
    side = next((side for role in (PRINCIPAL, MIRROR) for side in sides if side.role == role), None)
    if side is None:
        return {}
    return {
        "principal": side.server if side.role == PRINCIPAL else side.partner,
        "mirror": side.partner if side.role == PRINCIPAL else side.server,
        "state": side.session,
        "safety": side.safety,
        "witness": side.witness,
        "witness_state": side.witness_state,
        "timeout": side.timeout,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(),
            "database": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["running", "suspended", "absent"], "default": "running"},
            **sql_partner_argument_spec(),
            "address": {"type": "str"},
            "witness": {"type": "str"},
            "safety": {"type": "str", "choices": ["FULL", "OFF"]},
            "timeout": {"type": "int"},
            "seed_path": {"type": "str"},
            **backup_encryption_argument_spec(),
            "relocate": {
                "type": "dict",
                "default": {},
                "options": {"data_dir": {"type": "str"}, "log_dir": {"type": "str"}},
            },
            "wait": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    run(module, apply)


if __name__ == "__main__":
    main()
