"""Single roles on servers that are not like the others: what their options promise beyond what the playbooks' tests
use.
"""

from __future__ import annotations

import base64
import json
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymssql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from playbook_lab import Estate, Run
from prs_lab.estate.authority import Authority
from prs_lab.estate.media import installer
from prs_lab.windows.firewall import BLOCK, OUT, TCP, Rule

VARIANTS = Path(__file__).parents[1] / "estates/variants.yml"
SQL_KEY = r"HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL15.PRS"
NT_KEY = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
NET_KEY = r"HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
ALIAS_KEYS = (
    r"HKLM\SOFTWARE\Microsoft\MSSQLServer\Client\ConnectTo",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\MSSQLServer\Client\ConnectTo",
)


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    estate = Estate(tmp_path_factory.mktemp("variants"))
    estate.up(str(VARIANTS))
    yield estate
    estate.lab.down()


def play(estate: Estate, *plays: dict[str, Any], options: tuple[str, ...] = ()) -> Run:
    """Run roles: `hosts`, `roles` (NAME or NAME:ENTRY-POINT) and the variables, of each play."""
    file = estate.lab.state_dir / "roles.json"
    file.write_text(
        json.dumps(
            [
                {
                    "hosts": one["hosts"],
                    "gather_facts": False,
                    "vars": {name: value for name, value in one.items() if name not in ("hosts", "roles")},
                    "tasks": [
                        {
                            "ansible.builtin.include_role": {
                                "name": f"prs.recovery.{role}",
                                "tasks_from": entry or "main",
                            }
                        }
                        for role, _, entry in (text.partition(":") for text in one["roles"])
                    ],
                }
                for one in plays
            ]
        ),
        encoding="utf-8",
    )
    return estate.play_file(file, *options)


def kept(estate: Estate, host: str) -> dict[str, Any]:
    """The parts of a host as the lab keeps them; it writes them half a second after a change."""
    file = estate.lab.state_dir / "hosts" / host / "host.json"
    while time.time() - file.stat().st_mtime < 1:
        time.sleep(0.2)
    return json.loads(file.read_text(encoding="utf-8"))["parts"]


def reboots(estate: Estate, host: str) -> int:
    return [entry["event"] for entry in estate.lab.record("power", host=host)].count("reboot")


def core(estate: Estate, *roles: str) -> dict[str, Any]:
    return {
        "hosts": "core",
        "roles": roles,
        "prs_app_name": "Reset",
        "prs_app_site": "Default Web Site",
        "prs_app_path": r"C:\Sites\Reset",
        "prs_app_media": "PasswordResetServer.msi",
        "prs_app_msi_properties": [r"INSTALLDIR=C:\Sites\Reset"],
        "prs_app_identity": "SpecificUser",
        "prs_app_identity_user": r"PRSLAB\svc-prs",
        "prs_app_identity_password": estate.lab.description.secrets.accounts["svc-prs"],
        "prs_ldap_servers": ["10.1.0.10", "10.2.0.0/24", "10.3.0.1-10.3.0.9"],
    }


def trial(*roles: str, **variables: Any) -> dict[str, Any]:
    return {"hosts": "trial", "roles": roles, "prs_app_identity": "NetworkService", "prs_ldap_servers": [], **variables}


@pytest.fixture(scope="module")
def web_servers(variants: Estate) -> Run:
    """IIS and the application on both web servers, in as different ways as there are; the first of two runs."""
    both = core(variants, "iis", "prs_app"), trial("iis", "prs_app")
    variants.lab.fault("restart-pending", host="core")
    first = play(variants, *both)
    assert first.code == 0, first.output
    again = play(variants, *both)
    assert (again.code, again.changed) == (0, 0), again.output
    assert "(item=/configuration" in first.output
    assert "(item=/configuration" not in again.output, "what is right already takes no task for each of its parts"
    return first


def test_windows_is_restarted_before_features_that_it_would_refuse(variants: Estate, web_servers: Run):
    """A fresh server with updates waits for a restart."""
    assert reboots(variants, "core") == 1
    assert "TASK [prs.recovery.iis : Restart before they are installed]" in web_servers.output


