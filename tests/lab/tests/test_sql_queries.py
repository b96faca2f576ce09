"""Queries, expressions, variables and control of flow: tables of (T-SQL, expected)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyodbc
import pytest

from .sql_clients import drain, microsoft, rows
from .sql_host import make_instance


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    found = make_instance(tmp_path_factory.mktemp("sql"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def sql(instance):
    connection = microsoft(instance)
    connection.execute("CREATE DATABASE shop")
    connection.execute("""USE shop;
        CREATE TABLE dbo.item (id int IDENTITY(1,1) PRIMARY KEY, name nvarchar(20) NOT NULL, price decimal(9,2) NULL, sold datetime2(3) NULL);
        INSERT INTO dbo.item (name, price, sold) VALUES (N'apple', 1.20, '2026-01-01T10:00:00'), (N'Pear', 0.5, NULL), (N'fig', NULL, '20260301 12:00');
        CREATE TABLE dbo.stock (item int NOT NULL, place varchar(10) NOT NULL, n int NOT NULL, CONSTRAINT pk PRIMARY KEY (item, place));
        INSERT INTO dbo.stock VALUES (1, 'north', 5), (1, 'south', 7), (2, 'north', 0)""")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 % 3", 6),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / 2.0", Decimal("3.500000")),
        ("'a' + N'b'", "ab"),
        ("1 + '2'", 3),
        ("5 & 4 | 1", 5),
        ("CASE WHEN 1 = 2 THEN 'x' ELSE 'y' END", "y"),
        ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"),
        ("IIF('A' = 'a', 1, 0)", 1),
        ("ISNULL(NULL, 'x')", "x"),
        ("COALESCE(NULL, NULL, 3)", 3),
        ("NULLIF(1, 1)", None),
        ("LEN('ab  ')", 2),
        ("DATALENGTH(N'ab')", 4),
        ("UPPER('aé')", "AÉ"),
        ("REPLACE('abcabc', 'B', 'x')", "axcaxc"),
        ("SUBSTRING('abcdef', 2, 3)", "bcd"),
        ("CHARINDEX('c', 'abc')", 3),
        ("STUFF('abcdef', 2, 2, 'XY')", "aXYdef"),
        ("RIGHT('abc', 2)", "bc"),
        ("QUOTENAME('a]b')", "[a]]b]"),
        ("QUOTENAME('it''s', '''')", "'it''s'"),
        ("CONCAT('a', NULL, 1)", "a1"),
        ("REPLICATE('ab', 3)", "ababab"),
        ("CAST('12' AS int)", 12),
        ("TRY_CAST('x' AS int)", None),
        ("CONVERT(varchar(30), CAST('2026-02-03T04:05:06.789' AS datetime), 126)", "2026-02-03T04:05:06.790"),
        ("CONVERT(varchar(8), CAST('2026-02-03' AS date), 112)", "20260203"),
        ("CONVERT(varchar(20), 0x0AFF, 1)", "0x0AFF"),
        ("CONVERT(varbinary(4), '0x0AFF', 1)", b"\x0a\xff"),
        ("CAST(N'ab' AS varbinary(4))", b"a\0b\0"),
        ("CAST(1.005 AS decimal(9,2))", Decimal("1.01")),
        ("DATEADD(day, 1, CAST('2026-02-28' AS date))", dt.date(2026, 3, 1)),
        ("DATEADD(month, 1, CAST('2026-01-31' AS date))", dt.date(2026, 2, 28)),
        ("DATEDIFF(hour, '2026-01-01T00:59:00', '2026-01-01T01:00:00')", 1),
        ("DATEPART(year, '2026-05-06')", 2026),
        ("DATENAME(month, '2026-05-06')", "May"),
        ("1 WHERE NULL = NULL", "no row"),
        ("CASE WHEN 'abc' LIKE 'A[b-d]_' THEN 1 ELSE 0 END", 1),
        ("CASE WHEN 'a%' LIKE 'a!%' ESCAPE '!' THEN 1 END", 1),
        ("CASE WHEN 3 BETWEEN 1 AND 5 AND 3 NOT IN (1, 2) THEN 1 END", 1),
        ("CASE WHEN 'a' COLLATE Latin1_General_CS_AS = 'A' THEN 1 ELSE 0 END", 0),
        ("SUSER_SNAME(0x01)", "sa"),
        ("DB_NAME()", "shop"),
        ("IS_SRVROLEMEMBER('sysadmin')", 1),
        ("HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')", 1),
        ("@@TRANCOUNT", 0),
        (
            "CAST(CAST('2026-01-02T03:04:05' AS datetime2(0)) AT TIME ZONE 'UTC' AS varchar(40))",
            "2026-01-02 03:04:05.0000000 +00:00",
        ),
        ("OBJECT_ID(N'dbo.nothing')", None),
        ("(SELECT COUNT(*) FROM dbo.item)", 3),
        ("ISNUMERIC('1.5')", 1),
        ("PARSENAME('a.b.c', 2)", "b"),
        ("HASHBYTES('SHA2_256', 'a')", "ca978112"),
    ],
)
def test_expressions(sql, text, expected):
    found = rows(sql, f"SELECT {text}")
    if expected == "no row":
        assert found == []
    elif isinstance(expected, str) and isinstance(found[0][0], bytes):
        assert found[0][0].hex().startswith(expected)
    elif isinstance(expected, str) and not isinstance(found[0][0], str):
        assert str(found[0][0]).startswith(expected)
    else:
        assert found[0][0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT name FROM dbo.item ORDER BY name", [("apple",), ("fig",), ("Pear",)]),
        ("SELECT TOP (1) i.name AS n FROM shop.dbo.item AS i WITH (NOLOCK) WHERE i.name = 'PEAR'", [("Pear",)]),
        (
            "SELECT i.name, SUM(s.n) AS total FROM item i LEFT JOIN stock s ON s.item = i.id GROUP BY "
            "i.name HAVING COUNT(*) > 0 ORDER BY total DESC, 1",
            [("apple", 12), ("Pear", 0), ("fig", None)],
        ),
        ("SELECT id FROM item WHERE sold > '2026-02-01'", [(3,)]),
        ("SELECT id FROM item WHERE sold IS NULL", [(2,)]),
        ("SELECT id FROM item ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", [(2,)]),
        (
            "WITH x AS (SELECT item, MAX(n) AS m FROM stock GROUP BY item) SELECT i.name, x.m "
            "FROM item i JOIN x ON x.item = i.id ORDER BY 2",
            [("Pear", 0), ("apple", 7)],
        ),
        ("SELECT DISTINCT place FROM stock ORDER BY place DESC", [("south",), ("north",)]),
        (
            "SELECT id, ROW_NUMBER() OVER (ORDER BY price DESC) AS r FROM item WHERE price IS NOT NULL ORDER BY r",
            [(1, 1), (2, 2)],
        ),
        ("SELECT v.a, v.b FROM (VALUES (1, 'x'), (2, 'y')) AS v(a, b) ORDER BY a DESC", [(2, "y"), (1, "x")]),
        ("SELECT 1 AS a UNION ALL SELECT 2 UNION SELECT 2 ORDER BY a DESC", [(2,), (1,)]),
        ("SELECT 1 EXCEPT SELECT 1", []),
        ("SELECT name FROM item WHERE EXISTS (SELECT 1 FROM stock s WHERE s.item = item.id AND s.n > 6)", [("apple",)]),
        (
            "SELECT COUNT(*), COUNT(price), MIN(price), AVG(id), STRING_AGG(name, ',') FROM item",
            [(3, 2, Decimal("0.50"), 2, "apple,Pear,fig")],
        ),
        ("SELECT * FROM (SELECT id AS number, name FROM item) AS t WHERE t.number = 1", [(1, "apple")]),
        (
            "SELECT a.id, b.id FROM item a CROSS JOIN item b WHERE a.id = 1 AND b.id IN (SELECT item FROM stock)",
            [(1, 1), (1, 2)],
        ),
        ("SELECT nickname = name FROM item WHERE id = 1", [("apple",)]),
    ],
)
def test_selects(sql, text, expected):
    assert rows(sql, text) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SELECT x FROM dbo.item", 207),
        ("SELECT q.name FROM dbo.item i", 4104),
        ("SELECT * FROM dbo.nothing", 208),
        ("SELECT 1 / 0", 8134),
        ("SELECT CAST('x' AS int)", 245),
        ("SELECT CAST('nodate' AS datetime)", 241),
        ("SELECT nofunction(1)", 195),
        ("SELECT @undeclared", 137),
        ("SELECT name FROM item, item", 1011),
        ("INSERT INTO item (name) VALUES (NULL)", 515),
        ("INSERT INTO item (name) VALUES ('123456789012345678901')", 2628),
        ("INSERT INTO stock VALUES (1, 'north', 1)", 2627),
        ("INSERT INTO item (id, name) VALUES (9, 'x')", 544),
        ("INSERT INTO stock VALUES (1, 'x')", 213),
        ("SELECT 2147483647 + 1", 8115),
        ("CREATE TABLE dbo.item (a int)", 2714),
        ("DROP TABLE dbo.nothing", 3701),
        ("USE nowhere", 911),
        ("EXEC nosuchprocedure", 2812),
        ("COMMIT", 3902),
        ("ROLLBACK", 3903),
        ("THROW 51000, 'mine', 1", 51000),
        ("RAISERROR('mine %d', 16, 1, 5)", 50000),
        ("SELECT FROM x", 156),
        ("EXEC sp_executesql N'SET @x = 1', N'@x int OUTPUT', @x = 21 OUTPUT", 179),
        ("SELECT 'open", 105),
        ("BACKUP DATABASE shop TO DISK = 'x' WITH NONSENSE", 155),
        ("SELECT i.id FROM item i JOIN stock s ON s.item = i.id WHERE id = item.id", 4104),
        ("DECLARE @a int, @a int", 134),
        ("SELECT CAST('2026-13-45' AS datetime)", 242),
        ("WAITFOR DELAY 'x'", 148),
        ("INSERT INTO sys.databases (name) VALUES ('x')", 259),
        ("SELECT CAST(1 AS nosuchtype)", 2715),
        ("SELECT id FROM item UNION SELECT id, name FROM item", 205),
        ("KILL 9999", 6106),
        ("SELECT a FROM (SELECT 1) AS t", 8155),
    ],
)
def test_errors_by_number(instance, sql, text, number):
    with pytest.raises(pyodbc.Error, match=rf"\({number}\)"):
        drain(sql.execute(text))
    assert rows(sql, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("text", "results", "messages"),
    [
        ("DECLARE @a int = 2, @b nvarchar(10); SET @b = N'x'; SET @a += 3; SELECT @a, @b + 'y'", [[(5, "xy")]], []),
        ("DECLARE @n nvarchar(20); SELECT @n = name FROM item WHERE id = 2; PRINT @n", [], ["Pear"]),
        ("IF EXISTS (SELECT 1 FROM item) PRINT 'yes' ELSE PRINT 'no'", [], ["yes"]),
        (
            "DECLARE @i int = 0; WHILE @i < 5 BEGIN SET @i = @i + 1; IF @i = 2 CONTINUE; IF @i = 4 BREAK; PRINT @i END",
            [],
            ["1", "3"],
        ),
        (
            (
                "BEGIN TRY SELECT 1/0; END TRY BEGIN CATCH PRINT CONCAT(ERROR_NUMBER(), ' ', ERROR_SEVERITY(), ' ', "
                "ERROR_MESSAGE()) END CATCH"
            ),
            [],
            ["8134 16 Divide by zero error encountered."],
        ),
        ("EXEC ('SELECT 1 AS a')", [[(1,)]], []),
        ("DECLARE @s nvarchar(50) = N'SELECT @p'; EXEC sp_executesql @s, N'@p int', 5", [[(5,)]], []),
        (
            "DECLARE @o int = 21; EXEC sp_executesql N'SET @x = @x * 2', N'@x int OUTPUT', @x = @o OUTPUT; SELECT @o",
            [[(42,)]],
            [],
        ),
        (
            "CREATE TABLE #t (id int, n nvarchar(5)); INSERT #t VALUES (1, 'a'); UPDATE #t SET n = n "
            "+ 'b' WHERE id = 1; SELECT * FROM #t; DROP TABLE #t",
            [[(1, "ab")]],
            [],
        ),
        (
            (
                "DECLARE @t TABLE (id int IDENTITY PRIMARY KEY, n nvarchar(9)); INSERT @t (n) VALUES ('x'), ('y'); "
                "SELECT id, n FROM @t"
            ),
            [[(1, "x"), (2, "y")]],
            [],
        ),
        ("SELECT id INTO #copy FROM item; SELECT COUNT(*) FROM #copy; DROP TABLE #copy", [[(3,)]], []),
        (
            "CREATE TABLE #h (name nvarchar(99), minimum int, maximum int, c int, r int); INSERT INTO #h EXEC "
            "sp_configure 'clr enabled'; SELECT name, r FROM #h; DROP TABLE #h",
            [[("clr enabled", 0)]],
            [],
        ),
        (
            "BEGIN TRAN; INSERT INTO stock VALUES (3, 'east', 1); SAVE TRAN s; INSERT INTO stock "
            "VALUES (3, 'west', 1); ROLLBACK TRAN s; COMMIT; "
            "SELECT place FROM stock WHERE item = 3; DELETE FROM stock WHERE item = 3",
            [[("east",)]],
            [],
        ),
        (
            "UPDATE s SET s.n = s.n + 1 FROM stock s JOIN item i ON i.id = s.item WHERE i.name = 'pear'; SELECT n "
            "FROM stock WHERE item = 2; UPDATE stock SET n = 0 WHERE item = 2",
            [[(1,)]],
            [],
        ),
        (
            (
                "INSERT INTO item (name) OUTPUT inserted.name VALUES ('kiwi'); DELETE FROM item OUTPUT deleted.name "
                "WHERE name = 'kiwi'"
            ),
            [[("kiwi",)], [("kiwi",)]],
            [],
        ),
        ("SELECT 1 RETURN SELECT 2", [[(1,)]], []),
        ("SET NOCOUNT ON; SELECT @@ROWCOUNT; PRINT 'x'", [[(0,)]], ["x"]),
        (
            "BEGIN TRY RAISERROR('first', 16, 3) END TRY BEGIN CATCH DECLARE @m nvarchar(99) = "
            "ERROR_MESSAGE(); PRINT @m; PRINT ERROR_STATE() END CATCH",
            [],
            ["first", "3"],
        ),
        (
            "SET XACT_ABORT ON; BEGIN TRY BEGIN TRAN; SELECT 1/0 END TRY BEGIN CATCH PRINT XACT_STATE(); "
            "ROLLBACK; PRINT XACT_STATE() END CATCH; SET XACT_ABORT OFF",
            [],
            ["-1", "0"],
        ),
    ],
)
def test_batches(sql, text, results, messages):
    found, said = drain(sql.execute(text))
    assert (found, said) == (results, messages)


def test_language_decides_how_a_date_is_read(sql):
    assert rows(sql, "SET LANGUAGE us_english; SELECT MONTH(CAST('2026-02-01 00:00' AS datetime))") == [(2,)]
    assert rows(sql, "SET LANGUAGE German; SELECT MONTH(CAST('2026-02-01 00:00' AS datetime))") == [(1,)]
    assert rows(sql, "SELECT MONTH(CAST('2026-02-01T00:00:00' AS datetime)); SET LANGUAGE us_english") == [(2,)]
    sql.execute("SET LANGUAGE us_english")


def test_isolation_between_sessions(instance, sql):
    other = microsoft(instance)
    sql.execute("BEGIN TRAN; UPDATE stock SET n = 99 WHERE item = 1")
    assert rows(other, "SELECT MAX(n) FROM shop.dbo.stock WHERE item = 1") == [(7,)]
    with pytest.raises(pyodbc.Error, match=r"\(1222\)"):
        other.execute("SET LOCK_TIMEOUT 50; UPDATE shop.dbo.stock SET n = 1 WHERE item = 1")
    sql.execute("ROLLBACK")
    other.execute("UPDATE shop.dbo.stock SET n = n WHERE item = 1")
    other.close()


def test_a_writer_waits_for_the_other(instance, sql):
    import threading

    other = microsoft(instance)
    sql.execute("BEGIN TRAN; UPDATE stock SET n = n + 1 WHERE item = 2")
    thread = threading.Thread(target=lambda: other.execute("UPDATE shop.dbo.stock SET n = n + 10 WHERE item = 2"))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    sql.execute("COMMIT")
    thread.join(60)
    assert rows(sql, "SELECT n FROM stock WHERE item = 2") == [(11,)]
    sql.execute("UPDATE stock SET n = 0 WHERE item = 2")
    other.close()


def test_what_is_not_modelled_fails_and_is_listed(instance, sql):
    before = len(list(instance.host.record.entries("unmodelled")))
    for text in (
        "SELECT name FROM item FOR XML PATH('')",
        "CREATE VIEW dbo.v AS SELECT 1 AS a",
        "SELECT * FROM sys.dm_nothing",
    ):
        with pytest.raises(pyodbc.Error, match=r"not modelled"):
            sql.execute(text)
    assert len(list(instance.host.record.entries("unmodelled"))) == before + 3


def test_application_locks(instance):
    first, second = microsoft(instance), microsoft(instance)
    take = (
        "DECLARE @r int; EXEC @r = sp_getapplock @Resource = 'restore', @LockMode = 'Exclusive', "
        "@LockOwner = 'Session', @LockTimeout = {}; SELECT @r"
    )
    assert rows(first, take.format(0)) == [(0,)]
    assert rows(second, take.format(0)) == [(-1,)]
    held = rows(
        second, "SELECT request_session_id, request_status FROM sys.dm_tran_locks WHERE resource_type = 'APPLICATION'"
    )
    assert held == [(rows(first, "SELECT @@SPID")[0][0], "GRANT")]
    first.close()
    assert rows(second, take.format(60000))[0][0] in (0, 1)
    assert rows(second, "DECLARE @r int; EXEC @r = sp_releaseapplock 'restore', 'Session'; SELECT @r") == [(0,)]
    with pytest.raises(pyodbc.Error, match=r"\(1223\)"):
        second.execute("EXEC sp_releaseapplock 'restore', 'Session'")
    second.close()
