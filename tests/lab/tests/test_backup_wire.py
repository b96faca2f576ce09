"""BACKUP and RESTORE as real clients meet them: messages drained or not, progress, dropped connections, the state
afterwards.
"""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .sql_host import PASSWORD, make_instance

pyodbc = pytest.importorskip("pyodbc")
pyodbc.pooling = False
MOVE = r"MOVE 'PRS' TO 'D:\Data\New.mdf', MOVE 'PRS_log' TO 'D:\Data\New.ldf'"


def drivers() -> list[str]:
    found = [name for name in pyodbc.drivers() if name == "FreeTDS"]
    try:
        import mssql_python_odbc

        folder = pathlib.Path(mssql_python_odbc.__file__).parent / "libs/linux/debian_ubuntu/x86_64/lib"
        found += [str(path) for path in folder.glob("libmsodbcsql-*")]
    except ImportError:
        pass
    return found


@pytest.fixture
def instance(tmp_path: pathlib.Path) -> Iterator[Any]:
    made = make_instance(tmp_path)
    yield made
    made.stop()


@pytest.fixture(params=drivers(), ids=lambda name: "freetds" if name == "FreeTDS" else "microsoft")
def connect(request: pytest.FixtureRequest, instance: Any) -> Any:
    def open_one(database: str = "master") -> Any:
        if request.param == "FreeTDS":
            return pyodbc.connect(
                f"DRIVER={{FreeTDS}};SERVER=127.0.0.1;PORT={instance.port};TDS_Version=7.4;UID=sa;PWD={PASSWORD};DATABASE={database}",
                autocommit=True,
            )
        return pyodbc.connect(
            f"DRIVER={{{request.param}}};SERVER=127.0.0.1,{instance.port};UID=sa;PWD={PASSWORD};DATABASE={database};TrustServerCertificate=yes",
            autocommit=True,
        )

    return open_one


def run(connection: Any, text: str) -> list[str]:
    """Execute and read everything; the messages."""
    cursor = connection.cursor()
    messages: list[str] = []
    cursor.execute(text)
    messages += [message for _, message in cursor.messages or []]
    while cursor.nextset():
        messages += [message for _, message in cursor.messages or []]
    cursor.close()
    return messages


def value(connection: Any, query: str) -> Any:
    cursor = connection.cursor()
    row = cursor.execute(query).fetchone()
    cursor.close()
    return row[0] if row else None


@pytest.fixture
def prs(connect: Any) -> Any:
    connection = connect()
    run(connection, "CREATE DATABASE PRS")
    run(connection, "CREATE TABLE PRS.dbo.Marker (n int PRIMARY KEY, filler nvarchar(2000))")
    run(connection, "INSERT INTO PRS.dbo.Marker VALUES (1, N'one')")
    return connection


