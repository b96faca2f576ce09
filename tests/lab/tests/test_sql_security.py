"""Logins, users, roles, permissions: who may do what, and what comes of a restore elsewhere."""

from __future__ import annotations

import pyodbc
import pytest

from .sql_clients import drain, microsoft, rows
from .sql_host import make_instance

WORD = "Us3r-Password"
SID = "0x0E984725C51C4BF49960E1C80E27ABA0"


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    found = make_instance(tmp_path_factory.mktemp("sql"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def sa(instance):
    connection = microsoft(instance)
    for text in (
        "CREATE DATABASE app",
        f"CREATE LOGIN owner WITH PASSWORD = '{WORD}', SID = {SID}, CHECK_POLICY = OFF, DEFAULT_DATABASE = app",
        f"CREATE LOGIN reader WITH PASSWORD = '{WORD}', CHECK_POLICY = OFF",
        f"CREATE LOGIN nobody WITH PASSWORD = '{WORD}', CHECK_POLICY = OFF",
        "USE app; CREATE USER owner FOR LOGIN owner; ALTER ROLE db_owner ADD MEMBER owner; CREATE "
        "USER reader; ALTER ROLE db_datareader ADD MEMBER reader;"
        "CREATE TABLE dbo.t (id int); INSERT INTO dbo.t VALUES (1); USE master",
    ):
        drain(connection.execute(text))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("login", "text", "number"),
    [
        ("owner", "RESTORE DATABASE app FROM DISK = 'D:\\Backup\\a.bak'", 3110),
        ("owner", "RESTORE HEADERONLY FROM DISK = 'D:\\Backup\\a.bak'", 262),
        ("owner", "CREATE DATABASE other", 262),
        ("owner", "CREATE LOGIN x WITH PASSWORD = 'Abc-1234'", 15247),
        ("owner", "ALTER LOGIN sa DISABLE", 15151),
        ("owner", "KILL 51", 6102),
        ("owner", "SELECT * FROM sys.dm_server_services", 300),
        ("owner", "EXEC xp_create_subdir 'D:\\x'", 229),
        ("reader", "INSERT INTO app.dbo.t VALUES (2)", 229),
        ("reader", "USE app; CREATE TABLE dbo.u (id int)", 262),
        ("reader", "BACKUP DATABASE app TO DISK = 'x'", 262),
        ("reader", "DROP DATABASE app", 3701),
        ("reader", "ALTER DATABASE app SET RECOVERY SIMPLE", 5011),
        ("reader", "USE app; CREATE USER nobody", 15247),
        ("reader", "SELECT BulkColumn FROM OPENROWSET(BULK N'D:\\x.cer', SINGLE_BLOB) AS f", 4834),
        ("reader", "USE app; ALTER ROLE db_owner ADD MEMBER reader", 15151),
        ("nobody", "USE app", 916),
        ("nobody", "SELECT * FROM app.dbo.t", 916),
    ],
)
def test_what_is_refused(instance, sa, login, text, number):
    with (
        microsoft(instance, user=login, password=WORD) as connection,
        pytest.raises(pyodbc.Error, match=rf"\({number}\)"),
    ):
        drain(connection.execute(text))


def test_what_is_allowed(instance, sa):
    with microsoft(instance, user="owner", password=WORD) as connection:
        assert rows(
            connection,
            "SELECT DB_NAME(), CURRENT_USER, IS_SRVROLEMEMBER('sysadmin'), HAS_PERMS_BY_NAME(NULL, 'DATABASE', "
            "'BACKUP DATABASE')",
        ) == [("app", "owner", 0, 1)]
        drain(
            connection.execute(
                "CREATE TABLE dbo.own (id int); INSERT INTO dbo.own VALUES (1); ALTER DATABASE app SET RECOVERY "
                "SIMPLE; DROP TABLE dbo.own"
            )
        )
    with microsoft(instance, user="reader", password=WORD) as connection:
        assert rows(connection, "SELECT id FROM app.dbo.t") == [(1,)]


def test_grant_deny_revoke(instance, sa):
    with microsoft(instance, user="reader", password=WORD) as connection:
        for grant, works in (
            ("GRANT INSERT ON dbo.t TO reader", True),
            ("DENY INSERT ON dbo.t TO reader", False),
            ("REVOKE INSERT ON dbo.t FROM reader", False),
        ):
            drain(sa.execute(f"USE app; {grant}; USE master"))
            if works:
                connection.execute("INSERT INTO app.dbo.t VALUES (2)")
            else:
                with pytest.raises(pyodbc.Error, match=r"\(229\)"):
                    connection.execute("INSERT INTO app.dbo.t VALUES (2)")
    drain(sa.execute("DELETE FROM app.dbo.t WHERE id = 2"))


def test_sid_and_password_hash_move_a_login(instance, sa):
    assert rows(sa, "SELECT CONVERT(varchar(40), sid, 1) FROM sys.server_principals WHERE name = 'owner'") == [(SID,)]
    (hashed,) = rows(sa, "SELECT CONVERT(varchar(300), password_hash, 1) FROM sys.sql_logins WHERE name = 'owner'")[0]
    assert hashed.startswith("0x0200") and len(hashed) == 2 + 140
    assert rows(
        sa,
        f"SELECT PWDCOMPARE(N'{WORD}', password_hash), PWDCOMPARE(N'other', password_hash) FROM sys.sql_logins "
        "WHERE name = 'owner'",
    ) == [(1, 0)]
    drain(sa.execute(f"CREATE LOGIN moved WITH PASSWORD = {hashed} HASHED, CHECK_POLICY = OFF"))
    microsoft(instance, user="moved", password=WORD).close()
    drain(sa.execute("DROP LOGIN moved"))


def hash_of(connection, login):
    [(hashed,)] = rows(
        connection, f"SELECT CONVERT(varchar(300), password_hash, 1) FROM sys.sql_logins WHERE name = '{login}'"
    )
    return hashed


def test_a_hash_is_not_set_while_the_password_policy_applies(sa):
    """CREATE LOGIN may have both, ALTER LOGIN may not."""
    hashed = hash_of(sa, "owner")
    drain(sa.execute(f"CREATE LOGIN strict WITH PASSWORD = {hashed} HASHED"))
    assert rows(sa, "SELECT is_policy_checked FROM sys.sql_logins WHERE name = 'strict'") == [(True,)]
    with pytest.raises(pyodbc.Error, match="HASHED"):
        drain(sa.execute(f"ALTER LOGIN strict WITH PASSWORD = {hashed} HASHED"))
    drain(sa.execute("ALTER LOGIN strict WITH CHECK_POLICY = OFF"))
    drain(sa.execute(f"ALTER LOGIN strict WITH PASSWORD = {hashed} HASHED"))
    drain(sa.execute("DROP LOGIN strict"))


def test_a_policy_that_ends_takes_the_expiration_along(sa):
    drain(sa.execute(f"CREATE LOGIN ageing WITH PASSWORD = '{WORD}', CHECK_EXPIRATION = ON"))
    drain(sa.execute("ALTER LOGIN ageing WITH CHECK_POLICY = OFF"))
    assert rows(sa, "SELECT is_expiration_checked FROM sys.sql_logins WHERE name = 'ageing'") == [(False,)]
    drain(sa.execute("DROP LOGIN ageing"))


def test_hashes_of_2025_begin_with_3_and_no_older_server_takes_them(sa, tmp_path):
    newer = make_instance(tmp_path, version="17.0.1000.7")
    try:
        connection = microsoft(newer)
        drain(connection.execute(f"CREATE LOGIN owner WITH PASSWORD = '{WORD}', CHECK_POLICY = OFF"))
        newest = hash_of(connection, "owner")
        assert newest.startswith("0x0300")
        with pytest.raises(pyodbc.Error, match=r"\(15021\)"):
            drain(sa.execute(f"CREATE LOGIN moved WITH PASSWORD = {newest} HASHED, CHECK_POLICY = OFF"))
        older = hash_of(sa, "owner")
        drain(connection.execute(f"CREATE LOGIN older WITH PASSWORD = {older} HASHED, CHECK_POLICY = OFF"))
        for login in ("owner", "older"):
            microsoft(newer, user=login, password=WORD).close()
    finally:
        newer.stop()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("CREATE LOGIN weak WITH PASSWORD = 'abc'", 15116),
        ("CREATE LOGIN weak WITH PASSWORD = 'abcdefgh'", 15118),
        ("CREATE LOGIN owner WITH PASSWORD = 'Abc-12345'", 15025),
        (f"CREATE LOGIN again WITH PASSWORD = 'Abc-12345', SID = {SID}", 15433),
        ("CREATE LOGIN odd WITH PASSWORD = 'Abc-12345', SID = 0x01", 15419),
        ("CREATE LOGIN x WITH PASSWORD = 'Abc-12345', DEFAULT_DATABASE = nowhere", 15010),
        ("CREATE LOGIN noname FROM WINDOWS", 15407),
        ("CREATE LOGIN [LAB\\nobody] FROM WINDOWS", 15401),
        ("DROP LOGIN nosuch", 15151),
        ("CREATE LOGIN x WITH PASSWORD = 'Abc-12345', CHECK_EXPIRATION = ON, CHECK_POLICY = OFF", 15122),
        ("USE app; CREATE USER ghost", 15007),
        ("USE app; CREATE USER owner FOR LOGIN reader", 15023),
        ("USE app; CREATE USER second FOR LOGIN reader", 15063),
        ("USE app; DROP USER dbo", 15150),
        ("ALTER SERVER ROLE sysadmin ADD MEMBER ghost", 15151),
        ("ALTER AUTHORIZATION ON DATABASE::app TO ghost", 15151),
        ("ALTER AUTHORIZATION ON DATABASE::app TO reader", 15110),
    ],
)
def test_errors_by_number(sa, text, number):
    with pytest.raises(pyodbc.Error, match=rf"\({number}\)"):
        drain(sa.execute(text))
    drain(sa.execute("USE master"))


