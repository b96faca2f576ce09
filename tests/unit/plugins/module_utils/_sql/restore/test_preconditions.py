from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import preconditions
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.options import RestoreSource


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"source": RestoreSource()}, "neither folders nor files"),
        ({"database": ""}, "no name that SQL Server accepts"),
        ({"database": "MSDB"}, "a system database"),
    ],
)
def test_what_cannot_work_is_refused_without_a_question(make_options, given, part):
    with pytest.raises(RecoveryError, match=part) as problem:
        preconditions.require_options(make_options(**given))
    assert problem.value.code == "option_invalid"


@pytest.mark.parametrize(
    ("given", "login", "code"),
    [
        ({}, None, ""),
        ({"compatibility_level": 150}, None, ""),
        ({"compatibility_level": 160}, None, "option_invalid"),
        ({"compatibility_level": 155}, None, "option_invalid"),
        ({"compatibility_level": 90}, None, "option_invalid"),
        ({"owner": "sa"}, {"name": "sa"}, ""),
        ({"owner": "nobody"}, None, "not_found"),
        ({"owner": "CORP\\dba"}, None, ""),
    ],
)
def test_what_is_set_last_is_refused_first(make_session, make_options, monkeypatch, given, login, code):
    monkeypatch.setattr(preconditions, "read_login", lambda _connection, _name: login)
    connection = make_session().connection
    if not code:
        preconditions.require_settings(connection, make_options(**given), version="15.0.2000.5")
        return
    with pytest.raises(RecoveryError) as problem:
        preconditions.require_settings(connection, make_options(**given), version="15.0.2000.5")
    assert problem.value.code == code and "sql01" in problem.value.message
