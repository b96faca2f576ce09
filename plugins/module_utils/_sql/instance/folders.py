# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders and files, as the service account of SQL Server sees them, looked at with nothing but queries."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.advice.sql_server import advice_for
from ..._core.backup.file_names import is_beside
from ..._core.errors import RecoveryError
from ..._core.windows_paths import device_path
from ..connection.connection import Connection, Question
from ..connection.errors import SqlError
from ..connection.quoting import quote_text
from ..connection.session import Session
from .server import service_account

__all__ = [
    "PATH_NOT_FOUND",
    "find_files",
    "folder_question",
    "from_disk",
    "is_file",
    "is_folder",
    "list_files",
    "listing_error",
    "provide_folder",
    "remove_backup_file",
    "require_folder",
]

DEEPEST = 8
"""Levels of folders below the given one that are looked into."""

FILE_NOT_FOUND, PATH_NOT_FOUND, NO_MORE_FILES = 2, 3, 18
EMPTY = (FILE_NOT_FOUND, NO_MORE_FILES)
"""What Windows says of a folder, such as a drive's root, in which nothing is found."""


def from_disk(files: Iterable[str]) -> str:
    """FROM DISK = N'...', DISK = N'...' of a RESTORE, or what follows TO of a BACKUP."""
    return ", ".join(f"DISK = {quote_text(file, what='path')}" for file in files)


def listing_error(connection: Connection, folder: str) -> SqlError | None:
    """Why the service account cannot list a folder, or None when it can.

    xp_dirtree answers "empty" in all these cases; xp_subdirs passes on what Windows says (22006), and leaves nothing in
    the server's error log, as opening a backup that is not there would (18204). Neither is documented. Whether the
    account may write there only writing tells.
    """
    try:
        connection.query(*folder_question(folder))
    except SqlError as problem:
        if problem.lost or problem.os_error is None:
            raise
        return None if problem.os_error in EMPTY else problem
    return None


def folder_question(folder: str) -> Question:
    """What C(listing_error), and whatever stands on it, asks."""
    return (f"EXEC master.sys.xp_subdirs {quote_text(folder, what='path')}",)


def _unusable(connection: Connection, folder: str, problem: SqlError) -> RecoveryError:
    """The same as a message for a person: which folder, for whom, why, what to do."""
    return problem.reworded(
        f"SQL Server on {connection.target.server} cannot use the folder {folder} "
        f"(operating system error {problem.os_error})",
        advice=advice_for(problem.number, problem.text, account=service_account(connection)),
    )


def require_folder(connection: Connection, folder: str) -> None:
    """Raises RecoveryError unless the service account sees a folder there. Whether it may write there only writing
    tells.
    """
    problem = listing_error(connection, folder)
    if problem:
        raise _unusable(connection, folder, problem)


def provide_folder(session: Session, folder: str) -> None:
    """See to it that the service account sees a folder; one that is only missing is made."""
    problem = listing_error(session.connection, folder)
    if problem and problem.os_error == PATH_NOT_FOUND:
        session.change(
            f"EXEC master.sys.xp_create_subdir {quote_text(folder, what='path')}",
            doing=f"Cannot make the folder {folder}",
        )
    elif problem:
        raise _unusable(session.connection, folder, problem)


def is_file(connection: Connection, path: str) -> bool:
    """Whether the service account sees a file there. False as well where it may not look."""
    row = connection.row(
        f"EXEC master.sys.xp_fileexist {quote_text(path, what='path')}", doing=f"Cannot look for the file {path}"
    )
    return bool(row and row["File Exists"])


def is_folder(connection: Connection, path: str) -> bool:
    """Whether the service account sees a folder there, however much lies in it. False as well where it may not look."""
    row = connection.row(
        f"EXEC master.sys.xp_fileexist {quote_text(path, what='path')}", doing=f"Cannot look for the folder {path}"
    )
    return bool(row and row["File is a Directory"])


def find_files(connection: Connection, folder: str) -> list[str]:
    """All files in a folder and below it, whatever they are called, except what this collection leaves
    beside backups.
    """
    return [file for file in list_files(connection, folder) if not is_beside(file)]


def remove_backup_file(session: Session, file: str, *, doing: str) -> None:
    """Remove a backup by what SQL Server's own Maintenance Cleanup Task runs. Raises RecoveryError.

    That procedure has no documentation, and says nothing of a file that it left: see is_file.
    """
    session.change(f"EXEC master.dbo.xp_delete_file 0, {quote_text(file, what='path')}", doing=doing)
    if not session.check_mode and is_file(session.connection, file):
        raise RecoveryError(
            f"{doing}: SQL Server on {session.connection.target.server} did not remove it",
            code="incomplete",
            advice="Give its service account the right to delete there",
        )


def list_files(connection: Connection, folder: str) -> list[str]:
    """All files in a folder and below it. Raises RecoveryError where the service account cannot look."""
    result = list(_walk(connection, folder, levels=DEEPEST))
    if not result:
        require_folder(connection, folder)
    return result


def _walk(connection: Connection, folder: str, *, levels: int) -> Iterable[str]:
    rows = connection.query(
        f"EXEC master.sys.xp_dirtree {quote_text(folder, what='path')}, 1, 1", doing=f"Cannot list the folder {folder}"
    )
    for row in sorted(rows, key=lambda row: row["subdirectory"].lower()):
        path = device_path(folder, row["subdirectory"])
        if row["file"]:
            yield path
        elif levels:
            yield from _walk(connection, path, levels=levels - 1)
