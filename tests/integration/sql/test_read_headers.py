"""Headers of backups read out of the files by the Windows of the server, and what SQL Server is asked all the same."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import Any

import pytest

from .conftest import SHARE, Failed, Server, mark


@pytest.fixture
def folder(sql_a: Server, database: str) -> str:
    """Five fulls and a log, and what is no whole backup."""
    path = f"{SHARE}\\read\\{database}"
    for number in range(2, 7):
        sql_a.run("sql_backup", database=database, path=path, file_name=f"{number}.bak")
        mark(sql_a, database, number, "after the backup")
    sql_a.run("sql_backup", database=database, kind="log", path=path, file_name="last.trn")
    return path


@pytest.fixture
def options(sql_b: Server, database: str, folder: str) -> dict[str, Any]:
    return {
        "database": database,
        "source": {"folders": [folder]},
        "read_headers": "files",
        **sql_b.windows,
        **sql_b.share_account,
    }


def asked(server: Server, run: Any) -> tuple[dict[str, Any], list[str]]:
    """What a run returned, and the names of the files whose headers SQL Server read meanwhile."""
    record = server.host.estate.record
    since = record.last
    result = run()
    texts = [entry["text"] for entry in record.entries("sql", host=server.host.name, since=since)]
    paths = [text.partition("N'")[2].rstrip("'") for text in texts if text.startswith("RESTORE HEADERONLY")]
    return result, sorted(PureWindowsPath(path).name for path in paths)


def test_only_what_is_used_is_read_by_the_server(sql_b: Server, database: str, options: dict[str, Any], only_queries):
    told = {**options, "read_headers": "server"}
    by_server, everything = asked(sql_b, lambda: sql_b.run("sql_restore", check=True, cache_headers=False, **told))
    assert len(everything) == 6
    with only_queries:
        by_files, read = asked(sql_b, lambda: sql_b.run("sql_restore", check=True, **options))
    assert read == ["6.bak", "last.trn"]
    for key in ("steps", "recovery_point", "source", "space_needed", "build_needed"):
        assert by_files["plan"][key] == by_server["plan"][key]
    sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2, 3, 4, 5, 6]


def test_what_cannot_be_read_so_the_server_is_asked_for(
    sql_a: Server, sql_b: Server, database: str, folder: str, options: dict[str, Any], share
):
    """A backup that is cut off is left out, an encrypted one is found."""
    place = PureWindowsPath("D:\\Shares\\backup", *PureWindowsPath(folder).parts[1:])
    content = share.read(f"{place}\\last.trn")
    share.write(f"{place}\\cut.trn", content[: len(content) // 2])
    sql_a.do("IF NOT EXISTS (SELECT 1 FROM sys.symmetric_keys WHERE name = N'##MS_DatabaseMasterKey##') "
             "CREATE MASTER KEY ENCRYPTION BY PASSWORD = N'K3y-of-tests!'")  # fmt: skip
    sql_a.do(f"CREATE CERTIFICATE [{database}] WITH SUBJECT = N'backups', EXPIRY_DATE = N'20401231'")
    mark(sql_a, database, 9, "in the encrypted backup")
    sql_a.run(
        "sql_backup", database=database, path=folder, file_name="secret.bak", encryption={"certificate": database}
    )
    with pytest.raises(Failed, match="certificate"):
        sql_b.run("sql_restore", check=True, **options)
    share.remove(f"{place}\\secret.bak")
    _result, read = asked(sql_b, lambda: sql_b.run("sql_restore", **options))
    assert set(read) == {"cut.trn", "6.bak", "last.trn"}
    assert sql_b.marks(database) == [1, 2, 3, 4, 5, 6]


def test_a_host_that_nobody_named_cannot_read_them(sql_b: Server, database: str, folder: str):
    with pytest.raises(Failed, match="needs the Windows of the database server"):
        sql_b.run("sql_restore", database=database, source={"folders": [folder]}, read_headers="files")


def test_another_backup_behind_the_same_name_is_noticed(
    sql_a: Server, sql_b: Server, database: str, folder: str, options: dict[str, Any], monkeypatch
):
    """Between the reading of the files and that of the server somebody has written another one."""
    from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import sources

    original = sources.BackupSources._read_from_files

    def then_overwritten(self):
        original(self)
        sql_a.do(f"BACKUP DATABASE [{database}] TO DISK = N'{folder}\\6.bak' WITH INIT")

    mark(sql_a, database, 7, "in the overwritten file alone")
    monkeypatch.setattr(sources.BackupSources, "_read_from_files", then_overwritten)
    sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2, 3, 4, 5, 6, 7]


def test_what_is_there_is_told_alike(sql_a: Server, database: str, folder: str):
    """All but what files do not tell: of those nobody is said to lie there unencrypted."""
    options = {"folders": [folder], "database": database, "history": True, "recovery_point_objective": 3600}
    windows = {**sql_a.windows, **sql_a.share_account}
    by_server, everything = asked(sql_a, lambda: sql_a.run("sql_backup_info", **options))
    by_files, read = asked(sql_a, lambda: sql_a.run("sql_backup_info", read_headers="files", **windows, **options))
    assert len(everything) == 6 and read == []
    for told in (by_server, by_files):
        (entry,) = told["databases"]
        entry.pop("age_seconds", None), entry.pop("loss_seconds", None)
    unencrypted = by_files["databases"][0].pop("unencrypted")
    assert unencrypted == [] and len(by_server["databases"][0].pop("unencrypted")) == 6
    assert by_files["databases"] == by_server["databases"]
    assert by_files["sets"] == by_server["sets"]
    with pytest.raises(Failed, match="needs the Windows of the database server"):
        sql_a.run("sql_backup_info", read_headers="files", **options)
