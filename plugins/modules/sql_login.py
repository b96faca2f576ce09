#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_login
short_description: Make, set up or remove a login and its users in databases
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Makes a login, by choice with a given SID, so that the users of a restored or mirrored database still belong to it.
  - Maps the login to users of databases, gives them roles, and repairs users whose login got lost in a restore
    (orphans).
  - What is not given is left as it is. Roles that a login or user has beside the given ones stay.
options:
  name:
    description:
      - Name of the login. A name with a backslash, C(DOMAIN\name), is a Windows account or group.
    type: str
    required: true
  state:
    description:
      - Whether the login should exist.
    type: str
    choices: [present, absent]
    default: present
  password:
    description:
      - Password of a SQL login. Needed to make one.
      - The server compares it with the one that the login has.
    type: str
  password_hash:
    description:
      - What another server keeps in place of the password, V(0x0200...), as M(prs.recovery.sql_info) reads it there
        with V(password_hashes). So both servers know the same password, which nobody has to tell.
      - It is a secret. Give such a task C(no_log).
    type: str
  update_password:
    description:
      - Whether an existing login whose password differs gets O(password) or O(password_hash).
    type: str
    choices: [always, on_create]
    default: always
  sid:
    description:
      - SID of a new SQL login, V(0x) and 32 hexadecimal digits, as M(prs.recovery.sql_info) shows it.
      - The SID of an existing login cannot be changed. A difference is an error.
    type: str
  default_database:
    description:
      - Database that a session of this login starts in.
    type: str
  check_policy:
    description:
      - Whether the password policy of Windows applies.
    type: bool
  check_expiration:
    description:
      - Whether the password expires. An application's login whose password expires stops working one day.
    type: bool
  server_roles:
    description:
      - Server roles that the login must be a member of, for example V(dbcreator).
    type: list
    elements: str
  databases:
    description:
      - Databases in which the login must be a user. They must be online.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the database.
        type: str
        required: true
      user:
        description: Name of the user, by default that of the login.
        type: str
      schema:
        description: Default schema of the user.
        type: str
      roles:
        description: Database roles that the user must be a member of, for example V(db_owner).
        type: list
        elements: str
        default: []
