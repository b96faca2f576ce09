# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that the restore planner needs from the server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from ..._core.backup.backup_set import database_file, guid
from ..._core.backup.catalog import BackupCatalog, assemble
from ..._core.restore.plan import ExistingDatabase, Mark, Plan, ServerFacts, Volume
from ..._core.windows_paths import parent
from ..catalog.headers import read_file_list, read_files
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.session import Session
from ..instance.server import free_space, private_keys

__all__ = [
    "add_file_lists",
    "confirm",
    "existing_database",
    "other_files",
    "read_marks",
    "server_facts",
    "still_there",
]


def still_there(session: Session, plan: Plan, remembered: Collection[str]) -> frozenset[str]:
    """Those remembered sets of a plan that its files hold still."""
    steps = [step for step in plan.steps if step.guid in remembered]
    paths = [path for step in steps for path in step.copies[0].stripes]
    held: dict[str, set[str]] = {}
    for reading in read_files(session.connection, dict.fromkeys(paths), progress=session.progress):
        held[reading.path] = {guid(row.get("BackupSetGUID")) for row in reading.headers}
    return frozenset(step.guid for step in steps if all(step.guid in held[path] for path in step.copies[0].stripes))


_MARKS = """
SELECT mark_name, lsn, CONVERT(nvarchar(30), mark_time, 126) AS mark_time, DATEDIFF(minute, GETUTCDATE(),
    GETDATE()) AS utc_offset
FROM msdb.dbo.logmarkhistory
WHERE database_name = ?
"""


def read_marks(connection: Connection, *, database: str, zone: dt.tzinfo | None) -> tuple[Mark, ...]:
    """The marked transactions that this server remembers of a database. Empty where the login may not ask."""
    try:
        rows = connection.query(_MARKS, database)
    except SqlError:
        return ()
    return tuple(
        Mark(
            name=row["mark_name"],
            lsn=int(row["lsn"]),
            time=dt.datetime.fromisoformat(row["mark_time"]).replace(
                tzinfo=zone or dt.timezone(dt.timedelta(minutes=row["utc_offset"]))
            ),
        )
        for row in rows
    )


def confirm(
    session: Session, catalog: BackupCatalog, plan: Plan, doubtful: Collection[str], *, zone: dt.tzinfo | None
) -> dict[str, str]:
    """Read the files of those sets of a plan that only msdb knows, into the catalog. Returns the sets that are not
    there: GUID -> reason.
    """
    failed = {}
    for step in plan.steps:
        if step.guid not in doubtful:
            continue
        paths = step.copies[0].stripes
        files = assemble(read_files(session.connection, paths, progress=session.progress), zone=zone)
        in_files = next((backup_set for backup_set in files.sets if backup_set.guid == step.guid), None)
        if in_files is None or in_files.problem:
            reasons = [in_files.problem] if in_files else [item.reason for item in files.unreadable]
            failed[step.guid] = next(
                iter(reasons), f"msdb knows it in {', '.join(paths)}, which holds something else now"
            )
        else:
            catalog.sets[:] = [in_files if known.guid == step.guid else known for known in catalog.sets]
    return failed


def add_file_lists(connection: Connection, catalog: BackupCatalog, plan: Plan) -> dict[str, str]:
    """Read which database files the sets of a plan hold, into the catalog. Returns the sets where that failed: GUID
    -> reason.
    """
    used = {step.guid: step for step in plan.steps if step.guid}
    failed = {}
    for backup_set in catalog.sets:
        if backup_set.guid in used and not backup_set.files:
            try:
                rows = read_file_list(connection, used[backup_set.guid].copies[0])
                backup_set.files = tuple(database_file(row) for row in rows)
            except SqlError as problem:
                if problem.lost:
                    raise
                failed[backup_set.guid] = problem.text
    return failed


def server_facts(
    connection: Connection, server: dict[str, Any], *, data_dir: str, log_dir: str, volumes: Mapping[str, Volume]
) -> ServerFacts:
    """server: what read_server returned. volumes: by folder, as far as they were measured."""
    major, minor, build = (int(part) for part in server["version"].split(".")[:3])
    return ServerFacts(
        version=(major, minor, build),
        edition=server["edition"],
        data_dir=data_dir,
        log_dir=log_dir,
        free_bytes=free_space(connection),
        volumes=volumes,
        certificates=private_keys(connection),
        database_version=server["database_version"] or 0,
    )


def existing_database(
    info: dict[str, Any] | None, *, stands_at: tuple[int, str] | None = None
) -> ExistingDatabase | None:
    """info: what read_database returned. stands_at: LSN and recovery fork of a standby database, which it does not
    tell.
    """
    if info is None:
        return None
    size_by_folder: dict[str, int] = {}
    for file in info["files"]:
        folder = parent(file["path"])
        size_by_folder[folder] = size_by_folder.get(folder, 0) + file["size_bytes"]
    # Files may stand at different LSNs (one that was restored by itself): the log has to go on from the first of them.
    stands = [file for file in info["files"] if file["type"] == "ROWS" and file["redo_start_lsn"]]
    data = min(stands, key=lambda file: int(file["redo_start_lsn"]), default=None)
    lsn, fork = stands_at or ((int(data["redo_start_lsn"]), guid(data["redo_start_fork_guid"])) if data else (None, ""))
    return ExistingDatabase(
        state=info["state"],
        family_guid=guid(info["family_guid"]),
        is_in_standby=info["standby"],
        redo_start_lsn=lsn,
        redo_start_fork=fork,
        file_names=frozenset(file["name"].lower() for file in info["files"]),
        size_by_folder=size_by_folder,
    )


def other_files(connection: Connection, *, database: str) -> dict[str, str]:
    """Files of all other databases of the instance: path in lower case -> database."""
    rows = connection.query(
        "SELECT d.name, f.physical_name FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = "
        "f.database_id",
        doing="Cannot read the files of the databases",
    )
    return {row["physical_name"].lower(): row["name"] for row in rows if row["name"].lower() != database.lower()}
