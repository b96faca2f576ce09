"""The wire under real clients: Microsoft's ODBC driver, FreeTDS (ODBC and pymssql), python-tds."""

from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
import threading
import time
import uuid

import pymssql
import pyodbc
import pytds
import pytest
from prs_lab.estate.authority import Authority
from prs_lab.sqlserver.instance import StartFailed
from prs_lab.sqlserver.settings import Settings

from .sql_clients import CLIENTS, MICROSOFT, connect, drain, microsoft, rows
from .sql_host import PASSWORD, LabHost, make_instance

ODBC = ("microsoft", "freetds")


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    found = make_instance(tmp_path_factory.mktemp("sql"))
    yield found
    assert list(found.host.record.entries("unmodelled")) == []
    found.stop()


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_asks_and_gets_typed_values(instance, client):
    connection = connect(client, instance)
    (row,) = rows(
        connection,
        """SELECT CAST(1 AS bit), CAST(-5 AS bigint), CAST(1.25 AS decimal(9,2)), CAST(2.5 AS float), N'käse', CAST('x' AS varchar(5)),
        CAST('2026-02-03T04:05:06.007' AS datetime), CAST('2026-02-03' AS date), CAST('0E984725-C51C-4BF4-9960-E1C80E27ABA0' AS uniqueidentifier),
        0x0102, NULL""",
    )
    assert row[:8] == (
        True,
        -5,
        decimal.Decimal("1.25"),
        2.5,
        "käse",
        "x",
        dt.datetime(2026, 2, 3, 4, 5, 6, 7000),
        dt.date(2026, 2, 3),
    )
    assert uuid.UUID(str(row[8])) == uuid.UUID("0E984725-C51C-4BF4-9960-E1C80E27ABA0")
    assert bytes(row[9]) == b"\1\2" and row[10] is None
    connection.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_password_is_18456(instance, client):
    with pytest.raises((pyodbc.Error, pymssql.Error, pytds.Error)) as refused:
        connect(client, instance, password="wrong")
    assert "18456" in str(refused.value) or "Login failed for user 'sa'" in str(refused.value)


@pytest.mark.parametrize("client", ODBC)
def test_an_unknown_database_is_4060(instance, client):
    with pytest.raises(pyodbc.Error, match=r"4060|18456"):
        connect(client, instance, database="nowhere")


@pytest.mark.parametrize("client", ODBC)
@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        2**40,
        "a'b",
        "ü€😀",
        True,
        decimal.Decimal("12.50"),
        1.5,
        b"\0\1\2",
        dt.date(2026, 1, 2),
        "x" * 5000,
        uuid.UUID("0E984725-C51C-4BF4-9960-E1C80E27ABA0"),
    ],
)
def test_parameters_come_back_as_they_went(instance, client, value):
    connection = connect(client, instance)
    (row,) = rows(connection, "SELECT ? AS value", value)
    if isinstance(value, uuid.UUID):
        assert uuid.UUID(str(row[0])) == value
    else:
        assert row[0] == value
    connection.close()


@pytest.mark.parametrize("client", ODBC)
def test_result_sets_and_messages_in_their_order(instance, client):
    connection = connect(client, instance)
    found, messages = drain(
        connection.execute(
            "PRINT 'one'; SELECT 1; PRINT 'two'; SELECT 2, N'b'; RAISERROR('three %d', 10, 1, 3) WITH NOWAIT"
        )
    )
    assert found == [[(1,)], [(2, "b")]] and messages == ["one", "two", "three 3"]
    connection.close()


@pytest.mark.parametrize("client", ODBC)
def test_an_error_in_the_middle_comes_after_what_was_before(instance, client):
    connection = connect(client, instance)
    cursor = connection.execute("SELECT 1; SELECT 1/0; SELECT 2")
    assert cursor.fetchall()[0][0] == 1
    with pytest.raises(pyodbc.Error, match=r"8134|ivide by zero"):
        while cursor.nextset():
            cursor.description and cursor.fetchall()
    assert rows(connection, "SELECT 3") == [(3,)]
    connection.close()


