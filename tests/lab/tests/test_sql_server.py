"""Databases, their files and options, catalog views, certificates, configuration, faults."""

from __future__ import annotations

import socket
import threading
import time

import pyodbc
import pytest
from prs_lab.sqlserver.faults import Fault
from prs_lab.sqlserver.session import Session

from .sql_clients import drain, microsoft, rows
from .sql_host import make_instance


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    found = make_instance(tmp_path_factory.mktemp("sql"))
    yield found
    found.stop()


@pytest.fixture
def sql(instance):
    connection = microsoft(instance)
    yield connection
    connection.close()


def refused(connection, text, number):
    with pytest.raises(pyodbc.Error, match=rf"\({number}\)"):
        drain(connection.execute(text))


# ---- databases


def test_a_database_has_files_where_it_was_told(instance, sql):
    drain(
        sql.execute(
            "CREATE DATABASE placed ON (NAME = N'p1', FILENAME = N'D:\\Data\\p.mdf', SIZE = 16MB) "
            "LOG ON (NAME = N'p2', FILENAME = N'D:\\Data\\p.ldf')"
        )
    )
    assert rows(
        sql,
        "SELECT name, physical_name, type_desc, state_desc FROM sys.master_files WHERE database_id = "
        "DB_ID('placed') ORDER BY file_id",
    ) == [
        ("p1", "D:\\Data\\p.mdf", "ROWS", "ONLINE"),
        ("p2", "D:\\Data\\p.ldf", "LOG", "ONLINE"),
    ]
    assert instance.host.view.is_file("D:\\Data\\p.mdf")
    drain(sql.execute("DROP DATABASE placed"))
    assert not instance.host.view.exists("D:\\Data\\p.mdf") and rows(sql, "SELECT DB_ID('placed')") == [(None,)]


@pytest.mark.parametrize(
    ("folder", "error", "number"), [("D:\\Nowhere", 0, 5123), ("D:\\Locked", 5, 5123), ("X:\\Data", 0, 5123)]
)
def test_windows_own_error_is_told_when_files_cannot_be_made(instance, sql, folder, error, number):
    if error:
        instance.host.view.refused[folder.lower()] = error
    refused(sql, f"CREATE DATABASE broken ON (NAME = a, FILENAME = '{folder}\\a.mdf')", number)
    assert rows(sql, "SELECT DB_ID('broken')") == [(None,)]
    instance.host.view.refused.clear()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("CREATE DATABASE master", 1801),
        ("CREATE DATABASE c COLLATE Nonsense_CI_AS", 448),
        ("DROP DATABASE nowhere", 3701),
        ("DROP DATABASE msdb", 3708),
        ("ALTER DATABASE nowhere SET RECOVERY FULL", 5011),
        ("ALTER DATABASE master SET OFFLINE", 5058),
        ("BEGIN TRAN; CREATE DATABASE c", 226),
        ("CREATE DATABASE c ON (NAME = a, FILENAME = 'D:\\Data\\nofile.mdf') FOR ATTACH", 5120),
        ("ALTER DATABASE tempdb SET RECOVERY FULL", 5058),
        ("ALTER DATABASE model SET PARTNER OFF", 1416),
        ("ALTER DATABASE model SET COMPATIBILITY_LEVEL = 90", 15048),
    ],
)
def test_errors_by_number(sql, text, number):
    refused(sql, text, number)
    sql.execute("IF @@TRANCOUNT > 0 ROLLBACK")


def test_options_are_shown_and_survive_a_restart(tmp_path):
    instance = make_instance(tmp_path)
    with microsoft(instance) as connection:
        for text in (
            "CREATE DATABASE app COLLATE Latin1_General_CI_AS",
            "ALTER DATABASE app SET RECOVERY SIMPLE",
            "ALTER DATABASE app SET PAGE_VERIFY NONE, AUTO_CLOSE OFF",
            "ALTER DATABASE app SET COMPATIBILITY_LEVEL = 140",
            "ALTER AUTHORIZATION ON DATABASE::app TO sa",
            "ALTER DATABASE app SET DELAYED_DURABILITY = FORCED",
            "ALTER DATABASE app SET RESTRICTED_USER",
        ):
            drain(connection.execute(text))
    instance.stop()
    instance.start()
    with microsoft(instance) as connection:
        shown = (
            "SELECT recovery_model_desc, page_verify_option_desc, compatibility_level, collation_name, "
            "user_access_desc, SUSER_SNAME(owner_sid), delayed_durability_desc FROM sys.databases"
        )
        expected = ("SIMPLE", "NONE", 140, "Latin1_General_CI_AS", "RESTRICTED_USER", "sa", "FORCED")
        assert rows(connection, f"{shown} WHERE name = 'app'") == [expected]
        assert rows(
            connection,
            "SELECT CAST(DATABASEPROPERTYEX('app', 'Collation') AS nvarchar(128)), "
            "CAST(DATABASEPROPERTYEX('app', 'Recovery') AS nvarchar(128))",
        ) == [("Latin1_General_CI_AS", "SIMPLE")]
    instance.stop()