def test_disabled_and_must_change(instance, sa):
    drain(sa.execute(f"CREATE LOGIN off1 WITH PASSWORD = '{WORD}', CHECK_POLICY = OFF; ALTER LOGIN off1 DISABLE"))
    with pytest.raises(pyodbc.Error, match=r"\(18470\)"):
        microsoft(instance, user="off1", password=WORD)
    drain(sa.execute(f"CREATE LOGIN fresh WITH PASSWORD = '{WORD}' MUST_CHANGE, CHECK_EXPIRATION = ON"))
    with pytest.raises(pyodbc.Error, match=r"1848[78]"):
        microsoft(instance, user="fresh", password=WORD)


def test_a_restored_database_has_orphans_until_they_are_joined(instance, sa, tmp_path):
    drain(sa.execute("BACKUP DATABASE app TO DISK = N'D:\\Backup\\orphans.bak' WITH INIT"))
    other = make_instance(tmp_path)
    try:
        target = microsoft(other)
        other.host.view.write("D:\\Backup\\orphans.bak", instance.host.view.read("D:\\Backup\\orphans.bak"))
        drain(target.execute(f"CREATE LOGIN owner WITH PASSWORD = '{WORD}', CHECK_POLICY = OFF"))
        drain(target.execute("RESTORE DATABASE app FROM DISK = N'D:\\Backup\\orphans.bak'"))
        orphans = """SELECT u.name FROM app.sys.database_principals u LEFT JOIN sys.server_principals l ON l.sid = u.sid
            WHERE u.type = 'S' AND u.authentication_type_desc = 'INSTANCE' AND l.sid IS NULL AND u.principal_id > 4 ORDER BY u.name"""
        assert rows(target, orphans) == [("owner",), ("reader",)]
        with pytest.raises(pyodbc.Error, match=r"4060|18456"):
            microsoft(other, user="owner", password=WORD, encryption="TrustServerCertificate=yes;DATABASE=app;")
        drain(target.execute("USE app; ALTER USER owner WITH LOGIN = owner"))
        assert rows(target, orphans) == [("reader",)]
        with microsoft(
            other, user="owner", password=WORD, encryption="TrustServerCertificate=yes;DATABASE=app;"
        ) as connection:
            assert rows(connection, "SELECT id FROM dbo.t") == [(1,)]
        assert rows(target, "SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = 'app'") == [("sa",)]
    finally:
        other.stop()


