from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import threading
from contextlib import closing

import pymssql
import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.odbc_driver import require_pyodbc
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import hand_over
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.volumes import probe_name
from prs_lab.sqlserver.faults import Fault
from prs_lab.sqlserver.storage.pages import PAGE, place_of
from prs_lab.windows.drives import Volume

from .conftest import SHARE, SYSTEM, Failed, let_write, mark


@pytest.fixture
def folder(database):
    return f"{SHARE}\\restore\\{database}"


@pytest.fixture
def history(sql_a, sql_b, database, folder):
    """A full backup with row 1, a log with row 2, a differential with row 3, a log with row 4, minutes apart; the
    moments after each.
    """
    moments = {}

    def take(kind, number):
        sql_a.run("sql_backup", database=database, kind=kind, path=folder)
        for server in (sql_a, sql_b):
            server.host.clock_offset += dt.timedelta(minutes=2)
        moments[number] = sql_a.host.clock() - dt.timedelta(minutes=1)

    take("full", 1)
    for number, kind in ((2, "log"), (3, "differential"), (4, "log")):
        mark(sql_a, database, number, f"row {number}")
        take(kind, number)
    return moments


def rows(server, database):
    return [number for (number,) in server.ask("SELECT id FROM dbo.marker ORDER BY id", database=database)]


def test_onto_another_server(sql_a, sql_b, database, folder, history, only_queries):
    options = {
        "database": database,
        "source": {"folders": [folder]},
        "relocate": {"data_dir": "D:\\Data", "log_dir": "E:\\Log"},
        "checkdb": "physical",
    }
    with only_queries:
        planned = sql_b.run("sql_restore", check=True, **options)
    assert sql_b.state_of(database) is None
    result = sql_b.run("sql_restore", **options)
    assert (
        [step["kind"] for step in planned["plan"]["steps"]]
        == [step["kind"] for step in result["plan"]["steps"]]
        == ["full", "differential", "log", ""]
    )
    assert planned["plan"]["steps"][0]["statement"] == result["statements"][0]
    assert rows(sql_b, database) == [1, 2, 3, 4]
    assert result["database"]["state"] == "ONLINE" and result["database"]["user_access"] == "MULTI_USER"
    assert result["database"]["owner"] == "sa" and result["database"]["page_verify"] == "CHECKSUM"
    assert {file["path"][:7] for file in result["database"]["files"]} == {"D:\\Data", "E:\\Log\\"}
    assert result["plan"]["reason"] == "there is no database of that name"
    again = sql_b.run("sql_restore", **options)
    assert (
        again["changed"] is False
        and again["plan"] == {}
        and again["statements"] == []
        and again["checked"] == "physical"
    )


