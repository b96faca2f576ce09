"""What a set says of the web server, and what the other places need."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.backup import (
    copies_elsewhere,
    copy_account,
    kept_logins,
    other_places,
    other_sites,
    places,
    web_facts,
)

ACCOUNTS = {"copies_user": "copier", "copies_password": "c", "share_user": "writer", "share_password": "w"}


@pytest.mark.parametrize(
    ("changed", "account"),
    [
        ({}, {"share_user": "copier", "share_password": "c"}),
        ({"copies_user": ""}, {"share_user": "writer", "share_password": "w"}),
        ({"copies_user": "", "share_user": ""}, {}),
    ],
)
def test_the_account_of_places_that_name_none(changed, account):
    assert copy_account(ACCOUNTS | changed) == account


def test_a_place_needs_no_site_to_be_elsewhere():
    copies = [{"site": "site_a", "path": "a"}, {"site": "site_b", "path": "b"}, {"path": "c"}]
    assert [copy["path"] for copy in copies_elsewhere({"copies": copies, "site": "site_a"})] == ["b", "c"]
    assert copies_elsewhere({"copies": copies, "site": ""}) == copies


FIRST = {"site": "site_a", "path": r"\\a\prs", "share_user": "writer", "database_user": ""}
ACCOUNT = {"share_user": "copier", "share_password": "secret"}


def test_the_places_of_backups_and_their_accounts():
    copies = [{"site": "site_a", "path": r"\\a\copy"}, {"site": "site_b", "path": r"\\b\prs"}]
    copies.append({"path": r"\\c\prs", "share_user": "own"})
    assert places({"first": FIRST, "copies": copies, "copies_account": ACCOUNT}) == [
        FIRST,
        {"site": "site_b", "path": r"\\b\prs", "share_user": "copier", "share_password": "secret"},
        {"path": r"\\c\prs", "share_user": "own", "share_password": "secret"},
    ]


def test_another_place_is_what_a_module_takes_of_it():
    copies = [
        {"site": "site_b", "path": r"\\b\prs", "retention": {"last": 3}},
        {"path": r"\\c\prs", "share_user": "own"},
    ]
    options = ["path", "sets_path", "share_user", "share_password"]
    assert other_places({"first": FIRST, "copies": copies, "copies_account": ACCOUNT, "options": options}) == [
        {"path": r"\\b\prs", "share_user": "copier", "share_password": "secret"},
        {"path": r"\\c\prs", "share_user": "own", "share_password": "secret"},
    ]


def login(name, sid):
    return {"name": name, "sid": sid}


def test_no_login_of_windows_itself_goes_into_a_set_whatever_its_name_is():
    kept = [
        login("prs_app", "0x5A1D0C9E7B3F4482A6E1D50B7C92F318"),
        login("PRSLAB\\dba", "0x0105000000000005150000000102030405060708090A0B0C51040000"),
        login("VORDEFINIERT\\Administratoren", "0x01020000000000052000000020020000"),
    ]
    own = [
        login("##MS_PolicyEventProcessingLogin##", "0x27578D8516843E4094EFA2CEED085C82"),
        login("NT AUTHORITY\\SYSTEM", "0x010100000000000512000000"),
        login("NT-AUTORITÄT\\SYSTEM", "0x010100000000000512000000"),
        login("AUTORITE NT\\SERVICE RÉSEAU", "0x010100000000000514000000"),
        login("NT SERVICE\\ALL SERVICES", "0x01020000000000055000000000000000"),
        login("NT SERVICE\\MSSQLSERVER", "0x010600000000000550000000E20F4FE7B15874E48E19026478C2DC9AC307B83E"),
    ]
    assert kept_logins({"logins": [*own, *kept]}) == kept


WEB = {
    "host": "web-a",
    "folder": "C:\\app",
    "versions": [{"path": "a.dll", "version": ""}, {"path": "b.dll", "version": "5.3"}, {"path": "c.dll", "version": "1"}],
    "sites": [{"name": "PRS", "bindings": [{"protocol": "http"}, {"certificate_hash": "AB"}, {"certificate_hash": "CD"}]}],
    "pools": [{"name": "PRS", "attributes": {"state": "Started"}}],
    "alias": "prs-db",
    "alias_value": "DBMSSOCN,sql-a,1433",
    "pfx": "files/site.pfx",
}  # fmt: skip


def test_what_a_set_says_of_the_web_server():
    assert web_facts(WEB) == {
        "web": {
            "host": "web-a",
            "folder": "C:\\app",
            "version": "5.3",
            "version_of": "b.dll",
            "site": WEB["sites"][0],
            "pool": {"state": "Started"},
            "alias": {"prs-db": "DBMSSOCN,sql-a,1433"},
        },
        "site_certificate": {"pfx": "files/site.pfx", "thumbprint": "AB"},
    }


def test_what_is_not_there_is_empty():
    facts = web_facts(WEB | {"versions": [], "sites": [], "pools": [], "alias": ""})
    web = facts["web"]
    assert (web["version"], web["version_of"], web["site"], web["pool"], web["alias"]) == ("", "", {}, {}, {})
    assert facts["site_certificate"]["thumbprint"] == ""
    assert web_facts(WEB | {"sites": [{"bindings": [{"protocol": "http"}]}]})["site_certificate"]["thumbprint"] == ""


NOTHING = {
    "sql_media": "", "media_path": "", "app_media": "PRS.zip", "dotnet_media": "",
    "sql_pfx": "", "sql_pfx_present": False, "app_pfx": "", "app_pfx_present": False,
}  # fmt: skip
SQL = NOTHING | {"name": "sql-b", "groups": ["prs_sql", "site_b"], "sql_media": r"\\m\sql", "sql_pfx": "sql.pfx", "app_pfx": "x.pfx"}  # fmt: skip
WEB_SERVER = NOTHING | {
    "name": "web-b", "groups": ["prs_web", "site_b"], "media_path": r"\\m", "dotnet_media": r"\\m\net.exe",
    "app_pfx": "app.pfx", "sql_pfx": "y.pfx", "sql_media": "not for a web server",
}  # fmt: skip


def test_what_a_rebuild_at_another_site_needs():
    assert other_sites({"sites": [[WEB_SERVER, SQL]]}) == [
        {
            "servers": ["web-b", "sql-b"],
            "media": [r"\\m\sql\setup.exe", r"\\m\PRS.zip", r"\\m\net.exe"],
            "missing_certificates": [["sql-b", "sql.pfx"], ["web-b", "app.pfx"]],
        }
    ]


def test_what_is_there_or_not_named_is_not_missing():
    present = [SQL | {"sql_pfx_present": True}, WEB_SERVER | {"app_pfx": ""}]
    assert other_sites({"sites": [present, []]}) == [
        {"servers": ["sql-b", "web-b"], "media": [r"\\m\sql\setup.exe", r"\\m\PRS.zip", r"\\m\net.exe"], "missing_certificates": []},
        {"servers": [], "media": [], "missing_certificates": []},
    ]  # fmt: skip


def test_the_same_media_of_two_servers_are_looked_at_once_and_what_the_inventory_does_not_say_never():
    bare = [NOTHING | {"name": "web-c", "groups": ["prs_web"]}, NOTHING | {"name": "sql-c", "groups": ["prs_sql"]}]
    [site] = other_sites({"sites": [[SQL, SQL | {"name": "sql-c"}, *bare]]})
    assert site["media"] == [r"\\m\sql\setup.exe"]
