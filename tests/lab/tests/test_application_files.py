"""The application's twin before it has a database: what its files, its rights and its pool decide."""

from __future__ import annotations

import pytest
from prs_lab.application.database import SqlFailure, resolve
from prs_lab.application.keys import (
    BadFile,
    BadKey,
    DatabaseConfig,
    decode_database,
    decode_key,
    decrypt,
    encode_database,
    encode_key,
    encrypt,
    new_key,
)
from prs_lab.application.messages import Request
from prs_lab.application.site import Site
from prs_lab.estate.media import application_files
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Descriptor, Rights

from .windows_lab import Network, Runner

FOLDER = r"C:\inetpub\wwwroot\PasswordResetServer"
ACCOUNT = r"IIS APPPOOL\PasswordResetServer"
SYSTEM = "NT AUTHORITY\\SYSTEM"
_ALL = CONTAINER | OBJECT


@pytest.fixture
def host(tmp_path):
    """A host with the role, a pool, and the application's files, on which the pool's identity has Modify."""
    network = Network(tmp_path)
    one = network.add("web")
    one.features.add(one.features.plan_install(["Web-Asp-Net45"]))
    one.iis.add_pool("PasswordResetServer")
    files = one.files(SYSTEM)
    for name, data in application_files("5.3.000020").items():
        path = f"{FOLDER}\\{name}".replace("/", "\\")
        files.make_dir(path.rsplit("\\", 1)[0])
        files.write(path, data)
    _grant(one, Rights.MODIFY)
    yield one
    network.close()


def _grant(host, mask):
    entry = Ace(sid=host.accounts.lookup(ACCOUNT), mask=mask | Rights.SYNCHRONIZE, inheritance=_ALL)
    full = [
        Ace(sid=host.accounts.lookup(name), mask=Rights.FULL, inheritance=_ALL)
        for name in (SYSTEM, "BUILTIN\\Administrators")
    ]
    host.drives.set_descriptor(FOLDER, Descriptor(entries=[*full, entry] if mask else full, protected=True))


def _answer(host, path="", method="GET", form=None, content_length=0, **pool):
    settings = {"clr": "v4.0", "pipeline": "Classic", "wow64": False, "aspnet": True, **pool}
    site = Site(host=host, folder=FOLDER, account=ACCOUNT, **settings)
    return site.answer(Request(method=method, path=path, form=form or {}, content_length=content_length))


def _status(answer):
    return f"{answer.status}.{answer.substatus}" if answer.substatus else str(answer.status)


def _system(host):
    return host.files(SYSTEM)


def test_whole_files_and_no_database_config_lead_to_the_wizard(host):
    answer = _answer(host)
    assert (answer.status, answer.headers["Location"]) == (302, "/Installer.aspx")
    page = _answer(host, "Installer.aspx")
    assert page.status == 200 and b"step 1 of 5" in page.body and b'content="wizard"' in page.body


@pytest.mark.parametrize(
    ("pool", "status", "text"),
    [
        ({"aspnet": False}, "404.3", "extension configuration"),
        ({"clr": "v2.0"}, "500", "unrecognized attribute"),
        ({"clr": ""}, "500.21", "bad module"),
        ({"pipeline": "Integrated"}, "500.22", "Integrated managed pipeline mode"),
    ],
)
def test_the_pool_must_fit(host, pool, status, text):
    answer = _answer(host, **pool)
    assert _status(answer) == status and text in answer.body.decode()


