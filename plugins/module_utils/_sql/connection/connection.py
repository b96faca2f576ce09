# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session with one instance of SQL Server."""

from __future__ import annotations

import os
import platform
import re
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ..._core.advice.sql_server import advice_for
from ..._core.errors import RecoveryError
from .errors import ConnectionFailed, SqlError, classify, is_from_server, plain_text
from .odbc_driver import Driver, find_driver, readable_file, require_pyodbc
from .quoting import compose
from .values import plain

__all__ = ["Connection", "Message", "Question", "ServerAddress", "connect"]

ENCRYPTION = {
    "microsoft": {"mandatory": "yes", "strict": "strict", "optional": "no"},
    "freetds": {"mandatory": "require", "optional": "request"},
}

LOOK_AGAIN = 5
"""Seconds to find out whether anybody listens where the driver has just given up: time for a third attempt of TCP, as
one or two may get lost.
"""

_NUMBER_OF_MESSAGE = re.compile(r"\((\d+)\)\s*$")

_OLD_DRIVER = re.compile(r"ODBC Driver 1[1-7] |libmsodbcsql[-.]1[1-7]\b")
"""Microsoft's drivers before 18, by name or file."""


@dataclass(frozen=True, kw_only=True)
class ServerAddress:
    """Which instance, as whom, how. The options of the fragment sql_connection, without their prefix; program: shown to
    other admins.

    name: how the inventory calls the host; empty where nobody knows.
    """

    host: str
    user: str
    password: str = field(repr=False)
    port: int | None = None
    instance: str | None = None
    encrypt: str = "mandatory"
    certificate_name: str | None = None
    ca_file: str | None = None
    driver: str | None = None
    connect_timeout: int = 15
    program: str = "prs.recovery"
    name: str = ""

    @property
    def server(self) -> str:
        """How messages name it."""
        return f"{self.name} ({self._address})" if self.name and self.name != self.host else self._address

    @property
    def _address(self) -> str:
        if self.port:
            return f"{self.host}:{self.port}" if self.port != 1433 else self.host
        return f"{self.host}\\{self.instance}" if self.instance else self.host


@dataclass(frozen=True, kw_only=True)
class Message:
    """What the server says beside results. number: 0 for PRINT, 3211 for the progress of a backup."""

    number: int
    text: str


Question = tuple[Any, ...]
"""A statement, and its values."""


class Connection:
    """A session in which every statement commits by itself. Errors are SqlError; rows are dictionaries of plain JSON
    values.
    """

    def __init__(self, raw: Any, *, target: ServerAddress, driver: Driver) -> None:
        self._raw = raw
        self.target = target
        self.driver = driver
        self._database = "master"
        self._ahead: dict[Question, list[dict[str, Any]]] = {}
        self.account = ""
        """Service account of the instance, once somebody asked for it; error messages name it."""

    def query(self, statement: str, *values: Any, doing: str = "") -> list[dict[str, Any]]:
        """All rows of the first result. Values take the place of the question marks."""
        answers = self._asked_ahead((statement, *values))
        if answers is not None:
            return answers[0]
        with self._cursor(doing) as cursor:
            cursor.execute(statement, *values)
            while cursor.description is None and cursor.nextset():
                pass
            if cursor.description is None:
                return []
            rows = _rows_of(cursor)
            while cursor.nextset():  # an error may come after the rows
                pass
            return rows

    def query_each(self, *questions: Question, doing: str = "") -> list[list[dict[str, Any]]]:
        """The rows of several queries in one batch, which is one round trip. Where one fails, all do."""
        answers = self._asked_ahead(*questions)
        if answers is None:
            answers = self._results_of(questions, doing=doing)
        if len(answers) != len(questions):
            raise RuntimeError(f"{len(answers)} results of {len(questions)} queries")
        return answers

    def ask_ahead(self, *questions: Question) -> None:
        """Ask in one batch what is going to be asked one by one: each answer waits for its very question, until
        something is changed. Where one of them fails, or a procedure among them has no result, nothing was asked, and
        each speaks for itself.
        """
        self.forget_ahead()
        try:
            answers = self._results_of(questions)
        except SqlError as problem:
            if problem.lost:
                raise
        else:
            self._ahead = dict(zip(questions, answers, strict=True)) if len(answers) == len(questions) else {}

    def forget_ahead(self) -> None:
        """What was asked ahead need not hold any more."""
        self._ahead = {}

    def _asked_ahead(self, *questions: Question) -> list[list[dict[str, Any]]] | None:
        """The answers where all of them are there, each for one time."""
        if not self._ahead.keys() >= set(questions):
            return None
        return [self._ahead.pop(question) for question in questions]

    def _results_of(self, questions: Sequence[Question], *, doing: str = "") -> list[list[dict[str, Any]]]:
        statements, values = [question[0].strip() for question in questions], [question[1:] for question in questions]
        results: list[list[dict[str, Any]]] = []
        with self._cursor(doing) as cursor:
            cursor.execute(";\n".join(statements), *chain(*values))
            while True:
                if cursor.description is not None:
                    results.append(_rows_of(cursor))
                if not cursor.nextset():
                    return results

    def row(self, statement: str, *values: Any, doing: str = "") -> dict[str, Any] | None:
        """The first row, or None."""
        rows = self.query(statement, *values, doing=doing)
        return rows[0] if rows else None

    def value(self, statement: str, *values: Any, doing: str = "") -> Any:
        """The first value of the first row, or None."""
        row = self.row(statement, *values, doing=doing)
        return next(iter(row.values())) if row else None

    def execute(
        self, statement: str, *, doing: str = "", on_message: Callable[[Message], None] | None = None
    ) -> list[Message]:
        """Run a statement to its very end and return what the server said meanwhile.

        BACKUP and RESTORE stream their messages; a client that stops reading makes the server give up **silently**. So
        all of them are read, and an error that comes in the middle is raised.
        """
        said: list[Message] = []
        self.forget_ahead()
        with self._cursor(doing) as cursor:
            cursor.execute(statement)
            while True:
                for message in _messages_of(cursor):
                    said.append(message)
                    if on_message:
                        on_message(message)
                if not cursor.nextset():
                    return said

    @contextmanager
    def using(self, database: str) -> Iterator[None]:
        """Statements inside run in that database, and later ones in that of before."""
        before = self._database
        self.execute(compose("USE {database}", database=database), doing=f"Cannot use database {database}")
        self._database = database
        try:
            yield
        except Exception as problem:
            self._database = before
            if not getattr(problem, "lost", False):
                self.execute(compose("USE {database}", database=before))
            raise
        self._database = before
        self.execute(compose("USE {database}", database=before))

    def close(self) -> None:
        try:
            self._raw.close()
        except require_pyodbc().Error:  # it was lost; what that means has been said where it happened
            pass

    @contextmanager
    def _cursor(self, doing: str) -> Iterator[Any]:
        pyodbc = require_pyodbc()
        try:
            cursor = self._raw.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        except pyodbc.Error as problem:
            fields = classify(problem)
        else:
            return
        raise SqlError(doing or f"SQL Server on {self.target.server} reports", account=self.account, **fields)


