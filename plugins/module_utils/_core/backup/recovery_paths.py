# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery paths: which logs continue which backups, over recovery forks, and how far.

The log of a database is a tree. Every RESTORE WITH RECOVERY starts a new branch, a *recovery fork*, at a *fork point*;
a log backup starts on one fork and may end on the next one. On each fork there is one axis of LSNs, and a log backup is
an interval on it: it applies to a database that stands at ``x`` when ``start <= x < end``, and leaves it at ``end``. So
the questions "how far" and "from where" are questions about the union of intervals, answered by sorting and bisection:

* the newest starting point on a fork reaches everything on it that an older one could reach;
* a fork without a starting point of its own is entered from its parent, by a log that begins there.

A log without bulk-logged changes can be stopped inside. That is how a fork point in the middle of its parent's log is
reached.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from itertools import islice, pairwise
from operator import attrgetter, itemgetter
from typing import NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet

__all__ = ["LONG_AGO", "Arrival", "Base", "Fork", "Limits", "Move", "Route", "Tree", "View", "WayTimes"]

LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)

_LAST = attrgetter("last_lsn")
_POINT = attrgetter("fork_point_lsn")
_POSITION = attrgetter("position")
_FINISHED = attrgetter("finished")

_MULTI_BASED = (
    "it is based on several backups (a file or a filegroup was backed up by itself since the last full), so it does "
    "not fit the full alone"
)


class Base(NamedTuple):
    """Where rolling forward can begin: after a full, after a differential on its full, or where a RESTORING database
    stands.

    ``finished`` is a moment at or after that of the position; ``None`` when nothing tells.
    """

    position: int
    fork: str
    finished: datetime | None
    full: BackupSet | None = None
    differential: BackupSet | None = None

    @property
    def told_finish(self) -> datetime | None:
        """When its backup ended, if nothing leaves that open."""
        last = self.differential or self.full
        return None if last is None or last.ambiguous_time else last.finished


class Move(NamedTuple):
    """One RESTORE LOG: whole, or stopped before the LSN of a fork point."""

    log: BackupSet
    stop_before: int | None = None


class Route(NamedTuple):
    """From a base over logs to ``position`` on ``fork``."""

    base: Base
    moves: list[Move]
    position: int
    fork: str


class Arrival(NamedTuple):
    """The furthest position on a fork, and how the fork is entered: at a base of its own, or by a log
    from its parent.
    """

    position: int
    base: Base | None
    entry: BackupSet | None