def test_a_check_that_is_asked_for_when_the_database_is_open_long_since(sql_b, database, folder, history):
    options = {"database": database, "source": {"folders": [folder]}}
    assert sql_b.run("sql_restore", **options)["checked"] == "none"
    restored = sql_b.instance.databases.get(database)
    restored.checkpoint()
    page = next(
        number for number in range(2, restored.boot.pages + 1) if restored.table_of_page(number) == "dbo.marker"
    )
    with open(restored.data.path, "r+b") as file:
        file.seek(place_of(page) * PAGE + PAGE // 2)
        file.write(b"damaged")
    for depth in ("physical", "full"):
        with pytest.raises(Failed, match="DBCC CHECKDB found damage in database"):
            sql_b.run("sql_restore", **options, checkdb=depth)
    assert sql_b.run("sql_restore", **options)["checked"] == "none"


def test_a_login_that_writes_dates_in_another_order_restores_the_same_moment(sql_a, sql_b, database, folder, history):
    """2026-03-01 is the third of January to a session in French that reads it as text."""
    admin = sql_b.ask("SELECT SUSER_SNAME()")[0][0]
    sql_b.do(f"ALTER LOGIN [{admin}] WITH DEFAULT_LANGUAGE = Fran\u00e7ais")
    try:
        copy = f"{database}_french"
        sql_b.run(
            "sql_restore",
            database=copy,
            source={"folders": [folder], "database": database, "time_zone": "UTC"},
            target=history[2].isoformat(),
        )
        assert rows(sql_b, copy) == [1, 2]
    finally:
        sql_b.do(f"ALTER LOGIN [{admin}] WITH DEFAULT_LANGUAGE = us_english")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_back_to_a_moment(sql_a, sql_b, database, folder, history, number):
    copy = f"{database}_at_{number}"
    moment = history[number].isoformat()
    result = sql_b.run(
        "sql_restore",
        database=copy,
        source={"folders": [folder], "database": database, "time_zone": "UTC"},
        target=moment,
    )
    assert rows(sql_b, copy) == list(range(1, number + 1))
    assert any("STOPAT" in statement for statement in result["statements"])
    assert result["database"]["family_guid"].lower() == result["plan"]["source"]["family_guid"]


def test_a_header_that_tells_zone_0_everywhere_does_not_win(sql_a, sql_b, database, folder, monkeypatch):
    """SQL Server 2022 in Berlin, of a build whose headers say 0. STOPAT is in the local time of the server that made
    the backups.
    """
    for server in (sql_a, sql_b):
        monkeypatch.setattr(
            server.instance, "settings", dataclasses.replace(server.instance.settings, version="16.0.4236.2")
        )
        monkeypatch.setattr(server.host, "time_zone", "Europe/Berlin")
    take = lambda kind: sql_a.run("sql_backup", database=database, kind=kind, path=folder)  # noqa: E731
    take("full")
    sql_a.host.clock_offset += dt.timedelta(minutes=2)
    moment = sql_a.host.clock().isoformat()
    for server in (sql_a, sql_b):
        server.host.clock_offset += dt.timedelta(minutes=2)
    mark(sql_a, database, 2, "after the moment")
    take("log")
    options = {"database": f"{database}_x", "source": {"folders": [folder], "database": database}, "target": moment}
    with pytest.raises(Failed, match="zone 0 in a header counts as untold"):
        sql_b.run("sql_restore", **options)
    sql_a.run("sql_restore", **options)  # the server that made the backups knows
    assert rows(sql_a, options["database"]) == [1]
    options["source"]["time_zone"] = "Europe/Berlin"
    sql_b.run("sql_restore", **options)
    assert rows(sql_b, options["database"]) == [1]
    monkeypatch.setattr(sql_b.instance, "headers_tell_zone", True)
    told = sql_b.run(
        "sql_restore",
        **{**options, "database": f"{database}_y", "source": {"folders": [folder], "database": database}},
        cache_headers=False,
    )
    assert rows(sql_b, f"{database}_y") == [1] and told["plan"]["recovery_point"]["time"] == moment.replace(
        "Z", "+00:00"
    )


def test_a_moment_after_the_last_backup_is_refused_before_anything_is_touched(
    sql_b, database, folder, history, only_queries
):
    later = (sql_b.host.clock() + dt.timedelta(hours=1)).isoformat()
    with only_queries, pytest.raises(Failed, match="after the last moment") as failed:
        sql_b.run(
            "sql_restore", check=True, database=database, source={"folders": [folder], "time_zone": "UTC"}, target=later
        )
    assert failed.value.result["refusal"]["code"] == "after_last"
    assert sql_b.state_of(database) is None


def test_a_healthy_database_is_overwritten_by_an_explicit_yes_alone(sql_a, database, folder, history):
    mark(sql_a, database, 5, "not in any backup")
    source = {"folders": [folder]}
    for policy in ("never", "damaged"):
        result = sql_a.run("sql_restore", database=database, source=source, replace=policy)
        assert result["changed"] is False
    assert rows(sql_a, database) == [1, 2, 3, 4, 5]
    result = sql_a.run("sql_restore", database=database, source=source, replace="always")
    assert result["tail_log"]["file"] and result["plan"]["steps"][-2]["devices"] == [result["tail_log"]["file"]]
    assert rows(sql_a, database) == [1, 2, 3, 4, 5]  # the tail brought the last row back
    result = sql_a.run("sql_restore", database=database, source=source, replace="always", tail_log="skip")
    assert "tail_log" not in result
    assert rows(sql_a, database) == [1, 2, 3, 4, 5]  # the first tail lies among the backups now


@pytest.mark.parametrize(("wish", "part"), [
    ({"relocate": {"data_dir": "Q:\\typing mistake"}}, "operating system error 3"),
    ({"relocate": {"log_dir": "D:\\Data\\not there"}}, "operating system error 3"),
    ({"relocate": {"data_dir": "D:\\Data\\left"}}, "belongs to no database"),
    ({"compatibility_level": 999}, "no compatibility level 999"),
    ({"compatibility_level": 145}, "no compatibility level 145"),
    ({"owner": "nobody"}, "no login nobody"),
    ({"recovery": "standby", "standby_file": "relative.undo"}, "no full path"),
    ({"tail_log_path": "relative"}, "no full path"),
])  # fmt: skip
def test_a_living_database_is_closed_only_when_all_that_was_asked_for_can_be(
    sql_a, database, folder, history, only_queries, wish, part
):
    """The server itself finds it out after the tail was saved, and the database is RESTORING by then."""
    mark(sql_a, database, 5, "in the tail")
    files = sql_a.host.files("NT AUTHORITY\\SYSTEM")
    files.make_dir("D:\\Data\\left")
    files.write(f"D:\\Data\\left\\{database}.mdf", b"what somebody saved from a disaster")
    options = {"database": database, "source": {"folders": [folder]}, "replace": "always", **wish}
    with only_queries, pytest.raises(Failed, match=part):
        sql_a.run("sql_restore", check=True, **options)
    with pytest.raises(Failed, match=part):
        sql_a.run("sql_restore", **options)
    assert sql_a.state_of(database) == "ONLINE" and rows(sql_a, database) == [1, 2, 3, 4, 5]
    assert files.read(f"D:\\Data\\left\\{database}.mdf") == b"what somebody saved from a disaster"


def damaged(share, path):
    """A byte in the middle of a backup on the share is turned around: its header still reads well."""
    place = path.replace(SHARE, "D:\\Shares\\backup")
    content = bytearray(share.read(place))
    content[len(content) // 2] ^= 0xFF
    share.write(place, bytes(content))


def test_a_living_database_is_not_given_up_for_a_damaged_backup(sql_a, database, folder, share):
    """The damage would show when the database is gone already, and a backup is all that is left then."""
    first = sql_a.run("sql_backup", database=database, path=folder)["backup"]["files"]
    mark(sql_a, database, 2, "after the first full")
    second = sql_a.run("sql_backup", database=database, path=folder)["backup"]["files"]
    options = {"database": database, "source": {"folders": [folder]}, "replace": "always"}
    damaged(share, second[0])
    result = sql_a.run("sql_restore", **options)
    assert "cannot be read to its end" in str(result["warnings"])
    assert [step["devices"] for step in result["plan"]["steps"]] == [first, [result["tail_log"]["file"]], []] and rows(
        sql_a, database
    ) == [1, 2]
    damaged(share, first[0])
    options["source"]["otherwise"] = "Take another set."
    with pytest.raises(Failed, match=r"no usable full backup.* Take another set\.") as failed:
        sql_a.run("sql_restore", **options)
    assert "statements" not in failed.value.result or failed.value.result["statements"] == []
    assert sql_a.state_of(database) == "ONLINE" and rows(sql_a, database) == [1, 2]


@pytest.mark.parametrize("name", ["master", "MSDB", "model", "tempdb"])
def test_system_databases_are_left_alone(sql_a, name):
    with pytest.raises(Failed, match="system database"):
        sql_a.run("sql_restore", database=name, source={"folders": ["D:\\Backup"]}, replace="always")


def test_sessions_are_ended_and_the_database_is_open_again(sql_a, database, folder, history):
    busy = sql_a.client(database)
    sql_a.run("sql_restore", database=database, source={"folders": [folder]}, replace="always")
    assert sql_a.ask("SELECT user_access_desc FROM sys.databases WHERE name = %s", database) == [("MULTI_USER",)]
    busy.close()


class Pool:
    """An application whose login may do everything: four connections that are there again as soon as they were ended."""

    def __init__(self, server, database):
        self.server, self.database = server, database
        self.over = threading.Event()
        self.been_in = threading.Semaphore(0)
        self.threads = [threading.Thread(target=self._come_again) for _number in range(4)]

    def _come_again(self):
        while not self.over.is_set():
            with (
                contextlib.suppress(pymssql.Error),
                closing(self.server.client(self.database)) as connection,
                connection.cursor() as cursor,
            ):
                self.been_in.release()
                while not self.over.wait(0.01):
                    cursor.execute("SELECT COUNT(*) FROM dbo.marker")
                    cursor.fetchall()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        for _thread in self.threads:
            assert self.been_in.acquire(timeout=60)

    def __exit__(self, *_problem):
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize(("tail", "left"), [("attempt", [1, 2]), ("skip", [1])])
def test_an_application_that_reconnects_at_once_does_not_keep_us_out(sql_a, database, folder, tail, left):
    sql_a.run("sql_backup", database=database, path=folder)
    mark(sql_a, database, 2, "in the tail")
    with Pool(sql_a, database):
        sql_a.run("sql_restore", database=database, source={"folders": [folder]}, replace="always", tail_log=tail)
    assert rows(sql_a, database) == left


def test_another_database_of_that_name_is_refused(sql_a, sql_b, database, folder, history):
    sql_b.run("sql_database", name=database, recovery_model="FULL")
    with pytest.raises(Failed, match="another database than the one in the backups") as failed:
        sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert "replace: always" in failed.value.result["msg"]
    sql_b.run("sql_backup", database=database)
    sql_b.run("sql_restore", database=database, source={"folders": [folder]}, replace="always")
    assert rows(sql_b, database) == [1, 2, 3, 4]


def test_users_belong_to_the_logins_of_this_server(sql_a, sql_b, database, folder):
    login = f"app_{database}"
    sql_a.run("sql_login", name=login, password="Passw0rd-1", databases=[{"name": database, "roles": ["db_owner"]}])
    sql_a.run("sql_login", name=f"{login}_gone", password="Passw0rd-1", databases=[{"name": database}])
    sql_a.run("sql_backup", database=database, path=folder)
    sql_b.run("sql_login", name=login, password="Passw0rd-1")
    result = sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert result["users"] == {"repaired": [login], "left": [f"{login}_gone"]}
    assert f"{login}_gone" in str(result["warnings"])
    quiet = sql_b.run(
        "sql_restore",
        database=f"{database}_quiet",
        source={"folders": [folder], "database": database},
        expected_users=[f"{login}_GONE"],
    )
    assert quiet["users"]["left"] == [f"{login}_gone"] and f"{login}_gone" not in str(quiet.get("warnings"))
    found = sql_b.ask(
        "SELECT l.name FROM sys.database_principals u JOIN sys.server_principals l ON l.sid = u.sid WHERE u.name = %s",
        login,
        database=database,
    )
    assert found == [(login,)]


def test_users_of_a_database_with_another_collation_than_the_servers(sql_a, sql_b, database, folder):
    """Names of users and of logins have two collations then, which SQL Server does not compare by itself (468)."""
    name, login = f"{database}_latin", f"app_{database}"
    sql_a.run("sql_database", name=name, collation="Latin1_General_CI_AS")
    sql_a.run("sql_login", name=login, password="Passw0rd-1", databases=[{"name": name}])
    sql_a.run("sql_backup", database=name, path=folder)
    sql_b.run("sql_login", name=login, password="Passw0rd-1")
    result = sql_b.run("sql_restore", database=name, source={"folders": [folder]})
    assert result["database"]["collation"] == "Latin1_General_CI_AS"
    assert result["users"] == {"repaired": [login], "left": []}


def test_a_read_only_database_is_handed_over_as_it_was(sql_a, sql_b, database, folder):
    """Its owner cannot be changed (3906), and that is no reason to keep it closed."""
    sql_a.do(f"ALTER DATABASE [{database}] SET READ_ONLY WITH ROLLBACK IMMEDIATE")
    sql_a.run("sql_backup", database=database, path=folder)
    options = {"database": database, "source": {"folders": [folder]}, "checkdb": "physical"}
    result = sql_b.run("sql_restore", **options)
    assert (
        result["database"]["user_access"] == "MULTI_USER"
        and result["database"]["read_only"] is True
        and rows(sql_b, database) == [1]
    )
    assert "read-only" in str(result["warnings"])
    assert sql_b.run("sql_restore", **options)["changed"] is False


def test_files_that_are_there_stay_where_they_are_when_logs_follow(sql_a, sql_b, database, folder, history):
    """Restored by hand into other folders: MOVE of such a file is refused (3174)."""
    source, elsewhere = {"folders": [folder]}, {"data_dir": "D:\\Data", "log_dir": "E:\\Log"}
    full, differential = (one["files"][0] for one in sql_b.run("sql_backup_info", folders=[folder])["sets"][:2])
    options = {"database": database, "recovery": "norecovery", "relocate": elsewhere}
    sql_b.run("sql_restore", source={"files": [full, differential]}, **options)
    result = sql_b.run("sql_restore", database=database, source=source)
    assert result["plan"]["resumes"] is True and [step["moves"] for step in result["plan"]["steps"]] == [[], []]
    assert {file["path"][:7] for file in result["database"]["files"]} == {"D:\\Data", "E:\\Log\\"}
    assert rows(sql_b, database) == [1, 2, 3, 4]


def test_an_interrupted_restore_goes_on(sql_a, sql_b, database, folder, history):
    full = sql_b.run("sql_backup_info", folders=[folder])["sets"][0]["files"][0]
    source = {"folders": [folder]}
    sql_b.run("sql_restore", database=database, source={"files": [full]}, recovery="norecovery")
    assert sql_b.state_of(database) == "RESTORING"
    planned = sql_b.run("sql_restore", check=True, database=database, source=source)
    result = sql_b.run("sql_restore", database=database, source=source)
    assert planned["plan"]["resumes"] is result["plan"]["resumes"] is True
    assert [step["kind"] for step in result["plan"]["steps"]] == [
        "differential",
        "log",
        "",
    ]  # the full is not read again
    assert result["plan"]["reason"] == "a restore of it was interrupted"
    assert rows(sql_b, database) == [1, 2, 3, 4]


def test_a_differential_does_not_follow_a_copy_only_full(sql_a, sql_b, database, folder):
    """Its base is the full before; the server would refuse it on this one (3136)."""
    sql_a.run("sql_backup", database=database, path=folder)
    mark(sql_a, database, 2, "before the copy")
    copy = sql_a.run("sql_backup", database=database, path=folder, copy_only=True)["backup"]["files"]
    mark(sql_a, database, 3, "before the differential")
    sql_a.run("sql_backup", database=database, path=folder, kind="differential")
    sql_b.run("sql_restore", database=database, source={"files": copy}, recovery="norecovery")
    result = sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert rows(sql_b, database) == [1, 2, 3] and result["plan"]["resumes"] is False


def test_a_damaged_backup_is_left_out_for_the_next_best_way(sql_a, sql_b, database, folder, history, share):
    differential = next(
        one["files"][0]
        for one in sql_b.run("sql_backup_info", folders=[folder])["sets"]
        if one["kind"] == "differential"
    )
    path = differential.replace(SHARE, "D:\\Shares\\backup")
    share.write(path, share.read(path)[:-3000])
    result = sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert rows(sql_b, database) == [1, 2, 3, 4]
    assert [step["kind"] for step in result["plan"]["steps"]] == ["full", "log", "log", ""]


def test_files_that_are_no_backups_do_no_harm(sql_b, database, folder, history, share):
    for name, content in (("readme.txt", b"hello"), ("empty.bak", b""), ("archive.zip", b"PK\x03\x04" + bytes(5000))):
        share.write(folder.replace(SHARE, "D:\\Shares\\backup") + f"\\{name}", content)
    result = sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert rows(sql_b, database) == [1, 2, 3, 4]
    unreadable = {one["path"].rpartition("\\")[2] for one in result["plan"]["rejected"] if one["code"] == "unreadable"}
    assert unreadable == {"readme.txt", "empty.bak", "archive.zip"}


@pytest.mark.parametrize("holds", [True, False])
def test_nobody_works_with_a_restored_database_before_it_was_checked(
    sql_b, database, folder, history, monkeypatch, holds
):
    """RESTRICTED_USER would let the application in, which is db_owner."""
    check, tried = hand_over._check_database, []

    def others_try(session, name, *, depth):
        with pytest.raises(pymssql.Error):
            sql_b.ask("SELECT id FROM dbo.marker", database=name)
        tried.append(name)
        check(session, name, depth=depth)

    monkeypatch.setattr(hand_over, "_check_database", others_try)
    options = {"database": database, "source": {"folders": [folder]}, "checkdb": "physical"}
    query = f"SELECT COUNT(*) FROM dbo.marker WHERE id = {4 if holds else 99}"
    with contextlib.nullcontext() if holds else pytest.raises(Failed, match="RESTRICTED_USER"):
        sql_b.run("sql_restore", **options, validation_query=query)
    assert tried == [database] and rows(sql_b, database) == [1, 2, 3, 4]
    access = sql_b.ask("SELECT user_access_desc FROM sys.databases WHERE name = %s", database)
    assert access == [("MULTI_USER" if holds else "RESTRICTED_USER",)]


def test_a_query_that_must_hold(sql_b, database, folder, history):
    options = {"database": database, "source": {"folders": [folder]}}
    for query in ("SELECT COUNT(*) FROM dbo.marker WHERE id = 99", "SELECT 0x"):
        with pytest.raises(Failed, match="'validation_query' answers"):
            sql_b.run("sql_restore", **options, validation_query=query)
    assert sql_b.ask("SELECT user_access_desc FROM sys.databases WHERE name = %s", database) == [("RESTRICTED_USER",)]
    held = {**options, "validation_query": "SELECT COUNT(*) FROM dbo.marker WHERE id = 4"}
    assert sql_b.run("sql_restore", **held)["statements"] == [
        f"ALTER DATABASE [{database}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
        f"ALTER DATABASE [{database}] SET MULTI_USER",
    ]
    assert sql_b.run("sql_restore", **held)["changed"] is False


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ({"folders": ["\\\\files\\backup\\empty-of-backups"]}, ["operating system error 3", "NT SERVICE\\MSSQLSERVER"]),
        ({"folders": ["\\\\files\\nothing"]}, ["operating system error 67"]),
        ({}, ["'source' names neither folders nor files"]),
    ],
)
def test_no_backup_found(sql_b, name, source, parts):
    with pytest.raises(Failed) as failed:
        sql_b.run("sql_restore", database=name, source=source)
    for part in parts:
        assert part in failed.value.result["msg"]
    assert sql_b.state_of(name) is None


