"""How a session is opened and how statements are run to their end, with a driver that only writes down what it is told."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection import connection
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection import odbc_driver as driver
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.connection import (
    Message,
    ServerAddress,
    connect,
)
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import ConnectionFailed, SqlError
from prs_lab.windows.silence import silent_port

PASSWORD = "p}w;PWD=x"


class Error(Exception):
    pass


class Cursor:
    """Plays a list of results; a result is (columns, rows, messages) or an error to raise when it is reached."""

    def __init__(self, results):
        self.results, self.at, self.closed = results, -1, False

    def execute(self, statement, *values):
        self.statement, self.values = statement, values
        self._to(0)

    def nextset(self):
        if self.at + 1 >= len(self.results):
            return False
        self._to(self.at + 1)
        return True

    def _to(self, number):
        self.at = number
        if isinstance(self.results[number], Exception):
            raise self.results[number]
        columns, self.rows, self.messages = self.results[number]
        self.description = [(name,) for name in columns] if columns else None

    def fetchall(self):
        return self.rows

    def close(self):
        self.closed = True


class Raw:
    def __init__(self, results):
        self.results, self.cursors = results, []

    def cursor(self):
        self.cursors.append(Cursor(self.results))
        return self.cursors[-1]

    def close(self):
        pass


class Driver:
    """In the place of pyodbc."""

    def __init__(self):
        self.Error, self.asked, self.answer = Error, [], []

    def connect(self, words, **keywords):
        self.asked.append(
            (words, keywords, {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "FREETDSCONF")}, _settings())
        )
        if isinstance(self.answer, Exception):
            raise self.answer
        return Raw(self.answer)


def _settings():
    path = os.environ.get("FREETDSCONF")
    if not path or not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as settings:
        return settings.read()


@pytest.fixture
def pyodbc(monkeypatch):
    fake = Driver()
    monkeypatch.setattr(connection, "require_pyodbc", lambda: fake)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("FREETDSCONF", raising=False)
    monkeypatch.setattr(
        connection,
        "find_driver",
        lambda name: driver.Driver(
            name=name or "/lib/msodbcsql.so", kind="freetds" if name == "FreeTDS" else "microsoft"
        ),
    )
    yield fake
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ.pop("FREETDSCONF", None)


def target(**changes):
    return ServerAddress(**{"host": "sql01.example.test", "user": "me", "password": PASSWORD, **changes})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {},
            [
                "SERVER={sql01.example.test,1433}",
                "Encrypt={yes}",
                "TrustServerCertificate={no}",
                "ConnectRetryCount={0}",
                "DATABASE={master}",
            ],
        ),
        ({"port": 14330}, ["SERVER={sql01.example.test,14330}"]),
        ({"instance": "PRS"}, ["SERVER={sql01.example.test\\PRS}"]),
        ({"instance": "PRS", "port": 1500}, ["SERVER={sql01.example.test,1500}"]),
        ({"encrypt": "strict"}, ["Encrypt={strict}", "TrustServerCertificate={no}"]),
        ({"encrypt": "optional"}, ["Encrypt={no}"]),
        ({"certificate_name": "prs-sql"}, ["HostNameInCertificate={prs-sql}"]),
        ({}, ["PWD={p}}w;PWD=x}", "UID={me}", "APP={prs.recovery}"]),
    ],
)
def test_words_for_microsofts_driver(pyodbc, options, words):
    connect(target(**options))
    told = pyodbc.asked[0][0]
    for word in words:
        assert f"{word};" in told
    assert pyodbc.asked[0][1] == {"timeout": 15, "autocommit": True}


def test_the_authority_is_told_to_microsofts_driver(pyodbc, tmp_path):
    (tmp_path / "ca.pem").touch()
    connect(target(ca_file=str(tmp_path / "ca.pem")))
    assert pyodbc.asked[0][2]["SSL_CERT_FILE"] == str(tmp_path / "ca.pem")


def test_freetds_reads_a_file_that_is_gone_afterwards(pyodbc, tmp_path):
    (tmp_path / "ca.pem").touch()
    connect(target(driver="FreeTDS", port=1500, ca_file=str(tmp_path / "ca.pem")))
    words, _keywords, environment, settings = pyodbc.asked[0]
    assert "SERVERNAME={server};" in words and "SERVER=" not in words
    for line in (
        "host = sql01.example.test",
        "port = 1500",
        "encryption = require",
        f"ca file = {tmp_path}/ca.pem",
        "check certificate hostname = yes",
    ):
        assert line in settings.splitlines()
    assert PASSWORD not in settings
    assert not os.path.exists(environment["FREETDSCONF"])


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"ca_file": "/no/such/ca.pem"}, "ca_file"),
        ({"host": "sql01,1500"}, "login_port"),
        ({"host": "sql01;PWD=x"}, "no name of a server"),
        ({"driver": "FreeTDS", "encrypt": "strict"}, "Microsoft's driver"),
        ({"driver": "FreeTDS", "certificate_name": "other"}, "certificate_name"),
    ],
)
def test_options_that_cannot_work_are_refused_before_anything_is_sent(pyodbc, options, part):
    with pytest.raises(RecoveryError, match=part):
        connect(target(**options))
    assert pyodbc.asked == []


@pytest.mark.parametrize(
    ("state", "text", "parts"),
    [
        (
            "28000",
            "[28000] [M][D][SQL Server]Login failed for user 'me'. (18456) (SQLDriverConnect)",
            ["Cannot log in", "as me", "login_password"],
        ),
        ("HYT00", "[HYT00] [M][D]Login timeout expired (0) (SQLDriverConnect)", ["Cannot reach", "firewall"]),
        (
            "08001",
            (
                "[08001] [M][D]SSL Provider: [error:0A000086:SSL routines::certificate verify failed] (-1) "
                "(SQLDriverConnect)"
            ),
            ["ca_file", "certificate_name", "'sql01.example.test'"],
        ),
        (
            "08001",
            "[08001] [M][D]SSL Provider: [error:0A000102:SSL routines::unsupported protocol] (-1) (SQLDriverConnect)",
            ["no version of TLS", "MinProtocol"],
        ),
        ("08001", "[08001] [M][D]TCP Provider: Error code 0x68 (104) (SQLDriverConnect)", ["no version of TLS"]),
        ("08001", "[08001] [M][D]TCP Provider: Error code 0x2746 (10054) (SQLDriverConnect)", ["no version of TLS"]),
        ("08001", "[08001] [M][D]TCP Provider: Error code 0x2AF9 (11001) (SQLDriverConnect)", ["firewall"]),
    ],
)
def test_a_failed_login_says_what_to_do_and_nothing_secret(pyodbc, state, text, parts):
    pyodbc.answer = Error(state, f"{text} PWD={PASSWORD}")
    with pytest.raises(ConnectionFailed) as failed:
        connect(target())
    for part in parts:
        assert part in str(failed.value)
    assert PASSWORD not in repr(failed.value) + str(failed.value.details) + repr(target())
    assert failed.value.__cause__ is None and failed.value.__context__ is None


def said(number, text):
    return (f"[01000] ({number})", f"[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{text}")


def test_a_long_statement_is_read_to_its_end(pyodbc):
    pyodbc.answer = [
        (None, [], [said(3211, "50 percent processed.")]),
        (["x"], [(1,)], []),
        (
            None,
            [],
            [said(3211, "100 percent processed."), said(3014, "BACKUP DATABASE successfully processed 8 pages.")],
        ),
    ]
    heard = []
    messages = connect(target()).execute("BACKUP ...", on_message=heard.append)
    assert (
        messages
        == heard
        == [
            Message(number=3211, text="50 percent processed."),
            Message(number=3211, text="100 percent processed."),
            Message(number=3014, text="BACKUP DATABASE successfully processed 8 pages."),
        ]
    )


def test_an_error_in_the_middle_is_raised(pyodbc):
    text = (
        '[42000] [M][D][SQL Server]Write on "D:\\x.bak" failed: 112(There is not enough space on the disk.) '
        "(3202) (SQLMoreResults)"
    )
    pyodbc.answer = [(None, [], [said(3211, "50 percent processed.")]), Error("42000", text)]
    with pytest.raises(SqlError, match=r"The backup failed: Write on .*disk is full") as failed:
        connect(target()).execute("BACKUP ...", doing="The backup failed")
    assert failed.value.number == 3202 and failed.value.os_error == 112


def test_rows_are_dictionaries_and_values_are_bound(pyodbc):
    pyodbc.answer = [(None, [], []), (["name", "sid"], [("sa", b"\x01")], [])]
    session = connect(target())
    assert session.query("SELECT name, sid FROM x WHERE name = ?", "sa") == [{"name": "sa", "sid": "0x01"}]
    assert session._raw.cursors[-1].values == ("sa",)
    assert session._raw.cursors[-1].closed
    assert session.value("SELECT name FROM x") == "sa"


def test_an_error_after_the_rows_counts(pyodbc):
    pyodbc.answer = [(["x"], [(1,)], []), Error("42000", "[42000] [M][D][SQL Server]late (50000) (SQLMoreResults)")]
    with pytest.raises(SqlError, match="late"):
        connect(target()).query("SELECT 1")


TWO = [(["a"], [(1,)], []), (["b"], [(2,)], [])]


def test_what_was_asked_ahead_is_not_asked_again(pyodbc):
    pyodbc.answer = TWO
    session = connect(target())
    session.ask_ahead(("SELECT a",), ("SELECT b WHERE c = ?", "c"))
    assert session._raw.cursors[-1].statement == "SELECT a;\nSELECT b WHERE c = ?"
    assert session._raw.cursors[-1].values == ("c",)
    asked = len(session._raw.cursors)
    assert session.value("SELECT b WHERE c = ?", "c") == 2 and session.query_each(("SELECT a",)) == [[{"a": 1}]]
    assert len(session._raw.cursors) == asked
    session.value("SELECT a")
    assert len(session._raw.cursors) == asked + 1  # one answer serves one question


@pytest.mark.parametrize("meanwhile", ["execute", "forget_ahead"])
def test_what_was_asked_ahead_holds_until_something_is_changed(pyodbc, meanwhile):
    pyodbc.answer = TWO
    session = connect(target())
    session.ask_ahead(("SELECT a",), ("SELECT b",))
    session.execute("BACKUP") if meanwhile == "execute" else session.forget_ahead()
    asked = len(session._raw.cursors)
    session.value("SELECT a")
    assert len(session._raw.cursors) == asked + 1


@pytest.mark.parametrize(
    "answer",
    [
        [TWO[0], Error("42000", "[42000] [M][D][SQL Server]refused (300) (SQLMoreResults)")],
        TWO[:1],  # a procedure that has no rows may have no result
    ],
)
def test_where_something_cannot_be_asked_ahead_everything_is_asked_for_itself(pyodbc, answer):
    pyodbc.answer = answer
    session = connect(target())
    session.ask_ahead(("SELECT a",), ("EXEC b",))
    pyodbc.answer = session._raw.results[:] = TWO[:1]
    assert session.value("SELECT a", doing="Cannot read a") == 1


def test_a_connection_that_is_lost_while_it_is_asked_ahead_is_told(pyodbc):
    pyodbc.answer = [Error("08S01", "[08S01] [M][D]TCP Provider: reset (10054) (SQLExecDirectW)")]
    session = connect(target())
    with pytest.raises(SqlError) as failed:
        session.ask_ahead(("SELECT a",))
    assert failed.value.lost


def test_using_a_database_goes_back_to_master(pyodbc):
    pyodbc.answer = [(None, [], [])]
    session = connect(target())
    with session.using("a]b"):
        session.execute("X")
    assert [cursor.statement for cursor in session._raw.cursors] == ["USE [a]]b]", "X", "USE [master]"]


def test_the_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(driver, "pyodbc", None)
    monkeypatch.setattr(driver, "_MISSING", "No module named 'pyodbc'", raising=False)
    with pytest.raises(RecoveryError, match="pip install pyodbc mssql-python-odbc"):
        driver.require_pyodbc()


@pytest.mark.parametrize(
    ("wheel", "registered", "found"),
    [
        ("/wheel/libmsodbcsql.so", ["FreeTDS"], ("/wheel/libmsodbcsql.so", "microsoft")),
        (
            None,
            ["FreeTDS", "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"],
            ("ODBC Driver 18 for SQL Server", "microsoft"),
        ),
        (None, ["FreeTDS", "ODBC Driver 17 for SQL Server"], ("ODBC Driver 17 for SQL Server", "microsoft")),
        (None, ["PostgreSQL", "FreeTDS"], ("FreeTDS", "freetds")),
    ],
)
def test_the_best_driver_there_is(monkeypatch, wheel, registered, found):
    class Registered:
        @staticmethod
        def drivers():
            return registered

    monkeypatch.setattr(driver, "_driver_of_wheel", lambda: wheel)
    monkeypatch.setattr(driver, "require_pyodbc", Registered)
    best = driver.find_driver()
    assert (best.name, best.kind) == found


def test_no_driver_at_all_says_what_to_install(monkeypatch):
    monkeypatch.setattr(driver, "_driver_of_wheel", lambda: None)
    monkeypatch.setattr(
        driver, "require_pyodbc", lambda: type("None", (), {"drivers": staticmethod(lambda: ["SQLite3"])})
    )
    with pytest.raises(RecoveryError, match="pip install mssql-python-odbc"):
        driver.find_driver()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("FreeTDS", "freetds"), ("/usr/lib/libtdsodbc.so", "freetds"), ("ODBC Driver 18 for SQL Server", "microsoft")],
)
def test_a_named_driver_is_taken(name, kind):
    assert driver.find_driver(name) == driver.Driver(name=name, kind=kind)


def test_a_server_that_may_be_down_is_not_waited_for(pyodbc):
    """The driver is not even asked while nobody listens; a named instance it has to find itself."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}: Nobody listens on port {port}") as failed:
            connect(target(host="127.0.0.1", port=port), may_be_down=True)
        assert pyodbc.asked == [] and failed.value.details["sql_error"]["answered"], "whoever refuses is not lost"
        listener.listen()
        connect(target(host="127.0.0.1", port=port), may_be_down=True)
        connect(target(host="nowhere.invalid", instance="PRS"), may_be_down=True)
        assert len(pyodbc.asked) == 2


