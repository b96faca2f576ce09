# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a target cannot be reached, and what can be had instead. A moment is only named if it can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise

from ..backup.backup_set import BackupKind, BackupSet
from ..backup.clock import changes_between, surely_over
from ..backup.recovery_paths import Tree
from ..backup.recovery_points import Window, windows
from ..text import counted
from .plan import Refusal, Target
from .request import Request
from .source import Source
from .stop_clause import zone_unknown

__all__ = ["refuse"]

CanReach = Callable[[Target], bool]


def refuse(tree: Tree, forks: set[str], source: Source, request: Request, can_reach: CanReach) -> Refusal:
    """Why there is no way to the target of the request. can_reach: whether there is one to another target."""
    target = request.target
    untold = (entry for entry in source.usable if entry.utc_offset is None) if None in source.offsets else ()
    unknown = next(iter(untold), None)
    if target.kind == "time" and unknown is not None:
        # Its times were taken for UTC: what could be said of a moment may be wrong by hours.
        return replace(zone_unknown(unknown, request), rejected=source.rejected)
    unsayable = _unsayable(source.usable, request.zone) if len(source.offsets) > 1 else []
    reachable = list(_sayable(windows(tree, forks), unsayable))
    exact = [window for window in reachable if window.exact]
    refusal = Refusal(code="unreachable", message="", target=target, reachable=exact, rejected=source.rejected)
    if not reachable:
        _explain_no_full(refusal, tree, source)
        return refusal
    first, last = reachable[0], max(reachable, key=lambda window: window.end)
    refusal.advice = f"the newest point that can be reached is {_point(last.end, last.end_lsn, can_reach)}"
    if target.kind == "mark" and not request.marks:
        refusal.code = "mark_unknown"
        refusal.message = f"backup headers do not tell in which log the mark {target.mark} lies"
        refusal.advice = (
            "give a time shortly before the mark, or the marks in msdb.dbo.logmarkhistory of the "
            "server that made the backups"
        )
    elif target.kind != "time" or target.time is None:
        refusal.message = f"{target} cannot be reached: no unbroken chain of usable backups holds it"
    elif target.time > last.end:
        refusal.code = "after_last"
        refusal.message = (
            f"{target} is after the last moment that the backups surely hold, {last.end:%Y-%m-%d %H:%M:%S} UTC"
        )
        refusal.advice = (
            f"restore to the newest point (latest), to {_point(last.end, last.end_lsn, can_reach)}, or back up the "
            "tail of the log first"
        )
    elif target.time < first.start:
        refusal.code = "before_first"
        refusal.message = f"{target} is before the first moment that the backups surely hold, {_say(first.start)}"
        refusal.advice = (
            f"add the folder with older backups; the oldest point that can be reached is "
            f"{_point(first.start, first.start_lsn, can_reach)}"
        )
    else:
        _explain_hole(refusal, reachable, target.time.astimezone(timezone.utc), tree, can_reach)
    return refusal


