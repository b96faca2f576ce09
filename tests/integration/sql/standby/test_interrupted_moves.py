"""The controller is killed (SIGKILL) in the middle of a move to the standby; the same task again comes to the same end."""

from __future__ import annotations

import time

import pytest
from prs_lab.sqlserver.faults import Fault

from ..test_controller_killed import kill_at, running

MOMENTS = {
    "while the standby catches up": ("b", "in RESTORE LOG"),
    "before the sessions are ended": ("a", "SET SINGLE_USER"),
    "before the tail": ("a", "BACKUP LOG"),
    "in the middle of the tail": ("a", "in BACKUP LOG"),
    "after the tail": ("a", "RESTORE LABELONLY"),
    "in the middle of the restored tail": ("b", "in RESTORE LOG [{name}] FROM DISK = N'{folder}\\{name}_tail"),
    "before it is opened": ("b", "WITH RECOVERY"),
    "before the hand-over": ("b", "ALTER AUTHORIZATION"),
}


def same_end(pair):
    """The end of a move that nothing interrupted: nothing is lost, and the old principal follows without a full."""
    a, b, name = pair.a, pair.b, pair.name
    result = pair.fail_over(b)
    assert pair.states() == ("RESTORING", "ONLINE")
    assert b.marks(name) == [1, 2, 3, 4]
    assert (result["database"]["user_access"], result["database"]["owner"]) == ("MULTI_USER", "sa")
    assert pair.fail_over(b)["changed"] is False
    pair.mark(5, on=b)
    pair.log(b)
    assert [step["kind"] for step in pair.catch_up(a)["plan"]["steps"]] == ["log"]
    back = pair.fail_over(a)
    assert a.marks(name) == [1, 2, 3, 4, 5] and back["database"]["user_access"] == "MULTI_USER"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_planned_move(pair, moment):
    where, text = MOMENTS[moment]
    at = {"a": pair.a, "b": pair.b}[where]
    text = text.format(name=pair.name, folder=pair.folder)
    kill_at(pair.b, text, "sql_standby_failover", at=at, **pair.options(pair.b))
    same_end(pair)


@pytest.mark.parametrize("moment", ["in the middle of the tail", "after the tail", "before it is opened"])
def test_who_changes_his_mind_serves_with_every_row_where_he_did(pair, moment):
    """Back to the old principal instead of on to the new one."""
    where, text = MOMENTS[moment]
    kill_at(pair.b, text, "sql_standby_failover", at={"a": pair.a, "b": pair.b}[where], **pair.options(pair.b))
    if pair.states()[0] == "RESTORING":
        pair.fail_over(pair.a)
    else:  # the tail was not taken, and it goes on by itself
        pair.mark(44)
    assert pair.a.marks(pair.name)[:4] == [1, 2, 3, 4]


def test_the_way_back_before_it_is_opened_to_everybody(pair):
    """The old principal was in SINGLE_USER when it left service."""
    a, b, name = pair.a, pair.b, pair.name
    pair.fail_over(b)
    kill_at(a, "SET MULTI_USER", "sql_standby_failover", **pair.options(a))
    result = pair.fail_over(a)
    assert (result["way"], result["database"]["user_access"], a.marks(name)) == ("stays", "MULTI_USER", [1, 2, 3, 4])


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(1, 140, 3))
def test_a_planned_move_killed_at_any_statement(pair, number):
    record = pair.b.host.estate.record
    since = record.last

    def sent():
        return sum(1 for entry in record.entries("sql", since=since) if entry["host"] in ("sql-a", "sql-b"))

    servers = (pair.a, pair.b)
    for server in servers:
        server.instance.faults.add(Fault(action="delay", pattern=".", seconds=0.05))
    try:
        with running(pair.b, "sql_standby_failover", **pair.options(pair.b)) as process:
            ends = time.monotonic() + 120
            while sent() < number and process.poll() is None:
                assert time.monotonic() < ends, "it never came to that"
                time.sleep(0.005)
            if process.poll() is not None:
                assert sent() < number, process.stdout.read().decode()
    finally:
        for server in servers:
            server.instance.faults.clear()
    same_end(pair)