def test_backups_of_other_databases_alone(sql_b, database, folder, history):
    with pytest.raises(Failed, match=f"no backup of Another was found; the sources hold '{database}'"):
        sql_b.run("sql_restore", database="Another", source={"folders": [folder]})


def test_no_room_is_said_before_anything_is_touched(sql_b, database, folder, history, monkeypatch):
    drive = sql_b.host.drives.volumes["D"]
    free = sql_b.host.files("NT AUTHORITY\\SYSTEM").free_bytes("D:\\")
    monkeypatch.setattr(drive, "capacity", drive.capacity - free + 1000)
    with pytest.raises(Failed, match="relocate"):
        sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert sql_b.state_of(database) is None


@pytest.fixture
def no_rights_to_make_files(sql_a):
    """A folder in which the service account may look, and nothing more."""
    sql_a.host.files(SYSTEM).make_dir("C:\\Windows\\Readable")
    return "C:\\Windows\\Readable"


def test_a_living_database_stays_where_no_files_can_be_made(sql_a, database, folder, history, no_rights_to_make_files):
    mark(sql_a, database, 5, "row 5")
    with pytest.raises(Failed) as failed:
        sql_a.run(
            "sql_restore",
            database=database,
            source={"folders": [folder]},
            replace="always",
            relocate={"data_dir": no_rights_to_make_files},
        )
    message = failed.value.result["msg"]
    assert f"cannot make files in {no_rights_to_make_files}" in message and "NT SERVICE\\MSSQLSERVER" in message
    assert sql_a.state_of(database) == "ONLINE" and rows(sql_a, database) == [1, 2, 3, 4, 5]
    assert "statements" not in failed.value.result
    assert not sql_a.ask("SELECT name FROM sys.databases WHERE name LIKE 'prs.recovery probe%'")