def test_single_user_sends_everybody_away(instance, sql):
    drain(sql.execute("CREATE DATABASE busy"))
    other = microsoft(instance, encryption="TrustServerCertificate=yes;DATABASE=busy;")
    drain(other.execute("CREATE TABLE dbo.t (id int); BEGIN TRAN; INSERT INTO dbo.t VALUES (1)"))
    refused(sql, "DROP DATABASE busy", 3702)
    refused(sql, "ALTER DATABASE busy SET SINGLE_USER WITH NO_WAIT", 5070)
    drain(sql.execute("ALTER DATABASE busy SET SINGLE_USER WITH ROLLBACK IMMEDIATE"))
    with pytest.raises(pyodbc.Error):
        other.execute("SELECT 1")
    drain(sql.execute("USE busy"))
    with pytest.raises(pyodbc.Error, match=r"4060|18456"):
        microsoft(instance, encryption="TrustServerCertificate=yes;DATABASE=busy;")
    assert rows(sql, "SELECT COUNT(*) FROM dbo.t") == [(0,)]
    drain(sql.execute("ALTER DATABASE busy SET MULTI_USER; USE master"))
    microsoft(instance, encryption="TrustServerCertificate=yes;DATABASE=busy;").close()
    drain(sql.execute("DROP DATABASE busy"))


def test_offline_online_and_attach(instance, sql):
    drain(sql.execute("CREATE DATABASE mover"))
    drain(sql.execute("USE mover; CREATE TABLE dbo.t (id int); INSERT INTO dbo.t VALUES (4); USE master"))
    drain(sql.execute("ALTER DATABASE mover SET OFFLINE WITH ROLLBACK IMMEDIATE"))
    assert rows(sql, "SELECT state_desc FROM sys.databases WHERE name = 'mover'") == [("OFFLINE",)]
    refused(sql, "SELECT * FROM mover.dbo.t", 942)
    view = instance.host.view
    view.write("D:\\Data\\copy.mdf", view.read("D:\\Data\\mover.mdf"))
    view.write("D:\\Data\\copy_log.ldf", view.read("D:\\Data\\mover_log.ldf"))
    drain(sql.execute("ALTER DATABASE mover SET ONLINE"))
    assert rows(sql, "SELECT id FROM mover.dbo.t") == [(4,)]
    drain(
        sql.execute(
            "CREATE DATABASE copied ON (FILENAME = 'D:\\Data\\copy.mdf'), (FILENAME = 'D:\\Data\\copy_log.ldf') FOR "
            "ATTACH"
        )
    )
    assert rows(sql, "SELECT id FROM copied.dbo.t") == [(4,)]
    drain(sql.execute("DROP DATABASE mover, copied"))


def test_a_read_only_database_refuses_changes(sql):
    drain(sql.execute("CREATE DATABASE museum"))
    drain(sql.execute("CREATE TABLE museum.dbo.t (id int); ALTER DATABASE museum SET READ_ONLY WITH NO_WAIT"))
    refused(sql, "INSERT INTO museum.dbo.t VALUES (1)", 3906)
    assert rows(sql, "SELECT is_read_only FROM sys.databases WHERE name = 'museum'") == [(True,)]
    drain(
        sql.execute("ALTER DATABASE museum SET READ_WRITE; INSERT INTO museum.dbo.t VALUES (1); DROP DATABASE museum")
    )


def test_a_renamed_database(sql):
    drain(sql.execute("CREATE DATABASE before1; ALTER DATABASE before1 MODIFY NAME = after1"))
    assert rows(sql, "SELECT DB_ID('before1'), name FROM sys.databases WHERE name = 'after1'") == [(None, "after1")]
    drain(sql.execute("DROP DATABASE IF EXISTS after1, before1"))