def test_backup_restore_and_the_rows(prs: Any, connect: Any) -> None:
    messages = run(prs, "BACKUP DATABASE PRS TO DISK = N'prs.bak' WITH CHECKSUM, STATS = 25")
    assert [text for text in messages if "percent processed" in text][-1].endswith("100 percent processed.")
    assert value(prs, "SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = N'PRS' AND type = 'D'") == 1
    run(prs, "INSERT INTO PRS.dbo.Marker VALUES (2, N'two')")
    run(prs, "BACKUP LOG PRS TO DISK = N'prs.trn'")
    run(prs, f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH NORECOVERY, {MOVE}")
    assert value(prs, "SELECT state_desc FROM sys.databases WHERE name = N'New'") == "RESTORING"
    header = prs.cursor().execute("RESTORE HEADERONLY FROM DISK = N'prs.bak'").fetchone()
    files = (
        prs.cursor()
        .execute("SELECT redo_start_lsn, redo_start_fork_guid FROM sys.master_files WHERE database_id = DB_ID(N'New')")
        .fetchone()
    )
    assert files[0] == header.LastLSN
    assert str(files[1]).upper() == str(header.RecoveryForkID).upper()
    run(prs, "RESTORE LOG New FROM DISK = N'prs.trn' WITH RECOVERY")
    other = connect("New")
    assert [row.n for row in other.cursor().execute("SELECT n FROM dbo.Marker ORDER BY n")] == [1, 2]
    other.close()


def test_marks_are_remembered_and_found(prs: Any) -> None:
    run(prs, "BACKUP DATABASE PRS TO DISK = N'prs.bak'")
    run(
        prs,
        "BEGIN TRANSACTION Upgrade WITH MARK N'before 5.1'; INSERT INTO PRS.dbo.Marker VALUES (2, N'two'); COMMIT "
        "TRANSACTION Upgrade",
    )
    run(prs, "INSERT INTO PRS.dbo.Marker VALUES (3, N'three')")
    run(prs, "BACKUP LOG PRS TO DISK = N'prs.trn'")
    row = (
        prs.cursor()
        .execute("SELECT database_name, mark_name, description, user_name, lsn FROM msdb.dbo.logmarkhistory")
        .fetchone()
    )
    assert tuple(row)[:4] == ("PRS", "Upgrade", "before 5.1", "sa")
    for clause, count in (
        ("STOPATMARK = N'Upgrade'", 2),
        ("STOPBEFOREMARK = N'Upgrade'", 1),
        (f"STOPATMARK = N'lsn:{row.lsn}'", 2),
    ):
        run(prs, f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH NORECOVERY, REPLACE, {MOVE}")
        run(prs, f"RESTORE LOG New FROM DISK = N'prs.trn' WITH RECOVERY, {clause}")
        assert value(prs, "SELECT COUNT(*) FROM New.dbo.Marker") == count


def test_a_cursor_closed_too_early_cancels_silently(prs: Any, instance: Any) -> None:
    run(prs, "INSERT INTO PRS.dbo.Marker SELECT 100, REPLICATE(N'x', 2000)")
    instance.io_seconds = 100.0
    cursor = prs.cursor()
    cursor.execute("BACKUP DATABASE PRS TO DISK = N'never.bak' WITH STATS = 1")
    cursor.close()
    assert value(prs, "SELECT COUNT(*) FROM msdb.dbo.backupset") == 0
    instance.io_seconds = 0.0
    assert not instance.files().exists("D:\\Backup\\never.bak")


def test_a_client_that_drops_ends_its_restore(prs: Any, connect: Any, instance: Any) -> None:
    run(prs, "BACKUP DATABASE PRS TO DISK = N'prs.bak'")
    instance.io_seconds = 100.0
    victim = connect()
    cursor = victim.cursor()
    cursor.execute(f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH STATS = 1, {MOVE}")
    cursor.close()
    victim.close()
    ends = time.monotonic() + 60
    while instance.databases.get("New").busy:
        assert time.monotonic() < ends, "it goes on without its client"
        time.sleep(0.02)
    instance.io_seconds = 0.0
    assert value(prs, "SELECT state_desc FROM sys.databases WHERE name = N'New'") == "RESTORING"
    assert (
        value(prs, "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID(N'New') AND type = 0") is None
    )
    run(prs, f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH REPLACE, {MOVE}")
    assert value(prs, "SELECT COUNT(*) FROM New.dbo.Marker") == 1


def test_progress_is_seen_by_others(prs: Any, connect: Any, instance: Any) -> None:
    instance.io_seconds = 20.0
    worker = threading.Thread(target=run, args=(connect(), "BACKUP DATABASE PRS TO DISK = N'slow.bak' WITH STATS = 10"))
    worker.start()
    seen: set[float] = set()
    while len(seen) < 6 and worker.is_alive():
        percent = value(prs, "SELECT percent_complete FROM sys.dm_exec_requests WHERE command = N'BACKUP DATABASE'")
        if percent is not None:
            seen.add(float(percent))
        time.sleep(0.05)
    instance.io_seconds = 0.0
    worker.join(60)
    assert len(seen) == 6
    assert max(seen) <= 100


def test_the_cause_comes_first(prs: Any) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        run(prs, r"BACKUP DATABASE PRS TO DISK = N'D:\None\x.bak'")
    assert "Operating system error 3(The system cannot find the path specified.)" in str(caught.value)
    with pytest.raises(pyodbc.Error) as caught:
        run(prs, r"RESTORE DATABASE Other FROM DISK = N'none.bak'")
    assert "Operating system error 2(The system cannot find the file specified.)" in str(caught.value)


def test_a_restart_keeps_a_restoring_database_and_its_place(prs: Any, connect: Any, instance: Any) -> None:
    run(prs, "BACKUP DATABASE PRS TO DISK = N'prs.bak'")
    run(prs, "INSERT INTO PRS.dbo.Marker VALUES (2, N'two')")
    run(prs, "BACKUP LOG PRS TO DISK = N'prs.trn'")
    run(prs, f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH NORECOVERY, {MOVE}")
    lsn = value(prs, "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID(N'New') AND type = 0")
    prs.close()
    instance.stop(crash=True)
    instance.start()
    again = connect()
    assert (
        value(again, "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID(N'New') AND type = 0")
        == lsn
    )
    run(again, "RESTORE LOG New FROM DISK = N'prs.trn'")
    assert value(again, "SELECT COUNT(*) FROM New.dbo.Marker") == 2
    assert value(again, "SELECT COUNT(*) FROM PRS.dbo.Marker") == 2
    again.close()


def test_power_fails_in_the_middle_of_a_restore(prs: Any, connect: Any, instance: Any) -> None:
    run(prs, "BACKUP DATABASE PRS TO DISK = N'prs.bak'")
    instance.io_seconds = 600.0
    failed: list[str] = []

    def restore() -> None:
        try:
            run(connect(), f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH {MOVE}")
        except pyodbc.Error as error:
            failed.append(str(error))

    worker = threading.Thread(target=restore)
    worker.start()
    while instance.databases.get("New") is None:
        assert worker.is_alive()
        time.sleep(0.01)
    prs.close()
    instance.stop(crash=True)
    worker.join(timeout=60)
    assert len(failed) == 1
    instance.io_seconds = 0.0
    instance.start()
    again = connect()
    assert value(again, "SELECT state_desc FROM sys.databases WHERE name = N'New'") == "RESTORING"
    assert (
        value(again, "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID(N'New') AND type = 0")
        is None
    )
    run(again, f"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH {MOVE}")
    assert value(again, "SELECT COUNT(*) FROM New.dbo.Marker") == 1
    again.close()
