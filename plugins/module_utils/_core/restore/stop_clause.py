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

from ..backup.backup_set import BackupSet
from ..backup.clock import ClockChange, local_stop_time, surely_over, zone_fits
from ..backup.recovery_points import Found
from .plan import Refusal, Step, Stop, Target
from .record_clocks import clock_of, one_clock, set_back_before, untold_clocks
from .request import Request
from .source import Source

ZONE_ADVICE = (
    "say in 'time_zone' (in the inventory prs_sql_time_zone) where the server that made the backups stands (UTC, "
    "Europe/Berlin)"
)

__all__ = ["clock_doubts", "route_steps", "stop_clause", "used_sets", "zone_unknown"]


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
    set_back = set_back_before(used, source, when)
    if set_back is not None:
        return _clock_changed([set_back], stopped, candidate, request)
    times = set()
    for log in stopped:
        clock = clock_of(log, used, source, request.zone)
        if clock.unknown is not None:
            return zone_unknown(clock.unknown, request)
        local = local_stop_time(when, clock.offset, clock.changes)
        if local is None:
            return _clock_changed(clock.changes, stopped, candidate, request)
        times.add(local)
    if len(times) > 1:
        return _clock_changed([], stopped, candidate, request)
    return Stop(kind="time", time=times.pop())


def _stopped_logs(candidate: Found, when: datetime) -> list[BackupSet]:
    """The logs that may hold something from after the moment."""
    logs = [move.log for move in candidate.route.moves if move.stop_before is None and not move.log.bulk_logged]
    stopped = [log for log in logs if log.finished > surely_over(when)]
    return [*stopped, candidate.stop] if candidate.stop is not None else stopped


def clock_doubts(candidate: Found, request: Request, source: Source) -> list[str]:
    """A sentence where a server may have had another clock about the moment than any backup tells: after its last
    backup or before its first one, where the database was moved meanwhile, or while its newest log was backed up.
    """
    when = candidate.time
    if request.target.kind != "time" or when is None:
        return []
    used = used_sets(candidate)
    # A log that was over before the moment gets the same STOPAT, and may show later times.
    stopped = _stopped_logs(candidate, when) or [entry for entry in used[-1:] if entry.kind.is_log]
    untold = {server for log in stopped for server in untold_clocks(log, used, source, request.zone, when)}
    if not untold:
        return []
    _position, points = _points_around(stopped, candidate)
    return [
        f"no backup tells whether the clock of {' and '.join(sorted(untold))} was the same at {request.target} as at "
        "its backups; if it was changed in between (summer time, another time zone), RESTORE takes that time for "
        f"another moment. To be sure, name the point by its LSN: {points}"
    ]


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
    position, points = _points_around(stopped, candidate)
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
        advice=f"name the point by its LSN: {points}" + ("" if request.zone else f"; {ZONE_ADVICE}"),
        details={"from_lsn": position, "until_lsn": stopped[-1].last_lsn},
    )


def _points_around(stopped: Sequence[BackupSet], candidate: Found) -> tuple[int, str]:
    """Where the database stands before these logs, and what to say of the LSNs on both sides of a moment in them."""
    used, last = used_sets(candidate), stopped[-1]
    position, before = candidate.route.base.position, ""
    if used[0] is not stopped[0]:
        earlier = used[used.index(stopped[0]) - 1]
        position, before = earlier.last_lsn, f" ({earlier.kind} backup of {earlier.finished:%H:%M:%S} UTC)"
    return position, (
        f"the moment lies between before-lsn:{position}{before} and "
        f"before-lsn:{last.last_lsn} (log backup of {last.finished:%H:%M:%S} UTC), which both can be restored to; "
        "lsn:NUMBER goes to any record in between, which sys.fn_dump_dblog shows with its number"
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
    same_clock = not is_time or one_clock(used_sets(candidate), source, request.zone, when)
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
