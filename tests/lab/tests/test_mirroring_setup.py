"""How a session comes to be: endpoints that let each other in, databases that fit, editions that may."""

from __future__ import annotations

import datetime as dt

import pyodbc
import pytest
from prs_lab.sqlserver.mirroring.machine import settle_all
from prs_lab.sqlserver.mirroring.transport import Refused, agree, parse_address

from .mirror_lab import MirrorLab, Refusal
from .sql_clients import microsoft, rows
from .sql_host import make_instance

CERTIFICATE = "CREATE CERTIFICATE [{0}] WITH SUBJECT = '{0}', START_DATE = '{1:%Y%m%d}', EXPIRY_DATE = '{2:%Y%m%d}'"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    made = MirrorLab(tmp_path_factory.mktemp("mirrors"))
    yield made
    made.close()


def refused(server, statement, number):
    with pytest.raises(Refusal) as refusal:
        server.run(statement)
    assert refusal.value.number == number, refusal.value


def begin(lab, name, number=None):
    """SET PARTNER on the principal; number: of the error that is expected."""
    statement = f"ALTER DATABASE {name} SET PARTNER = '{lab.b.address}'"
    if number is None:
        lab.a.run(statement)
    else:
        refused(lab.a, statement, number)
        assert lab.a.state(name)[0] is None


def waiting(lab, name):
    lab.b.set(name, f"PARTNER = '{lab.a.address}'")
    return name


# ---- databases


def test_addresses():
    assert parse_address("tcp://SQL-B.prslab.test:5022").host == "SQL-B.prslab.test"
    assert [
        parse_address(text)
        for text in ("SQL-B:5022", "TCP://SQL-B", "TCP://:5022", "TCP://a:0", "TCP://a:65536", "TCP://a b:1")
    ] == [None] * 6


@pytest.mark.parametrize(
    ("address", "number"), [("SQLB:5022", 1449), ("{a}", 1452), ("TCP://nowhere:5022", 1418), ("TCP://sqlb:1", 1418)]
)
def test_addresses_that_lead_nowhere(lab, address, number):
    name = waiting(lab, lab.seeded())
    refused(lab.a, f"ALTER DATABASE {name} SET PARTNER = '{address.format(a=lab.a.address)}'", number)


@pytest.mark.parametrize(("option", "number"), [
    ("RECOVERY SIMPLE", 1465), ("RECOVERY BULK_LOGGED", 1465), ("READ_ONLY", 1466), ("AUTO_CLOSE ON", 1469), ("SINGLE_USER", 1488), ("EMERGENCY", 1467),
    ("ACCELERATED_DATABASE_RECOVERY = ON", 1484),
])  # fmt: skip
def test_databases_that_cannot_be_principal(lab, option, number):
    name = waiting(lab, lab.seeded())
    lab.a.set(name, option)
    begin(lab, name, number)


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        ("14.0.3500.1", ("is_accelerated_database_recovery_on", "is_ledger_on")),
        ("15.0.4430.1", ("is_ledger_on",)),
        ("16.0.4225.2", ()),
    ],
)
def test_columns_that_came_later_are_not_there_before(tmp_path, version, missing):
    instance = make_instance(tmp_path, version=version)
    try:
        with microsoft(instance) as connection:
            for column in ("is_accelerated_database_recovery_on", "is_ledger_on"):
                question = f"SELECT {column} FROM sys.databases WHERE name = 'model'"
                if column in missing:
                    with pytest.raises(pyodbc.Error, match=r"\(207\)"):
                        rows(connection, question)
                else:
                    assert rows(connection, question) == [(False,)]
    finally:
        instance.stop()


def test_system_databases(lab):
    refused(lab.a, f"ALTER DATABASE msdb SET PARTNER = '{lab.b.address}'", 5058)


