from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.modules import sql_database

THERE = {
    "name": "PRS",
    "state": "ONLINE",
    "collation": "Latin1_General_CI_AS",
    "recovery_model": "SIMPLE",
    "owner": "me",
    "compatibility_level": 150,
    "page_verify": "CHECKSUM",
    "system": False,
    "mirroring": {},
    "size_bytes": 5 * 2**20,
}
NOTHING = {
    "name": "PRS",
    "state": "present",
    "collation": None,
    "recovery_model": None,
    "owner": None,
    "compatibility_level": None,
    "page_verify": None,
    "online": False,
    "allow_data_loss": False,
}
ABSENT = {"state": "absent", "allow_data_loss": True}


@pytest.fixture
def apply(session, monkeypatch):
    def run(there, *, check_mode=False, **params):
        made = session(check_mode=check_mode, **{**NOTHING, **params})
        monkeypatch.setattr(sql_database, "read_database", lambda _connection, _name: there)
        return sql_database.apply(made), made.connection.ran

    return run


@pytest.mark.parametrize(
    ("there", "params", "statements"),
    [
        (THERE, {}, []),
        (
            THERE,
            {"recovery_model": "SIMPLE", "owner": "ME", "collation": "latin1_general_ci_as", "page_verify": "CHECKSUM"},
            [],
        ),
        (THERE, {"recovery_model": "FULL"}, ["ALTER DATABASE [PRS] SET RECOVERY FULL"]),
        (THERE, {"compatibility_level": 160}, ["ALTER DATABASE [PRS] SET COMPATIBILITY_LEVEL = 160"]),
        (THERE, {"page_verify": "NONE"}, ["ALTER DATABASE [PRS] SET PAGE_VERIFY NONE"]),
        ({**THERE, "owner": None}, {"owner": "sa"}, ["ALTER AUTHORIZATION ON DATABASE::[PRS] TO [sa]"]),
        (None, {"collation": "Latin1_General_CI_AS"}, ["CREATE DATABASE [PRS] COLLATE Latin1_General_CI_AS"]),
        (None, {"state": "absent"}, []),
        (THERE, ABSENT, ["ALTER DATABASE [PRS] SET SINGLE_USER WITH ROLLBACK IMMEDIATE", "DROP DATABASE [PRS]"]),
        ({**THERE, "state": "RESTORING"}, ABSENT, ["DROP DATABASE [PRS]"]),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_statements(apply, there, params, statements, check_mode):
    result, ran = apply(there, check_mode=check_mode, **params)
    assert result["statements"] == statements
    assert result["changed"] == bool(statements)
    assert [statement for _database, statement in ran] == ([] if check_mode else statements)


def test_a_new_database_is_set_up_in_check_mode_too(apply):
    result, _ran = apply(None, check_mode=True, recovery_model="FULL", owner="sa")
    assert result["statements"] == [
        "CREATE DATABASE [PRS]",
        "ALTER DATABASE [PRS] SET RECOVERY FULL",
        "ALTER AUTHORIZATION ON DATABASE::[PRS] TO [sa]",
    ]
    assert result["diff"] == {
        "before": {"state": "absent"},
        "after": {"state": "present", "recovery_model": "FULL", "owner": "sa"},
    }


def test_diff_compares_what_was_asked_for(apply):
    result, _ran = apply(THERE, recovery_model="FULL")
    assert result["diff"] == {
        "before": {"state": "present", "recovery_model": "SIMPLE"},
        "after": {"state": "present", "recovery_model": "FULL"},
    }


@pytest.mark.parametrize(
    ("there", "params", "part"),
    [
        (THERE, {"state": "absent"}, "allow_data_loss"),
        ({**THERE, "name": "msdb", "system": True}, ABSENT, "belongs to SQL Server"),
        ({**THERE, "mirroring": {"guid": "x"}}, ABSENT, "mirrored"),
        ({**THERE, "state": "SUSPECT"}, {"recovery_model": "FULL"}, "sql_restore"),
        (THERE, {"collation": "SQL_Latin1_General_CP1_CI_AS"}, "Latin1_General_CI_AS, not SQL_Latin1"),
        (None, {"collation": "x; DROP"}, "no name of a collation"),
    ],
)
def test_refusals(apply, session, monkeypatch, there, params, part):
    made = session(**{**NOTHING, **params})
    monkeypatch.setattr(sql_database, "read_database", lambda _connection, _name: there)
    with pytest.raises(RecoveryError, match=part):
        sql_database.apply(made)
    assert made.connection.ran == []
