# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found out about data and log files, as the results of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..binary.values import lsn_number, lsn_text
from .database_file import DatabaseFile
from .judgement import FILE_KINDS, FoundDatabase

__all__ = ["database_report", "file_report", "needed_release"]


def file_report(path: str, file: DatabaseFile) -> dict[str, Any]:
    """A file by itself. Page and block counts are there only where they were checked."""
    header, check, log_check = file.header, file.page_check, file.log_check
    report: dict[str, Any] = {
        "path": path,
        "kind": file.kind.value,
        "size": file.size,
        "modified": file.modified or None,
        "file_id": header.file_id if header else None,
        "logical_name": header.logical_name if header else None,
        "binding_id": header.binding_id if header else None,
        "problems": [sentence for _fault, sentence in file.faults],
        "faults": sorted({fault.value for fault, _sentence in file.faults}),
    }
    if check:
        report["pages"] = {
            "total": check.pages,
            "damaged": check.damages,
            "unused": check.unused,
            "without_checksum": check.states["unprotected"],
            "named": [f"{page.file_id}:{page.number} {page.what} ({page.type})" for page in check.damaged],
        }
    if log_check:
        report["blocks"] = {
            "total": log_check.blocks,
            "with_checksum": log_check.protected,
            "damaged": list(log_check.bad),
        }
    return report


def database_report(database: FoundDatabase, files: Mapping[str, DatabaseFile]) -> dict[str, Any]:
    """A database that some of the files are of. Times are local ones of its last server."""
    boot = database.boot
    primary = next((files[name] for name in database.names if files[name].is_primary), None)
    report: dict[str, Any] = {
        "files": list(database.names),
        "attach": database.attach.value,
        "attach_code": database.attach.name.lower(),
        "sureness": database.sureness.value,
        "log": database.log,
        "log_fit": database.log_fit.value,
        "copies": database.copies,
        "missing": [{"kind": kind, "logical_name": name, "path": path} for kind, name, path in database.missing],
        "problems": list(database.reasons),
        "name": None,
        "tables": [
            {"schema": table.schema, "name": table.name, "rows": table.rows, "compressed": table.compressed}
            for table in (primary.tables if primary else None) or ()
        ],
        "listed_files": [
            {
                "file_id": listed.file_id,
                "kind": FILE_KINDS.get(listed.kind, str(listed.kind)),
                "logical_name": listed.logical_name,
                "path": listed.path,
            }
            for listed in (primary.files if primary else None) or ()
        ],
    }
    if boot:
        report |= {
            "name": boot.name,
            "version": boot.version,
            "needs": needed_release(boot.release, boot.version),
            "clean": boot.clean,
            "recovery_model": boot.recovery_model,
            "page_verify": boot.page_verify,
            "compatibility_level": boot.compatibility_level,
            "collation": boot.collation,
            "single_user": boot.single_user,
            "read_only": boot.read_only,
            "checkpoint_lsn": lsn_number(boot.checkpoint),
            "checkpoint": lsn_text(boot.checkpoint),
            "family_guid": boot.family_guid,
            "recovery_fork_guid": boot.recovery_fork_guid,
            "last_log_backup": boot.last_log_backup.isoformat() if boot.last_log_backup else None,
            "full_backup_lsn": boot.full_backup_lsn,
            "last_good_checkdb": boot.last_check.isoformat() if boot.last_check else None,
            "build": boot.build,
        }
    return report


def needed_release(release: str | None, version: int) -> str:
    """The oldest SQL Server that attaches the files, in words."""
    return f"SQL Server {release} or later" if release else f"a SQL Server that knows version {version}"