def test_logins_survive_a_restart(tmp_path):
    instance = make_instance(tmp_path)
    with microsoft(instance) as connection:
        drain(
            connection.execute(
                f"CREATE LOGIN kept WITH PASSWORD = '{WORD}', CHECK_POLICY = OFF; ALTER SERVER ROLE "
                f"dbcreator ADD MEMBER kept; CREATE DATABASE kept"
            )
        )
        drain(connection.execute("USE kept; CREATE TABLE dbo.t (id int); INSERT INTO dbo.t VALUES (5)"))
    instance.stop(crash=True)
    instance.start()
    with microsoft(instance, user="kept", password=WORD) as connection:
        assert rows(connection, "SELECT IS_SRVROLEMEMBER('dbcreator')") == [(1,)]
    with microsoft(instance) as connection:
        assert rows(connection, "SELECT id FROM kept.dbo.t") == [(5,)]
    instance.stop()


def test_a_bootstrap_login_and_a_local_session(instance):
    instance.create_login("boot", WORD, ["sysadmin"])
    with microsoft(instance, user="boot", password=WORD) as connection:
        assert rows(connection, "SELECT IS_SRVROLEMEMBER('sysadmin')") == [(1,)]
    session = instance.local_session("NT AUTHORITY\\SYSTEM")
    assert list(session.execute("SELECT 1"))
    session.close()


