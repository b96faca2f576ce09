"""Hostile texts in every name and path of sql_backup, sql_backup_info, sql_restore, recovery_lease, sql_database and
sql_login: the right result, or a refusal that is clear.

Whatever reached the servers is given to Microsoft's own parser: each text must be one statement of the kind that was
meant.
"""

from __future__ import annotations

import contextlib
import itertools
import re

import judge_tsql
import pymssql
import pytest

from .conftest import Failed, mark

SYSTEM = "NT AUTHORITY\\SYSTEM"
CANARY = "Canary"

VALUES = {
    "quote": "it's",
    "quotes": "''",
    "bracket": "a]b",
    "brackets": "]][[",
    "double quote": 'say "so"',
    "end of a text": f"x'; DROP DATABASE [{CANARY}] --",
    "end of a name": f"x]; DROP DATABASE [{CANARY}] --",
    "end of a word": "x};APP={y",
    "comment": "/* --",
    "placeholders": "100%s {x} ?",
    "Unicode": "Ünïcödé ☂ 名前",
    "beyond 16 bits": "😀",
    "new line": "a\nGO\nb",
    "line separator": "a\u2028b",
    "128 characters": "n" * 128,
    "129 characters": "n" * 129,
    "NUL": "a\x00b",
    "nothing": "",
    "a blank": " ",
}

DAILY = {"end of a text", "end of a name", "128 characters", "nothing"}
"""Quote, bracket, and what is too long or none at all. The others are variations of these, for the night."""


def with_marks(value, *, connects=False):
    """connects: for a connection string, where a word ends otherwise than in T-SQL."""
    return () if value in DAILY or (connects and value == "end of a word") else (pytest.mark.nightly,)


ALL_VALUES = [pytest.param(value, marks=with_marks(value)) for value in VALUES]
IN_A_CONNECTION = [pytest.param(value, marks=with_marks(value, connects=True)) for value in VALUES]

TAKING_A_LOCK = r"DECLARE @answer int; EXEC @answer = sys\.sp_getapplock"
TAKEN = ["DeclareVariableStatement", "ExecuteStatement", "SelectStatement"]
INTENDED = [
    # What a text begins with, and the statements that it may consist of.
    (r"BACKUP DATABASE \[", ["BackupDatabaseStatement"]),
    (r"BACKUP LOG \[", ["BackupTransactionLogStatement"]),
    (r"RESTORE (DATABASE|LOG) \[|RESTORE (LABELONLY|HEADERONLY|FILELISTONLY|VERIFYONLY) FROM ", ["RestoreStatement"]),
    (r"CREATE DATABASE \[", ["CreateDatabaseStatement"]),
    (r"ALTER DATABASE \[", ["AlterDatabaseSetStatement"]),
    (r"DROP DATABASE (IF EXISTS )?\[", ["DropDatabaseStatement"]),
    (r"ALTER AUTHORIZATION ON DATABASE::\[", ["AlterAuthorizationStatement"]),
    (r"CREATE LOGIN \[", ["CreateLoginStatement"]),
    (r"ALTER LOGIN \[", ["AlterLoginOptionsStatement"]),
    (r"DROP LOGIN \[", ["DropLoginStatement"]),
    (r"ALTER SERVER ROLE \[", ["AlterServerRoleStatement"]),
    (r"CREATE USER \[", ["CreateUserStatement"]),
    (r"ALTER USER \[", ["AlterUserStatement"]),
    (r"ALTER ROLE \[", ["AlterRoleStatement"]),
    (r"DBCC CHECKPRIMARYFILE \(", ["DbccStatement"]),
    (r"USE \[", ["UseStatement"]),
    (r"EXEC ", ["ExecuteStatement"]),
    (r"(?s)\s*SELECT d\.name, d\.database_id.*?WHERE d\.name = @\w+;", ["SelectStatement"] * 2),
    (r"(?s)\s*SELECT d\.name, d\.database_id.*?ORDER BY d\.name;", ["SelectStatement"] * 3),
    (r"(?s)\s*SELECT CAST\(SERVERPROPERTY\('ServerName'.*FROM sys\.dm_server_services;", ["SelectStatement"] * 5),
    (r"(?s)\s*SELECT CAST\(SERVERPROPERTY\('ServerName'.*;", ["SelectStatement"] * 2),
    (r"\s*SELECT endpoint_id, port FROM", ["SelectStatement"] * 2),
    (r"\s*SELECT p\.name, p\.sid, p\.type_desc", ["SelectStatement"] * 2),
    (r"\s*SELECT u\.name, u\.sid, u\.default_schema_name", ["SelectStatement"] * 2),
    (r"\s*SELECT ", ["SelectStatement"]),
    (r"(?s)" + TAKING_A_LOCK + r".*; SELECT @answer AS answer;\nSELECT MAX\(", [*TAKEN, "SelectStatement", "ExecuteStatement"]),
    (r"(?s)" + TAKING_A_LOCK + r".*; SELECT @answer AS answer;\nSELECT \(", [*TAKEN, *["SelectStatement"] * 2, "ExecuteStatement"]),
    (TAKING_A_LOCK, TAKEN),
]  # fmt: skip