# ---- the catalog


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAST(SERVERPROPERTY('MachineName') AS nvarchar(128))", "SQLLAB"),
        ("CAST(SERVERPROPERTY('EngineEdition') AS int)", 2),
        ("CAST(SERVERPROPERTY('InstanceName') AS nvarchar(128))", None),
        ("CAST(SERVERPROPERTY('IsIntegratedSecurityOnly') AS int)", 0),
        ("CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260))", "D:\\Data\\"),
        ("CAST(SERVERPROPERTY('Nonsense') AS nvarchar(9))", None),
        ("(SELECT COUNT(*) FROM sys.databases WHERE database_id <= 4)", 4),
        ("(SELECT family_guid FROM sys.database_recovery_status WHERE database_id = 4)", "guid"),
        ("(SELECT mirroring_guid FROM sys.database_mirroring WHERE database_id = 1)", None),
        ("(SELECT host_platform FROM sys.dm_os_host_info)", "Windows"),
        ("(SELECT service_account FROM sys.dm_server_services)", "NT SERVICE\\MSSQLSERVER"),
        ("(SELECT type_desc FROM sys.server_principals WHERE name = 'sa')", "SQL_LOGIN"),
        ("(SELECT login_name FROM sys.dm_exec_sessions WHERE session_id = @@SPID)", "sa"),
        ("(SELECT COUNT(*) FROM msdb.dbo.restorehistory)", 0),
        ("(SELECT command FROM sys.dm_exec_requests WHERE session_id = @@SPID)", "SELECT"),
        ("(SELECT COUNT(*) FROM msdb.sys.tables WHERE name = 'backupset')", 1),
        ("(SELECT CAST(value_in_use AS int) FROM sys.configurations WHERE name = 'backup compression default')", 0),
        ("(SELECT COUNT(*) FROM sys.database_role_members)", 0),
        ("(SELECT name FROM sys.endpoints WHERE type = 2)", "TSQL Default TCP"),
        (
            (
                "(SELECT COUNT(*) FROM msdb.INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'backupset' AND "
                "COLUMN_NAME = "
                "'first_lsn')"
            ),
            1,
        ),
        ("(SELECT COUNT(*) FROM sys.sysprocesses WHERE spid = @@SPID)", 1),
    ],
)
def test_the_catalog(sql, text, expected):
    found = rows(sql, f"SELECT {text}")[0][0]
    assert len(str(found)) == 36 if expected == "guid" else found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EXEC master.sys.xp_dirtree N'D:\\Tree', 1, 1", [("a", 1, 0), ("b.txt", 1, 1)]),
        ("EXEC xp_dirtree 'D:\\Tree'", [("a", 1), ("c", 2)]),
        ("EXEC xp_fileexist 'D:\\Tree\\b.txt'", [(True, False, True)]),
        ("EXEC xp_dirtree 'D:\\Nothing', 1, 1", []),
    ],
)
def test_files_through_the_server(instance, sql, text, expected):
    instance.host.view.make_dir("D:\\Tree\\a\\c")
    instance.host.view.write("D:\\Tree\\b.txt", b"")
    assert rows(sql, text) == expected


def test_a_whole_file_is_read(instance, sql):
    instance.host.view.write("D:\\whole.cer", b"\x30\x82\x00")
    assert rows(sql, "SELECT f.BulkColumn AS content FROM OPENROWSET(BULK N'D:\\whole.cer', SINGLE_BLOB) AS f") == [
        (b"\x30\x82\x00",)
    ]
    refused(sql, "SELECT BulkColumn FROM OPENROWSET(BULK N'D:\\nothing.cer', SINGLE_BLOB) AS f", 4860)
    refused(sql, "SELECT BulkColumn FROM OPENROWSET(BULK N'D:\\whole.cer', SINGLE_BLOB)", 491)


