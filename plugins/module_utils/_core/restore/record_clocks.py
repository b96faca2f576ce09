# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which clocks the log records on a way were written.

A header tells the clock of its server at the start of a backup alone, and a record shows that of the server that wrote
it. So of a log's records tells every backup that was made meanwhile, of use or not, on whatever fork; and where the
database was moved meanwhile, the nearest other backup of either server, for nobody knows when it was moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import chain, pairwise
from operator import attrgetter
from typing import NamedTuple

from ..backup.backup_set import SET_BACK, BackupSet
from ..backup.clock import ClockChange, changes_between, zone_fits
from .source import Source

__all__ = ["RecordClock", "clock_of", "one_clock", "set_back_before", "untold_clocks"]

_START = attrgetter("started")


class RecordClock(NamedTuple):
    """The clock by which the records of a log and the one before them were written: its offset at the first of them,
    its changes since, and a backup that was made meanwhile and does not tell its clock, if there is one.
    """

    offset: timedelta
    changes: list[ClockChange]
    unknown: BackupSet | None


def clock_of(log: BackupSet, used: Sequence[BackupSet], source: Source, zone: tzinfo | None) -> RecordClock:
    """used: the sets of the way that the log is on, in the order of their restore."""
    known = source.known if len(source.offsets) > 1 else ()
    in_order = _backups_around(log, used, source.usable, known, zone)
    changes = [change for pair in pairwise(in_order) for change in _changes_around(*pair, known, zone)]
    if not zone_fits(zone, log):
        changes += _change_meanwhile(log, source.known if log.ambiguous_time else known)
    unknown = next((entry for entry in in_order if entry.utc_offset is None), None)
    return RecordClock(in_order[0].utc_offset or timedelta(), changes, unknown)


def one_clock(used: Sequence[BackupSet], source: Source, zone: tzinfo | None, when: datetime | None) -> bool:
    """Whether the clock was the same all along a way to a moment, so that every log can be told the same time. Of that
    of a log's records also tells whatever was backed up meanwhile, of use or not, there or on another fork by a server
    of theirs. Where the database was moved, nobody knows by which clock its records were written since.
    """
    if len({entry.server for entry in used}) > 1:
        return False
    offsets = {entry.utc_offset for entry in used}
    logs = [entry for entry in used if entry.kind.is_log]
    if logs and len(source.offsets) > 1:
        forks, low, high = _stretch(logs)
        begin, end = min(entry.started for entry in used), max(log.started for log in logs)
        inside = [
            entry
            for entry in source.known
            if entry.last_fork in forks and low < entry.last_lsn and entry.first_lsn < high
        ]
        servers = {entry.server for entry in chain(used, inside)}
        meanwhile = [entry for entry in source.known if entry.server in servers and begin < entry.started < end]
        nearest = _nearest_outside(begin, servers, end, servers, source.known) if len(servers) > 1 else ()
        offsets |= {entry.utc_offset for entry in chain(inside, meanwhile, nearest)}
    if used and zone is not None and zone_fits(zone, used[-1]):
        moments = [used[-1].finished, *([when] if when is not None else [])]
        offsets |= {moment.astimezone(zone).utcoffset() for moment in moments}
    return len(offsets) < 2


def _stretch(logs: Sequence[BackupSet]) -> tuple[set[str], int, int]:
    """The recovery forks of some logs, and the LSNs between which their records lie."""
    forks = {fork for log in logs for fork in (log.first_fork, log.last_fork)}
    return forks, min(log.first_lsn for log in logs), max(log.last_lsn for log in logs)


def set_back_before(used: Sequence[BackupSet], source: Source, when: datetime) -> ClockChange | None:
    """The change of a clock under which a record of a way shows a later time than a moment: LastValidRestoreTime, which
    is the time of the last record, is then after the end of the backup that tells it, be it one that holds no record.
    """
    logs = [entry for entry in used if entry.kind.is_log]
    if not logs or not source.set_back:
        return None
    forks, low, high = _stretch(logs)
    for entry, by in source.set_back:
        if (
            entry.last_fork in forks
            and low < entry.last_lsn
            and entry.first_lsn <= high
            and entry.last_valid_time is not None
            and entry.last_valid_time > when
            and entry.utc_offset is not None
        ):
            return ClockChange(used[0].started, entry.started, entry.utc_offset + by, entry.utc_offset)
    return None