def test_a_mirror_that_is_not_there_not_restoring_or_of_another_family(lab):
    name = lab.create()
    begin(lab, name, 1448)
    lab.b.run(f"CREATE DATABASE {name}")
    begin(lab, name, 1464)
    lab.b.run(
        f"DROP DATABASE {name}; CREATE DATABASE {name}; BACKUP DATABASE {name} TO DISK = 'D:\\Backup\\own.bak' WITH "
        "INIT"
    )
    lab.b.run(f"RESTORE DATABASE {name} FROM DISK = 'D:\\Backup\\own.bak' WITH NORECOVERY, REPLACE")
    begin(lab, name, 1407)


def test_a_mirror_without_any_log_backup(lab):
    name = lab.create()
    lab.restore(name, "full")
    begin(lab, waiting(lab, name), 1478)


def test_a_log_backup_that_came_in_between(lab):
    """The trap: it must be restored on the mirror, which refuses it until it forgets its partner."""
    name = waiting(lab, lab.seeded())
    lab.a.insert(name, 3)
    lab.backup(name, "log")
    with pytest.raises(Refusal) as refusal:
        begin(lab, name)
    assert refusal.value.number in (1412, 1478)
    with pytest.raises(Refusal, match="3104"):
        lab.restore(name, "log")
    lab.b.set(name, "PARTNER OFF")
    lab.restore(name, "log")
    begin(lab, waiting(lab, name))
    lab.a.set(name, "PARTNER FAILOVER")
    assert lab.b.rows(name) == [1, 2, 3]


def test_a_mirror_that_is_too_old(lab):
    name = lab.create()
    lab.restore(name, "full")
    for number in (2, 3):
        lab.a.insert(name, number)
        lab.backup(name, "full")
        lab.backup(name, "log")
    lab.a.run("CHECKPOINT", database=name)
    begin(lab, waiting(lab, name), 1412)


def test_a_mirror_that_waits_for_somebody_else(lab):
    name = lab.seeded()
    lab.b.set(name, f"PARTNER = '{lab.w.address}'")
    begin(lab, name, 1460)


# ---- letting in


def test_what_a_connection_was_let_in_by(lab):
    lab.mirrored(witness=True)
    found = lab.a.run(
        "SELECT c.principal_name, c.encryption_algorithm_desc, x.name, u.name FROM sys.dm_db_mirroring_connections "
        "c JOIN sys.certificates x "
        "ON x.certificate_id = c.peer_certificate_id JOIN master.sys.database_principals u ON u.principal_id = "
        "x.principal_id ORDER BY c.principal_name"
    )
    assert found == [("SQLB_login", "AES", "SQLB_cert", "SQLB_user"), ("SQLW_login", "AES", "SQLW_cert", "SQLW_user")]


def broken_handshake(lab, number=1418):
    """What the accepting server says, once nobody is let in any more."""
    name = waiting(lab, lab.seeded())
    for server in (lab.a, lab.b):  # connections made anew
        server.run("ALTER ENDPOINT mirroring STATE = STOPPED; ALTER ENDPOINT mirroring STATE = STARTED")
    lab.a.instance.error_log.clear()
    lab.b.instance.error_log.clear()
    begin(lab, name, number)
    return " ".join([*lab.a.instance.error_log, *lab.b.instance.error_log]), name


def test_no_right_to_connect(lab):
    lab.b.run("REVOKE CONNECT ON ENDPOINT::mirroring FROM SQLA_login")
    said, name = broken_handshake(lab)
    assert "The login 'SQLA_login' does not have CONNECT permission on the endpoint. State 84." in said
    lab.b.run("GRANT CONNECT ON ENDPOINT::mirroring TO SQLA_login")
    begin(lab, name)


def test_a_certificate_that_the_other_side_does_not_know(lab):
    lab.b.run("DROP CERTIFICATE SQLA_cert")
    said, name = broken_handshake(lab)
    assert "Certificate not found. State 89." in said
    lab.b.run("CREATE CERTIFICATE SQLA_cert AUTHORIZATION SQLA_user FROM FILE = 'D:\\Backup\\SQLA.cer'")
    begin(lab, name)


