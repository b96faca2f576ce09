# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one of the two servers of a warm standby says of the database."""

from __future__ import annotations

from datetime import datetime

from ..._core.backup.backup_set import guid
from ..._core.standby.failover import Side
from ..catalog.history import read_history
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.session import Session
from ..restore.destination import Destination

__all__ = ["moment_of", "read_side"]

_LOG_BACKED_UP_TO = """
SELECT r.last_log_backup_lsn
FROM sys.databases AS d
JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
WHERE d.name = ?
"""


def read_side(session: Session, database: str) -> tuple[Destination, Side]:
    """The database as a restore knows it, and as the plan of a failover wants it."""
    destination = Destination(session, database)
    destination.read(may_open=False)
    info, server = destination.info, session.connection.target.server
    if info is None:
        return destination, Side(server=server)
    existing = destination.facts()
    begins = session.connection.row(
        _LOG_BACKED_UP_TO, database, doing=f"Cannot read where the next log backup of {database} begins"
    )
    fork = guid(info["recovery_fork_guid"]) or (existing.redo_start_fork if existing else "")
    return destination, Side(
        server=server,
        state=info["state"],
        is_in_standby=destination.is_in_standby,
        recovery_model=info["recovery_model"],
        family=guid(info["family_guid"]),
        mirrored=bool(info["mirroring"]),
        fork=fork,
        parent_fork=guid(info["first_recovery_fork_guid"]),
        fork_point_lsn=int(info["fork_point_lsn"]) if info["fork_point_lsn"] else None,
        stands_at=existing.redo_start_lsn if existing and existing.is_restoring else None,
        log_backed_up_to=int(begins["last_log_backup_lsn"]) if begins and begins["last_log_backup_lsn"] else None,
    )


def moment_of(connection: Connection, database: str, *, lsn: int | None) -> datetime | None:
    """The moment up to which a standby that stands at an LSN surely has everything, as msdb remembers the backup that
    ends there; None where it does not.
    """
    try:
        sets = read_history(connection, database=database).sets
    except SqlError as problem:  # a login may restore without rights on msdb
        if problem.lost:
            raise
        return None
    return max((entry.covered_until for entry in sets if lsn is not None and entry.last_lsn == lsn), default=None)
