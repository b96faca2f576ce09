# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases of an instance: what they are like, and the statements that change them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.errors import RecoveryError
from ..connection.connection import Connection, Message, Question
from ..connection.errors import SqlError
from ..connection.quoting import compose, refuse_alike
from ..connection.session import Session

__all__ = [
    "ATTEMPTS",
    "SYSTEM",
    "change_alone",
    "create_database",
    "database_questions",
    "disconnect_sessions",
    "drop_database",
    "read_database",
    "read_databases",
    "set_multi_user",
    "set_option",
    "set_owner",
    "set_restricted_user",
]

_DATABASES = """
SELECT d.name, d.database_id, d.state_desc, d.recovery_model_desc, d.collation_name, SUSER_SNAME(d.owner_sid) AS owner,
       d.compatibility_level, d.page_verify_option_desc, d.user_access_desc, d.is_read_only, d.is_in_standby,
           d.create_date, d.source_database_id,
       r.family_guid, r.database_guid, r.recovery_fork_guid, r.first_recovery_fork_guid, r.fork_point_lsn,
       m.mirroring_guid, m.mirroring_state_desc, m.mirroring_role_desc, m.mirroring_safety_level_desc,
       m.mirroring_partner_name, m.mirroring_partner_instance, m.mirroring_witness_name, m.mirroring_witness_state_desc
FROM sys.databases AS d
LEFT JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
LEFT JOIN sys.database_mirroring AS m ON m.database_id = d.database_id
"""

_FILES = (
    "SELECT database_id, file_id, type_desc, name, physical_name, state_desc, size, redo_start_lsn, "
    "redo_start_fork_guid FROM sys.master_files"
)

_FILES_OF = """
SELECT f.file_id, f.type_desc, f.name, f.physical_name, f.state_desc, f.size, f.redo_start_lsn, f.redo_start_fork_guid
FROM sys.master_files AS f
JOIN sys.databases AS d ON d.database_id = f.database_id
WHERE d.name = ?
ORDER BY f.file_id
"""

_LAST_BACKUPS = """
SELECT database_name, type, MAX(backup_finish_date) AS finished
FROM msdb.dbo.backupset
WHERE is_copy_only = 0
GROUP BY database_name, type
"""

_USERS_OF = (
    "SELECT session_id FROM sys.dm_exec_sessions WHERE database_id = DB_ID(?) AND is_user_process = 1 AND "
    "session_id <> @@SPID"
)

IN_USE = frozenset({924, 3101, 3702})
"""Somebody else is in a database that has to be alone: to restore or back up its tail, to drop it; 924: and holds the
only place of one that is in SINGLE_USER.
"""

INTRUDED = IN_USE | {1205, 5064}
"""The same, where the way in is closed as well: deadlocked with them, the only place is taken."""

NO_SUCH_SESSION = 6106

ATTEMPTS = 50
"""How often a session that gets in between is ended; a pool of connections has some."""

PAGE = 8192
"""Bytes; sizes of files are counted in pages."""

SYSTEM = ("master", "tempdb", "model", "msdb")

KINDS = {kind.letter: f"last_{kind.value}_backup" for kind in BackupKind.taken()}
"""msdb's letter of a backup -> the key that tells its time."""


def read_databases(connection: Connection) -> list[dict[str, Any]]:
    """What sql_info returns as C(databases); times are the server's local ones, as msdb has them."""
    rows, files, backups = _read_all(connection)
    databases = [_shaped(row) for row in rows]
    by_id = {database["database_id"]: database for database in databases}
    by_name = {database["name"].lower(): database for database in databases}
    for file in files:
        if file["database_id"] in by_id:
            by_id[file["database_id"]]["files"].append(_shaped_file(file))
    for database in databases:
        database["size_bytes"] = sum(file["size_bytes"] for file in database["files"])
    for backup in backups:
        key = KINDS.get(backup["type"].strip())
        if key and backup["database_name"].lower() in by_name:
            by_name[backup["database_name"].lower()][key] = backup["finished"]
    return databases


def _read_all(connection: Connection) -> list[list[dict[str, Any]]]:
    """Databases, their files and their last backups. A login without rights on msdb sees all but the backups."""
    databases, files = (_DATABASES + "ORDER BY d.name",), (_FILES,)
    try:
        return connection.query_each(databases, files, (_LAST_BACKUPS,))
    except SqlError as problem:
        if problem.lost:
            raise
        return [*connection.query_each(databases, files, doing="Cannot read the databases"), []]


def read_database(connection: Connection, name: str) -> dict[str, Any] | None:
    """One database as in C(read_databases), without its history of backups; None when there is none of that name.

    Raises RecoveryError where the server only takes the name for that of one: who is to restore, or to drop, another
    database hears of it.
    """
    rows, files = connection.query_each(*database_questions(name), doing=f"Cannot read database {name}")
    if not rows:
        return None
    refuse_alike(rows[0]["name"], name, what="database", server=connection.target.server)
    database = _shaped(rows[0])
    database["files"] = [_shaped_file(file) for file in files]
    database["size_bytes"] = sum(file["size_bytes"] for file in database["files"])
    return database


def database_questions(name: str) -> list[Question]:
    """What C(read_database) asks."""
    return [(_DATABASES + "WHERE d.name = ?", name), (_FILES_OF, name)]


