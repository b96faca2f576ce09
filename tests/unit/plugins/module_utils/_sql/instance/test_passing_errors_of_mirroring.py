"""Errors of mirroring that pass are waited out; what may have worked already is said again only where that does no harm."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import mirroring_session


class Server:
    """A connection whose statements fail with the numbers of a script, one after the other."""

    def __init__(self, numbers):
        self.numbers = list(numbers)
        self.target = type("Target", (), {"server": "sql01"})
        self.sent = []

    def execute(self, statement, *, doing="", on_message=None):
        self.sent.append(statement)
        if number := self.numbers.pop(0) if self.numbers else None:
            raise SqlError(doing, text="no", number=number, sqlstate="42000")
        return []


@pytest.fixture
def say(monkeypatch):
    """Says a command to a server that fails so; the pauses, and what the task would tell of its statements."""

    def run(action, *numbers):
        pauses = []
        monkeypatch.setattr(mirroring_session.time, "sleep", pauses.append)
        session = Session(params={}, check_mode=False, progress=Progress())
        session.connection = Server(numbers)
        mirroring_session.set_partner(session, "PRS", action, "TCP://b:5022" if action == "partner" else "")
        assert len(session.connection.sent) == 1 + len(pauses)
        assert session.statements == session.connection.sent[:1], "what was said again is told once"
        return pauses

    return run


@pytest.mark.parametrize("number", [1404, 1413, 1438])
@pytest.mark.parametrize("action", ["partner", "failover", "resume", "end"])
def test_what_passes_is_waited_out(say, action, number):
    assert say(action, number, number) == [1, 2]


@pytest.mark.parametrize("number", [1405, 1408, 1418])
def test_what_stays_is_told_at_once(say, number):
    with pytest.raises(SqlError) as failed:
        say("partner", number)
    assert failed.value.number == number


def test_it_is_not_waited_for_ever(say):
    with pytest.raises(SqlError):
        say("partner", *[1404] * 6)


@pytest.mark.parametrize(("action", "done"), [("partner", 1405), ("end", 1416)])
def test_a_command_of_which_no_answer_came_may_have_worked(say, action, done):
    assert say(action, 1421, done) == [1]
    with pytest.raises(SqlError):
        say(action, done)


@pytest.mark.parametrize("action", ["failover", "force"])
def test_a_change_of_roles_is_not_said_twice(say, action):
    with pytest.raises(SqlError, match="may have worked"):
        say(action, 1421)