@dataclass(kw_only=True)
class Fork:
    """What there is on one recovery fork. ``logs`` end on it, ``entries`` are those of them that begin on ``parent``,
    ``exits`` lead away to children at their fork points; ``sets``: all backups that end on it, those of no use as
    well. A tree keeps ``logs``, ``idle`` and ``sets`` in the order of their ends, so that questions about a few of a
    million are answered by bisection; what has to look at each of them is done once, when it is first asked.
    """

    guid: str
    parent: str = ""
    point: int | None = None
    logs: list[BackupSet] = field(default_factory=list)
    idle: list[BackupSet] = field(default_factory=list)
    bases: list[Base] = field(default_factory=list)
    entries: list[BackupSet] = field(default_factory=list)
    exits: list[BackupSet] = field(default_factory=list)
    sets: list[BackupSet] = field(default_factory=list)

    @cached_property
    def by_time(self) -> list[BackupSet]:
        """All logs by the time at which their backup was finished; in one second by their ends."""
        if self.idle:
            return sorted(sorted([*self.logs, *self.idle], key=_LAST), key=_FINISHED)
        for earlier, later in pairwise(self.logs):
            if later.finished < earlier.finished:  # a clock went wrong
                return sorted(self.logs, key=_FINISHED)
        return self.logs

    def finished_from(self, when: datetime) -> list[BackupSet]:
        """All logs whose backup was finished then or later, in that order."""
        by_time = self.by_time
        if not by_time or by_time[-1].finished < when:  # of a thousand forks this is nearly every one
            return []
        return by_time[bisect_left(by_time, when, key=_FINISHED) :]

    def latest_finished(self, position: int) -> datetime:
        """When the last of the ``logs`` was finished that end up to a position; long ago where there is none."""
        count = bisect_right(self.logs, position, key=_LAST)
        first = max(count - 1, 0) if self.by_time is self.logs else 0
        return max(map(_FINISHED, islice(self.logs, first, count)), default=LONG_AGO)

    def latest_covered(self, stretch: Sequence[BackupSet]) -> datetime:
        """The latest moment that is surely in one of these logs, which follow one another on this fork. The last one
        has it, unless a clock went wrong: only what was finished after that needs a look.
        """
        begin, end = stretch[0].last_lsn, stretch[-1].last_lsn
        covered, by_time = stretch[-1].covered_until, self.by_time
        index = bisect_right(by_time, covered, key=_FINISHED)
        if len(by_time) - index < len(stretch):
            stretch = [
                log
                for log in by_time[index:]
                if begin <= log.last_lsn <= end and not log.bulk_logged and not log.is_idle
            ]
        return max([covered, *(log.covered_until for log in stretch)])

    def ending_after(self, position: float) -> list[BackupSet]:
        """The logs that end beyond a position, in the order of their ends."""
        begin = bisect_right(self.logs, position, key=_LAST)
        return self.logs[begin:] if begin else self.logs  # a copy of a million costs as much as a pass through them

    def idle_at(self, position: int) -> list[BackupSet]:
        """The idle logs that stand at a position."""
        return self.idle[bisect_left(self.idle, position, key=_LAST) : bisect_right(self.idle, position, key=_LAST)]

    def start(self, log: BackupSet) -> int:
        """Where a log begins on this fork's own axis: one that leads onto it begins here at the fork point."""
        return (self.point or 0) if log.first_fork != self.guid == log.last_fork else log.first_lsn

    def sets_beyond(self, position: float) -> list[BackupSet]:
        """Backups of every kind that end on this fork beyond a position, in the order of their ends."""
        return self.sets[bisect_right(self.sets, position, key=_LAST) :]


@dataclass(slots=True, frozen=True, kw_only=True)
class Limits:
    """What may be used on the way to a target: of some logs those that may be restored whole, of some bases those to
    start from, of some logs those that may be stopped at a fork point. ``None``: all. ``older_bases``: also look at
    what only bases that are not the newest ones need; whoever wants the way to the newest point, and not all that can
    be reached, can do without.
    """

    whole: Callable[[list[BackupSet]], list[BackupSet]] | None = None
    base: Callable[[Base], bool] | None = None
    stopped: Callable[[list[BackupSet]], list[BackupSet]] | None = None
    older_bases: bool = False


