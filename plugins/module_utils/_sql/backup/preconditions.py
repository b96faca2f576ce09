# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups that cannot be, told before anything is done."""

from __future__ import annotations

from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.errors import RecoveryError
from ..._core.retention_rules import Rules
from ..connection.session import Session
from ..instance.databases import read_database

__all__ = ["check_options", "require_backupable"]

MOST_STRIPES = 64
"""Devices of one backup (error 3205)."""


def check_options(params: dict[str, Any], *, windows: bool) -> None:
    """Raises RecoveryError for options that contradict each other. windows: whether it is known how to reach the
    Windows of the server.
    """
    if params["kind"] == BackupKind.DIFFERENTIAL and params["copy_only"]:
        raise RecoveryError("SQL Server ignores copy_only for differential backups", advice="Leave out one of the two")
    if params["copy_only"] and params["missing_base"] == BackupKind.FULL:
        raise RecoveryError(
            "A copy-only backup is no base, so 'missing_base: full' and 'copy_only' exclude each other",
            advice="Leave out one of the two",
        )
    if not 1 <= params["stripes"] <= MOST_STRIPES:
        raise RecoveryError(f"'stripes' is at least 1 and at most {MOST_STRIPES}")
    for option in ("retention", "copy_retention"):
        Rules.from_options(params[option], option=option)
    if params["copy_retention"] and not params["copy_to"]:
        raise RecoveryError(
            "'copy_retention' needs 'copy_to', the folder that it is about", advice="Give both, or none"
        )
    for option in ("stage_path", "manifest_beside"):
        if params[option] not in (None, "auto", "false") and not windows:
            raise RecoveryError(
                f"'{option}' needs the Windows of the server, and how to reach that is not known",
                advice="Let the task target the server's host, with ansible_connection winrm (or psrp), or give "
                "winrm_host, winrm_user and winrm_password",
            )
    if params["stage_path"]:
        _check_stage(params)
    other = params["copy_share_user"]
    if (
        other
        and params["share_user"] not in (None, other)
        and _server(params["copy_to"])
        and _server(params["copy_to"]) == _server(params["path"])
    ):
        raise RecoveryError(
            f"'path' and 'copy_to' are on {_server(params['path'])}, which Windows uses under one account only",
            advice="Leave out 'copy_share_user', and give 'share_user' rights on both",
        )


def _check_stage(params: dict[str, Any]) -> None:
    if not params["path"]:
        raise RecoveryError(
            "'stage_path' needs 'path', the folder that the backup is carried to", advice="Give both, or none"
        )
    if params["stage_path"].startswith("\\\\"):
        raise RecoveryError(
            f"'stage_path' is a share, {params['stage_path']}", advice="Give a folder on a disk of the server"
        )
    if _same(params["stage_path"], params["path"]) or _same(params["stage_path"], params["copy_to"]):
        raise RecoveryError(
            f"'stage_path' is the folder that the backup is carried to, {params['stage_path']}",
            advice="Name another folder",
        )


def require_backupable(session: Session, kind: BackupKind) -> dict[str, Any]:
    """The database, or a sentence about why it cannot be backed up like that."""
    params, host = session.params, session.connection.target.server
    database = read_database(session.connection, params["database"])
    if database is None:
        raise RecoveryError(
            f"There is no database {params['database']} on {host}",
            advice="sql_info lists the databases of the instance",
        )
    if database["mirroring"].get("role") == "MIRROR":
        raise RecoveryError(
            f"Database {database['name']} on {host} is a mirror and cannot be backed up", advice="Back up the principal"
        )
    if database["state"] != "ONLINE":
        raise RecoveryError(
            f"Database {database['name']} on {host} is {database['state']}, not ONLINE: no backup of it would be whole",
            advice="Restore it with sql_restore, which also tries to save the tail of its log",
        )
    if database["name"].lower() == "tempdb":
        raise RecoveryError(
            "SQL Server takes no backup of the database tempdb (error 3147)", advice="It is made anew at each start"
        )
    if kind == BackupKind.DIFFERENTIAL and database["name"].lower() == "master":
        raise RecoveryError(
            "SQL Server takes only full backups of the database master (error 3024)", advice="Use 'kind: full' for it"
        )
    if kind.is_log and database["recovery_model"] == "SIMPLE":
        raise RecoveryError(
            f"Database {database['name']} on {host} has the recovery model SIMPLE, which keeps no log to back up",
            advice="Set it to FULL (in the inventory prs_database_recovery_model: FULL and provision_prs; else "
            "sql_database) and take a full backup, or take "
            "full and differential backups only",
        )
    return database


def _server(path: str | None) -> str:
    """The server that a path on a share is on; empty for all others."""
    return path[2:].partition("\\")[0].lower() if path and path.startswith("\\\\") else ""


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.rstrip("\\").lower() == other.rstrip("\\").lower()
