# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What backup files say about themselves, read with nothing but queries."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..._core.backup.backup_set import Copy, label
from ..._core.backup.catalog import FileReading, same_path
from ..._core.errors import RecoveryError
from ..._core.windows_paths import base_name, device_path, parent, same_folder
from ..._progress import Progress
from ..connection.connection import Connection, connect
from ..connection.errors import SqlError
from ..connection.quoting import quote_text
from ..instance.folders import from_disk

__all__ = ["find_newer_files", "identify_files", "read_file", "read_file_list", "read_files"]

READERS, FILES_A_READER = 4, 8
"""Sessions that read headers at the same time, at most, and files for which another one is worth its opening."""

_IDENTITIES = """
SELECT {top}full_filesystem_path AS path, size_in_bytes AS size, creation_time AS created, last_write_time AS written
FROM sys.dm_os_enumerate_filesystem({folder}, {pattern})
WHERE is_directory = 0
"""


def identify_files(connection: Connection, folder: str) -> dict[str, str]:
    """Size and times of the files in a folder and below it, by path in lower case: what changes when another file takes
    the place of one.

    Empty where the server does not tell: before SQL Server 2017, or without VIEW SERVER STATE. The function is not
    documented.
    """
    return {same_path(path): identity for path, identity in _enumerate(connection, folder)}


def find_newer_files(connection: Connection, folder: str, *, pattern: str, most: int) -> dict[str, str]:
    """The same by path as it is spelled, of at most so many files in the folder itself whose names fit a search pattern
    of Windows, so that neither the server nor who asks goes through the others.
    """
    files = _enumerate(connection, folder, pattern=pattern, top=f"TOP ({most}) ")
    return {
        device_path(folder, base_name(path)): identity for path, identity in files if same_folder(parent(path), folder)
    }


def _enumerate(connection: Connection, folder: str, *, pattern: str = "*", top: str = "") -> list[tuple[str, str]]:
    """(path, identity) each."""
    place, names = quote_text(folder, what="path"), quote_text(pattern, what="search pattern")
    try:
        rows = connection.query(_IDENTITIES.format(top=top, folder=place, pattern=names))
    except SqlError as problem:
        if problem.lost:
            raise
        return []
    return [(row["path"], f"{row['size']} {row['created']} {row['written']}") for row in rows]


def read_files(connection: Connection, paths: Iterable[str], *, progress: Progress) -> list[FileReading]:
    """What each file says about itself, in their order; many files are read by several sessions at the same time."""
    paths = list(paths)
    waiting = deque(enumerate(paths))
    readings: list[FileReading | None] = [None] * len(paths)

    def read(session: Connection) -> None:
        while True:
            try:
                number, path = waiting.popleft()
            except IndexError:
                return
            progress.line(f"reading {path} ({number + 1} of {len(paths)})")
            try:
                readings[number] = read_file(session, path)
            except BaseException:
                waiting.clear()  # the others need not go on
                raise

    with _readers(connection, len(paths)) as sessions:
        if len(sessions) == 1:
            read(connection)
        else:
            from concurrent.futures import ThreadPoolExecutor  # most runs read few files and do not pay for it

            with ThreadPoolExecutor(len(sessions)) as pool:
                for done in [pool.submit(read, session) for session in sessions]:
                    done.result()
    return [reading for reading in readings if reading is not None]


@contextmanager
def _readers(connection: Connection, files: int) -> Iterator[list[Connection]]:
    """Sessions like this one, this one first. One that cannot be opened is done without."""
    sessions = [connection]
    try:
        while len(sessions) < min(READERS, -(-files // FILES_A_READER)):
            try:
                sessions.append(connect(connection.target))
            except RecoveryError:
                break
            sessions[-1].account = connection.account
        yield sessions
    finally:
        for session in sessions[1:]:
            session.close()


def read_file(connection: Connection, path: str) -> FileReading:
    """Label and headers of one file. A file that is no backup, or that cannot be read, is a reading with a problem."""
    source = f"FROM {from_disk([path])}"
    try:
        labels = connection.query(f"RESTORE LABELONLY {source}")
        headers = connection.query(f"RESTORE HEADERONLY {source}")
    except SqlError as problem:
        if problem.lost:
            raise
        reason = problem.advice or problem.text
        if problem.os_error:
            reason = f"it cannot be read: operating system error {problem.os_error}. {problem.advice}"
        return FileReading(path=path, problem=reason, os_error=problem.os_error)
    return FileReading(path=path, label=label(labels[0]) if labels else None, headers=headers)


def read_file_list(connection: Connection, copy: Copy) -> list[dict[str, Any]]:
    """The rows of RESTORE FILELISTONLY of one set; all stripes are needed."""
    statement = f"RESTORE FILELISTONLY FROM {from_disk(copy.stripes)} WITH FILE = {copy.position}"
    return connection.query(statement, doing=f"Cannot read which files the backup {copy.stripes[0]} holds")
