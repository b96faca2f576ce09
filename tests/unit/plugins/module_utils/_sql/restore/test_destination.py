from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog.history import LastRestore
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import destination as module
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import statements
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.destination import Destination

RESTORING = [
    {
        "name": "PRS",
        "path": "E:\\PRS.mdf",
        "type": "ROWS",
        "size_bytes": 8192,
        "redo_start_lsn": "300",
        "redo_start_fork_guid": "F0F0F0F0-0000-0000-0000-000000000000",
    }
]
FORK = "f0f0f0f0-0000-0000-0000-000000000000"


@pytest.fixture
def read(make_session, make_database):
    def run(answers=None, *, may_open=True, check_mode=False, **info):
        make_database(module, statements, **info)
        made = Destination(make_session(answers, check_mode=check_mode), "PRS")
        made.read(may_open=may_open)
        return made

    return run


def test_no_database_has_no_state(read):
    existing = read(state="")
    assert (existing.state, existing.is_open, existing.files, existing.facts()) == ("", False, [], None)


@pytest.mark.parametrize(
    ("state", "may_open", "asked"),
    [
        ("SUSPECT", True, True),
        ("RECOVERY_PENDING", True, True),
        ("SUSPECT", False, False),
        ("ONLINE", True, False),
        ("RESTORING", True, False),
    ],
)
def test_a_database_that_did_not_open_is_asked_to_once_more(read, state, may_open, asked):
    ran = read(state=state, may_open=may_open).session.connection.ran
    assert ran == (["ALTER DATABASE [PRS] SET ONLINE"] if asked else [])


def test_that_it_cannot_open_is_no_error(read, sql_error):
    assert read({"SET ONLINE": sql_error(926)}, state="SUSPECT").state == "SUSPECT"


def test_a_connection_that_is_lost_is_one(read):
    lost = SqlError("", text="gone", number=None, sqlstate="08S01")
    with pytest.raises(SqlError):
        read({"SET ONLINE": lost}, state="SUSPECT")


def test_the_family_of_one_that_is_closed_is_what_msdb_remembers(read, monkeypatch):
    monkeypatch.setattr(module, "remembered_family", lambda _connection, name: f"family of {name}")
    assert read(state="OFFLINE", family_guid=None).info["family_guid"] == "family of PRS"


@pytest.mark.parametrize(
    ("family_guid", "fork", "family"), [("AAAA", FORK, "aaaa"), (None, FORK, "wanted"), (None, "another", "")]
)
def test_a_restoring_database_belongs_to_the_family_on_whose_fork_it_stands(
    read, monkeypatch, family_guid, fork, family
):
    last = LastRestore(lsn=300, family="", path="")
    monkeypatch.setattr(module, "last_restore", lambda _connection, _name: last)
    monkeypatch.setattr(module, "restored_full", lambda _connection, _name: "the full")
    existing = read(state="RESTORING", family_guid=family_guid, files=RESTORING)
    backups = [SimpleNamespace(family_guid="wanted", first_fork="x", last_fork=fork)]
    assert existing.family(BackupCatalog(sets=backups), wanted="wanted") == family
    assert existing.facts().differential_base_guid == "the full"


@pytest.mark.parametrize(("lsn", "family", "full"), [(300, "of the last", "the full"), (299, "of any", "")])
def test_what_msdb_calls_the_last_restore_counts_where_the_database_stands_there(read, monkeypatch, lsn, family, full):
    asked = []
    last = LastRestore(lsn=lsn, family="of the last", path="D:\\last.trn")
    monkeypatch.setattr(module, "last_restore", lambda _connection, name: asked.append(name) or last)
    monkeypatch.setattr(module, "remembered_family", lambda _connection, _name: "of any")
    monkeypatch.setattr(module, "restored_full", lambda _connection, _name: "the full")
    existing = read(state="RESTORING", family_guid=None, files=RESTORING)
    assert existing.info["family_guid"] == family
    assert existing.facts().differential_base_guid == full
    assert (existing.last_restore() is last) is (lsn == 300)
    assert asked == ["PRS"]


def test_a_failure_tells_the_state_and_opens_a_living_database_again(read):
    existing = read(user_access="SINGLE_USER")
    problem = existing.failure(RecoveryError("The tail cannot be saved", advice="Look", code="no_space"))
    assert str(problem) == "The tail cannot be saved. Look. Database PRS is ONLINE now."
    assert (problem.code, problem.details) == ("no_space", {"database_state": "ONLINE"})
    assert existing.session.connection.ran == ["ALTER DATABASE [PRS] SET MULTI_USER"]


def test_of_a_restoring_one_it_says_that_the_next_run_goes_on(read):
    problem = read(state="RESTORING", files=RESTORING).failure(RecoveryError("Broken off", code="windows_error"))
    assert problem.details == {"database_state": "RESTORING"} and "run again" in problem.advice


def test_without_a_connection_nothing_is_asked(read):
    existing = read()
    problem = existing.failure(SqlError("", text="gone", number=None, sqlstate="08S01"))
    assert problem.details["database_state"] == "probably RESTORING" and problem.code == "sql_connection_lost"


def test_check_mode_has_nothing_to_tell(read):
    problem = RecoveryError("x", code="windows_error")
    assert read(check_mode=True).failure(problem) is problem


@pytest.mark.parametrize(
    ("info", "wanted", "part"),
    [
        ({"state": "RESTORING"}, "RESTORING", ""),
        ({"standby": True}, "in standby", ""),
        ({}, "RESTORING", "is ONLINE instead of RESTORING"),
        ({"state": ""}, "in standby", "is gone instead of in standby"),
    ],
)
def test_the_state_that_was_asked_for(read, monkeypatch, info, wanted, part):
    monkeypatch.setattr(module, "standby_position", lambda _connection, _name: (1, "f"))
    existing = read(**info)
    if not part:
        existing.require_state(wanted)
        return
    with pytest.raises(RecoveryError, match=part) as problem:
        existing.require_state(wanted)
    assert problem.value.code == "unconfirmed"


def test_of_files_at_several_lsns_the_first_one_says_where_the_log_goes_on(read, monkeypatch):
    monkeypatch.setattr(module, "last_restore", lambda _connection, _name: None)
    monkeypatch.setattr(module, "remembered_family", lambda _connection, _name: None)
    later = {**RESTORING[0], "name": "PRS_2", "redo_start_lsn": "1000"}
    for files in ([RESTORING[0], later], [later, RESTORING[0]]):
        assert read(state="RESTORING", files=files).facts().redo_start_lsn == 300
