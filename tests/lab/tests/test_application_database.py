"""The application with its database: the wizard, the page, and what breaks them. Everything over real HTTP and real
TDS.
"""

from __future__ import annotations

import os

import pymssql
import pytest
from prs_lab.application.browser import Browser, WizardStuck
from prs_lab.application.keys import DatabaseConfig, decode_database, encode_database, encode_key, new_key
from prs_lab.estate import media
from prs_lab.estate.authority import Authority
from prs_lab.windows.certificates import read_file

from .windows_lab import Network, Runner

SYSTEM = "NT AUTHORITY\\SYSTEM"
FOLDER = r"C:\inetpub\wwwroot\PasswordResetServer"
ALIAS = r"HKLM:\SOFTWARE\Microsoft\MSSQLServer\Client\ConnectTo"
KEY = r"HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQLServer"
PORT = 8080
PASSWORDS = {"prs_app": "Application-Login-1", "reader": "Reader-Login-1"}
ANSWERS = {
    2: {"server": "prs-sql", "database": "PasswordResetServer", "authentication": "sql", "login": "prs_app", "password": PASSWORDS["prs_app"],
        "encrypt": "yes", "failover_partner": ""},
    3: {"accept": "yes"},
    4: {"user": "admin", "password": "Wizard-Administrator-1"},
    5: {"domain": "prs.lab", "account": "PRSLAB\\svc-prs", "password": "Domain-Account-1"},
}  # fmt: skip
SETUP = """[OPTIONS]
ACTION="Install"
QUIET="True"
IACCEPTSQLSERVERLICENSETERMS="True"
FEATURES=SQLENGINE
INSTANCENAME="MSSQLSERVER"
SQLCOLLATION="SQL_Latin1_General_CP1_CI_AS"
SQLSYSADMINACCOUNTS="NT AUTHORITY\\SYSTEM"
TCPENABLED="1"
"""


def _answers(**step_two):
    return {**ANSWERS, 2: {**ANSWERS[2], **step_two}}