def untold_clocks(
    log: BackupSet, used: Sequence[BackupSet], source: Source, zone: tzinfo | None, when: datetime
) -> set[str]:
    """The servers on which the database may have lived, up to a moment in a log, under a clock that no backup of theirs
    tells: after their last one or before their first one. None where a person tells the zone, and the log agrees.
    """
    if zone_fits(zone, log):
        return set()
    witnesses = source.known if len(source.servers) > 1 else ()
    in_order = _backups_around(log, used, source.usable, witnesses, zone)
    untold = set()
    for earlier, later in pairwise(in_order):
        if earlier.server != later.server and earlier.started <= when:
            if not _any_since(later.started, earlier.server, source.known):
                untold.add(earlier.server)
            if not any(other.server == later.server and other.started <= earlier.started for other in source.known):
                untold.add(later.server)
    newest = in_order[-1]
    if newest.started < when and not _any_since(when, newest.server, source.known):
        untold.add(newest.server)
    return untold


def _any_since(when: datetime, server: str, known: Sequence[BackupSet]) -> bool:
    """known: nearly in the order in which they were made, so that the newest ones tell soonest."""
    return any(other.server == server and other.started >= when for other in reversed(known))


def _backups_around(
    log: BackupSet,
    used: Sequence[BackupSet],
    usable: Sequence[BackupSet],
    known: Sequence[BackupSet],
    zone: tzinfo | None,
) -> list[BackupSet]:
    """The backups that tell of the clocks by which the records of a log and the one before them were written, in the
    order in which they were begun.
    """
    position = used.index(log)
    if position:
        before = used[position - 1]
    else:  # it goes on where a RESTORING database stands
        before = max(
            (entry for entry in usable if entry.last_fork == log.first_fork and entry.last_lsn <= log.first_lsn),
            key=lambda entry: entry.last_lsn,
            default=log,
        )
    # The last record that the database has then may be older than the log backup that it came in, though not than the
    # backup before that; every data backup has one of its own start.
    oldest = used[position - 2] if position > 1 and before.kind.is_log else before
    inside = chain(_made_meanwhile(before, known), _made_meanwhile(log, known))
    of_zone = all(zone_fits(zone, entry) for entry in (oldest, before, log))
    made = {id(other): other for other in inside if not (of_zone and zone_fits(zone, other))}
    in_order = sorted([oldest, before, *made.values(), log], key=_START)
    return sorted([*in_order, *_other_clocks(in_order, known)], key=_START)


def _other_clocks(in_order: Sequence[BackupSet], known: Sequence[BackupSet]) -> Iterator[BackupSet]:
    """Backups on other forks, made between two of these on a server of theirs, that tell a clock which neither tells:
    the database may have lived under it.
    """
    begin, end, servers = in_order[0].started, in_order[-1].started, {entry.server for entry in in_order}
    between = [other for other in known if other.server in servers and begin < other.started < end]
    for earlier, later in pairwise(in_order):
        near, clocks = {earlier.server, later.server}, {earlier.utc_offset, later.utc_offset, None}
        for other in between:
            if (
                other.server in near
                and other.utc_offset not in clocks
                and earlier.started < other.started < later.started
            ):
                yield other


