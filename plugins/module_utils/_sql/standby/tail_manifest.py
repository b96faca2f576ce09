# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest beside a tail: by it recovery sets know the tail as a part of the chain of log backups.

Imported by runs alone that reach the Windows of their server.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from ..._core.backup.backup_set import BackupSet
from ..._core.backup.catalog import assemble
from ..._core.backup.file_names import MANIFEST_FORMAT
from ..._core.errors import RecoveryError
from ..._core.windows_paths import base_name, safe_name
from ..backup.delivery import Delivery
from ..backup.statements import confirmed_report
from ..catalog.headers import read_file
from ..connection.session import Session
from ..instance.folders import find_files
from ..instance.windows_host import Windows
from ..restore.tail_log import MARK

__all__ = ["describe_tail"]


def describe_tail(session: Session, database: str, folder: str, *, ends_at: int) -> None:
    """Write the manifest of the tail in a folder that ends at an LSN, unless it is there. The database serves by then:
    what fails is a warning.
    """
    try:
        _describe(session, database, folder, ends_at=ends_at)
    except RecoveryError as problem:
        if problem.lost:
            raise
        session.warnings.append(
            f"No manifest could be written beside the tail of {database} in {folder}, so recovery sets do not know "
            f"it ({problem.message}). Take a full backup soon"
        )


def _describe(session: Session, database: str, folder: str, *, ends_at: int) -> None:
    beginning = f"{safe_name(database)}{MARK}".lower()
    tails = [path for path in find_files(session.connection, folder) if base_name(path).lower().startswith(beginning)]
    with closing(Windows(session)) as windows:
        if not tails or not windows.reaches(folder):
            return
        delivery = Delivery(session, windows, overwrite=False)
        for path in tails:
            if delivery.manifest_guid(path):
                continue
            for backup_set in assemble([read_file(session.connection, path)]).sets:
                if backup_set.last_lsn == ends_at and not backup_set.problem:
                    delivery.deliver(_report(backup_set, path), [path], copied=False)


def _report(backup_set: BackupSet, path: str) -> dict[str, Any]:
    """As sql_backup reports of its own. It was restored, and so read to its end."""
    return {
        "format": MANIFEST_FORMAT,
        "database": backup_set.database,
        "server": backup_set.server,
        "kind": backup_set.kind.value,
        "copy_only": backup_set.copy_only,
        "files": [path],
        **confirmed_report(backup_set, files=[path], verified=True),
    }
