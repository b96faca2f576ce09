from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog, FileReading
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.overwrite_policy import Decision
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import tail_log as module
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.tail_log import SavedTail, TailLog

NOW = dt.datetime(2026, 3, 1, 14, 30, tzinfo=dt.timezone.utc)
FILE = "D:\\Backup\\PRS_tail_20260301T143000000Z.trn"
OURS = (SimpleNamespace(family_guid="ours"),)
CLOSED = "ALTER DATABASE [PRS] SET SINGLE_USER WITH ROLLBACK IMMEDIATE"


@pytest.fixture
def tail_log(make_session, monkeypatch):
    def make(answers=None, *, state="ONLINE", check_mode=False, sets=OURS):
        monkeypatch.setattr(module, "utc_now", lambda _connection: NOW)
        monkeypatch.setattr(module, "provide_folder", lambda _session, folder: folders.append(folder))
        monkeypatch.setattr(module, "read_file", lambda _connection, path: FileReading(path=path, problem=unreadable))
        monkeypatch.setattr(module, "assemble", lambda _readings, zone: BackupCatalog(sets=list(sets or ())))
        folders, unreadable = [], "torn" if sets is None else ""
        destination = SimpleNamespace(database="PRS", host="sql01", state=state)
        made = TailLog(
            make_session(answers, check_mode=check_mode),
            destination,
            folder="D:\\Backup",
            server={"name": "SQL01", "edition": "Standard Edition"},
            zone=None,
        )
        made.folders = folders
        return made

    return make


def decision(**changed):
    return Decision(**{"action": "replace", "reason": "", "tail": True, "tail_required": True, **changed})


def test_a_living_database_is_closed_before_its_tail_is_saved(tail_log):
    log = tail_log()
    saved = log.save(decision(), wanted=True, family="ours")
    assert saved.to_dict() == {"file": FILE, "problem": None} and len(saved.catalog.sets) == 1
    closed, backup = log.session.connection.ran
    assert closed == CLOSED and backup.startswith(f"BACKUP LOG [PRS] TO DISK = N'{FILE}' WITH NORECOVERY")
    assert log.folders == ["D:\\Backup"]


def test_a_damaged_one_is_not(tail_log):
    log = tail_log(state="SUSPECT")
    log.save(decision(tail_required=False), wanted=True, family="ours")
    (backup,) = log.session.connection.ran
    assert "NO_TRUNCATE" in backup


def test_what_is_not_wanted_is_not_saved_but_closed_all_the_same(tail_log):
    log = tail_log()
    assert log.save(decision(), wanted=False, family="ours") is None
    assert log.session.connection.ran == [CLOSED] and log.folders == []


def test_check_mode_plans_it(tail_log):
    log = tail_log(check_mode=True)
    assert log.save(decision(), wanted=True, family="ours") == SavedTail(file=FILE)
    assert log.session.connection.ran == [] and len(log.session.statements) == 2


def test_a_session_of_mirroring_ends_first_and_that_is_said(tail_log):
    log = tail_log()
    log.save(decision(end_mirroring=True), wanted=False, family="ours")
    assert log.session.connection.ran[0] == "ALTER DATABASE [PRS] SET PARTNER OFF"
    assert "NOT protected by a mirror" in log.session.warnings[0]


def test_the_tail_of_a_damaged_database_may_be_lost(tail_log, sql_error):
    log = tail_log({"BACKUP LOG": sql_error(9004, "the log is damaged")}, state="SUSPECT")
    saved = log.save(decision(tail_required=False), wanted=True, family="ours")
    assert saved.file is None and "the log is damaged" in saved.problem
    assert "since the last backup is lost" in log.session.warnings[0]


def test_that_of_a_living_one_may_not(tail_log, sql_error):
    log = tail_log({"BACKUP LOG": sql_error(3201, "no")})
    with pytest.raises(RecoveryError, match="tail_log: skip"):
        log.save(decision(), wanted=True, family="ours")


@pytest.mark.parametrize("sets", [(), (SimpleNamespace(family_guid="another"),)])
def test_a_tail_of_another_database_saves_that_database(tail_log, sets):
    log = tail_log(state="SUSPECT", sets=sets)
    with pytest.raises(RecoveryError, match="not overwritten") as problem:
        log.save(decision(tail_required=False, proof_needed=True), wanted=True, family="ours")
    assert problem.value.code == "would_lose_data"


def test_where_only_the_tail_could_tell_it_has_to_be_saved(tail_log, sql_error):
    log = tail_log({"BACKUP LOG": sql_error(9004)}, state="SUSPECT")
    with pytest.raises(RecoveryError, match="nothing tells"):
        log.save(decision(tail_required=False, proof_needed=True), wanted=True, family="ours")


def test_a_tail_that_cannot_be_read_stops_the_restore(tail_log):
    with pytest.raises(RecoveryError, match="cannot be read: torn") as problem:
        tail_log(sets=None).save(decision(), wanted=True, family="ours")
    assert problem.value.code == "damaged"


def test_tails_of_interrupted_runs_are_looked_for_by_name(tail_log, monkeypatch):
    older = "D:\\Backup\\prs_TAIL_20260228T000000Z.trn"
    names = [older, "D:\\Backup\\PRS_20260301T000000Z.bak", "D:\\Backup\\Shop_tail_20260228T000000Z.trn", FILE]
    read = []
    monkeypatch.setattr(module, "find_files", lambda _connection, _folder: names)
    log = tail_log()
    monkeypatch.setattr(module, "read_files", lambda _connection, paths, progress: read.extend(paths))
    known = SimpleNamespace(copies=[SimpleNamespace(stripes=[FILE.lower()])])
    log.saved_before(BackupCatalog(sets=[known]))
    assert read == [older]


def test_a_folder_that_is_not_there_holds_none(tail_log, monkeypatch):
    def missing(_connection, _folder):
        raise RecoveryError("no such folder", code="windows_error")

    log = tail_log()
    monkeypatch.setattr(module, "find_files", missing)
    assert log.saved_before(BackupCatalog()) == BackupCatalog()


def test_a_server_that_fails_to_tell_is_an_error(tail_log, monkeypatch, sql_error):
    def failing(_connection, _folder):
        raise sql_error(229)

    log = tail_log()
    monkeypatch.setattr(module, "find_files", failing)
    with pytest.raises(SqlError):
        log.saved_before(BackupCatalog())