def test_whether_files_can_be_made_is_tried_before_a_living_database_is_closed(sql_a, lab, database, folder, history):
    made, _ca_file = lab
    source = {"folders": [folder]}
    since = made.record.last
    sql_a.run("sql_restore", database=database, source=source, replace="always")
    texts = [entry["text"] for entry in made.record.entries("sql", since=since)]
    [made_at] = [number for number, text in enumerate(texts) if text.startswith("CREATE DATABASE [prs.recovery probe")]
    [closed_at] = [number for number, text in enumerate(texts) if "SET SINGLE_USER" in text]
    assert made_at < closed_at
    since = made.record.last
    sql_a.run("sql_restore", database=database, source=source)  # nothing to give up: nothing to try
    assert "probe" not in " ".join(entry["text"] for entry in made.record.entries("sql", since=since))


def test_what_an_interrupted_run_left_of_the_trial_goes(sql_a, database, folder, history):
    probe = probe_name(database)
    sql_a.do(f"CREATE DATABASE [{probe}]")
    sql_a.run("sql_restore", database=database, source={"folders": [folder]}, replace="always")
    assert sql_a.state_of(probe) is None


@pytest.fixture
def mounted(sql_b):
    """A drive of 3 MB, with volumes of their own mounted in the folders of data and log."""
    drives = sql_b.host.drives
    letter = "S"
    drives.volumes[letter] = Volume(letter=letter, root=drives.root / letter, capacity=3 << 20)
    drives.set_descriptor("S:\\", drives.descriptor("D:\\"))
    volumes = {name: drives.mount(f"S:\\{name}", 500 << 20) for name in ("Data", "Log")}
    files = sql_b.host.files(SYSTEM)
    for name in volumes:
        let_write(sql_b, f"S:\\{name}")
    files.write("S:\\filled", b"x" * (3 << 20))
    yield volumes
    for name, volume in volumes.items():
        drives.unmount(f"S:\\{name}")
        volume.capacity = 500 << 20
    del drives.volumes[letter]