def test_the_msi_below_the_default_site_under_an_account_of_the_domain(variants: Estate, web_servers: Run):
    state = kept(variants, "core")
    pool = next(pool for pool in state["iis"]["pools"] if pool["name"] == "Reset")["attributes"]
    assert {
        name: pool[name]
        for name in (
            "managedRuntimeVersion",
            "managedPipelineMode",
            "startMode",
            "processModel.identityType",
            "processModel.userName",
            "processModel.maxProcesses",
            "processModel.idleTimeout",
            "recycling.periodicRestart.time",
        )
    } == {
        "managedRuntimeVersion": "v4.0",
        "managedPipelineMode": "Classic",
        "startMode": "AlwaysRunning",
        "processModel.identityType": "SpecificUser",
        "processModel.userName": r"PRSLAB\svc-prs",
        "processModel.maxProcesses": 1,
        "processModel.idleTimeout": "00:00:00",
        "recycling.periodicRestart.time": "00:00:00",
    }
    site = next(site for site in state["iis"]["sites"] if site["name"] == "Default Web Site")
    assert [application["path"] for application in site["applications"]] == ["/", "/Reset"]
    assert "web-mgmt-console" not in state["features"], "Server Core cannot have it"
    assert variants.lab.page(host="core", path="/Reset/").state == "wizard"


def test_a_client_windows_for_trials(variants: Estate, web_servers: Run):
    assert "web-mgmt-console" in kept(variants, "trial")["features"]
    assert variants.lab.page(host="trial").state == "wizard"


def test_the_person_at_the_wizard_is_told_address_and_values(web_servers: Run):
    for text in (
        "https://reset.prslab.test:8443/Reset/",
        "https://reset.prslab.test:8443/ in",
        r"PRSLAB\\svc-prs has Modify on C:\\Sites\\Reset",
        "server prs-sql, database PasswordResetServer",
        "user prs_app",
        "password: the value of prs_app_login_password",
    ):
        assert text in web_servers.output, web_servers.output


@pytest.mark.parametrize("host", ["core", "trial"])
@pytest.mark.parametrize("key", ALIAS_KEYS)
def test_the_alias_is_in_both_views_of_the_registry(variants: Estate, web_servers: Run, host: str, key: str):
    assert ["prs-sql", "string", "DBMSSOCN,sql.prslab.test,1433"] in kept(variants, host)["registry"][key]


@pytest.mark.parametrize(
    ("address", "open_"),
    [
        ("10.1.0.10", True),
        ("10.2.0.0", True),
        ("10.2.0.255", True),
        ("10.3.0.9", True),
        ("10.1.0.9", False),
        ("10.1.0.11", False),
        ("10.2.1.0", False),
        ("10.3.0.10", False),
        ("203.0.113.1", False),
    ],
)
def test_ldap_goes_to_the_named_servers_and_to_nobody_else(
    variants: Estate, web_servers: Run, address: str, open_: bool
):
    """Windows lets a block win over an allow, whatever their order."""
    rules = [Rule(**rule) for rule in kept(variants, "core")["firewall"]]
    programs = {rule.ApplicationName.rpartition("Windows\\")[2] for rule in rules if "LDAP" in rule.Name}
    assert programs == {rf"{folder}\inetsrv\w3wp.exe" for folder in ("System32", "SysWOW64")}, "Windows asks others too"
    for port in (389, 636):
        matching = [
            rule.Action
            for rule in rules
            if rule.covers(direction=OUT, protocol=TCP, local_port=None, remote_port=port, remote=address)
        ]
        assert (BLOCK not in matching) == open_
        assert bool(matching), "a firewall whose default is to block needs the allow rule"
    assert not [rule for rule in kept(variants, "trial")["firewall"] if "LDAP" in rule["Name"]]


FOLDERS = {"core": "Sites/Reset", "trial": "inetpub/wwwroot/PasswordResetServer"}


def web_config(estate: Estate, host: str) -> Path:
    return estate.lab.state_dir / "hosts" / host / "drives" / "C" / FOLDERS[host] / "web.config"


def assert_upgrades_fit_through(file: Path) -> ElementTree.Element:
    root = ElementTree.fromstring(file.read_bytes())
    assert (
        root.find("system.webServer/security/requestFiltering/requestLimits").get("maxAllowedContentLength")
        == "131072000"
    )
    [page] = root.findall("location[@path='InstallerCheckForUpdates.aspx']/system.web/httpRuntime")
    assert (page.get("maxRequestLength"), page.get("executionTimeout")) == ("128000", "1100")
    return root


@pytest.mark.parametrize("host", FOLDERS)
def test_upgrades_fit_through_and_the_testing_aid_is_gone(variants: Estate, web_servers: Run, host: str):
    file = web_config(variants, host)
    root = assert_upgrades_fit_through(file)
    assert root.find("system.web/httpRuntime").get("maxRequestLength") == "4096", "other pages keep their limit"
    assert b"MockPhoneQuestionsCaller" not in file.read_bytes()


