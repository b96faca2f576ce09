"""What sql_login changes, and what it refuses."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import login_run

SID, OTHER = "0x6F1A5C2F9C1E4A4EA1B6D2F1B8C0A7E3", "0x00000000000000000000000000000001"
THERE = {
    "name": "app",
    "sid": SID,
    "server_roles": ["dbcreator"],
    "default_database": "master",
    "default_language": "us_english",
    "check_policy": True,
    "check_expiration": False,
    "disabled": False,
}
NOTHING = {
    "name": "app",
    "state": "present",
    "password": None,
    "password_hash": None,
    "update_password": "always",
    "sid": None,
    "default_database": None,
    "default_language": None,
    "check_policy": None,
    "check_expiration": None,
    "disabled": None,
    "server_roles": None,
    "databases": None,
}
PRS = {"name": "PRS", "user": None, "schema": None, "roles": []}


@pytest.fixture
def make(session, monkeypatch):
    def prepare(there, *, users=None, same_password=True, online="ONLINE", version=15, check_mode=False, **params):
        made = session(check_mode=check_mode, **{**NOTHING, **params})
        monkeypatch.setattr(login_run.logins, "read_login", lambda _connection, _name: there)
        monkeypatch.setattr(login_run.logins, "login_password_is", lambda _connection, _name, _password: same_password)
        monkeypatch.setattr(login_run.logins, "database_users", lambda _connection, _database: users or {})
        monkeypatch.setattr(login_run.logins, "read_password_hashes", lambda _connection: {})
        facts = {"version": f"{version}.0", "version_major": version}
        monkeypatch.setattr(login_run, "read_server", lambda _connection: facts)
        monkeypatch.setattr(login_run, "read_database", lambda _connection, _name: online and {"state": online})
        return made

    return prepare


CREATE = (
    f"CREATE LOGIN [app] WITH PASSWORD = N'***', SID = {SID}, DEFAULT_DATABASE = [PRS], CHECK_POLICY = ON, "
    "CHECK_EXPIRATION = OFF"
)
SETTINGS = {"default_database": "PRS", "check_policy": True, "check_expiration": False}


@pytest.mark.parametrize(
    ("there", "params", "statements"),
    [
        (THERE, {"sid": SID.lower(), "check_policy": True, "server_roles": ["dbcreator"], "password": "x"}, []),
        (None, {"password": "it's", "sid": SID, **SETTINGS}, [CREATE]),
        (None, {"name": "DOM\\app"}, ["CREATE LOGIN [DOM\\app] FROM WINDOWS"]),
        (
            None,
            {"name": "DOM\\app", "default_database": "PRS"},
            ["CREATE LOGIN [DOM\\app] FROM WINDOWS WITH DEFAULT_DATABASE = [PRS]"],
        ),
        (
            THERE,
            {"default_database": "PRS", "check_expiration": True},
            ["ALTER LOGIN [app] WITH DEFAULT_DATABASE = [PRS], CHECK_EXPIRATION = ON"],
        ),
        (THERE, {"default_language": "British"}, ["ALTER LOGIN [app] WITH DEFAULT_LANGUAGE = [British]"]),
        (THERE, {"default_language": "US_English", "disabled": False}, []),
        (THERE, {"disabled": True}, ["ALTER LOGIN [app] DISABLE"]),
        ({**THERE, "disabled": True}, {"disabled": False}, ["ALTER LOGIN [app] ENABLE"]),
        (
            None,
            {"password": "x", "default_language": "British", "disabled": True},
            [
                "CREATE LOGIN [app] WITH PASSWORD = N'***', DEFAULT_LANGUAGE = [British]",
                "ALTER LOGIN [app] DISABLE",
            ],
        ),
        (THERE, {"server_roles": ["sysadmin", "dbcreator"]}, ["ALTER SERVER ROLE [sysadmin] ADD MEMBER [app]"]),
        (THERE, {"state": "absent"}, ["DROP LOGIN [app]"]),
        (None, {"state": "absent"}, []),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_statements_of_the_login(make, there, params, statements, check_mode):
    made = make(there, check_mode=check_mode, **params)
    result = login_run.apply(made)
    assert result["statements"] == statements
    assert result["changed"] == bool(statements)
    assert len(made.connection.ran) == (0 if check_mode else len(statements))


def test_the_password_is_sent_quoted_and_told_to_nobody(make):
    made = make(None, password="it's")
    result = login_run.apply(made)
    assert made.connection.ran == [("master", "CREATE LOGIN [app] WITH PASSWORD = N'it''s'")]
    assert "it's" not in str(result) and "it''s" not in str(result)
    assert result["diff"]["after"]["password_set"] is True


@pytest.mark.parametrize(
    ("same", "update", "statements"),
    [
        (False, "always", ["ALTER LOGIN [app] WITH PASSWORD = N'***'"]),
        (True, "always", []),
        (False, "on_create", []),
    ],
)
def test_an_existing_password_is_compared(make, same, update, statements):
    assert (
        login_run.apply(make(THERE, password="x", same_password=same, update_password=update))["statements"]
        == statements
    )


HASH, HASH_OF_2025 = "0x0200" + "AB" * 68, "0x0300" + "AB" * 80
HASHED = "ALTER LOGIN [app] WITH PASSWORD = 0x*** HASHED"


@pytest.mark.parametrize(
    ("policy", "expiration", "statements"),
    [
        (False, False, [HASHED]),
        (
            True,
            False,
            [
                "ALTER LOGIN [app] WITH CHECK_POLICY = OFF",
                HASHED,
                "ALTER LOGIN [app] WITH CHECK_POLICY = ON, CHECK_EXPIRATION = OFF",
            ],
        ),
        (
            True,
            True,
            [
                "ALTER LOGIN [app] WITH CHECK_POLICY = OFF",
                HASHED,
                "ALTER LOGIN [app] WITH CHECK_POLICY = ON, CHECK_EXPIRATION = ON",
            ],
        ),
    ],
)
def test_a_hash_is_set_while_the_policy_is_lifted(make, policy, expiration, statements):
    login = {**THERE, "check_policy": policy, "check_expiration": expiration}
    assert login_run.apply(make(login, password_hash=HASH))["statements"] == statements


def test_a_hash_that_is_refused_leaves_the_policy_as_it_was(make, monkeypatch):
    made = make(THERE, password_hash=HASH)

    def refuse(*_args, **_named):
        raise RecoveryError("refused", code="windows_error")

    monkeypatch.setattr(login_run.logins, "set_password", refuse)
    with pytest.raises(RecoveryError, match="refused"):
        login_run.apply(made)
    assert made.connection.ran[-1][1] == "ALTER LOGIN [app] WITH CHECK_POLICY = ON, CHECK_EXPIRATION = OFF"


@pytest.mark.parametrize("version", [17, 18])
def test_a_hash_of_2025_is_set_where_the_server_understands_it(make, version):
    made = make({**THERE, "check_policy": False}, password_hash=HASH_OF_2025, version=version)
    login_run.apply(made)
    assert made.connection.ran == [("master", f"ALTER LOGIN [app] WITH PASSWORD = {HASH_OF_2025} HASHED")]


ORPHAN = {"app": {"sid": OTHER, "login": None, "schema": "dbo", "roles": ["db_owner"]}}
MAPPED = {"app": {"sid": SID, "login": "app", "schema": "dbo", "roles": ["db_owner"]}}


@pytest.mark.parametrize(
    ("users", "wanted", "statements"),
    [
        ({}, {"roles": ["db_owner"]}, ["CREATE USER [app] FOR LOGIN [app]", "ALTER ROLE [db_owner] ADD MEMBER [app]"]),
        ({}, {"user": "u", "schema": "s"}, ["CREATE USER [u] FOR LOGIN [app] WITH DEFAULT_SCHEMA = [s]"]),
        (MAPPED, {"roles": ["db_owner"]}, []),
        (MAPPED, {"schema": "s"}, ["ALTER USER [app] WITH DEFAULT_SCHEMA = [s]"]),
        (ORPHAN, {"roles": ["db_owner"]}, ["ALTER USER [app] WITH LOGIN = [app]"]),
        ({"dbo": {"sid": SID, "login": "app", "schema": "dbo", "roles": []}}, {"roles": ["db_owner"]}, []),
        (
            {"other": {"sid": SID, "login": "app", "schema": "dbo", "roles": []}},
            {"roles": ["r"]},
            ["ALTER ROLE [r] ADD MEMBER [other]"],
        ),
    ],
)
def test_users(make, users, wanted, statements):
    made = make(THERE, users=users, databases=[{**PRS, **wanted}])
    result = login_run.apply(made)
    assert result["statements"] == statements
    assert {database for database, _statement in made.connection.ran} <= {"PRS"}
    assert result["users"]["PRS"]["repaired"] == any("ALTER USER" in one and "LOGIN" in one for one in statements)


def test_a_login_that_check_mode_did_not_make_still_shows_the_repair(make):
    made = make(None, users=ORPHAN, databases=[PRS], password="x", check_mode=True)
    assert login_run.apply(made)["statements"][-1] == "ALTER USER [app] WITH LOGIN = [app]"


def test_a_new_login_with_the_right_sid_needs_no_repair(make):
    made = make(None, users=MAPPED, databases=[PRS], password="x", sid=SID, check_mode=True)
    assert len(login_run.apply(made)["statements"]) == 1


@pytest.mark.parametrize(
    ("there", "params", "part"),
    [
        (None, {}, "needs a password"),
        (None, {"password": "x", "sid": "0x01"}, "32 hexadecimal digits"),
        (THERE, {"sid": OTHER}, "a SID cannot be changed"),
        (None, {"name": "DOM\\app", "password": "x"}, "Windows account"),
        (None, {"name": "DOM\\app", "check_policy": True}, "Leave out 'check_policy'"),
        (THERE, {"name": "DOM\\app", "check_expiration": False}, "Leave out 'check_expiration'"),
        (THERE, {"password_hash": HASH_OF_2025, "version": 16}, "is of SQL Server 2025 .* version 16.0"),
        (None, {"password_hash": "0x0400" + "AB" * 68}, "or 0x0300 from SQL Server 2025 on"),
        (THERE, {"databases": [PRS], "online": "RESTORING"}, "is RESTORING"),
        (THERE, {"databases": [PRS], "online": None}, "does not exist"),
        (THERE, {"databases": [{**PRS, "user": "u"}], "users": MAPPED}, "already the user app"),
    ],
)
def test_refusals(make, there, params, part):
    made = make(there, **params)
    with pytest.raises(RecoveryError, match=part):
        login_run.apply(made)
    assert made.connection.ran == []