class _LogLine:
    """One fork seen under some limits: its usable logs by end, the stretches that they cover without a
    gap, its bases.
    """

    __slots__ = ("base_positions", "bases", "component_ends", "component_starts", "edges", "entries", "exits", "fork")

    def __init__(self, fork: Fork, limits: Limits) -> None:
        self.fork = fork
        self.bases = list(filter(limits.base, fork.bases)) if limits.base else fork.bases
        self.base_positions = [base.position for base in self.bases]
        first = -1 if limits.older_bases else self._first_needed()
        edges = fork.ending_after(first - 1)
        self.edges = limits.whole(edges) if limits.whole else edges
        self.entries = limits.whole(fork.entries) if limits.whole else fork.entries
        self.component_starts: list[int] = []
        self.component_ends: list[int] = []
        # id(log that leaves) -> (start of the stretch that leads there, log to stop at the fork point, start of the
        # stretch with it)
        self.exits: dict[int, tuple[int, BackupSet | None, int]] = {}
        self._sweep(limits)

    def _first_needed(self) -> int:
        """Logs that end before this LSN are of no use: the newest base, or the newest before each point where a log
        leaves, is past it.
        """
        if not self.bases:
            return -1
        newest = [self.newest_base(), *map(self.newest_base, set(map(_POINT, self.fork.exits)))]
        return min(-1 if base is None else base.position for base in newest)

    def _sweep(self, limits: Limits) -> None:
        fork, edges = self.fork, self.edges
        leaving = sorted(fork.exits, key=_POINT)
        stoppable = self._stoppable(limits) if leaving else None
        swept = 0
        for log in leaving:
            until = bisect_right(edges, _POINT(log), lo=swept, key=_LAST)
            self._cover(edges[swept:until])
            self._exit(log, stoppable)
            swept = until
        self._cover(edges[swept:] if swept else edges)

    def _cover(self, logs: list[BackupSet]) -> None:
        """Add logs, in the order of their ends, to the stretches. Nearly always each goes on with the one before."""
        if not logs:
            return
        fork, guid = self.fork, self.fork.guid
        begin, end = fork.start(logs[0]), logs[0].last_lsn
        for log in logs:
            start = log.first_lsn if log.first_fork == guid else fork.start(log)
            if start > end:
                self._join(begin, end)
                begin = start
            elif start < begin:
                begin = start
            end = log.last_lsn
        self._join(begin, end)

    def _join(self, start: int, end: int) -> None:
        """Add a stretch that ends beyond all others."""
        starts, ends = self.component_starts, self.component_ends
        while ends and ends[-1] >= start:
            ends.pop()
            start = min(start, starts.pop())
        starts.append(start)
        ends.append(end)

    def _stoppable(self, limits: Limits) -> tuple[list[int], list[BackupSet]]:
        """Positions, and for each the log that begins first of those that can be stopped before it: logs of this fork
        that end later, and logs to other forks that leave there or later.
        """
        fork = self.fork
        points = [_POINT(log) for log in fork.exits]
        high = max(points)
        logs = [log for log in fork.ending_after(min(points)) if log.first_lsn <= high]
        exits = fork.exits
        if limits.stopped:
            logs, exits = limits.stopped(logs), limits.stopped(exits)
        spans = [(log.last_lsn, log) for log in logs if not log.bulk_logged]
        spans += [(_POINT(log) + 1, log) for log in exits if not log.bulk_logged]
        spans.sort(key=itemgetter(0), reverse=True)
        first: list[BackupSet] = []
        for _end, log in spans:
            if first and (fork.start(first[-1]), first[-1].first_lsn) <= (fork.start(log), log.first_lsn):
                log = first[-1]
            first.append(log)
        return [end for end, _log in reversed(spans)], first[::-1]

    def _exit(self, leaving: BackupSet, stoppable: tuple[list[int], list[BackupSet]] | None) -> None:
        point = leaving.fork_point_lsn or 0
        covered = self._covered_from(leaving.first_lsn)
        stopped, covered_with = None, covered
        if stoppable is not None:
            index = bisect_right(stoppable[0], point)
            if index < len(stoppable[1]) and self.fork.start(stoppable[1][index]) <= point:
                stopped = stoppable[1][index]
                covered_with = self._covered_from(min(leaving.first_lsn, self.fork.start(stopped)))
        self.exits[id(leaving)] = (covered, stopped, covered_with)

    def _covered_from(self, position: int) -> int:
        """The start of the stretch that leads without a gap to ``position`` or beyond, of the logs swept so far."""
        index = bisect_left(self.component_ends, position)
        return min(position, self.component_starts[index]) if index < len(self.component_ends) else position

    def first_entry(self, limit: int | None = None) -> BackupSet | None:
        """Of the whole logs that lead onto this fork, the one that begins first: where it cannot be
        entered, none can.
        """
        entries = self.entries if limit is None else [log for log in self.entries if log.last_lsn <= limit]
        if len(entries) < 2:
            return entries[0] if entries else None
        return min(entries, key=lambda log: (log.first_lsn, -log.last_lsn))

    def newest_base(self, limit: int | None = None) -> Base | None:
        """The newest starting point, not after ``limit``."""
        index = len(self.bases) if limit is None else bisect_right(self.base_positions, limit)
        return self.bases[index - 1] if index else None

    def reach(self, position: int) -> int:
        """How far whole logs lead from ``position``."""
        index = bisect_right(self.component_starts, position) - 1
        return max(position, self.component_ends[index]) if index >= 0 else position

    def roll(self, position: int, low: int, high: int) -> tuple[list[BackupSet], int]:
        """The fewest logs from ``position`` to a position in ``low..high``."""
        rolled: list[BackupSet] = []
        if position >= low:
            return rolled, position
        first, last = bisect_right(self.edges, position, key=_LAST), bisect_right(self.edges, high, key=_LAST)
        logs = self.edges[first:last]
        starts = list(map(self.fork.start, logs))
        ahead = sorted(range(len(logs)), key=starts.__getitem__)
        index = 0
        while position < low:
            best = None
            while index < len(ahead) and starts[ahead[index]] <= position:
                log = logs[ahead[index]]
                if best is None or log.last_lsn > best.last_lsn:
                    best = log
                index += 1
            if best is None or best.last_lsn <= position:
                raise AssertionError(
                    f"no log leads on from LSN {position} to {low}"
                )  # a defect: the caller has asked reach() before
            rolled.append(best)
            position = best.last_lsn
        return rolled, position


