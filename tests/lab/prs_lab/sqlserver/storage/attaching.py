"""CREATE DATABASE ... FOR ATTACH: files that nobody has open become a database, if they belong together."""

from __future__ import annotations

import os
import pathlib
from dataclasses import replace

from ...windows.errors import WinError
from ..catalog.store import METADATA
from ..errors import SqlError
from ..host_protocol import Files
from . import lsn as lsns
from .boot import Boot, Fork, new_guid
from .database import Database
from .datafile import DataFile
from .lifecycle import cannot_create, make_file, start
from .logfile import LogFile, read_log_boot
from .pages import PAGE

__all__ = ["AttachRefused", "attach", "cannot_open", "read_primary"]


class AttachRefused(SqlError):
    """1813; `notes` are informational messages (number, text) that come before it."""

    def __init__(self, name: str, *, notes: tuple[tuple[int, str], ...] = ()) -> None:
        super().__init__(1813, f"Could not open new database '{name}'. CREATE DATABASE is aborted.", state=2)
        self.notes = notes


def cannot_open(path: str, error: WinError) -> SqlError:
    """5120."""
    return SqlError(
        5120,
        f'Unable to open the physical file "{path}". Operating system error {error.number}: '
        f'"{error.number}({error.text})".',
        state=101,
    )


def read_primary(files: Files, path: str) -> Boot | None:
    """What a primary data file says of its database; None when it is none, or damaged where it says so. Raises SqlError
    5120 when it cannot be opened, Unmodelled for another server's file.
    """
    return _read_primary(files, path)[0]


def _read_primary(files: Files, path: str) -> tuple[Boot | None, int]:
    """And how many pages the file should have."""
    try:
        data = DataFile(files.real_path(path, "rb"), read_only=True)
    except WinError as problem:
        raise cannot_open(path, problem) from problem
    try:
        return data.read_boot(), data.file_pages or 0
    finally:
        data.close()


def attach(
    *,
    name: str,
    files: Files,
    data_path: str,
    log_path: str,
    work: pathlib.Path,
    owner: str = "sqlservr",
) -> Database:
    """Both FOR ATTACH and FOR ATTACH_REBUILD_LOG: a log that is there is used, and where there is none one is made, if
    the database was shut down properly.

    Raises SqlError 5120 (a file cannot be opened), 5172 (no database file), 5125 (cut off), 5173 (the log of another
    database), 9003 (of another moment), 824 (damaged), AttachRefused (the log is needed).
    """
    try:
        boot = _primary(files, data_path)
        if files.exists(log_path):
            _check_log(boot, files, log_path)
    except SqlError as error:
        error.follow = (*error.follow, AttachRefused(name))
        raise
    if not files.exists(log_path):
        _make_log(name, boot, files, log_path)
    database = start(name=name, files=files, data_path=data_path, log_path=log_path, work=work, owner=owner)
    if database.state != "ONLINE" or _is_broken(database):
        database.crash()
        raise SqlError(
            824,
            f"SQL Server detected a logical consistency-based I/O error in file '{data_path}' or in '{log_path}'.",
            severity=24,
            state=2,
            follow=(AttachRefused(name),),
        )
    database.boot.name = name
    database.save()
    return database


def _is_broken(database: Database) -> bool:
    """Whether a page is damaged that is read at each start: those of what describes the tables."""
    described = {"sqlite_schema", METADATA}
    return any(database.table_of_page(number) in described for number in database.damaged_pages())


def _primary(files: Files, path: str) -> Boot:
    boot, pages = _read_primary(files, path)
    if boot is None:
        raise _no_header(path)
    expected = pages * PAGE
    found = os.stat(files.real_path(path, "rb")).st_size
    if found < expected:
        raise SqlError(
            5125,
            f"File '{path}' appears to have been truncated by the operating system.  Expected size is "
            f"{expected // 1024} KB but actual size is {found // 1024} KB.",
            severity=24,
            state=2,
        )
    if boot.state != "ONLINE":
        raise SqlError(1824, "Cannot attach a database that was being restored.")
    return boot


def _no_header(path: str) -> SqlError:
    return SqlError(
        5172,
        f"The header for file '{path}' is not a valid database file header. The PageAudit property is incorrect.",
        state=15,
    )


def _check_log(boot: Boot, files: Files, path: str) -> None:
    """Raises SqlError unless the log belongs to the data file as it is."""
    try:
        log = read_log_boot(files.real_path(path, "rb"))
    except WinError as problem:
        raise cannot_open(path, problem) from problem
    if log is None:
        raise _no_header(path)
    if log.database_guid != boot.database_guid:
        raise SqlError(
            5173,
            "One or more files do not match the primary file of the database. If you are attempting to attach a "
            "database, retry the operation with the correct files.  If this is an existing database, the file may be "
            "corrupted and should be restored from a backup.",
            follow=(
                SqlError(
                    5108,
                    f"Log file '{path}' does not match the primary file.  It may be from a different database or the "
                    "log may have been rebuilt previously.",
                ),
            ),
        )
    if (log.checkpoint_lsn, log.clean) != (boot.checkpoint_lsn, boot.clean):
        vlf, block, slot = lsns.split(boot.checkpoint_lsn)
        raise SqlError(
            9003,
            f"The log scan number ({vlf}:{block}:{slot}) passed to log scan in database '{boot.name}' is not valid. "
            "This error may indicate data corruption or that the log file (.ldf) does not match the data file (.mdf). "
            "If this error occurred during replication, re-create the publication. Otherwise, restore from backup if "
            "the problem results in a failure during startup.",
            severity=20,
            state=6,
        )


def _make_log(name: str, boot: Boot, files: Files, path: str) -> None:
    """Raises AttachRefused unless nothing of the lost log is needed."""
    if not boot.clean:
        raise AttachRefused(
            name,
            notes=(
                (5111, f'File activation failure. The physical file name "{path}" may be incorrect.'),
                (
                    5113,
                    "The log cannot be rebuilt because there were open transactions/users when the database was "
                    "shutdown, no checkpoint occurred to the database, or the database was read-only. This error "
                    "could occur if the transaction log file was manually deleted or lost due to a hardware or "
                    "environment failure.",
                ),
            ),
        )
    new = replace(boot, log_start_lsn=None, begins_chain=True, forks=[*boot.forks, Fork(new_guid(), boot.next_lsn)])
    try:
        LogFile.create(make_file(files, path), new).close()
    except WinError as error:
        raise cannot_create(path, error) from error
