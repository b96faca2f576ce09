"""A database that does not open is not lost yet: nothing is restored over what the server can still open, or over
another database.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from .conftest import SHARE, SYSTEM, Failed, mark

DATA_FILE = "SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) AND type_desc = 'ROWS'"


@contextmanager
def file_away(server, name):
    """The server starts while a database's drive is not there; in the block it has started."""
    files, [(path,)] = server.host.files(SYSTEM), server.ask(DATA_FILE, name)
    server.host.services.stop("MSSQLSERVER")
    files.rename(path, f"{path}.away")
    server.host.services.start("MSSQLSERVER")
    assert server.state_of(name) == "RECOVERY_PENDING"
    yield
    files.rename(f"{path}.away", path)


@pytest.fixture
def simple(sql_a, name):
    """A database without log backups, with one row that is in the backup and one that is newer."""
    sql_a.run("sql_database", name=name, recovery_model="SIMPLE")
    sql_a.ask("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=name)
    mark(sql_a, name, 1, "in the backup")
    sql_a.run("sql_backup", database=name, kind="full", path=f"{SHARE}\\{name}")
    mark(sql_a, name, 2, "newer")
    return name


def test_what_the_server_can_open_again_is_opened_and_keeps_every_row(sql_a, simple, only_queries):
    with file_away(sql_a, simple):
        pass
    source = {"folders": [f"{SHARE}\\{simple}"]}
    with only_queries:
        assert sql_a.run("sql_restore", check=True, database=simple, source=source)["changed"]
    assert sql_a.state_of(simple) == "RECOVERY_PENDING"
    result = sql_a.run("sql_restore", database=simple, source=source)
    assert (
        result["statements"] == [f"ALTER DATABASE [{simple}] SET ONLINE"] and result["plan"] == {} and result["changed"]
    )
    assert sql_a.marks(simple) == [1, 2]
    assert not sql_a.run("sql_restore", database=simple, source=source)["changed"]


def test_never_does_not_even_try(sql_a, simple):
    with file_away(sql_a, simple):
        pass
    with pytest.raises(Failed, match="it is RECOVERY_PENDING"):
        sql_a.run("sql_restore", database=simple, source={"folders": [f"{SHARE}\\{simple}"]}, replace="never")
    assert sql_a.state_of(simple) == "RECOVERY_PENDING"


def test_another_database_of_that_name_is_refused_though_it_does_not_open(sql_a, sql_b, simple):
    """sys.database_recovery_status: "NULL = Database is offline or the database will not start." Its backups tell who
    it is.
    """
    sql_b.run("sql_database", name=simple, recovery_model="SIMPLE")
    sql_b.run("sql_backup", database=simple, kind="full", path=f"{SHARE}\\{simple}-b")
    with file_away(sql_a, simple), pytest.raises(Failed, match="another database than the one in the backups"):
        sql_a.run("sql_restore", database=simple, source={"folders": [f"{SHARE}\\{simple}-b"]})
    assert sql_a.state_of(simple) == "RECOVERY_PENDING"


def test_a_restored_database_is_known_by_its_restore(sql_a, sql_b, simple):
    sql_b.run("sql_restore", database=simple, source={"folders": [f"{SHARE}\\{simple}"]})
    source = {"folders": [f"{SHARE}\\{simple}-b"]}
    sql_a.run("sql_database", name=f"{simple}x", recovery_model="SIMPLE")
    sql_a.run("sql_backup", database=f"{simple}x", kind="full", path=source["folders"][0])
    with file_away(sql_b, simple), pytest.raises(Failed, match="another database than the one in the backups"):
        sql_b.run("sql_restore", database=simple, source={**source, "database": f"{simple}x"})


@pytest.fixture
def unknown(sql_a, database):
    """A database in the full recovery model whose data file is gone, on a server whose msdb is new; row 2 is in its log
    alone.
    """
    sql_a.run("sql_backup", database=database, path=f"{SHARE}\\{database}")
    mark(sql_a, database, 2, "in the log alone")
    [(path,)] = sql_a.ask(DATA_FILE, database)
    for table in ("restorefile", "restorehistory", "backupfile", "backupset"):
        sql_a.do(f"DELETE FROM msdb.dbo.{table}")
    sql_a.host.services.stop("MSSQLSERVER")
    sql_a.host.files(SYSTEM).remove(path)
    sql_a.host.services.start("MSSQLSERVER")
    return database


def test_one_that_nobody_knows_is_known_by_the_tail_of_its_log(sql_a, unknown):
    result = sql_a.run("sql_restore", database=unknown, source={"folders": [f"{SHARE}\\{unknown}"]})
    assert "the tail of its log has to tell" in result["plan"]["reason"] and sql_a.marks(unknown) == [1, 2]


def test_one_that_nobody_knows_is_not_overwritten_by_another_of_its_name(sql_a, sql_b, unknown):
    sql_b.run("sql_database", name=unknown, recovery_model="FULL")
    sql_b.run("sql_backup", database=unknown, path=f"{SHARE}\\{unknown}-b")
    source = {"folders": [f"{SHARE}\\{unknown}-b"]}
    with pytest.raises(Failed, match="nothing tells whether it is the one in the backups"):
        sql_a.run("sql_restore", database=unknown, source=source, tail_log="skip")
    with pytest.raises(Failed, match=r"tail of its log \(saved in .*\) is of the family") as failed:
        sql_a.run("sql_restore", database=unknown, source=source)
    assert not any("RESTORE" in statement for statement in failed.value.result["statements"])
    assert sql_a.state_of(unknown) == "RECOVERY_PENDING"
    sql_a.run("sql_restore", database=unknown, source={"folders": [f"{SHARE}\\{unknown}"]})
    assert sql_a.marks(unknown) == [1, 2]


def test_one_that_somebody_set_offline_is_opened_where_that_is_asked_for(sql_a, simple, only_queries):
    sql_a.do(f"ALTER DATABASE [{simple}] SET OFFLINE WITH ROLLBACK IMMEDIATE")
    source = {"folders": [f"{SHARE}\\{simple}"]}
    with pytest.raises(Failed, match="Set 'open_offline: true' to open it first"):
        sql_a.run("sql_restore", database=simple, source=source)
    opened = [f"ALTER DATABASE [{simple}] SET ONLINE"]
    with only_queries:
        planned = sql_a.run("sql_restore", check=True, database=simple, source=source, open_offline=True)
    assert (planned["statements"], planned["plan"], planned["changed"]) == (opened, {}, True)
    result = sql_a.run("sql_restore", database=simple, source=source, open_offline=True)
    assert (result["statements"], result["plan"]) == (opened, {})
    assert sql_a.marks(simple) == [1, 2]


def test_one_that_somebody_set_offline_and_cannot_be_opened_is_not_overwritten(sql_a, simple):
    sql_a.do(f"ALTER DATABASE [{simple}] SET OFFLINE WITH ROLLBACK IMMEDIATE")
    [(path,)] = sql_a.ask(DATA_FILE, simple)
    files, source = sql_a.host.files(SYSTEM), {"folders": [f"{SHARE}\\{simple}"]}
    files.rename(path, f"{path}.away")
    with pytest.raises(Failed, match=r"was set offline and cannot be opened: .*inaccessible files"):
        sql_a.run("sql_restore", database=simple, source=source, open_offline=True)
    files.rename(f"{path}.away", path)
    assert sql_a.run("sql_restore", database=simple, source=source, open_offline=True)["plan"] == {}
    assert sql_a.marks(simple) == [1, 2]


def test_another_database_that_somebody_set_offline_stays_so(sql_a, sql_b, simple):
    sql_b.run("sql_database", name=simple, recovery_model="SIMPLE")
    sql_b.run("sql_backup", database=simple, kind="full", path=f"{SHARE}\\{simple}-b")
    sql_a.do(f"ALTER DATABASE [{simple}] SET OFFLINE WITH ROLLBACK IMMEDIATE")
    with pytest.raises(Failed, match="another database than the one in the backups"):
        sql_a.run("sql_restore", database=simple, source={"folders": [f"{SHARE}\\{simple}-b"]}, open_offline=True)
    assert sql_a.state_of(simple) == "OFFLINE"
