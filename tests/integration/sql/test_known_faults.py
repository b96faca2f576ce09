"""Faults that other tools are known for, each tried on ours."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import re
import threading
import time

import pytest
import yaml
from ansible_collections.prs.recovery.plugins.doc_fragments import backup_encryption
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import run as backups
from prs_lab.sqlserver.faults import Fault

from .conftest import MODULES, SHARE, Failed, mark

SYSTEM = "NT AUTHORITY\\SYSTEM"


@pytest.fixture
def folder(database):
    return f"{SHARE}\\faults\\{database}"


@pytest.fixture
def faults(sql_b):
    yield sql_b.instance.faults
    sql_b.instance.faults.clear()


def later(*servers, minutes=2):
    for server in servers:
        server.host.clock_offset += dt.timedelta(minutes=minutes)


def take(sql_a, sql_b, database, folder, number, kind="full", **options):
    """Row `number` (the first one is there from the beginning), a backup that holds it, and the moment after it."""
    if number > 1:
        mark(sql_a, database, number, kind)
    backup = sql_a.run("sql_backup", database=database, kind=kind, path=folder, **options)["backup"]
    later(sql_a, sql_b)
    return backup, (sql_a.host.clock() - dt.timedelta(minutes=1)).isoformat()


# -- a backup that never happened, because the tool did not read what the server said


def test_a_long_backup_is_read_to_its_end(sql_a, database, slow):
    slow(1.5)
    backup = sql_a.run("sql_backup", database=database)["backup"]
    assert sql_a.host.files(SYSTEM).is_file(backup["files"][0])
    rows = sql_a.ask("SELECT CAST(first_lsn AS bigint) FROM msdb.dbo.backupset WHERE database_name = %s", database)
    assert rows == [(backup["first_lsn"],)]


def test_a_backup_that_was_given_up_silently_is_found_out(sql_a, database, slow, monkeypatch):
    """A client that stops reading makes the server give up without any error; msdb then knows nothing of it."""
    from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.connection import Connection

    read_to_the_end = Connection.execute

    def stop_reading(connection, statement, **more):
        if not statement.startswith("BACKUP"):
            return read_to_the_end(connection, statement, **more)
        connection._raw.cursor().execute(statement).close()
        return []

    monkeypatch.setattr(Connection, "execute", stop_reading)
    slow(20.0)
    with pytest.raises(Failed, match="ended without an error, but msdb knows nothing"):
        sql_a.run("sql_backup", database=database)


# -- STOPAT with a copy-only full in the folder


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_moment_beside_a_copy_only_full(sql_a, sql_b, database, folder, number):
    """The copy-only full (3) is newer than a moment before it, no base of the differential (4), and must not take its
    place.
    """
    steps = ((1, "full", {}), (2, "log", {}), (3, "full", {"copy_only": True}), (4, "differential", {}), (5, "log", {}))
    moments = {one: take(sql_a, sql_b, database, folder, one, kind, **options)[1] for one, kind, options in steps}
    sql_b.run(
        "sql_restore", database=database, source={"folders": [folder], "time_zone": "UTC"}, target=moments[number]
    )
    assert sql_b.marks(database) == list(range(1, number + 1))


# -- the last log twice, or never


@pytest.mark.parametrize("target", ["latest", "the last log's end", "inside the last log"])
def test_the_last_log_is_restored_once(sql_a, sql_b, database, folder, target):
    take(sql_a, sql_b, database, folder, 1)
    take(sql_a, sql_b, database, folder, 2, "log")
    mark(sql_a, database, 3, "in the last log")
    later(sql_a, sql_b)
    inside = (sql_a.host.clock() - dt.timedelta(minutes=1)).isoformat()
    last, _moment = take(sql_a, sql_b, database, folder, 4, "log")
    wanted = {
        "latest": "latest",
        "the last log's end": f"before-lsn:{last['last_lsn']}",
        "inside the last log": inside,
    }[target]
    result = sql_b.run(
        "sql_restore", database=database, source={"folders": [folder], "time_zone": "UTC"}, target=wanted
    )
    with_it = [statement for statement in result["statements"] if last["files"][0] in statement]
    assert len(with_it) == 1 and with_it[0].startswith("RESTORE LOG")
    assert sql_b.marks(database) == ([1, 2, 3] if target == "inside the last log" else [1, 2, 3, 4])


def test_a_log_that_may_be_one_too_many(sql_a, sql_b, database, folder, slow):
    """Its backup took ten minutes; whether the moment lies in it or in the next one shows only when it was restored.

    The clock was corrected backwards between row 3 and that backup, so row 3 is later than the moment, and yet in it.
    """
    take(sql_a, sql_b, database, folder, 1)
    mark(sql_a, database, 2, "before the moment")
    later(sql_a, minutes=5)
    mark(sql_a, database, 3, "after the moment")
    later(sql_a, minutes=-4)
    moment = (sql_a.host.clock() + dt.timedelta(minutes=1)).isoformat()
    slow(100.0)

    def jump():
        wait_for(lambda: percent(sql_a, "BACKUP LOG") > 0)
        later(sql_a, sql_b, minutes=10)
        slow(0.0)

    jumping = threading.Thread(target=jump)
    jumping.start()
    sql_a.run("sql_backup", database=database, kind="log", path=folder, verify=False)
    jumping.join()
    take(sql_a, sql_b, database, folder, 4, "log")
    result = sql_b.run(
        "sql_restore", database=database, source={"folders": [folder], "time_zone": "UTC"}, target=moment
    )
    assert sql_b.marks(database) == [1, 2]
    assert sum(statement.startswith("RESTORE LOG") for statement in result["statements"]) == 1


# -- a log that starts before its full ended


def test_a_log_that_starts_before_its_full_ended(sql_a, sql_b, database, folder, slow):
    """Rows are written and a log is backed up while the full runs; the log after it begins before the full's end."""
    sql_a.run("sql_backup", database=database)
    slow(100.0)
    full = {}
    worker = threading.Thread(target=lambda: full.update(take_full(sql_a, database, folder)))
    worker.start()
    wait_for(lambda: percent(sql_a, "BACKUP DATABASE") > 0)
    mark(sql_a, database, 2, "while the full runs")
    slow(0.0)
    worker.join()
    mark(sql_a, database, 3, "after the full")
    log = sql_a.run("sql_backup", database=database, kind="log", path=folder)["backup"]
    assert log["first_lsn"] < full["last_lsn"] < log["last_lsn"]
    sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert sql_b.marks(database) == [1, 2, 3]


