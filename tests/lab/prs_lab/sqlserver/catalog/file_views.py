"""sys.master_files, sys.database_files, and the files of the host's drives."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...windows.errors import WinError
from ..errors import SqlError
from ..storage.boot import fork_before
from ..storage.database import Database
from .database_views import state_of
from .views import catalog_function, catalog_view

if TYPE_CHECKING:
    from ..query.workspace import Workspace

__all__: list[str] = []

_SMALLEST = 1024
_LOG_PAGES = 1024
_STATES = {"ONLINE": 0, "RESTORING": 1, "RECOVERING": 2, "RECOVERY_PENDING": 3, "SUSPECT": 4, "OFFLINE": 6}
_COLUMNS = """file_id int, file_guid uniqueidentifier, type tinyint, type_desc nvarchar(60), data_space_id int, name sysname,
    physical_name nvarchar(260), state tinyint, state_desc nvarchar(60), size int, max_size int, growth int, is_media_read_only bit, is_read_only bit,
    is_sparse bit, is_percent_growth bit, is_name_reserved bit, is_persistent_log_buffer bit, create_lsn numeric(25,0), drop_lsn numeric(25,0),
    read_only_lsn numeric(25,0), read_write_lsn numeric(25,0), differential_base_lsn numeric(25,0), differential_base_guid uniqueidentifier,
    differential_base_time datetime, redo_start_lsn numeric(25,0), redo_start_fork_guid uniqueidentifier, redo_target_lsn numeric(25,0),
    redo_target_fork_guid uniqueidentifier, backup_lsn numeric(25,0)"""


def _files(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    boot = database.boot
    state = state_of(database)
    state = state if state in _STATES else "ONLINE"
    shared = {"state": _STATES[state], "state_desc": state, "is_media_read_only": 0, "is_read_only": 0, "is_sparse": 0, "is_percent_growth": 0,
              "is_name_reserved": 0, "is_persistent_log_buffer": 0, "growth": 8192}  # fmt: skip
    data = {**shared, "file_id": 1, "file_guid": boot.data_guid, "type": 0, "type_desc": "ROWS", "data_space_id": 1, "name": boot.data_name,
            "physical_name": database.data_path, "size": max(boot.pages, _SMALLEST), "max_size": -1}  # fmt: skip
    log = {**shared, "file_id": 2, "file_guid": boot.log_guid, "type": 1, "type_desc": "LOG", "data_space_id": 0, "name": boot.log_name,
           "physical_name": database.log_path, "size": _LOG_PAGES, "max_size": 268435456}  # fmt: skip
    if boot.base is not None:
        taken = dt.datetime.fromisoformat(boot.base.time)
        local = workspace.instance.now() + (taken - workspace.instance.utc_now()) if taken.tzinfo else taken
        data.update(
            differential_base_lsn=boot.base.lsn, differential_base_guid=boot.base.guid, differential_base_time=local
        )
    if database.state == "RESTORING" and boot.redo_start_lsn is not None:
        fork = fork_before(boot.forks, boot.redo_start_lsn).guid if boot.forks else None
        for file in (data, log):
            file.update(
                redo_start_lsn=boot.redo_start_lsn,
                redo_start_fork_guid=fork,
                redo_target_lsn=boot.redo_start_lsn,
                redo_target_fork_guid=fork,
            )
    return [data, log]


@catalog_view("sys.master_files", f"database_id int, {_COLUMNS}, credential_id int")
def _master_files(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    instance, login = workspace.instance, workspace.session.login
    everything = login.may("CREATE ANY DATABASE") or login.may("VIEW ANY DEFINITION")
    return [
        {"database_id": database.database_id, **file}
        for database in instance.databases
        if everything or instance.owner_sid(database) == login.sid
        for file in _files(workspace, database)
    ]


@catalog_view("sys.database_files", _COLUMNS)
def _database_files(workspace: Workspace, database: Database) -> list[dict[str, Any]]:
    workspace.access(database)
    return _files(workspace, database)


@catalog_view(
    "sys.sysaltfiles",
    "fileid smallint, groupid smallint, size int, maxsize int, growth int, status int, dbid smallint, name sysname, "
    "filename nvarchar(260)",
)
def _sysaltfiles(workspace: Workspace, _: Database) -> list[dict[str, Any]]:
    return [
        {"fileid": file["file_id"], "groupid": file["data_space_id"], "size": file["size"], "maxsize": file["max_size"], "growth": file["growth"],
         "status": 0, "dbid": file["database_id"], "name": file["name"], "filename": file["physical_name"]}
        for file in _master_files(workspace, _)
    ]  # fmt: skip


@catalog_function(
    "sys.dm_os_volume_stats",
    """database_id int, file_id int, volume_mount_point nvarchar(512), volume_id nvarchar(512), logical_volume_name nvarchar(512),
    file_system_type nvarchar(512), total_bytes bigint, available_bytes bigint, supports_compression tinyint, supports_alternate_streams tinyint,
    supports_sparse_files tinyint, is_read_only tinyint, is_compressed tinyint, incurs_seek_penalty tinyint""",
    permission="VIEW SERVER STATE",
)
def _volume_stats(workspace: Workspace, database_id: int, file_id: int) -> Iterator[dict[str, Any]]:
    """The volume on which a file of a database lies, which may be mounted in a folder. No row where there is no such file."""
    files = workspace.instance.files()
    for database in workspace.instance.databases:
        for file in _files(workspace, database) if database.database_id == database_id else ():
            if file["file_id"] == file_id:
                path = file["physical_name"]
                yield {
                    "database_id": database_id, "file_id": file_id, "volume_mount_point": files.mount_point(path),
                    "available_bytes": files.free_bytes(path), "file_system_type": "NTFS", "is_read_only": 0,
                }  # fmt: skip


@catalog_function(
    "sys.dm_os_enumerate_filesystem",
    """full_filesystem_path nvarchar(512), parent_directory nvarchar(512), file_or_directory_name nvarchar(512), level int, is_directory bit,
    is_read_only bit, is_system bit, is_hidden bit, has_integrity_stream bit, is_temporary bit, is_sparse bit, creation_time datetime2(7),
    last_access_time datetime2(7), last_write_time datetime2(7), size_in_bytes bigint""",
    permission="VIEW SERVER STATE",
    since=14,
)
def _enumerate_filesystem(workspace: Workspace, folder: str, pattern: str) -> Iterator[dict[str, Any]]:
    """Everything below a folder, as the service account sees it. A folder that cannot be read shows nothing, and says
    nothing.
    """
    yield from _below(workspace, str(folder).rstrip("\\"), str(pattern).lower(), 0)


@catalog_function("OPENROWSET", "BulkColumn varbinary(max)")
def _bulk(workspace: Workspace, path: str) -> Iterator[dict[str, Any]]:
    """A whole file, as the service account reads it: nobody signs in over the wire as somebody of Windows."""
    if not workspace.session.login.may("ADMINISTER BULK OPERATIONS"):
        raise SqlError(4834, "You do not have permission to use the bulk load statement.")
    try:
        yield {"BulkColumn": workspace.instance.files().read(path)}
    except WinError as error:
        if error.number in (2, 3):
            raise SqlError(
                4860, f'Cannot bulk load. The file "{path}" does not exist or you don\'t have file access rights.'
            ) from error
        raise SqlError(
            4861,
            f'Cannot bulk load because the file "{path}" could not be opened. Operating system error code '
            f"{error.number}({error.text}).",
        ) from error


def _below(workspace: Workspace, folder: str, pattern: str, level: int) -> Iterator[dict[str, Any]]:
    files = workspace.instance.files()
    try:
        names = sorted(files.list(folder + "\\"), key=str.lower)
    except WinError:
        return
    for name in names:
        path = f"{folder}\\{name}"
        is_folder = files.is_dir(path)
        if fnmatch.fnmatchcase(name.lower(), pattern):
            found = files.stat(path)
            yield {
                "full_filesystem_path": path, "parent_directory": folder, "file_or_directory_name": name, "level": level, "is_directory": is_folder,
                "is_read_only": 0, "is_system": 0, "is_hidden": 0, "has_integrity_stream": 0, "is_temporary": 0, "is_sparse": 0,
                "creation_time": found.created.replace(tzinfo=None), "last_access_time": found.modified.replace(tzinfo=None),
                "last_write_time": found.modified.replace(tzinfo=None), "size_in_bytes": 0 if is_folder else found.size,
            }  # fmt: skip
        if is_folder:
            yield from _below(workspace, path, pattern, level + 1)
