"""A run of sql_backup with Windows beside it: what is asked of whom, in which order, and what stops it."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import preconditions, run
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.options import BackupOptions
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
DATABASE = {
    "name": "PRS",
    "state": "ONLINE",
    "recovery_model": "FULL",
    "mirroring": {},
    "family_guid": "F",
    "first_recovery_fork_guid": None,
    "fork_point_lsn": None,
}
SQL01 = {"name": "SQL01", "default_backup_path": "D:\\Backup", "backup_compression": True, "engine_edition": 2}


class Windows:
    """Says what it was asked for; `problem` is raised where the lease is asked for."""

    def __init__(self, done, *, reaches=True, lease_seen=True, problem=None):
        self.done, self.host = done, None
        self._reaches, self._lease_seen, self._problem = reaches, lease_seen, problem

    def reaches(self, _folder):
        return self._reaches

    def is_lease_seen(self, _folder, _database, *, now):
        self.done.append("lease")
        assert now == NOON
        if self._problem:
            raise self._problem
        return self._lease_seen

    def begin(self, plan, _report):
        self.done.append(f"begin {len(plan.delivered_files)}")

    def forget_manifest(self, _plan):
        self.done.append("forget manifest")

    def deliver(self, _plan, _report):
        self.done.append("deliver")
        return [{"kind": "log"}]

    def write_manifest(self, _plan, _report):
        self.done.append("manifest")

    def close(self):
        self.done.append("close")


@pytest.fixture
def go(monkeypatch):
    """Run with options, and with a Windows of these ways; returns what was done, and the result."""

    def start(*, check_mode=False, windows=None, **options):
        done = []
        asked = {field.name: getattr(BackupOptions(database="PRS"), field.name) for field in fields(BackupOptions)}
        session = Session(params={**asked, **options}, check_mode=check_mode, progress=Progress())
        start.ahead = []
        session.connection = SimpleNamespace(
            target=SimpleNamespace(server="sql01"),
            execute=lambda _statement, **_more: done.append("backup"),
            ask_ahead=lambda *questions: start.ahead.append([question[0] for question in questions]),
        )
        taken = BackupSet(
            guid="g", kind=BackupKind.FULL, family_guid="F", started=NOON, finished=NOON, copies=(Copy(stripes=("x",)),)
        )
        monkeypatch.setattr(run, "read_server", lambda _connection: SQL01)
        monkeypatch.setattr(run, "service_account", lambda _connection: "")
        monkeypatch.setattr(run, "utc_now", lambda _connection: NOON)
        monkeypatch.setattr(preconditions, "read_database", lambda _connection, _name: DATABASE)
        monkeypatch.setattr(run, "kind_to_take", lambda _session, options, _database: options.kind)
        monkeypatch.setattr(run, "provide_folder", lambda _session, folder: done.append(f"folder {folder}"))
        monkeypatch.setattr(run.locks, "hold", lambda _session, _name: done.append("lock"))
        monkeypatch.setattr(run.backups, "newest_backup_id", lambda _connection: 1)
        monkeypatch.setattr(run.backups, "confirmed", lambda _connection, **_more: (taken, 1))
        monkeypatch.setattr(run, "verify", lambda _connection, **_more: done.append("verify"))
        monkeypatch.setattr(
            run, "_windows_side", lambda _session, _options: None if windows is None else Windows(done, **windows)
        )
        start.done = done
        return done, run.BackupRun(session).run()

    return start


STAGED = {"stage_path": "D:\\Stage", "path": "\\\\files\\backup"}


def test_what_is_staged_is_announced_before_and_delivered_after_it_was_verified(go):
    done, result = go(windows={}, **STAGED)
    assert done == ["lock", "lease", "folder D:\\Stage", "begin 1", "backup", "verify", "deliver", "close"]
    assert result["delivered"] == [{"kind": "log"}]


@pytest.mark.parametrize(
    ("check_mode", "asked"),
    [(False, ["sp_getapplock", "last_log_backup_lsn", "MAX(backup_set_id)", "xp_subdirs N'D:\\Stage'"]),
     (True, ["last_log_backup_lsn", "MAX(backup_set_id)", "xp_subdirs N'D:\\Stage'"])],
)  # fmt: skip
def test_what_the_lock_protects_is_asked_behind_it(go, check_mode, asked):
    go(check_mode=check_mode, kind="log", **STAGED, windows={})
    _server, under_lock = go.ahead
    assert len(under_lock) == len(asked)
    assert all(part in statement for part, statement in zip(asked, under_lock, strict=True))


def test_a_backup_that_needs_no_delivery_gets_its_manifest_where_windows_reaches_it(go):
    assert go(windows={})[0][-2:] == ["manifest", "close"]
    assert "manifest" not in go(windows={"reaches": False})[0]
    assert "manifest" in go(windows={"reaches": False}, manifest_beside="true")[0]


def test_a_name_that_may_be_there_already_loses_its_manifest_first(go):
    assert "forget manifest" in go(windows={}, file_name="{database}.bak")[0]
    assert "forget manifest" not in go(windows={})[0]


def test_a_lease_that_cannot_be_seen_costs_the_manifest_and_not_the_backup(go):
    done, _result = go(windows={"lease_seen": False})
    assert "backup" in done and "manifest" not in done
    assert "deliver" in go(windows={"lease_seen": False}, **STAGED)[0]


def test_while_somebody_else_holds_the_lease_nothing_is_written(go):
    with pytest.raises(RecoveryError, match="rebuild"):
        go(windows={"problem": RecoveryError("a rebuild holds it", code="windows_error")}, **STAGED)
    assert go.done == ["lock", "lease", "close"]


def test_check_mode_delivers_nothing_by_itself(go):
    done, _result = go(windows={}, check_mode=True)
    assert done == ["lock", "lease", "folder D:\\Backup", "close"]


def test_without_windows_nothing_is_asked_of_it(go):
    assert go()[0] == ["lock", "folder D:\\Backup", "backup", "verify"]
    with pytest.raises(RecoveryError, match="needs the Windows of the server"):
        go(**STAGED)