def _rows_of(cursor: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]


def connect(target: ServerAddress, *, may_be_down: bool = False) -> Connection:
    """Open a session. Raises ConnectionFailed with what to do, RecoveryError for options that cannot work.

    may_be_down: look first whether anybody listens there, since the driver tries again until its time-out.
    """
    pyodbc = require_pyodbc()
    driver = find_driver(target.driver)
    if may_be_down:
        way = _look_whether_reached(target, seconds=target.connect_timeout)
        if way.problem:
            fields = {"text": way.problem, "number": None, "sqlstate": "08001", "answered": way.answered}
            raise _no_session(target, fields)
    with _trust(target, driver):
        try:
            raw = pyodbc.connect(_connection_string(target, driver), timeout=target.connect_timeout, autocommit=True)
        except pyodbc.Error as problem:
            fields = classify(problem)
            seconds = min(LOOK_AGAIN, target.connect_timeout)
            fields["answered"] = (
                may_be_down or is_from_server(**fields) or _look_whether_reached(target, seconds=seconds).answered
            )
        else:
            return Connection(raw, target=target, driver=driver)
    raise _no_session(target, fields)


@dataclass(frozen=True, kw_only=True)
class _Way:
    """What keeps TCP from getting to a server, "" for nothing. answered: whether something there answers all the same,
    and be it that it refuses, as a server does that lives without its SQL Server.
    """

    problem: str = ""
    answered: bool = False


def _look_whether_reached(target: ServerAddress, *, seconds: int) -> _Way:
    """The port of a named instance is the driver's to find."""
    if target.instance and not target.port:
        return _Way(answered=True)
    port = target.port or 1433
    try:
        socket.create_connection((target.host, port), seconds).close()
    except ConnectionRefusedError:
        return _Way(problem=f"Nobody listens on port {port}", answered=True)
    except ConnectionResetError:
        return _Way(problem=f"Port {port} breaks the connection off", answered=True)
    except TimeoutError:
        return _Way(problem=f"No answer from port {port} within {seconds} seconds")
    except OSError as problem:
        return _Way(problem=str(problem.strerror or problem))
    except UnicodeError:
        return _Way(problem="No name of a server is like that")
    return _Way(answered=True)


_NO_COMMON_TLS = re.compile(
    r"unsupported protocol|protocol version|wrong version number|no protocols available|handshake failure"
    r"|error code 0x(68|2746)\b"
)
"""How drivers say that TLS was not begun: in OpenSSL's words, or because the server hung up meanwhile (ECONNRESET,
WSAECONNRESET).
"""


