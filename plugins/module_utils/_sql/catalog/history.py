# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of backups that an instance keeps in msdb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._core.backup.backup_set import BackupKind, guid
from ..._core.backup.catalog import BackupCatalog, from_history
from ..connection.connection import Connection
from ..connection.errors import SqlError

__all__ = [
    "LastRestore",
    "last_restore",
    "read_history",
    "remembered_family",
    "restored_full",
    "standby_position",
]

_FAMILY = """
SELECT TOP (1) m.family_guid
FROM (
    SELECT s.backup_start_date AS moment, s.family_guid
    FROM sys.databases AS d
    JOIN msdb.dbo.backupset AS s ON s.database_name = d.name AND s.server_name = @@SERVERNAME
        AND s.backup_start_date >= DATEADD(minute, -1, d.create_date)
    WHERE d.name = ?
    UNION ALL
    SELECT h.restore_date AS moment, s.family_guid
    FROM sys.databases AS d
    JOIN msdb.dbo.restorehistory AS h ON h.destination_database_name = d.name AND h.restore_date >= DATEADD(minute, -1,
        d.create_date)
    JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id
    WHERE d.name = ?
) AS m
ORDER BY m.moment DESC
"""
# Times of backups and restores have whole seconds, and a restore begins before its database is made: hence the minute.

_RESTORES = """
SELECT TOP (2) h.stop_at, h.stop_at_mark_name, s.type, s.last_lsn, s.first_recovery_fork_guid, s.last_recovery_fork_guid
FROM sys.databases AS d
JOIN msdb.dbo.restorehistory AS h ON h.destination_database_name = d.name AND h.restore_date >= DATEADD(minute, -1,
    d.create_date)
JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id
WHERE d.name = ?
ORDER BY h.restore_history_id DESC
"""

_LAST_RESTORE = """
SELECT TOP (1) s.backup_set_uuid, s.last_lsn, s.family_guid, f.physical_device_name AS path
FROM sys.databases AS d
JOIN msdb.dbo.restorehistory AS h ON h.destination_database_name = d.name AND h.restore_date >= DATEADD(minute, -1,
    d.create_date)
JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id
LEFT JOIN msdb.dbo.backupmediafamily AS f ON f.media_set_id = s.media_set_id
WHERE d.name = ?
ORDER BY h.restore_history_id DESC
"""

_LAST_FULL = _LAST_RESTORE.replace("ORDER BY", f"    AND s.type = '{BackupKind.FULL.letter}'\nORDER BY")

DOING = "Cannot read the history of backups in msdb"


@dataclass(frozen=True, kw_only=True)
class LastRestore:
    """The backup that was restored last: its last LSN, its family, and where it lay (one file of a striped one; empty
    where msdb does not say).
    """

    lsn: int
    family: str
    path: str


def read_history(
    connection: Connection, *, database: str | None = None, family_guid: str | None = None
) -> BackupCatalog:
    """What msdb knows of the backups of one database, or of all. It says where they were written, not that they are
    still there.

    database: whatever the database was called when the others were made; it is known by its family.
    """
    condition, values = "", ()
    if family_guid:
        condition, values = "WHERE s.family_guid = ?", (family_guid,)
    elif database:
        condition, values = (
            "WHERE s.family_guid IN (SELECT n.family_guid FROM msdb.dbo.backupset AS n WHERE n.database_name = ?)",
            (database,),
        )
    join = "JOIN msdb.dbo.backupset AS s ON s.media_set_id = f.media_set_id"
    sets = connection.query(f"SELECT s.* FROM msdb.dbo.backupset AS s {condition}", *values, doing=DOING)  # noqa: S608  constants only
    families = connection.query(
        "SELECT DISTINCT f.media_set_id, f.family_sequence_number, f.mirror, f.physical_device_name, f.device_type "  # noqa: S608
        f"FROM msdb.dbo.backupmediafamily AS f {join} {condition}",
        *values,
        doing=DOING,
    )
    return from_history(sets, families)


def remembered_family(connection: Connection, database: str) -> str | None:
    """The family of a database that does not open, from its backups and restores: the server's own views tell it of
    open ones alone.
    """
    rows = _remembered(connection, _FAMILY, database, database)
    return str(rows[0]["family_guid"]) if rows and rows[0]["family_guid"] else None


def standby_position(connection: Connection, database: str) -> tuple[int, str] | None:
    """The LSN and the recovery fork from which the next log of a standby database is needed, from the restores that
    msdb remembers.

    The server's own views tell them of a RESTORING database alone. A log that was stopped inside counts as not
    restored: what the database has of it already is passed over when it is restored again.
    """
    rows = _remembered(connection, _RESTORES, database)
    if not rows:
        return None
    last = rows[0]
    stopped = last["type"].strip() == BackupKind.LOG.letter and (last["stop_at"] or last["stop_at_mark_name"])
    if not stopped:
        return int(last["last_lsn"]), guid(last["last_recovery_fork_guid"])
    return (int(rows[1]["last_lsn"]), guid(last["first_recovery_fork_guid"])) if len(rows) > 1 else None


def last_restore(connection: Connection, database: str) -> LastRestore | None:
    """The backup that was restored last, as far as msdb knows; None where it does not, or may not be asked."""
    for row in _remembered(connection, _LAST_RESTORE, database):
        return LastRestore(lsn=int(row["last_lsn"]), family=guid(row["family_guid"]), path=str(row["path"] or ""))
    return None


def restored_full(connection: Connection, database: str) -> str:
    """GUID of the full backup that a RESTORING database began with, so that a differential on it can follow, after logs
    as well; empty where msdb does not know it.

    The server's own differential_base_guid will not do: after a copy-only full it is that of the full before.
    """
    rows = _remembered(connection, _LAST_FULL, database)
    return guid(rows[0]["backup_set_uuid"]) if rows else ""


def _remembered(connection: Connection, question: str, *values: str) -> list[dict[str, Any]]:
    """What msdb answers; nothing where it may not be asked: a login may restore without rights on msdb."""
    try:
        return connection.query(question, *values)
    except SqlError as problem:
        if problem.lost:
            raise
        return []
