#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sql_info
short_description: Read what an instance of SQL Server is and holds
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Reads the instance, its databases, logins, endpoints and certificates, and returns them.
  - Proves at the same time that the instance can be reached, encrypted as asked, with the given login.
options:
  gather_subset:
    description:
      - What to read. The instance itself is always read.
      - V(password_hashes) are secrets. Give such a task C(no_log), and keep its result encrypted.
    type: list
    elements: str
    choices: [databases, logins, endpoints, certificates, mirroring, password_hashes]
    default: [databases, logins, endpoints, certificates]
extends_documentation_fragment:
  - prs.recovery.sql_connection
  - prs.recovery.sql_partner.failover
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
seealso:
  - module: prs.recovery.sql_database
  - module: prs.recovery.sql_backup_info
"""

EXAMPLES = r"""
- name: Read everything
  prs.recovery.sql_info:
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    ca_file: /etc/prs/ca.pem
  register: instance

- name: The server must have the collation that Password Reset Server asks for
  ansible.builtin.assert:
    that: instance.server.collation == 'SQL_Latin1_General_CP1_CI_AS'

- name: Ask a server that is not in the inventory
  prs.recovery.sql_info:
    login_host: sql-old.example.com
    login_user: prs_recovery
    login_password: "{{ prs_sql_admin_password }}"
    gather_subset: [databases]
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
server:
  description: The instance.
  returned: always
  type: dict
  contains:
    name:
      description: The name that the server gives itself, with its instance if it is a named one.
      type: str
      sample: SQL01
    host_name:
      description: Name of the Windows host.
      type: str
    instance:
      description: Name of the instance; V(null) for the default instance.
      type: str
    version:
      description: Version, four numbers.
      type: str
      sample: 15.0.4430.1
    version_major:
      description: First number of the version. 11 is SQL Server 2012, 13 is 2016, 14 is 2017, 15 is 2019, 16 is 2022.
      type: int
    build:
      description: Third number of the version.
      type: int
    level:
      description: RTM or service pack.
      type: str
    edition:
      description: Edition as the server calls it.
      type: str
      sample: Standard Edition (64-bit)
    engine_edition:
      description: Number of the edition's kind. 2 is Standard, 3 Enterprise, 4 Express.
      type: int
    collation:
      description: Collation of the server.
      type: str
    mixed_mode:
      description: Whether SQL logins are accepted beside Windows accounts.
      type: bool
    default_data_path:
      description: Folder for new data files.
      type: str
    default_log_path:
      description: Folder for new log files.
      type: str
    default_backup_path:
      description: Folder for backups.
      type: str
    database_version:
      description: Version of the inner format of databases. A backup with a higher one cannot be restored here.
      type: int
    backup_compression:
      description: Whether the edition can write compressed backups.
      type: bool
    sysadmin:
      description: Whether the login has the server role sysadmin.
      type: bool
    encrypted_connection:
      description: Whether this session was encrypted; V(null) where the login may not ask.
      type: bool
databases:
  description: All databases, system ones included.
  returned: when O(gather_subset) holds V(databases)
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    database_id:
      description: Number on this instance.
      type: int
    state:
      description: For example V(ONLINE), V(RESTORING), V(RECOVERY_PENDING), V(SUSPECT), V(OFFLINE).
      type: str
    recovery_model:
      description: V(FULL), V(BULK_LOGGED) or V(SIMPLE).
      type: str
    collation:
      description: Collation; V(null) while the database is not open.
      type: str
    owner:
      description: Login that owns the database; V(null) when the server knows no such login.
      type: str
    compatibility_level:
      description: Compatibility level.
      type: int
    page_verify:
      description: V(CHECKSUM), V(TORN_PAGE_DETECTION) or V(NONE).
      type: str
    user_access:
      description: V(MULTI_USER), V(SINGLE_USER) or V(RESTRICTED_USER).
      type: str
    read_only:
      description: Whether the database is read-only.
      type: bool
    standby:
      description: Whether the database can be read while it waits for further log backups.
      type: bool
    created:
      description: When the database was made or last restored, in the server's local time.
      type: str
    system:
      description: Whether it belongs to SQL Server itself.
      type: bool
    snapshot:
      description: Whether it is a snapshot of another database.
      type: bool
    family_guid:
      description: Identity of the database. It survives a restore, under another name too.
      type: str
    database_guid:
      description: Identity of this copy of the database.
      type: str
    recovery_fork_guid:
      description: Recovery path that the database is on.
      type: str
    first_recovery_fork_guid:
      description: Recovery path that it left for that one, where it was restored or its mirror was forced to serve.
      type: str
    fork_point_lsn:
      description: The LSN at which it left it.
      type: str
    size_bytes:
      description: Size of all its files.
      type: int
    files:
      description: Its files, each with C(name), C(path), C(type), C(state), C(size_bytes), C(redo_start_lsn) and
        C(redo_start_fork_guid).
      type: list
      elements: dict
    last_full_backup:
      description: When the newest full backup ended, copy-only ones aside, in the server's local time.
      type: str
    last_differential_backup:
      description: The same for differential backups.
      type: str
    last_log_backup:
      description: The same for log backups.
      type: str
    mirroring:
      description: The mirroring session with C(guid), C(state), C(role), C(safety_level), C(partner_name) and more;
        empty without one.
      type: dict
