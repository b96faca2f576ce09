from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import standby

FILE = "E:\\Data\\PRS.standby"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, ""),
        ({"recovery": "norecovery", "standby_file": "x"}, ""),
        ({"recovery": "standby"}, "D:\\Data\\PRS.standby"),
        ({"recovery": "standby", "data_dir": "E:\\Data"}, FILE),
        ({"recovery": "standby", "standby_file": "\\\\nas\\undo\\x"}, "\\\\nas\\undo\\x"),
        ({"recovery": "standby", "database": "a/b"}, "D:\\Data\\a_b.standby"),
    ],
)
def test_where_the_undo_file_lies(make_options, given, path):
    assert standby.standby_file_path(make_options(**given), default_data_path="D:\\Data") == path


def test_an_undo_file_needs_a_full_path(make_options):
    with pytest.raises(RecoveryError, match="no full path") as problem:
        standby.standby_file_path(make_options(recovery="standby", standby_file="undo"), default_data_path="D:\\Data")
    assert problem.value.code == "option_invalid"


@pytest.mark.parametrize(
    ("exists", "state", "is_in_standby", "outcome"),
    [
        (False, "", False, "tried"),
        (True, "RESTORING", False, ""),
        (True, "ONLINE", True, ""),
        (True, "ONLINE", False, "refused"),
        (True, "", False, "refused"),
    ],
)
def test_only_the_undo_file_of_a_database_that_goes_on_is_overwritten(
    make_session, monkeypatch, exists, state, is_in_standby, outcome
):
    tried = []
    monkeypatch.setattr(standby, "is_file", lambda _connection, _path: exists)
    monkeypatch.setattr(standby, "require_folder", lambda _connection, path: tried.append(path))
    destination = SimpleNamespace(database="PRS", host="sql01", state=state, is_in_standby=is_in_standby)
    if outcome == "refused":
        with pytest.raises(RecoveryError, match="is there already on sql01"):
            standby.require_standby_file(make_session(), FILE, destination)
    else:
        standby.require_standby_file(make_session(), FILE, destination)
    assert tried == ([FILE.rpartition("\\")[0]] if outcome == "tried" else [])


@pytest.mark.parametrize(
    ("position", "readable", "resumes", "actions", "answer"),
    [
        ((1, "f"), True, True, ["recover"], True),
        ((1, "f"), True, True, ["log", "recover"], False),
        ((1, "f"), True, False, ["recover"], False),
        (None, True, True, ["recover"], False),  # RESTORING, and it shall be readable
        (None, False, True, [], True),
        (None, False, True, ["log"], False),
        (None, False, False, ["database"], False),
        ((1, "f"), False, True, [], True),  # readable until the next log
    ],
)
def test_up_to_date_is_what_has_nothing_newer(position, readable, resumes, actions, answer):
    plan = SimpleNamespace(resumes=resumes, steps=[SimpleNamespace(action=action) for action in actions])
    destination = SimpleNamespace(standby_position=position)
    assert standby.is_up_to_date(plan, destination, readable=readable) is answer