def test_volumes_mounted_in_folders_have_room_of_their_own(sql_b, database, folder, history, mounted):
    relocate = {"data_dir": "S:\\Data", "log_dir": "S:\\Log"}
    options = {"database": database, "source": {"folders": [folder]}, "relocate": relocate}
    planned = sql_b.run("sql_restore", check=True, **options)["plan"]
    assert any("unless other volumes are mounted there" in note for note in planned["notes"])
    sql_b.run("sql_restore", **options)
    assert rows(sql_b, database) == [1, 2, 3, 4]
    planned = sql_b.run("sql_restore", check=True, replace="always", **options)["plan"]
    assert planned["notes"] == [] and set(planned["space_needed"]) == {"S:\\Data", "S:\\Log"}
    sql_b.run("sql_database", name=database, state="absent", allow_data_loss=True)
    sql_b.do(
        "CREATE DATABASE Beside ON (NAME = d, FILENAME = 'S:\\Data\\b.mdf') LOG ON (NAME = l, FILENAME = 'S:\\Log\\b.ldf')"
    )
    mounted["Data"].capacity = 1
    mounted["Data"].changed()
    with pytest.raises(Failed, match=r"MiB on S:\\Data, where 0 MiB are free"):
        sql_b.run("sql_restore", **options)
    assert sql_b.state_of(database) is None
    sql_b.do("DROP DATABASE Beside")


