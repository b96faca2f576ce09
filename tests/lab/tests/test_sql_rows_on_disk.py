"""The rows of user tables in the twin's data file: read without a server they are what T-SQL gives."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import inspect_file
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables

from .sql_clients import create_database, drain, microsoft, rows

DATA, LOG = "D:\\Data\\one.mdf", "D:\\Data\\one_log.ldf"
EVERY_TYPE = """
id int IDENTITY NOT NULL PRIMARY KEY, tiny tinyint, small smallint, big bigint, yes bit, no bit NOT NULL, price decimal(10,2),
cost money, ratio float, born date, at datetime, exactly datetime2(7), roughly datetime2(2), who uniqueidentifier,
name nvarchar(40) NOT NULL, code varchar(20), raw varbinary(30), long nvarchar(max)"""
NOON = "2024-05-06T12:34:56.790"


@pytest.fixture
def sql(instance):
    connection = microsoft(instance)
    create_database(connection, "one", DATA, LOG)
    yield connection
    connection.close()


def content(instance) -> bytes:
    return instance.host.view.real_path(DATA, "rb").read_bytes()


def opened(data: bytes) -> Tables:
    reader = RangeReader(lambda offset, length: data[offset : offset + length], len(data))
    return Tables(Pages({1: reader}), (1, 16))


def shown(row: tuple) -> list[str]:
    """The client has GUIDs in capitals."""
    return [str(value).lower() for value in row]


def on_disk(instance, name: str) -> list[tuple]:
    tables = opened(content(instance))
    return list(tables.rows(tables.named(name)))


def test_values_of_every_type_and_null(instance, sql):
    drain(sql.execute(f"CREATE TABLE one.dbo.t ({EVERY_TYPE})"))
    full = (
        f"200, -3, 9000000000, 1, 0, -12.34, 1.5, 0.25, '2024-02-29', '{NOON}', '{NOON}', '{NOON}', "
        "'6F9619FF-8B86-D011-B42D-00C04FC964FF', N'Zoë', 'abc', 0x0102, N'long'"
    )
    drain(sql.execute(f"INSERT one.dbo.t VALUES ({full})"))
    drain(sql.execute("INSERT one.dbo.t (no, name) VALUES (1, N'')"))
    drain(sql.execute("USE one; CHECKPOINT; USE master"))
    found = on_disk(instance, "t")
    asked = [tuple(row) for row in rows(sql, "SELECT * FROM one.dbo.t ORDER BY id")]
    assert [shown(row) for row in found] == [shown(row) for row in asked]
    columns = opened(content(instance)).columns(opened(content(instance)).named("t"))
    assert [column.type for column in columns][:7] == [
        "int",
        "tinyint",
        "smallint",
        "bigint",
        "bit",
        "bit",
        "decimal(10,2)",
    ]
    assert columns[0].identity and not columns[0].nullable and columns[1].nullable


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["clustered", "heap"])
def test_rows_on_many_pages(instance, sql, key):
    drain(sql.execute(f"CREATE TABLE one.dbo.t (n int NOT NULL {key}, filler varchar(900))"))
    for first in range(0, 300, 50):
        values = ", ".join(f"({n}, '{'x' * 800}')" for n in range(first, first + 50))
        drain(sql.execute(f"INSERT one.dbo.t VALUES {values}"))
    drain(sql.execute("DELETE one.dbo.t WHERE n % 7 = 0"))
    drain(sql.execute("USE one; CHECKPOINT; USE master"))
    assert [row[0] for row in on_disk(instance, "t")] == [n for n in range(300) if n % 7]
    judged = inspect_file(
        lambda offset, length: content(instance)[offset : offset + length], len(content(instance)), pages=True
    )
    assert judged.faults == [] and judged.page_check.damages == 0


def test_the_file_holds_what_the_last_checkpoint_brought(instance, sql):
    drain(sql.execute("CREATE TABLE one.dbo.t (n int NOT NULL PRIMARY KEY)"))
    drain(sql.execute("INSERT one.dbo.t VALUES (1)"))
    drain(sql.execute("USE one; CHECKPOINT; USE master"))
    drain(sql.execute("INSERT one.dbo.t VALUES (2)"))
    assert on_disk(instance, "t") == [(1,)]
    drain(sql.execute("ALTER DATABASE one SET OFFLINE"))
    assert on_disk(instance, "t") == [(1,), (2,)]
    drain(sql.execute("ALTER DATABASE one SET ONLINE"))
    assert [row[0] for row in rows(sql, "SELECT n FROM one.dbo.t")] == [1, 2] and on_disk(instance, "t") == [(1,), (2,)]


def test_damage_to_such_a_page_is_the_tables_and_stays_after_a_start(instance, sql):
    drain(sql.execute("CREATE TABLE one.dbo.t (n int NOT NULL PRIMARY KEY)"))
    drain(sql.execute("INSERT one.dbo.t VALUES (1)"))
    drain(sql.execute("ALTER DATABASE one SET OFFLINE"))
    path, tables = instance.host.view.real_path(DATA, "r+b"), opened(content(instance))
    assert tables.named("t").rows == 1
    data = bytearray(path.read_bytes())
    at = next(n for n in range(len(data) // 8192 - 1, 32, -1) if data[n * 8192 + 1] == 1 and data[n * 8192 + 22] == 1)
    data[at * 8192 + 500] ^= 1
    path.write_bytes(bytes(data))
    drain(sql.execute("ALTER DATABASE one SET ONLINE"))
    for statement, said in (
        ("BACKUP DATABASE one TO DISK = 'D:\\Data\\one.bak' WITH CHECKSUM", "detected an error on page"),
        ("DBCC CHECKDB (one) WITH NO_INFOMSGS", "Table error"),
        ("SELECT n FROM one.dbo.t", r"824|logical consistency|10054"),  # it ends the session
    ):
        with pytest.raises(Exception, match=said):
            rows(sql, statement)
