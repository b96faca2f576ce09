"""A database on its virtual drive: commits become log records, the .mdf is checkpointed, stamped, recovered."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import pathlib
import sqlite3

import pytest
from prs_lab.sqlserver.errors import SqlError
from prs_lab.sqlserver.storage import attaching, lifecycle
from prs_lab.sqlserver.storage.database import Database, commit
from prs_lab.sqlserver.storage.pages import PAGE, intact, page_lsn, place_of

from .files_double import FolderFiles

T0 = dt.datetime(2025, 3, 1, 12, 0, tzinfo=dt.UTC)
MDF, LDF = r"C:\Data\PRS.mdf", r"C:\Data\PRS_log.ldf"


@pytest.fixture
def files(tmp_path: pathlib.Path) -> FolderFiles:
    drives = FolderFiles(tmp_path / "drives")
    drives.make_dir(r"C:\Data")
    return drives


@pytest.fixture
def work(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "work"


def new(files: FolderFiles, work: pathlib.Path, **more: object) -> Database:
    return lifecycle.create(name="PRS", files=files, data_path=MDF, log_path=LDF, work=work, now=T0, **more)


def again(files: FolderFiles, work: pathlib.Path) -> Database:
    return lifecycle.start(name="PRS", files=files, data_path=MDF, log_path=LDF, work=work)


def run(database: Database, *statements: str, at: int = 0) -> None:
    connection = database.connect()
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
    commit(connection, [database], time=T0 + dt.timedelta(seconds=at))
    connection.close()


def rows(database: Database) -> list[int]:
    connection = database.connect()
    found = [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]
    connection.close()
    return found


def fill(database: Database, count: int = 3, *, size: int = 50) -> None:
    run(database, "CREATE TABLE t(n INTEGER PRIMARY KEY, filler TEXT)")
    for number in range(count):
        run(database, f"INSERT INTO t VALUES({number}, '{'x' * size}')", at=number + 1)


def test_a_new_database_is_online_and_sqlite_works_in_a_copy(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    assert database.state == "ONLINE"
    fill(database)
    database.checkpoint()
    assert pathlib.Path(database.file).parent == work
    plain = sqlite3.connect(f"file:{database.file}?mode=ro&immutable=1", uri=True)
    assert plain.execute("SELECT count(*) FROM t").fetchone() == (3,)
    assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_nothing_but_the_two_files_lies_on_the_drive(files: FolderFiles, work: pathlib.Path) -> None:
    fill(new(files, work))
    assert files.list(r"C:\Data") == ["PRS.mdf", "PRS_log.ldf"]


def test_every_commit_is_a_record_with_its_time_and_lsns_grow(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database)
    commits = [head for head in database.log.records if head.kind == "commit"]
    assert [(head.time - T0).total_seconds() for head in commits] == [0, 1, 2, 3]
    assert all(one.lsn < one.end_lsn < one.next_lsn == other.lsn for one, other in itertools.pairwise(commits))
    assert database.next_lsn == commits[-1].next_lsn


def test_a_mark_is_kept(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    connection = database.connect()
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE t(n)")
    commit(connection, [database], time=T0, mark="Upgrade", mark_description="before 5.1")
    assert [(head.mark, head.mark_description) for head in database.log.records] == [("Upgrade", "before 5.1")]


def test_the_data_file_changes_at_checkpoints_only_and_its_pages_are_stamped(
    files: FolderFiles, work: pathlib.Path
) -> None:
    database = new(files, work)
    before = files.read(MDF)
    fill(database, 40, size=1000)
    assert files.read(MDF) == before
    database.checkpoint()
    data = files.read(MDF)
    pages = [data[place : place + PAGE] for place in range(place_of(1) * PAGE, len(data), PAGE)]
    assert len(pages) == database.boot.pages
    assert len(pages) > 4
    assert all(intact(page) for page in pages)
    assert max(page_lsn(page) for page in pages) < database.boot.checkpoint_lsn


def test_a_crash_loses_nothing_that_was_committed_and_nothing_else_remains(
    files: FolderFiles, work: pathlib.Path
) -> None:
    database = new(files, work)
    fill(database, 5)
    database.checkpoint()
    run(database, "INSERT INTO t VALUES(100, 'after the checkpoint')")
    open_one = database.connect()
    open_one.execute("BEGIN")
    open_one.execute("INSERT INTO t VALUES(200, 'never committed')")
    on_disk = files.read(MDF)
    database.crash()
    open_one.close()
    assert files.read(MDF) == on_disk
    assert rows(again(files, work)) == [0, 1, 2, 3, 4, 100]


def test_stop_and_start_again_many_times(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database, 1)
    last = 0
    for number in range(1, 6):
        if number % 2:
            database.crash()
        else:
            lifecycle.stop(database)
        database = again(files, work)
        run(database, f"INSERT INTO t VALUES({number}, '')")
        assert database.next_lsn > last
        last = database.next_lsn
    assert rows(database) == list(range(6))


def test_a_long_reader_holds_checkpoints_back_without_harm(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database, 3, size=3000)
    reader = database.connect()
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (3,)
    run(database, *[f"INSERT INTO t VALUES({number}, '{'y' * 3000}')" for number in range(10, 30)])
    database.checkpoint()
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (3,)
    assert database.damaged_pages() == []
    reader.execute("COMMIT")
    run(database, "INSERT INTO t VALUES(1000, '')")
    database.checkpoint()
    assert database.damaged_pages() == []
    database.crash()
    assert len(rows(again(files, work))) == 24


def test_a_damaged_page_is_noticed_where_it_is_read_and_only_there(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database, 30, size=2000)
    run(database, "CREATE TABLE other(n)", "INSERT INTO other VALUES(1)")
    database.checkpoint()
    database.check_pages()
    victim = next(
        number for number in range(2, database.boot.pages) if database.table_of_page(number) == "t" and number > 3
    )
    with open(files.real(MDF), "r+b") as file:
        file.seek(place_of(victim) * PAGE + 500)
        file.write(b"\xff\xfe\xfd\xfc" * 3)
    database.check_pages(["other"])
    with pytest.raises(SqlError) as caught:
        database.check_pages(["T"])
    assert (caught.value.number, caught.value.severity) == (824, 24)
    assert f"page (1:{place_of(victim)})" in caught.value.text
    lifecycle.stop(database)
    database = again(files, work)
    assert database.state == "ONLINE"
    assert database.damaged_pages() == [victim]


@pytest.mark.parametrize("lost", [MDF, LDF])
def test_a_missing_file_leaves_recovery_pending(files: FolderFiles, work: pathlib.Path, lost: str) -> None:
    database = new(files, work)
    fill(database)
    family = database.family_guid
    database.crash()
    files.real(lost).unlink()
    database = again(files, work)
    assert database.state == "RECOVERY_PENDING"
    with pytest.raises(SqlError) as caught:
        database.connect()
    assert caught.value.number == 945
    if lost == MDF:
        assert database.family_guid == family


def test_a_data_file_that_vanishes_under_a_running_instance_is_noticed(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database)
    files.real(MDF).unlink()
    with pytest.raises(SqlError) as caught:
        database.connect()
    assert caught.value.number == 945
    assert database.state == "RECOVERY_PENDING"


def test_damage_to_log_that_recovery_needs_makes_suspect(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database)
    head = database.log.records[-2]
    database.crash()
    with open(files.real(LDF), "r+b") as file:
        file.seek(head.offset + 80)
        file.write(b"\0\0\0\0\0\0\0\0")
    database = again(files, work)
    assert database.state == "SUSPECT"
    with pytest.raises(SqlError) as caught:
        database.connect()
    assert caught.value.number == 926


def test_a_record_cut_off_at_the_end_was_never_committed(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database, 3)
    head = database.log.records[-1]
    database.crash()
    os.truncate(files.real(LDF), head.offset + head.size - 5)
    database = again(files, work)
    assert rows(database) == [0, 1]
    run(database, "INSERT INTO t VALUES(7, '')")
    database.crash()
    assert rows(again(files, work)) == [0, 1, 7]


def test_simple_recovery_truncates_at_checkpoints_full_keeps_from_the_first_backup_on(
    files: FolderFiles, work: pathlib.Path
) -> None:
    database = new(files, work, recovery_model="SIMPLE")
    fill(database)
    database.checkpoint()
    assert [head.kind for head in database.log.records] == ["checkpoint"]
    database.set_recovery_model("FULL")
    assert not database.chain_intact
    database.boot.log_start_lsn = database.next_lsn
    fill_from = database.next_lsn
    run(database, "INSERT INTO t VALUES(50, '')")
    database.checkpoint()
    assert database.log.records[0].lsn == fill_from
    assert database.log_reuse_wait == "LOG_BACKUP"


def test_attach_with_and_without_log(files: FolderFiles, work: pathlib.Path, tmp_path: pathlib.Path) -> None:
    database = new(files, work)
    fill(database)
    lifecycle.stop(database)
    files.real(LDF).unlink()
    attached = attaching.attach(name="Other", files=files, data_path=MDF, log_path=LDF, work=work)
    assert rows(attached) == [0, 1, 2]
    assert attached.family_guid == database.family_guid
    assert attached.boot.fork.guid != database.boot.fork.guid
    run(attached, "INSERT INTO t VALUES(9, '')")
    attached.crash()
    attached = attaching.attach(name="Other", files=files, data_path=MDF, log_path=LDF, work=work)
    assert rows(attached) == [0, 1, 2, 9]
    attached.crash()
    files.real(LDF).unlink()
    with pytest.raises(attaching.AttachRefused) as caught:
        attaching.attach(name="Other", files=files, data_path=MDF, log_path=LDF, work=work)
    assert (caught.value.number, [number for number, _ in caught.value.notes]) == (1813, [5111, 5113])


def test_emergency_reads_what_recovery_could_not_open(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database)
    lifecycle.stop(database)
    files.real(LDF).unlink()
    database = again(files, work)
    lifecycle.set_emergency(database)
    assert rows(database) == [0, 1, 2]


def test_a_full_drive_stops_the_commit_before_it_happens(files: FolderFiles, work: pathlib.Path) -> None:
    database = new(files, work)
    fill(database)
    files.room_left = 100
    connection = database.connect()
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES(70, '')")
    with pytest.raises(SqlError) as caught:
        commit(connection, [database], time=T0)
    assert caught.value.number == 9002
    connection.execute("ROLLBACK")
    assert rows(database) == [0, 1, 2]


def test_a_database_in_files_that_are_there_needs_no_room(files: FolderFiles, work: pathlib.Path) -> None:
    """As tempdb, which every start of the server makes anew in the files that it had."""
    database = new(files, work)
    files.room_left = 100
    database.has_room = True
    fill(database)
    database.has_room = False
    assert rows(database) == [0, 1, 2]


def test_create_refuses_files_that_are_there(files: FolderFiles, work: pathlib.Path) -> None:
    files.write(LDF, b"")
    with pytest.raises(SqlError) as caught:
        new(files, work)
    assert [error.number for error in (caught.value, *caught.value.follow)] == [5170, 1802]
    assert not files.exists(MDF)