def test_what_the_backups_are_worth(sql_a, database, folder, history):
    for where in ({"folders": [folder]}, {}, {"folders": [folder], "history": True}):
        result = sql_a.run(
            "sql_backup_info", database=database, time_zone="UTC", recovery_point_objective=3600, **where
        )
        (health,) = result["databases"]
        assert health["database"] == database and health["within_objective"] is True and health["age_seconds"] < 180
        assert (
            health["gaps"] == []
            and health["unusable"] == []
            and len(health["forks"]) == 1
            and health["certificates_missing"] == []
        )
        assert health["reachable"][-1]["until"] == health["recovery_point"]
        assert set(health["newest"]) == {"full", "differential", "log"}
        assert [one["kind"] for one in result["sets"]] == ["full", "log", "differential", "log"]
        assert result["unreadable"] == []


def stop(server):
    server.host.services.stop("MSSQLSERVER")
    return server.host.files("NT AUTHORITY\\SYSTEM")


def test_the_tail_of_a_damaged_database_is_saved_and_restored(sql_a, database, folder, history):
    """The data file is gone, its log is not: what no backup holds comes back all the same."""
    mark(sql_a, database, 5, "in the log alone")
    data = sql_a.ask("SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) AND type = 0", database)[
        0
    ][0]
    stop(sql_a).remove(data)
    sql_a.host.services.start("MSSQLSERVER")
    assert sql_a.state_of(database) == "RECOVERY_PENDING"
    source = {"folders": [folder]}
    with pytest.raises(Failed, match="it is RECOVERY_PENDING"):
        sql_a.run("sql_restore", database=database, source=source, replace="never")
    result = sql_a.run("sql_restore", database=database, source=source)
    assert result["tail_log"]["problem"] is None and "NO_TRUNCATE" in result["statements"][1]
    assert rows(sql_a, database) == [1, 2, 3, 4, 5]


