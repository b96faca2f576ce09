"""What the role prs_app works out."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.application import (
    account,
    alias_values,
    bound_certificates,
    config_is_set,
    database_servers,
    ldap_rules,
    pool_is_set,
    site_is_set,
    stopped_by,
    without_rights,
)


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("ApplicationPoolIdentity", r"IIS AppPool\PRS"),
        ("NetworkService", "S-1-5-20"),
        ("SpecificUser", r"CORP\prs"),
    ],
)
def test_who_writes_into_the_folder(identity, name):
    assert account({"identity": identity, "pool": "PRS", "user": r"CORP\prs"}) == name


@pytest.mark.parametrize(
    ("ha", "active", "other_sql", "server", "partner"),
    [
        ("none", True, ["sql-b"], "sql-a", ""),
        ("none", False, ["sql-b"], "sql-b", ""),
        ("mirror", True, ["sql-b", "sql-c"], "sql-a", "sql-b"),
        ("mirror", False, ["sql-b"], "sql-b", "sql-a"),
        ("mirror", True, [], "sql-a", ""),
        ("mirror", False, [], "", "sql-a"),
    ],
)
def test_the_database_server_of_the_own_site_and_its_partner(ha, active, other_sql, server, partner):
    facts = {"ha": ha, "active": active, "active_sql": ["sql-a"], "other_sql": other_sql, "host": "web", "groups": {}}
    assert database_servers(facts) == {"server": server, "partner": partner}


@pytest.mark.parametrize(("host", "server"), [("web-b", "sql-b"), ("web-c", "sql-c"), ("web-d", "sql-b")])
def test_of_several_sites_that_wait_each_has_its_own_database_server(host, server):
    groups = {
        "all": ["web-b", "web-c", "web-d", "sql-a", "sql-b", "sql-c"],
        "prs_sql": ["sql-a", "sql-b", "sql-c"],
        "waiting": ["web-b", "sql-b", "web-c", "sql-c"],
        "site_b": ["web-b", "sql-b"],
        "site_c": ["web-c", "sql-c"],
    }
    facts = {"ha": "standby", "active": False, "active_sql": ["sql-a"], "other_sql": ["sql-b", "sql-c"]}
    assert database_servers({**facts, "host": host, "groups": groups})["server"] == server


OWN = {"protocol": "https", "ip": "*", "port": 443, "hostname": "", "certificate_hash": "ab"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param({}, ["AB"], id="the role's own"),
        pytest.param({"certificate_hash": ""}, [""], id="without a certificate"),
        pytest.param({"port": 8443}, [], id="another port"),
        pytest.param({"protocol": "http"}, [], id="HTTP"),
        pytest.param({"hostname": "reset.example.com"}, [], id="an administrator's, for one name"),
        pytest.param({"ip": "10.0.0.5"}, [], id="an administrator's, for one address"),
    ],
)
def test_the_certificate_of_the_binding_that_the_role_makes(change, found):
    assert bound_certificates({"site": {"bindings": [OWN | change]}, "port": "443"}) == found


FOUND_SITE = {"state": "Started", "physical_path": "C:\\PRS", "application_pool": "PRS", "bindings": [OWN]}
SITE = {
    "found": FOUND_SITE,
    "port": 443,
    "thumbprint": "Ab",
    "state": "started",
    "own": True,
    "path": "c:\\prs",
    "pool": "PRS",
}
OF_ANOTHER = {"own": False, "path": "C:\\other", "pool": "other"}


@pytest.mark.parametrize(
    ("change", "is_set"),
    [
        ({}, True),
        ({"found": {}}, False),
        ({"thumbprint": "cd"}, False),
        ({"state": "stopped"}, False),
        ({"path": "C:\\other"}, False),
        ({"pool": "other"}, False),
        (OF_ANOTHER, True),
        (OF_ANOTHER | {"port": 8443}, False),
    ],
)
def test_a_site_that_is_as_it_should_be(change, is_set):
    assert site_is_set(SITE | change) is is_set


FOUND_POOL = {
    "managedPipelineMode": 1,
    "startMode": "alwaysrunning",
    "autoStart": True,
    "processModel.maxProcesses": 1,
    "t": "00:00:00",
}
WANTED = {
    "managedPipelineMode": "Classic",
    "startMode": "AlwaysRunning",
    "autoStart": True,
    "processModel.maxProcesses": 1,
    "t": "00:00:00",
}


@pytest.mark.parametrize(
    ("found", "wanted", "is_set"),
    [
        ({}, {}, True),
        ({"managedPipelineMode": 0}, {}, False),
        ({"managedPipelineMode": 7}, {}, False),
        ({"startMode": 0}, {}, False),
        ({"autoStart": False}, {}, False),
        ({"processModel.maxProcesses": 2}, {}, False),
        ({"t": "00:20:00"}, {}, False),
        ({}, {"managedRuntimeVersion": "v4.0"}, False),
        ({"processModel.password": "x"}, {"processModel.password": "x"}, False),
    ],
)
def test_attributes_of_a_pool(found, wanted, is_set):
    pool = {"state": "Started", "attributes": FOUND_POOL | found}
    assert pool_is_set({"found": pool, "wanted": WANTED | wanted, "state": "started"}) is is_set


@pytest.mark.parametrize(
    ("found", "wanted", "is_set"),
    [
        ("Started", "started", True),
        ("Stopped", "started", False),
        ("Started", "stopped", False),
        ("Stopped", "stopped", True),
        ("Stopping", "started", True),
    ],
)
def test_the_state_of_a_pool(found, wanted, is_set):
    assert pool_is_set({"found": {"state": found, "attributes": {}}, "wanted": {}, "state": wanted}) is is_set


def test_a_pool_that_nobody_saw_is_not_set():
    assert pool_is_set({"found": {}, "wanted": {}, "state": "started"}) is False


DONE = """<configuration><system.webServer><security><requestFiltering>
  <requestLimits maxQueryString="1" maxAllowedContentLength="131072000" /></requestFiltering></security></system.webServer>
  <location path="Other.aspx"><system.web><httpRuntime maxRequestLength="1" executionTimeout="1" /></system.web></location>
  <location allowOverride="true" path="Upload.aspx">
    <system.web><httpRuntime executionTimeout="1100" maxRequestLength="128000" /></system.web>
  </location></configuration>"""


@pytest.mark.parametrize(
    ("old", "new", "is_set"),
    [
        ("", "", True),
        ("131072000", "30000000", False),
        ('maxRequestLength="128000"', 'maxRequestLength="4096"', False),
        ('executionTimeout="1100"', "", False),
        ('path="Upload.aspx"', 'path="UploadXaspx"', False),
        ('path="Upload.aspx">', 'path="Upload.aspx"/>', False),
        ("</configuration>", '<add key="MockPhoneQuestionsCaller"/></configuration>', False),
        ("</configuration>", '<!-- <add key="MockPhoneQuestionsCaller"/>\n--></configuration>', True),
        ("<requestLimits", "<!--<requestLimits", False),
    ],
)
def test_web_config_reads_as_it_should(old, new, is_set):
    text = DONE.replace(old, new) if old else DONE
    if new.startswith("<!--<request"):
        text = text.replace("</requestFiltering>", "--></requestFiltering>")
    facts = {"upload_page": "Upload.aspx", "upload_bytes": 131072000, "request_kb": 128000, "timeout": 1100}
    assert config_is_set(facts | {"content": base64.b64encode(text.encode()).decode()}) is is_set


def test_a_web_config_that_is_not_there_is_not_set():
    facts = {"upload_page": "Upload.aspx", "upload_bytes": 1, "request_kb": 1, "timeout": 1, "content": ""}
    assert config_is_set(facts) is False


def test_an_alias_is_led_in_every_view_of_the_registry():
    facts = {"aliases": [{"name": "prs-sql", "server": "sql-a"}], "keys": ["HKLM:\\x", "HKLM:\\y"], "port": 1433}
    assert alias_values(facts) == [
        {"key": "HKLM:\\x", "name": "prs-sql", "data": "DBMSSOCN,sql-a,1433"},
        {"key": "HKLM:\\y", "name": "prs-sql", "data": "DBMSSOCN,sql-a,1433"},
    ]


def test_application_pools_of_both_bitnesses_ask_the_directory_alone():
    rules = ldap_rules({"addresses": {"allow": ["10.1.0.10"], "block": ["0.0.0.0-10.1.0.9"]}, "ports": [389, 636]})
    assert [(rule["action"], rule["remote_addresses"]) for rule in rules] == [
        *[("allow", "10.1.0.10")] * 2,
        *[("block", "0.0.0.0-10.1.0.9")] * 2,
    ]
    assert len({rule["name"] for rule in rules}) == 4 and len({rule["program"] for rule in rules}) == 2
    assert {rule["remote_ports"] for rule in rules} == {"389,636"}


def test_what_stops_a_restore_is_said_with_the_yes_that_it_needs():
    assert stopped_by({"archive": {"path": "a.zip"}, "changed": True}) == ""
    refused = {"failed": False, "msg": "The folder has another key", "error_code": "would_lose_data"}
    yes = "-e prs_allow_application_loss=true says that yes."
    assert stopped_by(refused) == f"The folder has another key. {yes} Nothing was touched."
    assert stopped_by({"msg": "There is no archive.", "error_code": "not_found"}) == (
        "There is no archive. Nothing was touched."
    )


ALLOWED = {"path": "C:\\PRS", "rights": 7, "allow": True, "inherited": False, "inheritance": 3, "propagation": 0}


@pytest.mark.parametrize(
    ("rules", "lacking"),
    [
        ([], ["C:\\PRS", "C:\\Temp"]),
        ([ALLOWED], ["C:\\Temp"]),
        ([ALLOWED | {"rights": 1}, ALLOWED, ALLOWED | {"path": "C:\\Temp"}], []),
        *(
            ([ALLOWED | {name: value}], ["C:\\PRS", "C:\\Temp"])
            for name, value in {
                "rights": 15,
                "allow": False,
                "inherited": True,
                "inheritance": 1,
                "propagation": 2,
            }.items()
        ),
    ],
)
def test_folders_on_which_the_account_lacks_its_rights(rules, lacking):
    assert without_rights({"folders": ["C:\\PRS", "C:\\Temp"], "rights": 7, "rules": rules}) == lacking
