from __future__ import annotations

import pymssql
import pytest

from .conftest import SYSTEM, Failed

SID = "0x6F1A5C2F9C1E4A4EA1B6D2F1B8C0A7E3"


def twice(server, module, only_queries, **options):
    """Check run (sends questions alone), real run, second run (unchanged). Returns the real run's result."""
    with only_queries:
        planned = server.run(module, check=True, diff=True, **options)
    made = server.run(module, diff=True, **options)
    assert planned["changed"] is made["changed"] is True
    assert planned["statements"] == made["statements"]
    assert planned["diff"] == made["diff"]
    again = server.run(module, **options)
    assert again["changed"] is False and again["statements"] == []
    return made


def test_a_database_is_made_set_up_and_removed(sql_a, name, only_queries):
    made = twice(
        sql_a,
        "sql_database",
        only_queries,
        name=name,
        collation="Latin1_General_CI_AS",
        recovery_model="FULL",
        owner="sa",
        compatibility_level=140,
    )
    rows = sql_a.ask(
        "SELECT collation_name, recovery_model_desc, compatibility_level, SUSER_SNAME(owner_sid) FROM sys.databases "
        "WHERE name = %s",
        name,
    )
    assert rows == [("Latin1_General_CI_AS", "FULL", 140, "sa")]
    assert made["database"]["name"] == name and made["database"]["collation"] == "Latin1_General_CI_AS"
    with pytest.raises(Failed, match="allow_data_loss"):
        sql_a.run("sql_database", name=name, state="absent")
    assert sql_a.state_of(name) == "ONLINE"
    twice(sql_a, "sql_database", only_queries, name=name, state="absent", allow_data_loss=True)
    assert sql_a.state_of(name) is None


def test_removing_a_database_ends_its_sessions(sql_a, database):
    busy = sql_a.client(database)
    sql_a.run("sql_database", name=database, state="absent", allow_data_loss=True)
    assert sql_a.state_of(database) is None
    busy.close()


def test_a_database_that_was_set_offline_is_opened_with_all_that_is_in_it(sql_a, database, only_queries):
    sql_a.ask("CREATE TABLE dbo.kept (id int NOT NULL)", database=database)
    sql_a.do(f"ALTER DATABASE [{database}] SET OFFLINE WITH ROLLBACK IMMEDIATE")
    with pytest.raises(Failed, match=r"is OFFLINE, not ONLINE: nothing can be set\. Set 'online: true' to open it"):
        sql_a.run("sql_database", name=database, recovery_model="FULL")
    twice(sql_a, "sql_database", only_queries, name=database, online=True)
    assert sql_a.state_of(database) == "ONLINE"
    assert sql_a.ask("SELECT COUNT(*) FROM dbo.kept", database=database) == [(0,)]


def test_what_cannot_be_opened_says_why(sql_a, database):
    [(path,)] = sql_a.ask(
        "SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) AND type_desc = 'ROWS'", database
    )
    sql_a.do(f"ALTER DATABASE [{database}] SET OFFLINE WITH ROLLBACK IMMEDIATE")
    files = sql_a.host.files(SYSTEM)
    files.rename(path, f"{path}.away")
    with pytest.raises(Failed, match="cannot be opened due to inaccessible files"):
        sql_a.run("sql_database", name=database, online=True)
    files.rename(f"{path}.away", path)
    assert sql_a.run("sql_database", name=database, online=True)["database"]["state"] == "ONLINE"


@pytest.mark.parametrize("name", ["it's", "a]b", "semi; DROP DATABASE master --", "Ünïcode ☂", "x" * 100])
def test_names_that_need_quotes(sql_a, name):
    assert sql_a.run("sql_database", name=name)["database"]["name"] == name
    assert sql_a.run("sql_database", name=name)["changed"] is False
    sql_a.run(
        "sql_login",
        name=f"login {name[:90]}",
        password="Passw0rd-it's",
        databases=[{"name": name, "roles": ["db_owner"]}],
    )
    assert (
        sql_a.run(
            "sql_login",
            name=f"login {name[:90]}",
            password="Passw0rd-it's",
            databases=[{"name": name, "roles": ["db_owner"]}],
        )["changed"]
        is False
    )
    sql_a.run("sql_database", name=name, state="absent", allow_data_loss=True)
    assert sql_a.state_of(name) is None


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ('quo"te', "Windows cannot have a file of that name"),
        ("x" * 129, "at most 128"),
        ("", "empty"),
        ("a\x00b", "NUL"),
    ],
)
def test_names_that_cannot_be(sql_a, name, part):
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_database", name=name)
    assert part in failed.value.result["msg"]


