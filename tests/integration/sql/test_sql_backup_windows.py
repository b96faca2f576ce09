"""What sql_backup lets the Windows of its server do: manifests, staging, copies, removal where SQL Server may not,
leases.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import windows_host as windows
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from prs_lab.estate import faults as estate_faults
from prs_lab.windows.errors import WinError
from prs_lab.windows.filesystem import FileView

from .conftest import SHARE, SYSTEM, Failed, mark, no_share_rights

STAGE = "D:\\Stage"
REAL = "D:\\Shares\\backup"


def scripts(server, since):
    return [entry["name"] for entry in server.host.estate.record.entries("script", host=server.host.name, since=since)]


def there(view, folder):
    return sorted(view.list(folder)) if view.exists(folder) else []


@pytest.fixture
def disk(sql_a):
    """The disks of sql-a as its system sees them."""
    return sql_a.host.files(SYSTEM)


@pytest.fixture
def on_share(name):
    """A folder on the share, and where that is on the file server."""
    return f"{SHARE}\\windows\\{name}", f"{REAL}\\windows\\{name}"


@pytest.fixture
def only_reading(lab, on_share):
    """SQL Server's account may read on the share, and no more."""
    made, _ca_file = lab
    share = made.host("files").shares.find("backup")
    sid = made.host("files").accounts.lookup("PRSLAB\\SQL-A$")
    before = list(share.access)
    share.access = [(who, "read" if who == sid else level) for who, level in before]
    assert share.access != before
    yield
    share.access = before


@pytest.fixture
def no_rights(lab):
    """The service account of sql-a has none on the share."""
    with no_share_rights(lab, "PRSLAB\\SQL-A$"):
        yield


@pytest.fixture
def staged(sql_a, database, on_share):
    return {"database": database, "stage_path": STAGE, "path": on_share[0], **sql_a.windows, **sql_a.share_account}


# -- the manifest beside the files


def test_a_manifest_lies_beside_the_files_and_says_what_they_are(sql_a, database, disk, lab, tmp_path):
    folder, control = f"D:\\Backup\\{database}", tmp_path / "backup.json"
    with_windows = {"database": database, "path": folder, "stripes": 2, **sql_a.windows}
    assert (
        "manifest_beside" not in sql_a.run("sql_backup", check=True, **with_windows)["backup"]
        and there(disk, folder) == []
    )
    since = lab[0].record.last
    backup = sql_a.run("sql_backup", manifest=str(control), **with_windows)["backup"]
    assert backup["manifest_beside"] == f"{backup['files'][0]}.manifest.json"
    beside = json.loads(disk.read(backup["manifest_beside"]))
    assert beside == backup == json.loads(control.read_text())
    assert beside["sha256"] == {file: hashlib.sha256(disk.read(file)).hexdigest() for file in backup["files"]}
    assert beside["file_sizes"] == {file: len(disk.read(file)) for file in backup["files"]}
    assert there(disk, folder) == sorted(
        path.rpartition("\\")[2] for path in (*backup["files"], backup["manifest_beside"])
    )
    assert [name for name in scripts(sql_a, since) if name != "runner"][-1] == "write_lines"  # last of all


def test_a_manifest_on_a_share(sql_a, database, on_share, share):
    backup = sql_a.run("sql_backup", database=database, path=on_share[0], **sql_a.windows, **sql_a.share_account)[
        "backup"
    ]
    beside = json.loads(share.read(backup["manifest_beside"].replace(SHARE, REAL)))
    assert beside["sha256"] == {
        file: hashlib.sha256(share.read(file.replace(SHARE, REAL))).hexdigest() for file in backup["files"]
    }


@pytest.mark.parametrize("more", [{}, {"manifest_beside": "false", "path": None}])
def test_a_run_that_needs_no_windows_asks_for_none(sql_a, database, on_share, lab, more):
    since = lab[0].record.last  # a share without an account for it is out of reach of WinRM's logon
    result = sql_a.run("sql_backup", **{"database": database, "path": on_share[0], **sql_a.windows, **more})
    assert "manifest_beside" not in result["backup"] and "warnings" not in result
    assert scripts(sql_a, since) == []


