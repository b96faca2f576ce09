"""What sql_restore lets the Windows of its server do: bring backups that SQL Server may not read, and look who holds
the lease.
"""

from __future__ import annotations

import pytest
from prs_lab.windows import filesystem

from .conftest import SHARE, SYSTEM, Failed, mark, no_share_rights

STAGE = "D:\\Stage"


@pytest.fixture
def folder(sql_a, database):
    path = f"{SHARE}\\staged\\{database}"
    sql_a.run("sql_backup", database=database, path=path)
    mark(sql_a, database, 2, "in the log")
    sql_a.run("sql_backup", database=database, kind="log", path=path)
    return path


@pytest.fixture
def no_rights(lab, folder):
    """The service account of sql-b has none on the share."""
    with no_share_rights(lab, "PRSLAB\\SQL-B$"):
        yield


@pytest.fixture
def staged(sql_b, database, folder, no_rights):
    return {
        "database": database,
        "source": {"folders": [folder]},
        "stage_path": STAGE,
        **sql_b.windows,
        **sql_b.share_account,
    }


def brought(server, database):
    files, folder = server.host.files(SYSTEM), f"{STAGE}\\prs-restore {database}\\1"
    return sorted(files.list(folder)) if files.exists(folder) else []


def test_the_way_round(sql_b, database, folder, staged, only_queries):
    with pytest.raises(Failed, match="operating system error 5"):
        sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    with only_queries:
        planned = sql_b.run("sql_restore", check=True, **staged)
    assert (
        planned["changed"] is True
        and "2 files have to be copied" in planned["plan"]["notes"][0]
        and brought(sql_b, database) == []
    )
    result = sql_b.run("sql_restore", **staged)
    assert sql_b.marks(database) == [1, 2] and result["staged"]["files"] == 2 and brought(sql_b, database) == []
    assert result["plan"]["steps"][0]["devices"][0].startswith(STAGE)
    assert sql_b.run("sql_restore", **staged)["changed"] is False


def test_backups_on_a_deduplicated_file_server_are_brought(sql_a, sql_b, database, folder, staged, monkeypatch):
    """Their files are reparse points, however small they are here, and yet no links."""
    monkeypatch.setattr(filesystem, "DEDUPLICATED_FROM", 1)
    monkeypatch.setattr(sql_b.host.find_host("files").drives.volumes["D"], "deduplicated", True)
    view = sql_a.host.files(SYSTEM)
    assert {view.stat(f"{folder}\\{name}").reparse_tag for name in view.list(folder)} == {filesystem.DEDUPLICATED}
    assert sql_b.run("sql_restore", **staged)["staged"]["files"] == 2
    assert sql_b.marks(database) == [1, 2]


@pytest.fixture
def told(sql_a, database):
    """A folder where a manifest lies beside each backup: a full, a log, a full, a log."""
    path = f"{SHARE}\\told\\{database}"
    for number, kind in enumerate(("full", "log", "full", "log"), 1):
        if number > 1:
            mark(sql_a, database, number, kind)
        sql_a.run(
            "sql_backup",
            database=database,
            kind=kind,
            path=path,
            file_name=f"{number}.bak",
            **sql_a.windows,
            **sql_a.share_account,
        )
    return path


@pytest.mark.parametrize(
    ("change", "left"), [(None, 2), ("a file without a manifest", 0), ("a set that cannot be read", 0)]
)
def test_only_what_is_needed_is_brought_where_manifests_tell_of_everything(
    lab, sql_b, database, told, staged, share, change, left
):
    folder = told.replace(SHARE, "D:\\Shares\\backup")
    if change == "a file without a manifest":
        share.remove(f"{folder}\\2.bak.manifest.json")
    elif change:  # of the same size, so the manifest does not know
        content = bytearray(share.read(f"{folder}\\3.bak"))
        content[len(content) // 2] ^= 0xFF
        share.write(f"{folder}\\3.bak", bytes(content))
    result = sql_b.run("sql_restore", **{**staged, "source": {"folders": [told]}})
    assert sql_b.marks(database) == [1, 2, 3, 4]
    assert (result["staged"]["files"], result["staged"]["left"]) == (4 - left, left)
    assert [step["kind"] for step in result["plan"]["steps"]][:-1] == (
        ["full", "log", "log"] if change == "a set that cannot be read" else ["full", "log"]
    )


def test_what_was_brought_stays_while_more_can_follow_and_is_not_copied_again(sql_a, sql_b, database, folder, staged):
    sql_b.run("sql_restore", **staged, recovery="norecovery")
    record = sql_b.host.estate.record
    kept, since = brought(sql_b, database), record.last
    assert len(kept) == 2
    planned = sql_b.run("sql_restore", check=True, **staged)
    assert [step["action"] for step in planned["plan"]["steps"]] == ["recover"]
    mark(sql_a, database, 3, "in the next log")
    sql_a.run("sql_backup", database=database, kind="log", path=folder)
    sql_b.run("sql_restore", **staged)
    assert sql_b.marks(database) == [1, 2, 3]
    copied = [
        entry for entry in record.entries("script", host=sql_b.host.name, since=since) if entry["name"] == "copy_file"
    ]
    assert len(copied) == 1 and brought(sql_b, database) == []


def test_files_by_name(sql_b, database, folder, staged):
    (full,) = [
        name
        for name in sql_b.host.estate.host("files").files(SYSTEM).list(folder.replace(SHARE, "D:\\Shares\\backup"))
        if name.endswith("bak")
    ]
    with pytest.raises(Failed, match="There is no file nothing"):
        sql_b.run("sql_restore", **{**staged, "source": {"files": [f"{folder}\\{full}", f"{folder}\\nothing.bak"]}})
    result = sql_b.run("sql_restore", **{**staged, "source": {"files": [f"{folder}\\{full}"]}})
    assert sql_b.marks(database) == [1] and result["staged"]["files"] == 1


def test_without_windows_it_is_said(sql_b, database, folder):
    with pytest.raises(Failed, match="'stage_path' needs WinRM"):
        sql_b.run("sql_restore", database=database, source={"folders": [folder]}, stage_path=STAGE)


def test_nothing_is_restored_while_another_holds_the_lease(sql_b, database, folder):
    windows = {**sql_b.windows, **sql_b.share_account}
    lease = {"login": False, "path": folder, "database": database, "owner": "somebody else", **windows}
    sql_b.run("recovery_lease", **lease, state="held")
    options = {"database": database, "source": {"folders": [folder]}, **windows}
    with pytest.raises(Failed, match="somebody else"):
        sql_b.run("sql_restore", **options)
    assert sql_b.state_of(database) is None
    sql_b.run("sql_restore", **options, lease_owner="somebody else")
    assert sql_b.marks(database) == [1, 2]
    assert sql_b.run("sql_restore", **options)["changed"] is False  # it stays as it is, so nobody is in the way
    sql_b.run("recovery_lease", **lease, state="released")
