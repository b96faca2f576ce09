from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import placement

PLAN = SimpleNamespace(moves=[("PRS", "E:\\Data\\PRS.mdf"), ("PRS_log", "F:\\Log\\PRS_log.ldf")])


@pytest.fixture
def check(make_session, monkeypatch):
    def run(*, others=(), on_disk=(), own=()):
        rows = [{"name": name, "physical_name": path} for path, name in others]
        session = make_session({"sys.master_files": rows})
        folders = []
        monkeypatch.setattr(placement, "require_folder", lambda _connection, folder: folders.append(folder))
        monkeypatch.setattr(placement, "is_file", lambda _connection, path: path in on_disk)
        placement.check_placement(session.connection, PLAN, database="PRS", own_files=own)
        return folders

    return run


def test_each_folder_is_asked_for_once(check):
    assert check() == ["E:\\Data", "F:\\Log"]


def test_a_file_of_another_database_stops_it(check):
    with pytest.raises(RecoveryError, match="belongs to database Shop on sql01") as problem:
        check(others=[("e:\\data\\prs.MDF", "Shop")])
    assert problem.value.code == "in_use"


def test_its_own_files_do_not(check):
    check(
        others=[("E:\\Data\\PRS.mdf", "prs")],
        on_disk=["E:\\Data\\PRS.mdf", "F:\\Log\\PRS_log.ldf"],
        own=["e:\\data\\prs.mdf", "F:\\Log\\PRS_log.ldf"],
    )


def test_a_file_of_nobody_is_not_overwritten(check):
    with pytest.raises(RecoveryError, match=r"a file F:\\Log\\PRS_log.ldf on sql01 already") as problem:
        check(on_disk=["F:\\Log\\PRS_log.ldf"])
    assert problem.value.code == "already_exists"