@pytest.mark.parametrize("wanted", ["auto", "true"])
def test_a_manifest_that_cannot_be_written(sql_a, database, wanted):
    asked = {"database": database, "manifest_beside": wanted, **sql_a.windows, "winrm_password": "Wr0ng-one"}
    if wanted == "auto":
        result = sql_a.run("sql_backup", **asked)
        assert result["backup"]["verified"] is True and "no manifest lies" not in str(result["warnings"])
        assert "could not be seen" in str(result["warnings"]) and "winrm_password" in str(result["warnings"])
    else:
        with pytest.raises(
            Failed, match=r"The backup is complete in .*, but no manifest lies beside it.*winrm_password"
        ) as failed:
            sql_a.run("sql_backup", **asked)
        assert failed.value.result["backup"]["verified"] is True


def test_manifests_are_no_backups_to_anybody(sql_a, sql_b, database, on_share):
    asked = {"database": database, "path": on_share[0], **sql_a.windows, **sql_a.share_account}
    sql_a.run("sql_backup", **asked)
    assert sql_a.run("sql_backup_info", folders=[on_share[0]])["unreadable"] == []
    sql_b.run("sql_restore", database=database, source={"folders": [on_share[0]]})
    assert sql_b.marks(database) == [1]


def test_an_old_manifest_does_not_speak_for_a_file_that_was_written_anew(sql_a, database, disk, monkeypatch):
    asked = {
        "database": database,
        "path": f"D:\\Backup\\{database}",
        "file_name": "same.bak",
        "overwrite": True,
        **sql_a.windows,
    }
    sql_a.run("sql_backup", **asked)
    with monkeypatch.context() as patched, pytest.raises(Failed):
        patched.setattr(WindowsFiles, "hash_one", lambda *_given: 1 / 0)
        sql_a.run("sql_backup", **asked)
    assert there(disk, asked["path"]) == ["same.bak"]


# -- staging


def test_no_rights_on_a_share_are_told_with_the_way_out(sql_a, database, on_share, no_rights):
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_backup", database=database, path=on_share[0])
    for part in ("error 5", "NT SERVICE\\MSSQLSERVER", "Modify", "stage_path"):
        assert part in failed.value.result["msg"]
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_backup", database=database, path="C:\\Windows")  # no share: nothing to stage for
    assert "stage_path" not in failed.value.result["msg"]


def test_staged_and_carried_where_sql_server_may_not(
    sql_a, sql_b, staged, database, on_share, no_rights, disk, share, only_queries
):
    with only_queries:
        planned = sql_a.run("sql_backup", check=True, stripes=2, **staged)
    assert f"TO DISK = N'{STAGE}\\" in planned["statements"][-1] and there(share, on_share[1]) == []
    result = sql_a.run("sql_backup", stripes=2, **staged)
    backup = result["backup"]
    assert there(disk, STAGE) == [] and [file.rpartition("\\")[0] for file in backup["files"]] == [on_share[0]] * 2
    assert backup["verified"] is True and backup["sets"][0]["files"] == backup["files"] and "delivered" not in result
    content = {file: share.read(file.replace(SHARE, REAL)) for file in backup["files"]}
    assert backup["sha256"] == {file: hashlib.sha256(data).hexdigest() for file, data in content.items()}
    assert json.loads(share.read(backup["manifest_beside"].replace(SHARE, REAL))) == backup
    assert len(there(share, on_share[1])) == 3
    sql_b.run("sql_restore", database=database, source={"folders": [on_share[0]]})
    assert sql_b.marks(database) == [1]