def take_full(server, database, folder):
    """By another program, as it may be."""
    server.do(
        f"EXECUTE master.dbo.xp_create_subdir N'{folder}'; BACKUP DATABASE [{database}] TO DISK = "
        f"N'{folder}\\full.bak' WITH CHECKSUM, STATS = 5"
    )
    rows = server.ask(
        "SELECT CAST(MAX(last_lsn) AS bigint) FROM msdb.dbo.backupset WHERE database_name = %s AND type = 'D'", database
    )
    return {"last_lsn": rows[0][0]}


def percent(server, command):
    rows = server.ask("SELECT percent_complete FROM sys.dm_exec_requests WHERE command = %s", command)
    return float(rows[0][0]) if rows else 0


def wait_for(condition, *, seconds=60):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.02)


def test_logs_of_a_time_in_which_nothing_was_written(sql_a, sql_b, database, folder):
    """Right after their full, one by one, as they come in."""
    sources = [take(sql_a, sql_b, database, folder, 1)[0]["files"]]
    for _number in range(2):
        log = sql_a.run("sql_backup", database=database, kind="log", path=folder)["backup"]
        later(sql_a, sql_b)
        sources.append(log["files"])
    for files in sources:
        sql_b.run("sql_restore", database=database, source={"files": files}, recovery="norecovery")
    take(sql_a, sql_b, database, folder, 2, "log")
    sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert sql_b.marks(database) == [1, 2]


# -- a verification that stops at the first set, or the first file