def _cut(path):
    def harm(host):
        data = _system(host).read(f"{FOLDER}\\{path}")
        _system(host).write(f"{FOLDER}\\{path}", data[: len(data) // 2])

    return harm


def _remove(path):
    return lambda host: _system(host).remove_tree(f"{FOLDER}\\{path}")


def _replace(path, data):
    return lambda host: _system(host).write(f"{FOLDER}\\{path}", data)


@pytest.mark.parametrize(
    ("harm", "status", "text"),
    [
        (_remove("web.config"), "500", "web.config is missing"),
        (_replace("web.config", b"<configuration>"), "500.19", "0x8007000d"),
        (_replace("web.config", b"<other/>"), "500.19", "0x8007000d"),
        (_remove("Default.aspx"), "403.14", "not list the contents"),
        (_remove("Global.asax"), "500", "Global.asax is missing"),
        (_remove("bin"), "500", "Prs.Web"),
        (_remove(r"bin\Prs.Ldap.dll"), "500", "Prs.Ldap"),
        (_cut(r"bin\Prs.Data.dll"), "500", "incorrect format"),
        (_cut(r"bin\Prs.Web.dll"), "500", "incorrect format"),
        (
            _replace(r"bin\Prs.Core.dll", application_files("5.2.000001")["bin/Prs.Core.dll"]),
            "500",
            "manifest definition does not match",
        ),
        (lambda host: _grant(host, 0), "500.19", "insufficient permissions"),
        (lambda host: _system(host).remove_tree(FOLDER), "500.19", "0x80070003"),
    ],
)
def test_damaged_folders_show_as_iis_shows_them(host, harm, status, text):
    harm(host)
    answer = _answer(host)
    assert _status(answer) == status, answer.body.decode()
    assert text in answer.body.decode() and b'content="broken"' in answer.body


def test_pages_that_are_not_there(host):
    assert _status(_answer(host, "Nothing.aspx")) == "404"
    assert _status(_answer(host, "bin/Prs.Web.dll")) == "404.8"
    assert _answer(host, "Content/site.css").status == 200


def test_large_uploads_are_cut_off_by_the_limit_in_the_file(host):
    assert _status(_answer(host, "Installer.aspx", method="POST", content_length=40_000_000)) == "404.13"
    text = _system(host).read(FOLDER + r"\web.config").replace(b"30000000", b"131072000")
    _system(host).write(FOLDER + r"\web.config", text)
    assert _answer(host, "Installer.aspx", method="POST", content_length=40_000_000, form={"step": "1"}).status == 302


def test_step_one_wants_write_access(host):
    done = _answer(host, "Installer.aspx", method="POST", form={"step": "1"})
    assert (done.status, done.headers["Location"]) == (302, "/Installer.aspx?step=2")
    _grant(host, Rights.READ_EXECUTE)
    refused = _answer(host, "Installer.aspx", method="POST", form={"step": "1"})
    assert (
        refused.status == 200
        and "cannot write to" in refused.body.decode()
        and "Give it Modify" in refused.body.decode()
    )


@pytest.mark.parametrize("step", ["3", "5", "x", ""])
def test_steps_come_in_order(host, step):
    assert b"The next step is 1" in _answer(host, "Installer.aspx", method="POST", form={"step": step}).body


def test_the_second_step_names_what_is_missing(host):
    answer = _answer(host, "Installer.aspx", method="POST", form={"step": "2", "server": "", "database": "x"})
    assert b"Fill in server" in answer.body
    assert not _system(host).exists(FOLDER + r"\database.config")


@pytest.mark.parametrize(
    "data", [b"", b"<databaseSettings>AAAA</databaseSettings>", b"<databaseSettings>!</databaseSettings>"]
)
def test_a_database_config_that_is_damaged_breaks_the_site(host, data):
    _system(host).write(FOLDER + r"\database.config", data)
    answer = _answer(host)
    assert answer.status == 500 and b"database.config cannot be understood" in answer.body


def test_a_missing_key_breaks_the_site(host):
    _system(host).write(
        FOLDER + r"\database.config", encode_database(DatabaseConfig(server="s", database="d", login="l", password="p"))
    )
    answer = _answer(host)
    assert answer.status == 500 and b"encryption.config cannot be read" in answer.body


def test_files_of_secrets_hold_what_was_put_in_and_show_nothing():
    config = DatabaseConfig(
        server="prs-sql", database="P", login="prs_app", password="Geheim-1", encrypt=False, failover_partner="sql-b"
    )
    data = encode_database(config)
    assert decode_database(data) == config
    assert b"Geheim" not in data and b"prs_app" not in data
    key = new_key()
    assert decode_key(encode_key(key)) == key
    with pytest.raises(BadFile):
        decode_key(encode_key(key).replace(b"Settings>", b"Settings>AA", 1))
    with pytest.raises(BadFile):
        decode_database(data[:-30])


def test_only_the_right_key_decrypts():
    key = new_key()
    value = encrypt(key, "an answer")
    assert decrypt(key, value) == "an answer" and encrypt(key, "an answer") != value
    with pytest.raises(BadKey):
        decrypt(new_key(), value)


ALIAS = r"HKLM:\SOFTWARE\Microsoft\MSSQLServer\Client\ConnectTo"
ALIAS_32 = r"HKLM:\SOFTWARE\Wow6432Node\Microsoft\MSSQLServer\Client\ConnectTo"


@pytest.fixture
def pair(tmp_path):
    """A web server and a database server whose firewall lets 1433 and 1500 in."""
    network = Network(tmp_path)
    web, sql = network.add("web"), network.add("sql")
    Runner(sql).ok(
        "community.windows.win_firewall_rule",
        name="sql",
        direction="in",
        action="allow",
        protocol="tcp",
        localport="1433,1500",
    )
    yield network, web, sql
    network.close()


def test_an_alias_leads_by_the_pools_bitness(pair):
    _, web, sql = pair
    web.registry.set(ALIAS, "prs-sql", "DBMSSOCN,sql.prs.lab,1500")
    found = resolve(host=web, data_source="prs-sql")
    assert (found.address, found.port, found.name) == (sql.address, 1500, "prs-sql")
    with pytest.raises(SqlFailure) as error:
        resolve(host=web, data_source="prs-sql", wow64=True)
    assert error.value.number == 11001
    web.registry.set(ALIAS_32, "prs-sql", "DBMSSOCN,sql,1433")
    assert resolve(host=web, data_source="prs-sql", wow64=True).port == 1433


@pytest.mark.parametrize(("source", "port"), [("sql", 1433), ("tcp:sql,1500", 1500), ("SQL.prs.lab", 1433)])
def test_names_without_an_alias(pair, source, port):
    _, web, sql = pair
    found = resolve(host=web, data_source=source)
    assert (found.address, found.port) == (sql.address, port)


def test_what_keeps_a_connection_from_being_made(pair):
    network, web, _ = pair

    def number(source):
        with pytest.raises(SqlFailure) as error:
            resolve(host=web, data_source=source)
        return error.value.number

    web.registry.set(ALIAS, "pipes", r"DBNMPNTW,\\sql\pipe\sql\query")
    assert number("nobody") == 11001
    assert number("pipes") == 53
    assert number("sql,1600") == 10060
    network.cut.add("SQL")
    assert number("sql") == 53