def _shaped(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "database_id": row["database_id"],
        "state": row["state_desc"],
        "recovery_model": row["recovery_model_desc"],
        "collation": row["collation_name"],
        "owner": row["owner"],
        "compatibility_level": row["compatibility_level"],
        "page_verify": row["page_verify_option_desc"],
        "user_access": row["user_access_desc"],
        "read_only": bool(row["is_read_only"]),
        "standby": bool(row["is_in_standby"]),
        "created": row["create_date"],
        "system": row["name"] in SYSTEM,
        "snapshot": row["source_database_id"] is not None,
        "family_guid": row["family_guid"],
        "database_guid": row["database_guid"],
        "recovery_fork_guid": row["recovery_fork_guid"],
        "first_recovery_fork_guid": row["first_recovery_fork_guid"],
        "fork_point_lsn": str(row["fork_point_lsn"]) if row["fork_point_lsn"] else None,
        "size_bytes": 0,
        "files": [],
        "last_full_backup": None,
        "last_differential_backup": None,
        "last_log_backup": None,
        "mirroring": _shaped_mirroring(row) if row["mirroring_guid"] else {},
    }


def _shaped_mirroring(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix("mirroring_").removesuffix("_desc"): value
        for name, value in row.items()
        if name.startswith("mirroring_")
    }


def _shaped_file(row: dict[str, Any]) -> dict[str, Any]:
    lsn = row["redo_start_lsn"]
    return {
        "name": row["name"],
        "path": row["physical_name"],
        "type": row["type_desc"],
        "state": row["state_desc"],
        "size_bytes": row["size"] * PAGE,
        "redo_start_lsn": str(lsn) if lsn else None,  # 0 tells as little as NULL
        "redo_start_fork_guid": row["redo_start_fork_guid"],
    }


def create_database(session: Session, name: str, *, collation: str | None) -> None:
    """CREATE DATABASE in the instance's default folders."""
    collate = f" COLLATE {_collation(collation)}" if collation else ""
    session.change(
        compose("CREATE DATABASE {database}", database=name) + collate, doing=f"Cannot create database {name}"
    )


def drop_database(session: Session, name: str, *, online: bool) -> None:
    """DROP DATABASE, after everybody who uses it was sent away."""
    if online:
        disconnect_sessions(session, name)
    change_alone(
        session, name, compose("DROP DATABASE {database}", database=name), doing=f"Cannot drop database {name}"
    )


def disconnect_sessions(session: Session, name: str) -> None:
    """End all sessions of a database and keep new ones out; their open transactions are rolled back."""
    _with_retries_against_reconnects(session, name, _close(name), doing=f"Cannot close the sessions of database {name}")


def change_alone(
    session: Session, name: str, statement: str, *, doing: str, on_message: Callable[[Message], None] | None = None
) -> None:
    """Run a statement that needs a database for itself, whose sessions were sent away.

    An application that reconnects at once may have got in since. It is sent away again, and the statement follows in
    the same batch: that leaves less time than the way from here to the server and back.
    """
    try:
        session.change(statement, doing=doing, on_message=on_message)
    except SqlError as problem:
        if problem.number not in IN_USE:
            raise
        _with_retries_against_reconnects(
            session, name, f"{_close(name)}; IF @@ERROR = 0 {statement}", doing=doing, on_message=on_message
        )


def _close(name: str) -> str:
    return compose("ALTER DATABASE {database} SET SINGLE_USER WITH ROLLBACK IMMEDIATE", database=name)


def set_restricted_user(session: Session, name: str) -> None:
    """Instead of to one session, whoever that is."""
    statement = compose("ALTER DATABASE {database} SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE", database=name)
    _with_retries_against_reconnects(session, name, statement, doing=f"Cannot open database {name} to administrators")


def set_multi_user(session: Session, name: str) -> None:
    """Open a database to everybody again, whoever took its only place meanwhile."""
    statement = compose("ALTER DATABASE {database} SET MULTI_USER", database=name)
    _with_retries_against_reconnects(session, name, statement, doing=f"Cannot open database {name} to its users")


def _with_retries_against_reconnects(
    session: Session, name: str, statement: str, *, doing: str, on_message: Callable[[Message], None] | None = None
) -> None:
    """Change who may use a database. An application that reconnects at once may hold the only place: it is ended, as
    often as it comes.
    """
    for attempt in range(ATTEMPTS):
        try:
            session.change(statement, doing=doing, on_message=on_message)
            return
        except SqlError as problem:
            if problem.number not in INTRUDED or attempt + 1 == ATTEMPTS:
                raise
        for row in session.connection.query(_USERS_OF, name):
            try:
                session.change(
                    f"KILL {row['session_id']:d}", doing=f"Cannot end session {row['session_id']} of database {name}"
                )
            except SqlError as problem:
                if problem.number != NO_SUCH_SESSION:  # it went by itself
                    raise


def set_option(session: Session, name: str, option: str) -> None:
    """ALTER DATABASE SET with words of our own, such as RECOVERY FULL."""
    session.change(
        compose("ALTER DATABASE {database} SET ", database=name) + option,
        doing=f"Cannot set {option} of database {name}",
    )


def set_owner(session: Session, name: str, owner: str) -> None:
    statement = compose("ALTER AUTHORIZATION ON DATABASE::{database} TO {owner}", database=name, owner=owner)
    session.change(statement, doing=f"Cannot make {owner} the owner of database {name}")


def _collation(name: str) -> str:
    """A collation has no quotes in T-SQL: only what its name can hold passes."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,128}", name):
        raise RecoveryError(
            f"'{name}' is no name of a collation",
            code="option_invalid",
            advice="For example SQL_Latin1_General_CP1_CI_AS",
        )
    return name
