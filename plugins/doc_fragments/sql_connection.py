# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How a module reaches SQL Server. The argument spec is sql_connection_argument_spec() of
    module_utils/_sql/module.py.
    """

    DOCUMENTATION = r"""
options:
  login_host:
    description:
      - Name or address of the server.
      - By default the address of the task's own host, C(ansible_host) or the name in the inventory.
      - The server's certificate must be valid for this name. Give O(certificate_name) when it is not, for example for
        an IP address.
    type: str
  login_port:
    description:
      - TCP port of the instance.
      - By default V(1433), or what the server's browser service answers when O(login_instance) is given.
    type: int
  login_instance:
    description:
      - Name of a named instance. Not needed when O(login_port) is given.
    type: str
  login_user:
    description:
      - SQL login. Backups need membership of C(db_backupoperator), restores C(dbcreator); everything that the
        collection does needs C(sysadmin).
    type: str
    required: true
  login_password:
    description:
      - Password of O(login_user).
    type: str
    required: true
  encrypt:
    description:
      - How the connection is encrypted.
      - V(mandatory) encrypts everything and verifies the server's certificate.
      - V(strict) does the same from the first byte (TDS 8.0), for SQL Server 2022 and later.
      - V(optional) encrypts the login only, unless the server demands more, and does not verify the server.
    type: str
    choices: [mandatory, strict, optional]
    default: mandatory
  certificate_name:
    description:
      - Name that the server's certificate must be valid for, when it is not O(login_host).
    type: str
  ca_file:
    description:
      - File on the control node with the certificates (PEM) of the authorities to trust.
      - By default the authorities that the control node's operating system trusts.
    type: path
  driver:
    description:
      - ODBC driver, as a path or as a name that C(odbcinst -q -d) shows.
      - By default Microsoft's driver from the Python package C(mssql-python-odbc), else an installed C(ODBC Driver 18
        for SQL Server) or C(17), else C(FreeTDS).
    type: str
  connect_timeout:
    description:
      - Seconds to wait until the server has answered the login.
    type: int
    default: 15
requirements:
  - pyodbc (on the control node)
  - mssql-python-odbc, or another ODBC driver for SQL Server (on the control node)
notes:
  - Give what all tasks have in common, above all O(login_user), O(login_password) and O(ca_file), once, as
    C(module_defaults) of the group C(group/prs.recovery.sql).
"""
