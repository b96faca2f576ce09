# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup folder that SQL Server reads and removes from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ..._core.backup.backup_set import BackupSet
from ..._core.backup.catalog import BackupCatalog, assemble
from ..._core.backup.file_names import is_beside, manifest_name
from ..._core.errors import RecoveryError
from ..catalog.headers import read_files
from ..catalog.verification import reading_problem
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.quoting import quote_text
from ..connection.session import Session
from ..instance.folders import is_file, list_files

if TYPE_CHECKING:
    from ..instance.windows_host import Windows

__all__ = ["ServerBackupFolder"]


class ServerBackupFolder:
    """A folder that SQL Server reads. windows: for what it cannot remove, where that is known."""

    def __init__(self, session: Session, path: str, *, windows: Windows | None = None) -> None:
        self.path = path
        self._session = session
        self._windows = windows if windows and windows.reaches(path) else None
        self._there: set[str] = set()

    def inventory(self, *, zone: dt.tzinfo) -> BackupCatalog:
        connection = self._session.connection
        files = list_files(connection, self.path)
        self._there = {file.lower() for file in files if is_beside(file)}
        return assemble(
            read_files(connection, [file for file in files if not is_beside(file)], progress=self._session.progress),
            zone=zone,
        )

    def reading_problem(self, backup_set: BackupSet) -> str:
        copy = backup_set.best_copy
        if copy is None:
            return backup_set.problem
        self._session.progress.line(f"reading back {copy.stripes[0]}")
        return reading_problem(self._session, backup_set, copy)

    def beside(self, file: str) -> list[str]:
        there = manifest_name(file).lower() in self._there
        if there and self._windows is None:
            self._session.warnings.append(
                f"{manifest_name(file)} stays, because only Windows removes it: let the task target the server's "
                "host, reached over WinRM"
            )
        return [manifest_name(file)] if there and self._windows else []

    def remove(self, file: str) -> None:
        """A backup by what SQL Server's own Maintenance Cleanup Task runs; that has no documentation, so whether it is
        gone is looked at.
        """
        session = self._session
        if is_beside(file):
            self._remove_by_windows(file)
            return
        try:
            session.change(
                f"EXEC master.dbo.xp_delete_file 0, {quote_text(file, what='path')}",
                doing=f"The backup is complete, but {file} cannot be removed",
            )
        except SqlError as problem:
            if problem.lost or not self._windows:
                raise
        if session.check_mode or not is_file(session.connection, file):
            return
        if not self._windows:
            raise _not_removed(session.connection, file)
        self._remove_by_windows(file)

    def end(self) -> None:
        pass

    def _remove_by_windows(self, file: str) -> None:
        if self._windows is None:
            raise RuntimeError("only asked for where Windows is there")
        self._windows.files(self.path).remove(file)


def _not_removed(connection: Connection, file: str) -> RecoveryError:
    return RecoveryError(
        f"The backup is complete, but SQL Server on {connection.target.server} did not remove {file}",
        code="incomplete",
        advice="Give its service account the right to delete there, or let the task target the server's host over "
        "WinRM, whose account "
        "can remove it; or leave out the retention",
    )
