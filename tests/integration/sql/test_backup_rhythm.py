"""Days of the rhythm in simulated time: full, differential and log backups as recovery sets, pruned in between; then
back to any quarter of an hour.

The servers' clocks are set, this machine's is not: it is far ahead of them, as a control node's may be, though by less.
And they live through the night in which clocks are set back, so that the hour from two to three comes twice.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from .conftest import SHARE, SYSTEM, Server, mark

pytestmark = pytest.mark.nightly

PLACE, NAME, ZONE = f"{SHARE}\\night", "Night", "Europe/Berlin"
ON_DISK = "D:\\Shares\\backup\\night"
DAYS = [dt.datetime(2025, 10, day, 16, 0, tzinfo=dt.timezone.utc) for day in (21, 22, 23, 24)]
NIGHT = dt.datetime(2025, 10, 25, 18, 0, tzinfo=dt.timezone.utc)
TWICE = dt.datetime(2025, 10, 26, 0, 0, tzinfo=dt.timezone.utc)
"""Two o'clock for the first time; an hour later it is two o'clock again."""
QUARTER, HOUR = dt.timedelta(minutes=15), dt.timedelta(hours=1)
LOGS, DIFFERENTIALS = 96, (24, 48, 72)


@dataclass(kw_only=True)
class Rhythm:
    """An estate whose clock is set. rows, sets: number or label, and the moments between which it came to be."""

    hosts: list[Any]
    sql: Server
    web: Server
    rows: list[tuple[int, dt.datetime, dt.datetime]] = field(default_factory=list)
    sets: list[tuple[str, dt.datetime, dt.datetime]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def set_clock(self, moment: dt.datetime) -> None:
        """Only ever forwards, as time goes; from there on it goes by itself."""
        ahead = moment - dt.datetime.now(dt.timezone.utc)
        assert not self.rows or ahead > self.sql.host.clock_offset, "this machine is so slow that the quarter is over"
        for host in self.hosts:
            host.clock_offset = ahead

    def row(self, moment: dt.datetime) -> None:
        self.set_clock(moment)
        number, before = len(self.rows) + 1, self.sql.host.clock()
        mark(self.sql, NAME, number, f"{moment:%d %H:%M}")
        self.rows.append((number, before, self.sql.host.clock()))

    def take(self, moment: dt.datetime, kind: str, **options: Any) -> None:
        """What backup_prs does: archive, backup, set."""
        self.set_clock(moment)
        before = self.sql.host.clock().replace(microsecond=0)  # of times of backups SQL Server keeps whole seconds
        view = self.web.host.files(SYSTEM)
        place = {"path": PLACE, "label": f"{moment:%Y%m%dT%H%M%SZ}", **self.web.windows, **self.web.share_account}
        backup = self.sql.run("sql_backup", database=NAME, kind=kind, path=f"{PLACE}\\database")["backup"]
        if kind != "log":
            view.write("C:\\Application\\encryption.config", f"the key of {moment}".encode())
            place["application"] = self.web.run(
                "app_backup",
                login=False,
                path="C:\\Application",
                destination=f"{PLACE}\\application",
                **self.web.windows,
                **self.web.share_account,
            )["archive"]
        made = self.web.run("recovery_set", login=False, **place, database=backup, **options)
        assert made["set"]["healthy"], made["set"]["problems"]
        self.sets.append((place["label"], before, self.sql.host.clock()))
        self.kinds[place["label"]] = kind
        self.removed += made["removed"]

    def choose(self, **options: Any) -> dict[str, Any]:
        return self.web.run(
            "recovery_set_info", login=False, path=PLACE, **options, **self.web.windows, **self.web.share_account
        )["chosen"]

    def rows_until(self, moment: dt.datetime) -> list[int]:
        return [number for number, _before, after in self.rows if after <= moment]

    def is_clear(self, moment: dt.datetime) -> bool:
        """Whether it can be told what was there."""
        return not any(before <= moment <= after for _what, before, after in (*self.rows, *self.sets))


@pytest.fixture
def draw(rhythm) -> Callable[[Callable[[dt.datetime], bool]], dt.datetime]:
    """A moment of the night that a condition allows. PRS_NIGHT_SEED=... draws the same one again."""
    seed = int(os.environ.get("PRS_NIGHT_SEED") or random.SystemRandom().randrange(10**6))

    def drawn(allowed: Callable[[dt.datetime], bool]) -> dt.datetime:
        source = random.Random(seed)
        while True:
            moment = NIGHT + QUARTER + dt.timedelta(seconds=source.randrange((LOGS - 2) * int(QUARTER.total_seconds())))
            if allowed(moment) and rhythm.is_clear(moment):
                print(f"PRS_NIGHT_SEED={seed} draws {moment}")
                return moment

    return drawn


@pytest.fixture(scope="module")
def rhythm(lab, sql_a, sql_b) -> Iterator[Rhythm]:
    """All of it, once."""
    made, _ca_file = lab
    hosts = [made.host(name) for name in ("sql-a", "sql-b", "web-a", "files")]
    before = [(host, host.clock_offset, host.time_zone) for host in hosts]
    rhythm = Rhythm(hosts=hosts, sql=sql_a, web=Server(host=made.host("web-a"), ca_file=""))
    try:
        for host in hosts:
            host.time_zone = ZONE
        rhythm.set_clock(DAYS[0] - HOUR)
        rhythm.web.host.files(SYSTEM).make_dir("C:\\Application")
        sql_a.run("sql_database", name=NAME, recovery_model="FULL")
        sql_a.ask("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=NAME)
        for day in DAYS:
            rhythm.take(day, "full")
            rhythm.row(day + HOUR / 2)
            rhythm.take(day + HOUR, "log")
            rhythm.row(day + 3 * HOUR)
        rhythm.take(NIGHT, "full", retention={"age": 2})
        for quarter in range(1, LOGS + 1):
            end = NIGHT + quarter * QUARTER
            rhythm.row(end - QUARTER / 2)
            rhythm.take(end, "log")
            if quarter in DIFFERENTIALS:
                rhythm.take(end + QUARTER / 5, "differential")
        yield rhythm
    finally:
        for host, offset, zone in before:
            host.clock_offset, host.time_zone = offset, zone


def restored(server: Server, name: str, *, target: str = "latest", **source: Any) -> list[int]:
    """The rows of the database, restored under another name on a server that made none of the backups; read by another
    client.
    """
    server.run("sql_restore", database=name, source={"database": NAME, "time_zone": ZONE, **source}, target=target)
    return server.marks(name)


def test_a_random_quarter_of_an_hour_comes_back(rhythm, sql_b, draw):
    """Twice: by the recovery set that leads there, and by all that lies in the folder."""
    moment = draw(lambda moment: not TWICE + HOUR / 2 <= moment <= TWICE + 2 * HOUR)
    chosen = rhythm.choose(until=moment.isoformat())
    rows = rhythm.rows_until(moment)
    assert rows[-1] > 2 * len(DAYS) and chosen["notes"] == []
    assert chosen["label"] == [label for label, _before, after in rhythm.sets if after <= moment][-1]
    assert restored(sql_b, "ByTheSet", files=chosen["files"], target=chosen["target"]) == rows
    assert restored(sql_b, "ByTheFolder", folders=[f"{PLACE}\\database"], target=moment.isoformat()) == rows


def test_the_end_of_the_night_and_the_oldest_moment_that_is_kept_come_back(rhythm, sql_b):
    """That one lies between two logs around a full backup, and is reached from the full one before."""
    newest = rhythm.choose()
    assert restored(sql_b, "Newest", files=newest["files"]) == [number for number, _before, _after in rhythm.rows]
    oldest = rhythm.choose(until=(NIGHT - dt.timedelta(days=2) + 2 * HOUR).isoformat())
    assert restored(sql_b, "Oldest", files=oldest["files"], target=oldest["target"]) == rhythm.rows_until(
        DAYS[2] + 4 * HOUR
    )


def test_pruning_took_what_is_older_and_nothing_else(rhythm, share):
    gone = [f"{when:%Y%m%dT%H%M%SZ}" for day in DAYS[:2] for when in (day, day + HOUR)]
    assert rhythm.removed == gone
    left = {label: kind for label, kind in rhythm.kinds.items() if label not in gone}
    assert sorted(left.values()) == ["differential"] * 3 + ["full"] * 3 + ["log"] * (LOGS + 2)
    assert sorted(share.list(f"{ON_DISK}\\sets")) == sorted(f"{label}.json" for label in left)
    assert len(share.list(f"{ON_DISK}\\database")) == len(left)
    assert len([name for name in share.list(f"{ON_DISK}\\application") if name.endswith(".zip")]) == 6


def test_what_time_it_is_the_server_says_everywhere(rhythm, sql_a, share):
    """In SQL, in msdb, in headers, in names and times of files, and in the log, by which a moment is found."""
    newest = rhythm.choose()["manifest"]
    end = NIGHT + LOGS * QUARTER
    [file] = newest["database"]["files"]
    told = {
        "taken": dt.datetime.fromisoformat(newest["taken_at"]),
        "finished": dt.datetime.fromisoformat(newest["database"]["finished_at"]),
        "name": dt.datetime.strptime(file.split("_")[-1][:15], "%Y%m%dT%H%M%S").replace(tzinfo=dt.timezone.utc),
        "file": share.stat(file.replace(PLACE, ON_DISK)).modified,
    }
    assert {what: moment for what, moment in told.items() if not end <= moment < end + QUARTER} == {}
    [(utc, local, finished)] = sql_a.ask(
        "SELECT SYSUTCDATETIME(), GETDATE(), (SELECT MAX(backup_finish_date) FROM msdb.dbo.backupset WHERE "
        "database_name = %s)",
        NAME,
    )
    assert utc >= end.replace(tzinfo=None)
    assert round((local - utc) / HOUR) == 1  # winter again
    assert dt.timedelta() <= finished - HOUR - end.replace(tzinfo=None) < QUARTER


def test_of_the_hour_that_comes_twice_the_right_one_comes_back(rhythm, sql_b):
    """Headers hold the time on the wall; the logs around tell which of the two hours each of them is of."""
    for name, moment in (("First", TWICE + HOUR / 3), ("Second", TWICE + HOUR + HOUR / 3)):
        rows = rhythm.rows_until(moment)
        assert restored(sql_b, name, folders=[f"{PLACE}\\database"], target=moment.isoformat()) == rows
    chosen = rhythm.choose(until=moment.isoformat())
    assert restored(sql_b, "SecondBySet", files=chosen["files"], target=chosen["target"]) == rows
