"""source.attach: surviving files become a database again, with or without their log; nothing is overwritten."""

from __future__ import annotations

import pytest

from .conftest import SYSTEM, Failed, mark

FILES = "SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) ORDER BY type"


@pytest.fixture
def survivors(sql_a, sql_b, database, name):
    """Copies of a database's files on sql-b, taken while its server was down: cleanly, or after a crash (rows 1 and 2
    are in the log alone).
    """

    def take(*, clean):
        mark(sql_a, database, 2, "committed")
        paths = [path for (path,) in sql_a.ask(FILES, database)]
        if clean:
            sql_a.host.services.stop("MSSQLSERVER")
        else:
            sql_a.instance.stop(crash=True)
        held = {path: sql_a.host.files(SYSTEM).read(path) for path in paths}
        sql_a.host.services.restart("MSSQLSERVER")
        there = sql_b.host.files(SYSTEM)
        for path, content in held.items():
            there.write(path, content)
        return paths

    return take


def attach(data, log=None, **more):
    return {"source": {"attach": {"data_files": [data], "log_files": [log] if log else []}, **more}}


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "crashed"])
def test_with_its_log(sql_b, database, survivors, clean, only_queries):
    """The rows that a crash left in the log alone are there, too."""
    data, log = survivors(clean=clean)
    before = sql_b.host.files(SYSTEM).read(data)
    options = {"database": database, **attach(data, log), "checkdb": "full"}
    with only_queries:
        planned = sql_b.run("sql_restore", check=True, **options)
    assert (
        planned["changed"] is True
        and sql_b.state_of(database) is None
        and sql_b.host.files(SYSTEM).read(data) == before
    )
    result = sql_b.run("sql_restore", **options)
    assert planned["plan"] == result["plan"] and result["plan"]["steps"][0]["statement"] == result["statements"][0]
    assert result["statements"][0].endswith("FOR ATTACH WITH RESTRICTED_USER") and result["statements"][-1].endswith(
        "SET MULTI_USER"
    )
    assert sql_b.marks(database) == [1, 2] and result["checked"] == "full"
    assert result["database"]["owner"] == "sa" and result["database"]["user_access"] == "MULTI_USER"
    again = sql_b.run("sql_restore", **options)
    assert again["changed"] is False and again["plan"] == {}


def test_the_log_is_looked_for_where_it_was(sql_b, database, survivors):
    data, log = survivors(clean=False)
    result = sql_b.run("sql_restore", database=database, **attach(data))
    assert result["plan"]["steps"][0]["devices"] == [data, log] and sql_b.marks(database) == [1, 2]


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "crashed"])
def test_without_its_log(sql_b, database, survivors, clean):
    data, log = survivors(clean=clean)
    sql_b.host.files(SYSTEM).remove(log)
    options = {"database": database, **attach(data), "validation_query": "SELECT COUNT(*) FROM dbo.marker"}
    planned = sql_b.run("sql_restore", check=True, **options)
    assert (
        planned["plan"]["steps"][0]["statement"].endswith("FOR ATTACH_REBUILD_LOG")
        and "full backup" in planned["plan"]["notes"][-1]
    )
    if clean:
        assert sql_b.run("sql_restore", **options)["database"]["user_access"] == "MULTI_USER"
        assert sql_b.marks(database) == [1, 2]
        return
    before = sql_b.host.files(SYSTEM).read(data)
    with pytest.raises(Failed, match="was not shut down cleanly"):
        sql_b.run("sql_restore", **options)
    assert sql_b.state_of(database) is None and sql_b.host.files(SYSTEM).read(data) == before


def test_nothing_is_overwritten(sql_b, database, survivors):
    data, log = survivors(clean=True)
    other = f"{database}_other"
    sql_b.run("sql_database", name=other)
    with pytest.raises(Failed, match="overwrites nothing"):
        sql_b.run("sql_restore", database=other, **attach(data, log))
    (theirs,), _log = sql_b.ask(FILES, other)
    with pytest.raises(Failed, match=f"belongs to database {other}"):
        sql_b.run("sql_restore", database=database, **attach(theirs, log))


def test_another_family_is_detached_again(sql_a, sql_b, database, survivors):
    family = sql_a.ask("SELECT family_guid FROM sys.database_recovery_status WHERE database_id = DB_ID(%s)", database)[
        0
    ][0]
    data, log = survivors(clean=True)
    with pytest.raises(Failed, match="hold another database"):
        sql_b.run(
            "sql_restore", database=database, **attach(data, log, family_guid="00000000-0000-0000-0000-000000000001")
        )
    assert sql_b.state_of(database) is None
    sql_b.run("sql_restore", database=database, **attach(data, log, family_guid=str(family)))
    assert sql_b.marks(database) == [1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (attach("D:\\Data\\nothing.mdf"), "The file does not exist for the service account"),
        (attach("C:\\setup.ini"), "no primary data file"),
        (attach("D:\\Data\\x.mdf", folders=["D:\\Backup"]), "both files to attach and backups"),
        ({**attach("D:\\Data\\x.mdf"), "target": "lsn:1"}, "opened as they are"),
    ],
)
def test_what_cannot_be_attached(sql_b, name, options, message):
    with pytest.raises(Failed, match=message) as failed:
        sql_b.run("sql_restore", database=name, **options)
    assert "statements" not in failed.value.result and sql_b.state_of(name) is None


def test_a_newer_servers_files_are_refused_before_anything_is_touched(sql_b, database, survivors, monkeypatch):
    data, log = survivors(clean=True)
    monkeypatch.setattr(sql_b.instance.databases.get("master").boot, "version", 869)  # as on SQL Server 2017
    with pytest.raises(Failed, match="of a newer SQL Server"):
        sql_b.run("sql_restore", database=database, **attach(data, log))
    assert sql_b.state_of(database) is None