def test_an_expired_certificate_is_noticed_at_the_next_handshake_only(lab):
    name = lab.mirrored()
    lab.a.host.shift = lab.b.host.shift = dt.timedelta(days=400)
    try:
        settle_all()
        assert lab.a.state(name)[1] == "SYNCHRONIZED"
        lab.b.kill()
        lab.b.start()
        assert lab.a.state(name)[1] == "DISCONNECTED"
        assert any("Certificate expired" in line for line in lab.b.instance.error_log)
    finally:
        lab.a.host.shift = lab.b.host.shift = dt.timedelta(0)
    settle_all()
    assert lab.a.state(name)[1] == "SYNCHRONIZED"


def test_a_certificate_is_replaced_while_mirroring_runs(lab):
    name = lab.mirrored(witness=True)
    lab.a.run(
        "CREATE CERTIFICATE newer WITH SUBJECT = 'newer'; BACKUP CERTIFICATE newer TO FILE = 'D:\\Backup\\newer.cer'"
    )
    for server in (lab.b, lab.w):
        server.host.view.write("D:\\Backup\\newer.cer", lab.a.host.view.read("D:\\Backup\\newer.cer"))
        server.run("CREATE CERTIFICATE newer AUTHORIZATION SQLA_user FROM FILE = 'D:\\Backup\\newer.cer'")
    lab.a.run("ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE newer, ROLE = ALL)")
    assert lab.a.state(name) == ("PRINCIPAL", "SYNCHRONIZED", "ONLINE")
    used = lab.b.run(
        "SELECT x.name FROM sys.dm_db_mirroring_connections c JOIN sys.certificates x ON x.certificate_id = "
        "c.peer_certificate_id "
        "WHERE c.principal_name = 'SQLA_login'"
    )
    assert used == [("newer",)]
    lab.a.run("DROP CERTIFICATE SQLA_cert")
    lab.a.run("ALTER ENDPOINT mirroring STATE = STARTED")
    assert lab.b.state(name)[1] == "SYNCHRONIZED"


def test_windows_accounts(lab):
    for one, other in ((lab.a, lab.b), (lab.b, lab.a)):
        one.host.account = f"LAB\\{one.host.name}$"
        one.run(
            f"CREATE LOGIN [LAB\\{other.host.name}$] FROM WINDOWS; GRANT CONNECT ON ENDPOINT::mirroring TO "
            f"[LAB\\{other.host.name}$]"
        )
        one.certificate = one.run(
            "SELECT c.name FROM sys.database_mirroring_endpoints e JOIN sys.certificates c ON c.certificate_id = "
            "e.certificate_id"
        )[0][0]
    for server in (lab.a, lab.b):
        server.run("ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (AUTHENTICATION = WINDOWS NEGOTIATE, ROLE = ALL)")
    name = lab.mirrored()
    assert ("LAB\\SQLB$",) in lab.a.run("SELECT principal_name FROM sys.dm_db_mirroring_connections")
    lab.b.run("REVOKE CONNECT ON ENDPOINT::mirroring FROM [LAB\\SQLA$]; ALTER ENDPOINT mirroring STATE = STARTED")
    assert lab.a.state(name)[1] == "DISCONNECTED"
    for server in (lab.a, lab.b):
        server.run(
            "ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (AUTHENTICATION = WINDOWS NEGOTIATE CERTIFICATE "
            f"{server.certificate}, ROLE = ALL)"
        )
    assert lab.a.state(name)[1] == "SYNCHRONIZED"  # by the certificate, as the account is refused
    for server in (lab.a, lab.b):
        server.run(
            f"ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE {server.certificate}, "
            "ROLE = ALL)"
        )


