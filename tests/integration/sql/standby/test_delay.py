"""A standby that is kept an hour behind, in simulated time: a mistake of two o'clock is undone from it."""

from __future__ import annotations

import datetime as dt

import pytest

from ..conftest import mark
from .conftest import Pair

QUARTER, DELAY = dt.timedelta(minutes=15), dt.timedelta(minutes=60)
MISTAKE = dt.datetime.combine(dt.date.today() - dt.timedelta(days=2), dt.time(14), tzinfo=dt.timezone.utc)
"""Days ago, so that the clocks of both servers only ever go forwards."""


@pytest.fixture
def clock(sql_a, sql_b):
    """Sets the clocks of both servers."""

    def set_clock(moment: dt.datetime) -> None:
        for server in (sql_a, sql_b):
            server.host.clock_offset = moment - dt.datetime.now(dt.timezone.utc)

    offsets = [server.host.clock_offset for server in (sql_a, sql_b)]
    yield set_clock
    for server, offset in zip((sql_a, sql_b), offsets, strict=True):
        server.host.clock_offset = offset


@pytest.fixture
def pair(sql_a, sql_b, clock, name):
    """A full backup of half past eleven. From then on a row, a log backup and a run of the standby every quarter of an
    hour until a quarter past two; at two all rows are deleted.
    """
    clock(MISTAKE - 10 * QUARTER)
    sql_a.run("sql_database", name=name, recovery_model="FULL")
    sql_a.ask("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=name)
    pair = Pair(a=sql_a, b=sql_b, name=name)
    pair.full(sql_a)
    for number in range(1, 11):
        quarter = MISTAKE - (10 - number) * QUARTER
        clock(quarter - dt.timedelta(minutes=2))
        mark(sql_a, name, number, f"{quarter:%H:%M}")
        if number == 10:
            clock(MISTAKE)
            sql_a.do("DELETE FROM dbo.marker", database=name)
            quarter += QUARTER
        clock(quarter)
        pair.log(sql_a)
        pair.catch_up(sql_b, source={**pair.source, "finished_before": (quarter - DELAY).isoformat()})
    clock(MISTAKE + dt.timedelta(minutes=20))
    return pair


def test_a_mistake_of_two_oclock_is_undone_from_a_standby_that_is_an_hour_behind(pair):
    a, b, name = pair.a, pair.b, pair.name
    assert a.marks(name) == []
    until = (MISTAKE - dt.timedelta(minutes=1)).isoformat()
    result = pair.fail_over(b, until=until, allow_data_loss=True)
    assert b.marks(name) == list(range(1, 11))
    assert result["plan"]["recovery_point"]["time"] == until
    assert result["may_be_lost"]["since"] == until and result["may_be_lost"]["minutes"] == 22
    kinds = [step["kind"] for step in result["plan"]["steps"]]
    assert result["plan"]["resumes"] is True and set(kinds) == {"log", ""} and len(kinds) <= 6, kinds
    assert result["interrupted_seconds"] < 60
    print(f"back in {result['interrupted_seconds']} seconds, by {len(kinds) - 1} logs")
