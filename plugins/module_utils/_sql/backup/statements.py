# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BACKUP: the statement, its run, its confirmation in msdb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.backup.backup_set import BackupKind, BackupSet, Copy, backup_set_from_history
from ..._core.errors import RecoveryError
from ..connection.connection import Connection, Message, Question
from ..connection.percent import STEP, show_percent
from ..connection.quoting import compose, quote_text
from ..connection.session import Session
from ..instance.backup_encryption import encryption_option
from ..instance.folders import from_disk

__all__ = [
    "backup_statement",
    "confirmed",
    "confirmed_report",
    "newest_backup_id",
    "newest_question",
    "take_backup",
]

_NEWEST = "SELECT MAX(backup_set_id) AS newest FROM msdb.dbo.backupset"

_HISTORY = """
SELECT s.*, f.physical_device_name, f.mirror
FROM msdb.dbo.backupset AS s
JOIN msdb.dbo.backupmediafamily AS f ON f.media_set_id = s.media_set_id
WHERE s.backup_set_id > ? AND s.database_name = ?
  AND s.media_set_id IN (SELECT w.media_set_id FROM msdb.dbo.backupmediafamily AS w WHERE w.physical_device_name = ?)
ORDER BY s.backup_set_id DESC, f.mirror, f.family_sequence_number
"""
"""A row for each stripe of each copy."""


def backup_statement(
    *,
    database: str,
    kind: BackupKind,
    files: Sequence[str],
    copy_only: bool = False,
    compression: bool | None = None,
    checksum: bool = True,
    overwrite: bool = False,
    name: str | None = None,
    description: str | None = None,
    encryption: Mapping[str, str] | None = None,
    mirror: Sequence[str] = (),
) -> str:
    """BACKUP as T-SQL.

    compression None: as the instance is configured. encryption: certificate,
    algorithm. mirror: as many files as `files`, for a second copy written at the same time; SQL Server makes it on new
    media only.
    """
    options = []
    if kind == BackupKind.DIFFERENTIAL:
        options.append("DIFFERENTIAL")
    if copy_only:
        options.append("COPY_ONLY")
    options += ["FORMAT", "INIT"] if overwrite or mirror else ["NOFORMAT", "NOINIT"]
    if name:
        options.append(f"NAME = {quote_text(name, what='name of the backup')}")
    if description:
        options.append(f"DESCRIPTION = {quote_text(description, what='description')}")
    if compression is not None:
        options.append("COMPRESSION" if compression else "NO_COMPRESSION")
    if encryption:
        options.append(encryption_option(encryption))
    options += ["CHECKSUM" if checksum else "NO_CHECKSUM", f"STATS = {STEP}"]
    head = compose("BACKUP LOG {database}" if kind.is_log else "BACKUP DATABASE {database}", database=database)
    second = f" MIRROR TO {from_disk(mirror)}" if mirror else ""
    return f"{head} TO {from_disk(files)}{second} WITH {', '.join(options)}"


def take_backup(session: Session, statement: str, *, database: str) -> list[Message]:
    """Run a BACKUP; shows its progress."""
    shower = show_percent(session.progress, f"backup of {database}")
    return session.change(
        statement,
        doing=f"The backup of database {database} on {session.connection.target.server} failed",
        on_message=shower,
    )


def newest_question() -> Question:
    """What C(newest_backup_id) asks."""
    return (_NEWEST,)


def newest_backup_id(connection: Connection) -> int:
    """The number that msdb gave last; whatever is backed up from now on gets a higher one."""
    return (
        connection.value(
            _NEWEST,
            doing="Cannot read the history of backups in msdb",
        )
        or 0
    )


def confirmed(
    connection: Connection, *, database: str, files: Sequence[str], mirror: Sequence[str] = (), after: int
) -> tuple[BackupSet, int]:
    """The set that msdb has of a backup just taken, and its position in the files.

    after: what `newest_backup_id` said before. Raises RecoveryError when msdb knows nothing of it: then there is no
    backup, whatever the statement's silence says.
    """
    rows = connection.query(_HISTORY, after, database, files[0], doing="Cannot read the history of backups in msdb")
    if not rows:
        raise RecoveryError(
            f"BACKUP of database {database} on {connection.target.server} ended without an error, but msdb knows "
            f"nothing of a backup in {files[0]}",
            code="unconfirmed",
            advice="Do not rely on that file: look into the server's error log, and run again",
        )
    row, written = rows[0], dict[int, list[str]]()
    for stripe in rows:
        if stripe["backup_set_id"] == row["backup_set_id"]:
            written.setdefault(stripe["mirror"] or 0, []).append(stripe["physical_device_name"])
    if [_folded(copy) for copy in written.values()] != [_folded(copy) for copy in (files, mirror) if copy]:
        existing = ", ".join(path for copy in written.values() for path in copy)
        raise RecoveryError(
            f"msdb has the backup of {database} in {existing}, not in {', '.join((*files, *mirror))}",
            code="unconfirmed",
            advice="Look into the server's error log",
        )
    copies = tuple(Copy(stripes=tuple(copy), position=row["position"]) for copy in written.values())
    return backup_set_from_history(row, copies=copies), row["position"]


def confirmed_report(backup_set: BackupSet, *, files: Sequence[str], verified: bool) -> dict[str, Any]:
    """What a report says of a backup that was written and read back. files: where it is in the end."""
    return {
        "sets": [{**backup_set.to_dict(), "files": list(files)}],
        "first_lsn": backup_set.first_lsn,
        "last_lsn": backup_set.last_lsn,
        "family_guid": backup_set.family_guid,
        "size": backup_set.compressed_size,
        "finished_at": backup_set.finished.isoformat(),
        "verified": verified,
    }


def _folded(files: Sequence[str]) -> list[str]:
    return sorted(map(str.lower, files))