@pytest.mark.parametrize(("change", "back", "number"), [
    ("STATE = STOPPED", "STATE = STARTED", 1486), ("FOR DATABASE_MIRRORING (ROLE = WITNESS)", "FOR DATABASE_MIRRORING (ROLE = ALL)", 1486),
    ("FOR DATABASE_MIRRORING (ENCRYPTION = DISABLED, ROLE = ALL)", ("FOR DATABASE_MIRRORING (ENCRYPTION = REQUIRED "
                                                                    "ALGORITHM AES, ROLE = ALL)"), 1418),
])  # fmt: skip
def test_an_endpoint_that_is_not_as_it_should_be(lab, change, back, number):
    name = waiting(lab, lab.seeded())
    lab.a.run(f"ALTER ENDPOINT mirroring {change}")
    try:
        begin(lab, name, number)
    finally:
        lab.a.run(f"ALTER ENDPOINT mirroring {back}")
    begin(lab, name)


def test_the_firewall_and_the_far_endpoint(lab):
    name = waiting(lab, lab.seeded())
    lab.filtered.add(lab.b.mirroring_port)
    begin(lab, name, 1418)
    lab.filtered.clear()
    lab.b.run("ALTER ENDPOINT mirroring STATE = STOPPED")
    begin(lab, name, 1418)
    lab.b.run("ALTER ENDPOINT mirroring STATE = STARTED")
    begin(lab, name)
    lab.filtered.add(lab.a.mirroring_port)
    settle_all()
    assert lab.a.state(name)[1] == "DISCONNECTED"
    lab.filtered.clear()


def test_dropping_an_endpoint_takes_its_grants_along(lab):
    made = lab.b.run("SELECT name FROM sys.database_mirroring_endpoints")
    assert made == [("mirroring",)]
    query = "SELECT COUNT(*) FROM sys.server_permissions WHERE class = 105"
    before = lab.b.run(query)
    lab.b.run("DROP ENDPOINT mirroring")
    lab.b.run(
        f"CREATE ENDPOINT mirroring STATE = STARTED AS TCP (LISTENER_PORT = {lab.b.mirroring_port}) FOR "
        "DATABASE_MIRRORING "
        "(AUTHENTICATION = CERTIFICATE SQLB_cert, ROLE = ALL)"
    )
    assert before[0][0] > 0 and lab.b.run(query) == [(0,)]
    lab.b.run("GRANT CONNECT ON ENDPOINT::mirroring TO SQLA_login; GRANT CONNECT ON ENDPOINT::mirroring TO SQLW_login")
    refused(lab.b, "GRANT CONNECT ON ENDPOINT::nothing TO SQLA_login", 15151)


@pytest.mark.parametrize(
    ("name", "start", "end", "number"), [("over", -10, -1, 28055), ("later", 5, 10, 28055), ("now", -1, 10, None)]
)
def test_certificates_that_an_endpoint_takes(lab, name, start, end, number):
    today = dt.datetime.now(dt.UTC)
    lab.a.run(CERTIFICATE.format(name, today + dt.timedelta(days=start), today + dt.timedelta(days=end)))
    before = lab.a.run(
        "SELECT c.name FROM sys.database_mirroring_endpoints e JOIN sys.certificates c ON c.certificate_id = "
        "e.certificate_id"
    )[0][0]
    statement = "ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (AUTHENTICATION = CERTIFICATE [{}], ROLE = ALL)"
    if number:
        refused(lab.a, statement.format(name), number)
    else:
        lab.a.run(statement.format(name))
    lab.a.run(statement.format(before))


def endpoint(encryption, algorithm="AES"):
    return {"encryption": encryption, "algorithm": algorithm}