@pytest.mark.parametrize("client", ODBC)
def test_transactions_of_the_driver(instance, client):
    table = f"tempdb.dbo.t_{client}"
    with connect(client, instance) as watcher, connect(client, instance, autocommit=False) as connection:
        watcher.execute(f"CREATE TABLE {table} (id int)")
        connection.execute(f"INSERT INTO {table} VALUES (1)")
        connection.rollback()
        connection.execute(f"INSERT INTO {table} VALUES (2)")
        connection.commit()
        assert rows(watcher, f"SELECT id FROM {table}") == [(2,)]
        connection.execute(f"INSERT INTO {table} VALUES (3)")
        assert rows(watcher, f"SELECT id FROM {table}") == [(2,)]
        connection.rollback()


@pytest.mark.parametrize("client", ODBC)
def test_a_backup_in_a_transaction_is_3021(instance, client):
    connection = connect(client, instance, autocommit=False)
    with pytest.raises(pyodbc.Error, match=r"3021|within a transaction"):
        drain(connection.execute("BACKUP DATABASE msdb TO DISK = N'D:\\Backup\\no.bak'"))
    connection.close()


@pytest.mark.parametrize("client", ODBC)
def test_cancel_and_time_out_leave_the_connection_usable(instance, client):
    connection = connect(client, instance)
    connection.timeout = 1
    with pytest.raises(pyodbc.Error, match=r"HYT00|timeout"):
        connection.execute("WAITFOR DELAY '00:10:00'")
    connection.timeout = 0
    cursor = connection.cursor()

    def cancel():
        _until(lambda: _waiting(instance))
        cursor.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(pyodbc.Error, match=r"HY008|cancel"):
        cursor.execute("WAITFOR DELAY '00:10:00'")
    canceller.join()
    assert rows(connection, "SELECT 7") == [(7,)]
    connection.close()


def test_a_statement_ends_with_its_client(instance):
    """A client that is killed: its statement is given up, its transaction rolled back."""
    with microsoft(instance) as watcher:
        watcher.execute("CREATE TABLE tempdb.dbo.dropped (id int)")
        text = (
            f"DRIVER={{{MICROSOFT}}};SERVER=127.0.0.1,{instance.port};TrustServerCertificate=yes;UID=sa;PWD={PASSWORD};"
        )
        batch = "BEGIN TRAN; INSERT INTO tempdb.dbo.dropped VALUES (1); WAITFOR DELAY '00:01:00'"
        client = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import pyodbc; pyodbc.connect({text!r}, autocommit=True).execute({batch!r}).nextset()",
            ]
        )
        try:
            _until(lambda: _waiting(instance))
        finally:
            client.kill()
            client.wait()
        _until(lambda: len(instance.sessions()) == 1)
        assert rows(watcher, "SELECT COUNT(*) FROM tempdb.dbo.dropped") == [(0,)]


def _waiting(instance):
    return any(session.progress.command == "WAITFOR" for session in instance.sessions())


def _until(condition):
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


def test_kill_ends_a_session_and_rolls_back(instance):
    with connect("microsoft", instance) as admin, connect("microsoft", instance) as victim:
        admin.execute("CREATE TABLE tempdb.dbo.killed (id int)")
        victim.execute("BEGIN TRAN; INSERT INTO tempdb.dbo.killed VALUES (1)")
        spid = rows(victim, "SELECT @@SPID")[0][0]
        admin.execute(f"KILL {spid}")
        _until(lambda: instance.session(spid) is None)
        assert rows(admin, "SELECT COUNT(*) FROM tempdb.dbo.killed") == [(0,)]
        with pytest.raises(pyodbc.Error):
            victim.execute("SELECT 1")


def test_many_rows_and_long_texts(instance):
    with connect("microsoft", instance) as connection:
        connection.execute("CREATE TABLE #many (id int, text nvarchar(max))")
        cursor = connection.cursor()
        for start in range(0, 2000, 500):
            values = ", ".join(f"({number}, N'{'x' * 200}')" for number in range(start, start + 500))
            cursor.execute(f"INSERT INTO #many VALUES {values}")
        assert len(rows(connection, "SELECT id, text FROM #many ORDER BY id")) == 2000
        assert rows(connection, "SELECT LEN(REPLICATE(CAST(N'ab' AS nvarchar(max)), 100000))") == [(200000,)]