class Pair:
    """A web server and a database server, both set up as the roles do it, without a certificate yet."""

    def __init__(self, root):
        self.network = Network(root)
        self.web, self.sql = Runner(self.network.add("web")), Runner(self.network.add("sql"))
        self._set_up_sql()
        self._set_up_web()
        self.browser = Browser(url=f"http://reset.prs.lab:{PORT}/", address=self.web.host.address, ca_file=None)

    def _set_up_sql(self):
        files = self.sql.host.files(SYSTEM)
        files.make_dir(r"C:\media")
        files.write(r"C:\media\setup.exe", media.media_files(media.MediaConfig())["sql\\setup.exe"])
        files.write(r"C:\media\setup.ini", SETUP.encode())
        result = self.sql(
            "win_command", argv=[r"C:\media\setup.exe", r"/ConfigurationFile=C:\media\setup.ini"], become="SYSTEM"
        )
        assert result["rc"] == 0, result
        self.sql.host.registry.set(KEY, "LoginMode", 2, "dword")
        self.sql.ok("win_service", name="MSSQLSERVER", state="restarted")
        self.sql.ok(
            "community.windows.win_firewall_rule",
            name="sql",
            direction="in",
            action="allow",
            protocol="tcp",
            localport="1433",
        )
        self.instance.create_login("prs_app", PASSWORDS["prs_app"], ["dbcreator"])
        self.instance.create_login("reader", PASSWORDS["reader"])

    def _set_up_web(self):
        host = self.web.host
        host.features.add(host.features.plan_install(["Web-Asp-Net45"]))
        files = host.files(SYSTEM)
        for name, data in media.application_files("5.3.000020").items():
            path = f"{FOLDER}\\{name}".replace("/", "\\")
            files.make_dir(path.rsplit("\\", 1)[0])
            files.write(path, data)
        pool = {"managedRuntimeVersion": "v4.0", "managedPipelineMode": "Classic"}
        self.web.ok("microsoft.iis.web_app_pool", name="Prs", state="started", attributes=pool)
        self.web.ok(
            "microsoft.iis.website", name="Prs", physical_path=FOLDER, application_pool="Prs",
            bindings={"set": [{"ip": "*", "port": PORT, "protocol": "http"}]},
        )  # fmt: skip
        self.web.ok("win_acl", path=FOLDER, user=r"IIS AppPool\Prs", rights="Modify", type="allow")
        self.web.ok(
            "community.windows.win_firewall_rule",
            name="http",
            direction="in",
            action="allow",
            protocol="tcp",
            localport=str(PORT),
        )
        host.registry.set(ALIAS, "prs-sql", f"DBMSSOCN,{self.sql.host.fqdn},1433")

    @property
    def instance(self):
        return self.sql.host.sql_server.running("MSSQLSERVER")

    def trust(self, folder):
        """A certificate of a CA that the application trusts, for the name that it asks for."""
        authority = Authority(folder=folder)
        issued = authority.issue(label="sql", names=("sql.prs.lab", "prs-sql"), password="x")
        certificate, key = read_file(issued.pfx.read_bytes(), "x")[0]
        stored = self.sql.host.certificates.add("My", certificate, key)
        self.sql.host.certificates.let_read(stored, self.sql.host.accounts.lookup("NT SERVICE\\MSSQLSERVER"))
        self.sql.host.registry.set(KEY + r"\SuperSocketNetLib", "Certificate", issued.thumbprint.lower())
        self.sql.ok("win_service", name="MSSQLSERVER", state="restarted")
        return authority.ca_file

    def rows_by_another_client(self):
        with pymssql.connect(
            server=self.sql.host.address, port=1433, user="prs_app", password=PASSWORDS["prs_app"], database="PasswordResetServer", tds_version="7.4"
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            cursor.execute("SELECT Label FROM dbo.tbMarker ORDER BY MarkerId")
            return [row[0] for row in cursor.fetchall()]

    def mark(self, *labels):
        return self.browser.mark(user="admin", password=ANSWERS[4]["password"], labels=list(labels))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    one = Pair(tmp_path_factory.mktemp("pair"))
    before = os.environ.get("SSL_CERT_FILE")
    yield one
    one.network.close()
    if before is None:
        os.environ.pop("SSL_CERT_FILE", None)
    else:
        os.environ["SSL_CERT_FILE"] = before


@pytest.fixture(scope="module")
def untrusted(pair):
    """What the wizard says while the instance has only its self-signed certificate. Asked before ``ready`` changes
    that.
    """
    with pytest.raises(WizardStuck) as stuck:
        pair.browser.wizard(answers=ANSWERS)
    return str(stuck.value)


@pytest.fixture(scope="module")
def refusals(pair, untrusted, tmp_path_factory):
    """What the wizard says to wrong answers, once the certificate is right."""
    os.environ["SSL_CERT_FILE"] = str(pair.trust(tmp_path_factory.mktemp("ca")))
    said = {}
    for name, wrong in {
        "password": {"password": "wrong"}, "login": {"login": "nobody"}, "server": {"server": "nobody"}, "rights": {"login": "reader",
        "password": PASSWORDS["reader"]},
    }.items():  # fmt: skip
        with pytest.raises(WizardStuck) as stuck:
            pair.browser.wizard(answers=_answers(**wrong))
        said[name] = str(stuck.value)
    return said


@pytest.fixture(scope="module")
def ready(pair, refusals):
    """The finished installation with three marker rows."""
    page = pair.browser.wizard(answers=ANSWERS)
    assert (page.state, page.rows) == ("ready", [])
    assert pair.mark("one", "two", "drei 'ü'").state == "ready"
    return pair


def test_a_self_signed_certificate_is_not_trusted(untrusted):
    assert "certificate" in untrusted.lower() and "step 2" in untrusted


@pytest.mark.parametrize(
    ("wrong", "text"), [("password", "18456"), ("login", "18456"), ("server", "11001"), ("rights", "262")]
)
def test_wrong_answers_are_named_by_their_number(refusals, wrong, text):
    assert f"SQL error {text}" in refusals[wrong]


def test_nothing_is_written_by_a_wizard_that_failed(pair, refusals):
    state = pair.browser.page() if not pair.web.host.files(SYSTEM).exists(FOLDER + r"\database.config") else None
    assert state is None or (state.state, state.step) == ("wizard", 1)


def test_the_page_shows_the_rows_and_another_client_sees_them_too(ready):
    page = ready.browser.page()
    assert page.state == "ready" and [row["label"] for row in page.rows] == ["one", "two", "drei 'ü'"]
    assert [row["secret"] for row in page.rows] == ["secret of one", "secret of two", "secret of drei 'ü'"]
    assert ready.rows_by_another_client() == ["one", "two", "drei 'ü'"]


def test_rows_need_the_administrators_password(ready):
    page = ready.browser.mark(user="admin", password="wrong", labels=["x"])
    assert page.status == 403 and len(ready.browser.page().rows) == 3


def test_a_stopped_instance_is_500_with_a_number(ready):
    ready.sql.ok("win_service", name="MSSQLSERVER", state="stopped")
    page = ready.browser.page()
    ready.sql.ok("win_service", name="MSSQLSERVER", state="started")
    assert page.status == 500 and page.state == "broken" and "prs-sql-error" in page.meta
    assert ready.browser.page().state == "ready"


def test_a_dropped_database_is_4060(ready):
    config = DatabaseConfig(server="prs-sql", database="Gone", login="prs_app", password=PASSWORDS["prs_app"])
    with _file(ready, "database.config", encode_database(config)):
        assert ready.browser.page().meta["prs-sql-error"] == "4060"


def test_an_alias_that_leads_nowhere(ready):
    registry = ready.web.host.registry
    before = registry.get(ALIAS, "prs-sql")
    registry.set(ALIAS, "prs-sql", "DBMSSOCN,nobody,1433")
    try:
        assert ready.browser.page().meta["prs-sql-error"] == "11001"
    finally:
        registry.set(ALIAS, "prs-sql", before)


def test_a_pool_of_32_bits_reads_the_other_alias(ready):
    pool = ready.web.host.iis.pool("Prs")
    ready.web.host.iis.set_attribute(pool, "enable32BitAppOnWin64", True)
    try:
        assert ready.browser.page().meta["prs-sql-error"] == "11001"
    finally:
        ready.web.host.iis.set_attribute(pool, "enable32BitAppOnWin64", False)


def test_a_name_that_the_certificate_does_not_bear(ready):
    ready.web.host.registry.set(ALIAS, "other-name", f"DBMSSOCN,{ready.sql.host.fqdn},1433")
    config = DatabaseConfig(
        server="other-name", database="PasswordResetServer", login="prs_app", password=PASSWORDS["prs_app"]
    )
    with _file(ready, "database.config", encode_database(config)):
        page = ready.browser.page()
    assert page.status == 500 and "certificate" in page.detail.lower()


def test_the_failover_partner_is_told_on_the_page_by_the_administrator_only(ready):
    before = ready.web.host.files(SYSTEM).read(FOLDER + r"\database.config")
    assert ready.browser.partner(user="admin", password="wrong", name="prs-sql-2").status == 403
    assert ready.web.host.files(SYSTEM).read(FOLDER + r"\database.config") == before
    for name in ("prs-sql-2", ""):
        assert ready.browser.partner(user="admin", password=ANSWERS[4]["password"], name=name).state == "ready"
        config = decode_database(ready.web.host.files(SYSTEM).read(FOLDER + r"\database.config"))
        assert (config.server, config.failover_partner) == ("prs-sql", name)
        assert ready.browser.page().state == "ready"


def test_an_application_serves_while_its_pool_runs(ready):
    iis = ready.web.host.iis
    assert iis.serves(PORT, "/") and not iis.serves(PORT + 1, "/")
    iis.stop_pool("Prs")
    try:
        assert not iis.serves(PORT, "/")
        assert ready.browser.page().status == 503
    finally:
        iis.start_pool("Prs")


def test_a_failover_partner_that_mirrors_nothing_is_refused(ready):
    """SqlClient connects to it, is told of no partner, and gives up."""
    config = DatabaseConfig(
        server="nobody",
        database="PasswordResetServer",
        login="prs_app",
        password=PASSWORDS["prs_app"],
        failover_partner="prs-sql",
    )
    with _file(ready, "database.config", encode_database(config)):
        page = ready.browser.page()
    assert (
        page.state == "broken"
        and "prs-sql, database PasswordResetServer is not configured for database mirroring" in page.detail
    )


def test_another_key_cannot_show_this_database(ready):
    """Application folder and database are one recovery set."""
    with _file(ready, "encryption.config", encode_key(new_key())):
        page = ready.browser.page()
    assert page.status == 500 and page.meta["prs-decryption"] == "failed"


def test_without_database_config_the_wizard_comes_back_and_asks_only_for_the_database(ready):
    files = ready.web.host.files(SYSTEM)
    files.remove(FOLDER + r"\database.config")
    assert (ready.browser.page().state, ready.browser.page().step) == ("wizard", 1)
    page = ready.browser.wizard(answers={2: ANSWERS[2]})
    assert page.state == "ready" and len(page.rows) == 3


def test_force_https_sends_plain_requests_away(ready):
    with pymssql.connect(
        server=ready.sql.host.address, port=1433, user="prs_app", password=PASSWORDS["prs_app"], database="PasswordResetServer", autocommit=True
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("UPDATE dbo.tbConfiguration SET ForceHttps = 1")
        assert ready.browser.page().state == "unreachable", "there is no HTTPS binding: people are locked out"
        cursor.execute("UPDATE dbo.tbConfiguration SET ForceHttps = 0")
    assert ready.browser.page().state == "ready"


def test_everything_asked_was_recorded_and_understood(ready):
    texts = [entry["text"] for entry in ready.sql.host.record.entries("sql")]
    assert any("INSERT INTO dbo.tbMarker" in text for text in texts)
    assert not [secret for secret in PASSWORDS.values() if any(secret in text for text in texts)]
    unmodelled = list(ready.sql.host.record.entries("unmodelled")) + list(ready.web.host.record.entries("unmodelled"))
    assert unmodelled == []


class _file:
    """Puts other content into a file of the application for the time of a with block."""

    def __init__(self, pair, name, data):
        self._files, self._path, self._data = pair.web.host.files(SYSTEM), f"{FOLDER}\\{name}", data

    def __enter__(self):
        self._before = self._files.read(self._path)
        self._files.write(self._path, self._data)

    def __exit__(self, *_):
        self._files.write(self._path, self._before)
