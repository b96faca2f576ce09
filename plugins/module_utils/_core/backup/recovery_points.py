# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether and how a recovery point can be reached on a tree of recovery paths: the newest one, a time, an LSN.

A log says when its backup was started and finished, not when its last record was written. So a *time* counts as
reachable only when a log surely holds everything up to it (:attr:`BackupSet.covered_until`), and a starting point is
used for it only when it was surely finished before. Where two recovery forks hold the same moment, the log that was
backed up soonest after it decides: it is the one of the fork on which the database lived then. STOPAT applies what was
logged *before* its time.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import groupby, takewhile
from operator import attrgetter
from typing import NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.clock import SECOND, surely_over
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_paths import (
    LONG_AGO,
    Limits,
    Route,
    Tree,
    View,
)

_SOONEST = attrgetter("finished", "last_lsn")
_BULK_LOGGED = attrgetter("bulk_logged")
_STARTED = attrgetter("started")
_FINISHED = attrgetter("finished")
_LAST = attrgetter("last_lsn")

__all__ = [
    "Found",
    "Window",
    "at_lsn",
    "at_time",
    "ends_at",
    "newest",
    "path_limits",
    "state_time",
    "way_to_log",
    "windows",
]


class Found(NamedTuple):
    """A way to a recovery point. ``stop``: the log to be stopped inside, after the route; ``None``: the route's end is
    the point.

    ``time`` is the moment of the recovery point where the backups tell.
    """

    route: Route
    stop: BackupSet | None
    time: datetime | None


@dataclass(slots=True, frozen=True, kw_only=True)
class Window:
    """A stretch of time to every moment of which the database can be brought (or one moment, when both ends are the
    same; if that is not ``exact``, it can only be named by its LSN).
    """

    fork: str
    start: datetime
    end: datetime
    start_lsn: int
    end_lsn: int
    exact: bool = True


def path_limits(tree: Tree, forks: Collection[str]) -> dict[str, float]:
    """For every fork on the paths that end on ``forks``: the LSN up to which the path follows it."""
    ends = frozenset(forks)
    if ends in tree.path_limits:
        return tree.path_limits[ends]
    limits: dict[str, float] = {guid: math.inf for guid in forks if guid in tree.forks}
    for guid in list(limits):
        fork = tree.forks[guid]
        while fork.point is not None and fork.parent in tree.forks:
            known = limits.get(fork.parent)
            limits[fork.parent] = max(known or 0, fork.point)
            if known is not None:
                break
            fork = tree.forks[fork.parent]
    tree.path_limits[ends] = limits
    return limits


def state_time(view: View, guid: str, position: int) -> datetime | None:
    """The newest moment of which it is known that ``position`` on a fork is the state of the database then."""
    line = view.line(guid)
    first, last = (
        bisect_left(line.edges, position, key=_LAST),
        bisect_right(line.edges, position, key=_LAST),
    )
    times = [log.covered_until for log in line.edges[first:last]]
    times += [log.covered_until for log in line.fork.idle_at(position)]
    first, last = bisect_left(line.base_positions, position), bisect_right(line.base_positions, position)
    times += [base.finished for base in line.bases[first:last] if base.finished is not None]
    return max(times, default=None)


def newest(view: View, forks: Iterable[str]) -> Found | None:
    """The newest state on any of ``forks``: the furthest LSN of each fork, of those the latest in time."""
    best: tuple[float, int, str] | None = None
    for guid in forks:
        arrival = view.arrival(guid) if guid in view.tree.forks else None
        if arrival is not None:
            moment = state_time(view, guid, arrival.position)
            key = (moment.timestamp() if moment else -math.inf, arrival.position, guid)
            best = key if best is None else max(best, key)
    if best is None:
        return None
    _moment, position, guid = best
    return Found(view.route(guid, position, position), None, state_time(view, guid, position))


def at_time(tree: Tree, when: datetime, limits: dict[str, float]) -> Found | None:
    """The database as it was at ``when``, on the paths that :func:`path_limits` gave.

    Where no log holds the moment, a data backup that ended in that very second is taken for it.
    """
    over = surely_over(when)
    view = tree.view(
        Limits(
            whole=lambda logs: [
                log for log in logs if log.finished <= over or (not log.bulk_logged and log.covered_until < when)
            ],
            base=lambda base: base.finished is not None and base.finished <= over,
            stopped=lambda logs: [log for log in logs if log.finished <= over],
        )
    )
    for log in _holders(tree, when, limits):
        arrival = view.arrival(log.last_fork)
        if arrival is not None and arrival.position >= log.last_lsn:
            route = view.route(log.last_fork, arrival.position, arrival.position)
            if arrival.position == log.last_lsn or (route.moves and route.moves[-1].log.finished > over):
                # Nothing was logged between there and the moment, this log says so; or the last log of the route is
                # stopped at it.
                return Found(route, None, when)
            continue  # it ended before what had ended before the moment: its times cannot be relied on
        if log.is_idle or log.bulk_logged:
            continue
        route = _way_into(view, log.last_fork, log, tree.forks[log.last_fork].start(log), log.last_lsn - 1)
        if route is not None:
            return Found(route, log, when)
    return ends_at(tree, when, limits)


