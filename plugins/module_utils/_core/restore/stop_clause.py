# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The STOP clauses of a plan, in the words and by the clock of the server that made the backups.

STOPAT is compared with the local times of log records. Where the clock was set back, a local time comes twice, and
where backups come from servers in two zones, one moment has two local times; then a moment is refused, unless every log
that would get it can only understand it rightly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import chain, pairwise
from operator import attrgetter

from ..backup.backup_set import BackupSet
from ..backup.clock import ClockChange, changes_between, local_stop_time, surely_over, zone_fits
from ..backup.recovery_points import Found
from .plan import Refusal, Step, Stop, Target
from .request import Request
from .source import Source

ZONE_ADVICE = (
    "say in 'time_zone' (in the inventory prs_sql_time_zone) where the server that made the backups stands (UTC, "
    "Europe/Berlin)"
)

_START = attrgetter("started")

__all__ = ["route_steps", "stop_clause", "used_sets", "zone_unknown"]


def used_sets(candidate: Found) -> list[BackupSet]:
    """The sets of a way, in the order of their restore."""
    base = candidate.route.base
    sets = [base.full, base.differential, *(move.log for move in candidate.route.moves), candidate.stop]
    return [entry for entry in sets if entry is not None]


def stop_clause(candidate: Found, request: Request, target: Target, source: Source) -> Stop | Refusal | None:
    """The STOP clause of the target, or why it cannot be said. Of clocks also tells what cannot be restored."""
    used = used_sets(candidate)
    if target.kind == "lsn" and candidate.stop is not None:
        return Stop(kind="lsn", lsn=target.lsn, before=target.before)
    if target.kind == "mark" and (candidate.stop is not None or target.lsn is None):
        after = target.after and _local(target.after, request, candidate.stop or (used[-1] if used else None))
        return Stop(kind="mark", mark=target.mark, before=target.before, after=after, lsn=target.lsn)
    if target.kind != "time" or target.time is None:
        return None
    unknown = next((entry for entry in used if entry.utc_offset is None), None)
    if unknown is not None:
        return zone_unknown(unknown, request)
    when = target.time.astimezone(timezone.utc)
    stopped = _stopped_logs(candidate, when)
    if not stopped:
        return Stop(kind="time", time=_local(when, request, used[-1] if used else None))
    witnesses = source.known if len(source.offsets) > 1 else ()
    times = set()
    for log in stopped:
        changes, offset = _clock_of(log, candidate, request, source.usable, witnesses)
        local = local_stop_time(when, offset, changes)
        if local is None:
            return _clock_changed(changes, stopped, candidate, request)
        times.add(local)
    if len(times) > 1:
        return _clock_changed([], stopped, candidate, request)
    return Stop(kind="time", time=times.pop())


def _stopped_logs(candidate: Found, when: datetime) -> list[BackupSet]:
    """The logs that may hold something from after the moment."""
    logs = [move.log for move in candidate.route.moves if move.stop_before is None and not move.log.bulk_logged]
    stopped = [log for log in logs if log.finished > surely_over(when)]
    return [*stopped, candidate.stop] if candidate.stop is not None else stopped


def _clock_of(
    log: BackupSet, candidate: Found, request: Request, usable: Sequence[BackupSet], known: Sequence[BackupSet]
) -> tuple[list[ClockChange], timedelta]:
    """How the clock was changed while the records of a log and the one before them were written, and its offset at the
    first of them.
    """
    used = used_sets(candidate)
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
    made = {id(other): other for other in inside if not zone_fits(request.zone, other)}
    in_order = sorted([oldest, before, *made.values(), log], key=_START)
    changes = [change for pair in pairwise(in_order) for change in changes_between(*pair, request.zone)]
    offset = next((entry.utc_offset for entry in in_order if entry.utc_offset is not None), timedelta())
    if not zone_fits(request.zone, log):
        changes += _change_meanwhile(log, known)
    return changes, offset


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
    """The clock may have been changed while a log was backed up: the next backups of its server alone tell, of whatever
    kind and on whatever fork, up to the first one that was begun after the log was over.
    """
    if not log.kind.is_log or log.utc_offset is None:
        return []
    later = [other for other in known if other.server == log.server and other.started > log.started]
    changed = min(
        (other for other in later if other.utc_offset not in (None, log.utc_offset)), key=_START, default=None
    )
    if changed is None or changed.utc_offset is None:
        return []
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


def zone_unknown(entry: BackupSet, request: Request) -> Refusal:
    return Refusal(
        code="time_zone_unknown",
        target=request.target,
        message=f"the {entry.kind} backup of {entry.database} of {entry.finished:%Y-%m-%d %H:%M:%S} (local time of its "
        f"server, {entry.place}) does not tell the time zone of its server, so a time cannot be found in it",
        advice=f"{ZONE_ADVICE}, or restore to the newest point, an LSN or a mark; "
        "zone 0 in a header counts as untold, for some builds of SQL Server 2022 write it everywhere",
    )