def test_more_of_the_extended_procedures(instance, sql):
    drain(sql.execute("EXEC master.sys.xp_create_subdir N'D:\\New\\Deep'"))
    assert instance.host.view.is_dir("D:\\New\\Deep")
    assert {letter for letter, _ in rows(sql, "EXEC master.sys.xp_fixeddrives")} == {"C", "D"}
    key = "N'HKEY_LOCAL_MACHINE', N'Software\\Microsoft\\MSSQLServer\\MSSQLServer', N'BackupDirectory'"
    assert rows(sql, f"EXEC master.dbo.xp_instance_regread {key}") == [("BackupDirectory", "D:\\Backup")]
    assert rows(sql, f"DECLARE @d nvarchar(260); EXEC master.dbo.xp_instance_regread {key}, @d OUTPUT; SELECT @d") == [
        ("D:\\Backup",)
    ]


def test_what_windows_says_of_a_folder_that_is_listed(instance, sql):
    instance.host.view.make_dir("D:\\Listed\\Deep")
    instance.host.view.write("D:\\Listed\\file", b"")
    assert rows(sql, "EXEC master.sys.xp_subdirs N'D:\\Listed\\'") == [("Deep",)]
    assert rows(sql, "EXEC master.sys.xp_subdirs N'D:\\Listed\\Deep'") == []
    with pytest.raises(
        pyodbc.Error, match=r"'D:\\\\Missing\\\\\*\.\*': FindFirstFile\(\) returned error 3, .*\(22006\)"
    ):
        drain(sql.execute("EXEC master.sys.xp_subdirs N'D:\\Missing'"))


def test_a_backup_that_cannot_be_opened_is_an_error_in_the_log(instance, sql):
    instance.error_log.clear()
    refused(sql, "RESTORE LABELONLY FROM DISK = N'D:\\missing.bak'", 3201)
    assert any("18204" in line and "D:\\missing.bak" in line for line in instance.error_log)
    instance.error_log.clear()
    refused(sql, "EXEC master.sys.xp_subdirs N'D:\\Missing'", 22006)
    assert list(instance.error_log) == []


def test_the_volume_of_a_file(instance, sql):
    stats = "FROM sys.dm_os_volume_stats(1, 1)"
    assert rows(sql, f"SELECT volume_mount_point, available_bytes {stats}") == [("D:\\", instance.host.view.free)]
    assert rows(sql, "SELECT * FROM sys.dm_os_volume_stats(1, 99)") == []


def test_configuration(instance, sql):
    _, said = drain(sql.execute("EXEC sp_configure 'backup compression default', 1; RECONFIGURE"))
    assert said == [
        (
            "Configuration option 'backup compression default' changed from 0 to 1. Run the RECONFIGURE statement to "
            "install."
        )
    ]
    assert rows(sql, "EXEC sp_configure 'backup compression default'") == [("backup compression default", 0, 1, 1, 1)]
    refused(sql, "EXEC sp_configure 'xp_cmdshell', 1", 15123)


def test_certificates_and_the_endpoint(instance, sql):
    refused(sql, "CREATE CERTIFICATE early WITH SUBJECT = 'x'", 15581)
    drain(sql.execute("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Mk-Passw0rd'"))
    drain(sql.execute("CREATE CERTIFICATE cert WITH SUBJECT = 'for mirroring', EXPIRY_DATE = '20361231'"))
    drain(
        sql.execute(
            "BACKUP CERTIFICATE cert TO FILE = 'D:\\Backup\\c.cer' WITH PRIVATE KEY (FILE = "
            "'D:\\Backup\\c.pvk', ENCRYPTION BY PASSWORD = 'Pk-Passw0rd')"
        )
    )
    before = rows(sql, "SELECT subject, pvt_key_encryption_type, thumbprint FROM sys.certificates WHERE name = 'cert'")
    assert before[0][:2] == ("for mirroring", "MK")
    refused(sql, "BACKUP CERTIFICATE cert TO FILE = 'D:\\Backup\\c.cer'", 15240)
    refused(sql, "DROP MASTER KEY", 15580)
    drain(sql.execute("DROP CERTIFICATE cert"))
    refused(
        sql,
        "CREATE CERTIFICATE cert FROM FILE = 'D:\\Backup\\c.cer' WITH PRIVATE KEY (FILE = "
        "'D:\\Backup\\c.pvk', DECRYPTION BY PASSWORD = 'wrong')",
        15208,
    )
    drain(
        sql.execute(
            "CREATE CERTIFICATE cert FROM FILE = 'D:\\Backup\\c.cer' WITH PRIVATE KEY (FILE = "
            "'D:\\Backup\\c.pvk', DECRYPTION BY PASSWORD = 'Pk-Passw0rd')"
        )
    )
    assert (
        rows(sql, "SELECT subject, pvt_key_encryption_type, thumbprint FROM sys.certificates WHERE name = 'cert'")
        == before
    )
    drain(
        sql.execute(
            "CREATE ENDPOINT mirror STATE = STARTED AS TCP (LISTENER_PORT = 5022) FOR "
            "DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE cert, "
            "ENCRYPTION = REQUIRED ALGORITHM AES, ROLE = ALL)"
        )
    )
    assert rows(
        sql,
        "SELECT e.state_desc, e.role_desc, e.connection_auth_desc, t.port FROM sys.database_mirroring_endpoints e "
        "JOIN sys.tcp_endpoints t "
        "ON t.endpoint_id = e.endpoint_id",
    ) == [("STARTED", "ALL", "CERTIFICATE", 5022)]
    refused(sql, "CREATE ENDPOINT second AS TCP (LISTENER_PORT = 5023) FOR DATABASE_MIRRORING (ROLE = PARTNER)", 7862)
    refused(sql, "DROP CERTIFICATE cert", 15352)
    drain(sql.execute("DROP ENDPOINT mirror; DROP CERTIFICATE cert; DROP MASTER KEY"))