def test_what_cannot_be_carried_waits_and_goes_with_the_next_one(
    sql_a, sql_b, staged, database, on_share, disk, share, lab
):
    made, _ca_file = lab
    gone = {"host": "files", "share": "backup"}
    sql_a.run("sql_backup", **staged)
    mark(sql_a, database, 2, "in a log that waits")
    estate_faults.apply(made, "share-gone", gone)
    try:
        with pytest.raises(
            Failed, match=r"The backup is complete in D:\\Stage\\.*was not delivered yet.*next run"
        ) as failed:
            sql_a.run("sql_backup", kind="log", **staged)
        assert failed.value.result["backup"]["verified"] is True
    finally:
        estate_faults.undo(made, "share-gone", gone)
    assert [name for name in there(disk, STAGE) if name.endswith(".trn")] != []
    mark(sql_a, database, 3, "in the log after it")
    planned = sql_a.run("sql_backup", check=True, kind="log", **staged)
    assert [one["kind"] for one in planned["delivered"]] == ["log"] and len(there(disk, STAGE)) == 2
    [waited] = sql_a.run("sql_backup", kind="log", **staged)["delivered"]
    assert waited["files"] == failed.value.result["backup"]["files"] and waited["verified"] is True
    assert there(disk, STAGE) == [] and len(there(share, on_share[1])) == 6
    sql_b.run("sql_restore", database=database, source={"folders": [on_share[0]]})
    assert sql_b.marks(database) == [1, 2, 3]


def test_what_waits_of_a_database_that_is_gone_stays(sql_a, staged, database, disk, lab):
    """Somebody made an empty one in its place: what could not be carried may be all that is left of the first."""
    made, gone = lab[0], {"host": "files", "share": "backup"}
    own = staged["stage_path"] = f"{STAGE} of {database}"  # what stays there is in no other test's way
    estate_faults.apply(made, "share-gone", gone)
    try:
        with pytest.raises(Failed, match="was not delivered yet"):
            sql_a.run("sql_backup", **staged)
    finally:
        estate_faults.undo(made, "share-gone", gone)
    waiting = there(disk, own)
    sql_a.run("sql_database", name=database, state="absent", allow_data_loss=True)
    sql_a.run("sql_database", name=database, recovery_model="FULL")
    result = sql_a.run("sql_backup", **staged)
    assert "is of another database" in str(result["warnings"]) and "delivered" not in result
    assert waiting and there(disk, own) == waiting


def test_a_note_that_names_files_elsewhere_is_none(sql_a, staged, database, disk):
    own = staged["stage_path"] = f"{STAGE} of {database}"
    disk.make_dir(own)
    disk.write("D:\\precious.txt", b"x")
    server = sql_a.run("sql_info")["server"]["name"]
    for number, path in enumerate(("D:\\precious.txt", f"{own}\\..\\precious.txt")):
        report = {"database": database, "server": server, "files": ["\\\\files\\backup\\x.bak"]}
        note = {"format": "prs.recovery unfinished sql backup 1", "report": report, "written": [path]}
        disk.write(f"{own}\\{number}.unfinished.json", json.dumps(note).encode())
    sql_a.run("sql_backup", **staged)
    assert disk.exists("D:\\precious.txt")


@pytest.mark.parametrize("idle", [False, True])
def test_a_session_that_lay_idle_is_opened_anew(sql_a, sql_b, staged, database, on_share, monkeypatch, idle):
    """A host ends one that it hears nothing of, and a backup may take hours. One that is not idle serves for
    everything.
    """
    opened, enter = [], windows.WinrmSession.__enter__
    monkeypatch.setattr(windows.WinrmSession, "__enter__", lambda session: opened.append(session) or enter(session))
    monkeypatch.setattr(windows, "IDLE", -1.0 if idle else 3600.0)
    assert sql_a.run("sql_backup", **staged)["backup"]["manifest_beside"].startswith(on_share[0])
    assert len(opened) > 5 if idle else len(opened) == 1
    sql_b.run("sql_restore", database=database, source={"folders": [on_share[0]]})
    assert sql_b.marks(database) == [1]