def test_a_login_with_a_sid_and_a_user(sql_a, database, only_queries):
    login = f"app_{database}"
    options = {
        "name": login,
        "password": "First-Passw0rd",
        "sid": SID,
        "check_policy": True,
        "check_expiration": False,
        "default_database": database,
        "databases": [{"name": database, "roles": ["db_owner"]}],
    }
    with only_queries:
        planned = sql_a.run("sql_login", check=True, **options)
    made = sql_a.run("sql_login", **options)
    assert planned["statements"] == made["statements"] and made["login"]["sid"] == SID
    assert sql_a.run("sql_login", **options)["changed"] is False
    with (
        pymssql.connect(
            server=sql_a.host.address, user=login, password="First-Passw0rd", encryption="require"
        ) as session,
        session.cursor() as cursor,
    ):
        cursor.execute("SELECT said FROM dbo.marker")
        assert cursor.fetchall() == [("first",)]
    changed = sql_a.run("sql_login", **{**options, "password": "Second-Passw0rd"})
    assert changed["statements"] == [f"ALTER LOGIN [{login}] WITH PASSWORD = N'***'"]
    with pytest.raises(pymssql.OperationalError):
        pymssql.connect(server=sql_a.host.address, user=login, password="First-Passw0rd", encryption="require")
    with pytest.raises(Failed, match="a SID cannot be changed"):
        sql_a.run("sql_login", **{**options, "sid": "0x" + "11" * 16})
    sql_a.run("sql_login", name=login, state="absent")
    assert sql_a.ask("SELECT COUNT(*) FROM sys.server_principals WHERE name = %s", login) == [(0,)]


def test_an_orphan_is_repaired(sql_a, database, only_queries):
    login = f"orphan_{database}"
    user = {"name": login, "password": "First-Passw0rd", "databases": [{"name": database, "roles": ["db_datareader"]}]}
    sql_a.run("sql_login", **user)
    sql_a.run("sql_login", name=login, state="absent")
    made = twice(sql_a, "sql_login", only_queries, **user)
    assert made["statements"][-1] == f"ALTER USER [{login}] WITH LOGIN = [{login}]"
    assert made["users"][database] == {"user": login, "schema": "dbo", "roles": ["db_datareader"], "repaired": True}
    rows = sql_a.ask(
        "SELECT l.name FROM sys.database_principals u JOIN sys.server_principals l ON l.sid = u.sid WHERE u.name = %s",
        login,
        database=database,
    )
    assert rows == [(login,)]
    sql_a.run("sql_login", name=login, state="absent")


def test_a_login_gets_the_password_of_another_servers_login_without_anybody_knowing_it(
    sql_a, sql_b, name, only_queries
):
    sql_a.run("sql_login", name=name, password="Of-A-Passw0rd", sid=SID)
    taken = sql_a.run("sql_info", gather_subset=["password_hashes"])["password_hashes"][name]
    made = twice(sql_b, "sql_login", only_queries, name=name, password_hash=taken, sid=SID)
    assert taken not in str(made) and "0x*** HASHED" in made["statements"][0]
    sql_a.run("sql_login", name=name, password="Changed-Passw0rd")
    changed = sql_a.run("sql_info", gather_subset=["password_hashes"])["password_hashes"][name]
    moved = twice(sql_b, "sql_login", only_queries, name=name, password_hash=changed)
    assert moved["login"]["check_policy"] is True, "the policy was lifted for the moment, not for good"
    assert sql_b.ask(
        "SELECT PWDCOMPARE(N'Changed-Passw0rd', password_hash) FROM sys.sql_logins WHERE name = %s", name
    ) == [(1,)]
    with pytest.raises(Failed) as failed:
        sql_b.run("sql_login", name=name, password_hash="0x0200abc")
    assert "sql_info reads it" in failed.value.result["msg"]
    for server in (sql_a, sql_b):
        server.run("sql_login", name=name, state="absent")


def test_language_and_state_of_a_login(sql_a, name, only_queries):
    made = twice(
        sql_a, "sql_login", only_queries, name=name, password="A-Passw0rd", default_language="British", disabled=True
    )
    assert (made["login"]["default_language"], made["login"]["disabled"]) == ("British", True)
    with pytest.raises(pymssql.OperationalError):
        pymssql.connect(server=sql_a.host.address, user=name, password="A-Passw0rd", encryption="require")
    twice(sql_a, "sql_login", only_queries, name=name, default_language="us_english", disabled=False)
    pymssql.connect(server=sql_a.host.address, user=name, password="A-Passw0rd", encryption="require").close()
    sql_a.run("sql_login", name=name, state="absent")
