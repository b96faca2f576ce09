"""Headers are read by several sessions, and remembered as long as the files are what they were."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog import headers
from prs_lab.sqlserver.faults import Fault

from .conftest import SHARE, mark

ROOT = "D:\\Shares\\backup"


@pytest.fixture
def folder(sql_a, database):
    """Five fulls, so that a plan needs one of many files; the database's row 5 is in the last one alone."""
    path = f"{SHARE}\\remembered\\{database}"
    for number in range(2, 7):
        sql_a.run("sql_backup", database=database, path=path, file_name=f"{number}.bak")
        mark(sql_a, database, number, "after the backup")
    return path


def headers_read(server, run):
    """The files whose headers were read while something ran."""
    record = server.host.estate.record
    since = record.last
    run()
    asked = [entry["text"] for entry in record.entries("sql", host=server.host.name, since=since)]
    return sorted(
        text.partition("N'")[2].rpartition("\\")[2].rstrip("'")
        for text in asked
        if text.startswith("RESTORE HEADERONLY")
    )


def drop(server, name):
    server.run("sql_database", name=name, state="absent", allow_data_loss=True)


def test_a_second_run_reads_only_what_it_uses(sql_a, sql_b, database, folder):
    options = {"database": database, "source": {"folders": [folder]}}
    everything = [f"{number}.bak" for number in range(2, 7)]
    assert headers_read(sql_b, lambda: sql_b.run("sql_restore", check=True, **options)) == everything
    assert headers_read(sql_b, lambda: sql_b.run("sql_restore", **options)) == ["6.bak"]
    assert headers_read(sql_b, lambda: sql_b.run("sql_restore", **options)) == []  # healthy: nothing is used
    sql_a.run("sql_backup", database=database, path=folder, file_name="7.bak")
    drop(sql_b, database)
    assert headers_read(sql_b, lambda: sql_b.run("sql_restore", **options)) == ["7.bak"]
    assert sql_b.marks(database) == [1, 2, 3, 4, 5, 6]
    drop(sql_b, database)
    assert len(headers_read(sql_b, lambda: sql_b.run("sql_restore", check=True, cache_headers=False, **options))) == 6


def test_another_file_of_the_same_name_is_read_again(sql_b, database, folder, share):
    options = {"database": database, "source": {"folders": [folder]}}
    sql_b.run("sql_restore", check=True, **options)
    there = f"{ROOT}\\remembered\\{database}"
    share.write(f"{there}\\6.bak", share.read(f"{there}\\3.bak"))
    assert headers_read(sql_b, lambda: sql_b.run("sql_restore", check=True, **options))[0] == "5.bak"
    sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2, 3, 4]


def test_one_that_looks_the_same_in_size_and_time_is_found_out_before_anything_is_touched(
    sql_b, database, folder, share, only_queries
):
    options = {"database": database, "source": {"folders": [folder]}}
    there = f"{ROOT}\\remembered\\{database}"
    sizes = {number: len(share.read(f"{there}\\{number}.bak")) for number in (3, 6)}
    six, three = share.read(f"{there}\\6.bak"), share.read(f"{there}\\3.bak")
    length = max(sizes.values())
    share.write(f"{there}\\6.bak", six.ljust(length, b"\0"))
    real = share.real_path(f"{there}\\6.bak", "rb")
    times = os.stat(real)
    assert sql_b.run("sql_restore", check=True, **options)["plan"]["steps"][0]["devices"] == [f"{folder}\\6.bak"]
    Path(real).write_bytes(three.ljust(length, b"\0"))
    os.utime(real, ns=(times.st_atime_ns, times.st_mtime_ns))
    with only_queries:
        planned = sql_b.run("sql_restore", check=True, **options)
    assert planned["plan"]["steps"][0]["devices"] == [f"{folder}\\5.bak"]


def test_what_others_could_have_written_is_not_believed(sql_b, database, folder):
    options = {"check": True, "database": database, "source": {"folders": [folder]}}
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "prs.recovery" / "headers"
    shutil.rmtree(cache, ignore_errors=True)
    sql_b.run("sql_restore", **options)
    (kept,) = cache.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600 and cache.stat().st_mode & 0o777 == 0o700
    kept.chmod(0o666)
    assert len(headers_read(sql_b, lambda: sql_b.run("sql_restore", **options))) == 5
    kept.write_text("{ not JSON")
    assert len(headers_read(sql_b, lambda: sql_b.run("sql_restore", **options))) == 5
    shutil.rmtree(cache)


@pytest.mark.parametrize("sessions", [1, 4])
def test_many_files_are_read_by_several_sessions_and_each_has_its_own_error(
    sql_b, database, folder, share, monkeypatch, sessions
):
    opened = []
    original = headers.connect
    monkeypatch.setattr(headers, "READERS", sessions)
    monkeypatch.setattr(headers, "FILES_A_READER", 1)
    monkeypatch.setattr(headers, "connect", lambda target: opened.append(target) or original(target))
    share.write(f"{ROOT}\\remembered\\{database}\\4.bak", b"no backup")
    told = sql_b.run("sql_restore", check=True, cache_headers=False, database=database, source={"folders": [folder]})
    assert [one["path"].rpartition("\\")[2] for one in told["plan"]["rejected"]] == ["4.bak"]
    assert told["plan"]["steps"][0]["devices"] == [f"{folder}\\6.bak"] and len(opened) == sessions - 1


def test_a_server_that_does_not_tell_sizes_and_times_is_read_each_time(sql_b, database, folder):
    sql_b.instance.faults.add(
        Fault(action="error", pattern="dm_os_enumerate_filesystem", number=208, text="Invalid object name.", times=0)
    )
    try:
        for _ in range(2):
            options = {"check": True, "database": database, "source": {"folders": [folder]}}
            assert len(headers_read(sql_b, lambda options=options: sql_b.run("sql_restore", **options))) == 5
    finally:
        sql_b.instance.faults.clear()
