# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan leaves out and why, and what a person should know of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from ..backup.backup_set import BackupSet
from ..backup.clock import zone_fits
from ..backup.recovery_paths import Fork, Tree
from ..backup.recovery_points import Found, path_limits, state_time
from ..text import counted
from .plan import ExistingDatabase, Rejections, Target
from .request import Request

__all__ = ["left_out", "plan_notes"]


def left_out(
    candidate: Found,
    tree: Tree,
    usable: Sequence[BackupSet],
    used: Sequence[BackupSet],
    target: Target,
    rejected: Rejections,
) -> int:
    """Reject what cannot lead to the recovery point; of the good sets that this plan does without, the number is
    returned.

    A set that was begun after the time that is wanted does not count as rejected: nobody would look for it there.
    """
    done: dict[str, set[BackupSet]] = defaultdict(set)
    for entry in chain(used, (entry for entry, _reason in tree.unusable)):
        done[entry.last_fork].add(entry)
    path = path_limits(tree, {candidate.stop.last_fork if candidate.stop else candidate.route.fork})

    def past(fork: Fork, limit: float) -> list[BackupSet]:
        sets, when = fork.sets_beyond(limit), target.time
        if when is not None:
            sets = [entry for entry in sets if entry.started < when]
        done_here = done.get(fork.guid)
        return [entry for entry in sets if entry not in done_here] if done_here else sets

    elsewhere, beyond, position = [], [], candidate.route.position
    for guid, fork in tree.forks.items():
        if path.get(guid) != math.inf:
            elsewhere += past(fork, path.get(guid, -1))
        elif target.kind == "latest":
            beyond += past(fork, position)
    rejected.add_all("other_fork", "it lies on a recovery fork that does not lead to the recovery point", elsewhere)
    rejected.add_all("gap", f"the logs that go on from LSN {position} are missing or unusable", beyond)
    return len(usable) - sum(map(len, done.values())) - len(elsewhere) - len(beyond)


def plan_notes(
    candidate: Found,
    tree: Tree,
    forks: set[str],
    used: Sequence[BackupSet],
    rejected: Rejections,
    existing: ExistingDatabase | None,
    *,
    resumes: bool,
    request: Request,
) -> list[str]:
    """Sentences for a person."""
    notes: list[str] = []
    newest_used = max((entry.finished for entry in used), default=None)
    bad = [item.set for item in rejected.by_code("unusable", "gap", "contradiction", "no_base") if item.set is not None]
    newer = [entry for entry in bad if newest_used is not None and entry.finished > newest_used]
    if newer and request.target.kind == "latest":
        latest = max(newer, key=lambda entry: entry.finished)
        notes.append(f"{counted(len(newer), 'newer backup')} cannot be used, the newest is the {latest}")
    if request.target.kind == "latest" and len(tree.forks) > 1:
        notes += _living_paths(candidate, tree, forks)
    if resumes:
        notes.append(f"goes on from LSN {candidate.route.base.position}, where the RESTORING database stands")
    elif existing is not None and existing.is_restoring:
        notes.append(
            f"starts over: what is RESTORING stands at LSN {existing.redo_start_lsn}, from where the target is not "
            "reached with less to read"
        )
    if request.target.kind == "mark" and not request.marks:
        notes.append("whether the mark lies in these logs is only known once they are restored")
    other = next((entry for entry in used if request.zone is not None and not zone_fits(request.zone, entry)), None)
    if other is not None and request.target.kind == "time":
        notes.append(f"the {other} tells another time zone than time_zone does; what it tells itself counts")
    return notes


def _living_paths(candidate: Found, tree: Tree, forks: set[str]) -> Iterator[str]:
    """The ends of other recovery paths on which the database lived at the same time, as after a forced failover."""
    view = tree.unlimited
    chosen = candidate.route.fork
    if chosen not in tree.forks:
        return  # a RESTORING database stands there, and there is no backup of it
    life, path = _life(tree.forks[chosen]), path_limits(tree, {chosen})
    for guid in sorted(forks - {chosen}):
        arrival = view.arrival(guid)
        if arrival is None or arrival.position <= path.get(guid, -1):
            continue
        if _overlap(life, _life(tree.forks[guid])):
            moment = state_time(view, guid, arrival.position)
            until = f" until {moment:%Y-%m-%d %H:%M:%S} UTC" if moment is not None else ""
            yield (
                f"the database also lived on another recovery path{until}: source.recovery_fork {guid} leads there, "
                f"to LSN {arrival.position}"
            )


_Life = tuple[datetime, datetime]


def _overlap(life: _Life | None, other: _Life | None) -> bool:
    return life is not None and other is not None and life[0] <= other[1] and other[0] <= life[1]


def _life(fork: Fork) -> _Life | None:
    """From the first backup on a fork to the last one."""
    sets = [
        *fork.logs,
        *fork.idle,
        *(entry for base in fork.bases for entry in (base.differential or base.full,) if entry),
    ]
    return (min(entry.started for entry in sets), max(entry.finished for entry in sets)) if sets else None