def test_upgrades_fit_through_whatever_web_config_looked_like(variants: Estate, web_servers: Run):
    page = "InstallerCheckForUpdates.aspx"
    given = {
        "core": (
            f'<configuration><location path="{page}" /><system.webServer><security '
            "/></system.webServer></configuration>"
        ),
        "trial": f'''<configuration><system.web><httpRuntime maxRequestLength="128000" executionTimeout="1100" /></system.web>
            <location path="{page}"><system.web><customErrors mode="Off" /></system.web></location></configuration>''',
    }
    before = {host: web_config(variants, host).read_bytes() for host in given}
    for host, text in given.items():
        web_config(variants, host).write_text(text, encoding="utf-8")
    both = core(variants, "prs_app:folder"), trial("prs_app:folder")
    run = play(variants, *both)
    assert run.code == 0, run.output
    for host in given:
        assert_upgrades_fit_through(web_config(variants, host))
        web_config(variants, host).write_bytes(before[host])


def test_verify_tells_a_wizard_that_waits_from_a_broken_page(variants: Estate, web_servers: Run, one_message):
    seen = {"verify_url": "https://{{ ansible_host }}:{{ prs_app_https_port }}/", "verify_attempts": 1}
    waiting = play(variants, trial("verify", "verify:summary", **seen))
    assert waiting.code == 0, waiting.output
    assert "waits for the setup wizard" in waiting.output
    broken = play(variants, trial("prs_app:start_or_stop", "verify", "verify:summary", prs_app_state="stopped", **seen))
    one_message(
        broken,
        "DOES NOT SERVE: 1 check failed",
        "- https://",
        ": page: ",
        "on trial the site is stopped in IIS",
        "Start",
        alone=True,
    )


UPDATED = "15.0.4440.1"
SQL = {"hosts": "sql", "roles": ["sql_server"], "prs_sql_instance": "PRS", "prs_sql_port": 1444}


@pytest.mark.nightly
def test_restarts_before_setup_are_bounded(variants: Estate, one_message):
    """Some product sets the mark again at every start."""
    variants.lab.fault("restart-pending", host="sql", sticky=True)
    one_message(
        play(variants, dict(SQL)),
        "sql: Windows still waits for a restart (file rename) after 2 of them",
        "sql_server_ignore_pending_rename",
    )
    assert reboots(variants, "sql") == 2
    assert variants.lab.state("sql")["sql"]["sql_instances"] == {}
    variants.lab.unfault("restart-pending", host="sql")


@pytest.fixture(scope="module")
def other_collation(variants: Estate) -> int:
    """A named instance of Express with a fixed port and a collation that PRS cannot use; how often the server was
    restarted for it.
    """
    before = reboots(variants, "sql")
    variants.lab.fault("restart-pending", host="sql")
    updates = variants.lab.state_dir / "hosts/files/drives/D/Shares/media/updates"
    updates.mkdir()
    update = installer({"product": "sql_server_update", "version": UPDATED})
    (updates / "SQLServer2019-KB5000000-x64.exe").write_bytes(update)
    from_share = {"prs_sql_updates": r"\\files.prslab.test\media\updates"}
    run = play(variants, {**SQL, **from_share, "prs_sql_collation": "Latin1_General_CI_AS"})
    assert run.code == 0, run.output
    again = play(variants, {**SQL, "prs_sql_collation": "Latin1_General_CI_AS"})
    assert (again.code, again.changed) == (0, 0), again.output
    return reboots(variants, "sql") - before


