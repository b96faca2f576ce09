from __future__ import annotations

import pytest

from .conftest import SHARE, SYSTEM, Failed, mark


@pytest.fixture(scope="module")
def certificate(sql_a):
    """A certificate on sql-a whose private key nobody has backed up."""
    if not sql_a.ask("SELECT 1 FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##'"):
        sql_a.ask("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-Passw0rd'")
    sql_a.ask("CREATE CERTIFICATE [PRS backup] WITH SUBJECT = 'PRS backup'")
    yield "PRS backup"
    sql_a.ask("DROP CERTIFICATE [PRS backup]")


def test_an_encrypted_backup(sql_a, database, certificate, only_queries):
    asked = {"database": database, "file_name": "{database}_secret.bak", "encryption": {"certificate": certificate}}
    with only_queries:
        planned = sql_a.run("sql_backup", check=True, **asked)
    assert "ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = [PRS backup])" in planned["statements"][-1]
    assert "was never backed up" in str(planned["warnings"])
    mark(sql_a, database, 2, "a secret of the database")
    plain, backup = (
        sql_a.run("sql_backup", compression="never", **options)["backup"] for options in ({"database": database}, asked)
    )
    ((thumbprint,),) = sql_a.ask("SELECT thumbprint FROM sys.certificates WHERE name = 'PRS backup'")
    assert backup["encryption"]["thumbprint"] == thumbprint.hex().upper() == backup["sets"][0]["encryptor_thumbprint"]
    assert backup["verified"] is True
    legible = [b"a secret of the database" in sql_a.host.files(SYSTEM).read(one["files"][0]) for one in (plain, backup)]
    assert legible == [True, False]


def test_the_warning_ends_with_the_backup_of_the_key(sql_a, database, certificate):
    asked = {"database": database, "encryption": {"certificate": certificate, "algorithm": "aes_128"}}
    assert "was never backed up" in str(sql_a.run("sql_backup", **asked)["warnings"])
    sql_a.do(
        "BACKUP CERTIFICATE [PRS backup] TO FILE = N'D:\\Backup\\prs-backup.cer' "
        "WITH PRIVATE KEY (FILE = N'D:\\Backup\\prs-backup.pvk', ENCRYPTION BY PASSWORD = N'Key-Passw0rd')"
    )
    result = sql_a.run("sql_backup", file_name="{database}_again.bak", **asked)
    assert "warnings" not in result and result["backup"]["encryption"]["key_backed_up_at"]


@pytest.mark.parametrize("check", [True, False])
def test_a_certificate_that_is_not_there(sql_a, database, check):
    with pytest.raises(Failed, match="There is no certificate nothing in master"):
        sql_a.run("sql_backup", check=check, database=database, encryption={"certificate": "nothing"})
    assert sql_a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", database) == [(0,)]


def test_it_is_not_appended_to_a_file(sql_a, database, certificate):
    same = {"database": database, "file_name": "{database}.bak", "encryption": {"certificate": certificate}}
    sql_a.run("sql_backup", **same)
    with pytest.raises(Failed, match="overwrite: true"):
        sql_a.run("sql_backup", **same)
    assert sql_a.run("sql_backup", overwrite=True, **same)["backup"]["verified"] is True


def test_an_edition_that_cannot(sql_a, database, certificate, monkeypatch):
    from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import run as backing_up

    read_server = backing_up.read_server
    monkeypatch.setattr(
        backing_up, "read_server", lambda connection: {**read_server(connection), "edition": "Express Edition (64-bit)"}
    )
    with pytest.raises(Failed, match="cannot encrypt backups"):
        sql_a.run("sql_backup", database=database, encryption={"certificate": certificate})


def test_the_public_half_of_a_certificate_is_not_enough_to_restore(sql_a, sql_b, database, certificate, only_queries):
    """As a partner's certificate for mirroring is there: without its private key."""
    folder = f"{SHARE}\\encrypted\\{database}"
    sql_a.run("sql_backup", database=database, path=folder, encryption={"certificate": certificate})
    ((public,),) = sql_a.ask("SELECT CERTENCODED(CERT_ID(N'PRS backup'))")
    sql_b.ask(f"CREATE CERTIFICATE [PRS backup of A] FROM BINARY = 0x{public.hex()}")
    with only_queries, pytest.raises(Failed, match="whose private key this server does not have") as failed:
        sql_b.run("sql_restore", check=True, database=database, source={"folders": [folder]})
    refusal = failed.value.result["refusal"]
    assert refusal["code"] == "certificate" and len(refusal["certificates_missing"]) == 1
    sql_b.ask("DROP CERTIFICATE [PRS backup of A]")