def test_a_database_without_any_file_comes_back_with_a_warning(sql_a, database, folder, history):
    mark(sql_a, database, 5, "lost")
    paths = sql_a.ask("SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s)", database)
    files = stop(sql_a)
    for (path,) in paths:
        files.remove(path)
    sql_a.host.services.start("MSSQLSERVER")
    result = sql_a.run("sql_restore", database=database, source={"folders": [folder]})
    assert result["tail_log"]["file"] is None and result["tail_log"]["problem"]
    assert "since the last backup is lost" in str(result["warnings"])
    assert rows(sql_a, database) == [1, 2, 3, 4]


def test_an_older_server_refuses_before_anything_is_touched(sql_b, database, folder, history):
    key = sql_b.host.sql_server.find("MSSQLSERVER").key + "\\Setup"
    before = sql_b.host.registry.get(key, "PatchLevel")
    sql_b.host.registry.set(key, "PatchLevel", "14.0.3456.2", "string")
    sql_b.host.services.restart("MSSQLSERVER")
    try:
        with pytest.raises(Failed, match=r"made by SQL Server 15\.0\.4430; this server is 14\.0\.3456") as failed:
            sql_b.run("sql_restore", database=database, source={"folders": [folder]})
        assert failed.value.result["refusal"]["code"] == "build"
        assert "statements" not in failed.value.result
        assert sql_b.state_of(database) is None
    finally:
        sql_b.host.registry.set(key, "PatchLevel", before, "string")
        sql_b.host.services.restart("MSSQLSERVER")