def test_what_arrives_damaged_is_no_backup(sql_a, staged, on_share, share, disk, monkeypatch):
    copy = FileView.copy

    def damaging(view, source, target):
        copy(view, source, target)
        real = share.real_path(target.replace(SHARE, REAL), "rb")
        content = bytearray(real.read_bytes())
        content[len(content) // 2] ^= 0xFF
        real.write_bytes(content)

    with monkeypatch.context() as patched, pytest.raises(Failed, match="is not what was copied"):
        patched.setattr(FileView, "copy", damaging)
        sql_a.run("sql_backup", **staged)
    assert there(share, on_share[1]) == [] and len(there(disk, STAGE)) == 2
    assert len(sql_a.run("sql_backup", **staged)["delivered"]) == 1
    assert there(disk, STAGE) == [] and len(there(share, on_share[1])) == 4


def test_a_file_that_is_there_is_not_replaced(sql_a, staged, share, on_share):
    first = sql_a.run("sql_backup", file_name="same.bak", **staged)["backup"]
    for check in (True, False):
        with pytest.raises(Failed, match="already"):
            sql_a.run("sql_backup", check=check, file_name="same.bak", **staged)
    assert hashlib.sha256(share.read(f"{on_share[1]}\\same.bak")).hexdigest() == first["sha256"][first["files"][0]]
    second = sql_a.run("sql_backup", file_name="same.bak", overwrite=True, **staged)["backup"]
    assert second["sha256"] != first["sha256"] and len(there(share, on_share[1])) == 2


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"winrm_host": None}, "'stage_path' needs the Windows of the server"),
        ({"winrm_host": None, "stage_path": None, "manifest_beside": "true"}, "'manifest_beside' needs the Windows"),
        ({"stage_path": SHARE}, "is a share"),
        ({"path": f"{STAGE}\\"}, "is the folder that the backup is delivered to"),
        ({"path": None}, "needs 'path'"),
        (
            {"copy_to": f"{SHARE}\\copies", "copy_share_user": "PRSLAB\\other", "copy_share_password": "x"},
            "under one account only",
        ),
    ],
)
def test_staging_that_makes_no_sense(sql_a, staged, options, part):
    with pytest.raises(Failed, match=part):
        sql_a.run("sql_backup", **{**staged, **options})


def test_old_backups_go_where_sql_server_may_not_look(sql_a, sql_b, staged, database, on_share, no_rights, share):
    for number in (2, 3):
        sql_a.run("sql_backup", **staged)
        mark(sql_a, database, number, "in the log")
        sql_a.run("sql_backup", kind="log", **staged)
    foreign = f"{on_share[1]}\\by-somebody.bak"
    share.write(foreign, b"without a manifest")
    before = there(share, on_share[1])
    asked = {**staged, "kind": "log", "retention": {"last": 1}}
    planned = sql_a.run("sql_backup", check=True, **asked)["retention"][0]["remove"]
    assert there(share, on_share[1]) == before and len(planned) == 4
    removed = sql_a.run("sql_backup", **asked)["retention"][0]["remove"]
    assert removed == planned and [path.endswith(".manifest.json") for path in removed] == [True, False] * 2
    assert len(there(share, on_share[1])) == 9 + 2 - 4 and share.is_file(foreign)
    sql_b.run("sql_restore", database=database, source={"folders": [on_share[0]]})
    assert sql_b.marks(database) == [1, 2, 3]


