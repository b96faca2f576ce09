"""A database that follows another one by its backups: what may have happened between two runs ends caught up, or says what
is needed and leaves it where it stands.
"""

from __future__ import annotations

import datetime as dt

import pytest

from .conftest import SHARE, Failed, mark


@pytest.fixture
def folder(database):
    return f"{SHARE}\\follows\\{database}"


@pytest.fixture
def backup(sql_a, database, folder):
    """Takes a backup of a kind after a row of that number was written; returns its path."""

    def take(number: int, kind: str = "log", **options) -> str:
        mark(sql_a, database, number, kind)
        return sql_a.run("sql_backup", database=database, kind=kind, path=folder, **options)["backup"]["files"][0]

    return take


@pytest.fixture
def follow(sql_a, sql_b, database, folder, backup):
    """Lets sql-b follow, as the role does; begun with row 1 in a full and row 2 in a log."""
    sql_a.run("sql_backup", database=database, path=folder)

    def apply(**options) -> list[str]:
        source = {"folders": [folder], "skip_unreadable_folders": True, **options.pop("source", {})}
        result = sql_b.run("sql_restore", database=database, source=source, recovery="norecovery", **options)
        apply.result = result
        return [step["kind"] for step in result["plan"].get("steps", [])]

    assert apply() == ["full"]
    backup(2)
    assert apply() == ["log"]
    return apply


@pytest.fixture
def rows(sql_b, database, folder):
    """Opens a copy of what sql-b holds, as nothing else tells: the database itself. The test ends with it."""

    def opened() -> list[int]:
        sql_b.do(f"RESTORE DATABASE [{database}] WITH RECOVERY")
        return sql_b.marks(database)

    return opened


def test_each_log_is_applied_once_and_a_run_without_news_asks_only(sql_b, database, backup, follow, rows, only_queries):
    backup(3)
    assert follow() == ["log"]
    backup(4)
    backup(5)
    assert follow() == ["log", "log"]
    assert follow() == []
    assert follow.result["changed"] is False and follow.result["statements"] == []
    assert follow.result["stood_at"]["time"]
    assert sql_b.state_of(database) == "RESTORING"
    assert rows() == [1, 2, 3, 4, 5]


def remove(share, path: str) -> None:
    share.remove(path.replace(SHARE, "D:\\Shares\\backup"))


