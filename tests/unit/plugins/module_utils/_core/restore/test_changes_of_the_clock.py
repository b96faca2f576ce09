"""Every moment around both changes of the clock, carried out on a server with local times: the right data, or a refusal
that names the points around it by their LSNs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog, from_history
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.clock import settle_times
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    Plan,
    Refusal,
    Request,
    Target,
    plan_restore,
)
from local_server import LocalServer
from planner_cases import CHAIN, at, full, log, order, plan

BERLIN, LONDON, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")
UTC = timezone.utc
AUTUMN, SPRING = datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)
"""When the clock of Berlin goes from 03:00 back to 02:00, and from 02:00 on to 03:00."""

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
Schedule = Iterator[tuple[str, datetime]]


def every(step: timedelta, change: datetime, *, shift: timedelta = timedelta()) -> Schedule:
    begin = change - DAY - HOUR
    yield from (("log", begin + shift + number * step) for number in range(1, int((2 * DAY + 2 * HOUR) / step)))


def quarters(change: datetime) -> Schedule:
    yield "full", change - DAY - HOUR
    yield from every(QUARTER, change)


def agent_pauses(change: datetime) -> Schedule:
    """SQL Server Agent waits through the hour that comes again: one log holds all of it."""
    yield from (entry for entry in quarters(change) if not change <= entry[1] < change + HOUR)


def hours(change: datetime) -> Schedule:
    yield "full", change - DAY - HOUR
    yield from every(HOUR, change, shift=timedelta(minutes=50))


def nightly_fulls(change: datetime) -> Schedule:
    """At 02:05, when that comes for the first and when it comes for the second time, and logs."""
    yield from quarters(change)
    yield "full", change - timedelta(minutes=55)
    yield "full", change + timedelta(minutes=5)


def fulls_alone(change: datetime) -> Schedule:
    yield from (("full", change - DAY + number * 6 * HOUR + timedelta(minutes=5)) for number in range(8))


SCHEDULES: tuple[Callable[[datetime], Schedule], ...] = (quarters, agent_pauses, hours, nightly_fulls, fulls_alone)


def told(server: LocalServer, *, tells_offset: bool, zone: ZoneInfo | None) -> BackupCatalog:
    return from_history(*server.rows(tells_offset=tells_offset), zone=zone)


def minutes(change: datetime, *, nightly: bool) -> Iterator[datetime]:
    """Every minute of 48 hours by night; by day every fifth of three hours, and a few of the rest."""
    for number in range(2 * 24 * 60):
        moment = change - DAY + number * timedelta(minutes=1)
        near = abs(moment - change) <= 1.5 * HOUR
        if nightly or (near and number % 5 == 0) or number % 37 == 0:
            yield moment


class Tally:
    """What became of the moments that were asked for."""

    def __init__(self, server: LocalServer, catalog: BackupCatalog, zone: ZoneInfo | None) -> None:
        self.server, self.catalog, self.zone = server, catalog, zone
        self.right = 0
        self.refused: dict[str, int] = {}

    def plan(self, target: Target) -> Plan | Refusal:
        request = Request(database="PRS", target=target, zone=self.zone)
        return plan_restore(self.catalog, request, now=self.server.begins + 10 * DAY)

    def ask(self, moment: datetime) -> None:
        answer = self.plan(Target.at_time(moment))
        if isinstance(answer, Plan):
            self.expect_right(answer, moment)
            self.right += 1
            return
        self.refused[answer.code] = self.refused.get(answer.code, 0) + 1
        if answer.code == "clock_changed":
            lsns = [int(lsn) for lsn in re.findall(r"before-lsn:(\d+)", answer.advice)]
            assert len(lsns) == 2 and lsns[0] <= self.server.lsn_at(moment) <= lsns[1], (moment, answer.advice)
        self.follow(answer)

    def expect_right(self, plan: Plan, moment: datetime) -> None:
        ends = {entry.last for entry in self.server.sets.values() if entry.kind == "full"}
        stands = self.server.carry_out(plan.steps)
        alone = len([step for step in plan.steps if step.guid]) == 1 and stands in ends
        wanted = self.server.lsn_at(moment)
        off = abs(self.server.lsn_at(moment) - stands)
        assert stands == wanted or (alone and plan.recovery_point.time == moment and off < 10), (moment, stands, wanted)

    def follow(self, refusal: Refusal) -> None:
        """Whatever the advice names can be had."""
        for lsn in re.findall(r"before-lsn:(\d+)", refusal.advice):
            answer = self.plan(Target.at_lsn(int(lsn), before=True))
            assert isinstance(answer, Plan), (refusal.advice, lsn)
            assert self.server.carry_out(answer.steps) == int(lsn)
        for text in re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", refusal.advice):
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
            answer = self.plan(Target.at_time(moment))
            assert isinstance(answer, Plan), (refusal.advice, text)
            self.expect_right(answer, moment)


def asked(server: LocalServer, change: datetime, *, tells_offset: bool, zone: ZoneInfo | None, nightly: bool) -> Tally:
    tally = Tally(server, told(server, tells_offset=tells_offset, zone=zone), zone)
    for moment in minutes(change, nightly=nightly):
        tally.ask(moment)
    return tally


def berlin(change: datetime, schedule: Callable[[datetime], Schedule]) -> LocalServer:
    server = LocalServer(change - DAY - 2 * HOUR, change + DAY + 2 * HOUR, zone=BERLIN)
    server.run(schedule(change))
    return server


ZONES = {
    "given": (False, BERLIN),
    "told": (True, None),
    "told and given": (True, BERLIN),
    "contradicting": (True, TOKYO),
}


@pytest.mark.parametrize("zones", ZONES)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.__name__)
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["autumn", "spring"])
def test_every_minute_brings_the_right_data_or_is_refused(
    change: datetime, schedule: Callable[[datetime], Schedule], zones: str
) -> None:
    tells_offset, zone = ZONES[zones]
    tally = asked(berlin(change, schedule), change, tells_offset=tells_offset, zone=zone, nightly=False)
    assert set(tally.refused) <= {"clock_changed", "before_first", "after_last", "gap"}
    if schedule is not fulls_alone:
        assert tally.right > 60
        assert tally.refused.get("clock_changed", 0) <= (0 if change is SPRING and zone is BERLIN else 30)


@pytest.mark.nightly
@pytest.mark.parametrize("zones", ZONES)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.__name__)
@pytest.mark.parametrize("change", [AUTUMN, SPRING], ids=["autumn", "spring"])
def test_every_minute_of_two_days(change: datetime, schedule: Callable[[datetime], Schedule], zones: str) -> None:
    tells_offset, zone = ZONES[zones]
    asked(berlin(change, schedule), change, tells_offset=tells_offset, zone=zone, nightly=True)


def test_the_hour_that_comes_twice_is_told_apart_by_lsn() -> None:
    """Logs every 15 minutes: which of two logs of 02:15 came first shows in their LSNs, so most minutes can be had.

    Not those of the log after the change either: nobody knows whether the log before it holds a record from after the
    change, and if it does not, RESTORE says that the time is too early (4335).
    """
    server = berlin(AUTUMN, quarters)
    tally = Tally(server, told(server, tells_offset=False, zone=BERLIN), BERLIN)
    for number in range(120):
        tally.ask(AUTUMN - HOUR + number * timedelta(minutes=1))
    assert tally.refused.get("clock_changed", 0) <= 30
    assert tally.right >= 90


@pytest.mark.parametrize("zones", ["given", "told"])
def test_a_quiet_night_brings_no_plan_that_fails(zones: str) -> None:
    """Nothing was logged from shortly before the clock was set back until the next hour but one."""
    tells_offset, zone = ZONES[zones]
    server = LocalServer(AUTUMN - DAY - 2 * HOUR, AUTUMN + DAY, zone=BERLIN)
    server.records = [
        moment for moment in server.records if not AUTUMN - 5 * QUARTER / 3 < moment < AUTUMN + 5 * QUARTER / 3
    ]
    server.run(quarters(AUTUMN))
    tally = Tally(server, told(server, tells_offset=tells_offset, zone=zone), zone)
    for number in range(-60, 90):
        tally.ask(AUTUMN + number * timedelta(minutes=1))
    assert tally.right >= 90
    assert set(tally.refused) <= {"clock_changed"}


def test_a_full_of_the_second_pass_is_not_taken_for_the_first() -> None:
    """Taken for 00:05 UTC it would be a plan for 00:30 by itself, and bring the mistake of 00:40 with it."""
    server = berlin(AUTUMN, nightly_fulls)
    answer = Tally(server, told(server, tells_offset=False, zone=BERLIN), BERLIN).plan(
        Target.at_time(AUTUMN - HOUR / 2)
    )
    assert isinstance(answer, Plan)
    assert server.carry_out(answer.steps) == server.lsn_at(AUTUMN - HOUR / 2)


@pytest.mark.parametrize("tells_offset", [True, False])
def test_what_a_backup_tells_of_its_zone_wins_over_the_zone_that_was_given(tells_offset: bool) -> None:
    """Berlin's logs, then London's; the zone of Berlin was given for both."""
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    server = LocalServer(noon - DAY, noon + DAY, zone=BERLIN)
    server.move(noon, LONDON)
    server.run([("full", noon - 2 * HOUR), *(("log", noon - 2 * HOUR + number * QUARTER) for number in range(1, 20))])
    catalog = told(server, tells_offset=True, zone=BERLIN)
    tally = Tally(server, catalog, BERLIN if tells_offset else None)
    for number in range(-90, 150):
        tally.ask(noon + number * timedelta(minutes=1))
    assert tally.right >= 200
    assert set(tally.refused) <= {"clock_changed"}


def test_stopat_is_not_told_to_an_earlier_log_around_a_backup_of_another_clock() -> None:
    """The database was in Tokyo for an hour, of which an unusable full tells alone: the log around it shows later times
    than that of the moment, at which RESTORE would stop in it.
    """
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    server = LocalServer(noon - DAY, noon + DAY, zone=BERLIN)
    server.move(noon, TOKYO, until=noon + HOUR)
    server.run(
        [
            ("full", noon - 3 * HOUR),
            ("full", noon + HOUR / 2),
            *(("log", noon + number * HOUR) for number in (-2, -1, 2, 3, 4, 5)),
        ]
    )
    away = next(entry.guid for entry in server.sets.values() if entry.server == "SQL2")
    request = Request(
        database="PRS", target=Target.at_time(noon + 3.5 * HOUR), unusable={away: "VERIFYONLY found damage"}
    )
    answer = plan_restore(told(server, tells_offset=True, zone=None), request, now=noon + DAY)
    assert isinstance(answer, Plan)
    assert server.carry_out(answer.steps) == server.lsn_at(noon + 3.5 * HOUR)


def test_a_zone_that_was_given_does_not_settle_the_times_of_a_set_that_tells_its_own() -> None:
    """Its clock was set back while the log was backed up, so that it ended before it began; Tokyo, which was given by
    mistake, is asked which of the times that come twice was meant only for sets that tell nothing.
    """
    header = {
        "guid": "log", "kind": BackupKind.LOG, "family_guid": "family", "last_lsn": 30, "ambiguous_time": True,
        "started": AUTUMN - HOUR / 2, "finished": AUTUMN + HOUR / 4, "utc_offset": 2 * HOUR,
    }  # fmt: skip
    log = BackupSet(**header)
    settle_times([log, BackupSet(**{**header, "guid": "next", "utc_offset": HOUR, "started": AUTUMN + HOUR})], TOKYO)
    assert (log.started, log.utc_offset) == (header["started"], 2 * HOUR)


def test_the_log_in_which_a_fork_was_left_tells_of_the_clock_before() -> None:
    """The database was in Tokyo when it wrote the records from LSN 30 on, as a log from there tells; it was recovered
    elsewhere to LSN 40, within that log, and the first log of the new fork holds those records too.
    """
    away = log("T1", 30, 50, 20, server="SQL2", utc_offset=9 * HOUR)
    after = log("M1", 30, 60, 40, last_fork="b", fork_point_lsn=40)
    target = Target.at_time(at(35))
    assert order(plan([*CHAIN[:2], away, after], target)) == "!clock_changed"
    assert order(plan([*CHAIN[:2], after], target)) == "F1 L1* M1*"


def test_a_zone_that_only_the_other_servers_backups_fit_hides_no_clock() -> None:
    away = log("T1", 30, 40, 20, server="SQL2", utc_offset=9 * HOUR)
    after = log("M1", 30, 60, 40, last_fork="b", fork_point_lsn=40)
    unusable = {"T1": "VERIFYONLY found damage"}
    answer = plan([*CHAIN[:2], away, after], Target.at_time(at(35)), zone=TOKYO, unusable=unusable)
    assert order(answer) == "!clock_changed"


def test_backups_on_another_fork_tell_of_their_servers_clock_too() -> None:
    """Before its first backup there the database may have lived under the clock that only another fork's full tells,
    and then shows later times than that of the moment.
    """
    moved = {"server": "SQL2", "utc_offset": HOUR}
    sets = [*CHAIN[:2], full("F2", 33, 34, 25, **moved), log("L2", 30, 40, 30, **moved)]
    elsewhere = full("X1", 70, 80, 20, server="SQL2", utc_offset=3 * HOUR, first_fork="c", last_fork="c")
    unusable = {"F2": "VERIFYONLY found damage"}
    assert order(plan(sets, Target.at_time(at(28)), unusable=unusable)) == "F1 L1 L2*"
    assert order(plan([*sets, elsewhere], Target.at_time(at(28)), unusable=unusable)) == "!clock_changed"


AHEAD = {"utc_offset": 3 * HOUR}
MOVED = [*CHAIN[:2], *(replace(entry, server="SQL2") for entry in CHAIN[2:])]
"""From SQL1 to SQL2 between the log backups of minutes 10 and 20."""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(log("T1", 5, 7, -30, server="SQL2", copy_only=True, **AHEAD), id="the new server, before"),
        pytest.param(full("X1", 60, 70, 60, first_fork="c", last_fork="c", **AHEAD), id="the old server, after"),
    ],
)
def test_the_clock_that_a_server_had_at_its_nearest_other_backup_may_be_that_of_a_move(other: BackupSet) -> None:
    """Nobody knows when the database was moved, and when that clock was changed: what was written on that server may
    show three hours more, at which RESTORE would stop.
    """
    assert order(plan(MOVED, Target.at_time(at(15)))) == "F1 L1 L2*"
    answer = plan([*MOVED, other], Target.at_time(at(15)))
    assert order(answer) == "!clock_changed"
    assert "between before-lsn:30 (log backup of 10:10:00 UTC) and before-lsn:40" in answer.advice
    assert order(plan([*MOVED[:3], other], Target.at_time(at(20)))) == "!clock_changed"


def test_a_log_around_a_move_that_was_over_by_the_moment_is_not_stopped_at_a_time_of_another_clock() -> None:
    """The moment lies in the idle log after it; what it holds may show three hours more, whether a backup of the new
    server tells of that clock or none does.
    """
    sets = [*MOVED[:3], log("L3", 40, 40, 30, server="SQL2")]
    elsewhere = log("T1", 5, 7, -30, server="SQL2", copy_only=True, **AHEAD)
    assert order(plan(sets, Target.at_time(at(25)))) == "F1 L1 L2"
    assert order(plan([*sets, elsewhere], Target.at_time(at(25)))) == "F1 L1 L2"


def test_a_zone_that_every_backup_around_a_move_fits_tells_of_its_clocks() -> None:
    summer = {"utc_offset": 2 * HOUR, "server": "SQL2"}
    winter = {"utc_offset": HOUR, "server": "SQL2", "copy_only": True}
    sets = [replace(entry, **(summer if entry.server == "SQL2" else {"utc_offset": 2 * HOUR})) for entry in MOVED]
    in_winter = log("T1", 5, 7, -100 * 24 * 60, **winter)
    assert order(plan([*sets, in_winter], Target.at_time(at(15)))) == "!clock_changed"
    assert order(plan([*sets, in_winter], Target.at_time(at(15)), zone=BERLIN)) == "F1 L1 L2*"


def test_a_backup_inside_a_log_that_does_not_tell_its_clock_leaves_no_time_to_say() -> None:
    """The database was on SQL2 meanwhile, whose headers tell no time zone."""
    away = full("F2", 33, 36, 15, server="SQL2", utc_offset=None)
    unusable = {"F2": "VERIFYONLY found damage"}
    assert order(plan(CHAIN, Target.at_time(at(17)), unusable=unusable)) == "F1 L1* L2*"
    answer = plan([*CHAIN, away], Target.at_time(at(17)), unusable=unusable)
    assert order(answer) == "!time_zone_unknown"
    assert "F2.bak" in answer.message
    later = [*CHAIN, away, log("L4", 50, 60, 40)]
    assert order(plan(later, Target.at_time(at(35)), unusable=unusable)) == "F1 L1 L2 L3 L4*"


def test_a_log_that_ended_by_its_clock_before_it_began_tells_that_the_clock_was_set_back() -> None:
    """No later backup tells. What was written since shows times of up to an hour before, so RESTORE would not stop."""
    newest = replace(CHAIN[3], finished=at(80), last_valid_time=at(45), ambiguous_time=True)
    assert order(plan([*CHAIN[:3], newest], Target.at_time(at(25)))) == "!clock_changed"
    assert order(plan([*CHAIN[:3], newest], Target.at_time(at(15)))) == "F1 L1* L2*"
    set_right = [*CHAIN[:3], newest, log("L4", 50, 60, 40)]  # by a second, for the next one tells the same clock
    assert order(plan(set_right, Target.at_time(at(25)))) == "F1 L1* L2* L3*"


def notes_on_clocks(sets: list[BackupSet], minute: float) -> list[str]:
    answer = plan(sets, Target.at_time(at(minute)))
    assert isinstance(answer, Plan)
    return [note for note in answer.notes if "no backup tells whether the clock of" in note]


def test_a_plan_says_where_no_backup_tells_of_a_clock_and_which_lsns_to_name_instead() -> None:
    """Nobody knows by which clock a server wrote before its first backup, and the old one after its last one."""
    moved = [replace(entry, server="SQL2") for entry in CHAIN[2:]]
    [note] = notes_on_clocks([*CHAIN[:2], *moved], 15)
    assert "the clock of SQL1 and SQL2 was the same at 2024-05-06 10:15:00 +0000" in note
    assert "between before-lsn:30 (log backup of 10:10:00 UTC) and before-lsn:40 (log backup of 10:20:00 UTC)" in note
    assert notes_on_clocks([*CHAIN[:2], *moved, log("L4", 50, 60, 40, server="SQL2")], 35) == []
    both_told = [log("T1", 5, 7, -30, server="SQL2", copy_only=True), full("F9", 70, 80, 50)]
    assert notes_on_clocks([*CHAIN[:2], *moved, *both_told], 15) == []


def test_a_plan_says_that_nobody_tells_of_the_clock_while_the_newest_log_was_backed_up() -> None:
    running = replace(CHAIN[3], last_valid_time=at(44), finished=at(45))
    [note] = notes_on_clocks([*CHAIN[:3], running], 40)
    assert "the clock of SQL1" in note
    assert notes_on_clocks([*CHAIN[:3], running], 25) == []
    assert notes_on_clocks([*CHAIN[:3], running, full("F2", 50, 60, 50)], 40) == []
