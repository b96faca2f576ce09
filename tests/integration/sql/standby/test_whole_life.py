"""The whole life of a standby with Express on both sides: seed, fifty logs, there and back, a site that is lost in the
middle of a backup, and its return.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt

import pytest

from ..mirroring.conftest import killed
from ..test_controller_killed import FOREVER, percent, running, wait_for
from .conftest import Pair

pytestmark = pytest.mark.nightly
EXPRESS = "Express Edition (64-bit)"
LOGS = 50


@pytest.fixture
def pair(sql_a, sql_b, database, monkeypatch):
    for server in (sql_a, sql_b):
        monkeypatch.setattr(server.instance, "settings", dataclasses.replace(server.instance.settings, edition=EXPRESS))
    pair = Pair(a=sql_a, b=sql_b, name=database)
    pair.full(sql_a)
    pair.catch_up(sql_b)
    return pair


@contextlib.contextmanager
def backing_up(pair: Pair):
    """A log backup of the principal is half written."""
    pair.a.instance.io_seconds = FOREVER
    try:
        with running(pair.a, "sql_backup", database=pair.name, kind="log", path=pair.folder) as process:
            wait_for(lambda: percent(pair.a) > 0.5, process)
            yield
    finally:
        pair.a.instance.io_seconds = 0.0


def test_fifty_logs_there_and_back_lost_and_returned(pair):
    a, b, name = pair.a, pair.b, pair.name
    number = 1
    for _log in range(LOGS):
        number += 1
        pair.mark(number)
        pair.log(a)
        steps = pair.catch_up(b)["plan"]["steps"]
        assert [step["kind"] for step in steps] == ["log"]  # nothing is read twice
    for server, other in ((b, a), (a, b)):
        assert pair.fail_over(server)["way"] == "planned"
        assert server.marks(name) == list(range(1, number + 1))
        number += 1
        pair.mark(number, on=server)
        pair.log(server)
        pair.catch_up(other)
    fulls = "SELECT DISTINCT backup_set_uuid FROM msdb.dbo.backupset WHERE database_name = %s AND type = 'D'"
    assert len({guid for server in (a, b) for (guid,) in server.ask(fulls, name)}) == 1
    assert pair.states() == ("ONLINE", "RESTORING")
    reached = a.marks(name)
    lost_at = dt.datetime.now(dt.timezone.utc)
    pair.mark(number + 1)
    with backing_up(pair), killed(a):
        told = pair.fail_over(b, allow_data_loss=True)
    assert dt.datetime.fromisoformat(told["may_be_lost"]["since"]) <= lost_at
    assert b.marks(name) == reached
    pair.mark(number + 2, on=b)
    pair.log(b)
    assert pair.fail_over(b, allow_data_loss=True)["way"] == "rejoin"
    pair.catch_up(a, replace="always")
    assert pair.fail_over(a)["way"] == "planned" and a.marks(name) == [*reached, number + 2]
