from __future__ import annotations

import datetime as dt
import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import (
    control_node_manifest as control_manifest,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import (
    preconditions as backup_checks,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import (
    run as backing_up,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import (
    second_copy,
)
from ansible_collections.prs.recovery.plugins.modules import sql_backup

FAMILY = "6f1a5c2f-9c1e-4a4e-a1b6-d2f1b8c0a7e3"
SERVER = {
    "name": "SQL01",
    "default_backup_path": "D:\\Backup",
    "backup_compression": True,
    "engine_edition": 2,
    "edition": "Standard Edition (64-bit)",
}
THERE = {
    "name": "PRS",
    "state": "ONLINE",
    "recovery_model": "FULL",
    "mirroring": {},
    "family_guid": FAMILY,
    "first_recovery_fork_guid": None,
    "fork_point_lsn": None,
}
ASKED = {
    "database": "prs",
    "kind": "full",
    "copy_only": False,
    "path": None,
    "file_name": "{database}_{kind}_{time}.{extension}",
    "stripes": 1,
    "overwrite": False,
    "compression": "auto",
    "checksum": True,
    "verify": True,
    "description": None,
    "manifest": None,
    "encryption": None,
    "missing_base": "fail",
    "min_full_interval_hours": 24,
    "copy_to": None,
    "retention": None,
    "copy_retention": None,
    "stage_path": None,
    "manifest_beside": "auto",
    "winrm_host": None,
    "winrm_user": None,
    "share_user": None,
    "copy_share_user": None,
}
FILE = "D:\\Backup\\PRS_full_20260301T120000500Z.bak"


@pytest.fixture
def make(session, monkeypatch):
    """A session whose server answers, and the order in which things were done."""

    def prepare(*, there=THERE, server=SERVER, check_mode=False, take=None, there_already=(), **params):
        made = session(check_mode=check_mode, **{**ASKED, **params})
        done = []
        moment = dt.datetime(2026, 3, 1, 12, 1, tzinfo=dt.timezone.utc)
        one = BackupSet(
            guid="g",
            kind=BackupKind.FULL,
            family_guid=FAMILY,
            database="PRS",
            started=moment,
            finished=moment,
            first_lsn=1,
            last_lsn=9,
            compressed_size=77,
            copies=(Copy(stripes=(FILE,), position=4),),
        )
        monkeypatch.setattr(backing_up, "read_server", lambda _connection: server)
        monkeypatch.setattr(backing_up, "service_account", lambda _connection: "NT SERVICE\\MSSQLSERVER")
        monkeypatch.setattr(backup_checks, "read_database", lambda _connection, _name: there)
        monkeypatch.setattr(
            backing_up,
            "kind_to_take",
            lambda _session, _options, _database: BackupKind(take or params.get("kind", "full")),
        )
        monkeypatch.setattr(backing_up, "utc_now", lambda _connection: moment.replace(minute=0, microsecond=500000))
        monkeypatch.setattr(backing_up, "provide_folder", lambda _session, folder: done.append(("folder", folder)))
        monkeypatch.setattr(backing_up.locks, "hold", lambda _session, name: done.append(("lock", name)))
        monkeypatch.setattr(backing_up.backups, "newest_backup_id", lambda _connection: 41)
        monkeypatch.setattr(
            backing_up.backups,
            "confirmed",
            lambda _connection, *, database, files, mirror, after: done.append(("confirm", after)) or (one, 4),
        )
        monkeypatch.setattr(
            backing_up,
            "verify",
            lambda _connection, *, files, position, checksum, progress: done.append(("verify", position)),
        )
        monkeypatch.setattr(second_copy, "is_file", lambda _connection, path: path in there_already)
        return made, done

    return prepare


def test_the_order_of_things(make):
    made, done = make()
    result = sql_backup.back_up(made)
    assert done == [("lock", "PRS"), ("folder", "D:\\Backup"), ("confirm", 41), ("verify", 4)]
    assert (
        len(made.connection.ran) == 1
        and FILE in made.connection.ran[0][1]
        and ", COMPRESSION, CHECKSUM" in made.connection.ran[0][1]
    )
    assert result["backup"]["verified"] is True and result["backup"]["last_lsn"] == 9 and result["backup"]["size"] == 77
    assert result["changed"] is True


LARGE = {**SERVER, "engine_edition": 3}
COPY = FILE.replace("D:\\Backup", "E:\\Copy")


def test_both_copies_are_provided_for_and_verified(make):
    made, done = make(server=LARGE, copy_to="E:\\Copy")
    result = sql_backup.back_up(made)
    assert [what for what, _which in done] == ["lock", "folder", "folder", "confirm", "verify", "verify"]
    assert (result["backup"]["files"], result["backup"]["copy_files"]) == ([FILE], [COPY])
    assert f"TO DISK = N'{FILE}' MIRROR TO DISK = N'{COPY}' WITH FORMAT, INIT" in made.connection.ran[0][1]


@pytest.mark.parametrize("there_already", [FILE, COPY])
def test_a_copy_overwrites_nothing_unless_told_to(make, there_already):
    made, _done = make(server=LARGE, copy_to="E:\\Copy", there_already=(there_already,))
    with pytest.raises(RecoveryError, match="already"):
        sql_backup.back_up(made)
    assert made.connection.ran == []
    made, _done = make(server=LARGE, copy_to="E:\\Copy", there_already=(there_already,), overwrite=True)
    assert sql_backup.back_up(made)["changed"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_full_instead_of_a_log_is_one_in_every_respect(make, check_mode):
    made, _done = make(kind="log", take="full", missing_base="full", check_mode=check_mode)
    result = sql_backup.back_up(made)
    assert (result["backup"]["kind"], result["backup"]["substitute_for"], result["backup"]["files"]) == (
        "full",
        "log",
        [FILE],
    )
    assert (
        result["statements"][0].startswith(f"BACKUP DATABASE [PRS] TO DISK = N'{FILE}'")
        and "N'PRS full instead of log'" in result["statements"][0]
    )


def test_check_mode_writes_nothing_and_shows_the_statement(make, tmp_path):
    made, done = make(check_mode=True, manifest=str(tmp_path / "x.json"))
    result = sql_backup.back_up(made)
    assert list(tmp_path.iterdir()) == []
    assert made.connection.ran == [] and ("verify", 4) not in done and ("confirm", 41) not in done
    assert result["statements"][0].startswith(f"BACKUP DATABASE [PRS] TO DISK = N'{FILE}'")
    assert result["changed"] is True and result["backup"]["verified"] is False


@pytest.mark.parametrize(
    ("compression", "able", "word"),
    [
        ("auto", True, " COMPRESSION"),
        ("auto", False, "NO_COMPRESSION"),
        ("always", False, " COMPRESSION"),
        ("never", True, "NO_COMPRESSION"),
    ],
)
def test_compression(make, compression, able, word):
    made, _done = make(compression=compression, server={**SERVER, "backup_compression": able})
    assert word in sql_backup.back_up(made)["statements"][0]


def test_without_verification_nothing_claims_it(make):
    made, done = make(verify=False)
    assert sql_backup.back_up(made)["backup"]["verified"] is False
    assert ("verify", 4) not in done


def test_the_manifest_is_the_result(make, tmp_path):
    made, _done = make(manifest=str(tmp_path / "backup.json"))
    result = sql_backup.back_up(made)
    assert json.loads((tmp_path / "backup.json").read_text()) == result["backup"]
    assert [file.name for file in tmp_path.iterdir()] == ["backup.json"]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("place", ["missing/backup.json", ".", "a\x00b.json"])
def test_where_no_manifest_can_be_written_no_backup_is_taken(make, tmp_path, place, check_mode):
    made, done = make(manifest=f"{tmp_path}/{place}", check_mode=check_mode)
    with pytest.raises(RecoveryError, match="cannot be written"):
        sql_backup.back_up(made)
    assert (done, made.connection.ran) == ([], [])


def test_a_manifest_that_cannot_be_written_after_all_still_returns_the_backup(make, tmp_path, monkeypatch):
    made, _done = make(manifest=str(tmp_path / "missing" / "backup.json"))
    monkeypatch.setattr(control_manifest, "check_place", lambda _path: None)
    with pytest.raises(RecoveryError, match="The backup is complete, but its manifest") as failed:
        sql_backup.back_up(made)
    assert failed.value.details["backup"]["files"] == [FILE]


def test_no_manifest_where_the_verification_failed(make, monkeypatch, tmp_path):
    made, _done = make(manifest=str(tmp_path / "backup.json"))

    def broken(*_given, **_more):
        raise RecoveryError("cannot be read back", code="windows_error")

    monkeypatch.setattr(backing_up, "verify", broken)
    with pytest.raises(RecoveryError, match="cannot be read back"):
        sql_backup.back_up(made)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("there", "params", "part"),
    [
        (None, {}, "There is no database prs on sql01"),
        ({**THERE, "state": "RESTORING"}, {}, "is RESTORING"),
        ({**THERE, "mirroring": {"role": "MIRROR"}}, {}, "Back up the principal"),
        ({**THERE, "recovery_model": "SIMPLE"}, {"kind": "log"}, "SIMPLE"),
        (THERE, {"kind": "differential", "copy_only": True}, "copy_only"),
        (THERE, {"kind": "log", "copy_only": True, "missing_base": "full"}, "no base"),
        ({**THERE, "name": "master"}, {"kind": "differential"}, "only full backups"),
        ({**THERE, "name": "tempdb"}, {}, "no backup of the database tempdb"),
        (THERE, {"stripes": 0}, "at least 1"),
        (THERE, {"stripes": 65}, "at most 64"),
        (THERE, {"retention": {"last": 0}}, "at least one rule"),
        (THERE, {"retention": {"last": None}}, "at least one rule"),
        (THERE, {"retention": {"age": 10**9}}, "at most 36500"),
        (THERE, {"copy_retention": {"last": 1}}, "needs 'copy_to'"),
        (THERE, {"copy_to": "\\\\b\\x"}, "only Enterprise and Developer"),
        (THERE, {"copy_to": "d:\\backup\\"}, "folder of the backup itself"),
        (THERE, {"file_name": "{nonsense}"}, "template"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_refusals_come_before_anything_is_done(make, there, params, part, check_mode):
    made, done = make(there=there, check_mode=check_mode, **params)
    with pytest.raises(RecoveryError, match=part):
        sql_backup.back_up(made)
    assert (done, made.connection.ran) == ([], [])
