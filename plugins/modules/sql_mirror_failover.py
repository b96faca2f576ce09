#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_mirror_failover
short_description: Make a server the principal of a mirrored database
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Makes the server that the task targets the principal of a mirrored database. Where it is already, nothing happens.
  - While both servers work together nothing is lost. In an asynchronous session safety becomes FULL for the time of the
    failover, and OFF again.
  - When the principal is lost and a witness is there, the mirror takes over by itself, and this waits for it. Otherwise
    service has to be forced, which may lose commits and is done with O(allow_data_loss) only.
  - Service is never forced while the principal can be asked and says that it serves the database.
options:
  database:
    description:
      - Name of the database.
    type: str
    required: true
  allow_data_loss:
    description:
      - Lets service be forced when the principal is lost, and lets O(rejoin) drop what the old principal never sent.
    type: bool
    default: false
  rejoin:
    description:
      - After service was forced the session is suspended, and the old principal comes back as mirror, with all that it
        never sent. V(true) lets the session go on, which drops that for good.
    type: bool
    default: false
  safety:
    description:
      - Safety of the session afterwards, by default what it was. Given, it is set right too where a failover of an
        asynchronous session was interrupted while its safety was V(FULL).
    type: str
    choices: [FULL, 'OFF']
  wait:
    description:
      - Seconds to wait until the mirror is in step before a failover, until it took over by itself, and until both are
        in step afterwards.
    type: int
    default: 120
extends_documentation_fragment:
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says which way would be taken.
  diff_mode:
    support: full
notes:
  - Needs the server role C(sysadmin) on both servers.
  - Clients of the database are disconnected by every change of roles. Those that know the failover partner come back by
    themselves.
  - Make sure that a principal that is only unreachable from the control node is really down before O(allow_data_loss)
    is set.
seealso:
  - module: prs.recovery.sql_mirror
"""

EXAMPLES = r"""
- name: The other site takes over, as planned
  prs.recovery.sql_mirror_failover:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    partner:
      login_host: sql-a.example.com

- name: The first site is lost
  prs.recovery.sql_mirror_failover:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    database: PasswordResetServer
    partner:
      login_host: sql-a.example.com
    allow_data_loss: "{{ prs_allow_data_loss | default(false) }}"
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
way:
  description:
    - V(stays), the server was the principal; V(manual) and V(through_safety), both worked together; V(wait), the mirror
      took over by itself; V(force), service was forced; V(resume), the session goes on after that.
  returned: always
  type: str
reason:
  description: Why that way.
  returned: always
  type: str
may_be_lost:
  description:
    - What a forced change may have lost, with C(after_lsn), C(safety) and C(reason). The new principal holds everything
      before that log sequence number, and nothing of what the old one committed from it on.
    - Empty when nothing can be lost.
  returned: always
  type: dict
interrupted_seconds:
  description: Seconds from the statement that began the change until the database was open on the new principal.
  returned: when the roles were changed by this run
  type: float
mirroring:
  description: The session afterwards, with C(role) of this server, C(state), C(safety), C(witness) and
    C(role_sequence).
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

from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.session import Side
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.partner import (
    partner_session,
    sql_partner_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.mirroring.failover import FailoverRun
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec


def apply(session: Session) -> dict[str, Any]:
    with partner_session(session, required=False) as (other, problem):
        failover = FailoverRun(session, other, problem)
        before = side_report(failover.local())
        result = failover.run()
        after = side_report(failover.local())
    if session.check_mode and result["way"] not in ("stays", "resume"):
        after = {**before, "role": "PRINCIPAL"}
    took_over = result.pop("took_over")
    return {"changed": session.changed or took_over, **result, "statements": session.statements, "mirroring": after,
            "diff": {"before": before, "after": after}}  # fmt: skip


def side_report(side: Side) -> dict[str, Any]:
    """This server's side for the result."""
    return {
        "role": side.role,
        "state": side.session,
        "safety": side.safety,
        "witness": side.witness,
        "role_sequence": side.role_sequence,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(),
            "database": {"type": "str", "required": True},
            **sql_partner_argument_spec(),
            "allow_data_loss": {"type": "bool", "default": False},
            "rejoin": {"type": "bool", "default": False},
            "safety": {"type": "str", "choices": ["FULL", "OFF"]},
            "wait": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    run(module, apply)


if __name__ == "__main__":
    main()
