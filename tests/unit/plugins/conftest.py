from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session


class Server:
    """In the place of a Connection: writes down what is run, and where."""

    def __init__(self):
        self.target = SimpleNamespace(server="sql01")
        self.account = ""
        self.ran, self.database = [], "master"

    def execute(self, statement, *, doing="", on_message=None):
        assert doing
        self.ran.append((self.database, statement))
        return []

    def ask_ahead(self, *questions):
        """Whatever is asked ahead is asked again by itself, and answered there."""
        assert all(question[0] for question in questions)

    @contextmanager
    def using(self, database):
        self.database = database
        yield
        self.database = "master"


@pytest.fixture
def session():
    def make(*, check_mode=False, **params):
        made = Session(params=params, check_mode=check_mode, progress=Progress())
        made.connection = Server()
        return made

    return make