def test_waitfor_time_is_the_servers_time(instance, sql, monkeypatch):
    paused = []
    monkeypatch.setattr(Session, "pause", lambda session, seconds: paused.append(seconds))
    at = rows(sql, "SELECT CONVERT(varchar(12), DATEADD(hour, 1, GETDATE()), 108)")[0][0]
    sql.execute(f"WAITFOR TIME '{at}'")
    assert len(paused) == 1 and 3000 < paused[0] <= 3600


# ---- faults


@pytest.mark.parametrize("action", ["drop_rst", "drop_fin"])
def test_a_connection_dropped_after_some_requests(instance, action):
    connection = microsoft(instance)
    instance.faults.add(Fault(action=action, pattern="marker", after=2))
    for _ in range(2):
        assert rows(connection, "SELECT 1 /* marker */") == [(1,)]
    with pytest.raises(pyodbc.OperationalError, match="08S01"):
        connection.execute("SELECT 1 /* marker */")
    with microsoft(instance) as again:
        assert rows(again, "SELECT 1 /* marker */") == [(1,)]


def test_errors_and_delays_that_were_asked_for(instance, sql):
    instance.faults.add(Fault(action="error", pattern="fail here", number=1205, text="deadlocked"))
    refused(sql, "SELECT 1 -- fail here", 1205)
    instance.faults.add(Fault(action="delay", pattern="slow", seconds=0.3))
    started = time.monotonic()
    assert rows(sql, "SELECT 'slow'") == [("slow",)]
    assert time.monotonic() - started >= 0.3


def test_a_crash_in_the_middle_of_a_statement(tmp_path):
    instance = make_instance(tmp_path)
    instance.faults.on_kill = lambda: instance.stop(crash=True)
    connection = microsoft(instance)
    drain(connection.execute("CREATE DATABASE app"))
    drain(
        connection.execute(
            "USE app; CREATE TABLE dbo.t (id int); INSERT INTO dbo.t VALUES (1); BEGIN TRAN; INSERT INTO dbo.t "
            "VALUES (2)"
        )
    )
    instance.faults.add(Fault(action="kill", pattern="COMMIT"))
    with pytest.raises(pyodbc.Error):
        connection.execute("COMMIT")
    ends = time.monotonic() + 60
    while instance.started is not None:
        assert time.monotonic() < ends, "it does not go down"
        time.sleep(0.02)
    instance.start()
    with microsoft(instance) as again:
        assert rows(again, "SELECT id FROM app.dbo.t") == [(1,)]
    instance.stop()


def test_cut_off_and_back(tmp_path):
    instance = make_instance(tmp_path)
    connection = microsoft(instance)
    instance.set_connected(False)
    with pytest.raises(pyodbc.Error):
        connection.execute("SELECT 1")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", instance.settings.port), 1)
    instance.set_connected(True)
    microsoft(instance).close()
    instance.stop()


def test_fifty_clients_at_once(instance):
    found: list[object] = []

    def ask(number: int) -> None:
        with microsoft(instance) as connection:
            found.append(rows(connection, "SELECT ?", number)[0][0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == list(range(50))
