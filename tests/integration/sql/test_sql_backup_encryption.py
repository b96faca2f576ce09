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


@pytest.fixture
def expired(sql_a, certificate):
    """A certificate that is over, as a DBA's of last year is."""
    sql_a.ask(
        "CREATE CERTIFICATE [PRS old] WITH SUBJECT = 'PRS old', START_DATE = '20200101', EXPIRY_DATE = '20210101'"
    )
    yield "PRS old"
    for (name,) in sql_a.ask("SELECT name FROM sys.certificates WHERE name LIKE 'PRS old%'"):
        sql_a.ask(f"DROP CERTIFICATE [{name}]")


@pytest.mark.parametrize("check", [True, False])
def test_an_expired_certificate_is_refused_before_anything_is_written(sql_a, database, expired, check):
    with pytest.raises(Failed, match=r"PRS old.*has expired.*3096.*renew_before"):
        sql_a.run("sql_backup", check=check, database=database, encryption={"certificate": expired})
    assert sql_a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", database) == [(0,)]


def test_the_successor_of_an_expired_certificate_is_used(sql_a, database, expired):
    made = sql_a.run("sql_certificate", name=expired, renew_before=60)["certificate"]["name"]
    backup = sql_a.run("sql_backup", database=database, encryption={"certificate": expired})["backup"]
    assert made.startswith("PRS old_") and backup["encryption"]["certificate"] == made and backup["verified"]


def test_a_restore_elsewhere_gets_the_successor_too(sql_a, sql_b, database, expired):
    """The keys folder holds both; a rebuilt server that asks for the certificate by its name gets what the newest backup
    needs.
    """
    sql_a.run("sql_backup", database=database, path=SHARE)  # makes the folder
    keys = {"certificate_file": f"{SHARE}\\{database}.cer", "key_file": f"{SHARE}\\{database}.pvk"}
    keys["password"] = "Key-Passw0rd"
    folder = f"{SHARE}\\renewed\\{database}"
    sql_a.run("sql_certificate", name=expired, key_backup=keys)
    made = sql_a.run("sql_certificate", name=expired, renew_before=60, key_backup=keys)["certificate"]["name"]
    sql_a.run("sql_backup", database=database, path=folder, encryption={"certificate": expired})
    asked = {"name": expired, "key_backup": keys, "create": False, "master_key_password": "Master-Passw0rd"}
    brought = sql_b.run("sql_certificate", **asked)
    assert brought["certificate"]["name"] == made and not sql_b.run("sql_certificate", **asked)["changed"]
    sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    for name in (made, expired):
        sql_b.ask(f"DROP CERTIFICATE [{name}]")


def test_the_tail_of_the_log_is_encrypted_where_backups_are(sql_a, database, certificate, share):
    folder = f"{SHARE}\\tails\\{database}"
    encryption = {"certificate": certificate}
    sql_a.run("sql_backup", database=database, path=folder, encryption=encryption)
    mark(sql_a, database, 2, "a secret of the tail")
    source = {"folders": [folder]}
    for check in (True, False):
        with pytest.raises(Failed, match="There is no certificate nothing in master"):
            sql_a.run(
                "sql_restore", check=check, database=database, source=source, replace="always",
                encryption={"certificate": "nothing"},
            )  # fmt: skip
    result = sql_a.run("sql_restore", database=database, source=source, replace="always", encryption=encryption)
    assert "SERVER CERTIFICATE = [PRS backup]" in next(text for text in result["statements"] if "NORECOVERY" in text)
    tail = result["tail_log"]["file"].replace(SHARE, "D:\\Shares\\backup")
    assert b"a secret of the tail" not in share.read(tail) and sql_a.marks(database) == [1, 2]
