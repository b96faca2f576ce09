"""FOR ATTACH: which files become a database again, and with which error others are refused."""

from __future__ import annotations

import pymssql
import pytest

from .sql_clients import connect, create_database, drain, microsoft, rows

DATA, LOG = "D:\\Data\\one.mdf", "D:\\Data\\one_log.ldf"
ATTACH = "CREATE DATABASE again ON (NAME = a, FILENAME = '{data}'), (NAME = b, FILENAME = '{log}') FOR ATTACH"


@pytest.fixture
def sql(instance):
    connection = microsoft(instance)
    yield connection
    connection.close()


@pytest.fixture
def files(instance, sql):
    """The files of a database `one` with one row, detached."""
    create_database(sql, "one", DATA, LOG)
    drain(sql.execute("CREATE TABLE one.dbo.t(n int)"))
    drain(sql.execute("INSERT one.dbo.t VALUES (1)"))
    drain(sql.execute("EXEC sp_detach_db 'one'"))
    return instance.host.view


def refused(instance, text, number):
    """By a client that tells the first of a statement's errors."""
    connection = connect("pymssql", instance)
    with pytest.raises(pymssql.Error) as caught:
        connection.cursor().execute(text)
    assert caught.value.args[0] == number, caught.value


def attach(sql, data=DATA, log=LOG):
    drain(sql.execute(ATTACH.format(data=data, log=log)))
    return rows(sql, "SELECT n FROM again.dbo.t ORDER BY n")


def changed(content, offset, value):
    return content[:offset] + value + content[offset + len(value) :]


def test_detached_files_come_back_wherever_they_were_copied(sql, files):
    files.write("D:\\Data\\moved.mdf", files.read(DATA))
    files.write("D:\\Data\\moved.ldf", files.read(LOG))
    assert attach(sql, "D:\\Data\\moved.mdf", "D:\\Data\\moved.ldf") == [(1,)]


def test_by_the_procedure(sql, files):
    drain(sql.execute(f"EXEC sp_attach_db @dbname = N'again', @filename1 = N'{DATA}', @filename2 = N'{LOG}'"))
    assert rows(sql, "SELECT n FROM again.dbo.t") == [(1,)]


def test_without_a_log_after_a_clean_shutdown(sql, files):
    files.remove(LOG)
    drain(sql.execute(f"CREATE DATABASE again ON (NAME = a, FILENAME = '{DATA}') FOR ATTACH_REBUILD_LOG"))
    assert rows(sql, "SELECT n FROM again.dbo.t") == [(1,)]


def test_a_log_that_is_there_is_used_instead_of_a_new_one(sql, files):
    drain(sql.execute(f"CREATE DATABASE again ON (NAME = a, FILENAME = '{DATA}') FOR ATTACH_REBUILD_LOG"))
    assert rows(sql, "SELECT physical_name FROM again.sys.database_files WHERE type = 1") == [(LOG,)]


def test_the_log_of_another_database(instance, sql, files):
    create_database(sql, "two", "D:\\Data\\two.mdf", "D:\\Data\\two.ldf")
    drain(sql.execute("EXEC sp_detach_db 'two'"))
    refused(instance, ATTACH.format(data=DATA, log="D:\\Data\\two.ldf"), 5173)
    assert rows(sql, "SELECT DB_ID('again')") == [(None,)]


def test_a_log_of_another_moment(instance, sql, files):
    earlier = files.read(LOG)
    attach(sql)
    drain(sql.execute("INSERT again.dbo.t VALUES (2)"))
    drain(sql.execute("EXEC sp_detach_db 'again'"))
    later = files.read(LOG)
    files.write(LOG, earlier)
    refused(instance, ATTACH.format(data=DATA, log=LOG), 9003)
    files.write(LOG, later)
    with microsoft(instance) as connection:  # an error of severity 20 ends the session
        assert attach(connection) == [(1,), (2,)]


def test_files_of_a_crash_need_their_log(instance, sql, files):
    attach(sql)
    drain(sql.execute("INSERT again.dbo.t VALUES (2)"))
    instance.stop(crash=True)
    data, log = files.read(DATA), files.read(LOG)
    instance.start()
    files.write("D:\\Data\\x.mdf", data)
    with microsoft(instance) as connection:
        text = "CREATE DATABASE x ON (NAME = a, FILENAME = 'D:\\Data\\x.mdf') FOR ATTACH_REBUILD_LOG"
        drain(connection.execute("EXEC sp_detach_db 'again'"))
        files.remove(LOG)
        refused(instance, text, 1813)
        files.write(LOG, log)
        drain(connection.execute(text))
        assert rows(connection, "SELECT n FROM x.dbo.t ORDER BY n") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("offset", "number"),
    [(100, 5172), (9 * 8192 + 300, 5172), (-8192, 5125)],
    ids=["page 0", "the boot page", "cut off"],
)
def test_damage_that_an_attach_sees(instance, files, offset, number):
    content = files.read(DATA)
    files.write(DATA, content[:offset] if offset < 0 else changed(content, offset, b"\x01\x02\x03\x04"))
    refused(instance, ATTACH.format(data=DATA, log=LOG), number)


def test_damage_that_only_a_reader_sees(instance, sql, files):
    """An attach reads no user table; whoever reads the page is told."""
    files.write(DATA, changed(files.read(DATA), len(files.read(DATA)) - 500, b"\x01\x02\x03\x04"))
    drain(sql.execute(ATTACH.format(data=DATA, log=LOG)))
    refused(instance, "SELECT n FROM again.dbo.t", 824)


def test_a_missing_file_and_one_in_use(instance, sql, files):
    refused(instance, ATTACH.format(data="D:\\Data\\none.mdf", log=LOG), 5120)
    attach(sql)
    refused(instance, ATTACH.format(data=DATA, log=LOG).replace("again", "more"), 5120)


def test_a_newer_servers_file(instance, files, monkeypatch):
    monkeypatch.setattr("prs_lab.sqlserver.execution.attach.internal_version", lambda _release: 869)
    refused(instance, ATTACH.format(data=DATA, log=LOG), 948)


def test_a_flaw_that_cancels_itself_is_not_seen(instance, sql, files):
    """Two words of one sector with the same bits flipped: here in the room that no row uses."""
    content = files.read(DATA)
    place = 33 * 8192 + 600
    files.write(DATA, changed(content, place, bytes(byte ^ 0xA5 for byte in content[place : place + 8])))
    drain(sql.execute(ATTACH.format(data=DATA, log=LOG)))
    assert instance.databases.get("again").damaged_pages() == []