def _no_session(target: ServerAddress, fields: dict[str, Any]) -> ConnectionFailed:
    if advice_for(fields["number"]):
        return ConnectionFailed(
            f"Cannot log in to SQL Server on {target.server} as {target.user}", code="sql_login_refused", **fields
        )
    code, text = "sql_unreachable", fields["text"].lower()
    if _NO_COMMON_TLS.search(text):
        advice = (
            "Somebody listens there, and the two sides agree on no version of TLS: bring TLS 1.2 to the server "
            "(updates of SQL Server and Windows), or allow its version in OpenSSL's configuration (MinProtocol) of the "
            "control node. A port that is another program's looks the same"
        )
    elif "certificate" in text or "ssl" in text:
        code = "certificate_untrusted"
        advice = (
            f"The server's certificate must be valid for '{target.certificate_name or target.host}' and come from an "
            f"authority in {target.ca_file or 'the trust store of the control node'}: set ca_file or certificate_name, "
            "or give the instance a proper certificate"
        )
    else:
        port = f"at port {target.port or 1433}" if target.port or not target.instance else "and SQL Server Browser runs"
        advice = (
            f"Check the name, that the instance runs and listens on TCP {port}, and that the firewall lets the "
            "control node through"
        )
    return ConnectionFailed(f"Cannot reach SQL Server on {target.server}", advice=advice, code=code, **fields)


def _connection_string(target: ServerAddress, driver: Driver) -> str:
    """Never leaves this file: it holds the password."""
    if any(character in target.host for character in "{};=,\\"):
        raise RecoveryError(
            f"'{target.host}' is no name of a server",
            code="option_invalid",
            advice="Give the port in login_port and the instance in login_instance",
        )
    words = {"DRIVER": driver.name, "UID": target.user, "PWD": target.password, "DATABASE": "master"}
    words |= {"APP": target.program, "WSID": platform.node()[:128]}  # what the server's admins see of us
    if driver.kind == "microsoft":
        words |= {
            "SERVER": _address(target),
            "Encrypt": _encryption(target, driver),
            "TrustServerCertificate": "no",
            "ConnectRetryCount": "0",
        }
        _require_version(target, driver)
        if target.certificate_name:
            words["HostNameInCertificate"] = target.certificate_name
        if target.encrypt == "optional":
            words["TrustServerCertificate"] = "yes"
    else:
        words["SERVERNAME"] = FREETDS_SECTION  # everything else stands in the file that _trust writes
    if any("\x00" in value for value in words.values()):
        raise RecoveryError(
            "A name or password of the connection holds a NUL character, which ends it before its time",
            code="option_invalid",
        )
    return "".join(f"{name}={{{value.replace('}', '}}')}}};" for name, value in words.items())


def _require_version(target: ServerAddress, driver: Driver) -> None:
    """Driver 17 passes over the word HostNameInCertificate, which it does not know, and knows no Encrypt=strict."""
    option = "certificate_name" if target.certificate_name else "encrypt: strict" if target.encrypt == "strict" else ""
    if option and _OLD_DRIVER.search(driver.name):
        raise RecoveryError(
            f"'{driver.name}' does not know what '{option}' needs, which came with version 18",
            code="unsupported",
            advice="Use a newer driver: 'pip install mssql-python-odbc', or leave the option out",
        )


def _address(target: ServerAddress) -> str:
    if target.port:
        return f"{target.host},{target.port}"
    return f"{target.host}\\{target.instance}" if target.instance else f"{target.host},1433"


def _encryption(target: ServerAddress, driver: Driver) -> str:
    try:
        return ENCRYPTION[driver.kind][target.encrypt]
    except KeyError:
        raise RecoveryError(
            "FreeTDS does not know 'encrypt: strict'",
            code="unsupported",
            advice="Use Microsoft's driver: 'pip install mssql-python-odbc'",
        ) from None


FREETDS_SECTION = "server"


@contextmanager
def _trust(target: ServerAddress, driver: Driver) -> Iterator[None]:
    """Tell the driver whom to trust. Both read files at the moment they connect; neither takes this in the connection
    string.
    """
    ca_file = readable_file(target.ca_file, option="ca_file") if target.ca_file else None
    if driver.kind == "microsoft":
        if ca_file:
            os.environ["SSL_CERT_FILE"] = ca_file
        yield
        return
    if target.certificate_name and target.certificate_name != target.host and target.encrypt != "optional":
        raise RecoveryError(
            "FreeTDS cannot verify another name than the one it connects to",
            code="unsupported",
            advice="Leave out certificate_name, or use Microsoft's driver: 'pip install mssql-python-odbc'",
        )
    lines = [f"[{FREETDS_SECTION}]", f"host = {target.host}", "tds version = 7.4", "client charset = UTF-8"]
    lines += [f"encryption = {_encryption(target, driver)}"]
    lines += (
        [f"instance = {target.instance}"] if target.instance and not target.port else [f"port = {target.port or 1433}"]
    )
    if target.encrypt != "optional":
        lines += [f"ca file = {ca_file or 'system'}", "check certificate hostname = yes"]
    with tempfile.NamedTemporaryFile("w", prefix="prs-recovery-", suffix=".conf", encoding="utf-8") as settings:
        settings.write("\n".join(lines) + "\n")
        settings.flush()
        os.environ["FREETDSCONF"] = settings.name
        yield


def _messages_of(cursor: Any) -> Iterator[Message]:
    for state, text in cursor.messages or ():
        match = _NUMBER_OF_MESSAGE.search(state)
        yield Message(number=int(match.group(1)) if match else 0, text=plain_text(text))