@pytest.mark.nightly
def test_a_new_database_belongs_to_the_login_that_has_the_same_sid_everywhere(variants: Estate, other_collation: int):
    """After a failover dbo would else be a SID that no login of the other server has."""
    collation = {"prs_sql_collation": "Latin1_General_CI_AS"}
    run = play(variants, {**SQL, **collation, "roles": ["sql_server:database"]})
    assert run.code == 0, run.output
    description = variants.lab.description
    address, password = description.host("sql").address, description.secrets.sql_admin
    with (
        closing(
            pymssql.connect(server=address, port="1444", user="prs_recovery", password=password, encryption="require")
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT owner_sid FROM sys.databases WHERE database_id > 4")
        assert cursor.fetchall() == [(b"\x01",)]


@pytest.mark.nightly
def test_updates_are_read_by_the_account_of_the_share_as_the_media_are(variants: Estate, other_collation: int):
    """Setup runs as SYSTEM, which has no rights there."""
    found = kept(variants, "sql")["registry"]
    assert UPDATED in json.dumps(found)
    left = variants.lab.state_dir / "hosts/sql/drives/C/Windows/prs-recovery-sql"
    assert not left.exists()


@pytest.mark.nightly
def test_one_restart_before_setup_and_one_when_setup_asks_for_it(other_collation: int):
    assert other_collation == 2


@pytest.mark.nightly
def test_another_collation_is_refused_before_anything_is_touched(variants: Estate, other_collation: int, one_message):
    before = variants.lab.digest("sql")
    one_message(
        play(variants, dict(SQL)),
        "sql: SQL Server PRS has the collation Latin1_General_CI_AS",
        "needs SQL_Latin1_General_CP1_CI_AS",
        "remove",
    )
    assert variants.lab.digest("sql") == before


@pytest.mark.nightly
def test_what_answers_is_believed_and_not_what_the_registry_says(variants: Estate, other_collation: int, one_message):
    _set(variants, r"Setup", "Collation", "SQL_Latin1_General_CP1_CI_AS")
    one_message(
        play(variants, dict(SQL)),
        "sql: the instance that answers on port 1444",
        "Latin1_General_CI_AS (wanted SQL_Latin1_General_CP1_CI_AS)",
    )


@pytest.mark.nightly
def test_a_service_alone_is_no_instance(variants: Estate, other_collation: int, one_message):
    assert variants.lab.state("sql")["sql"]["sql_instances"] == {"PRS": "running"}
    _set(variants, "ConfigurationState", "SQL_Engine_Core_Inst", 2, kind="dword")
    one_message(
        play(variants, dict(SQL)), "sql: an installation of SQL Server PRS began and did not finish", "run again"
    )


@pytest.mark.nightly
def test_servers_that_are_not_prepared_are_named_before_anything_is_touched(
    variants: Estate, other_collation: int, one_message
):
    _set(variants, "ConfigurationState", "SQL_Engine_Core_Inst", 2, kind="dword")
    variants.task(
        "trial", "ansible.windows.win_regedit", path=NET_KEY, name="Release", data=378389, type="dword", state="present"
    )
    variants.task(
        "core",
        "ansible.windows.win_regedit",
        path=NT_KEY,
        name="CurrentBuildNumber",
        data="9600",
        type="string",
        state="present",
    )
    variants.task("core", "ansible.windows.win_feature", name="AD-Domain-Services", state="present")
    before = variants.lab.digest()
    run = play(variants, {**SQL, "hosts": "prs_web:prs_sql", "roles": ["preflight"], "prs_sql_data_dir": r"Z:\SQLData"})
    one_message(
        run,
        "5 problems found. Nothing was touched",
        "core: is a domain controller",
        "core: runs",
        "Windows Server 2016 or later",
        "trial: .NET Framework is too old or absent (release key 378389",
        "Install .NET Framework 4.8",
        "sql: an installation of SQL Server PRS began and did not finish",
        "sql: has no drive Z:",
        "prs_sql_data_dir",
        alone=True,
    )
    one_message(
        play(variants, trial("iis")), "trial: .NET Framework is too old or absent (release key 378389", alone=True
    )
    assert variants.lab.digest() == before


def test_a_web_server_trusts_the_authorities_that_the_inventory_names(variants: Estate, tmp_path: Path):
    """No root certificate reaches a server outside a domain by itself, and the application then refuses SQL Server's."""
    names = ("first", "second", "third")
    roots = [Authority(folder=tmp_path / name, name=f"The {name} CA").certificate for name in names]
    both, der = tmp_path / "both.pem", tmp_path / "third.cer"
    both.write_bytes(b"".join(root.public_bytes(Encoding.PEM) for root in roots[:2]))
    der.write_bytes(roots[2].public_bytes(Encoding.DER))
    trusting = {"hosts": "core", "roles": ["certificate:trusted_roots"], "prs_trusted_roots": [str(both), str(der)]}
    before = _roots(variants, "core")
    looked = play(variants, trusting, options=("--check",))
    assert (looked.code, looked.changed) == (0, 1) and "would trust the authorities" in looked.output, looked.output
    assert _roots(variants, "core") == before
    run = play(variants, trusting)
    assert (run.code, run.changed) == (0, 1), run.output
    assert _roots(variants, "core") - before == {root.fingerprint(hashes.SHA1()).hex().upper() for root in roots}
    again = play(variants, trusting)
    assert (again.code, again.changed) == (0, 0), again.output


def _roots(estate: Estate, host: str) -> set[str]:
    """Thumbprints of what a server trusts."""
    stored = kept(estate, host)["certificates"]["root"]
    certificates = [x509.load_der_x509_certificate(base64.b64decode(entry["der"])) for entry in stored]
    return {certificate.fingerprint(hashes.SHA1()).hex().upper() for certificate in certificates}


def _set(estate: Estate, key: str, name: str, data: object, *, kind: str = "string") -> None:
    estate.task(
        "sql", "ansible.windows.win_regedit", path=f"{SQL_KEY}\\{key}", name=name, data=data, type=kind, state="present"
    )