def test_output_parameters_of_pymssql_and_prepared_handles(instance):
    with connect("pytds", instance) as connection:
        assert rows(connection, "SELECT %s + 1", 41) == [(42,)]
    with connect("microsoft", instance) as connection:
        cursor = connection.cursor()
        for number in range(3):
            assert cursor.execute("SELECT ? + ?", number, 1).fetchval() == number + 1


# ---- certificates


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    """An instance with a certificate for sql.lab.test and prs-sql from a lab CA; (instance, path of the CA)."""
    root = tmp_path_factory.mktemp("trusted")
    authority = Authority(folder=root / "ca")
    issued = authority.issue(label="sql", names=("sql.lab.test", "prs-sql"), password="Pfx-Password-1")
    host = LabHost(root / "drives", Settings())
    certificate, key = _pem(issued, "Pfx-Password-1")
    host.certificates.known["AA"] = (certificate, key)
    found = make_instance(root, host=host, certificate_thumbprint="AA")
    yield found, root / "ca" / "ca.pem"
    found.stop()


def _pem(issued, password):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    key, certificate, _ = pkcs12.load_key_and_certificates(issued.pfx.read_bytes(), password.encode())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def test_a_self_signed_certificate_is_refused_by_a_client_that_verifies(instance):
    with pytest.raises(pyodbc.OperationalError, match="certificate verify failed"):
        microsoft(instance, encryption="Encrypt=yes;")


def test_a_certificate_of_a_trusted_authority_is_accepted_by_its_name(trusted, monkeypatch):
    instance, authority = trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    for name in ("sql.lab.test", "prs-sql"):
        with microsoft(instance, encryption=f"Encrypt=yes;HostNameInCertificate={name};") as connection:
            assert rows(connection, "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID") == [
                ("TRUE",)
            ]


def test_another_name_than_the_certificates_is_refused(trusted, monkeypatch):
    instance, authority = trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with pytest.raises(pyodbc.OperationalError, match=r"certificate verify failed|subject name|not match"):
        microsoft(instance, encryption="Encrypt=yes;HostNameInCertificate=other.lab.test;")


def test_strict_encryption(trusted, monkeypatch):
    instance, authority = trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with microsoft(instance, encryption="Encrypt=strict;HostNameInCertificate=sql.lab.test;") as connection:
        assert rows(connection, "SELECT 1") == [(1,)]


def test_without_encryption_the_session_says_so(instance):
    with microsoft(instance, encryption="Encrypt=no;") as connection:
        assert rows(connection, "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID") == [
            ("FALSE",)
        ]


@pytest.mark.parametrize("known", [{}, {"BB": None}])
def test_a_certificate_that_cannot_be_used_keeps_the_service_from_starting(tmp_path, known):
    host = LabHost(tmp_path / "drives", Settings())
    host.certificates.known = known
    with pytest.raises(StartFailed) as failed:
        make_instance(tmp_path, host=host, certificate_thumbprint="BB")
    assert failed.value.event == 26014 and "Unable to load user-specified certificate" in str(failed.value)


def test_windows_only_mode_refuses_sql_logins(tmp_path):
    instance = make_instance(tmp_path, mixed_mode=False)
    try:
        with pytest.raises(pyodbc.Error, match="18456"):
            connect("microsoft", instance)
        assert any("Server is configured for Windows authentication only" in line for line in instance.error_log)
    finally:
        instance.stop()


def test_a_twin_that_breaks_cuts_the_connection_and_is_listed(tmp_path, monkeypatch):
    from prs_lab.sqlserver.execution.registry import PROCEDURES

    def broken(batch, arguments):
        raise KeyError("a defect of the lab")

    monkeypatch.setitem(PROCEDURES, "xp_fixeddrives", broken)
    instance = make_instance(tmp_path)
    try:
        with pytest.raises(pyodbc.Error):
            connect("microsoft", instance).execute("EXEC master.dbo.xp_fixeddrives")
        [entry] = instance.host.record.entries("unmodelled")
        assert entry["what"] == "a request on which the SQL twin broke" and "a defect of the lab" in entry["detail"]
    finally:
        instance.stop()
