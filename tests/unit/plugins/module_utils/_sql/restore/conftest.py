from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.options import RestoreOptions, RestoreSource

DATABASE = {
    "name": "PRS",
    "state": "ONLINE",
    "standby": False,
    "user_access": "MULTI_USER",
    "recovery_model": "FULL",
    "family_guid": "aaaa",
    "mirroring": {},
    "files": [],
}


class Server:
    """In the place of a Connection. answers: a part of a statement -> the rows, or the error, that it gives; the first
    that fits counts. A question that nobody foresaw fails.
    """

    def __init__(self, answers):
        self.answers = answers
        self.target = SimpleNamespace(server="sql01")
        self.account = "NT SERVICE\\MSSQLSERVER"
        self.asked, self.ran = [], []

    def query(self, statement, *values, doing=""):
        self.asked.append(statement)
        for part, answer in self.answers.items():
            if part in statement:
                answer = answer(statement, *values) if callable(answer) else answer
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise AssertionError(f"nobody foresaw {statement!r}")

    def query_each(self, *questions, doing=""):
        return [self.query(*question) for question in questions]

    def row(self, statement, *values, doing=""):
        return next(iter(self.query(statement, *values)), None)

    def value(self, statement, *values, doing=""):
        return next(iter((self.row(statement, *values) or {}).values()), None)

    def execute(self, statement, *, doing="", on_message=None):
        self.ran.append(statement)
        for part, answer in self.answers.items():
            if part in statement and isinstance(answer, Exception):
                raise answer
        return []

    @contextmanager
    def using(self, _database):
        yield


@pytest.fixture
def make_session():
    def make(answers=None, *, check_mode=False):
        session = Session(params={}, check_mode=check_mode, progress=Progress())
        session.connection = Server(answers or {})
        return session

    return make


@pytest.fixture
def make_options():
    def make(**given):
        source = given.pop("source", RestoreSource(folders=("D:\\Backup",)))
        return RestoreOptions(**{"database": "PRS", "source": source, **given})

    return make


@pytest.fixture
def sql_error():
    def make(number, text="refused"):
        return SqlError("It failed", text=text, number=number, sqlstate="42000")

    return make


@pytest.fixture
def make_database(monkeypatch):
    """Lets every read_database of the package answer with this; None for no database."""

    def make(*modules, **changed):
        info = None if changed.get("state") == "" else {**DATABASE, **changed}
        for module in modules:
            monkeypatch.setattr(module, "read_database", lambda _connection, _name: info and {**info})
        return info

    return make