def test_a_chain_whose_hash_is_wrong_counts_for_nothing(sql_a, staged, database, share):
    taken = []
    for number in (2, 3):
        taken.append(sql_a.run("sql_backup", **staged)["backup"]["files"][0].replace(SHARE, REAL))
        mark(sql_a, database, number, "between")
    first, second = taken
    content = bytearray(share.read(second))
    content[len(content) // 2] ^= 0xFF
    share.write(second, bytes(content))
    result = sql_a.run("sql_backup", kind="log", retention={"last": 1}, **staged)
    assert "SHA-256" in str(result["warnings"]) and share.is_file(first)


# -- copies


@pytest.fixture
def copied(sql_a, database, on_share):
    return {
        "database": database,
        "path": f"D:\\Backup\\{database}",
        "copy_to": on_share[0],
        **sql_a.windows,
        **sql_a.share_account,
    }


def test_windows_copies_on_an_edition_that_cannot(sql_a, sql_b, copied, database, on_share, disk, share, only_queries):
    with only_queries:
        planned = sql_a.run("sql_backup", check=True, **copied)
    assert "MIRROR TO" not in planned["statements"][-1] and planned["backup"]["copied_by"] == "windows"
    backup = sql_a.run("sql_backup", **copied)["backup"]
    for files, view, folder in ((backup["files"], disk, copied["path"]), (backup["copy_files"], share, on_share[1])):
        [data, manifest] = [view.read(f"{folder}\\{name}") for name in there(view, folder)]
        told = json.loads(manifest)
        assert told["files"] == files == told["sets"][0]["files"] and list(told["sha256"].values()) == [
            hashlib.sha256(data).hexdigest()
        ]
    sql_b.run("sql_restore", database=database, source={"folders": [on_share[0]]})
    assert sql_b.marks(database) == [1]


def test_each_copy_has_rules_of_its_own(sql_a, copied, on_share, disk, share):
    for _ in range(3):
        sql_a.run("sql_backup", retention={"last": 1}, copy_retention={"last": 2}, **copied)
    assert (len(there(disk, copied["path"])), len(there(share, on_share[1]))) == (2, 4)


def test_the_copy_has_an_account_of_its_own(sql_a, copied):
    account = {"copy_share_user": copied.pop("share_user"), "copy_share_password": copied.pop("share_password")}
    assert sql_a.run("sql_backup", **copied, **account)["backup"]["copied_by"] == "windows"
    with pytest.raises(Failed, match=r"was not delivered yet.*share_user"):
        sql_a.run("sql_backup", **copied)


def test_a_place_that_was_given_up_does_not_keep_later_backups_from_theirs(sql_a, copied, share):
    """A wrong name in 'copy_to': the backup waits for a place that never comes, and a run with the right name is none
    of its business.
    """
    with pytest.raises(Failed, match="was not delivered yet"):
        sql_a.run("sql_backup", **{**copied, "copy_to": "\\\\files\\nothing\\of\\that\\name"})
    result = sql_a.run("sql_backup", **copied)
    assert share.is_file(result["backup"]["copy_files"][0].replace(SHARE, "D:\\Shares\\backup"))
    note = re.search(r"still cannot be brought to .* remove (.+\.unfinished\.json)\.", str(result["warnings"]))[
        1
    ].replace("\\\\", "\\")
    assert "delivered" not in result
    sql_a.host.files(SYSTEM).remove(note)
    assert "warnings" not in sql_a.run("sql_backup", **copied)


@pytest.fixture
def developer(sql_a, monkeypatch):
    monkeypatch.setattr(
        sql_a.instance, "settings", dataclasses.replace(sql_a.instance.settings, edition="Developer Edition (64-bit)")
    )


def test_a_mirrored_copy_has_a_manifest_of_its_own(sql_a, copied, developer, on_share, disk, share):
    backup = sql_a.run("sql_backup", **copied)["backup"]
    assert backup["copied_by"] == "server"
    for files, view, folder in ((backup["files"], disk, copied["path"]), (backup["copy_files"], share, on_share[1])):
        [data, manifest] = [view.read(f"{folder}\\{name}") for name in there(view, folder)]
        told = json.loads(manifest)
        assert told["files"] == files and list(told["sha256"].values()) == [hashlib.sha256(data).hexdigest()]


def test_windows_copies_where_a_server_that_could_may_not(sql_a, copied, developer, no_rights, on_share, share):
    assert sql_a.run("sql_backup", **copied)["backup"]["copied_by"] == "windows"
    assert len(there(share, on_share[1])) == 2
    with pytest.raises(Failed, match="error 5"):
        sql_a.run("sql_backup", **{**copied, "winrm_host": None})


@pytest.mark.parametrize("is_made", [False, True])
def test_windows_copies_where_a_server_may_only_look(
    sql_a, copied, developer, only_reading, on_share, share, only_queries, is_made
):
    if is_made:
        share.make_dir(on_share[1])
    with only_queries:
        sql_a.run("sql_backup", check=True, **copied)
    assert sql_a.run("sql_backup", **copied)["backup"]["copied_by"] == "windows"
    assert len(there(share, on_share[1])) == 2, "the copy and its manifest"


def test_what_is_made_to_see_whether_the_server_may_write_is_removed(sql_a, copied, developer, on_share, share):
    for _run in range(2):  # the second time the folder is there
        assert sql_a.run("sql_backup", **copied)["backup"]["copied_by"] == "server"
    assert not [name for name in share.list(on_share[1]) if "probe" in name]


def test_a_backup_writes_no_error_into_the_servers_log(sql_a, copied, developer, database, on_share, disk):
    disk.make_dir("D:\\Empty")
    sql_a.instance.error_log.clear()
    for kind in ("full", "log", "log"):
        sql_a.run("sql_backup", **{**copied, "kind": kind})
    sql_a.run("sql_backup", database=database, path=on_share[0], kind="log")
    sql_a.run("sql_backup_info", folders=[on_share[0], "D:\\Empty"], database=database)
    assert [line for line in sql_a.instance.error_log if "18204" in line] == []


# -- removal


def test_windows_removes_what_sql_server_may_not(sql_a, database, disk, monkeypatch):
    asked = {"database": database, "path": f"D:\\Backup\\{database}", **sql_a.windows}
    sql_a.run("sql_backup", **asked)
    remove = FileView.remove

    def refuse_the_service(view, path):
        if "MSSQL" in view._token.name:
            raise WinError(5, path)
        remove(view, path)

    monkeypatch.setattr(FileView, "remove", refuse_the_service)
    result = sql_a.run("sql_backup", retention={"last": 1}, **asked)
    assert len(result["retention"][0]["remove"]) == 2 and len(there(disk, asked["path"])) == 2


def test_without_windows_a_manifest_stays_and_that_is_said(sql_a, database, disk):
    folder = f"D:\\Backup\\{database}"
    sql_a.run("sql_backup", database=database, path=folder, **sql_a.windows)
    result = sql_a.run("sql_backup", database=database, path=folder, retention={"last": 1})
    assert "only Windows removes it" in str(result["warnings"]) and len(there(disk, folder)) == 2


# -- the lease


@pytest.mark.parametrize("check", [True, False])
def test_a_rebuild_elsewhere_keeps_backups_away(sql_a, sql_b, database, on_share, check, monkeypatch):
    # Other tests put sql-a's clock forward; of a lease's age two machines judge whose clocks agree.
    monkeypatch.setattr(sql_a.host.estate.host("files"), "clock_offset", sql_a.host.clock_offset)
    lease = {
        "path": on_share[0],
        "database": database,
        "owner": "she@elsewhere pid 1",
        "stale_after": 60,
        **sql_a.share_account,
    }
    run = {"database": database, "path": on_share[0], **sql_a.share_account, **sql_a.windows}
    sql_b.run("recovery_lease", login=False, **lease, **sql_b.windows)
    with pytest.raises(Failed, match=rf"she@elsewhere pid 1 works on database {database} since .*take_over: true"):
        sql_a.run("sql_backup", check=check, lease_owner="me@here", **run)
    assert sql_a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", database) == [(0,)]
    assert sql_a.run("sql_backup", check=check, lease_owner="she@elsewhere pid 1", **run)["changed"]  # its own run may
    file = (
        sql_a.host.estate.host("files")
        .files(SYSTEM)
        .real_path(f"{on_share[0].replace(SHARE, REAL)}\\{database}.lease.json", "rb")
    )
    os.utime(file, (os.stat(file).st_mtime - 7200,) * 2)
    assert sql_a.run("sql_backup", check=check, lease_owner="me@here", **run)["changed"]  # stale