class Tree:
    """The recovery paths of one database family.

    ``sets``: usable sets of that family only. ``existing``: where a RESTORING database stands (with the GUID of the
    full that differentials restored on it must be based on, if known); given that, it is the only base, and no full is
    used.
    """

    def __init__(self, sets: Iterable[BackupSet], *, existing: Base | None = None, existing_full: str = "") -> None:
        self.forks: dict[str, Fork] = {}
        self.unusable: list[tuple[BackupSet, str]] = []
        self.path_limits: dict[frozenset[str], dict[str, float]] = {}  # what recovery_points.path_limits found
        by_fork: dict[str, list[BackupSet]] = defaultdict(list)
        data = self._add_logs(sets, by_fork)
        fulls = [backup_set for backup_set in data if backup_set.kind.begins_chain]
        differentials = [backup_set for backup_set in data if backup_set.kind is BackupKind.DIFFERENTIAL]
        self.unusable += [
            (backup_set, f"a backup of the kind {backup_set.kind.value} begins no recovery path")
            for backup_set in data
            if not backup_set.kind.begins_chain and backup_set.kind is not BackupKind.DIFFERENTIAL
        ]
        self._settle_fork_points()
        for fork in list(self.forks.values()):
            for log in fork.entries:
                self._fork(fork.parent).exits.append(log)
        if existing is not None:
            self._add_existing(existing, existing_full, differentials)
        else:
            for full in fulls:
                self._fork(full.last_fork).bases.append(Base(full.last_lsn, full.last_fork, full.over, full))
            self._add_differentials(fulls, differentials)
        for guid, fork in self.forks.items():
            fork.sets = by_fork.get(guid, [])
            fork.bases.sort(key=_POSITION)

    def _fork(self, guid: str) -> Fork:
        fork = self.forks.get(guid)
        if fork is None:
            fork = self.forks[guid] = Fork(guid=guid)
        return fork

    def _add_logs(self, sets: Iterable[BackupSet], by_fork: dict[str, list[BackupSet]]) -> list[BackupSet]:
        """Put the logs on their forks, in the order of their ends, and all sets into ``by_fork``; those that are no
        logs are returned. All in one pass: a million sets are far apart in memory.
        """
        data: list[BackupSet] = []
        guid, ending, fork, before = None, by_fork[""], Fork(guid=""), 0
        in_order = True
        for entry in sets:
            end = entry.last_lsn
            if entry.last_fork != guid:  # nearly always, a set is of the fork of the one before
                guid = entry.last_fork
                ending, fork = by_fork[guid], self.forks.get(guid)
                in_order = in_order and not ending
            elif end < before:
                in_order = False
            before = end
            ending.append(entry)
            if not entry.kind.is_log:
                data.append(entry)
                continue
            if fork is None:
                fork = self._fork(guid)
            if entry.first_lsn == end:
                fork.idle.append(entry)
            elif entry.first_fork == guid or self._is_entry(entry, fork):
                fork.logs.append(entry)
        if not in_order:
            for fork in self.forks.values():
                fork.logs.sort(key=_LAST)
                fork.idle.sort(key=_LAST)
            for ending in by_fork.values():
                ending.sort(key=_LAST)
        return data

    def _add_existing(self, existing: Base, existing_full: str, differentials: list[BackupSet]) -> None:
        self._fork(existing.fork).bases.append(existing)
        for differential in differentials:
            if (
                existing_full
                and differential.differential_base_guid == existing_full
                and differential.last_lsn > existing.position
            ):
                self._fork(differential.last_fork).bases.append(
                    Base(differential.last_lsn, differential.last_fork, differential.over, None, differential)
                )

    def _is_entry(self, log: BackupSet, fork: Fork) -> bool:
        """Note a log that begins on another fork than it ends on, if its fork point is inside."""
        point = log.fork_point_lsn
        # Recovery itself is logged, so a log that ends on a fork holds something of it.
        if point is None or not log.first_lsn <= point < log.last_lsn:
            self.unusable.append((log, "it begins and ends on different recovery forks without a fork point inside"))
            return False
        fork.entries.append(log)
        return True

    def _settle_fork_points(self) -> None:
        """Where each fork began is what most of the logs that lead onto it say, in whatever order they were found."""
        for fork in list(self.forks.values()):
            if not fork.entries:
                continue
            if len(fork.entries) == 1:
                fork.parent, fork.point = fork.entries[0].first_fork, fork.entries[0].fork_point_lsn
                continue
            votes = Counter((log.first_fork, log.fork_point_lsn) for log in fork.entries)
            (origin, most), *others = votes.most_common(2)
            agreed = not others or others[0][1] < most
            if len(votes) > 1:
                wrong = [log for log in fork.entries if not agreed or (log.first_fork, log.fork_point_lsn) != origin]
                self.unusable += [
                    (log, "other log backups say that its recovery fork began elsewhere") for log in wrong
                ]
                gone = {id(log) for log in wrong}
                fork.entries = [log for log in fork.entries if id(log) not in gone]
                fork.logs = [log for log in fork.logs if id(log) not in gone]
            if agreed:
                fork.parent, fork.point = origin

    def _add_differentials(self, fulls: list[BackupSet], differentials: list[BackupSet]) -> None:
        by_guid = {full.guid: full for full in fulls}
        bases = [full for full in fulls if not full.copy_only] if differentials else []
        by_first = {(full.last_fork, full.first_lsn): full for full in bases}
        by_checkpoint = {(full.last_fork, full.checkpoint_lsn): full for full in bases}
        for differential in differentials:
            fork, lsn = differential.last_fork, differential.differential_base_lsn
            if differential.multi_based:
                self.unusable.append((differential, _MULTI_BASED))
                continue
            if differential.differential_base_guid:
                full = by_guid.get(differential.differential_base_guid)
            elif lsn is not None:  # documented is the FirstLSN of its base, recorded was the CheckpointLSN
                full = by_checkpoint.get((fork, lsn)) or by_first.get((fork, lsn))
            else:
                full = by_checkpoint.get((fork, differential.database_backup_lsn))
            if full is None:
                self.unusable.append((differential, self._no_base(differential)))
            else:
                over = max(full.over, differential.over)
                base = Base(differential.last_lsn, fork, over, full, differential)
                self._fork(fork).bases.append(base)

    @staticmethod
    def _no_base(differential: BackupSet) -> str:
        base = differential.differential_base_guid
        return f"the full backup that it is based on{f' ({base})' if base else ''} is not among the usable backups"

    @cached_property
    def unlimited(self) -> View:
        """The tree with all that there is."""
        return View(self, Limits())

    def view(self, limits: Limits) -> View:
        """The tree as far as it may be used on the way to some target."""
        return View(self, limits)


