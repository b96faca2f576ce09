# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock on the wall of the server that made backups: what its local times leave open, and when it was changed.

Headers and log records carry local times. In autumn the clock shows an hour twice, and no header tells for which time;
LSNs do, for they never go back. A set whose times stay open gets the *earliest* start and the *latest* finish that are
possible: "started" is then still a moment up to which everything is in the set, "finished" one by which all of it was
over. STOPAT is compared with the local times of log records, so a moment can only be said where no record before it
shows a later time, and none after it an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from .backup_set import SET_BACK, BackupSet

__all__ = ["SECOND", "ClockChange", "changes_between", "local_stop_time", "settle_times", "surely_over", "zone_fits"]

SECOND = timedelta(seconds=1)
"""Times of backups have whole seconds: what is told to have finished at 10:00:00 may have finished at 10:00:00.9."""

_STEP = timedelta(hours=6)
_LONGEST = timedelta(days=1)
"""No backup runs longer."""

_FIRST = datetime.min.replace(tzinfo=timezone.utc) + SECOND
_START = attrgetter("started")
_POSITION = attrgetter("last_lsn")


class ClockChange(NamedTuple):
    """The clock went from one offset to another, at a moment between ``earliest`` and ``latest`` (UTC)."""

    earliest: datetime
    latest: datetime
    before: timedelta
    after: timedelta


def surely_over(when: datetime) -> datetime:
    """What is told to have finished by then was finished before ``when``."""
    return when - SECOND if when > _FIRST else when


def zone_fits(zone: tzinfo | None, backup_set: BackupSet) -> bool:
    """Whether a zone that a person gave agrees with what the set tells of its own offset."""
    return zone is not None and backup_set.started.astimezone(zone).utcoffset() == backup_set.utc_offset


def changes_between(earlier: BackupSet, later: BackupSet, zone: tzinfo | None) -> list[ClockChange]:
    """The changes of the clock from the start of one backup to the end of a later one, oldest first."""
    if zone is not None and zone_fits(zone, earlier) and zone_fits(zone, later):
        return list(_changes_of_zone(zone, earlier.started, later.finished))
    if earlier.utc_offset == later.utc_offset or earlier.utc_offset is None or later.utc_offset is None:
        return []
    return [ClockChange(earlier.started, max(later.started, earlier.started), earlier.utc_offset, later.utc_offset)]


def _changes_of_zone(zone: tzinfo, start: datetime, end: datetime) -> Iterator[ClockChange]:
    moment, offset = start, start.astimezone(zone).utcoffset() or timedelta()
    while moment < end:
        following = min(moment + _STEP, end)
        after = following.astimezone(zone).utcoffset() or timedelta()
        if after != offset:
            low, high = moment, following
            while high - low > SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                if middle <= low:
                    break
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == offset else (low, middle)
            yield ClockChange(high, high, offset, after)
        moment, offset = following, after


def local_stop_time(when: datetime, offset: timedelta, changes: Sequence[ClockChange]) -> datetime | None:
    """``when`` as STOPAT has to say it to a log, or None where the clock of its server leaves no way to say it.

    offset: of the clock at the beginning of the log's records. changes: of the clock while they were written.
    """
    for change in changes:
        if when >= change.latest:
            offset = change.after
        elif when > change.earliest:
            return None
    local = when.astimezone(timezone.utc).replace(tzinfo=None) + offset
    for change in changes:
        if change.latest <= when:
            said_twice = _shown(change.latest, change.before) > local
        else:
            said_twice = _shown(change.earliest, change.after) < local
        if said_twice:
            return None
    return local