def _say(moment: datetime) -> str:
    """A moment as it can be asked for."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _point(moment: datetime, lsn: int, can_reach: CanReach) -> str:
    """A moment, or the LSN of that point where the moment cannot be asked for."""
    if can_reach(Target.at_time(moment)):
        return _say(moment)
    return f"before-lsn:{lsn}" if can_reach(Target.at_lsn(lsn, before=True)) else "latest"


def _explain_no_full(refusal: Refusal, tree: Tree, source: Source) -> None:
    refusal.code = "no_full"
    refusal.message = "there is no usable full backup to start from"
    unusable = source.rejected.by_code("unusable", "unreadable")
    if unusable:
        refusal.message += (
            f"; {counted(len(unusable), 'backup')} cannot be used, the first because {unusable[0].reason}"
        )
    bases = {
        entry.differential_base_guid: entry.differential_base_lsn
        for entry in source.usable
        if entry.kind == BackupKind.DIFFERENTIAL and entry.differential_base_guid
    }
    if bases:
        named = ", ".join(f"{guid} (LSN {lsn})" if lsn else guid for guid, lsn in sorted(bases.items())[:3])
        refusal.message += f"; the differential backups are based on the full backup {named}"
    left = [entry for entry in source.usable if entry.kind.is_log]
    source.rejected.add_all("gap", "there is no usable full backup that it continues", left)
    refusal.advice = "add the folder that holds the full backups"
    reasons = " ".join(item.reason for item in unusable)
    if "stripe" in reasons:
        refusal.advice += ", or bring back the missing stripes"
    if "was damaged when" in reasons:
        refusal.advice += (
            "; a backup of a database that was damaged then is not used by itself: restore it by hand WITH "
            "CONTINUE_AFTER_ERROR if nothing else is left"
        )


def _explain_hole(
    refusal: Refusal, reachable: Sequence[Window], when: datetime, tree: Tree, can_reach: CanReach
) -> None:
    earlier = max((window for window in reachable if window.end < when), key=lambda window: window.end, default=None)
    later = min((window for window in reachable if window.start > when), key=lambda window: window.start, default=None)
    if earlier is not None and _bulk_logged_after(earlier, when, tree):
        refusal.code = "bulk_logged"
        refusal.message = (
            f"{refusal.target} lies in a log backup with bulk-logged changes, which can only be restored to its end"
        )
    elif not any(fork.logs or fork.idle for fork in tree.forks.values()):
        refusal.code = "gap"
        refusal.message = (
            f"{refusal.target} cannot be reached: there are no log backups, so the database can only be had as a full "
            "or differential backup left it"
        )
    else:
        refusal.code = "gap"
        refusal.message = f"{refusal.target} cannot be reached: log backups are missing or unusable there"
    near = []
    if earlier is not None:
        near.append(_both(earlier.end, earlier.end_lsn, can_reach))
    if later is not None:
        near.append(_both(later.start, later.start_lsn if later.start == later.end else None, can_reach))
    near = [point for point in near if point]
    refusal.advice = f"the nearest points that can be reached are {' and '.join(near)}" if near else ""


def _both(moment: datetime, lsn: int | None, can_reach: CanReach) -> str:
    """A point by its moment and by its LSN, as far as it can be asked for so."""
    forms = [_say(moment)] if can_reach(Target.at_time(moment)) else []
    if lsn is not None and can_reach(Target.at_lsn(lsn, before=True)):
        forms.append(f"before-lsn:{lsn}")
    return f"{forms[0]} ({forms[1]})" if len(forms) > 1 else "".join(forms)


def _bulk_logged_after(window: Window, when: datetime, tree: Tree) -> bool:
    """Whether a log with bulk-logged changes goes on from the end of a window, over the moment."""
    fork = tree.forks[window.fork]
    return any(
        log.bulk_logged and fork.start(log) <= window.end_lsn and surely_over(when) < log.finished
        for log in fork.ending_after(window.end_lsn)
    )


# -- moments that the clock of the source server leaves a way to say


def _sayable(stretches: Sequence[Window], unsayable: Sequence[tuple[datetime, datetime]]) -> Iterator[Window]:
    """Stretches of time without the hours around a change of the clock. One backup's own moment needs no STOPAT."""
    for window in stretches:
        parts = [window]
        if window.start < window.end:
            for start, end in unsayable:
                parts = [part for whole in parts for part in _without(whole, start, end)]
        yield from parts


def _without(window: Window, start: datetime, end: datetime) -> Iterator[Window]:
    if end <= window.start or start >= window.end:
        yield window
        return
    if window.start <= start:
        yield replace(window, end=start)
    if end <= window.end:
        yield replace(window, start=end)


def _unsayable(usable: Sequence[BackupSet], zone: tzinfo | None) -> list[tuple[datetime, datetime]]:
    stretches = []
    for earlier, later in pairwise(sorted(usable, key=lambda entry: (entry.started, entry.last_lsn))):
        if earlier.utc_offset != later.utc_offset:
            for change in changes_between(earlier, later, zone):
                set_back = max(change.before - change.after, timedelta())
                if change.latest - change.earliest + set_back > timedelta():
                    stretches.append((change.earliest - set_back, change.latest + set_back))
    return stretches
