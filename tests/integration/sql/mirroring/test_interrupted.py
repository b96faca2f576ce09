"""Tasks that are killed between any two of their statements; the same task again ends as if nothing had been."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session

from .conftest import SEED, address


class Killed(BaseException):
    """The process ends before a statement, which is the text."""


@contextlib.contextmanager
def killed_before(number):
    """The statement after that many is not sent any more."""
    change, left = Session.change, [number]

    def counted(self, statement, **more):
        if not left[0]:
            raise Killed(statement)
        left[0] -= 1
        return change(self, statement, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Session, "change", counted)
        yield


def interruptions(task):
    """Runs a task that is killed ever later, until one comes to its end; yields the statement that was not sent."""
    for number in itertools.count():
        try:
            with killed_before(number):
                task()
        except Killed as end:
            yield str(end)
        else:
            return


def test_a_mirror_that_is_being_made(pair):
    a, b, wanted = pair.a, pair.b, {"witness": address(pair.witness), "timeout": 20, "safety": "FULL"}
    a.do(f"EXEC master.sys.xp_create_subdir N'{SEED}'")  # the first statement of who comes first
    unsent = []
    for statement in interruptions(lambda: pair.mirror(**wanted)):
        unsent.append(statement)
        pair.mark(len(unsent) + 1)
        pair.mirror(**wanted)
        assert (pair.state(a), pair.state(b)) == (
            ("PRINCIPAL", "SYNCHRONIZED", "FULL"),
            ("MIRROR", "SYNCHRONIZED", "FULL"),
        ), statement
        assert not pair.mirror(**wanted)["changed"], statement
        pair.mirror(state="absent")
        b.do(f"RESTORE DATABASE [{pair.name}] WITH RECOVERY")
        assert b.marks(pair.name) == [*range(1, len(unsent) + 2)], statement
        b.do(f"DROP DATABASE [{pair.name}]")
    kinds = (
        "BACKUP DATABASE",
        "BACKUP LOG",
        "RESTORE DATABASE",
        "RESTORE LOG",
        "= N'TCP://sql-a",
        "= N'TCP://sql-b",
        "TIMEOUT",
        "WITNESS",
    )
    assert not [kind for kind in kinds if not any(kind in statement for statement in unsent)], unsent


def test_a_failover_of_an_asynchronous_session(pair):
    pair.mirror(safety="OFF")
    unsent = []
    for statement in interruptions(lambda: pair.fail_over(pair.b, safety="OFF")):
        unsent.append(statement.rpartition(" SET ")[2])
        pair.fail_over(pair.b, safety="OFF")
        assert (pair.state(pair.b), pair.state(pair.a)) == (
            ("PRINCIPAL", "SYNCHRONIZED", "OFF"),
            ("MIRROR", "SYNCHRONIZED", "OFF"),
        ), statement
        assert not pair.fail_over(pair.b, safety="OFF")["changed"], statement
        pair.fail_over(pair.a)
    assert unsent == ["PARTNER SAFETY FULL", "PARTNER FAILOVER", "PARTNER SAFETY OFF"]
    assert pair.b.marks(pair.name) == [1]