def test_the_set_that_was_written_is_verified_not_the_first_one(sql_a, database, monkeypatch):
    same = {"database": database, "file_name": "{database}.bak"}
    first = sql_a.run("sql_backup", **same)["backup"]
    damage_before_verification(sql_a, monkeypatch, file=0, beyond=first["size"])
    with pytest.raises(Failed, match="cannot be read back") as failed:
        sql_a.run("sql_backup", **same)
    assert len(failed.value.result["statements"]) == 1
    assert re.search(r"FILE = 2\b", verifications(sql_a)[-1])


@pytest.mark.parametrize("file", [0, 1, 2])
def test_every_stripe_is_verified(sql_a, database, monkeypatch, file):
    damage_before_verification(sql_a, monkeypatch, file=file)
    with pytest.raises(Failed, match="cannot be read back"):
        sql_a.run("sql_backup", database=database, stripes=3)


def damage_before_verification(server, monkeypatch, *, file, beyond=0):
    """A byte in the middle of what follows byte `beyond` of a backup file is turned around once it was written."""
    original = backups.verify

    def damaged(connection, *, files, **more):
        view = server.host.files(SYSTEM)
        content = bytearray(view.read(files[file]))
        content[(beyond + len(content)) // 2] ^= 0xFF
        view.write(files[file], bytes(content))
        original(connection, files=files, **more)

    monkeypatch.setattr(backups, "verify", damaged)


def verifications(server):
    return [
        entry["text"]
        for entry in server.host.estate.record.entries("sql", host=server.host.name)
        if entry["text"].startswith("RESTORE VERIFYONLY")
    ]


# -- a missing stripe that is found when the database is gone already


def test_a_missing_stripe_is_found_before_anything_is_touched(sql_a, sql_b, database, folder, share, only_queries):
    files = sql_a.run("sql_backup", database=database, path=folder, stripes=3)["backup"]["files"]
    source = {"folders": [folder]}
    sql_b.run("sql_restore", database=database, source=source)
    mark(sql_b, database, 2, "nowhere else")
    share.remove(files[1].replace(SHARE, "D:\\Shares\\backup"))
    with pytest.raises(Failed, match="stripe 2 of 3 is missing") as failed:
        sql_b.run("sql_restore", database=database, source=source, replace="always")
    assert "statements" not in failed.value.result
    assert sql_b.marks(database) == [1, 2]


# -- left RESTORING, without a word


@pytest.mark.parametrize("way", ["error", "drop_rst", "drop_fin"])
@pytest.mark.parametrize("at", ["RESTORE DATABASE .* FROM .* WITH", "RESTORE LOG", "WITH RECOVERY"])
def test_a_restore_that_breaks_off_says_how_it_leaves_the_database_and_the_next_one_ends_it(
    sql_a, sql_b, database, folder, faults, at, way
):
    take(sql_a, sql_b, database, folder, 1)
    take(sql_a, sql_b, database, folder, 2, "log")
    faults.add(Fault(action=way, pattern=at, number=823))
    with pytest.raises(Failed) as failed:
        sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    state = sql_b.state_of(database)
    told = failed.value.result["database_state"]
    assert told == (state or "not there") if way == "error" else told == "probably RESTORING"
    if state:
        assert "run again" in failed.value.result["msg"]
    wait_for(lambda: sql_b.ask("SELECT COUNT(*) FROM sys.dm_tran_locks WHERE resource_type = 'APPLICATION'") == [(0,)])
    sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert sql_b.state_of(database) == "ONLINE" and sql_b.marks(database) == [1, 2]


# -- options that are dropped silently

EVERY_OPTION = {
    # An option, a value that is not its default, and what the server must have been asked.
    "database": ("{database}", r"^BACKUP DATABASE \[{database}\] TO "),
    "kind": ("log", r"^BACKUP LOG \["),
    "copy_only": (True, r"\bCOPY_ONLY\b"),
    "path": ("D:\\Backup\\elsewhere", r"DISK = N'D:\\Backup\\elsewhere\\[^\\']+\.bak'"),
    "file_name": ("{{server}}-own.{{extension}}", r"\\SQL-A-own\.bak'"),
    "stripes": (2, r"DISK = N'[^']+1of2\.bak', DISK = N'[^']+2of2\.bak' WITH"),
    "overwrite": (True, r"\bFORMAT, INIT\b"),
    "compression": ("never", r"\bNO_COMPRESSION\b"),
    "checksum": (False, r"\bNO_CHECKSUM\b"),
    "description": ("it's the last", r"\bDESCRIPTION = N'it''s the last'"),
    "encryption": (
        {"certificate": "every option"},
        r"\bENCRYPTION \(ALGORITHM = AES_256, SERVER CERTIFICATE = \[every option\]\)",
    ),
    "copy_to": ("D:\\Backup\\mirror", r" MIRROR TO DISK = N'D:\\Backup\\mirror\\[^\\']+\.bak' WITH FORMAT"),
    "stage_path": ("D:\\Backup\\stage", r" TO DISK = N'D:\\Backup\\stage\\[^\\']+\.bak' WITH"),
}
# How the task goes about it. What Windows is asked to do is seen in test_sql_backup_windows, what goes in
# test_sql_backup_retention.
NOT_OF_THE_STATEMENT = {
    "verify",
    "manifest",
    "missing_base",
    "min_full_interval_hours",
    "retention",
    "copy_retention",
    "lease_owner",
    "copy_share_user",
    "copy_share_password",
    "manifest_beside",
}


def test_the_table_knows_every_option():
    options = yaml.safe_load(importlib.import_module(f"{MODULES}.sql_backup").DOCUMENTATION)["options"]
    encryption = yaml.safe_load(backup_encryption.ModuleDocFragment.DOCUMENTATION)["options"]
    assert set(options) | set(encryption) == set(EVERY_OPTION) | NOT_OF_THE_STATEMENT


@pytest.mark.parametrize("option", EVERY_OPTION)
def test_every_option_is_seen_in_the_recorded_statement(sql_a, database, option, monkeypatch):
    value, pattern = EVERY_OPTION[option]
    filled = value.format(database=database) if isinstance(value, str) else value
    expected = re.compile(pattern.replace("{database}", database))
    if option == "kind":
        sql_a.run("sql_backup", database=database)
    plain = backup_recorded(sql_a, database)
    later(sql_a)
    with_it = {}
    if option == "encryption" and not sql_a.ask("SELECT 1 FROM sys.certificates WHERE name = 'every option'"):
        if not sql_a.ask("SELECT 1 FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##'"):
            sql_a.ask("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-Passw0rd'")
        sql_a.ask("CREATE CERTIFICATE [every option] WITH SUBJECT = 'a test'")
    elif option == "copy_to":
        monkeypatch.setattr(
            sql_a.instance,
            "settings",
            dataclasses.replace(sql_a.instance.settings, edition="Developer Edition (64-bit)"),
        )
    elif option == "stage_path":
        with_it = {"path": "D:\\Backup\\carried", **sql_a.windows}
    asked = backup_recorded(sql_a, **{"database": database, option: filled, **with_it})
    assert expected.search(asked)
    assert option == "database" or not expected.search(plain)  # so the option made it, not a default


def backup_recorded(server, database, **options):
    """The BACKUP that reached the server."""
    record = server.host.estate.record
    since = record.last
    server.run("sql_backup", database=database, **options)
    (asked,) = [
        entry["text"]
        for entry in record.entries("sql", host=server.host.name, since=since)
        if entry["text"].startswith("BACKUP")
    ]
    return asked


def test_what_is_not_of_the_statement_is_done_all_the_same(sql_a, database, tmp_path):
    before = len(verifications(sql_a))
    sql_a.run("sql_backup", database=database, verify=False)
    assert len(verifications(sql_a)) == before
    sql_a.run("sql_backup", database=database, manifest=str(tmp_path / "backup.json"))
    assert len(verifications(sql_a)) == before + 1
    assert (tmp_path / "backup.json").is_file()