def _holders(tree: Tree, when: datetime, limits: dict[str, float]) -> Iterator[BackupSet]:
    """Logs that surely hold everything up to the moment, to be stopped in or to testify that nothing more happened
    until then: the one that was backed up soonest after it first.
    """
    later = filter(None, (tree.forks[guid].finished_from(when) for guid in limits))
    for log in merge(*later, key=_SOONEST):
        if log.covered_until >= when and log.last_lsn <= limits[log.last_fork]:
            yield log


def ends_at(tree: Tree, when: datetime, limits: dict[str, float]) -> Found | None:
    """What a backup holds that can be used only whole, and ended in the second that is wanted."""
    view = tree.view(
        Limits(
            whole=lambda logs: [log for log in logs if log.finished <= when],
            base=lambda base: base.finished is not None and base.finished <= when,
        )
    )
    best: Route | None = None
    for guid, limit in limits.items():
        fork = tree.forks[guid]
        ends = [base.position for base in fork.bases if base.told_finish == when]
        ends += [
            log.last_lsn
            for log in takewhile(lambda log: log.finished == when, fork.finished_from(when))
            if log.bulk_logged and not log.ambiguous_time and not log.is_idle
        ]
        if not ends:
            continue
        arrival = view.arrival(guid)
        position = max((end for end in ends if end <= limit), default=None)
        if arrival is not None and position == arrival.position and (best is None or position > best.position):
            best = view.route(guid, position, position)
    return None if best is None else Found(best, None, when)


def _way_into(view: View, guid: str, log: BackupSet, low: int, high: int) -> Route | None:
    """To a position on the fork in ``low..high``, or, for a log that leads onto the fork, to where it can
    be entered.
    """
    arrival = view.arrival(guid)
    if arrival is not None and low <= arrival.position <= high:
        return view.route(guid, low, high)
    if arrival is None and log.first_fork != guid == log.last_fork and view.can_enter(log):
        return view.way_to(log)
    return None


def way_to_log(tree: Tree, log: BackupSet) -> Route | None:
    """How to get to where ``log``, one of the tree's, can be restored: without it and what came after it."""
    view = tree.view(
        Limits(
            whole=lambda logs: [other for other in logs if other.last_lsn < log.last_lsn],
            base=lambda base: base.position < log.last_lsn,
        )
    )
    return _way_into(view, log.last_fork, log, tree.forks[log.last_fork].start(log), log.last_lsn - 1)


def at_lsn(tree: Tree, target: int, limits: dict[str, float], *, before: bool = False) -> Found | None:
    """The database with every log record up to ``target``, that one included unless ``before``.

    The same LSN may lie on several forks; the fork with the newest backup wins.
    """
    view = tree.view(
        Limits(
            whole=lambda logs: [log for log in logs if log.last_lsn <= target],
            base=lambda base: base.position <= target,
        )
    )
    for guid in sorted(limits, key=lambda guid: _newest_finish(tree, guid), reverse=True):
        if target > limits[guid] or (target == limits[guid] and not before):
            continue
        fork, arrival = tree.forks[guid], view.arrival(guid)
        if before and arrival is not None and arrival.position == target:
            return Found(view.route(guid, target, target), None, state_time(view, guid, target))
        holders = [log for log in fork.ending_after(target) if fork.start(log) <= target and not log.bulk_logged]
        # A log that leads away to another fork holds this fork's records up to the fork point.
        end = target if before else target + 1
        holders += [
            log
            for log in fork.exits
            if log.first_lsn <= target and end <= (log.fork_point_lsn or 0) and not log.bulk_logged
        ]
        for log in sorted(holders, key=_SOONEST):
            route = _way_into(view, guid, log, fork.start(log) if log.last_fork == guid else log.first_lsn, target)
            if route is not None:
                return Found(route, log, None)
    return None


def _newest_finish(tree: Tree, guid: str) -> datetime:
    fork = tree.forks[guid]
    newest_of = [max(map(_FINISHED, logs)) for logs in (fork.logs, fork.idle) if logs]
    return max([*newest_of, *(base.finished for base in fork.bases if base.finished is not None)], default=LONG_AGO)


def windows(tree: Tree, forks: Collection[str]) -> list[Window]:
    """The moments that can be reached on the paths to ``forks``, oldest first.

    A backup that can only be used whole and that no log continues gives one moment, the second in which it ended. What
    a log continues can be had from the next second on, for nobody knows where in its second a backup ended.
    """
    view = tree.view(Limits(older_bases=True))
    reachable: list[Window] = []
    for guid, limit in path_limits(tree, forks).items():
        line = view.line(guid)
        for base in line.bases:
            if base.finished is not None and base.position <= limit and line.reach(base.position) == base.position:
                exact = base.told_finish is not None
                reachable += _window(guid, (base.finished, exact), None, None, base.position, base.position)
        reachable += _covered(view, guid, limit)
    reachable.sort(key=attrgetter("start", "end"))
    return reachable


