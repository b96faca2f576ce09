from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.odbc_driver import require_pyodbc

from .conftest import COLLATION, Failed

FREETDS = {"driver": "FreeTDS", "certificate_name": None}


@pytest.fixture(params=["microsoft", "freetds"])
def driver(request):
    """Options that choose the driver."""
    if request.param == "microsoft":
        return {}
    if not any("FreeTDS" in name for name in require_pyodbc().drivers()):
        pytest.skip("FreeTDS is not installed (Debian: tdsodbc)")
    return FREETDS


def test_the_instance_with_both_drivers(sql_a, driver):
    result = sql_a.run("sql_info", **driver)
    server = result["server"]
    assert result["changed"] is False
    assert (server["name"], server["host_name"], server["version_major"], server["build"]) == (
        "SQL-A",
        "SQL-A",
        15,
        4430,
    )
    assert server["edition"].startswith("Standard") and server["backup_compression"] is True
    assert (server["collation"], server["mixed_mode"], server["sysadmin"]) == (COLLATION, True, True)
    assert (server["default_data_path"], server["default_log_path"], server["default_backup_path"]) == (
        "D:\\Data",
        "E:\\Log",
        "D:\\Backup",
    )
    assert server["encrypted_connection"] is True
    assert {"master", "tempdb", "model", "msdb"} <= {one["name"] for one in result["databases"]}
    sa = next(login for login in result["logins"] if login["name"] == "sa")
    assert sa["sid"] == "0x01" and "sysadmin" in sa["server_roles"]
    assert result["endpoints"] == [] and isinstance(result["certificates"], list)


def test_a_database_and_its_files(sql_a, database, driver):
    found = next(
        one
        for one in sql_a.run("sql_info", gather_subset=["databases"], **driver)["databases"]
        if one["name"] == database
    )
    assert (found["state"], found["recovery_model"], found["page_verify"], found["user_access"]) == (
        "ONLINE",
        "FULL",
        "CHECKSUM",
        "MULTI_USER",
    )
    assert {file["type"]: file["path"][:8] for file in found["files"]} == {
        "ROWS": "D:\\Data\\",
        "LOG": "E:\\Log\\" + database[0],
    }
    assert found["size_bytes"] > 0 and len(found["family_guid"]) == 36
    assert found["last_full_backup"] is None


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"login_password": "wrong"}, ["18456", "login_password"]),
        ({"login_user": "nobody"}, ["18456", "as nobody"]),
        ({"certificate_name": "another.name"}, ["certificate", "another.name", "certificate_name"]),
        ({"ca_file": None}, ["certificate", "ca_file"]),
        ({"ca_file": "/no/such/file"}, ["/no/such/file", "ca_file"]),
        ({"login_port": 9, "connect_timeout": 2}, ["Cannot reach SQL Server on", ":9", "firewall"]),
    ],
)
def test_what_goes_wrong_says_what_to_do(sql_a, options, parts, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_info", **options)
    for part in parts:
        assert part in failed.value.result["msg"]


def test_strict_and_optional_encryption(sql_a):
    assert sql_a.run("sql_info", encrypt="strict", gather_subset=[])["server"]["encrypted_connection"] is True
    assert sql_a.run("sql_info", encrypt="optional", gather_subset=[])["server"]["encrypted_connection"] is False


def test_a_login_without_rights_sees_what_it_may(sql_a, database, name, driver):
    """Not how its session is protected, and all else as before."""
    login = {"login_user": f"{name}_guest", "login_password": "Gue5t-Passw0rd"}
    sql_a.run("sql_login", name=login["login_user"], password=login["login_password"], check_policy=False)
    everything = ["databases", "logins", "endpoints", "certificates"]
    result = sql_a.run("sql_info", gather_subset=everything, **driver, **login)
    assert result["server"]["encrypted_connection"] is None and result["server"]["sysadmin"] is False
    assert {"master", database} <= {one["name"] for one in result["databases"]}
    assert login["login_user"] in {one["name"] for one in result["logins"]}
