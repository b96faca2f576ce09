# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders that a restored database's files go to: how much room there is, and whether SQL Server may make files
there, which only making some tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..._core.advice.sql_server import advice_for
from ..._core.restore.plan import ServerFacts, Volume
from ..._core.restore.room import folder_key
from ..._core.windows_paths import device_path, parent
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.quoting import compose, quote_text
from ..connection.session import Session
from ..instance.server import service_account
from .destination import Destination
from .facts import server_facts
from .options import RestoreOptions

__all__ = ["facts_for", "probe_database", "probe_name", "read_volumes"]

_FILES = "SELECT database_id, file_id, physical_name FROM sys.master_files"
_VOLUME = "SELECT volume_mount_point, available_bytes FROM sys.dm_os_volume_stats({:d}, {:d})"


def facts_for(
    session: Session, options: RestoreOptions, destination: Destination, *, server: dict[str, Any]
) -> ServerFacts:
    """What the planner needs from the server. Before a living database is given up, whether files can be made where it
    is restored to is tried. server: what read_server returned.
    """
    data_dir = options.data_dir or server["default_data_path"] or ""
    log_dir = options.log_dir or server["default_log_path"] or ""
    folders = [data_dir, log_dir, *(parent(file["path"]) for file in destination.files)]
    with ExitStack() as probe:
        if destination.is_open and data_dir and log_dir and not session.check_mode:
            probe.enter_context(probe_database(session, options.database, data_dir=data_dir, log_dir=log_dir))
        volumes = read_volumes(session.connection, folders)
    return server_facts(session.connection, server, data_dir=data_dir, log_dir=log_dir, volumes=volumes)


def read_volumes(connection: Connection, folders: Iterable[str]) -> dict[str, Volume]:
    """The volumes that folders lie on, by folder_key: of those in which a database of the instance has a file, as far
    as the login may ask (VIEW SERVER STATE). A volume that is mounted in a folder is told as one of its own.
    """
    wanted = {folder_key(folder) for folder in folders if folder}
    volumes: dict[str, Volume] = {}
    for file in connection.query(_FILES, doing="Cannot read the files of the databases"):
        key = folder_key(parent(file["physical_name"]))
        if key not in wanted or key in volumes:
            continue
        try:
            row = connection.row(_VOLUME.format(file["database_id"], file["file_id"]))
        except SqlError as problem:
            if problem.lost:
                raise
            return {}
        if row and row["volume_mount_point"]:
            mount_point = row["volume_mount_point"].rstrip("\\")
            volumes[key] = Volume(mount_point=mount_point, free_bytes=int(row["available_bytes"]))
    return volumes


def probe_name(database: str) -> str:
    """Of the database that is made and dropped for that of a restore. Always the same one, so that the next run drops
    what an interrupted one left; the lock of the database keeps two runs from sharing it.
    """
    return f"prs.recovery probe {hashlib.sha256(database.lower().encode()).hexdigest()[:12]}"


_NO_FILES_HERE = frozenset({2, 3, 5, 19, 21, 53, 67, 1326})
"""Win32 errors of a folder in which the server cannot make files. A full drive (112) is none: the restore may overwrite
what is there; nor is a file that somebody holds (32, 33).
"""


@contextmanager
def probe_database(session: Session, database: str, *, data_dir: str, log_dir: str) -> Iterator[None]:
    """An empty database with its files in these folders, while the block runs: so SQL Server shows that it may make
    files there, before a living database is given up for a restore into them. read_volumes tells of its volumes, too.

    Raises RecoveryError where the server may not. Where it refuses for another reason, that is a warning: the restore
    itself needs less.
    """
    connection, name = session.connection, probe_name(database)
    paths = [device_path(data_dir, f"{name}.mdf"), device_path(log_dir, f"{name}.ldf")]
    data, log = (quote_text(path, what="path") for path in paths)
    create = compose("CREATE DATABASE {probe}", probe=name)
    try:
        _drop(connection, name)
        connection.execute(
            f"{create} ON (NAME = N'probe', FILENAME = {data}) LOG ON (NAME = N'probe_log', FILENAME = {log})"
        )
    except SqlError as problem:
        if problem.lost:
            raise
        folders = " and ".join(dict.fromkeys((data_dir, log_dir)))
        if problem.os_error in _NO_FILES_HERE:
            raise problem.reworded(
                f"SQL Server on {connection.target.server} cannot make files in {folders}, where those of {database} "
                f"would be restored (operating system error {problem.os_error}): {problem.text}",
                advice=advice_for(problem.number, problem.text, account=service_account(connection)),
            ) from None
        session.warnings.append(f"Whether SQL Server may make files in {folders} could not be tried: {problem}")
    try:
        yield
    finally:
        _clean_up(session, name)


def _clean_up(session: Session, name: str) -> None:
    try:
        _drop(session.connection, name)
    except SqlError as problem:
        if problem.lost:
            raise
        session.warnings.append(f"The empty database {name} could not be dropped: {problem}")


def _drop(connection: Connection, name: str) -> None:
    """Where it is there. (IF EXISTS came with SQL Server 2016.)"""
    if connection.value(f"SELECT DB_ID({quote_text(name, what='name')})") is not None:
        connection.execute(compose("DROP DATABASE {probe}", probe=name))