def damage(share, path: str) -> None:
    where = path.replace(SHARE, "D:\\Shares\\backup")
    content = bytearray(share.read(where))
    content[len(content) // 2 :] = b"\x5a" * (len(content) - len(content) // 2)
    share.write(where, bytes(content))


def lost_log(*, bridge: str):
    def between(sql_a, share, database, backup, follow):
        gone = backup(3)
        remove(share, gone)
        backup(4)
        assert follow() == [] and follow.result["beyond_gap"][0]["code"] == "gap"
        backup(5, bridge)
        return [bridge]

    return between


def damaged_log(sql_a, share, database, backup, follow):
    damage(share, backup(3))
    backup(4)
    assert follow() == []
    backup(5, "differential")
    return ["differential"]


def full_of_somebody_else(sql_a, share, database, backup, follow):
    """It breaks no chain of logs, wherever it lies."""
    sql_a.do(f"BACKUP DATABASE [{database}] TO DISK = N'D:\\Backup\\{database}_else.bak'")
    mark(sql_a, database, 3, "after it")
    backup(5)
    return ["log"]


def differential_only(sql_a, share, database, backup, follow):
    backup(5, "differential")
    return ["differential"]


def recovery_model_changed(sql_a, share, database, backup, follow):
    backup(3)
    assert follow() == ["log"]
    sql_a.do(f"ALTER DATABASE [{database}] SET RECOVERY SIMPLE")
    sql_a.do(f"ALTER DATABASE [{database}] SET RECOVERY FULL")
    backup(5, "differential")
    return ["differential"]


def new_full(sql_a, share, database, backup, follow):
    backup(3, "full")
    backup(5)
    return ["log"]


def renamed_files(sql_a, share, database, backup, follow):
    path = backup(5)
    where = path.replace(SHARE, "D:\\Shares\\backup")
    content = share.read(where)
    share.remove(where)
    share.write(f"{where.rpartition(chr(92))[0]}\\renamed.xyz", content)
    return ["log"]


def weeks_of_absence(sql_a, share, database, backup, follow):
    for number in range(10, 20):
        backup(number)
    backup(20, "full")
    backup(5)
    return None


def clock_set_back(sql_a, share, database, backup, follow):
    """Names of files go by the clock: the newest log has the oldest name."""
    backup(3)
    assert follow() == ["log"]
    sql_a.host.clock_offset = -dt.timedelta(days=2)
    backup(4)
    assert follow() == ["log"]
    sql_a.host.clock_offset = dt.timedelta()
    backup(5)
    return ["log"]


def another_copy_is_whole(sql_a, share, database, backup, follow):
    """Of what lies beside the last log, the next one is damaged; elsewhere below the folder is a copy of it."""
    path = backup(3)
    where = path.replace(SHARE, "D:\\Shares\\backup")
    folder, _, name = where.rpartition("\\")
    share.make_dir(f"{folder}\\copies")
    share.write(f"{folder}\\copies\\{name}", share.read(where))
    damage(share, path)
    backup(4)
    return ["log", "log"]


HAPPENED = {
    "clock set back": clock_set_back,
    "log damaged, of which another copy is whole": another_copy_is_whole,
    "log missing, differential after it": lost_log(bridge="differential"),
    "log missing, full after it": lost_log(bridge="full"),
    "log damaged": damaged_log,
    "full taken by somebody else": full_of_somebody_else,
    "differential only": differential_only,
    "recovery model changed": recovery_model_changed,
    "a new full": new_full,
    "renamed files": renamed_files,
    "weeks of absence": weeks_of_absence,
}


@pytest.mark.parametrize("happened", HAPPENED)
def test_what_may_have_happened_ends_caught_up(sql_a, sql_b, share, database, backup, follow, rows, happened):
    expected = HAPPENED[happened](sql_a, share, database, backup, follow)
    kinds = follow()
    assert expected is None or kinds == expected
    assert follow() == []
    assert rows() == sql_a.marks(database)


def test_of_a_database_that_was_restored_to_yesterday_it_begins_anew(
    sql_a, sql_b, database, folder, backup, follow, rows
):
    """What it holds lies in backups; those that it begins with are read to their end first."""
    yesterday = backup(6, "full")
    backup(3)
    assert follow() == ["log"]
    options = {"database": database, "replace": "always", "tail_log": "skip"}
    sql_a.run("sql_restore", source={"files": [yesterday]}, **options)
    backup(5)
    assert follow() == ["full", "log"]
    assert rows() == [1, 2, 5, 6]


def test_what_no_backup_brings_back_is_not_given_up(sql_a, sql_b, share, database, folder, backup, follow):
    path = backup(3)
    assert follow() == ["log"]
    remove(share, path)
    sql_a.run("sql_restore", database=database, source={"folders": [folder]}, replace="always", tail_log="skip")
    backup(5)
    with pytest.raises(Failed, match="no backup at hand brings back what it holds") as problem:
        follow()
    assert problem.value.result["error_code"] == "would_lose_data"
    assert sql_b.state_of(database) == "RESTORING"
    assert follow(replace="always") == ["full", "log", "log"]


def test_one_that_somebody_opened_is_left_as_it_is(sql_b, database, backup, follow):
    sql_b.do(f"RESTORE DATABASE [{database}] WITH RECOVERY")
    mark(sql_b, database, 9, "somebody worked in it")
    backup(3)
    with pytest.raises(Failed, match="it is open, so somebody may have worked in it") as problem:
        follow()
    assert problem.value.result["error_code"] == "would_lose_data"
    assert sql_b.marks(database) == [1, 2, 9]


def test_a_share_that_is_gone_leaves_it_where_it_stands(sql_b, database, folder, backup, follow):
    backup(3)
    with pytest.raises(Failed):
        follow(source={"folders": ["\\\\gone\\share\\x"]})
    assert sql_b.state_of(database) == "RESTORING"
    assert follow(source={"folders": ["\\\\gone\\share\\x", folder]}) == ["log"]
    assert "what it holds was left out" in str(follow.result["warnings"])


def asked(server, run) -> list[str]:
    """What SQL Server was asked while something ran."""
    record = server.host.estate.record
    since = record.last
    run()
    return [entry["text"] for entry in record.entries("sql", host=server.host.name, since=since)]


def headers_read(texts: list[str]) -> list[str]:
    return [text.rpartition("\\")[2].rstrip("'") for text in texts if text.startswith("RESTORE HEADERONLY")]


def test_one_more_log_is_found_without_going_through_the_others(sql_b, backup, follow):
    """Nor are those that were applied so read again when all are looked at, which happens where nothing came since."""
    logs = []
    for number in range(3, 6):
        logs.append(backup(number).rpartition("\\")[2])
        texts = asked(sql_b, follow)
        assert not [text for text in texts if "xp_dirtree" in text or "N'*'" in text]
        assert headers_read(texts)[-1] == logs[-1] and len(headers_read(texts)) == 2  # with the last that it has
    texts = asked(sql_b, follow)
    assert [text for text in texts if "xp_dirtree" in text] and headers_read(texts) == []


def test_newer_backups_are_kept_back(sql_a, sql_b, database, folder, backup, follow, rows):
    backup(3)
    moment = sql_a.host.clock()
    later = {"finished_before": (moment - dt.timedelta(minutes=5)).isoformat(), "time_zone": "UTC"}
    assert follow(source=later) == []
    backup(4, "full")  # the only one that is newer; it must not be begun with
    assert follow(source=later) == []
    assert follow(source={**later, "finished_before": (moment + dt.timedelta(seconds=2)).isoformat()}) == ["log"]
    assert rows() == [1, 2, 3]


def test_without_the_zone_of_the_server_nothing_can_be_kept_back(database, backup, follow):
    backup(3)
    with pytest.raises(Failed, match="tells a local time without the zone"):
        follow(source={"finished_before": "2030-01-01T00:00:00Z"})


def test_a_disk_that_is_full_leaves_it_usable_and_says_what_is_needed(sql_b, database, backup, follow, rows):
    drive = sql_b.instance.databases.get(database).log_path[0]
    volume = sql_b.host.drives.volumes[drive]
    whole, volume.capacity = volume.capacity, volume.capacity - volume.free()
    backup(3)
    try:
        with pytest.raises(Failed, match="The disk is full: free space there"):
            follow()
    finally:
        volume.capacity = whole
    assert sql_b.state_of(database) == "RESTORING"
    assert follow() == ["log"]
    assert rows() == [1, 2, 3]
