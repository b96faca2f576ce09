# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks options and database before a backup."""

from __future__ import annotations

from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.errors import RecoveryError
from ..._core.windows_paths import same_folder
from ..connection.session import Session
from ..instance.databases import read_database
from .options import BackupOptions

__all__ = ["check_options", "require_backupable"]

MOST_STRIPES = 64
"""Devices of one backup (error 3205)."""


def check_options(options: BackupOptions, *, windows: bool) -> None:
    """Raises RecoveryError for options that contradict each other. windows: whether it is known how to reach the
    Windows of the server.
    """
    if options.kind == BackupKind.DIFFERENTIAL and options.copy_only:
        raise RecoveryError(
            "SQL Server ignores copy_only for differential backups",
            code="option_invalid",
            advice="Leave out one of the two",
        )
    if options.copy_only and options.missing_base == BackupKind.FULL:
        raise RecoveryError(
            "A copy-only backup is no base, so 'missing_base: full' and 'copy_only' exclude each other",
            code="option_invalid",
            advice="Leave out one of the two",
        )
    if not 1 <= options.stripes <= MOST_STRIPES:
        raise RecoveryError(f"'stripes' is at least 1 and at most {MOST_STRIPES}", code="option_invalid")
    if options.copy_retention and not options.copy_to:
        raise RecoveryError(
            "'copy_retention' needs 'copy_to', the folder that it is about",
            code="option_invalid",
            advice="Give both, or none",
        )
    for option, value in (("stage_path", options.stage_path), ("manifest_beside", options.manifest_beside)):
        if value not in (None, "auto", "false") and not windows:
            raise RecoveryError(
                f"'{option}' needs the Windows of the server, and how to reach that is not known",
                code="option_invalid",
                advice="Let the task target the server's host, with ansible_connection winrm (or psrp), or give "
                "winrm_host, winrm_user and winrm_password",
            )
    if options.stage_path:
        _check_stage(options)
    other = options.copy_share_user
    if (
        other
        and options.share_user not in (None, other)
        and _server(options.copy_to)
        and _server(options.copy_to) == _server(options.path)
    ):
        raise RecoveryError(
            f"'path' and 'copy_to' are on {_server(options.path)}, which Windows uses under one account only",
            code="option_invalid",
            advice="Leave out 'copy_share_user', and give 'share_user' rights on both",
        )


def _check_stage(options: BackupOptions) -> None:
    if not options.path:
        raise RecoveryError(
            "'stage_path' needs 'path', the folder that the backup is delivered to",
            code="option_invalid",
            advice="Give both, or none",
        )
    if options.stage_path.startswith("\\\\"):
        raise RecoveryError(
            f"'stage_path' is a share, {options.stage_path}",
            code="option_invalid",
            advice="Give a folder on a disk of the server",
        )
    if same_folder(options.stage_path, options.path or "") or same_folder(options.stage_path, options.copy_to or ""):
        raise RecoveryError(
            f"'stage_path' is the folder that the backup is delivered to, {options.stage_path}",
            code="option_invalid",
            advice="Name another folder",
        )


def require_backupable(session: Session, options: BackupOptions) -> dict[str, Any]:
    """The database, or a sentence about why it cannot be backed up like that."""
    kind, host = options.kind, session.connection.target.server
    database = read_database(session.connection, options.database)
    if database is None:
        raise RecoveryError(
            f"There is no database {options.database} on {host}",
            code="not_found",
            advice="sql_info lists the databases of the instance",
        )
    if database["mirroring"].get("role") == "MIRROR":
        raise RecoveryError(
            f"Database {database['name']} on {host} is a mirror and cannot be backed up",
            code="wrong_state",
            advice="Back up the principal",
        )
    if database["state"] != "ONLINE":
        raise RecoveryError(
            f"Database {database['name']} on {host} is {database['state']}, not ONLINE: no backup of it would be whole",
            code="wrong_state",
            advice="Restore it with sql_restore, which also tries to save the tail of its log",
        )
    if database["name"].lower() == "tempdb":
        raise RecoveryError(
            "SQL Server takes no backup of the database tempdb (error 3147)",
            code="option_invalid",
            advice="It is made anew at each start",
        )
    if kind == BackupKind.DIFFERENTIAL and database["name"].lower() == "master":
        raise RecoveryError(
            "SQL Server takes only full backups of the database master (error 3024)",
            code="option_invalid",
            advice="Use 'kind: full' for it",
        )
    if kind.is_log and database["recovery_model"] == "SIMPLE":
        raise RecoveryError(
            f"Database {database['name']} on {host} has the recovery model SIMPLE, which keeps no log to back up",
            code="wrong_state",
            advice="Set it to FULL (in the inventory prs_database_recovery_model: FULL and provision_prs; else "
            "sql_database) and take a full backup, or take "
            "full and differential backups only",
        )
    return database


def _server(path: str | None) -> str:
    """The server that a path on a share is on; empty for all others."""
    return path[2:].partition("\\")[0].lower() if path and path.startswith("\\\\") else ""