extends_documentation_fragment:
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner.failover
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Passwords are never shown.
seealso:
  - module: prs.recovery.sql_database
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: The application's login, the same on every server that may hold its database
  prs.recovery.sql_login:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    name: prs_app
    password: "{{ prs_app_login_password }}"
    sid: "0x6F1A5C2F9C1E4A4EA1B6D2F1B8C0A7E3"
    check_policy: true
    check_expiration: false
    databases:
      - name: PasswordResetServer
        roles: [db_owner]
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
login:
  description: The login as it is now, as RV(prs.recovery.sql_info#module:logins) describes it. Empty when there is
    none.
  returned: always
  type: dict
users:
  description: The users that the login is, by database, each with C(user), C(schema), C(roles) and C(repaired).
  returned: always
  type: dict
  sample: {"PasswordResetServer": {"user": "prs_app", "schema": "dbo", "roles": ["db_owner"], "repaired": true}}
statements:
  description: The changes as T-SQL, in their order, without passwords. In check mode those that would be made.
  returned: always
  type: list
  elements: str
  sample: ["ALTER USER [prs_app] WITH LOGIN = [prs_app]"]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.partner import failover_partner_options
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.quoting import quote_identifier
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import logins
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.databases import read_database
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import connection_options, run

COMPARED = ("default_database", "check_policy", "check_expiration")


def settle(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    params, name = session.params, session.params["name"]
    before = logins.read_login(session.connection, name)
    users: dict[str, Any] = {}
    if params["state"] == "absent":
        if before:
            logins.drop_login(session, name)
    else:
        new_password = _settle_login(session, before)
        known = logins.read_login(session.connection, name) or {
            "sid": params["sid"] and logins.normal_sid(params["sid"])
        }
        for wanted in params["databases"] or []:
            users[wanted["name"]] = _settle_user(session, wanted, sid=known["sid"])
    after = logins.read_login(session.connection, name)
    result = {"changed": session.changed, "login": after or {}, "users": users, "statements": session.statements}
    if params["state"] == "absent":
        return {**result, "diff": {"before": _compared(before, params), "after": {"state": "absent"}}}
    return {
        **result,
        "diff": {"before": _compared(before, params), "after": _wanted(before, params, new_password=new_password)},
    }


def _settle_login(session: Session, before: dict[str, Any] | None) -> bool:
    """The login itself; returns whether it gets a password."""
    params, name = session.params, session.params["name"]
    windows = "\\" in name
    if windows and (params["password"] or params["password_hash"] or params["sid"]):
        raise RecoveryError(
            f"{name} is a Windows account: its password and SID belong to Windows",
            advice="Leave out 'password' and 'sid'",
        )
    new_password = False
    if before is None:
        if not windows and not (params["password"] or params["password_hash"]):
            raise RecoveryError(f"A new SQL login {name} needs a password", advice="Set 'password'")
        settings = _settings({option: params[option] for option in COMPARED if params[option] is not None})
        logins.create_login(
            session,
            name,
            password=params["password"],
            password_hash=params["password_hash"],
            sid=params["sid"],
            settings=settings,
        )
        new_password = not windows
    else:
        if params["sid"] and logins.normal_sid(params["sid"]) != before["sid"]:
            raise RecoveryError(
                f"Login {name} on {session.connection.target.server} has the SID {before['sid']}, not "
                f"{params['sid']}, and a SID cannot be changed",
                advice="Remove the login with 'state: absent' and make it again; the users of databases follow "
                "through 'databases'",
            )
        if params["update_password"] == "always" and not _password_is(session, name):
            logins.set_password(session, name, password=params["password"], password_hash=params["password_hash"])
            new_password = True
        different = {
            option: params[option]
            for option in COMPARED
            if params[option] is not None and params[option] != before[option]
        }
        if different:
            logins.alter_login(session, name, _settings(different))
    for role in params["server_roles"] or []:
        if role not in (before or {"server_roles": []})["server_roles"]:
            logins.add_to_server_role(session, name, role)
    return new_password


def _password_is(session: Session, name: str) -> bool:
    """Whether the login has the password that is asked for, if one is."""
    password, password_hash = session.params["password"], session.params["password_hash"]
    if password_hash:
        return logins.normal_hash(password_hash) == logins.read_password_hashes(session.connection).get(name)
    return not password or logins.login_password_is(session.connection, name, password)


def _settings(values: dict[str, Any]) -> list[str]:
    """Words of WITH. A policy comes before the expiration that depends on it, and is switched off after it."""
    words = {
        "default_database": lambda value: f"DEFAULT_DATABASE = {quote_identifier(value)}",
        "check_policy": lambda value: f"CHECK_POLICY = {'ON' if value else 'OFF'}",
        "check_expiration": lambda value: f"CHECK_EXPIRATION = {'ON' if value else 'OFF'}",
    }
    return [words[option](values[option]) for option in COMPARED if option in values]


def _settle_user(session: Session, wanted: dict[str, Any], *, sid: str | None) -> dict[str, Any]:
    """The login's user in one database. sid: the login's; None while check mode has not made it."""
    name, database = session.params["name"], wanted["name"]
    _require_online(session, database)
    users = logins.database_users(session.connection, database)
    mapped = next((user for user, facts in users.items() if sid and facts["sid"] == sid), None)
    user = wanted["user"] or mapped or name
    if mapped == "dbo":
        return {
            "user": "dbo",
            "schema": "dbo",
            "roles": ["db_owner"],
            "repaired": False,
        }  # the owner needs no user and no role
    if mapped and mapped != user:
        raise RecoveryError(
            f"Login {name} is already the user {mapped} of database {database}, not {user}",
            advice="Leave out 'user', or remove that user first",
        )
    there = users.get(user)
    repaired = False
    if there is None:
        logins.create_user(session, database, user=user, login=name, schema=wanted["schema"])
    elif not mapped:
        logins.map_user(session, database, user=user, login=name)
        repaired = True
    if there and wanted["schema"] and there["schema"] != wanted["schema"]:
        logins.set_schema(session, database, user=user, schema=wanted["schema"])
    has = there["roles"] if there else []
    for role in wanted["roles"]:
        if role not in has:
            logins.add_to_role(session, database, user=user, role=role)
    return {
        "user": user,
        "schema": wanted["schema"] or (there or {}).get("schema"),
        "roles": sorted({*has, *wanted["roles"]}),
        "repaired": repaired,
    }


def _require_online(session: Session, database: str) -> None:
    there = read_database(session.connection, database)
    if there is None or there["state"] != "ONLINE":
        state = "does not exist" if there is None else f"is {there['state']}"
        raise RecoveryError(
            f"Database {database} on {session.connection.target.server} {state}: no user can be mapped there",
            advice="Restore it first with sql_restore, or leave it out of 'databases'",
        )


def _compared(login: dict[str, Any] | None, params: dict[str, Any]) -> dict[str, Any]:
    if login is None:
        return {"state": "absent"}
    compared = {option: login[option] for option in (*COMPARED, "sid") if params[option] is not None}
    if params["server_roles"]:
        compared["server_roles"] = login["server_roles"]
    return {"state": "present", **compared}


def _wanted(before: dict[str, Any] | None, params: dict[str, Any], *, new_password: bool) -> dict[str, Any]:
    wanted = {option: params[option] for option in COMPARED if params[option] is not None}
    if params["sid"]:
        wanted["sid"] = logins.normal_sid(params["sid"])
    if params["server_roles"]:
        wanted["server_roles"] = sorted({*(before or {"server_roles": []})["server_roles"], *params["server_roles"]})
    if new_password:
        wanted["password_set"] = True
    return {"state": "present", **wanted}


def main() -> None:
    user = {
        "name": {"type": "str", "required": True},
        "user": {"type": "str"},
        "schema": {"type": "str"},
        "roles": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            **connection_options(),
            **failover_partner_options(),
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "password": {"type": "str", "no_log": True},
            "password_hash": {"type": "str", "no_log": True},
            "update_password": {
                "type": "str",
                "choices": ["always", "on_create"],
                "default": "always",
                "no_log": False,
            },
            "sid": {"type": "str"},
            "default_database": {"type": "str"},
            "check_policy": {"type": "bool"},
            "check_expiration": {"type": "bool"},
            "server_roles": {"type": "list", "elements": "str"},
            "databases": {"type": "list", "elements": "dict", "options": user},
        },
        mutually_exclusive=[("password", "password_hash")],
        supports_check_mode=True,
    )
    run(module, settle)


if __name__ == "__main__":
    main()