@pytest.fixture(scope="session")
def judge():
    reason = judge_tsql.available()
    if reason:
        pytest.skip(reason)
    return judge_tsql.Judge()


_numbers = itertools.count(1)


class World:
    """A server with a database that must survive, and what the cases below need."""

    def __init__(self, server):
        self.server = server
        self.files = server.host.files(SYSTEM)
        self.recorded: list[str] = []
        self._saved = ""

    def saved(self):
        """A backup of the database that must survive, taken once."""
        if not self._saved:
            (self._saved,) = self.run("sql_backup", database=CANARY, path="D:\\Backup\\names", copy_only=True)[
                "backup"
            ]["files"]
        return self._saved

    def run(self, name, /, **options):
        """A module, with all that it sends noted."""
        record = self.server.host.estate.record
        since = record.last
        try:
            return self.server.run(name, **options)
        finally:
            self.recorded += [entry["text"] for entry in record.entries("sql", host=self.server.host.name, since=since)]

    def name(self):
        return f"Names{next(_numbers)}"

    def count(self, table, name, database="master"):
        return self.server.ask(f"SELECT COUNT(*) FROM {table} WHERE name = %s", name, database=database)[0][0]

    @contextlib.contextmanager
    def database(self, name):
        """A database of that name with one row; gone afterwards."""
        self.run("sql_database", name=name, recovery_model="FULL")
        try:
            self.server.do("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=name)
            mark(self.server, name, 1, "first")
            yield name
        finally:
            self.run("sql_database", name=name, state="absent", allow_data_loss=True)

    @contextlib.contextmanager
    def login(self, name, **options):
        self.run("sql_login", name=name, **{"password": "Passw0rd-1", **options})
        try:
            yield name
        finally:
            self.run("sql_login", name=name, state="absent")


@pytest.fixture(scope="session")
def world(sql_a):
    made = World(sql_a)
    if not sql_a.ask("SELECT 1 FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##'"):
        sql_a.do("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-Passw0rd'")
    sql_a.run("sql_database", name=CANARY, recovery_model="FULL")
    sql_a.do("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=CANARY)
    mark(sql_a, CANARY, 1, "alive")
    return made


def is_name(value):
    """Whether another client can make something of that name."""
    return 0 < len(value) <= 128 and "\x00" not in value


# -- the options: each brings a value to the server and looks with another client whether it arrived


def database_name(world, value):
    with world.database(value):
        assert world.count("sys.databases", value) == 1


def database_owner(world, value):
    with world.login(value), world.database(world.name()) as name:
        world.run("sql_database", name=name, owner=value)
        assert world.server.ask("SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = %s", name) == [(value,)]


def database_collation(world, value):
    world.run("sql_database", name=world.name(), collation=value)


def login_name(world, value):
    with world.login(value):
        assert world.count("sys.server_principals", value) == 1
        assert world.run("sql_login", name=value, password="Passw0rd-1")["changed"] is False


def login_password(world, value):
    with world.login(world.name(), password=value, check_policy=False) as name:
        pymssql.connect(server=world.server.host.address, user=name, password=value, encryption="require").close()


def login_of_the_module(world, value):
    """Both texts travel in a connection string."""
    password = f"secret{value}"[:128]
    with (
        world.login(value, password=password, check_policy=False, server_roles=["sysadmin"])
        if "\x00" not in value
        else contextlib.nullcontext()
    ):
        world.run("sql_info", login_user=value, login_password=password, gather_subset=[])


def login_default_database(world, value):
    with world.database(value), world.login(world.name(), default_database=value) as name:
        assert world.server.ask("SELECT default_database_name FROM sys.server_principals WHERE name = %s", name) == [
            (value,)
        ]


def login_server_role(world, value):
    with world.login(world.name(), server_roles=[value]):
        pass


def login_sid(world, value):
    with world.login(world.name(), sid=value):
        pass


def login_in_database(world, value):
    with world.database(value), world.login(world.name(), databases=[{"name": value}]) as name:
        assert world.count("sys.database_principals", name, database=value) == 1


def login_user(world, value):
    with (
        world.database(world.name()) as database,
        world.login(world.name(), databases=[{"name": database, "user": value}]),
    ):
        assert world.count("sys.database_principals", value, database=database) == 1


def login_schema(world, value):
    with (
        world.database(world.name()) as database,
        world.login(world.name(), databases=[{"name": database, "schema": value}]) as name,
    ):
        rows = world.server.ask(
            "SELECT default_schema_name FROM sys.database_principals WHERE name = %s", name, database=database
        )
        assert rows == [(value,)]


def login_role(world, value):
    with world.database(world.name()) as database:
        if is_name(value):
            world.server.do(f"CREATE ROLE [{value.replace(']', ']]')}]", database=database)
        with world.login(world.name(), databases=[{"name": database, "roles": [value]}]):
            assert world.count("sys.database_principals", value, database=database) == 1


def backup_database(world, value):
    with world.database(value):
        assert world.files.is_file(world.run("sql_backup", database=value)["backup"]["files"][0])


def backup_path(world, value):
    (file,) = world.run("sql_backup", database=CANARY, path=f"D:\\Backup\\{value}", copy_only=True)["backup"]["files"]
    assert file.startswith(f"D:\\Backup\\{value}\\") and world.files.is_file(file)


def backup_file_name(world, value):
    escaped = value.replace("{", "{{").replace("}", "}}")
    (file,) = world.run(
        "sql_backup", database=CANARY, path="D:\\Backup\\names", file_name=f"{escaped}.bak", copy_only=True
    )["backup"]["files"]
    assert file == f"D:\\Backup\\names\\{value}.bak" and world.files.is_file(file)


def backup_description(world, value):
    world.run("sql_backup", database=CANARY, description=value, copy_only=True)
    rows = world.server.ask(
        "SELECT TOP 1 description FROM msdb.dbo.backupset WHERE database_name = %s ORDER BY backup_set_id DESC", CANARY
    )
    assert rows == [(value or None,)]


def backup_certificate(world, value):
    if is_name(value):
        name = value.replace("]", "]]")
        world.server.do(f"CREATE CERTIFICATE [{name}] WITH SUBJECT = N'a test'")
    try:
        world.run("sql_backup", database=CANARY, copy_only=True, encryption={"certificate": value})
        ((found,),) = world.server.ask(
            "SELECT TOP 1 encryptor_thumbprint FROM msdb.dbo.backupset ORDER BY backup_set_id DESC"
        )
        assert world.server.ask("SELECT thumbprint FROM sys.certificates WHERE name = %s", value) == [(found,)]
    finally:
        if is_name(value):
            world.server.do(f"DROP CERTIFICATE [{name}]")


def backup_copy_to(world, value):
    """By Windows: the edition cannot do it itself."""
    folder = f"D:\\Backup\\copies\\{value}"
    (file,) = world.run("sql_backup", database=CANARY, copy_only=True, copy_to=folder, **world.server.windows)[
        "backup"
    ]["copy_files"]
    assert file.startswith(f"{folder}\\") and world.files.is_file(file)


def backup_stage_path(world, value):
    options = {"path": "D:\\Backup\\carried", "stage_path": f"D:\\Backup\\stage\\{value}", **world.server.windows}
    (file,) = world.run("sql_backup", database=CANARY, copy_only=True, **options)["backup"]["files"]
    assert world.files.is_file(file)


def restore_stage_path(world, value):
    file = world.saved()
    restored(
        world,
        source={"files": [file], "database": CANARY},
        stage_path=f"D:\\Backup\\brought\\{value}",
        **world.server.windows,
    )


def restore_database(world, value):
    file = world.saved()
    try:
        world.run("sql_restore", database=value, source={"files": [file], "database": CANARY})
        assert world.server.marks(value) == [1]
    finally:
        if value and world.count("sys.databases", value.replace("\x00", "0")):
            world.run("sql_database", name=value, state="absent", allow_data_loss=True)


def restored(world, **options):
    name = world.name()
    world.run("sql_restore", database=name, **options)
    assert world.server.marks(name) == [1]
    world.run("sql_database", name=name, state="absent", allow_data_loss=True)


def restore_from_folder(world, value):
    folder = f"D:\\Backup\\from\\{value}"
    with contextlib.suppress(Failed):
        world.run("sql_backup", database=CANARY, path=folder, copy_only=True)
    restored(world, source={"folders": [folder], "database": CANARY})


def restore_from_file(world, value):
    with contextlib.suppress(Failed):
        backup_file_name(world, value)
    restored(world, source={"files": [f"D:\\Backup\\names\\{value}.bak"], "database": CANARY})


def restore_source_database(world, value):
    with world.database(value):
        (file,) = world.run("sql_backup", database=value, path="D:\\Backup\\names", file_name=f"{world.name()}.bak")[
            "backup"
        ]["files"]
    restored(world, source={"files": [file], "database": value})


def restore_relocate(world, value):
    file = world.saved()
    with contextlib.suppress(Exception):
        world.files.make_dir(f"D:\\Data\\{value}")
    restored(
        world,
        source={"files": [file], "database": CANARY},
        relocate={"data_dir": f"D:\\Data\\{value}", "log_dir": f"D:\\Data\\{value}"},
    )


def restore_tail_log_path(world, value):
    with world.database(world.name()) as name:
        files = world.run("sql_backup", database=name)["backup"]["files"]
        mark(world.server, name, 2, "in the tail")
        done = world.run(
            "sql_restore",
            database=name,
            source={"files": files},
            replace="always",
            tail_log_path=f"D:\\Backup\\tail\\{value}",
        )
        assert done["tail_log"]["file"].startswith(f"D:\\Backup\\tail\\{value}\\") and world.server.marks(name) == [
            1,
            2,
        ]


def restore_owner(world, value):
    file = world.saved()
    with world.login(value):
        restored(world, source={"files": [file], "database": CANARY}, owner=value)


def restore_mark(world, value):
    with world.database(world.name()) as name:
        full = world.run("sql_backup", database=name, path="D:\\Backup\\marks")["backup"]["files"]
        value = value[:32]  # of a transaction's name
        if is_name(value):
            transaction = value.replace("]", "]]")
            world.server.do(
                f"BEGIN TRAN [{transaction}] WITH MARK; UPDATE dbo.marker SET said = N'marked'; COMMIT", database=name
            )
        mark(world.server, name, 2, "after the mark")
        files = full + world.run("sql_backup", database=name, kind="log", path="D:\\Backup\\marks")["backup"]["files"]
        restored(world, source={"files": files, "database": name, "time_zone": "UTC"}, target=f"mark:{value}")


def restore_standby_file(world, value):
    file = world.saved()
    undo = f"D:\\Data\\{value}.undo"
    name = world.name()
    world.run(
        "sql_restore",
        database=name,
        source={"files": [file], "database": CANARY},
        recovery="standby",
        standby_file=undo,
    )
    assert world.server.marks(name) == [1] and world.files.is_file(undo)
    world.run("sql_database", name=name, state="absent", allow_data_loss=True)


def attached(world, **moved):
    """A database whose files were let go and moved, attached again."""
    with world.database(world.name()) as name:
        where = dict(
            world.server.ask(
                "SELECT type_desc, physical_name FROM sys.master_files WHERE database_id = DB_ID(%s)", name
            )
        )
        world.server.do(f"EXEC sys.sp_detach_db @dbname = N'{name}'")
        for kind, path in moved.items():
            with contextlib.suppress(Exception):
                world.files.rename(where[kind], path)
        where |= moved
        world.run(
            "sql_restore",
            database=name,
            source={"attach": {"data_files": [where["ROWS"]], "log_files": [where["LOG"]]}},
        )
        assert world.server.marks(name) == [1]


def attach_data_file(world, value):
    attached(world, ROWS=f"D:\\Data\\{value}.mdf")


def attach_log_file(world, value):
    attached(world, LOG=f"D:\\Data\\{value}.ldf")


def info_folder(world, value):
    folder = f"D:\\Backup\\info\\{value}"
    with contextlib.suppress(Failed):
        world.run("sql_backup", database=CANARY, path=folder, copy_only=True)
    found = world.run("sql_backup_info", folders=[folder])["sets"]
    assert {one["database"] for one in found} == {CANARY} and all(
        file.startswith(f"{folder}\\") for one in found for file in one["files"]
    )


def lease(world, *, path, database):
    """Held by one, so another one is told; given back, so it is gone."""
    options = {"path": path, "database": database, "login": False, **world.server.windows}
    world.run("recovery_lease", owner="one", **options)
    with pytest.raises(Failed, match="one"):
        world.run("recovery_lease", owner="another", **options)
    assert len(world.files.list(path)) == 1
    world.run("recovery_lease", owner="one", state="released", **options)
    assert world.files.list(path) == []


def lease_path(world, value):
    lease(world, path=f"D:\\Backup\\lease\\{value}", database=CANARY)


def lease_database(world, value):
    lease(world, path="D:\\Backup\\lease of", database=value)


NAME = {"129 characters": "at most 128", "NUL": "NUL", "nothing": "empty", "a blank": "empty"}
FILE = dict.fromkeys(
    ("double quote", "comment", "placeholders", "new line"),
    "operating system error 123|is no (name of a file|path) on Windows",
)
PATH = {**FILE, "NUL": "NUL|is no (name of a file|path) on Windows"}
DATABASE = {**NAME, **FILE}  # its files are called like it
BLANK = {"a blank": "blank or a dot at the end"}
NO_SUCH = {**dict.fromkeys(VALUES, "does not exist"), **NAME}

OPTIONS = {
    # An option, and which values are refused, with words of the message. All others must arrive.
    database_name: DATABASE,
    database_owner: NAME,
    database_collation: {value: "no name of a collation|Invalid collation" for value in VALUES if value != "nothing"},
    login_name: NAME,
    login_password: {"129 characters": "at most 128", "NUL": "NUL", "nothing": "needs a password"},
    login_of_the_module: {**NAME, "NUL": "NUL"},
    login_default_database: DATABASE,
    login_server_role: NO_SUCH,
    login_sid: {value: "32 hexadecimal digits" for value in VALUES if value != "nothing"},
    login_in_database: DATABASE,
    login_user: NAME,
    login_schema: NAME,
    login_role: NAME,
    backup_database: DATABASE,
    backup_path: {**PATH, **BLANK},
    backup_file_name: PATH,
    backup_description: {"NUL": "NUL"},
    restore_database: NAME,
    restore_from_folder: PATH,
    restore_from_file: {**PATH, **dict.fromkeys(FILE, "cannot be read, the first is D:.*operating system error 123")},
    restore_source_database: DATABASE,
    restore_relocate: PATH,
    restore_tail_log_path: {**PATH, **BLANK},
    restore_owner: NAME,
    restore_mark: {"NUL": "mark", "nothing": "is no target"},
    backup_certificate: NAME,
    backup_copy_to: {**PATH, **BLANK},
    backup_stage_path: {**PATH, **BLANK},
    restore_stage_path: {**PATH, **BLANK},
    restore_standby_file: PATH,
    info_folder: PATH,
    lease_path: {**PATH, **BLANK},
    lease_database: {"nothing": "is empty", "a blank": "is empty"},
    attach_data_file: {**PATH, **dict.fromkeys(FILE, "Operating system error 123")},
    attach_log_file: {**PATH, **dict.fromkeys(FILE, "There is no file D:")},
}
NOT_GIVEN = {login_user, login_schema}
"""For them an empty text says the same as no text."""
FOLDERS = {
    backup_path, backup_copy_to, backup_stage_path, restore_stage_path, restore_from_folder, restore_relocate, restore_tail_log_path, info_folder, lease_path,
}  # fmt: skip
CASES = [
    pytest.param(
        option, value, id=f"{option.__name__}-{value}", marks=with_marks(value, connects=option is login_of_the_module)
    )
    for option in OPTIONS
    for value in VALUES
    if not (value == "nothing" and option in NOT_GIVEN | FOLDERS)
    and not (value == "a blank" and option in FOLDERS and value not in OPTIONS[option])
]


@pytest.mark.parametrize(("option", "value"), CASES)
def test_the_right_result_or_a_clear_refusal(world, judge, option, value):
    world.recorded.clear()
    refusal = OPTIONS[option].get(value)
    if refusal is None:
        option(world, VALUES[value])
    else:
        with pytest.raises(Failed, match=re.compile(refusal, re.DOTALL)) as failed:
            option(world, VALUES[value])
        assert "fault of its own" not in failed.value.result["msg"]
    for text in world.recorded:
        kinds = next((kinds for beginning, kinds in INTENDED if re.match(beginning, text)), None)
        assert judge.statements(text) == kinds, text
    assert world.server.marks(CANARY) == [1]  # nobody dropped it


@pytest.mark.parametrize("value", ALL_VALUES)
def test_the_manifest_on_the_control_node(world, tmp_path, value):
    options = {"database": CANARY, "copy_only": True, "manifest": f"{tmp_path}/x{VALUES[value]}y"}
    if value in ("NUL", "comment"):  # a folder that is not there
        with pytest.raises(Failed, match="cannot be written on the control node") as failed:
            world.run("sql_backup", **options)
        assert "fault of its own" not in failed.value.result["msg"]
    else:
        world.run("sql_backup", **options)
        assert (tmp_path / f"x{VALUES[value]}y").is_file()


def test_a_restore_to_a_login_that_is_not_there_is_refused_before_anything_is_touched(world, only_queries):
    (file,) = world.run("sql_backup", database=CANARY, copy_only=True)["backup"]["files"]
    with only_queries, pytest.raises(Failed, match="There is no login nobody's"):
        world.run(
            "sql_restore",
            check=True,
            database="Nothing",
            source={"files": [file], "database": CANARY},
            owner="nobody's",
        )


@pytest.mark.parametrize("value", IN_A_CONNECTION)
@pytest.mark.parametrize("option", ["login_user", "login_password", "login_host", "certificate_name"])
def test_a_hostile_text_in_the_connection(world, option, value):
    """None of them may add a word to the connection string, or be a fault of ours."""
    with pytest.raises(Failed) as failed:
        world.run("sql_info", gather_subset=[], connect_timeout=1, **{option: f"x{VALUES[value]}"})
    assert "fault of its own" not in failed.value.result["msg"]