def test_a_restore_that_fails_half_way_says_so_and_goes_on_the_next_time(sql_b, database, folder, history, monkeypatch):
    from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import statements as restores

    original = restores.restore_statement

    def broken(name, step, **more):
        return "RAISERROR (N'no room', 16, 1)" if step.kind == "log" else original(name, step, **more)

    source = {"folders": [folder]}
    with monkeypatch.context() as patched:
        patched.setattr(restores, "restore_statement", broken)
        with pytest.raises(Failed, match=r"no room.*PRS\d+ is RESTORING now; run again") as failed:
            sql_b.run("sql_restore", database=database, source=source)
    assert failed.value.result["database_state"] == "RESTORING" and failed.value.result["changed"] is True
    result = sql_b.run("sql_restore", database=database, source=source)
    assert result["plan"]["reason"] == "a restore of it was interrupted" and result["plan"]["resumes"] is True
    assert rows(sql_b, database) == [1, 2, 3, 4]


def test_stripes_and_a_second_copy(sql_a, sql_b, database, folder):
    files = sql_a.run("sql_backup", database=database, path=folder, stripes=3)["backup"]["files"]
    result = sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert result["plan"]["steps"][0]["devices"] == files
    assert rows(sql_b, database) == [1]
    with pytest.raises(Failed, match="stripe 3 of 3 is missing"):
        sql_b.run("sql_restore", database=f"{database}_x", source={"files": files[:2], "database": database})


def test_the_whole_way_with_freetds(sql_a, sql_b, database, folder):
    if not any("FreeTDS" in name for name in require_pyodbc().drivers()):
        pytest.skip("FreeTDS is not installed (Debian: tdsodbc)")
    freetds = {"driver": "FreeTDS", "certificate_name": None}
    login = {
        "name": f"app_{database}",
        "password": "Passw0rd-1",
        "databases": [{"name": database, "roles": ["db_owner"]}],
    }
    sql_a.run("sql_login", **login, **freetds)
    assert sql_a.run("sql_login", **login, **freetds)["changed"] is False
    for number, kind in ((2, "full"), (3, "log")):
        mark(sql_a, database, number, "ünï ☂")
        assert (
            sql_a.run("sql_backup", database=database, kind=kind, path=folder, **freetds)["backup"]["verified"] is True
        )
    source = {"folders": [folder]}
    sql_b.run(
        "sql_restore",
        database=database,
        source=source,
        checkdb="full",
        validation_query="SELECT COUNT(*) FROM dbo.marker",
        **freetds,
    )
    assert rows(sql_b, database) == [1, 2, 3]
    with pytest.raises(Failed, match="error 5"):
        sql_a.run("sql_backup", database=database, path="\\\\files\\media", **freetds)


@pytest.mark.parametrize("statement", ["DBCC CHECKDB", "FROM dbo.marker"])
def test_a_connection_that_is_lost_during_a_check_leaves_the_only_place_to_nobody(
    sql_b, database, folder, history, statement
):
    """Which the first who comes would have, an application as well; who may come then are administrators."""
    options = {
        "database": database,
        "source": {"folders": [folder]},
        "checkdb": "full",
        "validation_query": "SELECT COUNT(*) FROM dbo.marker",
    }
    sql_b.instance.faults.add(Fault(action="drop_rst", pattern=statement, times=1))
    with pytest.raises(Failed):
        sql_b.run("sql_restore", **options)
    access = "SELECT user_access_desc FROM sys.databases WHERE name = %s"
    assert sql_b.ask(access, database) == [("RESTRICTED_USER",)]
    assert sql_b.run("sql_restore", **options)["database"]["user_access"] == "MULTI_USER"