def _window(
    guid: str,
    moment: tuple[datetime, bool] | None,
    start: datetime | None,
    end: datetime | None,
    start_lsn: int,
    end_lsn: int,
) -> Iterator[Window]:
    """From ``start`` to ``end`` if that is a stretch, else the one ``moment`` (and whether it is exact)."""
    if start is not None and end is not None and start <= end:
        yield Window(fork=guid, start=start, end=end, start_lsn=start_lsn, end_lsn=end_lsn)
    elif moment is not None:
        yield Window(fork=guid, start=moment[0], end=moment[0], start_lsn=start_lsn, end_lsn=start_lsn, exact=moment[1])


class _Entered(NamedTuple):
    """From when on a fork can be reached by a log from its parent: ``stopped`` for a moment inside a log, ``whole`` for
    the end of a backup that is used whole.
    """

    stopped: datetime
    whole: datetime


_ALWAYS = _Entered(LONG_AGO, LONG_AGO)


def _entered(view: View, entries: Sequence[BackupSet], began: datetime, *, is_bulk_logged: bool) -> _Entered:
    """The first moments for which :func:`at_time` surely has a way onto a fork by one of these logs from its parent, as
    far as the first logs of the fork are not later anyway.

    What is restored on that way has to be over by then: the log that is stopped at the fork point may have been backed
    up long after the first one of the fork, by another database that came from the same point. began: when the first of
    the logs was; is_bulk_logged: whether any of them is.
    """
    is_bulk_logged = is_bulk_logged or any(map(_BULK_LOGGED, entries))
    if not is_bulk_logged and view.latest_on_way(entries[0]) + SECOND <= began:
        return _ALWAYS  # nearly always
    ways: list[_Entered] = []
    for entry in entries:
        way = view.times_of_way(entry)
        over = max(way.last, entry.finished) if entry.bulk_logged else way.last
        ways.append(_Entered(over + SECOND, way.whole))
    return _Entered(min(way.stopped for way in ways), min(way.whole for way in ways))


def _by_bulk_logging(logs: list[BackupSet], *, mixed: bool) -> Iterable[tuple[bool, list[BackupSet]]]:
    """Logs that follow one another: with bulk-logged changes or without, in turn. mixed: whether any has some."""
    if not mixed:  # nearly always
        return ((False, logs),)
    return ((is_bulk_logged, list(group)) for is_bulk_logged, group in groupby(logs, key=_BULK_LOGGED))


def _covered(view: View, guid: str, limit: float) -> Iterator[Window]:
    """limit: the LSN up to which the paths follow the fork; beyond it another database lived."""
    line = view.line(guid)
    entries = list(filter(view.can_enter, line.fork.entries))
    entered = line.fork.point if entries else None
    for low, high in zip(line.component_starts, line.component_ends, strict=True):
        index = bisect_left(line.base_positions, low)
        base = line.bases[index] if index < len(line.bases) and line.base_positions[index] < high else None
        position = entered if entered is not None and entered == low else base.position if base is not None else None
        if position is None:
            continue
        first, last = (
            bisect_right(line.edges, position, key=_LAST),
            bisect_right(line.edges, min(high, limit), key=_LAST),
        )
        logs = line.edges[first:last]
        if not logs:
            continue
        moment, since = None, _ALWAYS
        any_bulk_logged = any(map(_BULK_LOGGED, logs))
        if base is not None and position == base.position and base.finished is not None:
            moment, start = (base.finished, base.told_finish is not None), base.finished + SECOND
            if position == entered:
                since = _entered(view, entries, min(map(_STARTED, logs)), is_bulk_logged=any_bulk_logged)
        else:
            began = min(map(_STARTED, logs))
            if position == entered:
                since = _entered(view, entries, began, is_bulk_logged=any_bulk_logged)
            start = max(since.stopped, began)
        end: datetime | None = None
        start_lsn, end_lsn = position, position
        for is_bulk_logged, stretch in _by_bulk_logging(logs, mixed=any_bulk_logged):
            if not is_bulk_logged:
                end, end_lsn = line.fork.latest_covered(stretch), stretch[-1].last_lsn
                continue
            for log in stretch:  # it is used whole or not at all, so it interrupts
                yield from _window(guid, moment, start, end, start_lsn, end_lsn)
                moment = log.finished, not log.ambiguous_time and log.finished >= since.whole
                start, end = max(since.stopped, log.finished + SECOND), None
                start_lsn = end_lsn = log.last_lsn
        idle = [log.covered_until for log in line.fork.idle_at(logs[-1].last_lsn)]
        if idle:
            end = max([end or idle[0], *idle])
        yield from _window(guid, moment, start, end, start_lsn, end_lsn)