def test_only_a_server_that_does_not_answer_at_all_may_be_lost(pyodbc):
    with silent_port() as port, pytest.raises(ConnectionFailed, match=f"No answer from port {port} within 1") as failed:
        connect(target(host="127.0.0.1", port=port, connect_timeout=1), may_be_down=True)
    assert not failed.value.details["sql_error"]["answered"] and failed.value.code == "sql_unreachable"


REFUSED = ("28000", "[28000] [M][D][SQL Server]Login failed for user 'me'. (18456) (SQLDriverConnect)")
RESET = ("08S01", "[08S01] [M][D]TCP Provider: Error code 0x68 (104) (SQLDriverConnect)")
NO_TICKET = ("HY000", "[HY000] [M][D]SSPI Provider: No Kerberos credentials available (851968) (SQLDriverConnect)")
SILENT = ("HYT00", "[HYT00] [M][D]Login timeout expired (0) (SQLDriverConnect)")
OF_THE_NETWORK = ("08001", "[08001] [M][D]TCP Provider: Error code 0x2AF9 (11001) (SQLDriverConnect)")


@pytest.mark.parametrize(
    ("said", "may_be_down", "listens", "answered", "looks"),
    [
        (REFUSED, False, True, True, 0),  # the server has spoken: nobody needs to ask whether it is there
        (SILENT, False, True, True, 1),
        (SILENT, False, False, False, 1),
        (OF_THE_NETWORK, False, False, False, 1),
        (RESET, False, False, False, 1),
        (NO_TICKET, False, True, True, 1),
        (SILENT, True, True, True, 1),  # it was looked at before
    ],
)
def test_whether_the_server_is_lost_is_looked_at_once(pyodbc, monkeypatch, said, may_be_down, listens, answered, looks):
    pyodbc.answer = Error(*said)
    seen = []
    monkeypatch.setattr(
        connection,
        "_look_whether_reached",
        lambda target, *, seconds: seen.append(seconds) or connection._Way(answered=listens),
    )
    with pytest.raises(ConnectionFailed) as failed:
        connect(target(), may_be_down=may_be_down)
    assert (failed.value.details["sql_error"]["answered"], len(seen)) == (answered, looks)
    assert ("SQL Server error" in str(failed.value)) == (said is REFUSED)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "10.0.0.5"),
        ({"port": 1444}, "10.0.0.5:1444"),
        ({"instance": "PRS"}, "10.0.0.5\\PRS"),
        ({"name": "10.0.0.5"}, "10.0.0.5"),
        ({"name": "sql01"}, "sql01 (10.0.0.5)"),
        ({"name": "sql01", "instance": "PRS"}, "sql01 (10.0.0.5\\PRS)"),
    ],
)
def test_how_messages_name_the_server(more, told):
    assert target(host="10.0.0.5", **more).server == told


@pytest.mark.parametrize(
    ("name", "changes", "refused"),
    [
        ("ODBC Driver 17 for SQL Server", {"certificate_name": "sql.example"}, "certificate_name"),
        ("ODBC Driver 17 for SQL Server", {"encrypt": "strict"}, "strict"),
        ("/opt/microsoft/msodbcsql17/lib64/libmsodbcsql-17.10.so.6.1", {"encrypt": "strict"}, "strict"),
        ("ODBC Driver 17 for SQL Server", {}, ""),
        ("ODBC Driver 18 for SQL Server", {"certificate_name": "sql.example", "encrypt": "strict"}, ""),
        ("/venv/libs/linux/libmsodbcsql-18.5.so.1.1", {"certificate_name": "sql.example"}, ""),
    ],
)
def test_what_a_driver_before_18_passes_over_is_refused(pyodbc, name, changes, refused):
    """Certificate names came with 18: 17 compares the certificate with the address, and fails for no visible reason."""
    if not refused:
        connect(target(driver=name, **changes))
        return
    with pytest.raises(RecoveryError, match=refused) as problem:
        connect(target(driver=name, **changes))
    assert problem.value.code == "unsupported" and pyodbc.asked == []