logins:
  description: SQL logins, Windows accounts and Windows groups.
  returned: when O(gather_subset) holds V(logins)
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    sid:
      description: Security identifier as a hexadecimal number.
      type: str
      sample: "0x6F1A5C2F9C1E4A4EA1B6D2F1B8C0A7E3"
    type:
      description: V(SQL_LOGIN), V(WINDOWS_LOGIN) or V(WINDOWS_GROUP).
      type: str
    disabled:
      description: Whether the login is disabled.
      type: bool
    default_database:
      description: Database that a session of this login starts in.
      type: str
    default_language:
      description: Language of its messages.
      type: str
    check_policy:
      description: Whether the password policy of Windows applies; V(null) for Windows accounts.
      type: bool
    check_expiration:
      description: Whether the password expires; V(null) for Windows accounts.
      type: bool
    created:
      description: When it was made, in the server's local time.
      type: str
    server_roles:
      description: Server roles it is a member of.
      type: list
      elements: str
endpoints:
  description: Endpoints for mirroring and availability groups, each with C(name), C(state), C(port), C(role),
    C(authentication), C(encryption),
      C(certificate).
  returned: when O(gather_subset) holds V(endpoints)
  type: list
  elements: dict
mirroring:
  description: Mirroring sessions of the instance's databases.
  returned: when O(gather_subset) holds V(mirroring)
  type: list
  elements: dict
  contains:
    database:
      description: Name of the database.
      type: str
    role:
      description: V(PRINCIPAL) or V(MIRROR).
      type: str
    state:
      description: V(SYNCHRONIZED), V(SYNCHRONIZING), V(SUSPENDED) or V(DISCONNECTED).
      type: str
    safety:
      description: V(FULL) or V(OFF).
      type: str
    partner:
      description: Address of the partner's endpoint.
      type: str
    partner_instance:
      description: Name of the partner, which clients are told.
      type: str
    witness:
      description: Address of the witness, empty without one.
      type: str
    witness_state:
      description: V(CONNECTED), V(DISCONNECTED) or V(UNKNOWN), empty without one.
      type: str
    healthy:
      description: Whether the session protects as it should.
      type: bool
    problems:
      description: What is wrong, in words.
      type: list
      elements: str
    lag:
      description:
        - How far the mirror is behind, with C(unsent_kb), C(unrestored_kb), C(caught_up_to) and C(measured_at) (the
          server's local time).
        - Empty where the login may not ask the mirroring monitor. Asking it writes a row into its table in C(msdb), as
          its job does.
      type: dict
password_hashes:
  description: What the server keeps in place of the passwords of SQL logins, by the name of the login, for C(CREATE
    LOGIN ... WITH PASSWORD = 0x... HASHED).
  returned: when O(gather_subset) holds V(password_hashes)
  type: dict
certificates:
  description: Certificates in master, each with C(name), C(subject), C(thumbprint), C(expires), C(private_key).
  returned: when O(gather_subset) holds V(certificates)
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.databases import read_databases
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.logins import read_logins, read_password_hashes
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.mirroring_session import read_mirroring
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.server import (
    read_certificates,
    read_endpoints,
    read_server_and_session,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.module import run, sql_connection_argument_spec

READERS = {
    "databases": read_databases,
    "logins": read_logins,
    "endpoints": read_endpoints,
    "certificates": read_certificates,
    "mirroring": read_mirroring,
    "password_hashes": read_password_hashes,
}
ALWAYS = [subset for subset in READERS if subset not in ("mirroring", "password_hashes")]
"""What is read when nothing is said; how far mirrors are behind costs the mirroring monitor a measurement, and hashes
are secrets.
"""


def gather(session: Session) -> dict[str, Any]:
    result = {
        subset: read(session.connection)
        for subset, read in READERS.items()
        if subset in session.params["gather_subset"]
    }
    return {"changed": False, "server": read_server_and_session(session.connection), **result}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **sql_connection_argument_spec(failover_partner=True),
            "gather_subset": {"type": "list", "elements": "str", "choices": list(READERS), "default": ALWAYS},
        },
        supports_check_mode=True,
    )
    run(module, gather)


if __name__ == "__main__":
    main()