# ---- what is recorded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE LOGIN a WITH PASSWORD = 'se''cret', SID = 0x01", "CREATE LOGIN a WITH PASSWORD = '***', SID = 0x01"),
        (
            "ALTER LOGIN a WITH PASSWORD = N'new' OLD_PASSWORD = 'old'",
            "ALTER LOGIN a WITH PASSWORD = N'***' OLD_PASSWORD = '***'",
        ),
        ("CREATE LOGIN a WITH PASSWORD = 0x0200AB HASHED", "CREATE LOGIN a WITH PASSWORD = 0x00 HASHED"),
        ("EXEC ('CREATE LOGIN a WITH PASSWORD = ''x''')", "EXEC ('CREATE LOGIN a WITH PASSWORD = ''***''')"),
        (
            "BACKUP CERTIFICATE c TO FILE = 'f' WITH PRIVATE KEY (FILE = 'k', ENCRYPTION BY PASSWORD = 'p')",
            "BACKUP CERTIFICATE c TO FILE = 'f' WITH PRIVATE KEY (FILE = 'k', ENCRYPTION BY PASSWORD = '***')",
        ),
        ("SELECT PWDCOMPARE(N'x', password_hash)", "SELECT PWDCOMPARE(N'***', password_hash)"),
        ("SELECT 'password'", "SELECT 'password'"),
    ],
)
def test_passwords_are_masked_in_the_record(text, expected):
    from prs_lab.sqlserver.masking import masked

    assert masked(text) == expected


def test_no_password_reaches_the_record(instance, sa):
    texts = [entry["text"] for entry in instance.host.record.entries("sql")]
    assert any("CREATE LOGIN owner WITH PASSWORD = '***'" in text for text in texts)
    assert not any(WORD in text for text in texts)
