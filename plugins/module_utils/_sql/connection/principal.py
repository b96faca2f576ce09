# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to whichever of two servers is the principal: Microsoft's ODBC driver on Linux does not follow a mirror
by itself.
"""

from __future__ import annotations

from dataclasses import replace

from ..._core.errors import RecoveryError
from ..._core.mirroring.principal import DatabaseRole, choose, is_certain
from .connection import Connection, ServerAddress, connect
from .errors import ConnectionFailed, SqlError

__all__ = ["connect_to_principal"]

_STANDING = """
SELECT d.state_desc, m.mirroring_role_desc, m.mirroring_state_desc
FROM sys.databases AS d
LEFT JOIN sys.database_mirroring AS m ON m.database_id = d.database_id
WHERE d.name = ?
"""

LOGIN_REFUSED = (18452, 18456, 18470, 18486, 18487, 18488)
"""Errors that another server would not answer otherwise; a wrong password shall not lock the account on both."""

SHORT = 5
"""Seconds for a partner that is asked only to be sure that it is not principal, too."""


def connect_to_principal(
    first: ServerAddress, partner: ServerAddress, database: str
) -> tuple[Connection, DatabaseRole]:
    """The session, and what its server says of the database. Raises RecoveryError when neither can be worked on."""
    ours, first_role = _ask(first, database, refusal_ends=True)
    if ours is not None and is_certain(first_role):
        return ours, first_role
    other = None
    try:
        if first_role.serves:
            partner = replace(partner, connect_timeout=min(SHORT, partner.connect_timeout))
        other, partner_role = _ask(partner, database, refusal_ends=False)
        chosen = choose(first_role, partner_role, database=database)
    except RecoveryError:
        _close(ours, other)
        raise
    connection, left = (ours, other) if chosen is first_role else (other, ours)
    _close(left)
    if connection is None:
        raise AssertionError(f"{chosen.server} could not be asked, and was chosen all the same")
    return connection, chosen


def _ask(target: ServerAddress, database: str, *, refusal_ends: bool) -> tuple[Connection | None, DatabaseRole]:
    """refusal_ends: whether a refused login is raised, or is only why this server could not be asked."""
    try:
        connection = connect(target, may_be_down=True)
    except ConnectionFailed as problem:
        if refusal_ends and problem.number in LOGIN_REFUSED:
            raise
        return None, DatabaseRole(server=target.server, problem=problem.message)
    try:
        row = connection.row(_STANDING, database, doing=f"Cannot read the mirroring of {database} on {target.server}")
    except SqlError as problem:
        connection.close()
        if not problem.lost:
            raise
        return None, DatabaseRole(server=target.server, problem=problem.message)
    if row is None:
        return connection, DatabaseRole(server=target.server)
    return connection, DatabaseRole(
        server=target.server,
        state=row["state_desc"],
        role=row["mirroring_role_desc"] or "",
        session=row["mirroring_state_desc"] or "",
    )


def _close(*connections: Connection | None) -> None:
    for connection in connections:
        if connection is not None:
            connection.close()
