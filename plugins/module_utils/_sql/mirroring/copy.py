# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what tells whether a RESTORING database at the mirror's place holds more than the principal."""

from __future__ import annotations

from typing import Any

from ..._core.mirroring.copy import PrincipalHistory, RestoringCopy, forks_of
from ..catalog.history import remembered_family
from ..connection.connection import Connection
from ..instance.databases import read_database

__all__ = ["read_copy", "read_history_of_forks"]

_STATUS = """
SELECT r.family_guid, r.recovery_fork_guid, r.first_recovery_fork_guid, r.fork_point_lsn
FROM sys.databases AS d
JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
WHERE d.name = ?
"""

_FORKS = """
SELECT DISTINCT first_recovery_fork_guid, last_recovery_fork_guid, fork_point_lsn
FROM msdb.dbo.backupset
WHERE database_name = ? AND fork_point_lsn IS NOT NULL
"""

_GIVEN_UP = """
SELECT b.last_recovery_fork_guid AS fork
FROM msdb.dbo.backupset AS b
WHERE b.database_name = ? AND b.server_name = CAST(SERVERPROPERTY('ServerName') AS nvarchar(128))
GROUP BY b.last_recovery_fork_guid
HAVING MAX(b.backup_finish_date) <= (
    SELECT MAX(h.restore_date) FROM msdb.dbo.restorehistory AS h
    WHERE h.destination_database_name = ? AND h.restore_type = 'D' AND h.[replace] = 1
)
"""


def read_copy(connection: Connection, database: str) -> RestoringCopy:
    """The copy on the server that is to be the mirror. Its family only msdb tells while it is not open."""
    copy = read_database(connection, database) or {"files": []}
    positions = [int(file["redo_start_lsn"]) for file in copy["files"] if file["redo_start_lsn"]]
    forks = [str(file["redo_start_fork_guid"]).lower() for file in copy["files"] if file["redo_start_fork_guid"]]
    return RestoringCopy(
        server=connection.target.server,
        position=max(positions, default=0) or None,
        fork=forks[0] if forks else "",
        family=_lower(copy.get("family_guid") or remembered_family(connection, database)),
    )


def read_history_of_forks(connection: Connection, database: str) -> PrincipalHistory:
    """Which recovery forks the principal came over: its own status tells the newest two, msdb what was backed up."""
    doing = f"Cannot read the recovery forks of {database}"
    status = connection.row(_STATUS, database, doing=doing) or {}
    rows = [
        (status.get("first_recovery_fork_guid"), status.get("recovery_fork_guid"), _lsn(status.get("fork_point_lsn"))),
        *(
            (row["first_recovery_fork_guid"], row["last_recovery_fork_guid"], _lsn(row["fork_point_lsn"]))
            for row in connection.query(_FORKS, database, doing=doing)
        ),
    ]
    return PrincipalHistory(
        server=connection.target.server,
        family=_lower(status.get("family_guid")),
        fork=_lower(status.get("recovery_fork_guid")),
        forks=forks_of(rows),
        given_up=frozenset(
            _lower(row["fork"]) for row in connection.query(_GIVEN_UP, database, database, doing=doing) if row["fork"]
        ),
    )


def _lower(guid: Any) -> str:
    return str(guid or "").lower()


def _lsn(value: Any) -> int | None:
    return None if value is None else int(value)