class _Leg(NamedTuple):
    """How to get to where a log can be entered from its parent fork: from a base there, or by another log from further
    up; then, if need be, by a log stopped at the fork point (which may be that other log).
    """

    base: Base | None
    entry: BackupSet | None
    stopped: BackupSet | None


class WayTimes(NamedTuple):
    """When the backups on a way were finished: the last of those that are restored whole, and the last of all."""

    whole: datetime
    last: datetime


class View:
    """A tree under limits; answers are remembered."""

    def __init__(self, tree: Tree, limits: Limits) -> None:
        self.tree = tree
        self.limits = limits
        self._lines: dict[str, _LogLine] = {}
        self._legs: dict[int, _Leg | None] = {}
        self._enterable: dict[int, bool] = {}
        self._arrivals: dict[str, Arrival | None] = {}
        self._times: dict[int, WayTimes] = {}
        self._latest: dict[int, datetime] = {}

    def line(self, guid: str) -> _LogLine:
        line = self._lines.get(guid)
        if line is None:
            line = self._lines[guid] = _LogLine(self.tree.forks[guid], self.limits)
        return line

    def arrival(self, guid: str) -> Arrival | None:
        """The furthest that whole logs lead on a fork; ``None`` when the fork cannot be reached at all."""
        if guid not in self._arrivals:
            line = self.line(guid)
            base, entry = line.newest_base(), line.first_entry()
            if base is not None:
                self._arrivals[guid] = Arrival(line.reach(base.position), base, None)
            elif entry is not None and self.can_enter(entry):
                self._arrivals[guid] = Arrival(line.reach(line.fork.point or 0), None, entry)
            else:
                self._arrivals[guid] = None
        return self._arrivals[guid]

    def can_enter(self, leaving: BackupSet) -> bool:
        """Whether the database can be brought to where ``leaving`` applies, a log that begins on another fork than it
        ends on.
        """
        trail: dict[int, BackupSet] = {}
        current, answer = leaving, False
        while id(current) not in trail:
            known = self._enterable.get(id(current))
            if known is not None:
                answer = known
                break
            trail[id(current)] = current
            leg = self._legs[id(current)] = self._leg(current)
            if leg is None or leg.entry is None:
                answer = leg is not None
                break
            current = leg.entry
        for identity in trail:
            self._enterable[identity] = answer
        return answer

    def _leg(self, leaving: BackupSet) -> _Leg | None:
        line = self.line(leaving.first_fork)
        covered, stopped, covered_with = line.exits[id(leaving)]
        base = line.newest_base(leaving.fork_point_lsn)
        if base is not None:
            if base.position >= covered:
                return _Leg(base, None, None)
            return _Leg(base, None, stopped) if stopped is not None and base.position >= covered_with else None
        point = line.fork.point
        if point is None:
            return None
        entry = line.first_entry(leaving.fork_point_lsn)
        if entry is not None and covered <= point:
            return _Leg(None, entry, None)
        if stopped is not None and covered_with <= point:
            if stopped.first_fork != line.fork.guid:
                return _Leg(None, stopped, stopped)
            return _Leg(None, entry, stopped) if entry is not None else None
        return None

    def way_to(self, leaving: BackupSet) -> Route:
        """The way to where ``leaving`` applies; ask :meth:`can_enter` first."""
        trail = [leaving]
        while (leg := self._legs[id(trail[-1])]) is not None and leg.entry is not None:
            trail.append(leg.entry)
        if leg is None or leg.base is None:
            raise AssertionError("way_to is asked only for logs that can_enter has found enterable")
        moves: list[Move] = []
        position = leg.base.position
        for log in reversed(trail):
            whole, stopped, position = self._follow_leg(log)
            moves += map(Move, whole)
            if stopped is not None:
                moves.append(Move(stopped, position))
        return Route(leg.base, moves, position, leaving.first_fork)

    def _follow_leg(self, leaving: BackupSet) -> tuple[list[BackupSet], BackupSet | None, int]:
        """What is restored on the fork that a log leaves, after its base or from the log on that entered it: the logs
        that are restored whole, the one that is stopped at the fork point, and where that leads.
        """
        leg, point = self._legs[id(leaving)], leaving.fork_point_lsn or 0
        if leg is None:
            raise AssertionError("a leg is followed only where can_enter has found one")
        line, entered = self.line(leaving.first_fork), []
        if leg.base is not None:
            position = leg.base.position
        elif leg.stopped is leg.entry:
            return [], leg.entry, point
        else:
            entered, position = [leg.entry], leg.entry.last_lsn
        if leg.stopped is None:
            rolled, position = line.roll(position, leaving.first_lsn, point)
            return entered + rolled, None, position
        rolled, position = line.roll(position, line.fork.start(leg.stopped), point)
        return entered + rolled, leg.stopped, point

    def times_of_way(self, leaving: BackupSet) -> WayTimes:
        """When what :meth:`way_to` gives was finished. Ways that share their beginning are looked at once."""
        trail, log = [], leaving
        while log is not None and id(log) not in self._times:
            trail.append(log)
            leg = self._legs[id(log)]
            log = None if leg is None else leg.entry
        for log in reversed(trail):
            leg = self._legs[id(log)]
            if leg is None:
                raise AssertionError("times_of_way is asked only for logs that can_enter has found enterable")
            if leg.base is None:
                before = self._times[id(leg.entry)]
            else:
                before = WayTimes(leg.base.finished or LONG_AGO, leg.base.finished or LONG_AGO)
            whole, stopped, _position = self._follow_leg(log)
            over = max(map(_FINISHED, whole), default=LONG_AGO)
            last = over if stopped is None else max(over, stopped.finished)
            self._times[id(log)] = WayTimes(max(before.whole, over), max(before.last, last))
        return self._times[id(leaving)]

    def latest_on_way(self, leaving: BackupSet) -> datetime:
        """By when all was surely over that :meth:`way_to` gives: the latest end of all that may be on it. Much less to
        look at than the way itself; ask :meth:`can_enter` first.
        """
        trail, log = [], leaving
        while log is not None and id(log) not in self._latest:
            trail.append(log)
            leg = self._legs[id(log)]
            log = None if leg is None else leg.entry
        latest = LONG_AGO if log is None else self._latest[id(log)]
        for log in reversed(trail):
            leg, fork = self._legs[id(log)], self.tree.forks[log.first_fork]
            ends = [fork.latest_finished(log.fork_point_lsn or 0)]
            if leg is not None:
                ends += [entry.finished for entry in (leg.base, leg.stopped) if entry is not None and entry.finished]
            latest = self._latest[id(log)] = max([latest, *ends])
        return latest

    def route(self, guid: str, low: int, high: int) -> Route:
        """The way to a position in ``low..high`` on a fork that :meth:`arrival` has found reachable that far."""
        arrival = self.arrival(guid)
        if arrival is None:
            raise AssertionError("route is asked only for forks that arrival has found reachable")
        if arrival.base is not None:
            base, moves, position = arrival.base, [], arrival.base.position
        else:
            if arrival.entry is None:
                raise AssertionError("an arrival has a base or an entry")
            base, moves, _position, _fork = self.way_to(arrival.entry)
            moves.append(Move(arrival.entry))
            position = arrival.entry.last_lsn
        rolled, position = self.line(guid).roll(position, low, high)
        return Route(base, [*moves, *map(Move, rolled)], position, guid)
