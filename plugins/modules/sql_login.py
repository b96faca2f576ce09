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
      - Hashes of SQL Server 2025, V(0x0300...), fit that version and later ones alone.
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
  default_language:
    description:
      - Language of a session of this login, which decides how it reads dates such as V(01/02/2026). Its name, as
        C(sys.syslanguages) has it, V(us_english) or V(British).
    type: str
  check_policy:
    description:
      - Whether the password policy of Windows applies. For SQL logins only.
      - SQL Server takes O(password_hash) for an existing login only while it does not, so it is lifted for that moment.
    type: bool
  check_expiration:
    description:
      - Whether the password expires. An application's login whose password expires stops working one day. For SQL
        logins only.
    type: bool
  disabled:
    description:
      - Whether nobody can sign in by this login. A Windows group cannot be disabled.
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.login_run import apply
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec


def main() -> None:
    user = {
        "name": {"type": "str", "required": True},
        "user": {"type": "str"},
        "schema": {"type": "str"},
        "roles": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(failover_partner=True),
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
            "default_language": {"type": "str"},
            "check_policy": {"type": "bool"},
            "check_expiration": {"type": "bool"},
            "disabled": {"type": "bool"},
            "server_roles": {"type": "list", "elements": "str"},
            "databases": {"type": "list", "elements": "dict", "options": user},
        },
        mutually_exclusive=[("password", "password_hash")],
        supports_check_mode=True,
    )
    run(module, apply)


if __name__ == "__main__":
    main()
