# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner needs to know, asked from the server: the backups, the instance, the database that is there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from ..._core.backup.backup_set import database_file, guid
from ..._core.backup.catalog import BackupCatalog, assemble
from ..._core.restore.plan import ExistingDatabase, Mark, Plan, ServerFacts
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
    session: Session, inventory: BackupCatalog, plan: Plan, doubtful: Collection[str], *, zone: dt.tzinfo | None
) -> dict[str, str]:
    """Let the files speak for those sets of a plan of which only msdb told. Returns the ones that are not there: GUID
    -> reason.
    """
    failed = {}
    for step in plan.steps:
        if step.guid not in doubtful:
            continue
        paths = step.copies[0].stripes
        found = assemble(read_files(session.connection, paths, progress=session.progress), zone=zone)
        there = next((one for one in found.sets if one.guid == step.guid), None)
        if there is None or there.problem:
            reasons = [there.problem] if there else [item.reason for item in found.unreadable]
            failed[step.guid] = next(
                iter(reasons), f"msdb knows it in {', '.join(paths)}, which holds something else now"
            )
        else:
            inventory.sets[:] = [there if one.guid == step.guid else one for one in inventory.sets]
    return failed


def add_file_lists(connection: Connection, inventory: BackupCatalog, plan: Plan) -> dict[str, str]:
    """Read which database files the sets of a plan hold, into the inventory. Returns the sets where that failed: GUID
    -> reason.
    """
    used = {step.guid: step for step in plan.steps if step.guid}
    failed = {}
    for one in inventory.sets:
        if one.guid in used and not one.files:
            try:
                one.files = tuple(database_file(row) for row in read_file_list(connection, used[one.guid].copies[0]))
            except SqlError as problem:
                if problem.lost:
                    raise
                failed[one.guid] = problem.text
    return failed


def server_facts(connection: Connection, server: dict[str, Any], relocate: dict[str, Any]) -> ServerFacts:
    """server: what read_server returned. relocate: data_dir and log_dir, by default the instance's."""
    major, minor, build = (int(part) for part in server["version"].split(".")[:3])
    return ServerFacts(
        version=(major, minor, build),
        edition=server["edition"],
        data_dir=relocate.get("data_dir") or server["default_data_path"] or "",
        log_dir=relocate.get("log_dir") or server["default_log_path"] or "",
        free_bytes=free_space(connection),
        certificates=private_keys(connection),
        database_version=server["database_version"] or 0,
    )


def existing_database(
    there: dict[str, Any] | None, *, stands_at: tuple[int, str] | None = None
) -> ExistingDatabase | None:
    """there: what read_database returned. stands_at: LSN and recovery fork of a standby database, which it does not
    tell.
    """
    if there is None:
        return None
    given_back: dict[str, int] = {}
    for file in there["files"]:
        drive = file["path"][:2].upper()
        given_back[drive] = given_back.get(drive, 0) + file["size_bytes"]
    data = next((file for file in there["files"] if file["type"] == "ROWS" and file["redo_start_lsn"]), None)
    lsn, fork = stands_at or ((int(data["redo_start_lsn"]), guid(data["redo_start_fork_guid"])) if data else (None, ""))
    return ExistingDatabase(
        state=there["state"],
        family_guid=guid(there["family_guid"]),
        is_in_standby=there["standby"],
        redo_start_lsn=lsn,
        redo_start_fork=fork,
        size_by_volume=given_back,
    )


def other_files(connection: Connection, *, database: str) -> dict[str, str]:
    """Files of all other databases of the instance: path in lower case -> database."""
    rows = connection.query(
        "SELECT d.name, f.physical_name FROM sys.master_files AS f JOIN sys.databases AS d ON d.database_id = "
        "f.database_id",
        doing="Cannot read the files of the databases",
    )
    return {row["physical_name"].lower(): row["name"] for row in rows if row["name"].lower() != database.lower()}