@pytest.mark.parametrize(("ours", "theirs", "result"), [
    (endpoint("REQUIRED"), endpoint("REQUIRED"), "AES"), (endpoint("REQUIRED"), endpoint("SUPPORTED"), "AES"),
    (endpoint("DISABLED"), endpoint("SUPPORTED"), "NONE"), (endpoint("DISABLED"), endpoint("DISABLED"), "NONE"),
    (endpoint("DISABLED"), endpoint("REQUIRED"), None), (endpoint("REQUIRED", "RC4"), endpoint("REQUIRED", "AES"), None),
    (endpoint("REQUIRED", "RC4"), endpoint("REQUIRED", "AES RC4"), "RC4"), (endpoint("REQUIRED", "RC4 AES"), endpoint("REQUIRED", "AES RC4"), "AES"),
])  # fmt: skip
def test_which_encryption_two_endpoints_agree_on(ours, theirs, result):
    if result is None:
        with pytest.raises(Refused, match="State 22"):
            agree(ours, theirs)
    else:
        assert agree(ours, theirs) == result


# ---- witnesses and editions


def test_who_can_be_a_witness(lab):
    name = lab.mirrored()
    refused(lab.a, f"ALTER DATABASE {name} SET WITNESS = '{lab.b.address}'", 1429)
    refused(lab.a, f"ALTER DATABASE {name} SET WITNESS = '{lab.a.address}'", 1429)
    refused(lab.a, f"ALTER DATABASE {name} SET WITNESS = 'SQLW'", 1449)
    lab.cut((lab.b, lab.w))
    refused(lab.a, f"ALTER DATABASE {name} SET WITNESS = '{lab.w.address}'", 1426)
    lab.heal()
    lab.w.run("ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (ROLE = PARTNER)")
    refused(lab.a, f"ALTER DATABASE {name} SET WITNESS = '{lab.w.address}'", 1427)
    lab.w.run("ALTER ENDPOINT mirroring FOR DATABASE_MIRRORING (ROLE = WITNESS)")
    lab.a.set(name, f"WITNESS = '{lab.w.address}'")
    query = (
        "SELECT principal_server_name, partner_sync_state_desc FROM sys.database_mirroring_witnesses WHERE "
        f"database_name = '{name}'"
    )
    assert lab.w.run(query) == [(lab.a.address, "SYNCHRONIZED")]
    lab.a.set(name, "PARTNER FAILOVER")
    assert lab.w.run(query) == [(lab.b.address, "SYNCHRONIZED")]
    lab.b.set(name, "WITNESS OFF")
    assert lab.w.run(query) == []


def test_express_is_a_witness_and_no_partner(lab):
    lab.w.run("DROP ENDPOINT mirroring")
    statement = (
        "CREATE ENDPOINT mirroring STATE = STARTED AS TCP (LISTENER_PORT = {}) FOR DATABASE_MIRRORING "
        "(AUTHENTICATION = CERTIFICATE SQLW_cert, ROLE = {})"
    )
    refused(lab.w, statement.format(lab.w.mirroring_port, "ALL"), 7878)
    lab.w.run(statement.format(lab.w.mirroring_port, "WITNESS"))
    lab.w.run(
        "GRANT CONNECT ON ENDPOINT::mirroring TO SQLA_login; GRANT CONNECT ON ENDPOINT::mirroring TO SQLB_login; "
        "CREATE DATABASE small"
    )
    refused(lab.w, f"ALTER DATABASE small SET PARTNER = '{lab.a.address}'", 1463)


def test_standard_is_synchronous_only(tmp_path):
    standard = MirrorLab(tmp_path, edition="Standard Edition (64-bit)")
    name = standard.mirrored(witness=True)
    refused(standard.a, f"ALTER DATABASE {name} SET PARTNER SAFETY OFF", 1473)
    standard.a.set(name, "PARTNER SAFETY FULL")
    standard.a.set(name, "PARTNER TIMEOUT 3")
    query = (
        "SELECT mirroring_safety_level_desc, mirroring_connection_timeout FROM sys.database_mirroring WHERE "
        f"database_id = DB_ID('{name}')"
    )
    assert standard.a.run(query) == standard.b.run(query) == [("FULL", 5)]
    refused(standard.a, f"ALTER DATABASE {name} SET PARTNER TIMEOUT 40000", 1476)
    standard.close()
