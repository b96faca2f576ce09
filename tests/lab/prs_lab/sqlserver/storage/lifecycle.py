"""How databases come to be and come up: create, start with crash recovery, take offline, drop."""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
import shutil
import sqlite3
from typing import Any

from ...windows.errors import WinError
from ..errors import SqlError, Unmodelled
from ..host_protocol import Files
from . import lsn as lsns
from .boot import Boot, Fork, new_guid
from .database import Database
from .datafile import DataFile
from .logfile import LogDamage, LogFile
from .pages import empty_database, stamped

__all__ = [
    "bring_up",
    "cannot_create",
    "create",
    "drop",
    "make_file",
    "redo",
    "set_emergency",
    "start",
    "stop",
]


def make_file(files: Files, path: str) -> pathlib.Path:
    """An empty new file on a virtual drive; the path behind it. Raises WinError (80 when it is there already)."""
    if files.exists(path):
        raise WinError(80, path)
    files.open(path, "wb").close()
    return files.real_path(path)


def create(
    *,
    name: str,
    files: Files,
    data_path: str,
    log_path: str,
    work: pathlib.Path,
    now: dt.datetime,
    recovery_model: str = "FULL",
    version: int = 904,
    data_name: str = "",
    log_name: str = "",
    options: dict[str, Any] | None = None,
    owner: str = "sqlservr",
) -> Database:
    """CREATE DATABASE: an empty database, ONLINE. now: aware UTC. Raises SqlError 5170 or 5123, followed by 1802; what
    was made is removed again.
    """
    fork = Fork(new_guid(), lsns.FIRST)
    boot = Boot(
        name=name,
        created=now.isoformat(),
        recovery_model=recovery_model,
        version=version,
        data_name=data_name or name,
        log_name=log_name or f"{name}_log",
        pages=1,
        next_lsn=lsns.FIRST,
        checkpoint_lsn=lsns.FIRST,
        forks=[fork],
        options=dict(options or {}),
    )
    made = []
    for path in (data_path, log_path):
        try:
            made.append((path, make_file(files, path)))
        except WinError as error:
            for done, _ in made:
                with contextlib.suppress(WinError):
                    files.remove(done)
            raise cannot_create(path, error) from error
    boot.paths = [data_path, log_path]
    data_file = DataFile(made[0][1])
    data_file.write_page(1, stamped(empty_database(), 1, lsns.FIRST))
    data_file.finish(boot, [])
    data_file.close()
    LogFile.create(made[1][1], boot).close()
    return start(name=name, files=files, data_path=data_path, log_path=log_path, work=work, owner=owner)


def cannot_create(path: str, error: WinError) -> SqlError:
    after = (
        SqlError(
            1802, "CREATE DATABASE failed. Some file names listed could not be created. Check related errors.", state=4
        ),
    )
    if error.number == 80:
        return SqlError(
            5170,
            f"Cannot create file '{path}' because it already exists. Change the file path or the file name, and "
            "retry the operation.",
            follow=after,
        )
    return SqlError(
        5123,
        f"CREATE FILE encountered operating system error {error.number}({error.text}) while attempting to open or "
        "create the physical "
        f"file '{path}'.",
        follow=after,
    )


def start(
    *,
    name: str,
    files: Files,
    data_path: str,
    log_path: str,
    work: pathlib.Path,
    known: dict[str, Any] | None = None,
    offline: bool = False,
    owner: str = "sqlservr",
) -> Database:
    """A database as an instance finds it when it starts; its `state` says how that went.

    known: `Boot.to_dict()` as the instance last saw it, for a database whose files are gone.
    """
    shutil.rmtree(work, ignore_errors=True)
    boot = Boot.from_dict(known) if known else Boot(name=name, created="", forks=[Fork(new_guid(), lsns.FIRST)])
    database = Database(
        name=name, files=files, data_path=data_path, log_path=log_path, work=work, boot=boot, owner=owner
    )
    if not offline:
        bring_up(database)
    return database


def bring_up(database: Database) -> None:
    """Open the files, recover, and set `database.state`: ONLINE, RESTORING, RECOVERY_PENDING (a file is missing) or
    SUSPECT (one is damaged).
    """
    with database.lock:
        try:
            database.open_files()
        except WinError:
            if database.log is not None and database.log.boot is not None:
                database.boot = database.log.boot.copy()
                database.boot.next_lsn = _log_end(database.log, database.boot)
            database.state = "RECOVERY_PENDING"
            return
        database.state = _recover(database)


def _log_end(log: LogFile, boot: Boot) -> int:
    return max(boot.next_lsn, log.records[-1].next_lsn if log.records else 0)


def _recover(database: Database) -> str:
    data, log = database.data, database.log
    assert data is not None and log is not None
    if log.boot is None:
        in_data = data.read_boot()
        database.boot = in_data or database.boot
        return "SUSPECT"
    boot = log.boot.copy()
    boot.next_lsn = _log_end(log, boot)
    database.boot = boot
    try:
        in_data = data.read_boot()
    except Unmodelled:
        return "SUSPECT"
    if in_data is None or in_data.database_guid != boot.database_guid:
        return "SUSPECT"
    boot.pages, boot.checkpoint_lsn = in_data.pages, in_data.checkpoint_lsn
    if boot.state == "RESTORING":
        return "RESTORING"
    if boot.state != "STANDBY" and not redo(database):
        return "SUSPECT"
    try:
        database.activate()
    except sqlite3.DatabaseError:
        return "SUSPECT"
    if boot.state != "STANDBY":
        boot.clean = False
    database.save(tables=True)
    return "ONLINE"


def redo(database: Database) -> bool:
    """Apply the log from the checkpoint on to the .mdf; False when the log needed for it is damaged or missing."""
    data, log, boot = database.data, database.log, database.boot
    assert data is not None and log is not None
    if log.damaged_at is not None and log.damaged_at >= boot.checkpoint_lsn:
        return False
    expected = boot.checkpoint_lsn
    for head in log.since(boot.checkpoint_lsn):
        if head.lsn != expected:
            return False
        try:
            record = log.read(head)
        except LogDamage:
            return False
        for number, image in record.images:
            data.write_page(number, image)
        boot.pages = record.pages or boot.pages
        boot.last_commit = head.time.isoformat() if head.time else boot.last_commit
        expected = head.next_lsn
    boot.checkpoint_lsn = boot.next_lsn = max(expected, boot.next_lsn)
    data.finish(boot)
    return True


def stop(database: Database) -> None:
    """SET OFFLINE, detach, or the service stops: properly. Sessions must have let go of the database before."""
    database.close()
    database.state = "OFFLINE"


def set_emergency(database: Database) -> None:
    """SET EMERGENCY: readable as it is on disk, without recovery, if that is possible at all."""
    with database.lock:
        database.crash()
        with contextlib.suppress(WinError):
            database.open_files()
        database.state = "EMERGENCY"
        if database.data is not None:
            there = database.data.read_boot() if database.data.has_header() else None
            database.boot.pages = there.pages if there else database.data.count
            with contextlib.suppress(sqlite3.DatabaseError):
                database.activate()


def drop(database: Database) -> None:
    """DROP DATABASE: the files go too, except those of an OFFLINE database."""
    with database.lock:
        offline = database.state == "OFFLINE"
        database.crash()
        if not offline:
            for path in (database.data_path, database.log_path):
                with contextlib.suppress(WinError):
                    database.files.remove(path)
        database.forget_working_folder()