def _shown(moment: datetime, offset: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + offset


# -- which times are possible


def settle_times(sets: Iterable[BackupSet], zone: tzinfo | None = None) -> None:
    """Let the LSNs decide, as far as they can, what the local times of these sets leave open. Changes the sets.

    zone: the one that their times were taken to be of, where they did not tell themselves.
    """
    known = list(sets)
    if zone is not None and any(backup_set.ambiguous_time for backup_set in known):
        for _database, group in groupby(sorted(known, key=_origin), key=_origin):
            members = list(group)
            if any(backup_set.ambiguous_time for backup_set in members):
                _settle_by_lsn([backup_set for backup_set in members if backup_set.kind.is_log], zone)
    if len({backup_set.utc_offset for backup_set in known}) > 1:
        _allow_for_changes(known)


def _origin(backup_set: BackupSet) -> tuple[str, str, str, str]:
    return backup_set.family_guid, backup_set.last_fork, backup_set.server, backup_set.database


def _settle_by_lsn(logs: list[BackupSet], zone: tzinfo) -> None:
    """The log backups of one database run one after the other, in the order of their LSNs. Only times that were taken
    to be of the zone are open, not those of a set that tells its own clock, even if that was set back meanwhile.
    """
    logs.sort(key=_POSITION)
    unsettled = {id(log) for log in logs if log.ambiguous_time and zone_fits(zone, log)}
    by_position = [list(group) for _position, group in groupby(logs, key=_POSITION)]  # idle ones end at one LSN
    bound = None
    for group in by_position:
        reached = bound
        for log in group:
            if id(log) in unsettled:
                started = _least(_possible(log.started, zone), bound)
                if started is not None:
                    log.started, log.utc_offset = started, started.astimezone(zone).utcoffset()
            finished = _least(_possible(log.finished, zone), log.started) if id(log) in unsettled else log.finished
            reached = max(reached or log.started, finished or log.started)
        bound = reached
    bound = None
    for group in reversed(by_position):
        reached = bound
        for log in group:
            if id(log) in unsettled:
                finished = _greatest(_possible(log.finished, zone), bound)
                if finished is not None and finished >= log.started:
                    log.finished = finished
            latest = _greatest(_possible(log.started, zone), log.finished) if id(log) in unsettled else log.started
            reached = min(reached or log.finished, latest or log.finished)
        bound = reached


def _possible(moment: datetime, zone: tzinfo) -> list[datetime]:
    """The moments at which the clock shows what it shows at this one, the earlier one first."""
    local = moment.astimezone(zone).replace(tzinfo=zone)
    return sorted({local.replace(fold=fold).astimezone(timezone.utc) for fold in (0, 1)})


def _least(moments: list[datetime], bound: datetime | None) -> datetime | None:
    return next((moment for moment in moments if bound is None or moment >= bound), None)


def _greatest(moments: list[datetime], bound: datetime | None) -> datetime | None:
    return next((moment for moment in reversed(moments) if bound is None or moment <= bound), None)


def _allow_for_changes(known: list[BackupSet]) -> None:
    """A set tells the offset of its start alone. If the clock was set back meanwhile, it ended later than it says; if
    it was set forward, what it surely holds ends earlier.
    """
    backup_sets = [
        backup_set
        for backup_set in known
        if backup_set.utc_offset is not None and (not backup_set.ambiguous_time or _ended_before_it_began(backup_set))
    ]
    backup_sets.sort(key=attrgetter("server", "started"))
    for _server, group in groupby(backup_sets, key=attrgetter("server")):
        members = list(group)
        for position, (earlier, later) in enumerate(pairwise(members)):
            set_back = (earlier.utc_offset or timedelta()) - (later.utc_offset or timedelta())
            if set_back:
                for backup_set in _maybe_running(members, position):
                    _allow_for_change(backup_set, set_back, earlier, later)
            if set_back > timedelta():
                _allow_for_older_records(members[position + 1 :], set_back, later.started)


def _ended_before_it_began(backup_set: BackupSet) -> bool:
    """By its clock, which was set back meanwhile; it was then taken to have run an hour longer."""
    return backup_set.ambiguous_time and backup_set.finished - SET_BACK < backup_set.started


def _allow_for_older_records(members: Sequence[BackupSet], set_back: timedelta, changed: datetime) -> None:
    """LastValidRestoreTime is what the last record shows, which may be from before the clock was set back."""
    for backup_set in members:
        if backup_set.started >= changed + set_back:
            return
        if backup_set.last_valid_time and backup_set.last_valid_time - set_back < changed:
            backup_set.last_valid_time -= set_back


def _maybe_running(members: Sequence[BackupSet], position: int) -> Iterator[BackupSet]:
    """The set at a position, and data backups that may have gone on beside the logs since."""
    newest = members[position]
    yield newest
    for backup_set in (members[index] for index in range(position - 1, -1, -1)):
        if newest.started - backup_set.started > _LONGEST:
            return
        if not backup_set.kind.is_log and backup_set.utc_offset == newest.utc_offset:
            yield backup_set


def _allow_for_change(backup_set: BackupSet, set_back: timedelta, earlier: BackupSet, later: BackupSet) -> None:
    """Of the clock, between the starts of two backups."""
    if set_back < timedelta():
        if backup_set.last_valid_time and backup_set.finished + set_back >= backup_set.started:
            backup_set.last_valid_time += set_back
        return
    ended = backup_set.finished + set_back
    if _ended_before_it_began(backup_set):
        ended -= SET_BACK
    if (ended <= later.started) if backup_set.kind.is_log else (backup_set is earlier or ended >= earlier.started):
        backup_set.finished = ended
        backup_set.ambiguous_time = True