def _clock_changed(
    changes: Sequence[ClockChange], stopped: Sequence[BackupSet], candidate: Found, request: Request
) -> Refusal:
    """Only LSNs name a point there. Those on both sides of the moment are known."""
    used, log = used_sets(candidate), stopped[-1]
    position = used.index(stopped[0])
    low = used[position - 1].last_lsn if position else candidate.route.base.position
    before = f" ({used[position - 1].kind} backup of {used[position - 1].finished:%H:%M:%S} UTC)" if position else ""
    what = (
        f"the clock of the server that made the backups was changed from UTC{_offset(changes[0].before)} to "
        f"UTC{_offset(changes[0].after)}, or the backups are of servers in two time zones,"
        if changes
        else "the backups are of servers in two time zones"
    )
    return Refusal(
        code="clock_changed",
        target=request.target,
        message=f"{what} around {request.target}, so RESTORE, which knows local times alone, could take it for another "
        "moment",
        advice=f"name the point by its LSN: the moment lies between before-lsn:{low}{before} and "
        f"before-lsn:{log.last_lsn} (log backup of {log.finished:%H:%M:%S} UTC), which both can be restored to; "
        "lsn:NUMBER goes to any record in between, which sys.fn_dump_dblog shows with its number"
        + ("" if request.zone else f"; {ZONE_ADVICE}"),
        details={"from_lsn": low, "until_lsn": log.last_lsn},
    )


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _local(moment: datetime, request: Request, entry: BackupSet | None) -> datetime:
    """A moment as the clock on the wall of the source server showed it."""
    if request.zone is not None and (entry is None or entry.utc_offset is None or zone_fits(request.zone, entry)):
        return moment.astimezone(request.zone).replace(tzinfo=None)
    offset = entry.utc_offset if entry is not None and entry.utc_offset is not None else timedelta()
    return moment.astimezone(timezone.utc).replace(tzinfo=None) + offset


def _one_clock(candidate: Found, request: Request, source: Source) -> bool:
    """Whether the clock was the same all along the way and at its end, so that every log can be told the same time. Of
    that of a log's records also tells whatever was backed up meanwhile, of use or not.
    """
    used = used_sets(candidate)
    offsets = {entry.utc_offset for entry in used}
    logs = [entry for entry in used if entry.kind.is_log]
    if logs and len(source.offsets) > 1:
        forks = {fork for log in logs for fork in (log.first_fork, log.last_fork)}
        low, high = min(log.first_lsn for log in logs), max(log.last_lsn for log in logs)
        offsets |= {
            entry.utc_offset
            for entry in source.known
            if entry.last_fork in forks and low < entry.last_lsn and entry.first_lsn < high
        }
    if used and request.zone is not None and zone_fits(request.zone, used[-1]):
        moments = [used[-1].finished, *([candidate.time] if candidate.time is not None else [])]
        offsets |= {moment.astimezone(request.zone).utcoffset() for moment in moments}
    return len(offsets) < 2


def route_steps(candidate: Found, stop: Stop | None, request: Request, source: Source) -> list[Step]:
    """The RESTOREs of a way. STOPAT belongs on every log, lest one goes past the moment.

    Exceptions: a bulk-logged log, which is wholly before it, would refuse it; and where the clock was changed on the
    way, a log that was over before the moment might take it for another one.
    """
    base = candidate.route.base
    steps = [_step("database", entry) for entry in (base.full, base.differential) if entry is not None]
    position, reached = base.position, False
    everywhere = stop if stop is not None and (stop.kind == "time" or stop.lsn is None) else None
    is_time = stop is not None and stop.kind == "time"
    when = candidate.time
    same_clock = not is_time or _one_clock(candidate, request, source)
    for move in candidate.route.moves:
        halt = Stop(kind="lsn", lsn=move.stop_before, before=True) if move.stop_before is not None else None
        may_hold_it = when is not None and move.log.finished > surely_over(when)
        if halt is None and not move.log.bulk_logged and (same_clock or may_hold_it):
            halt = everywhere
        steps.append(_step("log", move.log, stop=halt, fits_from=position, skip_if_stopped=reached))
        reached = reached or (halt is everywhere and halt is not None and may_hold_it)
        position = move.stop_before or move.log.last_lsn
    if candidate.stop is not None:
        last = _step("log", candidate.stop, stop=stop, fits_from=position, skip_if_stopped=reached)
        steps.append(replace(last, leads_to=None))
    return steps


def _step(
    action: str,
    entry: BackupSet,
    *,
    stop: Stop | None = None,
    fits_from: int | None = None,
    skip_if_stopped: bool = False,
) -> Step:
    copies = tuple(copy for copy in entry.copies if not copy.problem)
    return Step(
        action=action,
        kind=entry.kind.value,
        guid=entry.guid,
        copies=copies,
        stop=stop,
        checksum=entry.checksums,
        continue_after_error=entry.damaged,
        size=entry.compressed_size,
        fits_from=fits_from,
        leads_to=entry.last_lsn,
        finished=entry.finished,
        skip_if_stopped=skip_if_stopped,
    )
