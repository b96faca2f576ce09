# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one mirroring endpoint of an instance: read, made, altered, and who may connect to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..connection.connection import Connection
from ..connection.quoting import compose
from ..connection.session import Session

__all__ = ["alter_endpoint", "create_endpoint", "drop_endpoint", "grant_connect", "read_endpoint"]

_ENDPOINT = """
SELECT e.endpoint_id, e.name, e.state_desc, t.port, e.role_desc, e.connection_auth_desc, e.encryption_algorithm_desc,
    c.name AS certificate
FROM sys.database_mirroring_endpoints AS e
JOIN sys.tcp_endpoints AS t ON t.endpoint_id = e.endpoint_id
LEFT JOIN master.sys.certificates AS c ON c.certificate_id = e.certificate_id
"""

_CONNECT = """
SELECT l.name
FROM sys.server_permissions AS p
JOIN sys.server_principals AS l ON l.principal_id = p.grantee_principal_id
WHERE p.class = 105 AND p.major_id = ? AND p.permission_name = 'CONNECT' AND p.state IN ('G', 'W')
ORDER BY l.name
"""

_WORDS = {"AES": "REQUIRED ALGORITHM AES", "NONE, AES": "SUPPORTED ALGORITHM AES", "NONE": "DISABLED"}


def read_endpoint(connection: Connection) -> dict[str, Any] | None:
    """The endpoint with C(connect), the logins that were granted CONNECT on it; None when there is none."""
    row = connection.row(_ENDPOINT, doing="Cannot read the mirroring endpoint")
    if row is None:
        return None
    return {
        "name": row["name"],
        "state": row["state_desc"],
        "port": row["port"],
        "role": row["role_desc"],
        "authentication": row["connection_auth_desc"],
        "encryption": row["encryption_algorithm_desc"],
        "certificate": row["certificate"],
        "connect": [
            entry["name"]
            for entry in connection.query(
                _CONNECT, row["endpoint_id"], doing="Cannot read who may connect to the endpoint"
            )
        ],
    }


def create_endpoint(session: Session, name: str, wanted: Mapping[str, Any]) -> None:
    head = compose("CREATE ENDPOINT {endpoint}", endpoint=name)
    session.change(
        f"{head} STATE = {wanted['state']} AS TCP (LISTENER_PORT = {wanted['port']}) FOR DATABASE_MIRRORING ("
        f"{_authentication(wanted)}, ENCRYPTION = {_WORDS[wanted['encryption']]}, ROLE = {wanted['role']})",
        doing=f"Cannot create the endpoint {name} on {session.connection.target.server}",
    )


def alter_endpoint(session: Session, name: str, differences: Sequence[str], wanted: Mapping[str, Any]) -> None:
    """One statement for the port, one for all that belongs to mirroring, one for the state: nothing else is touched."""
    head = compose("ALTER ENDPOINT {endpoint}", endpoint=name)
    mirroring = []
    if {"authentication", "certificate"} & set(differences):
        mirroring.append(_authentication(wanted))
    if "encryption" in differences:
        mirroring.append(f"ENCRYPTION = {_WORDS[wanted['encryption']]}")
    if mirroring or "role" in differences:  # the grammar wants it whenever something of mirroring is said
        mirroring.append(f"ROLE = {wanted['role']}")
    clauses = [f"AS TCP (LISTENER_PORT = {wanted['port']})"] if "port" in differences else []
    clauses += [f"FOR DATABASE_MIRRORING ({', '.join(mirroring)})"] if mirroring else []
    clauses += [f"STATE = {wanted['state']}"] if "state" in differences else []
    for clause in clauses:
        session.change(
            f"{head} {clause}", doing=f"Cannot alter the endpoint {name} on {session.connection.target.server}"
        )


def _authentication(wanted: Mapping[str, Any]) -> str:
    if wanted["authentication"] == "CERTIFICATE":
        return compose("AUTHENTICATION = CERTIFICATE {certificate}", certificate=wanted["certificate"])
    return "AUTHENTICATION = WINDOWS NEGOTIATE"


def grant_connect(session: Session, name: str, login: str) -> None:
    session.change(
        compose("GRANT CONNECT ON ENDPOINT::{endpoint} TO {login}", endpoint=name, login=login),
        doing=f"Cannot let {login} connect to the endpoint {name}",
    )


def drop_endpoint(session: Session, name: str) -> None:
    session.change(compose("DROP ENDPOINT {endpoint}", endpoint=name), doing=f"Cannot remove the endpoint {name}")
