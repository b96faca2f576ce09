"""recovery: standby. True rows can be read between the logs, and the next log applies after it."""

from __future__ import annotations

import pymssql
import pytest

from .conftest import SHARE, SYSTEM, Failed, mark


@pytest.fixture
def folder(database):
    return f"{SHARE}\\standby\\{database}"


@pytest.fixture
def standby(sql_a, sql_b, database, folder):
    """The options of a standby on sql-b with row 1."""
    sql_a.run("sql_backup", database=database, path=folder)
    options = {"database": database, "source": {"folders": [folder]}, "recovery": "standby"}
    sql_b.run("sql_restore", **options)
    return options


def log(sql_a, database, folder, number):
    mark(sql_a, database, number, "in a log")
    sql_a.run("sql_backup", database=database, kind="log", path=folder)


def test_logs_follow_one_another(sql_a, sql_b, database, folder, standby, only_queries):
    undo = f"D:\\Data\\{database}.standby"
    for number in (2, 3):
        assert sql_b.marks(database) == list(range(1, number))
        assert sql_b.host.files(SYSTEM).is_file(undo)
        with pytest.raises(pymssql.Error, match="read-only"):
            mark(sql_b, database, 9, "nobody writes here")
        log(sql_a, database, folder, number)
        with only_queries:
            planned = sql_b.run("sql_restore", check=True, **standby)
        reader = sql_b.client(database)
        result = sql_b.run("sql_restore", **standby)
        reader.close()
        assert planned["plan"]["steps"] == result["plan"]["steps"] and result["plan"]["resumes"] is True
        assert [step["kind"] for step in result["plan"]["steps"]] == ["log", ""]
        assert f"WITH STANDBY = N'{undo}'" in result["plan"]["steps"][-1]["statement"]
        assert result["database"]["standby"] is True and result["database"]["user_access"] == "MULTI_USER"
    assert sql_b.marks(database) == [1, 2, 3]
    again = sql_b.run("sql_restore", **standby)
    assert again["changed"] is False and again["plan"] == {} and again["statements"] == []
    opened = sql_b.run("sql_restore", **{**standby, "recovery": "recovered"})
    assert [step["action"] for step in opened["plan"]["steps"]] == ["recover"] and opened["database"][
        "standby"
    ] is False
    mark(sql_b, database, 4, "now it is open")
    assert sql_b.marks(database) == [1, 2, 3, 4] and not sql_b.host.files(SYSTEM).is_file(undo)


def test_a_differential_bridges_a_lost_log(sql_a, sql_b, share, database, folder, standby):
    log(sql_a, database, folder, 2)
    sql_b.run("sql_restore", **standby)
    mark(sql_a, database, 3, "in a log that is lost")
    lost = sql_a.run("sql_backup", database=database, kind="log", path=folder)["backup"]["files"][0]
    share.remove(lost.replace(SHARE, "D:\\Shares\\backup"))
    mark(sql_a, database, 4, "in a differential")
    sql_a.run("sql_backup", database=database, kind="differential", path=folder)
    result = sql_b.run("sql_restore", **standby)
    assert [step["kind"] for step in result["plan"]["steps"]] == ["differential", ""]
    assert result["plan"]["resumes"] is True and sql_b.marks(database) == [1, 2, 3, 4]
    log(sql_a, database, folder, 5)
    sql_b.run("sql_restore", **standby)
    assert sql_b.marks(database) == [1, 2, 3, 4, 5]


def test_a_log_that_was_stopped_inside_goes_on(sql_a, sql_b, database, folder, standby):
    mark(sql_a, database, 2, "before the point")
    before = sql_a.ask("SELECT COUNT(*) FROM dbo.marker", database=database)
    sql_a.do(
        f"BEGIN TRAN [{database} point] WITH MARK; INSERT INTO dbo.marker (id, said) VALUES (3, N'at the point'); "
        "COMMIT",
        database=database,
    )
    lsn = int(sql_a.ask("SELECT lsn FROM msdb.dbo.logmarkhistory WHERE database_name = %s", database)[0][0])
    log(sql_a, database, folder, 4)
    assert before == [(2,)]
    sql_b.run("sql_restore", **standby, target=f"before-lsn:{lsn}")
    assert sql_b.marks(database) == [1, 2]
    log(sql_a, database, folder, 5)
    result = sql_b.run("sql_restore", **standby)
    assert sql_b.marks(database) == [1, 2, 3, 4, 5] and result["plan"]["resumes"] is True


def test_what_was_asked_for_must_hold_in_standby_too(sql_b, database, standby):
    with pytest.raises(Failed, match="'validation_query' answers 0"):
        sql_b.run("sql_restore", **standby, validation_query="SELECT COUNT(*) FROM dbo.marker WHERE id = 99")
    assert sql_b.run("sql_restore", **standby, checkdb="physical")["checked"] == "physical"


def test_an_undo_file_overwrites_nothing(sql_b, database, folder, standby, only_queries):
    path = f"D:\\Data\\{database}.precious"
    sql_b.host.files(SYSTEM).write(path, b"precious")
    copy = {
        **standby,
        "database": f"{database}_copy",
        "source": {"folders": [folder], "database": database},
        "standby_file": path,
    }
    with pytest.raises(Failed, match=r"precious of .* is there already"):
        sql_b.run("sql_restore", **copy)
    assert sql_b.state_of(f"{database}_copy") is None
    with only_queries, pytest.raises(Failed, match="operating system error 3"):
        sql_b.run("sql_restore", check=True, **{**copy, "standby_file": "D:\\Nowhere\\undo"})


def test_a_database_that_would_have_to_be_upgraded_is_refused_before_anything_is_touched(
    sql_b, database, standby, monkeypatch
):
    copy = {**standby, "database": f"{database}_copy", "source": {**standby["source"], "database": database}}
    monkeypatch.setattr(sql_b.instance.databases.get("master").boot, "version", 957)  # as on SQL Server 2022
    with pytest.raises(Failed, match="cannot stay in standby"):
        sql_b.run("sql_restore", **copy)
    assert sql_b.state_of(copy["database"]) is None