def _changes_around(
    earlier: BackupSet, later: BackupSet, known: Sequence[BackupSet], zone: tzinfo | None
) -> Iterator[ClockChange]:
    """The changes of the clock between two backups. Where the database was moved between them, the old server may have
    had the clock of its next backup by then, and the new one still that of its last one.
    """
    yield from changes_between(earlier, later, zone)
    start, end, clocks = earlier.started, later.started, (earlier.utc_offset, later.utc_offset)
    if earlier.server == later.server or None in clocks:
        return
    for other in _nearest_outside(start, {later.server}, end, {earlier.server}, known):
        if other.utc_offset not in (*clocks, None) and not all(
            zone_fits(zone, entry) for entry in (earlier, other, later)
        ):
            yield ClockChange(start, end, earlier.utc_offset, other.utc_offset)
            yield ClockChange(start, end, other.utc_offset, later.utc_offset)


def _nearest_outside(
    begin: datetime, new: Collection[str], end: datetime, old: Collection[str], known: Sequence[BackupSet]
) -> Iterator[BackupSet]:
    """The last backup of each new server by one time, and the first one of each old server since another."""
    for server in new:
        made = [entry for entry in known if entry.server == server and entry.started <= begin]
        if made:
            yield max(made, key=_START)
    for server in old:
        made = [entry for entry in known if entry.server == server and entry.started >= end]
        if made:
            yield min(made, key=_START)


def _made_meanwhile(log: BackupSet, known: Sequence[BackupSet]) -> list[BackupSet]:
    """All backups that begin or end inside of a log: their clocks are those of its records."""
    if not log.kind.is_log:
        return []
    forks = (log.first_fork, log.last_fork)
    inside = [other for other in known if other.last_fork in forks and other is not log and _is_inside(other, log)]
    return inside + _left_in(log, known)


def _left_in(log: BackupSet, known: Sequence[BackupSet]) -> list[BackupSet]:
    """The log in which the database left the fork on which this one begins: it holds the same records up to there, and
    was backed up much sooner after them.
    """
    point = log.fork_point_lsn
    if point is None or point <= log.first_lsn:
        return []
    left_in = [
        other
        for other in known
        if other.kind.is_log and other.last_fork == log.first_fork and other.first_lsn < point < other.last_lsn
    ]
    return [min(left_in, key=_START)] if left_in else []


def _is_inside(other: BackupSet, log: BackupSet) -> bool:
    low, high = log.first_lsn, log.last_lsn
    if other.last_fork != log.last_fork:
        high = log.fork_point_lsn or high  # what was written beyond it went on elsewhere
    return low < other.last_lsn <= high or (not other.kind.is_log and low <= other.first_lsn < high)


def _change_meanwhile(log: BackupSet, known: Sequence[BackupSet]) -> list[ClockChange]:
    """The clock may have been changed while a log was backed up: the next backups of its server tell, of whatever kind
    and on whatever fork, up to the first one that was begun after the log was over. Where there are none, a log that
    ended by its clock before it began tells itself.
    """
    if not log.kind.is_log or log.utc_offset is None:
        return []
    later = [other for other in known if other.server == log.server and other.started > log.started]
    changed = min(
        (other for other in later if other.utc_offset not in (None, log.utc_offset)), key=_START, default=None
    )
    if changed is None or changed.utc_offset is None:
        if later or not log.ambiguous_time:
            return []
        set_back = max(SET_BACK, log.started - (log.finished - SET_BACK))
        return [ClockChange(log.started, max(log.finished, log.started), log.utc_offset, log.utc_offset - set_back)]
    if any(log.finished <= other.started < changed.started and other.utc_offset == log.utc_offset for other in later):
        return []
    set_back = log.utc_offset - changed.utc_offset
    if not log.ambiguous_time and not _may_hide(log, set_back, later):
        return []
    return [ClockChange(log.started, changed.started, log.utc_offset, changed.utc_offset)]


def _may_hide(log: BackupSet, set_back: timedelta, later: Sequence[BackupSet]) -> bool:
    """Whether the times of a log leave it open that the clock was changed between them: set forward, it ran shorter
    than they tell, and set back longer, though not into the next log backup.
    """
    if set_back < timedelta():
        return log.finished + set_back >= log.started
    following = min(
        (other.started for other in later if other.kind.is_log and other.family == log.family), default=None
    )
    return following is None or log.finished + set_back <= following
