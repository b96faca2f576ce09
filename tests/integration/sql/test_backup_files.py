"""Backup files that SQL Server wrote, read without it: what RESTORE HEADERONLY, FILELISTONLY and LABELONLY say of them."""

from __future__ import annotations

import uuid
from contextlib import closing
from itertools import pairwise
from typing import Any

import pymssql
import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import (
    BackupFile,
    read_backup_file,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import check_content
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import NotABackup

from .conftest import SYSTEM, Server, mark

FOLDER = "D:\\Backup"
EMPTY = (None, 0, uuid.UUID(int=0), b"")
"""What a server shows where a file holds nothing."""


@pytest.fixture
def server(sql_a: Server):
    """A build that tells the time zone of its backups."""
    sql_a.instance.headers_tell_zone = True
    yield sql_a
    sql_a.instance.headers_tell_zone = False


def backup(server: Server, database: str, *names: str, what: str = "DATABASE", **options: Any) -> None:
    devices = ", ".join(f"DISK = N'{FOLDER}\\{database}_{name}'" for name in names)
    said = ", ".join(key if value is True else f"{key} = {value}" for key, value in options.items())
    server.do(f"BACKUP {what} [{database}] TO {devices}" + (f" WITH {said}" if said else ""))


def rows(server: Server, what: str, *paths: str, position: int | None = None) -> list[dict[str, Any]]:
    devices = ", ".join(f"DISK = N'{path}'" for path in paths)
    with closing(server.client()) as connection, connection.cursor(as_dict=True) as cursor:
        cursor.execute(f"RESTORE {what} FROM {devices}" + (f" WITH FILE = {position}" if position else ""))
        return list(cursor.fetchall())


def content(server: Server, path: str) -> bytes:
    return server.host.files(SYSTEM).read(path)


def read(data: bytes) -> BackupFile:
    return read_backup_file(lambda offset, length: data[offset : offset + length], len(data))


def plain(value: Any) -> Any:
    """A value of either side in one spelling."""
    if value in EMPTY:
        return None
    return str(value).lower() if isinstance(value, uuid.UUID) else value


def same(told: dict[str, Any], shown: dict[str, Any], *, unknown: frozenset[str] = frozenset()) -> None:
    """All columns that the file tells are those that the server shows, and nothing else is left out than is known."""
    told = {column: value for column, value in told.items() if column not in unknown and column in shown}
    assert {column: plain(value) for column, value in told.items()} == {column: plain(shown[column]) for column in told}


def compare(server: Server, *paths: str) -> list[BackupFile]:
    files = [read(content(server, path)) for path in paths]
    for path, file in zip(paths, files, strict=True):
        assert file.problems == [] and all(stored.problems == [] and stored.complete for stored in file.sets)
        same(file.media.label, rows(server, "LABELONLY", path)[0])
        shown = rows(server, "HEADERONLY", path)
        assert len(shown) == len(file.sets)
        for stored, row in zip(file.sets, shown, strict=True):
            same(stored.header, row, unknown=stored.unknown)
            assert set(row) - set(stored.header) <= stored.unknown | {"CompressionAlgorithm"}
            listed = rows(server, "FILELISTONLY", *paths, position=stored.position)
            for record, listed_row in zip(stored.files, listed, strict=True):
                same(record, listed_row)
    return files


@pytest.mark.parametrize("options", [{}, {"COMPRESSION": True}], ids=["plain", "compressed"])
@pytest.mark.parametrize("stripes", [1, 3])
def test_every_column_is_the_same(server: Server, database: str, options: dict[str, Any], stripes: int) -> None:
    """Of a full, a differential and a log backup, of one file or several."""
    server.do(
        f"CREATE TABLE dbo.many (filler nvarchar(4000)); INSERT INTO dbo.many VALUES (N'{'x' * 4000}')",
        database=database,
    )
    for what, kind, more in (
        ("DATABASE", "full", {"NAME": "N'Ночь'", "DESCRIPTION": "N'of tests'", "RETAINDAYS": 3, "CHECKSUM": True}),
        ("DATABASE", "diff", {"DIFFERENTIAL": True}),
        ("LOG", "log", {"MEDIANAME": "N'media'"}),
        ("LOG", "next", {"CHECKSUM": True}),
    ):
        mark(server, database, 2, kind)
        names = [f"{kind}{number}" for number in range(stripes)]
        backup(server, database, *names, what=what, **more, **options)
        files = compare(server, *(f"{FOLDER}\\{database}_{name}" for name in names))
        assert {file.packed for file in files} == {bool(options)}
    assert files[0].sets[0].header["BeginsLogChain"] is False


@pytest.mark.parametrize("model", ["SIMPLE", "BULK_LOGGED"])
def test_other_recovery_models_and_copies(server: Server, database: str, model: str) -> None:
    backup(server, database, "first")
    server.do(f"ALTER DATABASE [{database}] SET RECOVERY {model}")
    backup(server, database, "copy", COPY_ONLY=True)
    (file,) = compare(server, f"{FOLDER}\\{database}_copy")
    assert file.sets[0].header["RecoveryModel"] == model.replace("_", "-")
    assert "IsCopyOnly" in file.sets[0].unknown


def test_several_sets_in_a_file(server: Server, database: str) -> None:
    for number in range(30):
        mark(server, database, 10 + number, "more")
        backup(server, database, "many", what="LOG" if number else "DATABASE", NOINIT=True)
    (file,) = compare(server, f"{FOLDER}\\{database}_many")
    assert [stored.position for stored in file.sets] == list(range(1, 31))
    assert all(log.header["FirstLSN"] <= before.header["LastLSN"] for before, log in pairwise(file.sets))


def test_a_restored_database_is_on_a_fork_of_its_own(server: Server, database: str) -> None:
    backup(server, database, "before")
    backup(server, database, "log", what="LOG")
    server.do(
        f"RESTORE DATABASE [{database}] FROM DISK = N'{FOLDER}\\{database}_before' WITH REPLACE, NORECOVERY; "
        f"RESTORE LOG [{database}] FROM DISK = N'{FOLDER}\\{database}_log' WITH RECOVERY"
    )
    mark(server, database, 7, "on the fork")
    backup(server, database, "fork", what="LOG")
    (file,) = compare(server, f"{FOLDER}\\{database}_fork")
    header = file.sets[0].header
    assert header["FirstRecoveryForkID"] != header["RecoveryForkID"] and header["ForkPointLSN"]


def test_the_lsns_at_the_start_are_provisional(server: Server, database: str) -> None:
    """So a backup that is still being written does not tell them."""
    mark(server, database, 3, "more")
    backup(server, database, "full")
    data = content(server, f"{FOLDER}\\{database}_full")
    stored = read(data[: len(data) // 2]).sets[0]
    assert not stored.complete and not {"FirstLSN", "LastLSN", "CheckpointLSN"} & set(stored.header)
    assert stored.header["DatabaseName"] == database


@pytest.mark.parametrize("options", [{"CHECKSUM": True}, {"COMPRESSION": True}], ids=["plain", "compressed"])
def test_a_whole_file_passes_the_deep_check(server: Server, database: str, options: dict[str, Any]) -> None:
    backup(server, database, "deep", **options)
    data = content(server, f"{FOLDER}\\{database}_deep")
    result = check_content(lambda offset, length: data[offset : offset + length], len(data), read(data))
    assert result.flaws == []
    assert result.share > 0.9 if "COMPRESSION" in options else result.pages == 0


def test_what_an_encrypted_backup_holds_is_not_known(server: Server, database: str) -> None:
    """Nobody has shown what Microsoft's hold in the clear: so nothing is guessed."""
    server.do("IF NOT EXISTS (SELECT 1 FROM sys.symmetric_keys WHERE name = N'##MS_DatabaseMasterKey##') "
              "CREATE MASTER KEY ENCRYPTION BY PASSWORD = N'K3y-of-tests!'")  # fmt: skip
    server.do(f"CREATE CERTIFICATE [{database}] WITH SUBJECT = N'backups', EXPIRY_DATE = N'20401231'")
    encryption = f"ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = [{database}])"
    backup(server, database, "secret", **{encryption: True})
    with pytest.raises(NotABackup, match="encrypted"):
        read(content(server, f"{FOLDER}\\{database}_secret"))


def test_a_backup_that_breaks_off_behind_a_whole_one(server: Server, database: str) -> None:
    """The server shows the whole one; read without it, the file is known to be cut off."""
    backup(server, database, "broken")
    path = f"{FOLDER}\\{database}_broken"
    data = content(server, path)
    server.host.files(SYSTEM).write(path, data + data[1536:4096])
    assert len(rows(server, "HEADERONLY", path)) == 1
    assert read(content(server, path)).problems != []
    with pytest.raises(pymssql.OperationalError, match="3266"):
        backup(server, database, "broken")
