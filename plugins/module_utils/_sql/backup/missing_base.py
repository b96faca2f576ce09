# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a differential or log backup has a base, and the full backup that is taken where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.errors import RecoveryError, sentences
from ..._core.text import counted
from ..connection.connection import Connection, Question
from ..connection.session import Session
from .options import BackupOptions

__all__ = ["backup_name", "base_problem", "base_question", "kind_to_take"]

_BASES = """
SELECT (SELECT COUNT(*) FROM sys.master_files AS f WHERE f.database_id = d.database_id AND f.type = 0) AS data_files,
       (SELECT COUNT(*) FROM sys.master_files AS f WHERE f.database_id = d.database_id
           AND f.differential_base_lsn IS NOT NULL) AS differential_bases,
       (SELECT COUNT(*) FROM sys.master_files AS f JOIN msdb.dbo.backupset AS s
           ON s.backup_set_uuid = f.differential_base_guid
           OR (s.database_name = d.name AND s.type = 'D' AND s.checkpoint_lsn = f.differential_base_lsn)
           WHERE f.database_id = d.database_id AND f.type = 0 AND s.is_snapshot = 1) AS snapshot_bases,
       r.family_guid, r.last_log_backup_lsn
FROM sys.databases AS d
LEFT JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
WHERE d.name = ?
"""

_SUBSTITUTES = """
SELECT TOP (1) CONVERT(nvarchar(19), s.backup_finish_date, 126) AS finished, DATEDIFF(second, s.backup_finish_date,
    GETDATE()) AS age
FROM msdb.dbo.backupset AS s
WHERE s.database_name = ? AND s.family_guid = ? AND s.type = ? AND s.name IN (?, ?)
ORDER BY s.backup_set_id DESC
"""

LONGEST_NAME = 128
"""Characters of a backup set's name."""

HOUR = 3600


def backup_name(database: str, kind: BackupKind, substitute_for: BackupKind | None = None) -> str:
    """The name that a set gets; by it a later run finds in msdb the fulls that were taken in place of
    something else.
    """
    tail = f" {kind} instead of {substitute_for}" if substitute_for else f" {kind}"
    return database[: LONGEST_NAME - len(tail)] + tail


@dataclass(frozen=True, kw_only=True)
class BaseProblem:
    """Why a backup has nothing to continue. recurs: it happens by itself again and again, and costs more than full
    backups do.
    """

    text: str
    advice: str = ""
    recurs: bool = False


def base_question(database: str) -> Question:
    """What C(base_problem) asks."""
    return _BASES, database


def base_problem(connection: Connection, database: str, kind: BackupKind) -> BaseProblem | None:
    """What is wrong with the base of a differential or log backup; None where it has one, and where the login may not
    see it: then the server decides.
    """
    if not kind.needs_base:
        return None
    base = connection.row(*base_question(database), doing=f"Cannot read what backups of {database} are based on")
    if base is None:
        return None
    host = connection.target.server
    if not kind.is_log and base["snapshot_bases"]:
        return BaseProblem(
            text=f"The full backup of database {database} on {host} that a {kind} backup would continue is a snapshot "
            "taken by other backup software (VSS), which RESTORE cannot read",
            advice="Have that software take copy-only backups of databases",
            recurs=True,
        )
    if kind.is_log:
        has_base = base["family_guid"] is None or base["last_log_backup_lsn"] is not None
    else:
        has_base = not base["data_files"] or base["differential_bases"] > 0
    if has_base:
        return None
    return BaseProblem(
        text=f"There is no full backup of database {database} on {host} that a {kind} backup could continue (SQL "
        f"Server error {kind.missing_base_error})"
    )


def kind_to_take(session: Session, options: BackupOptions, database: dict[str, Any]) -> BackupKind:
    """The kind that was asked for, or a full one where that has no base and O(missing_base=full).

    Warns of the change. Raises RecoveryError where there is no base and no full may be taken in its place.
    """
    connection, kind, name = session.connection, options.kind, database["name"]
    problem = base_problem(connection, name, kind)
    if problem is None:
        return kind
    if options.missing_base == "fail":
        raise RecoveryError(
            problem.text,
            code="wrong_state",
            advice=sentences(
                problem.advice,
                "Run sql_backup with 'kind: full' first, or let 'missing_base: full' take one instead",
            ),
        )
    if not problem.recurs:
        _refuse_second_substitute(connection, options, database, problem)
    session.warnings.append(
        sentences(
            problem.text,
            f"A full backup {'would be' if session.check_mode else 'was'} taken instead",
            problem.advice,
        )
    )
    return BackupKind.FULL


def _refuse_second_substitute(
    connection: Connection, options: BackupOptions, database: dict[str, Any], problem: BaseProblem
) -> None:
    """Raises RecoveryError where a full backup was already taken in place of something else a short while ago."""
    name = database["name"]
    hours = options.min_full_interval_hours
    names = [
        backup_name(name, BackupKind.FULL, substituted) for substituted in BackupKind.taken() if substituted.needs_base
    ]
    previous = connection.row(
        _SUBSTITUTES,
        name,
        database["family_guid"],
        BackupKind.FULL.letter,
        *names,
        doing="Cannot read the history of backups in msdb",
    )
    if previous is not None and previous["age"] < hours * HOUR:
        raise RecoveryError(
            f"{problem.text}, and one was already taken instead at {previous['finished']} (the server's time), less "
            f"than {counted(hours, 'hour')} ago",
            code="wrong_state",
            advice="Find out what ends the chain again and again: the recovery model being switched, or the "
            "database being restored; then run "
            "sql_backup with 'kind: full'",
        )
