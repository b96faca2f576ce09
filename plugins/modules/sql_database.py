#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_database
short_description: Make, set up or remove a database
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Makes a database in the default folders of the instance, and brings its recovery model, owner, compatibility level
    and page verification into the wanted state. What is not given is left as it is.
  - Removes a database only with O(allow_data_loss).
options:
  name:
    description:
      - Name of the database.
    type: str
    required: true
  state:
    description:
      - Whether the database should exist.
    type: str
    choices: [present, absent]
    default: present
  collation:
    description:
      - Collation of a new database, by default that of the server.
      - The collation of an existing database is compared, never changed, because its columns would keep the old one. A
        difference is an error.
    type: str
  recovery_model:
    description:
      - V(FULL) and V(BULK_LOGGED) need log backups, or the log fills its disk. V(SIMPLE) cannot be restored to a point
        in time.
      - A change to or from V(SIMPLE) breaks the chain of log backups. Take a full backup afterwards.
    type: str
    choices: [FULL, BULK_LOGGED, SIMPLE]
  owner:
    description:
      - Login that owns the database.
    type: str
  compatibility_level:
    description:
      - Compatibility level, for example V(150) for SQL Server 2019.
    type: int
  page_verify:
    description:
      - How damaged pages are recognised.
    type: str
    choices: [CHECKSUM, TORN_PAGE_DETECTION, NONE]
  online:
    description:
      - Whether to open a database first that is C(OFFLINE) or C(RECOVERY_PENDING), as it is after the disk of its files
        came back. What is in it stays. Where SQL Server cannot open it, the task fails with its reason.
    type: bool
    default: false
  allow_data_loss:
    description:
      - Confirms O(state=absent). Sessions that use the database are ended, and its data is gone.
    type: bool
    default: false
extends_documentation_fragment:
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner.failover
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
seealso:
  - module: prs.recovery.sql_login
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: An empty database for Password Reset Server
  prs.recovery.sql_database:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    name: PasswordResetServer
    collation: SQL_Latin1_General_CP1_CI_AS
    recovery_model: FULL
    owner: sa

- name: A database that somebody set offline, open again
  prs.recovery.sql_database:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    name: PasswordResetServer
    online: true

- name: A drill's database goes away again
  prs.recovery.sql_database:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    name: PasswordResetServer_drill
    state: absent
    allow_data_loss: true
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
database:
  description: The database as it is now, as RV(prs.recovery.sql_info#module:databases) describes it. Empty when there
    is none.
  returned: always
  type: dict
statements:
  description: The changes as T-SQL, in their order. In check mode those that would be made.
  returned: always
  type: list
  elements: str
  sample: ["ALTER DATABASE [PasswordResetServer] SET RECOVERY FULL"]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.text import bytes_text
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.databases import (
    create_database,
    drop_database,
    read_database,
    set_option,
    set_owner,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec

SETTINGS = {
    "recovery_model": "RECOVERY {}",
    "compatibility_level": "COMPATIBILITY_LEVEL = {}",
    "page_verify": "PAGE_VERIFY {}",
}
"""Option, which is also what the server calls it -> words after ALTER DATABASE SET."""

CLOSED = ("OFFLINE", "RECOVERY_PENDING")
"""States of a database whose files are whole as far as anybody knows."""


def apply(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    name = session.params["name"]
    before = read_database(session.connection, name)
    _remove(session, before) if session.params["state"] == "absent" else _provide(session, before)
    after = read_database(session.connection, name)
    return {
        "changed": session.changed,
        "database": after or {},
        "statements": session.statements,
        "diff": {"before": _compared(session, before), "after": _wanted(session)},
    }


def _remove(session: Session, before: dict[str, Any] | None) -> None:
    if before is None:
        return
    if before["system"]:
        raise RecoveryError(f"{before['name']} belongs to SQL Server itself and stays", code="option_invalid")
    if not session.params["allow_data_loss"]:
        raise RecoveryError(
            f"Database {before['name']} on {session.connection.target.server} would be lost "
            f"({bytes_text(before['size_bytes'])})",
            code="would_lose_data",
            advice="Take a backup with sql_backup, and set 'allow_data_loss: true' if it may go",
        )
    if before["mirroring"]:
        raise RecoveryError(
            f"Database {before['name']} is mirrored", code="wrong_state", advice="End the mirroring session first"
        )
    drop_database(session, before["name"], online=before["state"] == "ONLINE")


def _provide(session: Session, before: dict[str, Any] | None) -> None:
    params, name = session.params, session.params["name"]
    if before and before["state"] in CLOSED and params["online"]:
        set_option(session, name, "ONLINE")
        before = read_database(session.connection, name)
        if session.check_mode:
            return  # what else differs it tells only when it is open
    if before is None:
        create_database(session, name, collation=params["collation"])
        before = {}  # what model gave it does not matter: all that is wanted is set
    elif before["state"] != "ONLINE":
        raise RecoveryError(
            f"Database {name} on {session.connection.target.server} is {before['state']}, not ONLINE: nothing can "
            "be set",
            code="wrong_state",
            advice="Set 'online: true' to open it"
            if before["state"] in CLOSED
            else "Restore it with sql_restore, or remove it with 'state: absent'",
        )
    elif params["collation"] and (before["collation"] or "").lower() != params["collation"].lower():
        raise RecoveryError(
            f"Database {name} on {session.connection.target.server} has the collation {before['collation']}, not "
            f"{params['collation']}",
            code="wrong_state",
            advice="Columns keep the collation they were made with, so it is not changed here: make a new database "
            "and move the data into it",
        )
    for option, words in SETTINGS.items():
        if params[option] is not None and before.get(option) != params[option]:
            set_option(session, name, words.format(params[option]))
    if params["owner"] and (before.get("owner") or "").lower() != params["owner"].lower():
        set_owner(session, name, params["owner"])


def _compared(session: Session, database: dict[str, Any] | None) -> dict[str, Any]:
    if database is None:
        return {"state": "absent"}
    return {
        "state": "present",
        **({"online": database["state"] == "ONLINE"} if session.params["online"] else {}),
        **{
            option: database[option]
            for option in ("collation", "owner", *SETTINGS)
            if session.params[option] is not None
        },
    }


def _wanted(session: Session) -> dict[str, Any]:
    if session.params["state"] == "absent":
        return {"state": "absent"}
    wanted = {option: session.params[option] for option in ("collation", "owner", *SETTINGS)}
    online = {"online": True} if session.params["online"] else {}
    return {"state": "present", **online, **{option: value for option, value in wanted.items() if value is not None}}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(failover_partner=True),
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "collation": {"type": "str"},
            "recovery_model": {"type": "str", "choices": ["FULL", "BULK_LOGGED", "SIMPLE"]},
            "owner": {"type": "str"},
            "compatibility_level": {"type": "int"},
            "page_verify": {"type": "str", "choices": ["CHECKSUM", "TORN_PAGE_DETECTION", "NONE"]},
            "online": {"type": "bool", "default": False},
            "allow_data_loss": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run(module, apply, database="name")


if __name__ == "__main__":
    main()
